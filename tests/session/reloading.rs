//! Behaviour, sections 1 and 9: reading a session again in the middle of its request.

use pollster::block_on;
use sealed_session::{Reason, StoreFailure};

use crate::saving::{reload, save};
use crate::support::{LARGE, Site, removes_the_cookie, text};

#[test]
fn reload_forgets_what_was_not_saved() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for bytes in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(bytes));
        let id = site.opened(&store, &browser).public_id();
        let (_, response) = browser.visit(&store, |session| {
            session.put("user", &42).unwrap();
            session.flash("notice", "saved").unwrap();
            session.regenerate().unwrap();
            reload(session);
            assert!(!session.has("user").unwrap() && session.has("cart").unwrap() && !session.is_dirty());
            assert_eq!(session.id(), Some(id));
        });
        assert!(response.set_cookies.is_empty());
    }
}

#[test]
fn reload_of_a_session_without_a_cookie_makes_it_empty_again() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (_, response) = site.browser().visit(&store, |session| {
        session.put("user", &42).unwrap();
        reload(session);
        assert!(session.is_empty() && session.is_new() && session.id().is_none());
    });
    assert!(response.set_cookies.is_empty());
}

#[test]
fn reload_reads_what_another_request_wrote_to_the_store() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    let session = request.session();
    browser.put(&store, "step", 1);
    assert!(!session.has("step").unwrap());
    reload(&session);
    assert_eq!(session.get("step").unwrap(), Some(1));

    // And writes over it without a conflict.
    session.increment("step", 1).unwrap();
    browser.receive(&request.commit());
    assert_eq!(browser.get(&store, "step"), Some(2));
}

#[test]
fn reload_after_a_save_finds_what_was_saved() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for bytes in [1, LARGE] {
        let mut browser = site.browser();
        let (_, response) = browser.visit(&store, |session| {
            session.put("cart", &text(bytes)).unwrap();
            save(session);
            session.put("lost", &1).unwrap();
            reload(session);
            assert!(session.has("cart").unwrap() && !session.has("lost").unwrap());
            session.put("kept", &7).unwrap();
        });
        assert_eq!(response.set_cookies.len(), 1);
        assert_eq!(browser.get(&store, "kept"), Some(7));
        assert_eq!(browser.get(&store, "lost"), None);
    }
}

#[test]
fn reload_after_the_save_of_an_emptied_session_finds_none_and_refuses_no_cookie() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let (_, response) = browser.visit(&store, |session| {
        session.clear().unwrap();
        save(session);
        site.events.take();
        reload(session);
        assert_eq!(site.events.take_reasons(), [Reason::Absent]);
        assert!(session.is_empty());
    });
    assert!(removes_the_cookie(&response));
}

#[test]
fn messages_that_were_read_before_a_reload_are_used_up() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| session.flash("notice", "saved").unwrap());
    browser.visit(&store, |session| {
        assert!(session.flash_messages().has("notice"));
        reload(session);
    });
    let (is_read_again, _) = browser.visit(&store, |session| session.flash_messages().has("notice"));
    assert!(!is_read_again);
}

#[test]
fn a_store_that_is_down_at_reload_is_an_error_and_the_session_goes_on_as_it_was() {
    for policy in [StoreFailure::FailClosed, StoreFailure::Ephemeral] {
        let site = Site::new();
        let store = site.with_records().on_store_failure(policy).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "cart", text(LARGE));
        browser.visit(&store, |session| {
            session.put("user", &42).unwrap();
            site.records.go_down();
            assert!(block_on(session.reload()).is_err(), "{policy:?}");
            site.records.come_up();
            assert!(session.has("cart").unwrap() && session.has("user").unwrap());
        });
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}

#[test]
fn a_logout_holds_whatever_is_read_again() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let parallel = browser.clone();
    let (_, response) = browser.visit(&store, |session| {
        session.destroy().unwrap();
        parallel.clone().visit(&store, |session| session.destroy().unwrap());
        assert!(matches!(pollster::block_on(session.reload()), Err(sealed_session::LoadError::Ended)));
        assert!(session.is_empty() && session.put("user", &1).is_err());
    });
    assert!(removes_the_cookie(&response));
}

#[test]
fn a_message_that_another_request_left_before_a_reload_is_not_lost() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    let session = request.session();
    assert!(session.flash_messages().is_empty());
    browser.visit(&store, |session| session.flash("notice", "saved").unwrap());
    reload(&session);
    session.put("step", &1).unwrap();
    browser.receive(&request.commit());
    assert!(browser.visit(&store, |session| session.flash_messages().has("notice")).0);
}
