//! An engine that goes away under load and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use sealed_session::{Placement, SessionManager};
use sealed_session_engine_tests::{Browser, PrivateEngine, Proxy};
use tokio::task::JoinSet;

use crate::site::{Served, Site, count_one_up, until};

const SESSIONS: usize = 4;
/// Requests of each session at once.
const TABS: usize = 2;
const OUTAGES: usize = 2;
/// Requests that must have been answered between two outages.
const WORKED_BETWEEN: usize = 60;
/// Requests that must have failed in each.
const FAILED_WITHIN: usize = 12;

/// What goes away and comes back.
pub(crate) trait Outage {
    fn begin(&mut self);
    fn end(&mut self);
}

impl Outage for PrivateEngine {
    fn begin(&mut self) {
        self.kill();
    }

    fn end(&mut self) {
        self.start_again();
    }
}

impl Outage for Proxy {
    fn begin(&mut self) {
        self.close();
    }

    fn end(&mut self) {
        self.reopen();
    }
}

pub(crate) fn an_engine_killed_and_started_again_under_load_loses_no_write_and_logs_nobody_out<K: Served>() {
    let (mut engine, site) = Site::<K>::private();
    let url = site.url.clone();
    loses_nothing(&site, &url, &mut engine);
}

pub(crate) fn an_engine_cut_off_and_reached_again_under_load_loses_no_write_and_logs_nobody_out<K: Served>() {
    let site = Site::<K>::new();
    let (mut proxy, url) = Proxy::before(&site.url);
    loses_nothing(&site, &url, &mut proxy);
}

/// One session's count, as the requests know it.
#[derive(Default)]
struct Tally {
    attempted: AtomicU64,
    acknowledged: AtomicU64,
}

#[derive(Default)]
struct Load {
    worked: AtomicUsize,
    failed: AtomicUsize,
    is_over: AtomicBool,
}

fn loses_nothing<K: Served>(site: &Site<K>, url: &str, outage: &mut impl Outage) {
    site.block_on(async {
        let server = site.server_at(url).await.placement(Placement::StoreOnly);
        let server = server.store_timeout(Duration::from_secs(1)).build().unwrap();
        let (load, mut tabs, mut sessions) = (Arc::new(Load::default()), JoinSet::new(), Vec::new());
        for _ in 0..SESSIONS {
            let (browser, tally) = (site.visitor(&server).await, Arc::new(Tally::default()));
            for _ in 0..TABS {
                tabs.spawn(use_tab(server.clone(), browser.clone(), tally.clone(), load.clone()));
            }
            sessions.push((browser, tally));
        }
        for _ in 0..OUTAGES {
            rises(&load.worked, WORKED_BETWEEN, &mut tabs).await;
            outage.begin();
            rises(&load.failed, FAILED_WITHIN, &mut tabs).await;
            outage.end();
        }
        rises(&load.worked, WORKED_BETWEEN, &mut tabs).await;
        load.is_over.store(true, Ordering::SeqCst);
        tabs.join_all().await;
        for (mut browser, tally) in sessions {
            let count = browser.get(&server, "count").await.expect("a user was logged out");
            tally.assert_counts(tally.acknowledged.load(Ordering::SeqCst), count);
        }
    });
}

/// Waits until there are so many more.
async fn rises(counter: &AtomicUsize, by: usize, tabs: &mut JoinSet<()>) {
    let begun = counter.load(Ordering::SeqCst);
    until("requests are answered, or fail", async || {
        if let Some(ended) = tabs.try_join_next() {
            ended.expect("a tab goes on until it is told to end");
        }
        counter.load(Ordering::SeqCst) >= begun + by
    })
    .await;
}

/// Counts one up, again and again, and looks at what was counted before.
async fn use_tab(server: SessionManager, mut browser: Browser, tally: Arc<Tally>, load: Arc<Load>) {
    while !load.is_over.load(Ordering::SeqCst) {
        let acknowledged = tally.acknowledged.load(Ordering::SeqCst);
        tally.attempted.fetch_add(1, Ordering::SeqCst);
        match browser.visit(&server, count_one_up).await {
            Ok(count) => {
                tally.acknowledged.fetch_add(1, Ordering::SeqCst);
                load.worked.fetch_add(1, Ordering::SeqCst);
                tally.assert_counts(acknowledged, count.expect("a user was logged out"));
            }
            Err(failed) if failed.status_code() == 503 => {
                load.failed.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
            // The tabs of a session meet: the client is to try again.
            Err(failed) => assert_eq!(failed.status_code(), 409, "{failed:?}"),
        }
    }
}

impl Tally {
    /// Each increment that was acknowledged is there, and none that nobody asked for.
    fn assert_counts(&self, acknowledged: u64, count: u64) {
        let attempted = self.attempted.load(Ordering::SeqCst);
        assert!((acknowledged..=attempted).contains(&count), "{count} of {acknowledged} to {attempted}");
    }
}
