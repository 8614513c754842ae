//! Records in files, one each, below a directory of this machine.
//!
//! A record is never written in place: its new state is written beside it, brought to the disk and renamed over it, so that
//! whoever reads sees the old state or the new one, and so does whoever finds the directory after a crash. Writers take
//! turns by a lock of the operating system, which a process that dies gives back. See `shard` for the steps.

mod calls;
mod crash_points;
mod offload;
mod private_files;
mod record_file;
mod shard;

#[cfg(test)]
mod crash_tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::calls::Records;
use self::offload::Offload;
use super::pause::pause;
use super::{Created, Record, RecordStore, StoreFuture, Updated};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::StoreError;
use crate::id::RecordId;

/// Blocking work of a store, to be run once on a thread that may wait.
pub type BlockingCall = Box<dyn FnOnce() + Send>;

/// Server store in files of one machine: sessions survive a restart of the process and of the machine, and processes that
/// share the directory share its sessions.
///
/// Clones, and other stores on the same directory, in this process or another, see the same records and take turns to
/// write them.
///
/// # Files
///
/// The directory is made when it is missing, with mode 0700; the one above it must be there. Below it stand up to 256 directories (0700), each with its
/// records (0600), a file `lock`, and while a record is written a file `new`. A record's name is its id in hexadecimal
/// digits; nothing that a client sends becomes part of a path. The content is sealed. Nothing else may write or delete
/// there while a store is open, and the file system must be local: a network's file system may not keep locks.
///
/// A write is on the disk before it is answered (`fsync`), so that neither a killed process nor a power failure leaves a
/// half-written record or takes back a logout. On a full disk the write is an error, and the record stays as it was.
///
/// Expired records stay until they are swept: see [`Sweeper`](super::Sweeper).
///
/// On systems other than Unix files and directories get the permissions that their parent hands down, and a power failure
/// may take back the latest writes.
///
/// # Waiting
///
/// Reading and writing files blocks the thread. On a virtual machine with two cores, for a record of 8 kB: a load takes 5 µs
/// when the file is in the system's cache, and a write 10 ms, nearly all of it `fsync`. By default that happens on the thread
/// that polls the call, which needs no runtime, and with it every other task of that thread waits.
/// [`FileStoreBuilder::offload`] hands the calls to threads that may wait, for 10 µs more; a server on an async runtime should
/// use it. A sweep looks into every file, at 20 µs each.
///
/// ```
/// use sealed_session::store::{Created, FileStore};
/// use sealed_session::store::{Record, RecordId, RecordStore};
/// use sealed_session::Timestamp;
///
/// # let directory = std::env::temp_dir().join(format!("sealed-session-doc-store-{}", std::process::id()));
/// # pollster::block_on(async {
/// let store = FileStore::open(&directory)?;
/// let id = RecordId::from_bytes([7; 16]);
/// let record = Record::new(1, Timestamp::MAX, b"sealed".to_vec());
/// assert_eq!(store.create(&id, record.clone()).await?, Created::Created);
///
/// drop(store);
/// let store = FileStore::open(&directory)?;
/// assert_eq!(store.load(&id).await?, Some(record));
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), sealed_session::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct FileStore {
    records: Arc<Records>,
    offload: Option<Offload>,
}

impl FileStore {
    /// The store in this directory, on the system's clock, with its calls answered on the thread that polls them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the directory cannot be made or used, holds the records of another format, or may be written by
    /// other users.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::builder(directory).open()
    }

    /// A store with a thread pool, or on another clock.
    ///
    /// ```
    /// use sealed_session::store::FileStore;
    /// use sealed_session::testing::ManualClock;
    ///
    /// # let directory = std::env::temp_dir().join(format!("sealed-session-doc-builder-{}", std::process::id()));
    /// let clock = ManualClock::at_unix_seconds(1_795_000_000);
    /// let store = FileStore::builder(&directory).clock(clock).open()?;
    /// assert_eq!(store.directory(), directory);
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), sealed_session::store::StoreError>(())
    /// ```
    pub fn builder(directory: impl Into<PathBuf>) -> FileStoreBuilder {
        FileStoreBuilder {
            directory: directory.into(),
            clock: Arc::new(SystemClock),
            offload: None,
            create_directory: true,
        }
    }

    /// Where the records are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.records.directory()
    }

    /// Does the work where this store's work is done.
    fn call<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Records) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        let records = Arc::clone(&self.records);
        Box::pin(async move {
            match &self.offload {
                None => work(&records),
                Some(offload) => offload.run(move || work(&records)).await,
            }
        })
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("directory", &self.directory()).finish_non_exhaustive()
    }
}

/// Settings of a [`FileStore`]; from [`FileStore::builder`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `open`"]
pub struct FileStoreBuilder {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    offload: Option<Offload>,
    create_directory: bool,
}

impl FileStoreBuilder {
    /// The clock that decides which records exist.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Hands every call to this function, which runs it on a thread that may wait. A call that has begun is done to its
    /// end, even when the request that waits for it has gone.
    ///
    /// With tokio, `runtime` being its `Handle`: `.offload(move |call| drop(runtime.spawn_blocking(call)))`. (Not
    /// `tokio::task::spawn_blocking`, which a [`Sweeper`](super::Sweeper)'s thread cannot call.) The calls of
    /// [`session_now`](crate::PendingSession::session_now) and
    /// [`commit_now`](crate::PendingSession::commit_now) do not wait, and need a store without this.
    ///
    /// ```
    /// use sealed_session::store::{FileStore, RecordId, RecordStore};
    ///
    /// # let directory = std::env::temp_dir().join(format!("sealed-session-doc-offload-{}", std::process::id()));
    /// let store = FileStore::builder(&directory).offload(|call| drop(std::thread::spawn(call))).open()?;
    /// assert_eq!(pollster::block_on(store.load(&RecordId::from_bytes([7; 16])))?, None);
    /// # std::fs::remove_dir_all(&directory).unwrap();
    /// # Ok::<(), sealed_session::store::StoreError>(())
    /// ```
    pub fn offload(self, offload: impl Fn(BlockingCall) + Send + Sync + 'static) -> Self {
        Self { offload: Some(Offload::new(offload)), ..self }
    }

    /// Whether a directory that no store has made before is made, or taken if it is there; `true` by default.
    ///
    /// With `false` a start fails while the file system of the records is not mounted, in place of beginning anew without
    /// anybody's session.
    ///
    /// ```
    /// use sealed_session::store::FileStore;
    ///
    /// let directory = std::env::temp_dir().join("sealed-session-doc-never-made");
    /// assert!(FileStore::builder(&directory).create_directory(false).open().is_err());
    /// assert!(!directory.exists());
    /// ```
    pub fn create_directory(self, create_directory: bool) -> Self {
        Self { create_directory, ..self }
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// As [`FileStore::open`].
    pub fn open(self) -> Result<FileStore, StoreError> {
        let records = Arc::new(Records::open(self.directory, self.clock, self.create_directory)?);
        Ok(FileStore { records, offload: self.offload })
    }
}

impl fmt::Debug for FileStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStoreBuilder").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl RecordStore for FileStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        let id = *id;
        self.call(move |records| records.load(&id))
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        let id = *id;
        self.call(move |records| records.create(&id, &record))
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        let id = *id;
        self.call(move |records| records.update(&id, &record, expected_version))
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        let id = *id;
        self.call(move |records| records.touch(&id, expires_at))
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        let id = *id;
        self.call(move |records| records.destroy(&id))
    }

    /// Looks at every record until `limit` are removed, and lets other tasks run in between. A file that is not a record
    /// stays: nobody knows when it ends. What a writer left behind that died is removed, and not counted.
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let mut removed = 0_usize;
            for shard in 0..=u8::MAX {
                let left = limit.saturating_sub(removed);
                if left == 0 {
                    break;
                }
                let swept = self.call(move |records| records.sweep(shard, left)).await?;
                removed = removed.saturating_add(swept);
                pause().await;
            }
            Ok(removed)
        })
    }
}
