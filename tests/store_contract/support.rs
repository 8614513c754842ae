//! What the rules share: ids, records, and how to wait for a store.

use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;

use sealed_session::store::Created;
use sealed_session::{Clock as _, ManualClock, Record, RecordId, RecordStore, Timestamp};

/// Calls on a store, to be waited for.
pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Waits for work, on any thread: an engine whose driver needs a runtime enters it here.
pub(crate) type BlockOn<'a> = &'a (dyn Fn(Work<'_>) + Sync);

/// Where every clock starts: later than the present, so that an engine with a clock of its own deletes nothing.
pub(crate) const START_UNIX_SECONDS: u64 = 4_000_000_000;

/// An id that no other rule has, in this run and in others over the same engine.
pub(crate) fn fresh_id() -> RecordId {
    let half = || RandomState::new().hash_one(0);
    RecordId::from_bytes(((u128::from(half()) << 64) | u128::from(half())).to_be_bytes())
}

/// So many seconds from now.
pub(crate) fn after(clock: &ManualClock, seconds: u64) -> Timestamp {
    clock.now().saturating_add_seconds(seconds)
}

/// A record of this version that lives for so many seconds.
pub(crate) fn record(clock: &ManualClock, version: u64, seconds: u64) -> Record {
    Record::new(version, after(clock, seconds), format!("sealed bytes of version {version}").into_bytes())
}

/// Creates the record, as the first of its id.
pub(crate) async fn create(store: &dyn RecordStore, id: &RecordId, record: &Record) {
    assert_eq!(store.create(id, record.clone()).await.unwrap(), Created::Created);
}
