//! Starts this repository's programs for tests, each on free ports, and ends them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails loudly, and so does what it calls"
)]

mod build;
mod server;

pub use build::{command, command_with_databases, demo, example};
pub use server::Server;

use std::path::PathBuf;
use std::process::Command;

/// A folder of one test, which may hold what an earlier run left there.
#[must_use]
pub fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sealed-session-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn unavailable(command: &Command, problem: &str) -> ! {
    let program = command.get_program().to_string_lossy().into_owned();
    panic!("{program} cannot be used: {problem}; `bash tests/run.sh` installs what is missing")
}
