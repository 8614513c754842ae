use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use sealed_session::{Key, Timestamp};
use sealed_session_test_programs::command;
use serde_json::Value;

use crate::Lifetimes;

/// Whoever keeps the ring, with the documented commands.
#[derive(Debug)]
pub struct Operator {
    file: PathBuf,
    lifetimes: Lifetimes,
}

impl Operator {
    /// Makes a key file.
    pub(crate) fn begin(file: PathBuf, lifetimes: Lifetimes) -> Self {
        let operator = Self { file, lifetimes };
        operator.edit("add", &["--create"]);
        operator
    }

    /// The ring, as it is to be deployed.
    #[must_use]
    pub fn ring(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// The key of this id, for a thief.
    #[must_use]
    pub fn leak(&self, id: &str) -> Key {
        let key = |line: &str| Key::from_text(line.split_whitespace().next()?).ok();
        self.ring().lines().filter_map(key).find(|key| key.id().to_string() == id).expect("the ring has the key")
    }

    /// The ids of all keys, the newest first.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        let list = self.keys("list", &[]);
        assert!(list.status.success());
        let list: Value = serde_json::from_slice(&list.stdout).unwrap();
        list["keys"].as_array().unwrap().iter().map(|key| key["key_id"].as_str().unwrap().to_owned()).collect()
    }

    /// Stages a key that seals from so many seconds on, which the roll-out does not take; its id, and when it begins.
    pub fn add(&self, lead_seconds: u64, rollout_seconds: u64) -> (String, Timestamp) {
        let [lead, rollout] = [lead_seconds, rollout_seconds].map(|seconds| format!("{seconds}s"));
        let (id, report) = self.edit_key("add", &["--in", &lead, "--rollout", &rollout, "--skew", "0s"]);
        let key = report["keys"].as_array().unwrap().iter().find(|key| key["key_id"] == *id).unwrap();
        let seal_from = Timestamp::from_rfc3339(key["seal_from"].as_str().unwrap()).unwrap();
        (id, seal_from)
    }

    /// Adds a key that seals at once; its id.
    #[must_use]
    pub fn add_now(&self) -> String {
        self.edit_key("add", &["--now", "--force"]).0
    }

    /// Takes a key out of the ring.
    pub fn remove(&self, id: &str) {
        self.edit("remove", &[id]);
    }

    /// Whether the command refuses to take a key out of the ring.
    #[must_use]
    pub fn may_not_remove(&self, id: &str) -> bool {
        let output = self.keys("remove", &[id]);
        assert!(output.status.code() == Some(0) || output.status.code() == Some(1), "{output:?}");
        !output.status.success()
    }

    /// Takes a key out of the ring, whoever uses it.
    pub fn remove_by_force(&self, id: &str) {
        self.edit("remove", &[id, "--force"]);
    }

    /// Ends every session that begins before so many seconds from now; that instant.
    pub fn revoke_before(&self, seconds: u64) -> Timestamp {
        let report =
            self.edit("revoke-before", &["--in", &format!("{seconds}s"), "--rollout", "1s", "--skew", "0s", "--force"]);
        Timestamp::from_rfc3339(report["not_before"].as_str().unwrap()).unwrap()
    }

    fn edit_key(&self, subcommand: &str, arguments: &[&str]) -> (String, Value) {
        let report = self.edit(subcommand, arguments);
        (report["key_id"].as_str().unwrap().to_owned(), report)
    }

    fn edit(&self, subcommand: &str, arguments: &[&str]) -> Value {
        let output = self.keys(subcommand, arguments);
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "keys {subcommand} {arguments:?}: {problem}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn keys(&self, subcommand: &str, arguments: &[&str]) -> Output {
        let Lifetimes { absolute_seconds, grace_seconds, .. } = self.lifetimes;
        Command::new(command())
            .args(["keys", subcommand])
            .arg(&self.file)
            .args(arguments)
            .args(["--json", "--grace", &format!("{grace_seconds}s"), "--absolute", &format!("{absolute_seconds}s")])
            .output()
            .unwrap()
    }
}
