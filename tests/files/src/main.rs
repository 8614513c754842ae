//! `worker COMMAND DIRECTORY [COUNT]`: a process that a test starts, and may kill.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the test that started it sees its exit status")]
#![expect(clippy::print_stdout, reason = "what it prints is read by that test")]

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use pollster::block_on;
use sealed_session::Timestamp;
use sealed_session::store::{Created, FileStore, Record, RecordId, RecordStore as _, Updated};
use sealed_session_file_tests::{ID, consistent};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", directory] => write(directory.as_ref()),
        ["increment", directory, count] => increment(directory.as_ref(), count.parse().unwrap()),
        ["full-disk", directory] => full_disk(directory.as_ref()),
        other => panic!("{other:?} is not known"),
    }
}

/// Updates the record without end, and tells each version that the store has taken.
fn write(directory: &Path) {
    let store = FileStore::open(directory).unwrap();
    let mut version = block_on(store.load(&ID)).unwrap().unwrap().version;
    let mut output = std::io::stdout().lock();
    loop {
        assert_eq!(block_on(store.update(&ID, consistent(version + 1), version)).unwrap(), Updated::Updated);
        version += 1;
        writeln!(output, "{version}").unwrap();
        output.flush().unwrap();
    }
}

/// Counts the record up so often, and tells how often another process was faster.
fn increment(directory: &Path, count: u64) {
    let store = FileStore::open(directory).unwrap();
    let (mut done, mut conflicts) = (0, 0);
    while done < count {
        let current = block_on(store.load(&ID)).unwrap().unwrap();
        let number = u64::from_be_bytes(current.bytes.try_into().unwrap()) + 1;
        let next = Record::new(current.version + 1, Timestamp::MAX, number.to_be_bytes().to_vec());
        match block_on(store.update(&ID, next, current.version)).unwrap() {
            Updated::Updated => done += 1,
            Updated::Conflict => conflicts += 1,
            Updated::Missing => panic!("the record was there, and nothing removes it"),
        }
    }
    println!("{conflicts}");
}

/// What each call does on a small file system when it is full, and when it has room again.
fn full_disk(directory: &Path) {
    let records = directory.join("records");
    let store = FileStore::open(&records).unwrap();
    let other = RecordId::from_bytes([0xcd; 16]);
    let [old, new] = [1, 3].map(consistent);
    assert_eq!(block_on(store.create(&ID, old.clone())).unwrap(), Created::Created);

    let filler = directory.join("filler");
    fill(&filler);
    let refused = [
        block_on(store.update(&ID, new.clone(), 1)).map(drop),
        block_on(store.create(&other, new.clone())).map(drop),
        block_on(store.update(&ID, new.clone(), 1)).map(drop),
    ];
    for answer in refused {
        let error = answer.unwrap_err().to_string();
        assert!(error.contains(&ErrorKind::StorageFull.to_string()) || error.contains("No space left"), "{error}");
        assert_eq!(block_on(store.load(&ID)).unwrap(), Some(old.clone()), "the old state is gone");
        assert_eq!(block_on(store.load(&other)).unwrap(), None);
        assert!(!records.join("ab/new").exists(), "half a record keeps its room");
    }
    // To log out needs no room.
    block_on(store.destroy(&ID)).unwrap();
    assert_eq!(block_on(store.load(&ID)).unwrap(), None);

    std::fs::remove_file(&filler).unwrap();
    assert_eq!(block_on(store.create(&other, old)).unwrap(), Created::Created);
    assert_eq!(block_on(store.update(&other, new.clone(), 1)).unwrap(), Updated::Updated);
    assert_eq!(block_on(store.load(&other)).unwrap(), Some(new));
    println!("a full disk changed nothing");
}

/// Writes until there is no room left. Refuses to fill what is not the small file system of the test.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for _ in 0..4096 {
        if let Err(error) = file.write_all(&[0; 1024]) {
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            return;
        }
    }
    panic!("more than 4 MiB went in: this is not the small file system");
}
