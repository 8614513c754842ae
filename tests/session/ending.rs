//! Behaviour, section 1: `destroy` and `invalidate`.

use sealed_session::SessionError;

use crate::faulty_store::Call;
use crate::support::{COOKIE, LARGE, Site, records_with_data, removes_the_cookie, text};

#[test]
fn destroy_takes_effect_on_the_handle_at_once() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.visit(&store, |session| {
        let clone = session.clone();
        session.destroy().unwrap();
        assert!(clone.is_empty() && clone.get::<u64>("user").unwrap().is_none());
        assert!(matches!(clone.put("user", &1), Err(SessionError::Destroyed)));
        assert!(matches!(clone.csrf_token(), Err(SessionError::Destroyed)));
        assert!(matches!(clone.regenerate(), Err(SessionError::Destroyed)));
        assert!(matches!(clone.invalidate(), Err(SessionError::Destroyed)));
        assert!(clone.destroy().is_ok());
    });
}

#[test]
fn destroy_takes_the_cookie_and_the_record_at_commit() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    request.session().destroy().unwrap();
    assert_eq!(site.records.snapshot().len(), 1);

    let commit = request.commit();
    assert!(removes_the_cookie(&commit));
    assert_eq!(records_with_data(&site.records), 0);
    browser.receive(&commit);
    assert_eq!(browser.cookie(), None);
}

#[test]
fn destroy_asks_the_store_also_for_a_session_in_its_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    // A parallel request has moved it to the store.
    let parallel = browser.begin(&store);
    parallel.session().put("cart", &text(LARGE)).unwrap();
    parallel.commit();
    assert_eq!(site.records.snapshot().len(), 1);

    browser.visit(&store, |session| session.destroy().unwrap());
    assert_eq!(records_with_data(&site.records), 0);
}

#[test]
fn destroy_of_a_session_whose_cookie_was_refused_removes_it_and_says_so() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.plant(COOKIE, &"A".repeat(200));
    let (_, commit) = browser.visit(&store, |session| session.destroy().unwrap());
    assert!(removes_the_cookie(&commit));
    assert!(site.events.take().contains(&sealed_session::events::Event::UnopenedRemoved));
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn a_destroyed_session_in_the_store_stays_gone_for_copies_of_its_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let mut copy = browser.clone();
    browser.visit(&store, |session| session.destroy().unwrap());
    assert!(copy.visit(&store, sealed_session::Session::is_empty).0);
    assert_eq!(site.events.take_reasons().last(), Some(&sealed_session::Reason::RecordMissing));
}

#[test]
fn where_the_store_is_down_a_logout_is_an_error_and_no_half_logout() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    request.session().destroy().unwrap();
    site.records.go_down();
    assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
    site.records.come_up();
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn invalidate_begins_a_session_of_its_own_with_a_farewell() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let before = site.opened(&store, &browser);
    site.clock.advance_seconds(100);
    let (token, _) = browser.visit(&store, |session| {
        let token = session.csrf_token().unwrap();
        session.invalidate().unwrap();
        session.put("notice", "goodbye").unwrap();
        token
    });
    let after = site.opened(&store, &browser);
    assert_ne!(after.public_id(), before.public_id());
    assert_eq!(after.created(), site.now());
    assert_eq!(after.payload().unwrap().keys().collect::<Vec<_>>(), ["notice"]);
    assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_err());
}

#[test]
fn invalidate_without_a_farewell_removes_the_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    assert!(removes_the_cookie(&browser.visit(&store, |session| session.invalidate().unwrap()).1));
    assert_eq!(records_with_data(&site.records), 0);

    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    assert!(!token.is_empty());
    assert!(removes_the_cookie(&browser.visit(&store, |session| session.invalidate().unwrap()).1));
}

#[test]
fn invalidate_leaves_no_grace_and_regenerating_after_it_gives_none_back() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for regenerates_too in [false, true] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(LARGE));
        let mut copy = browser.clone();
        site.records.take_calls();
        browser.visit(&store, |session| {
            session.invalidate().unwrap();
            session.put("notice", "goodbye").unwrap();
            if regenerates_too {
                session.regenerate().unwrap();
            }
        });
        assert_eq!(site.records.take_calls(), [Call::Load, Call::Update]);
        assert!(copy.visit(&store, sealed_session::Session::is_empty).0);
    }
}

#[test]
fn a_lifetime_that_was_asked_for_ends_with_invalidate() {
    let site = Site::new();
    let store = site.cookie_only().clear_with_browser(true).build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        session.put("user", &42).unwrap();
        session.remember(std::time::Duration::from_secs(86_400)).unwrap();
    });
    browser.visit(&store, |session| {
        session.invalidate().unwrap();
        session.put("notice", "goodbye").unwrap();
    });
    assert!(site.opened(&store, &browser).is_browser_session());
}
