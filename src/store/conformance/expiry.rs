//! Rules of the expiry: from its second on, a record does not exist for any call.

use super::support::{after, create, fresh_id, record};
use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::store::{Record, RecordStore, Updated};

pub async fn a_record_exists_until_the_second_of_its_expiry(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, given) = (fresh_id(), record(clock, 1, 60));
    create(store, &id, &given).await;
    clock.advance_seconds(59);
    assert_eq!(store.load(&id).await.unwrap(), Some(given));
    clock.advance_seconds(1);
    assert_eq!(store.load(&id).await.unwrap(), None);
    clock.advance_seconds(1);
    assert_eq!(store.load(&id).await.unwrap(), None);
}

pub async fn an_expired_record_is_missing_for_update(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    clock.advance_seconds(60);
    // With its own version as with another: what does not exist cannot be in conflict.
    for expected in [1, 9] {
        assert_eq!(store.update(&id, record(clock, 2, 60), expected).await.unwrap(), Updated::Missing);
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}

pub async fn an_expired_record_is_missing_for_touch(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    clock.advance_seconds(60);
    assert!(!store.touch(&id, after(clock, 60)).await.unwrap());
    assert_eq!(store.load(&id).await.unwrap(), None);
}

pub async fn an_expired_record_gives_its_id_free(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 5, 60)).await;
    clock.advance_seconds(60);
    let next = record(clock, 1, 60);
    create(store, &id, &next).await;
    assert_eq!(store.load(&id).await.unwrap(), Some(next));
}

pub async fn a_record_created_with_a_past_expiry_is_never_seen(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    // It does not exist, so that the next create finds the id free.
    for expires_at in [after(clock, 0), Timestamp::from_unix_seconds(1), Timestamp::default()] {
        create(store, &id, &Record::new(1, expires_at, b"sealed".to_vec())).await;
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}

pub async fn an_update_to_a_past_expiry_ends_the_record(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    assert_eq!(store.update(&id, record(clock, 2, 0), 1).await.unwrap(), Updated::Updated);
    assert_eq!(store.load(&id).await.unwrap(), None);
    assert_eq!(store.update(&id, record(clock, 3, 60), 2).await.unwrap(), Updated::Missing);
}

pub async fn the_latest_timestamp_is_an_expiry_like_any_other(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, given) = (fresh_id(), Record::new(1, Timestamp::MAX, b"sealed".to_vec()));
    create(store, &id, &given).await;
    assert_eq!(store.load(&id).await.unwrap(), Some(given.clone()));
    clock.set_unix_seconds(Timestamp::MAX.unix_seconds() - 1);
    assert_eq!(store.load(&id).await.unwrap(), Some(given));
    clock.set_unix_seconds(Timestamp::MAX.unix_seconds());
    assert_eq!(store.load(&id).await.unwrap(), None);
}

pub async fn records_live_and_expire_in_the_first_seconds_of_1970(store: &dyn RecordStore, clock: &ManualClock) {
    clock.set_unix_seconds(0);
    let (unseen, seen, given) = (fresh_id(), fresh_id(), record(clock, 1, 1));
    create(store, &unseen, &record(clock, 1, 0)).await;
    create(store, &seen, &given).await;
    assert_eq!(store.load(&unseen).await.unwrap(), None);
    assert_eq!(store.load(&seen).await.unwrap(), Some(given));
    clock.advance_seconds(1);
    assert_eq!(store.load(&seen).await.unwrap(), None);
}

pub async fn a_clock_that_is_set_back_ends_no_record(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, start) = (fresh_id(), clock.now().unix_seconds());
    let (given, expires_at) = (record(clock, 1, 60), after(clock, 60));
    create(store, &id, &given).await;
    clock.set_unix_seconds(start - 3600);
    assert_eq!(store.load(&id).await.unwrap(), Some(given));
    assert!(store.touch(&id, after(clock, 60)).await.unwrap(), "earlier than its expiry, so nothing moves");
    let next = Record::new(2, expires_at, b"sealed".to_vec());
    assert_eq!(store.update(&id, next.clone(), 1).await.unwrap(), Updated::Updated);
    clock.set_unix_seconds(start + 59);
    assert_eq!(store.load(&id).await.unwrap(), Some(next));
    clock.advance_seconds(1);
    assert_eq!(store.load(&id).await.unwrap(), None);
}
