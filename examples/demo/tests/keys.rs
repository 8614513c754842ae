//! Where the demo's keys come from.

use std::path::{Path, PathBuf};

use sealed_session::key_source::KeySourceError;
use sealed_session::{Key, KeyError, KeyRing};
use sealed_session_demo::keys;

/// A path of this test's own, in the folder that the build gives to tests.
fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

/// The ring that the demo would start with.
fn ring_at(path: &Path) -> Result<KeyRing, Box<dyn std::error::Error>> {
    Ok((*keys::at(path)?.start()?.current()).clone())
}

#[test]
fn a_second_start_reads_the_keys_of_the_first() {
    let path = path("second-start.keys");
    let first = ring_at(&path).unwrap();
    assert_eq!(ring_at(&path).unwrap(), first);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path("mode.keys");
    ring_at(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_without_keys_is_refused_and_left_as_it_is() {
    let path = path("empty.keys");
    std::fs::write(&path, "# nothing\n").unwrap();
    let refusal = ring_at(&path).unwrap_err();
    assert!(matches!(refusal.downcast_ref(), Some(KeySourceError::Ring { source: KeyError::EmptyRing, .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# nothing\n");
}

#[test]
fn a_directory_is_read_as_one_ring_and_no_file_is_made_in_it() {
    let directory = path("directory-of-keys");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    assert!(ring_at(&directory).is_err());
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    let key = Key::generate().unwrap();
    std::fs::write(directory.join("ring"), key.to_secret_text().as_bytes()).unwrap();
    assert_eq!(ring_at(&directory).unwrap(), KeyRing::new(key));
}
