//! What the rules share: ids, records and instants.

use std::hash::{BuildHasher as _, RandomState};

use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::id::RecordId;
use crate::store::{Created, Record, RecordStore};

/// An id that no other rule has, in this run and in others over the same engine.
pub fn fresh_id() -> RecordId {
    let half = || RandomState::new().hash_one(0);
    RecordId::from_bytes(((u128::from(half()) << 64) | u128::from(half())).to_be_bytes())
}

/// So many seconds from now.
pub fn after(clock: &ManualClock, seconds: u64) -> Timestamp {
    clock.now().saturating_add_seconds(seconds)
}

/// A record of this version that lives for so many seconds.
pub fn record(clock: &ManualClock, version: u64, seconds: u64) -> Record {
    Record::new(version, after(clock, seconds), format!("sealed bytes of version {version}").into_bytes())
}

/// Creates the record, as the first of its id.
pub async fn create(store: &dyn RecordStore, id: &RecordId, record: &Record) {
    assert_eq!(store.create(id, record.clone()).await.unwrap(), Created::Created);
}
