use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use crate::unavailable;

/// The demo, built once for all tests as `cargo run --example demo` builds it.
pub fn demo() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("demo", &["--example", "demo"])).clone()
}

/// An example of one file, built once for all tests. Together with these tests, whose frameworks are then built once.
pub fn example(name: &str) -> PathBuf {
    static PROGRAMS: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let packages = ["--package", "sealed-session-examples", "--package", "sealed-session-framework-tests"];
    let arguments = [&packages[..], &["--all-features", "--examples"]].concat();
    let mut programs = PROGRAMS.lock().unwrap();
    programs.entry(name.to_owned()).or_insert_with(|| build(name, &arguments)).clone()
}

/// The operator's command, built once for all tests.
pub fn command() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let arguments = ["--package", "sealed-session-cli"];
    PROGRAM.get_or_init(|| build("sealed-session", &arguments)).clone()
}

/// The operator's command with the databases that it sweeps, built once for all tests.
pub fn command_with_databases() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let arguments = ["--package", "sealed-session-cli", "--all-features"];
    PROGRAM.get_or_init(|| build("sealed-session", &arguments)).clone()
}

fn build(name: &str, arguments: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&root).args(["build", "--locked", "--message-format", "json"]).args(arguments);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message.pointer("/target/name").is_some_and(|found| found == name))
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .unwrap_or_else(|| unavailable(&command, &format!("{name} was not built")))
}
