use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sealed_session::{Clock as _, Key, SystemClock, Timestamp};
use sealed_session_test_programs::command;

/// Whoever keeps the ring, with the documented commands.
#[derive(Debug)]
pub struct Operator {
    file: PathBuf,
}

impl Operator {
    pub(crate) fn begin(file: PathBuf) -> Self {
        fs::write(&file, run(&["keygen"])).unwrap();
        Self { file }
    }

    /// The ring, as it is to be deployed.
    #[must_use]
    pub fn ring(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// The key of this id, for a thief.
    #[must_use]
    pub fn leak(&self, id: &str) -> Key {
        self.ring().lines().filter_map(key).find(|key| key.id().to_string() == id).expect("the ring has the key")
    }

    /// The ids of all keys, in the order of the ring.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.ring().lines().filter_map(key).map(|key| key.id().to_string()).collect()
    }

    /// Adds a new key that seals from so many seconds on; its id, and when it begins.
    pub fn add(&self, lead_seconds: u64) -> (String, Timestamp) {
        let seal_from = SystemClock.now().saturating_add_seconds(lead_seconds);
        let key = run(&["keygen"]);
        self.edit(|ring| format!("{ring}{} seal-from={}\n", key.trim_end(), seal_from.to_rfc3339()));
        (Key::from_text(key.trim_end()).unwrap().id().to_string(), seal_from)
    }

    /// Takes a key out of the ring.
    pub fn remove(&self, id: &str) {
        let is_kept = |line: &&str| key(line).is_none_or(|key| key.id().to_string() != id);
        self.edit(|ring| ring.lines().filter(is_kept).map(|line| format!("{line}\n")).collect());
    }

    /// Ends every session that was created before so many seconds from now; gives that instant.
    pub fn end_sessions_before(&self, seconds: u64) -> Timestamp {
        let not_before = SystemClock.now().saturating_add_seconds(seconds);
        self.edit(|ring| format!("{ring}not-before={}\n", not_before.to_rfc3339()));
        not_before
    }

    fn edit(&self, edit: impl FnOnce(&str) -> String) {
        fs::write(&self.file, edit(&self.ring())).unwrap();
    }
}

fn key(line: &str) -> Option<Key> {
    Key::from_text(line.split_whitespace().next()?).ok()
}

fn run(arguments: &[&str]) -> String {
    let output = Command::new(command()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
