//! An engine that answers too late.

use std::time::Duration;

use sealed_session::store::StoreError;
use sealed_session::{CommitError, PendingSession, Placement, RequestFacts, ResponseFacts, SessionManager};
use sealed_session_engine_tests::Browser;
use tokio::task::JoinSet;

use crate::site::{Kind, Served, Site, count_one_up, until};

const STORE_TIMEOUT: Duration = Duration::from_millis(200);
const REPLY_DELAY: Duration = Duration::from_millis(800);
const REQUESTS: u64 = 6;

pub(crate) fn a_slow_engine_is_a_503_loses_nothing_and_logs_nobody_out<K: Served>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let (proxy, url) = site.proxy();
        let server = hasty(&site, &url).await;
        let browser = site.visitor(&site.server().await).await;
        until("the server is connected", async || server.health().await.is_ready()).await;
        let pending = loaded(&browser, &server, REQUESTS).await;

        proxy.delay_replies(REPLY_DELAY);
        assert_eq!(browser.clone().visit(&server, |_| ()).await.unwrap_err().status_code(), 503);
        commit_in_vain(pending).await;

        proxy.delay_replies(Duration::ZERO);
        works_again(&browser, &server, REQUESTS).await;
    });
}

/// Connected through a proxy or not: a server that does not wait for long.
pub(crate) async fn hasty<K: Kind>(site: &Site<K>, url: &str) -> SessionManager {
    let server = site.server_at(url).await.placement(Placement::StoreOnly);
    server.store_timeout(STORE_TIMEOUT).build().unwrap()
}

/// Requests that have loaded their session, and count it up.
pub(crate) async fn loaded(browser: &Browser, server: &SessionManager, requests: u64) -> Vec<PendingSession> {
    let mut loaded = Vec::new();
    for _ in 0..requests {
        let header = browser.jar.cookie_header();
        let pending = server.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        let mut session = None;
        // The first may have to connect, which may take longer than the server waits.
        until("a session is loaded", async || {
            session = pending.session().await.ok();
            session.is_some()
        })
        .await;
        assert!(count_one_up(&session.unwrap()).is_some());
        loaded.push(pending);
    }
    loaded
}

/// All at once: each waits as long as the server does.
pub(crate) async fn commit_in_vain(pending: Vec<PendingSession>) {
    let mut commits = JoinSet::new();
    for pending in pending {
        commits.spawn(async move {
            pending.commit(&ResponseFacts::new(200)).await.map(drop).map_err(|failed| failed.error)
        });
    }
    for committed in commits.join_all().await {
        let error = committed.unwrap_err();
        assert_eq!(error.status_code(), 503);
        assert!(matches!(error, CommitError::Store(StoreError::Timeout { .. })), "{error:?}");
    }
}

/// Of so many increments that were answered too late the session has counted some or none, and it goes on from there.
pub(crate) async fn works_again(browser: &Browser, server: &SessionManager, too_late: u64) {
    let (mut attempted, mut seen) = (too_late, None);
    until("the server answers again", async || {
        attempted += 1;
        let visited = browser.clone().visit(server, count_one_up).await;
        seen = visited.map_err(|failed| assert!(matches!(failed.status_code(), 503 | 409), "{failed:?}")).ok();
        seen.is_some()
    })
    .await;
    let seen = seen.flatten().expect("the user was logged out");
    assert!(seen < attempted, "{seen} of {attempted} were counted before the last");
    let count = browser.clone().get(server, "count").await.unwrap();
    assert!((seen + 1..=attempted).contains(&count), "{count} of {} to {attempted}", seen + 1);
}
