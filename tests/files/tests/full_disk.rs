//! On a full disk a write is an error, and the record stays as it was.
//!
//! The disk is a file system of one mebibyte in memory, mounted in a name space that nobody else sees. Where that cannot be
//! had the test has failed.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly; clippy knows test functions, but not what they call"
)]

use std::process::{Command, Output};

use sealed_session_file_tests::Scratch;

const MOUNT_AND_RUN: &str =
    r#"mount -t tmpfs -o size=1m,mode=0700 none "$1" && echo mounted && exec "$2" full-disk "$1""#;

#[test]
fn a_full_disk_leaves_the_old_state() {
    let output = on_a_small_file_system();
    let (told, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{complaint}");
    assert!(told.contains("a full disk changed nothing"), "{told}{complaint}");
}

/// Runs the worker there: with a user's own name space, or as root without one.
fn on_a_small_file_system() -> Output {
    let scratch = Scratch::new("full-disk");
    let mut complaints = String::new();
    for options in [&["--mount", "--map-root-user"][..], &["--mount"]] {
        let mut command = Command::new("unshare");
        command.args(options).args(["sh", "-c", MOUNT_AND_RUN, "sh"]).arg(scratch.path());
        let output =
            command.arg(env!("CARGO_BIN_EXE_worker")).output().expect("`unshare`, from util-linux, can be run");
        if String::from_utf8_lossy(&output.stdout).contains("mounted") {
            return output;
        }
        complaints.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    panic!(
        "cannot mount a small file system, so nothing was shown: this test needs root with CAP_SYS_ADMIN, or the right to \
         make a user name space (sysctl kernel.unprivileged_userns_clone); {complaints}"
    );
}
