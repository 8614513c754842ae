//! Behaviour, section 1: the handle of a request, and when it is too late.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use sealed_session::events::Event;
use sealed_session::{PendingSession, Session, SessionError, SessionManager};

use crate::browser::Response;
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

#[test]
fn clones_of_a_handle_and_of_a_pending_session_are_one_session() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let request = browser.begin(&store);
    let (first, second) = (request.session(), pollster::block_on(request.0.clone().session()).unwrap());
    first.put("user", &42).unwrap();
    assert_eq!(second.get("user").unwrap(), Some(42));
    browser.receive(&request.commit());
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn two_tasks_that_ask_at_the_same_moment_get_one_session() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    site.records.go_slow();
    let (mut first, mut second) = (pin!(request.0.session()), pin!(request.0.session()));
    assert!(first.as_mut().poll(&mut context()).is_pending());
    assert!(second.as_mut().poll(&mut context()).is_pending());

    let (first, second) = (pollster::block_on(first).unwrap(), pollster::block_on(second).unwrap());
    first.put("user", &42).unwrap();
    assert_eq!(second.get("user").unwrap(), Some(42));
    browser.receive(&request.commit());
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_session_whose_load_ends_after_the_commit_is_not_written() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    site.records.go_slow();
    let mut asked = pin!(request.0.session());
    assert!(asked.as_mut().poll(&mut context()).is_pending());
    assert_eq!(request.commit(), Response::default());
    let session = pollster::block_on(asked).unwrap();
    assert!(session.has("cart").unwrap());
    assert!(matches!(session.put("user", &42), Err(SessionError::Committed)));
}

#[test]
fn a_write_after_the_commit_is_an_error_and_told() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let browser = site.browser();
    let request = browser.begin(&store);
    let session = request.session();
    session.put("user", &42).unwrap();
    let id = session.id();
    request.commit();
    site.events.take();

    assert!(matches!(session.put("user", &43), Err(SessionError::Committed)));
    assert_eq!(site.events.take(), [Event::WriteAfterCommit { id }]);
    for refused in [session.destroy(), session.clear(), session.regenerate(), session.invalidate()] {
        assert!(matches!(refused, Err(SessionError::Committed)));
    }
    assert_eq!(session.get("user").unwrap(), Some(42));
}

#[test]
fn a_session_that_is_asked_for_after_the_commit_can_be_read_and_not_written() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let request = browser.begin(&store);
    request.commit();
    let session = request.session();
    assert_eq!(session.get("user").unwrap(), Some(42));
    assert!(matches!(session.put("user", &43), Err(SessionError::Committed)));
}

#[test]
fn a_second_commit_is_empty_and_writes_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let request = site.browser().begin(&store);
    request.session().put("cart", &text(LARGE)).unwrap();
    assert_eq!(request.commit().set_cookies.len(), 1);
    assert_eq!(request.commit(), Response::default());
    assert_eq!(site.records.take_calls(), [Call::Create]);
}

#[test]
fn a_destroyed_handle_stays_destroyed_after_the_commit() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let request = browser.begin(&store);
    let session = request.session();
    session.destroy().unwrap();
    request.commit();
    assert!(matches!(session.put("user", &1), Err(SessionError::Destroyed)));
    assert!(session.is_empty());
}

#[test]
fn a_request_that_is_dropped_writes_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let request = site.browser().begin(&store);
    request.session().put("cart", &text(LARGE)).unwrap();
    drop(request);
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn a_load_that_failed_is_tried_again_when_it_is_asked_for_again() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    site.records.go_down();
    assert!(request.try_session().is_err());
    site.records.come_up();
    assert_eq!(request.session().get("user").unwrap(), Some(42));
}

#[test]
fn handles_and_futures_travel_between_threads_and_a_session_in_its_cookie_never_waits() {
    fn travels<T: Send + Sync + Clone + 'static>() {}
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    travels::<Session>();
    travels::<PendingSession>();
    travels::<SessionManager>();

    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    assert!(pin!(is_send(request.0.session())).poll(&mut context()).is_ready());
    let facts = sealed_session::ResponseFacts::new(200);
    assert!(pin!(is_send(request.0.commit(&facts))).poll(&mut context()).is_ready());
}

#[test]
fn what_is_shown_for_debugging_holds_no_data() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("secret-key", "secret-value").unwrap();
    for shown in [format!("{session:?}"), format!("{:?}", request.0), format!("{store:?}")] {
        assert!(!shown.contains("secret-"), "{shown}");
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
