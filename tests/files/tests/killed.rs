//! A process that is killed at any moment leaves the state that it was told of, or the next.
#![expect(clippy::unwrap_used, reason = "a test fails loudly; clippy knows test functions, but not what they call")]

use std::hint;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use pollster::block_on;
use sealed_session::store::{Created, FileStore, RecordStore as _};
use sealed_session_file_tests::{ID, Scratch, consistent, random_below};

const KILLS: usize = 300;

#[test]
fn a_killed_writer_loses_nothing_that_was_acknowledged_and_leaves_no_half_record() {
    let scratch = Scratch::new("killed");
    let records = scratch.path().join("records");
    let store = FileStore::open(&records).unwrap();
    assert_eq!(block_on(store.create(&ID, consistent(0))).unwrap(), Created::Created);

    let mut interrupted = 0;
    for _ in 0..KILLS {
        let acknowledged = write_until_killed(&records);
        let found = block_on(store.load(&ID)).unwrap().unwrap();
        assert!(found == consistent(found.version), "neither the old state nor the new: {found:?}");
        if let Some(acknowledged) = acknowledged {
            let next = acknowledged + 1;
            assert!([acknowledged, next].contains(&found.version), "{} after {acknowledged}", found.version);
        }
        interrupted += usize::from(records.join("ab/new").exists());
    }
    // Otherwise no kill came in the midst of a write, and nothing was shown.
    assert!(interrupted > 0, "of {KILLS} kills none came in the midst of a write");
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 0);
    assert!(!records.join("ab/new").exists(), "what a killed writer leaves is not swept");
}

/// The last version that a process was told to be written, before it was killed at a random moment.
fn write_until_killed(records: &Path) -> Option<u64> {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_worker")).arg("write").arg(records).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap().parse().unwrap());
    let told = lines.by_ref().take(1 + usize::try_from(random_below(20)).unwrap()).last();
    for _ in 0..random_below(100_000) {
        hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had told before it was killed stands in the pipe.
    lines.last().or(told)
}
