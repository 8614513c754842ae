//! The file store's own rules: what stands in its directory, what it makes of damage, and on which thread it waits.
#![expect(clippy::unwrap_used, reason = "a rule fails loudly; clippy knows test functions, but not what they call")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;

use pollster::block_on;
use sealed_session::Clock;
use sealed_session::store::conformance::support::{after, create, fresh_id, record};
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::store::{BlockingCall, FileStore, RecordId, RecordStore, StoreError, Updated};
use sealed_session::testing::ManualClock;

use crate::alternating::Alternating;

/// An empty directory, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn below(parent: impl AsRef<Path>) -> Self {
        let path = parent.as_ref().join(format!("sealed-session-file-store-{}", fresh_id().to_hex()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn on_disk() -> Self {
        Self::below(env!("CARGO_TARGET_TMPDIR"))
    }

    /// Where `fsync` costs nothing, if there is such a place.
    fn in_memory() -> Self {
        let shared_memory = Path::new("/dev/shm");
        if shared_memory.is_dir() { Self::below(shared_memory) } else { Self::on_disk() }
    }

    /// The directory that the store makes.
    fn records(&self) -> PathBuf {
        self.0.join("records")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(START_UNIX_SECONDS)
}

fn store_in(scratch: &Scratch, clock: &ManualClock) -> FileStore {
    FileStore::builder(scratch.records()).clock(clock.clone()).open().unwrap()
}

pub(crate) fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let (scratch, clock) = (Scratch::in_memory(), clock());
    rule(&store_in(&scratch, &clock), &clock, &Runner::new(|work| block_on(work)));
}

/// Each write waits for the disk, as in production.
pub(crate) fn with_store_on_disk(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let (scratch, clock) = (Scratch::on_disk(), clock());
    rule(&store_in(&scratch, &clock), &clock, &Runner::new(|work| block_on(work)).effort_divisor(100));
}

/// Two stores that know nothing of each other, and calls that are answered on other threads.
pub(crate) fn with_stores_that_share_a_directory(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let (scratch, clock) = (Scratch::in_memory(), clock());
    let open = || FileStore::builder(scratch.records()).clock(clock.clone()).offload(in_a_thread).open().unwrap();
    // A sweep is 256 calls, and each call starts a thread.
    let runner = Runner::new(|work| block_on(work)).effort_divisor(10);
    rule(&Alternating::between(open(), open()), &clock, &runner);
}

fn in_a_thread(call: BlockingCall) {
    drop(thread::spawn(call));
}

/// Every file and directory below, with its path from there.
fn entries(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path.clone());
            }
            found.push((path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned(), path));
        }
    }
    found
}

fn file_of(scratch: &Scratch, id: &RecordId) -> PathBuf {
    let hex = id.to_hex();
    scratch.records().join(&hex[..2]).join(hex)
}

#[test]
fn records_survive_a_restart() {
    let (scratch, clock, id) = (Scratch::on_disk(), clock(), fresh_id());
    let given = record(&clock, 7, 60);
    block_on(create(&store_in(&scratch, &clock), &id, &given));
    assert_eq!(block_on(store_in(&scratch, &clock).load(&id)).unwrap(), Some(given));
}

#[test]
fn a_record_is_named_by_its_id_alone_and_no_id_leads_out_of_the_directory() {
    let (scratch, clock) = (Scratch::in_memory(), clock());
    let store = store_in(&scratch, &clock);
    for bytes in [*b"../../../../../x", *b"/etc/passwd\0\0\0\0\0", [0; 16], [0xff; 16], *b"lock\0new\0......."] {
        let id = RecordId::from_bytes(bytes);
        block_on(create(&store, &id, &record(&clock, 1, 60)));
        assert!(file_of(&scratch, &id).is_file());
    }
    let mut names: Vec<_> = entries(&scratch.0).into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "records",
            "records/00",
            "records/00/00000000000000000000000000000000",
            "records/00/lock",
            "records/2e",
            "records/2e/2e2e2f2e2e2f2e2e2f2e2e2f2e2e2f78",
            "records/2e/lock",
            "records/2f",
            "records/2f/2f6574632f7061737377640000000000",
            "records/2f/lock",
            "records/6c",
            "records/6c/6c6f636b006e6577002e2e2e2e2e2e2e",
            "records/6c/lock",
            "records/ff",
            "records/ff/ffffffffffffffffffffffffffffffff",
            "records/ff/lock",
            "records/sealed-session-records-1",
        ]
    );
}

#[cfg(unix)]
mod permissions {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn files_and_directories_are_their_owners_alone() {
        let (scratch, clock, id) = (Scratch::on_disk(), clock(), fresh_id());
        let store = store_in(&scratch, &clock);
        block_on(create(&store, &id, &record(&clock, 1, 60)));
        assert_eq!(block_on(store.update(&id, record(&clock, 2, 60), 1)).unwrap(), Updated::Updated);
        assert!(block_on(store.touch(&id, after(&clock, 90))).unwrap());
        assert_eq!(mode(&scratch.records()), 0o700);
        let entries = entries(&scratch.records());
        assert_eq!(entries.len(), 4, "{entries:?}");
        for (name, path) in entries {
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{name}");
        }
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused_with_the_mend() {
        let scratch = Scratch::on_disk();
        fs::create_dir(scratch.records()).unwrap();
        for lax in [0o770, 0o707, 0o702, 0o720, 0o1777] {
            fs::set_permissions(scratch.records(), fs::Permissions::from_mode(lax)).unwrap();
            let error = FileStore::open(scratch.records()).unwrap_err().to_string();
            assert!(error.contains("may be written by other users") && error.contains("chmod 700"), "{error}");
            assert_eq!(entries(&scratch.records()), []);
        }
        for strict in [0o700, 0o755, 0o750] {
            fs::set_permissions(scratch.records(), fs::Permissions::from_mode(strict)).unwrap();
            assert!(FileStore::open(scratch.records()).is_ok());
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_new_file_is_not_followed() {
        let (scratch, clock, id) = (Scratch::on_disk(), clock(), fresh_id());
        let (store, target) = (store_in(&scratch, &clock), scratch.0.join("target"));
        fs::write(&target, "untouched").unwrap();
        block_on(create(&store, &id, &record(&clock, 1, 60)));
        symlink(&target, file_of(&scratch, &id).with_file_name("new")).unwrap();
        assert_eq!(block_on(store.update(&id, record(&clock, 2, 60), 1)).unwrap(), Updated::Updated);
        assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
        assert_eq!(block_on(store.load(&id)).unwrap(), Some(record(&clock, 2, 60)));
    }
}

#[test]
fn a_file_that_is_not_whole_is_an_error_for_every_call_but_destroy() {
    let (scratch, clock, id) = (Scratch::in_memory(), clock(), fresh_id());
    let store = store_in(&scratch, &clock);
    let (given, path) = (record(&clock, 1, 60), file_of(&scratch, &id));
    block_on(create(&store, &id, &given));
    let whole = fs::read(&path).unwrap();

    let shortened = (0..whole.len()).map(|length| whole[..length].to_vec());
    let longer = [whole.as_slice(), b"x"].concat();
    let other_format = [b"SSR\x02", &whole[4..]].concat();
    let late_expiry = [&whole[..12], &[0xff; 8], &whole[20..]].concat();
    let endless = [&whole[..20], &[0xff; 8], &whole[28..]].concat();
    for damaged in shortened.chain([longer, other_format, late_expiry, endless]) {
        fs::write(&path, damaged).unwrap();
        let answers = [
            block_on(store.load(&id)).map(drop),
            block_on(store.create(&id, given.clone())).map(drop),
            block_on(store.update(&id, given.clone(), 1)).map(drop),
            block_on(store.touch(&id, after(&clock, 90))).map(drop),
        ];
        for answer in answers {
            let Err(StoreError::Corrupt { store: "file", problem }) = answer else { panic!("{answer:?}") };
            assert!(!problem.contains(&id.to_hex()), "an id belongs in no log: {problem}");
        }
    }
    block_on(store.destroy(&id)).unwrap();
    assert_eq!(block_on(store.load(&id)).unwrap(), None);
}

#[test]
fn a_sweep_goes_on_behind_a_damaged_file_and_leaves_it() {
    let (scratch, clock) = (Scratch::in_memory(), clock());
    let store = store_in(&scratch, &clock);
    let [damaged, beside] = [[0xab; 16], [0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]];
    let (damaged, beside) = (RecordId::from_bytes(damaged), RecordId::from_bytes(beside));
    for id in [&damaged, &beside] {
        block_on(create(&store, id, &record(&clock, 1, 60)));
    }
    fs::write(file_of(&scratch, &damaged), "x").unwrap();
    clock.advance_seconds(60);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 1);
    assert!(file_of(&scratch, &damaged).exists() && !file_of(&scratch, &beside).exists());
}

#[test]
fn a_sweep_removes_exactly_what_has_expired_up_to_its_limit() {
    let (scratch, clock) = (Scratch::in_memory(), clock());
    let store = store_in(&scratch, &clock);
    for seconds in [60, 60, 60, 60, 60, 60, 60, 61, 61] {
        block_on(create(&store, &fresh_id(), &record(&clock, 1, seconds)));
    }
    let records = || entries(&scratch.records()).iter().filter(|(name, _)| name.len() == 35).count();
    assert_eq!((block_on(store.sweep(usize::MAX)).unwrap(), records()), (0, 9));
    clock.advance_seconds(60);
    assert_eq!((block_on(store.sweep(0)).unwrap(), records()), (0, 9));
    assert_eq!((block_on(store.sweep(5)).unwrap(), records()), (5, 4));
    assert_eq!((block_on(store.sweep(5)).unwrap(), records()), (2, 2));
    assert_eq!((block_on(store.sweep(5)).unwrap(), records()), (0, 2));
}

#[test]
fn a_sweep_leaves_what_is_not_the_stores() {
    let (scratch, clock, id) = (Scratch::in_memory(), clock(), fresh_id());
    let store = store_in(&scratch, &clock);
    block_on(create(&store, &id, &record(&clock, 1, 60)));
    let whole = fs::read(file_of(&scratch, &id)).unwrap();
    let foreign = ["notes", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB", "abcdefabcdefabcdefabcdefabcdefa", "abcdef.backup"]
        .map(|name| file_of(&scratch, &id).with_file_name(name));
    for path in &foreign {
        fs::write(path, &whole).unwrap();
    }
    clock.advance_seconds(60);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 1);
    assert!(foreign.iter().all(|path| path.exists()));
}

#[test]
fn a_directory_that_is_gone_is_an_outage_and_nobodys_logout() {
    let (scratch, clock) = (Scratch::on_disk(), clock());
    let (known, unknown) = (fresh_id(), RecordId::from_bytes([1; 16]));
    let store = store_in(&scratch, &clock);
    block_on(create(&store, &known, &record(&clock, 1, 60)));
    // As when its file system is no longer mounted: an empty directory in its place.
    fs::rename(scratch.records(), scratch.0.join("elsewhere")).unwrap();
    fs::create_dir(scratch.records()).unwrap();
    for id in [&known, &unknown] {
        let answers = [
            block_on(store.load(id)).map(drop),
            block_on(store.create(id, record(&clock, 1, 60))).map(drop),
            block_on(store.update(id, record(&clock, 2, 60), 1)).map(drop),
            block_on(store.touch(id, after(&clock, 90))).map(drop),
            block_on(store.destroy(id)),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::Unavailable { store: "file", .. })), "{answer:?}");
        }
    }
    assert_eq!(entries(&scratch.records()), [], "nothing may be written into what is not the store's");
    fs::remove_dir(scratch.records()).unwrap();
    fs::rename(scratch.0.join("elsewhere"), scratch.records()).unwrap();
    assert_eq!(block_on(store.load(&known)).unwrap(), Some(record(&clock, 1, 60)));
}

#[test]
fn a_directory_that_is_not_to_be_made_must_be_a_stores() {
    let scratch = Scratch::on_disk();
    let open = || FileStore::builder(scratch.records()).create_directory(false).open();
    assert!(matches!(open(), Err(StoreError::Unavailable { .. })));
    assert!(!scratch.records().exists());
    fs::create_dir(scratch.records()).unwrap();
    assert!(matches!(open(), Err(StoreError::Unavailable { .. })));
    assert_eq!(entries(&scratch.records()), []);
    drop(store_in(&scratch, &clock()));
    assert!(open().is_ok());
}

#[test]
fn what_is_no_directory_and_one_without_a_parent_are_refused_with_their_path() {
    let scratch = Scratch::on_disk();
    fs::write(scratch.records(), "a file").unwrap();
    for path in [scratch.records(), scratch.0.join("missing/records")] {
        let error = FileStore::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_writer_waits_for_its_turn_and_a_reader_does_not() {
    let (scratch, clock, id) = (Scratch::on_disk(), clock(), fresh_id());
    let (store, given) = (store_in(&scratch, &clock), record(&clock, 1, 60));
    block_on(create(&store, &id, &given));
    let lock = fs::File::open(file_of(&scratch, &id).with_file_name("lock")).unwrap();
    lock.lock().unwrap();
    let (answer, answered) = mpsc::channel();
    let writer = {
        let (store, clock) = (store.clone(), clock.clone());
        thread::spawn(move || answer.send(block_on(store.update(&id, record(&clock, 2, 60), 1)).unwrap()))
    };
    for _ in 0..100 {
        assert_eq!(block_on(store.load(&id)).unwrap().as_ref(), Some(&given));
    }
    assert!(answered.try_recv().is_err(), "it did not wait");
    lock.unlock().unwrap();
    assert_eq!(answered.recv().unwrap(), Updated::Updated);
    writer.join().unwrap().unwrap();
}

#[test]
fn a_call_that_is_offloaded_is_done_on_another_thread() {
    let (scratch, clock, id) = (Scratch::in_memory(), clock(), fresh_id());
    let (ran_on, threads) = mpsc::channel();
    let offload = move |call: BlockingCall| {
        let ran_on = ran_on.clone();
        drop(thread::spawn(move || {
            ran_on.send(thread::current().id()).unwrap();
            call();
        }));
    };
    let store = FileStore::builder(scratch.records()).clock(clock.clone()).offload(offload).open().unwrap();
    block_on(create(&store, &id, &record(&clock, 1, 60)));
    assert_eq!(block_on(store.load(&id)).unwrap(), Some(record(&clock, 1, 60)));
    let threads: Vec<_> = threads.try_iter().collect();
    assert_eq!(threads.len(), 2);
    assert!(!threads.contains(&thread::current().id()));
}

#[test]
fn a_call_that_its_threads_drop_or_panic_in_is_an_error_and_does_not_hang() {
    struct PanickingClock(ManualClock);
    impl Clock for PanickingClock {
        fn unix_milliseconds(&self) -> u64 {
            assert!(self.0.unix_milliseconds() > 0, "as a test asks");
            self.0.unix_milliseconds()
        }
    }
    let (scratch, clock) = (Scratch::in_memory(), clock());
    let dropping = FileStore::builder(scratch.records()).offload(drop).open().unwrap();
    let panicking = FileStore::builder(scratch.records()).clock(PanickingClock(clock.clone())).offload(in_a_thread);
    let (panicking, id) = (panicking.open().unwrap(), fresh_id());
    block_on(create(&panicking, &id, &record(&clock, 1, 60)));
    clock.set_unix_seconds(0);
    for store in [dropping, panicking] {
        let error = block_on(store.load(&id)).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { store: "file", .. }), "{error:?}");
        assert!(error.to_string().contains("dropped before it was answered"), "{error}");
    }
}

#[test]
fn a_call_that_has_begun_is_done_though_its_caller_is_gone() {
    let (scratch, clock, id) = (Scratch::in_memory(), clock(), fresh_id());
    let (handed_over, calls) = mpsc::channel::<BlockingCall>();
    let offload = move |call| handed_over.send(call).unwrap();
    let store = FileStore::builder(scratch.records()).clock(clock.clone()).offload(offload).open().unwrap();
    {
        let mut writing = store.create(&id, record(&clock, 1, 60));
        let mut context = Context::from_waker(Waker::noop());
        assert!(writing.as_mut().poll(&mut context).is_pending());
    }
    calls.recv().unwrap()();
    assert_eq!(block_on(store_in(&scratch, &clock).load(&id)).unwrap(), Some(record(&clock, 1, 60)));
}

#[test]
fn debug_shows_the_directory_alone() {
    let scratch = Scratch::in_memory();
    let builder = FileStore::builder(scratch.records());
    let directory = format!("{:?}", scratch.records());
    assert_eq!(format!("{builder:?}"), format!("FileStoreBuilder {{ directory: {directory}, .. }}"));
    assert_eq!(format!("{:?}", builder.open().unwrap()), format!("FileStore {{ directory: {directory}, .. }}"));
}
