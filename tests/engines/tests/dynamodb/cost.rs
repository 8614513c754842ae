//! What a call costs: requests to the service.

use sealed_session::store::{Record, RecordStore};
use sealed_session::testing::ManualClock;
use sealed_session_dynamodb::RECORD_MAX_BYTES;
use sealed_session_engine_tests::Proxy;

use super::place::{Place, client};
use crate::shared::calls::{EXPIRES_AT, ID, each_call, record};

#[test]
fn every_call_waits_for_one_round_trip_whatever_it_finds() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        let clock = ManualClock::default();
        place.store(clock.clone()).await;
        let store = place.builder(&client(&url)).clock(clock.clone()).build().unwrap();
        let spent = each_call(&store, &clock, || proxy.take_round_trips()).await;
        assert_eq!((spent.done, spent.declined, spent.not_updated), ([1; 5], [1; 4], [1; 2]));
    });
}

#[test]
fn what_an_item_has_no_room_for_is_refused_before_it_is_sent() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        place.store(ManualClock::default()).await;
        let store = place.builder(&client(&url)).build().unwrap();
        let larger = Record::new(2, EXPIRES_AT, vec![7; RECORD_MAX_BYTES + 1]);
        for error in [
            store.create(&ID, larger.clone()).await.unwrap_err(),
            store.update(&ID, larger.clone(), 1).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains("record_limit_bytes"), "{error}");
        }
        assert_eq!(proxy.take_round_trips(), 0);
    });
}

#[test]
fn a_sweep_asks_nothing_of_the_service() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        let clock = ManualClock::default();
        place.store(clock.clone()).await;
        let store = place.builder(&client(&url)).clock(clock.clone()).build().unwrap();
        let _ = store.create(&ID, record(1)).await.unwrap();
        clock.set_unix_seconds(EXPIRES_AT.unix_seconds());
        let _ = proxy.take_round_trips();
        assert_eq!(store.sweep(usize::MAX).await.unwrap(), 0);
        assert_eq!(proxy.take_round_trips(), 0);
        assert_eq!(place.items().await.len(), 1);
    });
}
