//! Requests of one session at the same time, on two servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sealed_session::{Session, SessionManager};
use sealed_session_engine_tests::Browser;
use tokio::task::JoinSet;

use crate::site::{Kind, Site, count_one_up, until};

/// Requests that must have counted before the logout.
const WRITTEN_BEFORE_LOGOUT: usize = 20;
/// Requests of each writer behind it.
const REQUESTS_AFTER_LOGOUT: usize = 10;

/// A request that is repeated, as its error says, where it met too many others.
async fn visit_until_committed(browser: &mut Browser, server: &SessionManager, handle: impl Fn(&Session)) {
    while let Err(failed) = browser.visit(server, &handle).await {
        assert_eq!(failed.status_code(), 409, "{failed:?}");
    }
}

pub(crate) fn keys_that_different_requests_write_all_survive<K: Kind>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let servers = [site.server().await, site.server().await];
        let mut browser = site.visitor(&servers[0]).await;
        let mut requests = JoinSet::new();
        for (number, server) in (0..K::PARALLEL_REQUESTS).zip(servers.iter().cycle()) {
            let (server, mut browser) = (server.clone(), browser.clone());
            requests.spawn(async move {
                visit_until_committed(&mut browser, &server, |session| {
                    session.put(format!("key{number}"), &number).unwrap();
                })
                .await;
            });
        }
        requests.join_all().await;
        assert_eq!(browser.get(&servers[1], "count").await, Some(0));
        for number in 0..K::PARALLEL_REQUESTS {
            assert_eq!(browser.get(&servers[1], &format!("key{number}")).await, Some(number as u64));
        }
    });
}

pub(crate) fn a_logout_in_the_midst_of_writes_is_final<K: Kind>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let servers = [site.server().await, site.server().await];
        let mut browser = site.visitor(&servers[0]).await;
        let (copy, written) = (browser.clone(), Arc::new(AtomicUsize::new(0)));
        let is_logged_out = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for server in servers.iter().cycle().take(8.min(K::PARALLEL_REQUESTS)) {
            let (server, browser) = (server.clone(), browser.clone());
            let (written, is_logged_out) = (written.clone(), is_logged_out.clone());
            writers.spawn(async move {
                // Each request has the cookie of the session that is ended, whatever the one before it got. What was underway
                // when the session ended must not bring it back, at its end or later.
                let mut requests_after = 0;
                while requests_after < REQUESTS_AFTER_LOGOUT {
                    let is_after = is_logged_out.load(Ordering::SeqCst);
                    requests_after += usize::from(is_after);
                    match browser.clone().visit(&server, count_one_up).await {
                        Ok(Some(_)) => {
                            assert!(!is_after, "the session is back");
                            written.fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(None) => {}
                        Err(failed) => assert_eq!(failed.status_code(), 409, "{failed:?}"),
                    }
                }
            });
        }
        until("the writers write", async || written.load(Ordering::SeqCst) >= WRITTEN_BEFORE_LOGOUT).await;
        browser.visit(&servers[1], |session| session.destroy().unwrap()).await.unwrap();
        is_logged_out.store(true, Ordering::SeqCst);
        writers.join_all().await;
        for server in &servers {
            assert_eq!(copy.clone().get(server, "count").await, None);
        }
    });
}
