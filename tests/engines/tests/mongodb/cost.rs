//! What a call costs: commands to the server.

use sealed_session::store::{Created, RecordStore};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::Proxy;

use super::place::{Place, database};
use crate::shared::calls::{EXPIRES_AT, ID, each_call, record};

/// The driver asks after the server's health on a connection of its own, here once alone.
fn unwatched(url: &str) -> String {
    format!("{url}&serverMonitoringMode=poll&heartbeatFrequencyMS=3600000")
}

#[test]
fn a_call_waits_for_one_round_trip_and_an_update_that_writes_nothing_for_two() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        let clock = ManualClock::default();
        let store = place.builder(&database(&unwatched(&url)).await).clock(clock.clone()).build().unwrap();
        store.create_index().await.unwrap();
        let spent = each_call(&store, &clock, || proxy.take_round_trips()).await;
        assert_eq!((spent.done, spent.declined, spent.not_updated), ([1; 5], [1; 4], [2; 2]));
    });
}

#[test]
fn a_sweep_is_a_query_and_a_command_where_something_has_expired() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        let clock = ManualClock::default();
        let store = place.builder(&database(&unwatched(&url)).await).clock(clock.clone()).build().unwrap();
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        let _ = proxy.take_round_trips();
        assert_eq!(store.sweep(usize::MAX).await.unwrap(), 0);
        assert_eq!(proxy.take_round_trips(), 1);
        clock.set_unix_seconds(EXPIRES_AT.unix_seconds());
        assert_eq!(store.sweep(usize::MAX).await.unwrap(), 1);
        assert_eq!(proxy.take_round_trips(), 2);
    });
}
