//! Rules of `update`.

use super::support::{after, create, fresh_id, record};
use crate::clock::ManualClock;
use crate::store::{Record, RecordStore, Updated};

pub async fn version_expiry_and_bytes_are_replaced_together(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, second) = (fresh_id(), record(clock, 2, 90));
    create(store, &id, &record(clock, 1, 60)).await;
    assert_eq!(store.update(&id, second.clone(), 1).await.unwrap(), Updated::Updated);
    assert_eq!(store.load(&id).await.unwrap(), Some(second));
}

pub async fn another_version_than_expected_is_a_conflict_and_changes_nothing(
    store: &dyn RecordStore,
    clock: &ManualClock,
) {
    let (id, current) = (fresh_id(), record(clock, 5, 60));
    create(store, &id, &current).await;
    for expected in [0, 4, 6, u64::MAX] {
        assert_eq!(store.update(&id, record(clock, 9, 90), expected).await.unwrap(), Updated::Conflict);
        assert_eq!(store.load(&id).await.unwrap(), Some(current.clone()));
    }
}

pub async fn of_two_updates_from_one_version_the_second_is_a_conflict(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    let (first, second) = (record(clock, 2, 60), Record::new(2, after(clock, 90), b"second".to_vec()));
    create(store, &id, &record(clock, 1, 60)).await;
    assert_eq!(store.update(&id, first.clone(), 1).await.unwrap(), Updated::Updated);
    assert_eq!(store.update(&id, second, 1).await.unwrap(), Updated::Conflict);
    assert_eq!(store.load(&id).await.unwrap(), Some(first));
}

pub async fn a_record_that_was_never_created_is_missing_and_stays_absent(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    for expected in [0, 1] {
        assert_eq!(store.update(&id, record(clock, 1, 60), expected).await.unwrap(), Updated::Missing);
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}

pub async fn a_destroyed_record_is_missing_and_stays_absent(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    store.destroy(&id).await.unwrap();
    assert_eq!(store.update(&id, record(clock, 2, 60), 1).await.unwrap(), Updated::Missing);
    assert_eq!(store.load(&id).await.unwrap(), None);
}

pub async fn the_expiry_may_move_earlier(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, closed) = (fresh_id(), record(clock, 2, 10));
    create(store, &id, &record(clock, 1, 60)).await;
    assert_eq!(store.update(&id, closed.clone(), 1).await.unwrap(), Updated::Updated);
    clock.advance_seconds(9);
    assert_eq!(store.load(&id).await.unwrap(), Some(closed));
    clock.advance_seconds(1);
    assert_eq!(store.load(&id).await.unwrap(), None);
}
