//! Records and calls that the rules of either store share.

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore, Updated};
use sealed_session::testing::ManualClock;

pub(crate) const ID: RecordId = RecordId::from_bytes([7; 16]);
pub(crate) const EXPIRES_AT: Timestamp = Timestamp::from_unix_seconds(4_000_000_060);

pub(crate) fn record(version: u64) -> Record {
    Record::new(version, EXPIRES_AT, b"sealed".to_vec())
}

/// What is spent on each of the calls, where it finds what it wants and where it does not.
pub(crate) struct Spent {
    /// create, load, update, touch and destroy.
    pub(crate) done: [usize; 5],
    /// create of a taken id, load of none, and touch of none and to an earlier expiry.
    pub(crate) declined: [usize; 4],
    /// update in conflict, and of none.
    pub(crate) not_updated: [usize; 2],
}

pub(crate) async fn each_call(store: &impl RecordStore, clock: &ManualClock, spent: impl Fn() -> usize) -> Spent {
    clock.set_unix_seconds(4_000_000_000);
    let later = Timestamp::from_unix_seconds(4_000_000_090);
    spent();
    assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
    let create = spent();
    assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
    let load = spent();
    assert_eq!(store.update(&ID, record(2), 1).await.unwrap(), Updated::Updated);
    let update = spent();
    assert!(store.touch(&ID, later).await.unwrap());
    let touch = spent();

    assert_eq!(store.create(&ID, record(9)).await.unwrap(), Created::Exists);
    let taken = spent();
    assert_eq!(store.update(&ID, record(9), 1).await.unwrap(), Updated::Conflict);
    let conflict = spent();
    assert!(store.touch(&ID, EXPIRES_AT).await.unwrap());
    let earlier = spent();

    store.destroy(&ID).await.unwrap();
    let destroy = spent();
    assert_eq!(store.load(&ID).await.unwrap(), None);
    let absent = spent();
    assert_eq!(store.update(&ID, record(9), 2).await.unwrap(), Updated::Missing);
    let missing = spent();
    assert!(!store.touch(&ID, later).await.unwrap());
    Spent {
        done: [create, load, update, touch, destroy],
        declined: [taken, absent, spent(), earlier],
        not_updated: [conflict, missing],
    }
}
