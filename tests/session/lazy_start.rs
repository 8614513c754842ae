//! Behaviour, section 1: nothing begins before something is kept.

use crate::faulty_store::Call;
use crate::support::{COOKIE, Site, untouched};

#[test]
fn reading_an_empty_session_leaves_no_trace() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    let (id, commit) = browser.visit(&store, |session| {
        assert_eq!(session.get::<u64>("user").unwrap(), None);
        assert!(session.is_empty() && session.is_new() && !session.has("user").unwrap());
        session.id()
    });
    assert_eq!(id, None);
    assert!(commit.set_cookies.is_empty());
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn a_request_that_never_asks_for_its_session_gets_no_headers_and_costs_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", crate::support::text(crate::support::LARGE));
    site.records.take_calls();
    site.events.take();

    assert_eq!(browser.begin(&store).commit(), untouched());
    assert!(site.records.take_calls().is_empty());
    assert!(site.events.take().is_empty());
}

#[test]
fn a_session_that_is_asked_for_and_not_used_adds_no_header() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    assert_eq!(site.browser().visit(&store, |_| ()).1, untouched());
}

#[test]
fn writes_that_change_nothing_make_no_id() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (id, commit) = site.browser().visit(&store, |session| {
        session.forget("user").unwrap();
        assert_eq!(session.pull::<u64>("user").unwrap(), None);
        session.clear().unwrap();
        session.regenerate().unwrap();
        session.id()
    });
    assert_eq!((id, commit.set_cookies.len()), (None, 0));
}

#[test]
fn a_write_that_fails_makes_no_id() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (id, commit) = site.browser().visit(&store, |session| {
        assert!(session.put("share", &f64::NAN).is_err());
        assert!(session.put("~", &1).is_err());
        session.id()
    });
    assert_eq!((id, commit.set_cookies.len()), (None, 0));
}

#[test]
fn what_is_put_and_taken_back_is_not_kept() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, commit) = site.browser().visit(&store, |session| {
        session.put("user", &42).unwrap();
        session.forget("user").unwrap();
    });
    assert!(commit.set_cookies.is_empty());
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn each_way_to_end_a_session_is_silent_where_the_client_held_no_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let ways: [fn(&sealed_session::Session); 4] = [
        |session| session.destroy().unwrap(),
        |session| session.invalidate().unwrap(),
        |session| session.clear().unwrap(),
        |session| {
            session.put("user", &42).unwrap();
            session.destroy().unwrap();
        },
    ];
    for way in ways {
        assert!(site.browser().visit(&store, way).1.set_cookies.is_empty());
    }
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn the_store_is_asked_when_the_session_is_and_only_for_a_reference() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.visit(&store, |session| session.get::<u64>("user").unwrap());
    assert!(site.records.take_calls().is_empty());

    browser.put(&store, "cart", crate::support::text(crate::support::LARGE));
    site.records.take_calls();
    let request = browser.begin(&store);
    assert!(site.records.take_calls().is_empty());
    request.session();
    assert_eq!(site.records.take_calls(), [Call::Load]);
    assert_eq!(store.cookie_name(), COOKIE);
}
