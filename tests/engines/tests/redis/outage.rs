//! Connections that are gone or late: what is Redis's own of it. What holds on every engine stands in `tests/faults`.

use std::time::Duration;

use redis::aio::ConnectionManagerConfig;
use redis::{Client, cmd};
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError};
use sealed_session_engine_tests::{Engine, Proxy, Runner};
use sealed_session_redis::RedisStore;

use crate::support::Site;

const ID: RecordId = RecordId::from_bytes([7; 16]);

#[test]
fn an_engine_that_is_gone_is_an_error_and_one_that_is_back_serves_again() {
    Runner::new().block_on(async {
        let (mut proxy, url) = Proxy::before(&Engine::Redis.url());
        let site = Site::at(&url).await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("user", &42).unwrap()).await.unwrap();
        assert!(store.health().await.is_ready());
        proxy.close();
        for _ in 0..3 {
            let error = site.store.load(&ID).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
            let failed = browser.visit(&store, |_| ()).await.unwrap_err();
            assert_eq!(failed.status_code(), 503, "{failed:?}");
        }
        assert!(!store.health().await.is_ready());
        proxy.reopen();
        let back = async { while !store.health().await.is_ready() {} };
        tokio::time::timeout(Duration::from_secs(20), back).await.expect("the connection was not made again");
        assert_eq!(browser.get(&store, "user").await, Some(42));
    });
}

#[test]
fn an_answer_that_is_late_for_the_connection_is_a_timeout_that_tells_how_long_it_took() {
    Runner::new().block_on(async {
        let (proxy, url) = Proxy::before(&Engine::Redis.url());
        let settings = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_millis(100)));
        let client = Client::open(url).unwrap();
        let connection = client.get_connection_manager_with_config(settings).await.unwrap();
        let store = RedisStore::new(connection);
        proxy.delay_replies(Duration::from_secs(60));
        let error = store.load(&ID).await.unwrap_err();
        let StoreError::Timeout { store: "redis", waited_milliseconds } = error else { panic!("{error:?}") };
        assert!((90..30_000).contains(&waited_milliseconds), "{waited_milliseconds} ms");
    });
}

#[test]
fn a_store_works_over_a_connection_that_was_cut_off_by_the_engine() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let record = Record::new(1, Timestamp::MAX, b"sealed".to_vec());
        assert_eq!(site.store.create(&ID, record.clone()).await.unwrap(), Created::Created);
        let id: i64 = cmd("CLIENT").arg("ID").query_async(&mut site.connection.clone()).await.unwrap();
        let other = Site::new().await;
        let kill = cmd("CLIENT").arg("KILL").arg("ID").arg(id).to_owned();
        kill.exec_async(&mut other.connection.clone()).await.unwrap();
        // The first call finds the connection gone, the next finds a new one.
        let store: &dyn RecordStore = &site.store;
        if let Err(error) = store.load(&ID).await {
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
        assert_eq!(store.load(&ID).await.unwrap(), Some(record));
    });
}
