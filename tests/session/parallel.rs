//! Behaviour, section 7: requests of one session at the same time, on threads of their own.

use sealed_session::CommitError;

use crate::support::{LARGE, Site, text};

const TASKS: usize = 8;
const TIMES: usize = 25;

#[test]
fn no_increment_of_parallel_requests_is_lost() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    std::thread::scope(|scope| {
        for task in 0..TASKS {
            let (browser, store) = (browser.clone(), store.clone());
            scope.spawn(move || {
                for _ in 0..TIMES {
                    // A task whose tries ran out repeats its request.
                    loop {
                        let request = browser.begin(&store);
                        request.session().increment("all", 1).unwrap();
                        request.session().increment(format!("task{task}"), 1).unwrap();
                        match request.try_commit().map_err(|failed| failed.error) {
                            Ok(_) => break,
                            Err(error) => assert!(matches!(error, CommitError::Conflict), "{error}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(browser.get(&store, "all"), Some((TASKS * TIMES) as u64));
    for task in 0..TASKS {
        assert_eq!(browser.get(&store, &format!("task{task}")), Some(TIMES as u64));
    }
}
