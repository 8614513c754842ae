//! Requests that are repeated, and those that must not be.

use sealed_session::store::{Created, RecordStore, StoreError};
use sealed_session::testing::ManualClock;
use sealed_session::{Key, SystemClock, Timestamp};
use sealed_session_engine_tests::Proxy;

use super::answers::Answers;
use super::place::{Place, client};
use crate::shared::calls::{ID, record};
use crate::shared::sessions::{assert_counted, begun, increment, server};

#[test]
fn a_write_whose_answer_is_lost_is_an_error_and_is_not_repeated() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        place.store(ManualClock::default()).await;
        let store = place.builder(&client(&url)).clock(ManualClock::default()).build().unwrap();
        proxy.cut_next_reply_after(0);
        let error = store.create(&ID, record(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));

        let _ = proxy.take_round_trips();
        proxy.cut_next_reply_after(20);
        let error = store.update(&ID, record(2), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert_eq!(proxy.take_round_trips(), 1);
        assert_eq!(store.load(&ID).await.unwrap(), Some(record(2)));
    });
}

#[test]
fn a_call_that_may_be_repeated_is_when_its_answer_is_lost() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        place.store(ManualClock::default()).await;
        let store = place.builder(&client(&url)).clock(ManualClock::default()).build().unwrap();
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        let _ = proxy.take_round_trips();
        for call in 0..3 {
            proxy.cut_next_reply_after(0);
            match call {
                0 => assert_eq!(store.load(&ID).await.unwrap(), Some(record(1))),
                1 => assert!(store.touch(&ID, Timestamp::MAX).await.unwrap()),
                _ => store.destroy(&ID).await.unwrap(),
            }
            assert_eq!(proxy.take_round_trips(), 2);
        }
    });
}

#[test]
fn a_session_whose_write_lost_its_answer_has_counted_once() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        place.store(SystemClock).await;
        let server = server(place.builder(&client(&url)).build().unwrap(), &Key::generate().unwrap());
        let cookie = begun(&server, "begun").await;
        let pending = server.begin(&sealed_session::RequestFacts::new().cookie_header(&cookie));
        pending.session().await.unwrap().increment("count", 1).unwrap();
        proxy.cut_next_reply_after(0);
        let _ = pending.commit(&sealed_session::ResponseFacts::new(200)).await.unwrap();
        assert!(!proxy.awaits_cut());
        increment(&server, &cookie).await.unwrap();
        assert_counted(&server, &cookie, 2).await;
    });
}

#[test]
fn a_write_that_was_throttled_is_repeated() {
    let place = Place::new();
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException"] {
        let answers: &'static [_] = Box::leak(Box::new([(400, Some(code)), (200, None)]));
        let service = Answers::of(answers);
        let store = place.builder(&client(&service.url)).build().unwrap();
        assert_eq!(place.block_on(store.create(&ID, record(1))).unwrap(), Created::Created, "{code}");
        assert_eq!(service.requests(), 2);
    }
}

#[test]
fn a_write_that_failed_within_the_service_is_not_repeated() {
    let place = Place::new();
    let service = Answers::of(&[(500, Some("InternalServerError")), (200, None)]);
    let store = place.builder(&client(&service.url)).build().unwrap();
    let error = place.block_on(store.update(&ID, record(2), 1)).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert_eq!(service.requests(), 1);
    // What may be repeated is, by the same client.
    assert_eq!(place.block_on(store.load(&ID)).unwrap(), None);
}
