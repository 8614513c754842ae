use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use sealed_session_test_programs::{Server, demo, scratch};
use serde_json::Value;

use crate::mount::Mount;
use crate::{Operator, Proxy};

const SERVERS: usize = 3;

/// How long sessions last, and how long a superseded key may still seal; in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Of a session that is not used.
    pub idle_seconds: u64,
    /// Of any session.
    pub absolute_seconds: u64,
    /// Of a superseded key, on a server that is late.
    pub grace_seconds: u64,
}

/// Three servers behind a proxy. Two share a mounted ring; the third has a mount of its own, which may be late.
#[derive(Debug)]
pub struct Fleet {
    servers: Vec<Server>,
    proxy: Proxy,
    mounts: [Mount; 2],
    folder: PathBuf,
}

/// What a server says of one of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReport {
    /// The key.
    pub id: String,
    /// What it does: `pending`, `sealing`, `opening` or `expired`.
    pub state: String,
    /// What it opened since the server started.
    pub opened: u64,
    /// What named it and was refused.
    pub refused: u64,
    /// Nothing that is valid needs it.
    pub is_safe_to_remove: bool,
}

impl Fleet {
    /// Starts a fleet with the operator's ring of one key. `name` is of this test alone.
    #[must_use]
    pub fn start(name: &str, lifetimes: Lifetimes) -> (Self, Operator) {
        let folder = scratch(name);
        let operator = Operator::begin(folder.join("session.keys"), lifetimes);
        let mut mounts = ["shared", "late"].map(|name| Mount::new(folder.join(name)));
        for mount in &mut mounts {
            mount.update(&operator.ring());
        }
        let mount_of = |server| if server + 1 == SERVERS { &mounts[1] } else { &mounts[0] };
        let servers: Vec<_> = (0..SERVERS).map(|server| serve(mount_of(server).path(), lifetimes)).collect();
        let proxy = Proxy::start(servers.iter().map(|server| server.port(1)).collect());
        (Self { servers, proxy, mounts, folder }, operator)
    }

    /// The port of the whole shop.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.proxy.port()
    }

    /// What passes the requests on.
    #[must_use]
    pub const fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// The port of each server, past the proxy.
    pub fn server_ports(&self) -> impl Iterator<Item = u16> {
        self.servers.iter().map(|server| server.port(1))
    }

    /// Gives the operator's ring to two servers at once, and to the third when `late` has passed.
    pub fn deploy(&mut self, operator: &Operator, late: Duration) {
        let ring = operator.ring();
        self.mounts[0].update(&ring);
        thread::sleep(late);
        self.mounts[1].update(&ring);
    }

    /// What each server says of each of its keys.
    #[must_use]
    pub fn reports(&self) -> Vec<Vec<KeyReport>> {
        self.servers.iter().map(|server| reports(server.port(0))).collect()
    }

    /// Whether every server says this of its key of this id.
    #[must_use]
    pub fn all_say(&self, id: &str, holds: impl Fn(&KeyReport) -> bool) -> bool {
        self.reports().iter().all(|keys| keys.iter().any(|key| key.id == id && holds(key)))
    }

    /// Whether no server has a key of this id.
    #[must_use]
    pub fn none_has(&self, id: &str) -> bool {
        self.reports().iter().all(|keys| keys.iter().all(|key| key.id != id))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.servers.clear();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn serve(keys: &Path, lifetimes: Lifetimes) -> Server {
    let mut command = Command::new(demo());
    command
        .args(["--listen", "127.0.0.1:0", "--operator", "127.0.0.1:0"])
        .env_remove("SESSION_KEYS")
        .env("SESSION_KEYS_PATH", keys)
        .env("SESSION_KEYS_POLL_SECONDS", "1")
        .env("SESSION_KEYS_GRACE_SECONDS", lifetimes.grace_seconds.to_string())
        .env("SESSION_IDLE_SECONDS", lifetimes.idle_seconds.to_string())
        .env("SESSION_ABSOLUTE_SECONDS", lifetimes.absolute_seconds.to_string());
    Server::start(&mut command, &["shown at http://localhost:", "Listening on http://localhost:"])
}

fn reports(port: u16) -> Vec<KeyReport> {
    let text =
        ureq::get(format!("http://127.0.0.1:{port}/keys.json")).call().unwrap().body_mut().read_to_string().unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["reload_problem"], Value::Null);
    let key = |key: &Value| KeyReport {
        id: key["id"].as_str().unwrap().to_owned(),
        state: key["state"].as_str().unwrap().to_owned(),
        opened: key["opened"].as_u64().unwrap(),
        refused: key["refused"].as_u64().unwrap(),
        is_safe_to_remove: key["is_safe_to_remove"].as_bool().unwrap(),
    };
    report["keys"].as_array().unwrap().iter().map(key).collect()
}
