//! Rules of `destroy`.

use super::support::{create, fresh_id, record};
use crate::clock::ManualClock;
use crate::store::RecordStore;

pub async fn a_destroyed_record_is_absent_and_others_stay(store: &dyn RecordStore, clock: &ManualClock) {
    let (destroyed, other, kept) = (fresh_id(), fresh_id(), record(clock, 2, 60));
    create(store, &destroyed, &record(clock, 1, 60)).await;
    create(store, &other, &kept).await;
    store.destroy(&destroyed).await.unwrap();
    assert_eq!(store.load(&destroyed).await.unwrap(), None);
    assert_eq!(store.load(&other).await.unwrap(), Some(kept));
}

pub async fn a_second_destroy_is_no_error(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    store.destroy(&id).await.unwrap();
    create(store, &id, &record(clock, 1, 60)).await;
    for _ in 0..2 {
        store.destroy(&id).await.unwrap();
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}

pub async fn an_expired_record_is_destroyed_without_error(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, next) = (fresh_id(), record(clock, 2, 600));
    create(store, &id, &record(clock, 1, 60)).await;
    clock.advance_seconds(60);
    store.destroy(&id).await.unwrap();
    create(store, &id, &next).await;
    assert_eq!(store.load(&id).await.unwrap(), Some(next));
}
