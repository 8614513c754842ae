//! Modes, owners, links, and two edits at the same time.

use std::fs::{self, File};

use super::super::support::{end, run, start};
use super::support::Ring;

#[cfg(unix)]
#[test]
fn every_file_that_is_written_is_its_owners_alone() {
    let none = Ring::none();
    none.edit("add", &["--create"]);
    assert_eq!(none.mode(), 0o600);
    for mode in [0o644, 0o640, 0o400, 0o660] {
        let (ring, _) = Ring::of([""]);
        ring.set_mode(mode);
        let answer = ring.edit("add", &[]);
        assert_eq!(ring.mode(), 0o600);
        let warnings = answer["warnings"].as_array().unwrap();
        let expected = usize::from(mode & 0o077 != 0);
        assert_eq!(warnings.len(), expected, "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.as_str().unwrap().contains(&format!("{mode:04o}"))));
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_told() {
    let (ring, _) = Ring::of([""]);
    ring.set_mode(0o644);
    let listed = ring.run("list", &[]);
    assert_eq!((listed.code, listed.error.contains("mode 0644")), (0, true), "{listed:?}");
    let checked = ring.run("check", &[]);
    assert_eq!((checked.code, checked.error.as_str()), (1, ""));
    assert!(checked.output.starts_with("warning: readable_by_others: "), "{checked:?}");
    assert_eq!(ring.mode(), 0o644);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_owner() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let (ring, _) = Ring::of([""]);
    // Root gives the file away, as it belongs to the application then; nobody else can, and it stays their own.
    let _ = chown(ring.path(), Some(12_345), Some(12_346));
    let owner = |ring: &Ring| fs::metadata(ring.path()).map(|metadata| (metadata.uid(), metadata.gid())).unwrap();
    let before = owner(&ring);
    ring.edit("add", &[]);
    assert_eq!(owner(&ring), before);
}

#[cfg(unix)]
#[test]
fn a_link_is_kept_and_what_it_leads_to_is_edited() {
    let (ring, _) = Ring::of([""]);
    let link = ring.directory().join("link.keys");
    std::os::unix::fs::symlink("session.keys", &link).unwrap();
    let outcome = run(["keys", "add", link.to_str().unwrap()], "");
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ring.ring().key_ids().count(), 2);
    assert_eq!(ring.names_beside(), [] as [String; 0]);

    fs::remove_file(ring.path()).unwrap();
    // A link that leads nowhere is no place for a new file.
    run(["keys", "add", "--create", link.to_str().unwrap()], "").assert_failed(1);
    assert!(fs::symlink_metadata(ring.path()).is_err());
}

#[test]
fn what_is_no_file_is_wrong_usage() {
    let ring = Ring::none();
    fs::create_dir(ring.path()).unwrap();
    ring.run("list", &[]).assert_failed(2);
    ring.run("add", &[]).assert_failed(2);
    ring.run("add", &["--create"]).assert_failed(1);
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_keeps_nobody_waiting() {
    let ring = Ring::none();
    assert!(std::process::Command::new("mkfifo").arg(ring.path()).status().unwrap().success());
    for command in ["list", "add"] {
        let outcome = ring.run(command, &[]);
        outcome.assert_failed(2);
        assert!(outcome.error.contains("no regular file"), "{}", outcome.error);
    }
}

#[test]
fn a_file_that_another_command_edits_is_left_to_it() {
    let (ring, _) = Ring::of([""]);
    let lock = File::open(ring.path()).unwrap();
    lock.lock().unwrap();
    ring.assert_refused("add", &[], 1, "another command edits it now");
    // To look at it is no edit.
    assert_eq!(ring.run("list", &[]).code, 0);
    drop(lock);
    assert_eq!(ring.run("add", &[]).code, 0);
}

#[test]
fn of_edits_at_the_same_time_none_is_lost() {
    let (ring, _) = Ring::of([""]);
    let delays: Vec<_> = (1..=8).map(|days| format!("{days}d")).collect();
    let edits: Vec<_> = delays.iter().map(|delay| start(["keys", "add", ring.path(), "--in", delay])).collect();
    let outcomes: Vec<_> = edits.into_iter().map(end).collect();
    let succeeded = outcomes.iter().filter(|outcome| outcome.code == 0).count();
    for outcome in outcomes.iter().filter(|outcome| outcome.code != 0) {
        outcome.assert_failed(1);
        assert!(outcome.error.contains("stays as it was"), "{outcome:?}");
    }
    assert!(succeeded > 0);
    assert_eq!(ring.ring().key_ids().count(), 1 + succeeded);
    assert_eq!(ring.names_beside(), [] as [String; 0]);
}
