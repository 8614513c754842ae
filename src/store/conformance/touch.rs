//! Rules of `touch`.

use super::support::{after, create, fresh_id, record};
use crate::clock::{ManualClock, Timestamp};
use crate::store::{Record, RecordStore};

pub async fn the_expiry_moves_later(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    assert!(store.touch(&id, after(clock, 90)).await.unwrap());
    clock.advance_seconds(89);
    assert_eq!(store.load(&id).await.unwrap().map(|record| record.expires_at), Some(after(clock, 1)));
    clock.advance_seconds(1);
    assert_eq!(store.load(&id).await.unwrap(), None);
}

pub async fn the_expiry_moves_to_the_latest_timestamp(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    assert!(store.touch(&id, Timestamp::MAX).await.unwrap());
    clock.set_unix_seconds(Timestamp::MAX.unix_seconds() - 1);
    assert_eq!(store.load(&id).await.unwrap().map(|record| record.expires_at), Some(Timestamp::MAX));
}

pub async fn the_expiry_never_moves_earlier(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, given) = (fresh_id(), record(clock, 1, 60));
    create(store, &id, &given).await;
    // One second earlier, the same, now, and 1970: each of them is an answer about a record that exists.
    for expires_at in [after(clock, 59), given.expires_at, after(clock, 0), Default::default()] {
        assert!(store.touch(&id, expires_at).await.unwrap());
        assert_eq!(store.load(&id).await.unwrap(), Some(given.clone()));
    }
}

pub async fn version_and_bytes_stay(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, given) = (fresh_id(), record(clock, 7, 60));
    create(store, &id, &given).await;
    assert!(store.touch(&id, after(clock, 90)).await.unwrap());
    assert_eq!(store.load(&id).await.unwrap(), Some(Record::new(7, after(clock, 90), given.bytes)));
}

pub async fn a_record_that_was_never_created_is_not_touched_into_being(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    assert!(!store.touch(&id, after(clock, 90)).await.unwrap());
    assert_eq!(store.load(&id).await.unwrap(), None);
}

pub async fn a_destroyed_record_is_not_touched_back(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    create(store, &id, &record(clock, 1, 60)).await;
    store.destroy(&id).await.unwrap();
    assert!(!store.touch(&id, after(clock, 90)).await.unwrap());
    assert_eq!(store.load(&id).await.unwrap(), None);
}
