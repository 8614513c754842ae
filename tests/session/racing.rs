//! Behaviour, section 9 and the handle's own promise: threads that share a request's session.

use std::sync::Barrier;
use std::thread;

use sealed_session::{Session, SessionError};

use crate::support::Site;

const THREADS: usize = 8;

#[test]
fn a_handle_in_several_threads_is_one_session() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let session = session.clone();
                scope.spawn(move || {
                    for _ in 0..1000 {
                        session.increment("hits", 1).unwrap();
                    }
                });
            }
        });
    });
    assert_eq!(browser.get(&store, "hits"), Some(8000));
}

#[test]
fn threads_that_begin_a_session_together_begin_one() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    for _ in 0..50 {
        let request = site.browser().begin(&store);
        let start = Barrier::new(THREADS);
        let ids: Vec<_> = thread::scope(|scope| {
            let spawned: Vec<_> = (0..THREADS)
                .map(|number| {
                    let (request, start) = (&request, &start);
                    scope.spawn(move || {
                        start.wait();
                        let session = request.session();
                        session.put(format!("key{number}").as_str(), &number).unwrap();
                        session.id()
                    })
                })
                .collect();
            spawned.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| id.is_some() && *id == ids[0]));
        assert_eq!(request.session().all().len(), THREADS);
    }
}

#[test]
fn commits_that_race_write_once_and_one_at_least_has_the_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for _ in 0..50 {
        let request = site.browser().begin(&store);
        request.session().put("cart", &crate::support::text(crate::support::LARGE)).unwrap();
        let records = crate::support::records_with_data(&site.records);
        let start = Barrier::new(THREADS);
        let cookies: usize = thread::scope(|scope| {
            let commit = || {
                start.wait();
                request.try_commit().map_or(0, |response| response.set_cookies.len())
            };
            let spawned: Vec<_> = (0..THREADS).map(|_| scope.spawn(commit)).collect();
            spawned.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(cookies >= 1);
        assert_eq!(crate::support::records_with_data(&site.records), records + 1);
    }
}

/// Writes until it is too late, and tells how often it was in time.
fn write_until_refused(session: &Session, key: &str) -> u64 {
    let mut written = 0;
    while session.increment(key, 1).is_ok() {
        written += 1;
    }
    assert!(matches!(session.increment(key, 1), Err(SessionError::Committed)));
    written
}

#[test]
fn a_write_that_races_the_commit_is_in_the_cookie_or_an_error_to_its_writer() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    for _ in 0..50 {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        let request = browser.begin(&store);
        let session = request.session();
        let start = Barrier::new(THREADS + 1);
        let (written, response) = thread::scope(|scope| {
            let spawned: Vec<_> = (0..THREADS)
                .map(|number| {
                    let (session, start) = (session.clone(), &start);
                    scope.spawn(move || {
                        start.wait();
                        write_until_refused(&session, &format!("key{number}"))
                    })
                })
                .collect();
            start.wait();
            let response = request.commit();
            (spawned.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>(), response)
        });
        browser.receive(&response);
        for (number, written) in written.into_iter().enumerate() {
            assert_eq!(browser.get(&store, &format!("key{number}")).unwrap_or_default(), written);
        }
    }
}
