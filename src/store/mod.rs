//! The contract of a server store, and the stores, each a leaf behind a feature of its own.
//!
//! A store keeps opaque bytes by record id, with a version and an expiry. What it holds is sealed: it can neither read
//! a session nor make one.

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "memory")]
mod memory;
#[cfg(any(feature = "file", feature = "memory"))]
mod pause;
mod sweeper;

#[cfg(feature = "file")]
pub use file::{BlockingCall, FileStore, FileStoreBuilder};
#[cfg(feature = "memory")]
pub use memory::{MemoryStore, MemoryStoreBuilder};
pub use sweeper::{Sweeper, SweeperHandle};

pub use crate::error::StoreError;
pub use crate::id::RecordId;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::clock::Timestamp;

/// What a store's calls return: a boxed future, so that the trait can be used as `dyn RecordStore`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A sealed session in a server store.
///
/// ```
/// use sealed_session::store::Record;
/// use sealed_session::Timestamp;
///
/// let record = Record::new(1, Timestamp::from_unix_seconds(1_795_000_060), b"sealed".to_vec());
/// assert_eq!(
///     format!("{record:?}"),
///     "Record { version: 1, expires_at: Timestamp(1795000060), bytes: 6 bytes }"
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Grows with every write; stores compare it, and never choose it.
    pub version: u64,
    /// From this instant on the record does not exist.
    pub expires_at: Timestamp,
    /// Sealed bytes, of any value.
    pub bytes: Vec<u8>,
}

impl Record {
    /// A record as a store hands it out or takes it.
    #[must_use]
    pub fn new(version: u64, expires_at: Timestamp, bytes: Vec<u8>) -> Self {
        Self { version, expires_at, bytes }
    }
}

impl std::fmt::Debug for Record {
    /// Without the bytes: they are sealed, and they are long.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("version", &self.version)
            .field("expires_at", &self.expires_at)
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .finish()
    }
}

/// Answer to [`RecordStore::create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a record that exists was not replaced"]
pub enum Created {
    /// The record was written.
    Created,
    /// A record of this id exists; nothing was written.
    Exists,
}

/// Answer to [`RecordStore::update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a conflict and a missing record were not written"]
pub enum Updated {
    /// The record was replaced.
    Updated,
    /// The record has another version than expected; nothing was written.
    Conflict,
    /// There is no such record, or it has expired; nothing was written.
    Missing,
}

/// A server store: opaque bytes by record id, version and expiry.
///
/// Every call is atomic, and calls on one id happen one after the other. From the second of its expiry on a record does
/// not exist for any call, whether or not the engine has removed it; one that is written with an expiry in the past is
/// written and never seen. Implementations keep `version`, `expires_at` and `bytes` as given, of any value, and change
/// none of them on their own; versions are compared for equality alone.
///
/// A store of your own implements these six calls:
///
/// ```
/// use std::collections::HashMap;
/// use std::future::ready;
/// use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
///
/// use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreFuture, Updated};
/// use sealed_session::testing::ManualClock;
/// use sealed_session::{Clock, Timestamp};
///
/// struct MapStore {
///     records: Mutex<HashMap<RecordId, Record>>,
///     clock: Arc<dyn Clock>,
/// }
///
/// impl MapStore {
///     /// The map, without this record if it has expired.
///     fn records(&self, id: &RecordId) -> MutexGuard<'_, HashMap<RecordId, Record>> {
///         let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
///         if records.get(id).is_some_and(|record| record.expires_at <= self.clock.now()) {
///             records.remove(id);
///         }
///         records
///     }
/// }
///
/// impl RecordStore for MapStore {
///     fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
///         Box::pin(async move { Ok(self.records(id).get(id).cloned()) })
///     }
///
///     fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
///         Box::pin(async move {
///             let mut records = self.records(id);
///             if records.contains_key(id) {
///                 return Ok(Created::Exists);
///             }
///             records.insert(*id, record);
///             Ok(Created::Created)
///         })
///     }
///
///     fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
///         Box::pin(async move {
///             Ok(match self.records(id).get_mut(id) {
///                 None => Updated::Missing,
///                 Some(current) if current.version != expected_version => Updated::Conflict,
///                 Some(current) => {
///                     *current = record;
///                     Updated::Updated
///                 }
///             })
///         })
///     }
///
///     fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
///         Box::pin(async move {
///             let mut records = self.records(id);
///             let Some(current) = records.get_mut(id) else { return Ok(false) };
///             current.expires_at = current.expires_at.max(expires_at);
///             Ok(true)
///         })
///     }
///
///     fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
///         Box::pin(async move {
///             self.records(id).remove(id);
///             Ok(())
///         })
///     }
///
///     fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
///         Box::pin(async move {
///             let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
///             let now = self.clock.now();
///             let expired = records.iter().filter(|(_, record)| record.expires_at <= now);
///             let expired: Vec<RecordId> = expired.map(|(id, _)| *id).take(limit).collect();
///             for id in &expired {
///                 records.remove(id);
///             }
///             Ok(expired.len())
///         })
///     }
/// }
///
/// # pollster::block_on(async {
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// let store = MapStore { records: Mutex::default(), clock: Arc::new(clock.clone()) };
/// let id = RecordId::from_bytes([7; 16]);
/// let record = Record::new(1, clock.now().saturating_add_seconds(60), b"sealed".to_vec());
/// assert_eq!(store.create(&id, record.clone()).await?, Created::Created);
/// assert_eq!(store.create(&id, record).await?, Created::Exists);
/// # Ok::<(), sealed_session::store::StoreError>(())
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// Every call returns [`StoreError`] when the engine does not answer, or cannot hold the record; a missing record, a
/// taken id and a version that moved on are answers.
pub trait RecordStore: Send + Sync + 'static {
    /// The record, `None` when absent or past its expiry. Reads what was last written, from the primary.
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>>;

    /// Writes a record that does not exist yet; an expired one does not exist.
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created>;

    /// Replaces the record only while it has `expected_version`, bytes, version and expiry together; the expiry may be
    /// earlier than before. Never brings back what was destroyed.
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated>;

    /// Moves the expiry of an existing record, later only, and leaves its version and bytes; an earlier expiry changes
    /// nothing. `true` when the record exists, moved or not.
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool>;

    /// Removes the record; removing one that does not exist is no error.
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()>;

    /// Whether calls are answered within this process, so that a time limit for them has no use; `false` unless the store
    /// says otherwise.
    fn is_local(&self) -> bool {
        false
    }

    /// Removes up to `limit` expired records and returns how many; `0` where the engine removes them by itself.
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize>;
}

impl<S: RecordStore + ?Sized> RecordStore for Arc<S> {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        (**self).load(id)
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        (**self).create(id, record)
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        (**self).update(id, record, expected_version)
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        (**self).touch(id, expires_at)
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        (**self).destroy(id)
    }

    fn is_local(&self) -> bool {
        (**self).is_local()
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        (**self).sweep(limit)
    }
}
