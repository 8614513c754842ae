//! What a call costs: one round trip each, counted before the engine.

use redis::cmd;
use sealed_session::store::{Created, RecordId, RecordStore as _, Updated};
use sealed_session_engine_tests::{Engine, Proxy, Runner};

use crate::support::Site;

/// A site behind a counting proxy, its connection made.
async fn counted() -> (Proxy, Site) {
    let (proxy, url) = Proxy::before(&Engine::Redis.url());
    let site = Site::at(&url).await;
    let _ = proxy.take_round_trips();
    (proxy, site)
}

#[test]
fn every_call_is_one_round_trip_also_where_the_engine_has_forgotten_every_script() {
    Runner::new().block_on(async {
        let (proxy, site) = counted().await;
        let id = RecordId::from_bytes([7; 16]);
        for flushed in [false, true] {
            let forget = async || {
                if flushed {
                    let () = cmd("SCRIPT").arg("FLUSH").query_async(&mut site.connection.clone()).await.unwrap();
                    let _ = proxy.take_round_trips();
                }
            };
            forget().await;
            assert_eq!(site.store.create(&id, site.record(1, 100)).await.unwrap(), Created::Created);
            assert_eq!(proxy.take_round_trips(), 1, "create");
            assert_eq!(site.store.load(&id).await.unwrap(), Some(site.record(1, 100)));
            assert_eq!(proxy.take_round_trips(), 1, "load");
            forget().await;
            assert_eq!(site.store.update(&id, site.record(2, 100), 1).await.unwrap(), Updated::Updated);
            assert_eq!(proxy.take_round_trips(), 1, "update");
            assert_eq!(site.store.update(&id, site.record(2, 100), 1).await.unwrap(), Updated::Conflict);
            assert_eq!(proxy.take_round_trips(), 1, "update that meets another");
            forget().await;
            assert!(site.store.touch(&id, site.after(200)).await.unwrap());
            assert_eq!(proxy.take_round_trips(), 1, "touch");
            site.store.destroy(&id).await.unwrap();
            assert_eq!(proxy.take_round_trips(), 1, "destroy");
            assert_eq!(site.store.sweep(100).await.unwrap(), 0);
            assert_eq!(proxy.take_round_trips(), 0, "sweep");
        }
    });
}

#[test]
fn a_record_of_a_mebibyte_is_written_and_read_in_one_round_trip_each() {
    Runner::new().block_on(async {
        let (proxy, site) = counted().await;
        let id = RecordId::from_bytes([7; 16]);
        let large = sealed_session::store::Record::new(1, site.after(100), vec![7; 1024 * 1024]);
        assert_eq!(site.store.create(&id, large.clone()).await.unwrap(), Created::Created);
        assert_eq!(proxy.take_round_trips(), 1);
        assert!(site.store.load(&id).await.unwrap() == Some(large));
        assert_eq!(proxy.take_round_trips(), 1);
    });
}

#[test]
fn a_session_in_its_cookie_never_asks_the_engine() {
    Runner::new().block_on(async {
        let (proxy, site) = counted().await;
        let (store, mut browser) = (site.sessions_where_they_fit().build().unwrap(), site.browser());
        for visits in 1..=3 {
            browser.visit(&store, |session| session.increment("visits", 1).unwrap()).await.unwrap();
            assert_eq!(browser.get(&store, "visits").await, Some(visits));
        }
        assert_eq!(proxy.take_round_trips(), 0);
        assert_eq!(site.values().await, []);
    });
}

#[test]
fn a_request_of_a_session_in_the_store_costs_one_to_load_and_one_to_write() {
    Runner::new().block_on(async {
        let (proxy, site) = counted().await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("user", &42).unwrap()).await.unwrap();
        assert_eq!(proxy.take_round_trips(), 1, "the first write");
        assert_eq!(browser.get(&store, "user").await, Some(42));
        assert_eq!(proxy.take_round_trips(), 1, "a read");
        browser.visit(&store, |session| session.put("user", &43).unwrap()).await.unwrap();
        assert_eq!(proxy.take_round_trips(), 2, "a read and a write");
        // Nobody asks for the session.
        let header = browser.jar.cookie_header();
        let pending = store.begin(&sealed_session::RequestFacts::new().cookie_header(header.as_bytes()));
        let _ = pending.commit(&sealed_session::ResponseFacts::new(200)).await.unwrap();
        assert_eq!(proxy.take_round_trips(), 0, "a request that leaves its session alone");
    });
}
