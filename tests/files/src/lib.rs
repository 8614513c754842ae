//! What the tests and the processes that they start agree on.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

use sealed_session::Timestamp;
use sealed_session::store::{Record, RecordId};

/// The record that everybody writes.
pub const ID: RecordId = RecordId::from_bytes([0xab; 16]);

/// A record whose version and bytes tell of each other; the larger ones take some time to write.
#[must_use]
pub fn consistent(version: u64) -> Record {
    let length = if version.is_multiple_of(2) { 100 } else { 200_000 };
    let [.., lowest] = version.to_be_bytes();
    Record::new(version, Timestamp::MAX, vec![lowest; length])
}

/// A number below this one, another each time.
#[must_use]
pub fn random_below(end: u64) -> u64 {
    RandomState::new().hash_one(0) % end
}

/// An empty directory, removed at the end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// In memory where that is possible, so that `fsync` costs nothing; otherwise among the temporary files.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let shared_memory = Path::new("/dev/shm");
        let parent = if shared_memory.is_dir() { shared_memory.to_owned() } else { std::env::temp_dir() };
        let path = parent.join(format!("sealed-session-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
