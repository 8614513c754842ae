//! `sealed-session sweep`

use std::fs;
use std::path::PathBuf;

use pollster::block_on;
use sealed_session::store::{Created, FileStore};
use sealed_session::{Record, RecordId, RecordStore as _, Timestamp};

use super::support::run;

/// A directory that does not exist yet.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    directory
}

#[test]
fn expired_records_are_removed_and_counted_and_others_stay() {
    let directory = directory("sweep");
    let store = FileStore::open(&directory).unwrap();
    let living = RecordId::from_bytes([1; 16]);
    for (id, expires_at) in [(living, Timestamp::MAX), (RecordId::from_bytes([2; 16]), Timestamp::from_unix_seconds(1))]
    {
        let record = Record::new(1, expires_at, b"sealed".to_vec());
        assert_eq!(block_on(store.create(&id, record)).unwrap(), Created::Created);
    }
    let path = directory.to_str().unwrap();
    assert_eq!(run(["sweep", "--directory", path], "").line(), "removed 1 expired records");
    assert_eq!(run(["sweep", "--store", "file", "--directory", path], "").line(), "removed 0 expired records");
    assert!(block_on(store.load(&living)).unwrap().is_some());
}

#[test]
fn a_directory_that_is_no_stores_is_wrong_usage_and_stays_as_it_is() {
    let directory = directory("sweep-nothing");
    let path = directory.to_str().unwrap();
    let outcome = run(["sweep", "--directory", path], "");
    outcome.assert_failed(2);
    assert!(outcome.error.contains(path), "{}", outcome.error);
    assert!(!directory.exists());
}
