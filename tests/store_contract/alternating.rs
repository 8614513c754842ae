//! Two stores over the same records, that are asked in turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreFuture, Updated};

/// Every call goes to the other store than the call before.
pub(crate) struct Alternating<S> {
    stores: [S; 2],
    next: AtomicUsize,
}

impl<S> Alternating<S> {
    pub(crate) fn between(first: S, second: S) -> Self {
        Self { stores: [first, second], next: AtomicUsize::new(0) }
    }

    fn next(&self) -> &S {
        let [first, second] = &self.stores;
        let is_even = self.next.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if is_even { first } else { second }
    }
}

impl<S: RecordStore> RecordStore for Alternating<S> {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.next().load(id)
    }
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.next().create(id, record)
    }
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        self.next().update(id, record, expected_version)
    }
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.next().touch(id, expires_at)
    }
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.next().destroy(id)
    }
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.next().sweep(limit)
    }
}
