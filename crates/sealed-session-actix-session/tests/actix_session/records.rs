//! With a server store behind the cookies.

use actix_session::storage::{LoadError, SessionStore as _};
use sealed_session::testing::FaultyStore;
use sealed_session::{Placement, StoreFailure};
use sealed_session_actix_session::SealedSessionStore;

use crate::support::{HOUR, again, builder, clock, large, loaded, sealed, state, whole};

fn with_records(placement: Placement) -> (SealedSessionStore, FaultyStore) {
    let clock = clock();
    let records = FaultyStore::new(clock.clone());
    let builder = builder(&clock).store(records.clone()).placement(placement).on_store_failure(StoreFailure::Ephemeral);
    (sealed(builder.record_limit_bytes(50_000)), records)
}

#[pollster::test]
async fn a_session_that_outgrows_its_key_moves_to_the_store_and_comes_back() {
    let (store, records) = with_records(Placement::Spill);
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    assert!(records.snapshot().is_empty());
    let key = store.update(key, large(10_000), &HOUR).await.unwrap();
    assert_eq!((records.snapshot().len(), key.as_ref().len() < 500), (1, true));
    assert_eq!(loaded(&store, &key).await, Some(large(10_000)));
    let key = store.update(key, large(10), &HOUR).await.unwrap();
    records.take_calls();
    assert_eq!(loaded(&store, &key).await, Some(large(10)));
    assert!(records.take_calls().is_empty());
}

#[pollster::test]
async fn a_session_comes_back_only_when_it_fills_three_quarters_of_a_key_or_less() {
    let (store, _) = with_records(Placement::Spill);
    let mut key = store.save(large(3000), &HOUR).await.unwrap();
    for bytes in (0..2000).rev() {
        key = store.update(key, large(bytes), &HOUR).await.unwrap();
        if key.as_ref().len() > 500 {
            break;
        }
    }
    // Of 2800 characters. Keys are padded, so their lengths are 32 bytes apart, which are 43 characters.
    assert!((2058..=2100).contains(&key.as_ref().len()), "{}", key.as_ref().len());
    // It does not move again before it has grown past the whole.
    let key = store.update(key, large(1990), &HOUR).await.unwrap();
    assert!(key.as_ref().len() > 2700);
}

#[pollster::test]
async fn the_store_takes_what_a_key_has_no_room_for() {
    let (store, records) = with_records(Placement::Spill);
    for bytes in 1990..2020 {
        let key = store.save(large(bytes), &HOUR).await.unwrap();
        assert!(key.as_ref().len() <= 2800, "{bytes}");
        assert_eq!(loaded(&store, &key).await, Some(large(bytes)));
    }
    let spilled = records.snapshot().len();
    assert!((1..30).contains(&spilled), "{spilled}");
}

#[pollster::test]
async fn a_logout_ends_every_copy_of_a_session_in_the_store() {
    let (store, _) = with_records(Placement::StoreOnly);
    let key = store.save(state(&[("user", "42")]), &HOUR).await.unwrap();
    assert!(loaded(&store, &key).await.is_some());
    store.delete(&key).await.unwrap();
    assert_eq!(loaded(&store, &key).await, None);
    // Nor does a request that was under way bring it back.
    assert!(store.update(again(&key), state(&[("user", "42")]), &HOUR).await.is_err());
    assert_eq!(loaded(&store, &key).await, None);
    // To end what has ended is no error.
    store.delete(&key).await.unwrap();
}

#[pollster::test]
async fn a_store_that_is_down_is_an_error_and_never_an_empty_session() {
    let (store, records) = with_records(Placement::StoreOnly);
    let key = store.save(state(&[("user", "42")]), &HOUR).await.unwrap();
    records.go_down();
    assert!(matches!(store.load(&key).await, Err(LoadError::Other(_))));
    assert!(store.save(state(&[("user", "43")]), &HOUR).await.is_err());
    assert!(store.update(again(&key), state(&[("user", "43")]), &HOUR).await.is_err());
    assert!(store.delete(&key).await.is_err());
    records.come_up();
    assert_eq!(loaded(&store, &key).await, Some(state(&[("user", "42")])));
}

#[pollster::test]
async fn of_two_updates_of_one_key_the_last_one_wins() {
    let (store, _) = with_records(Placement::StoreOnly);
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    store.update(again(&key), state(&[("a", "1"), ("b", "2")]), &HOUR).await.unwrap();
    let last = store.update(again(&key), state(&[("a", "3")]), &HOUR).await.unwrap();
    assert_eq!(loaded(&store, &last).await, Some(state(&[("a", "3")])));
}

#[pollster::test]
async fn the_record_of_a_session_that_returned_is_read_and_written_on_by_who_has_its_key() {
    let (store, _) = with_records(Placement::Spill);
    let before = store.save(large(10_000), &HOUR).await.unwrap();
    let back = store.update(again(&before), large(10), &HOUR).await.unwrap();
    // The response that brought the new key may be lost.
    assert_eq!(loaded(&store, &before).await, Some(large(10)));
    let again = store.update(before, large(20), &HOUR).await.unwrap();
    assert_eq!(loaded(&store, &again).await, Some(large(20)));
    assert_eq!(loaded(&store, &back).await, Some(large(10)), "as a session in its cookie that another request read");
}

#[pollster::test]
async fn more_than_a_record_holds_is_refused_and_nothing_is_stored() {
    let (store, records) = with_records(Placement::Spill);
    let error = store.save(large(60_000), &HOUR).await.unwrap_err();
    assert!(whole(&error).contains("50000 are the most; largest keys: \"cart\""), "{}", whole(&error));
    assert!(records.snapshot().is_empty());
}
