//! Rules of `create`, and of the ids under which it writes.

use super::support::{create, fresh_id, record};
use crate::clock::ManualClock;
use crate::id::RecordId;
use crate::store::{Created, RecordStore};

pub async fn a_record_that_was_never_created_is_absent(store: &dyn RecordStore, _: &ManualClock) {
    assert_eq!(store.load(&fresh_id()).await.unwrap(), None);
}

pub async fn a_created_record_is_loaded_as_it_was_given(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, given) = (fresh_id(), record(clock, 7, 60));
    create(store, &id, &given).await;
    assert_eq!(store.load(&id).await.unwrap(), Some(given));
}

pub async fn a_taken_id_is_refused_and_its_record_left_alone(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, first) = (fresh_id(), record(clock, 1, 60));
    create(store, &id, &first).await;
    for version in [0, 1, 2] {
        assert_eq!(store.create(&id, record(clock, version, 90)).await.unwrap(), Created::Exists);
        assert_eq!(store.load(&id).await.unwrap(), Some(first.clone()));
    }
}

pub async fn an_id_is_free_again_after_destroy(store: &dyn RecordStore, clock: &ManualClock) {
    let (id, second) = (fresh_id(), record(clock, 2, 90));
    create(store, &id, &record(clock, 1, 60)).await;
    store.destroy(&id).await.unwrap();
    create(store, &id, &second).await;
    assert_eq!(store.load(&id).await.unwrap(), Some(second));
}

pub async fn ids_that_differ_in_one_bit_name_different_records(store: &dyn RecordStore, clock: &ManualClock) {
    let base = u128::from_be_bytes(*fresh_id().as_bytes());
    let neighbours = (0..128).map(|bit| base ^ (1 << bit));
    let ids: Vec<_> =
        std::iter::once(base).chain(neighbours).map(|id| RecordId::from_bytes(id.to_be_bytes())).collect();
    for (id, version) in ids.iter().zip(1..) {
        create(store, id, &record(clock, version, 60)).await;
    }
    for (id, version) in ids.iter().zip(1..) {
        assert_eq!(store.load(id).await.unwrap(), Some(record(clock, version, 60)));
    }
}

pub async fn ids_of_bytes_that_engines_treat_specially_name_records(store: &dyn RecordStore, clock: &ManualClock) {
    // Terminators, separators of paths and of keys, wildcards, quotes, and what no text in UTF-8 has.
    for special in *b"\0/\\.:*?%'\"{}\n \xff\xc3" {
        let mut bytes = *fresh_id().as_bytes();
        bytes[..4].fill(special);
        bytes[12..].fill(special);
        let (id, given) = (RecordId::from_bytes(bytes), record(clock, special.into(), 60));
        create(store, &id, &given).await;
        assert_eq!(store.load(&id).await.unwrap(), Some(given));
        store.destroy(&id).await.unwrap();
        assert_eq!(store.load(&id).await.unwrap(), None);
    }
}
