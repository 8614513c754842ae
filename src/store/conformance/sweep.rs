//! Rules of `sweep`. An engine that removes by itself answers 0, so no rule counts from below.

use super::support::{create, fresh_id, record};
use crate::clock::ManualClock;
use crate::id::RecordId;
use crate::store::RecordStore;

/// So many records that expire after 60 seconds.
async fn short_lived(store: &dyn RecordStore, clock: &ManualClock, count: usize) -> Vec<RecordId> {
    let ids: Vec<_> = (0..count).map(|_| fresh_id()).collect();
    for id in &ids {
        create(store, id, &record(clock, 1, 60)).await;
    }
    ids
}

pub async fn at_most_the_limit_is_removed(store: &dyn RecordStore, clock: &ManualClock) {
    short_lived(store, clock, 20).await;
    clock.advance_seconds(60);
    assert_eq!(store.sweep(0).await.unwrap(), 0);
    for limit in [1, 7, 1] {
        assert!(store.sweep(limit).await.unwrap() <= limit);
    }
}

pub async fn a_living_record_is_never_removed(store: &dyn RecordStore, clock: &ManualClock) {
    let (living, given) = (fresh_id(), record(clock, 1, 61));
    create(store, &living, &given).await;
    short_lived(store, clock, 20).await;
    for seconds in [0, 59, 1] {
        clock.advance_seconds(seconds);
        store.sweep(usize::MAX).await.unwrap();
        assert_eq!(store.load(&living).await.unwrap().as_ref(), Some(&given));
    }
}

pub async fn an_id_is_free_after_its_record_was_swept(store: &dyn RecordStore, clock: &ManualClock) {
    let ids = short_lived(store, clock, 20).await;
    clock.advance_seconds(60);
    store.sweep(usize::MAX).await.unwrap();
    let next = record(clock, 1, 60);
    for id in &ids {
        assert_eq!(store.load(id).await.unwrap(), None);
        create(store, id, &next).await;
        assert_eq!(store.load(id).await.unwrap().as_ref(), Some(&next));
    }
}
