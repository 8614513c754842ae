//! The demo's key file.

use std::path::PathBuf;

use sealed_session::KeyError;
use sealed_session_demo::keys::{KeysError, from_file};

/// A file of this test's own, in the folder that the build gives to tests.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn a_second_start_reads_the_keys_of_the_first() {
    let path = file("second-start.keys");
    let first = from_file(&path).unwrap();
    assert_eq!(from_file(&path).unwrap(), first);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = file("mode.keys");
    from_file(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_without_keys_is_refused_and_left_as_it_is() {
    let path = file("empty.keys");
    std::fs::write(&path, "# nothing\n").unwrap();
    assert!(matches!(from_file(&path), Err(KeysError::Key(KeyError::EmptyRing))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# nothing\n");
}
