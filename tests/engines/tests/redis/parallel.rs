//! Requests of one session at the same time, through whole cycles of load and commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sealed_session::CookieStore;
use sealed_session_engine_tests::Runner;
use tokio::task::JoinSet;

use crate::support::{Browser, Site};

const TASKS: usize = 64;

/// A request that is repeated, as its error says, where it met too many others.
async fn visit_until_committed(browser: &mut Browser, store: &CookieStore, handle: impl Fn(&sealed_session::Session)) {
    while let Err(failed) = browser.visit(store, &handle).await {
        assert_eq!(failed.status_code(), 409, "{failed:?}");
    }
}

#[test]
fn of_64_tasks_with_200_increments_each_none_is_lost() {
    const TIMES: usize = 200;
    Runner::new().block_on(async {
        let site = Site::new().await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("count", &0).unwrap()).await.unwrap();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let (store, mut browser) = (store.clone(), browser.clone());
            tasks.spawn(async move {
                for _ in 0..TIMES {
                    visit_until_committed(&mut browser, &store, |session| {
                        session.increment("count", 1).unwrap();
                        session.increment(format!("task{task}"), 1).unwrap();
                    })
                    .await;
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(browser.get(&store, "count").await, Some(12_800));
        for task in 0..TASKS {
            assert_eq!(browser.get(&store, &format!("task{task}")).await, Some(TIMES as u64));
        }
    });
}

#[test]
fn keys_that_different_requests_write_all_survive() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("user", &42).unwrap()).await.unwrap();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let (store, mut browser) = (store.clone(), browser.clone());
            tasks.spawn(async move {
                visit_until_committed(&mut browser, &store, |session| {
                    session.put(format!("key{task}"), &task).unwrap();
                })
                .await;
            });
        }
        tasks.join_all().await;
        assert_eq!(browser.get(&store, "user").await, Some(42));
        for task in 0..TASKS {
            assert_eq!(browser.get(&store, &format!("key{task}")).await, Some(task as u64));
        }
    });
}

#[test]
fn a_logout_in_the_midst_of_writes_is_final() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        browser.visit(&store, |session| session.put("user", &42).unwrap()).await.unwrap();
        let (stolen, written) = (browser.clone(), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (store, browser, written) = (store.clone(), browser.clone(), Arc::clone(&written));
            tasks.spawn(async move {
                loop {
                    // Each request has the cookie of the session that is ended, whatever the one before it got.
                    let mut browser = browser.clone();
                    let seen = browser.visit(&store, |session| {
                        let user: Option<u64> = session.get("user").unwrap();
                        if user.is_some() {
                            session.increment("count", 1).unwrap();
                        }
                        user
                    });
                    match seen.await {
                        Ok(Some(42)) => written.fetch_add(1, Ordering::SeqCst),
                        Ok(_) => return,
                        Err(failed) => {
                            assert_eq!(failed.status_code(), 409, "{failed:?}");
                            continue;
                        }
                    };
                }
            });
        }
        while written.load(Ordering::SeqCst) < 50 {
            tokio::task::yield_now().await;
        }
        browser.visit(&store, |session| session.destroy().unwrap()).await.unwrap();
        tasks.join_all().await;
        for _ in 0..10 {
            let mut stolen = stolen.clone();
            assert_eq!(stolen.get(&store, "user").await, None);
        }
    });
}
