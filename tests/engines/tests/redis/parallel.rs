//! Requests of one session at the same time, as many as Redis takes, through whole cycles of load and commit. What else holds
//! of them stands in `tests/faults`, for every engine.

use sealed_session::SessionManager;
use sealed_session_engine_tests::{Browser, Runner};
use tokio::task::JoinSet;

use crate::support::Site;

const TASKS: usize = 64;

/// A request that is repeated, as its error says, where it met too many others.
async fn visit_until_committed(
    browser: &mut Browser,
    store: &SessionManager,
    handle: impl Fn(&sealed_session::Session),
) {
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
