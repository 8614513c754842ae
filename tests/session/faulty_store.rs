//! The store that fails on demand, and what only these tests ask of it.

use sealed_session::store::{Record, RecordId};

pub(crate) use sealed_session::testing::{Call, FaultyStore, Records};

/// The only record of a store.
pub(crate) fn only(store: &FaultyStore) -> (RecordId, Record) {
    let records = store.snapshot();
    assert_eq!(records.len(), 1, "records in the store");
    records.into_iter().next().unwrap()
}
