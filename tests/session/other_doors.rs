//! Behaviour, section 9: a session outside of a request, and without async.

use pollster::block_on;
use sealed_session::{CommitError, FailedCommit, LoadError, RequestFacts, ResponseFacts, SessionError};

use crate::support::{LARGE, Site, text};

#[test]
fn outside_of_a_request_a_session_is_read_and_never_written() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    for large in [false, true] {
        if large {
            browser.put(&store, "cart", text(LARGE));
        }
        site.records.take_calls();
        let header = browser.cookie_header();
        let facts = RequestFacts::new().cookie_header(header.as_bytes());
        let session = block_on(store.read_only(&facts)).unwrap().unwrap();
        assert_eq!(session.get("user").unwrap(), Some(42));
        assert!(matches!(session.put("user", &43), Err(SessionError::ReadOnly)));
        assert!(matches!(session.destroy(), Err(SessionError::ReadOnly)));
        block_on(session.save()).unwrap();
        assert_eq!(site.records.take_calls().len(), usize::from(large), "one load and nothing else");
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}

#[test]
fn outside_of_a_request_there_is_no_session_without_a_good_cookie() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    assert!(block_on(store.read_only(&RequestFacts::new())).unwrap().is_none());
    let forged = RequestFacts::new().cookie_header(b"__Host-session=AQ");
    assert!(block_on(store.read_only(&forged)).unwrap().is_none());
}

#[test]
fn a_store_that_is_down_is_told_outside_of_a_request_too() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.go_down();
    let header = browser.cookie_header();
    let facts = RequestFacts::new().cookie_header(header.as_bytes());
    assert!(matches!(block_on(store.read_only(&facts)), Err(LoadError::Store(_))));
}

#[test]
fn without_a_store_nothing_needs_an_async_runtime() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let pending = browser.begin(&store).0;
    pending.session_now().unwrap().put("user", &42).unwrap();
    let commit = pending.commit_now(&ResponseFacts::new(200)).unwrap();
    browser.receive(&commit);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_store_that_has_to_be_waited_for_is_an_error_without_async() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.go_slow();
    let pending = browser.begin(&store).0;
    let error = pending.session_now().unwrap_err();
    assert!(error.to_string().contains("async runtime"), "{error}");
    let pending = site.browser().begin(&store).0;
    pending.session_now().unwrap().put("cart", &text(LARGE)).unwrap();
    assert!(matches!(
        pending.commit_now(&ResponseFacts::new(200)),
        Err(FailedCommit { error: CommitError::Store(_), .. })
    ));
}
