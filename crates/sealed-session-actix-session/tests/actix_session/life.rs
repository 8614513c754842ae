//! How long a session lasts: the seal says, and not the browser.

use std::time::Duration as StdDuration;

use actix_session::storage::SessionStore as _;
use sealed_session::{Key, KeyRing, Lifetimes, RingHandle, SessionManager};
use time::Duration;

use crate::support::{HOUR, again, builder, clock, loaded, sealed, state, store, whole};

#[pollster::test]
async fn a_session_ends_with_its_ttl_whatever_the_client_keeps() {
    let (store, clock) = store();
    let short = store.save(state(&[("a", "1")]), &Duration::SECOND).await.unwrap();
    let longer = store.save(state(&[("a", "1")]), &Duration::seconds(3)).await.unwrap();
    clock.advance_seconds(1);
    assert_eq!((loaded(&store, &short).await, loaded(&store, &longer).await.is_some()), (None, true));
    clock.advance_seconds(2);
    assert_eq!((loaded(&store, &short).await, loaded(&store, &longer).await), (None, None));
}

#[pollster::test]
async fn the_ttl_may_be_longer_than_the_stores_idle_timeout() {
    let (store, clock) = store();
    let key = store.save(state(&[("a", "1")]), &(HOUR * 24)).await.unwrap();
    clock.advance_seconds(23 * 3600);
    assert!(loaded(&store, &key).await.is_some());
}

#[pollster::test]
async fn a_change_of_the_state_begins_the_ttl_anew_and_so_does_the_same_state() {
    for next in [state(&[("a", "2")]), state(&[("a", "1")])] {
        let (store, clock) = store();
        let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
        clock.advance_seconds(3000);
        let newer = store.update(again(&key), next.clone(), &HOUR).await.unwrap();
        clock.advance_seconds(3000);
        assert_eq!(loaded(&store, &newer).await, Some(next));
        assert_eq!(loaded(&store, &key).await, None);
    }
}

#[pollster::test]
async fn changes_do_not_move_the_absolute_timeout() {
    let clock = clock();
    let day = StdDuration::from_secs(24 * 3600);
    let lifetimes = Lifetimes::default().absolute_timeout(Some(day));
    let store = sealed(builder(&clock).lifetimes(lifetimes));
    let mut key = store.save(state(&[("a", "1")]), &(HOUR * 5)).await.unwrap();
    for _ in 0..5 {
        clock.advance_seconds(4 * 3600);
        key = store.update(key, state(&[("a", "2")]), &(HOUR * 5)).await.unwrap();
    }
    clock.advance_seconds(4 * 3600);
    assert_eq!(loaded(&store, &key).await, None);
}

#[pollster::test]
async fn a_session_that_has_ended_is_not_brought_back() {
    let (store, clock) = store();
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    clock.advance_seconds(3600);
    let error = store.update(again(&key), state(&[("a", "2")]), &HOUR).await.unwrap_err();
    assert!(whole(&error).contains("the session ended"), "{}", whole(&error));
    assert_eq!(loaded(&store, &key).await, None);
    let forged = store.update("evil".to_owned().try_into().unwrap(), state(&[("a", "2")]), &HOUR).await;
    assert!(forged.is_err());
}

#[pollster::test]
async fn a_ttl_that_cannot_be_kept_is_refused_with_what_can() {
    let (store, _) = store();
    for ttl in [Duration::ZERO, Duration::seconds(-5), Duration::milliseconds(900), Duration::days(31)] {
        let error = store.save(state(&[("a", "1")]), &ttl).await.unwrap_err();
        assert!(whole(&error).contains("from 1 to 2592000 s"), "{ttl}: {}", whole(&error));
    }
    assert!(store.save(state(&[("a", "1")]), &Duration::days(30)).await.is_ok());
}

#[pollster::test]
async fn a_longer_life_without_a_new_cookie_is_refused_and_names_the_mend() {
    let (store, clock) = store();
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    let error = store.update_ttl(&key, &(HOUR * 2)).await.unwrap_err();
    assert!(error.to_string().contains("TtlExtensionPolicy::OnStateChanges"), "{error}");
    clock.advance_seconds(3600);
    assert_eq!(loaded(&store, &key).await, None);
}

#[pollster::test]
async fn a_renewed_session_is_another_one_whose_life_begins_anew() {
    let (store, clock) = store();
    let guests = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    clock.advance_seconds(3000);
    // As the middleware does after `renew`.
    store.delete(&guests).await.unwrap();
    let users = store.save(state(&[("a", "1"), ("user", "42")]), &HOUR).await.unwrap();
    clock.advance_seconds(3000);
    assert_eq!(loaded(&store, &users).await, Some(state(&[("a", "1"), ("user", "42")])));
    // Whoever planted the guest's learns nothing.
    assert_eq!(loaded(&store, &guests).await, None);
}

#[pollster::test]
async fn keys_rotate_without_logging_anybody_out() {
    let (clock, old, new) = (clock(), Key::generate().unwrap(), Key::generate().unwrap());
    let ring = RingHandle::from(KeyRing::new(old.clone()));
    let store = sealed(SessionManager::builder(ring.clone()).clock(clock.clone()));
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    ring.replace(KeyRing::new(new.clone()).with_open_only(old).unwrap(), sealed_session::Clock::now(&clock)).unwrap();
    assert!(loaded(&store, &key).await.is_some());
    let resealed = store.update(again(&key), state(&[("a", "2")]), &HOUR).await.unwrap();
    let without_old = sealed(SessionManager::builder(new).clock(clock));
    assert_eq!(loaded(&without_old, &resealed).await, Some(state(&[("a", "2")])));
    assert_eq!(loaded(&without_old, &key).await, None);
}
