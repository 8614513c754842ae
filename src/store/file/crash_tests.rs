//! A process that is killed behind each step of each write leaves the old state or the new one.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use pollster::block_on;

use super::FileStore;
use super::crash_points::Step;
use crate::clock::Timestamp;
use crate::id::RecordId;
use crate::store::{Created, Record, RecordStore as _, Updated};

const DIRECTORY: &str = "SEALED_SESSION_TEST_DIRECTORY";
const CALL: &str = "SEALED_SESSION_TEST_CALL";
const STOP_BEHIND: &str = "SEALED_SESSION_TEST_STOP_BEHIND";
const STOPPED: &str = "stopped to be killed";

const ID: RecordId = RecordId::from_bytes([0xab; 16]);
const EXPIRES_AT: Timestamp = Timestamp::from_unix_seconds(4_000_000_000);

/// In the child process: says so and waits to be killed, when this is the step to stop behind.
pub(super) fn reached(step: Step) {
    if env::var(STOP_BEHIND).is_ok_and(|name| name == format!("{step:?}")) {
        // Not `println!`: the test harness would keep it to itself.
        let _ = writeln!(std::io::stdout(), "{STOPPED}");
        loop {
            thread::park();
        }
    }
}

fn old() -> Record {
    Record::new(1, EXPIRES_AT, vec![1; 5000])
}

fn new() -> Record {
    Record::new(2, EXPIRES_AT, vec![2; 9000])
}

fn touched() -> Record {
    Record::new(1, Timestamp::MAX, vec![1; 5000])
}

/// An empty directory of its own for each test.
fn directory(name: &str) -> PathBuf {
    let directory = env::temp_dir().join(format!("sealed-session-crash-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    directory
}

fn make(store: &FileStore, call: &str) {
    match call {
        "create" => assert_eq!(block_on(store.create(&ID, new())).unwrap(), Created::Created),
        "update" => assert_eq!(block_on(store.update(&ID, new(), 1)).unwrap(), Updated::Updated),
        "touch" => assert!(block_on(store.touch(&ID, Timestamp::MAX)).unwrap()),
        "destroy" => block_on(store.destroy(&ID)).unwrap(),
        other => panic!("{other} is no call"),
    }
}

#[test]
#[ignore = "the other tests run it, in a process that they kill"]
fn the_call_of_the_process_that_is_killed() {
    let store = FileStore::open(env::var_os(DIRECTORY).unwrap()).unwrap();
    make(&store, &env::var(CALL).unwrap());
}

/// Makes the call in a process of its own, and kills that behind the step.
fn kill_behind(directory: &Path, call: &str, step: Step) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads", "1"])
        .arg("store::file::crash_tests::the_call_of_the_process_that_is_killed")
        .env(DIRECTORY, directory)
        .env(CALL, call)
        .env(STOP_BEHIND, format!("{step:?}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let stopped = lines.map_while(Result::ok).any(|line| line.contains(STOPPED));
    // On Unix this is SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stopped, "`{call}` never came to {step:?}");
}

/// Kills the call behind each of the steps: the state is that of before up to `Renamed`, and that of after from then on.
fn assert_all_or_nothing(call: &str, steps: &[Step], before: Option<&Record>, after: Option<&Record>) {
    for step in steps {
        let directory = directory(&format!("{call}-{step:?}"));
        let store = FileStore::open(&directory).unwrap();
        if let Some(record) = before {
            assert_eq!(block_on(store.create(&ID, record.clone())).unwrap(), Created::Created);
        }
        kill_behind(&directory, call, *step);

        let is_done = matches!(step, Step::Renamed | Step::Unlinked | Step::DirectorySynced);
        let expected = if is_done { after } else { before };
        let found = block_on(store.load(&ID)).unwrap();
        assert!(found.as_ref() == expected, "killed behind {step:?}: {found:?}");
        assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 0);
        let names = names(&directory.join("ab"));
        assert!(names.iter().all(|name| name == "lock" || *name == ID.to_hex()), "behind {step:?}: {names:?}");

        if !is_done {
            make(&store, call);
            assert!(block_on(store.load(&ID)).unwrap().as_ref() == after, "after {step:?} nobody could write");
        }
        fs::remove_dir_all(&directory).unwrap();
    }
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// In their order.
const STEPS_OF_A_WRITE: [Step; 8] = [
    Step::Locked,
    Step::Compared,
    Step::FileCreated,
    Step::HeadWritten,
    Step::BytesWritten,
    Step::Synced,
    Step::Renamed,
    Step::DirectorySynced,
];

#[test]
fn a_create_that_is_killed_leaves_nothing_or_the_record() {
    assert_all_or_nothing("create", &STEPS_OF_A_WRITE, None, Some(&new()));
}

#[test]
fn an_update_that_is_killed_leaves_the_old_record_or_the_new() {
    assert_all_or_nothing("update", &STEPS_OF_A_WRITE, Some(&old()), Some(&new()));
}

#[test]
fn a_touch_that_is_killed_leaves_the_old_expiry_or_the_new() {
    assert_all_or_nothing("touch", &STEPS_OF_A_WRITE, Some(&old()), Some(&touched()));
}

#[test]
fn a_destroy_that_is_killed_leaves_the_record_or_nothing() {
    assert_all_or_nothing("destroy", &[Step::Locked, Step::Unlinked, Step::DirectorySynced], Some(&old()), None);
}

#[test]
fn what_a_killed_writer_left_hinders_no_writer_and_is_replaced() {
    let directory = directory("left");
    let store = FileStore::open(&directory).unwrap();
    kill_behind(&directory, "create", Step::BytesWritten);
    assert!(names(&directory.join("ab")).contains(&"new".to_owned()));
    make(&store, "create");
    assert_eq!(block_on(store.load(&ID)).unwrap(), Some(new()));
    assert!(!names(&directory.join("ab")).contains(&"new".to_owned()));
    fs::remove_dir_all(&directory).unwrap();
}
