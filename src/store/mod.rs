//! The contract of a server store, and the stores, each a leaf behind a feature of its own.
//!
//! A store keeps opaque bytes by record id, with a version and an expiry. What it holds is sealed: it can neither read
//! a session nor make one.

#[cfg(feature = "memory")]
mod memory;

#[cfg(feature = "memory")]
pub use memory::{MemoryStore, MemoryStoreBuilder};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::RecordId;

/// What a store's calls return: a boxed future, so that the trait can be used as `dyn RecordStore`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A sealed session in a server store.
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
/// Every call is atomic. A record past its expiry does not exist for any call. Implementations keep `id`, `version`
/// and `expires_at` beside the bytes and change none of them on their own.
///
/// # Errors
///
/// Every call returns [`StoreError`] when the engine does not answer; a missing record, a taken id and a version that
/// moved on are answers.
pub trait RecordStore: Send + Sync + 'static {
    /// The record, `None` when absent or past its expiry. Reads what was last written, from the primary.
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>>;

    /// Writes a record that does not exist yet.
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created>;

    /// Replaces the record only while it has `expected_version`, bytes, version and expiry together; the expiry may be
    /// earlier than before. Never brings back what was destroyed.
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated>;

    /// Moves the expiry of an existing record, later only; an earlier one changes nothing. `false` when there is none.
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool>;

    /// Removes the record; removing one that does not exist is no error.
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()>;

    /// Removes up to `limit` expired records and returns how many, where the engine does not do so by itself.
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

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        (**self).sweep(limit)
    }
}
