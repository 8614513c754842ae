//! Processes that share a directory take turns.

use std::process::{Command, Stdio};

use pollster::block_on;
use sealed_session::Timestamp;
use sealed_session::store::{Created, FileStore, Record, RecordStore as _};
use sealed_session_file_tests::{ID, Scratch};

const PROCESSES: u64 = 4;
const INCREMENTS: u64 = 1000;

#[test]
fn increments_of_several_processes_lose_nothing() {
    let scratch = Scratch::new("processes");
    let records = scratch.path().join("records");
    let store = FileStore::open(&records).unwrap();
    let zero = Record::new(0, Timestamp::MAX, 0_u64.to_be_bytes().to_vec());
    assert_eq!(block_on(store.create(&ID, zero)).unwrap(), Created::Created);

    let start = |_| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.arg("increment").arg(&records).arg(INCREMENTS.to_string()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let processes: Vec<_> = (0..PROCESSES).map(start).collect();
    let outputs = processes.into_iter().map(|process| process.wait_with_output().unwrap());
    let conflicts: u64 =
        outputs.map(|output| String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap()).sum();

    let last = block_on(store.load(&ID)).unwrap().unwrap();
    let total = PROCESSES * INCREMENTS;
    assert_eq!((last.version, last.bytes), (total, total.to_be_bytes().to_vec()));
    // Otherwise they wrote one after the other, and nothing was shown.
    assert!(conflicts > 0, "the processes never met");
}
