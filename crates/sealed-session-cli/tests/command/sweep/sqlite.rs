//! A table of SQLite, which needs no server.

use std::fs;
use std::path::PathBuf;

use sealed_session::store::RecordStore as _;
use sealed_session_sqlx::{SqlPool, SqlStore};
use tokio::runtime::{Builder, Runtime};

use super::fill;
use crate::support::{KeyFile, Outcome, end, run, start_with};

/// A database of one test.
struct Place {
    folder: PathBuf,
    url: String,
    runtime: Runtime,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("sweep-sqlite-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite:{}", folder.join("sessions.sqlite").display());
        Self { folder, url, runtime: Builder::new_current_thread().enable_all().build().unwrap() }
    }

    fn table(&self, name: &str) -> SqlStore {
        self.runtime.block_on(async {
            let pool = SqlPool::connect(&format!("{}?mode=rwc", self.url)).await.unwrap();
            let store = SqlStore::builder(pool).table(name).build().unwrap();
            store.create_table().await.unwrap();
            store
        })
    }

    fn sweep(&self, arguments: &[&str]) -> Outcome {
        let command = ["sweep", "--store", "sqlite", "--url-from-env", "SESSIONS_URL"];
        end(start_with(&[("SESSIONS_URL", &self.url)], command.iter().chain(arguments)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn expired_rows_are_removed_and_counted_and_others_stay() {
    let place = Place::new("rows");
    let store = place.table("sealed_sessions");
    let living = place.runtime.block_on(fill(&store, 5));
    assert_eq!(place.sweep(&["--batch", "2"]).line(), "removed 5 expired records");
    assert_eq!(place.sweep(&[]).line(), "removed 0 expired records");
    assert!(place.runtime.block_on(store.load(&living)).unwrap().is_some());
    assert_eq!(place.runtime.block_on(store.sweep(usize::MAX)).unwrap(), 0);
}

#[test]
fn the_table_that_is_named_is_swept_and_no_other() {
    let place = Place::new("tables");
    let (ours, others) = (place.table("ours"), place.table("others"));
    place.runtime.block_on(async {
        fill(&ours, 2).await;
        fill(&others, 3).await;
    });
    assert_eq!(place.sweep(&["--table", "ours"]).line(), "removed 2 expired records");
    assert_eq!(place.runtime.block_on(others.sweep(usize::MAX)).unwrap(), 3);
}

#[test]
fn the_url_may_stand_in_a_file_or_on_standard_input() {
    let place = Place::new("url");
    let store = place.table("sealed_sessions");
    let file = KeyFile::new(format!("{}\n", place.url));
    for (path, input) in [(file.path(), ""), ("-", place.url.as_str())] {
        place.runtime.block_on(async {
            let _ = store.destroy(&sealed_session::store::RecordId::from_bytes([0; 16])).await;
            fill(&store, 1).await;
        });
        let outcome = run(["sweep", "--store", "sqlite", "--url-from-file", path], input);
        assert_eq!(outcome.line(), "removed 1 expired records");
    }
}

#[test]
fn a_table_that_is_missing_is_not_done_and_not_made() {
    let place = Place::new("missing");
    let store = place.table("sealed_sessions");
    for more in [&[][..], &["--every", "1h"]] {
        let outcome = place.sweep(&[&["--table", "other"], more].concat());
        outcome.assert_failed(1);
        assert!(outcome.error.contains("no such table: other"), "{}", outcome.error);
    }
    place.runtime.block_on(fill(&store, 1));
    assert_eq!(place.sweep(&[]).line(), "removed 1 expired records");
}

#[test]
fn a_file_that_is_missing_is_not_done_and_not_made() {
    let place = Place::new("no-file");
    place.sweep(&[]).assert_failed(1);
    assert_eq!(fs::read_dir(&place.folder).unwrap().count(), 0);
}

#[test]
fn what_is_no_tables_name_or_no_file_is_wrong_usage() {
    let place = Place::new("usage");
    place.table("sealed_sessions");
    let outcome = place.sweep(&["--table", "a b"]);
    outcome.assert_failed(2);
    assert!(outcome.error.contains("table"), "{}", outcome.error);
    let memory = start_with(&[("A", "sqlite::memory:")], ["sweep", "--store", "sqlite", "--url-from-env", "A"]);
    let outcome = end(memory);
    outcome.assert_failed(2);
    assert!(outcome.error.contains("the environment variable A: "), "{}", outcome.error);
}
