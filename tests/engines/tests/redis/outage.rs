//! An engine that is killed, cut off, slow or gone: errors and never a user who is logged out by mistake.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::ConnectionManagerConfig;
use redis::{Client, cmd};
use sealed_session::store::{Created, RedisStore, Updated};
use sealed_session::{Record, RecordId, RecordStore, StoreError, Timestamp};
use sealed_session_engine_tests::{Engine, Proxy, Runner};
use tokio::task::JoinSet;

use crate::support::{OwnRedis, Site};

const ID: RecordId = RecordId::from_bytes([7; 16]);

/// What one user's requests came to.
struct Tally {
    acknowledged: u64,
    unknown: u64,
}

#[test]
fn an_engine_killed_and_started_again_under_load_loses_no_write_and_logs_nobody_out() {
    Runner::new().block_on(async {
        // `always`: what was acknowledged is on the disk.
        let mut redis = OwnRedis::start(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"]).await;
        let site = Site::at(&redis.url()).await;
        let store = site.sessions().store_timeout(Duration::from_secs(5)).build().unwrap();
        let (worked, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut users = JoinSet::new();
        for _ in 0..8 {
            let mut browser = site.browser();
            browser.visit(&store, |session| session.put("count", &0).unwrap()).await.unwrap();
            let (store, worked, failed) = (store.clone(), Arc::clone(&worked), Arc::clone(&failed));
            users.spawn(async move {
                let mut tally = Tally { acknowledged: 0, unknown: 0 };
                while worked.load(Ordering::SeqCst) < 2000 {
                    let visit = browser.visit(&store, |session| {
                        let count: Option<u64> = session.get("count").unwrap();
                        session.increment("count", 1).unwrap();
                        count
                    });
                    match visit.await {
                        Ok(count) => {
                            let count = count.expect("a user was logged out");
                            let (least, most) = (tally.acknowledged, tally.acknowledged + tally.unknown);
                            assert!((least..=most).contains(&count), "{count} of {least} to {most}");
                            // What was unknown is known now.
                            tally = Tally { acknowledged: count + 1, unknown: 0 };
                            worked.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) => {
                            assert_eq!(error.status_code(), 503, "{error:?}");
                            tally.unknown += 1;
                            failed.fetch_add(1, Ordering::SeqCst);
                            tokio::task::yield_now().await;
                        }
                    }
                }
                let count = browser.get(&store, "count").await;
                assert_eq!(count, Some(tally.acknowledged));
            });
        }
        let reaches = async |counter: &AtomicUsize, least: usize| {
            while counter.load(Ordering::SeqCst) < least {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let outage = async {
            for round in 1..=3 {
                reaches(&worked, round * 500).await;
                let failed_before = failed.load(Ordering::SeqCst);
                redis.kill();
                reaches(&failed, failed_before + 20).await;
                redis.start_again();
            }
            users.join_all().await;
        };
        tokio::time::timeout(Duration::from_secs(120), outage).await.expect("the store did not come back");
        assert!(worked.load(Ordering::SeqCst) >= 2000);
    });
}

/// Writes version 2 over version 1 while the connection is cut, and returns the version that stands then.
async fn cut_while_updating(proxy: &Proxy, site: &Site, cut: impl FnOnce(&Proxy)) -> u64 {
    site.store.destroy(&ID).await.unwrap();
    assert_eq!(site.store.create(&ID, site.record(1, 60)).await.unwrap(), Created::Created);
    cut(proxy);
    let error = site.store.update(&ID, site.record(2, 60), 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(!proxy.awaits_cut(), "nothing was cut");
    // The next call works: the connection was made again.
    let found = site.store.load(&ID).await.unwrap().unwrap();
    let (version, next) = (found.version, site.record(found.version + 1, 60));
    assert_eq!(found, site.record(version, 60), "a mixture of two records");
    assert_eq!(site.store.update(&ID, next.clone(), version).await.unwrap(), Updated::Updated);
    assert_eq!(site.store.load(&ID).await.unwrap(), Some(next));
    version
}

#[test]
fn a_connection_cut_in_the_midst_of_an_update_leaves_the_old_record_or_the_new() {
    Runner::new().block_on(async {
        let (proxy, url) = Proxy::before(&Engine::Redis.url());
        let site = Site::at(&url).await;
        // A command that was not sent whole is not carried out; its answer is of four bytes, `:1\r\n`.
        for bytes in [0, 1, 10, 100, 300] {
            assert_eq!(cut_while_updating(&proxy, &site, |proxy| proxy.cut_next_request_after(bytes)).await, 1);
        }
        for bytes in 0..4 {
            assert_eq!(cut_while_updating(&proxy, &site, |proxy| proxy.cut_next_reply_after(bytes)).await, 2);
        }
    });
}

#[test]
fn a_request_whose_connection_is_cut_counts_exactly_once() {
    Runner::new().block_on(async {
        let (proxy, url) = Proxy::before(&Engine::Redis.url());
        let site = Site::at(&url).await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("count", &0).unwrap()).await.unwrap();
        for (round, cut) in [Proxy::cut_next_request_after, Proxy::cut_next_reply_after].iter().enumerate() {
            for while_writing in [false, true] {
                let header = browser.0.cookie_header();
                let pending = store.begin(&sealed_session::RequestFacts::new().cookie_header(header.as_bytes()));
                if !while_writing {
                    cut(&proxy, 2);
                }
                let session = pending.session().await.unwrap();
                let before: u64 = session.get("count").unwrap().unwrap();
                assert_eq!(before, 2 * round as u64 + u64::from(while_writing));
                session.increment("count", 1).unwrap();
                if while_writing {
                    cut(&proxy, 2);
                }
                let _ = pending.commit(&sealed_session::ResponseFacts::new(200)).await.unwrap();
                assert!(!proxy.awaits_cut(), "nothing was cut");
            }
        }
        assert_eq!(browser.get(&store, "count").await, Some(4));
    });
}

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
fn an_answer_that_is_late_for_the_sessions_is_a_503_and_the_session_is_there_afterwards() {
    Runner::new().block_on(async {
        let (proxy, url) = Proxy::before(&Engine::Redis.url());
        let site = Site::at(&url).await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("user", &42).unwrap()).await.unwrap();
        let hasty = site.sessions().store_timeout(Duration::from_millis(50)).build().unwrap();
        proxy.delay_replies(Duration::from_millis(200));
        assert_eq!(browser.visit(&hasty, |_| ()).await.unwrap_err().status_code(), 503);
        proxy.delay_replies(Duration::ZERO);
        assert_eq!(browser.get(&store, "user").await, Some(42));
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
