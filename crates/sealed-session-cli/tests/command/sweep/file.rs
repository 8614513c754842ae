//! A file store, and what holds for every store.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use pollster::block_on;
use sealed_session::store::{FileStore, RecordStore as _};

use super::fill_now;
use crate::support::{run, start};

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
    let living = fill_now(&store, 1);
    let path = directory.to_str().unwrap();
    assert_eq!(run(["sweep", "--directory", path], "").line(), "removed 1 expired records");
    assert_eq!(run(["sweep", "--store", "file", "--directory", path], "").line(), "removed 0 expired records");
    assert!(block_on(store.load(&living)).unwrap().is_some());
}

#[test]
fn a_sweep_makes_as_many_calls_as_it_takes() {
    for batch in ["1", "2", "3", "7", "8", "1000"] {
        let directory = directory(&format!("sweep-batch-{batch}"));
        fill_now(&FileStore::open(&directory).unwrap(), 7);
        let path = directory.to_str().unwrap();
        let outcome = run(["sweep", "--directory", path, "--batch", batch], "");
        assert_eq!(outcome.line(), "removed 7 expired records", "{batch}");
    }
}

#[test]
fn a_directory_that_is_no_stores_is_wrong_usage_and_stays_as_it_is() {
    let directory = directory("sweep-nothing");
    let path = directory.to_str().unwrap();
    for more in [&[][..], &["--every", "1h"]] {
        let outcome = run(["sweep", "--directory", path].iter().chain(more), "");
        outcome.assert_failed(2);
        assert!(outcome.error.contains(path), "{}", outcome.error);
        assert!(!directory.exists());
    }
}

#[test]
fn with_a_pause_it_sweeps_at_once_and_goes_on() {
    let directory = directory("sweep-every");
    fill_now(&FileStore::open(&directory).unwrap(), 2);
    let mut child = start(["sweep", "--directory", directory.to_str().unwrap(), "--every", "1h"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "removed 2 expired records");
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.next().is_none());
}
