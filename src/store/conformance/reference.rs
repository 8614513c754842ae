//! The contract in its shortest form, a map behind a lock: the suite is tried on it, and the model compares with it.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard};

use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::id::RecordId;
use crate::store::{Created, Record, RecordStore, StoreFuture, Updated};

#[derive(Debug)]
pub struct ReferenceStore {
    records: Mutex<HashMap<RecordId, Record>>,
    clock: ManualClock,
}

impl ReferenceStore {
    pub fn new(clock: ManualClock) -> Self {
        Self { records: Mutex::default(), clock }
    }

    /// The records that exist.
    fn living(&self) -> MutexGuard<'_, HashMap<RecordId, Record>> {
        let mut records = self.records.lock().unwrap();
        let now = self.clock.now();
        records.retain(|_, record| now < record.expires_at);
        records
    }

    fn create_now(&self, id: &RecordId, record: Record) -> Created {
        let mut living = self.living();
        if living.contains_key(id) {
            return Created::Exists;
        }
        living.insert(*id, record);
        Created::Created
    }

    fn update_now(&self, id: &RecordId, record: Record, expected_version: u64) -> Updated {
        match self.living().get_mut(id) {
            None => Updated::Missing,
            Some(current) if current.version != expected_version => Updated::Conflict,
            Some(current) => {
                *current = record;
                Updated::Updated
            }
        }
    }

    fn touch_now(&self, id: &RecordId, expires_at: Timestamp) -> bool {
        self.living().get_mut(id).map(|current| current.expires_at = current.expires_at.max(expires_at)).is_some()
    }
}

impl RecordStore for ReferenceStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(ready(Ok(self.living().get(id).cloned())))
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(ready(Ok(self.create_now(id, record))))
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(ready(Ok(self.update_now(id, record, expected_version))))
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(ready(Ok(self.touch_now(id, expires_at))))
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.living().remove(id);
        Box::pin(ready(Ok(())))
    }

    /// Every call removes what has expired, so there is never anything left to sweep.
    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(ready(Ok(0)))
    }
}
