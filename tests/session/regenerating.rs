//! Behaviour, sections 1 and 7: a new id for a session that lives on.

use sealed_session::Session;
use sealed_session::events::Event;

use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

#[test]
fn regenerate_keeps_data_and_birth_and_changes_the_id() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let before = site.opened(&store, &browser);
    site.clock.advance_seconds(100);
    let (at_once, _) = browser.visit(&store, |session| {
        session.regenerate().unwrap();
        session.id()
    });
    let after = site.opened(&store, &browser);
    assert_ne!(after.public_id(), before.public_id());
    assert_eq!(at_once, Some(after.public_id()));
    assert_eq!(after.created(), before.created());
    assert_eq!(after.payload(), before.payload());
}

#[test]
fn tokens_of_the_old_id_die_with_it() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (old, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    let (new, _) = browser.visit(&store, |session| {
        session.regenerate().unwrap();
        assert!(session.verify_csrf(Some(&old)).is_err());
        session.csrf_token().unwrap()
    });
    browser.visit(&store, |session| {
        assert!(session.verify_csrf(Some(&old)).is_err());
        assert!(session.verify_csrf(Some(&new)).is_ok());
    });
}

#[test]
fn a_login_begins_the_absolute_lifetime_again() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", [7]);
    site.clock.advance_seconds(1000);
    browser.visit(&store, |session| {
        session.regenerate_and_reset_lifetime().unwrap();
        assert_eq!(session.created_at(), site.now());
        session.put("user", &42).unwrap();
    });
    assert_eq!(site.opened(&store, &browser).created(), site.now());
    assert_eq!(browser.visit(&store, |session| session.get::<Vec<u8>>("cart").unwrap()).0, Some(vec![7]));
}

#[test]
fn the_old_record_is_closed_after_the_new_one_is_written() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.take_calls();
    browser.visit(&store, |session| session.regenerate().unwrap());
    assert_eq!(site.records.take_calls(), [Call::Load, Call::Create, Call::Update]);
    assert_eq!(site.records.snapshot().len(), 2);
}

/// The store dies after each of its answers in turn; afterwards the session is the old or the new one, whole.
#[track_caller]
fn survives_a_store_that_dies_at_any_call(change: fn(&Session), is_whole: fn(&Session) -> bool) {
    for answers in 0..6 {
        let site = Site::new();
        let store = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        browser.put(&store, "cart", text(LARGE));
        let request = browser.begin(&store);
        change(&request.session());
        site.records.go_down_after(answers);
        let outcome = request.try_commit();
        site.records.come_up();
        if let Ok(commit) = &outcome {
            browser.receive(commit);
        }
        // Beyond every grace.
        site.clock.advance_seconds(200);
        let (whole, _) = browser.visit(&store, |session| {
            assert_eq!(session.get::<u64>("user").unwrap(), Some(42), "after {answers} answers");
            is_whole(session)
        });
        assert_eq!(whole, outcome.is_ok(), "after {answers} answers");
    }
}

#[test]
fn a_store_that_dies_while_a_session_regenerates_leaves_the_old_or_the_new_one() {
    let login = |session: &Session| {
        session.regenerate().unwrap();
        session.put("role", &1).unwrap();
    };
    survives_a_store_that_dies_at_any_call(login, |session| session.has("role").unwrap());
}

#[test]
fn a_store_that_dies_while_a_session_is_written_leaves_the_old_or_the_new_state() {
    survives_a_store_that_dies_at_any_call(
        |session| session.put("role", &1).unwrap(),
        |session| session.has("role").unwrap(),
    );
}

#[test]
fn a_store_that_dies_while_a_session_returns_to_its_cookie_leaves_it_there_or_here() {
    survives_a_store_that_dies_at_any_call(
        |session| session.forget("cart").unwrap(),
        |session| !session.has("cart").unwrap(),
    );
}

#[test]
fn a_store_that_dies_while_a_session_regenerates_into_its_cookie_leaves_the_old_or_the_new_one() {
    let shrink = |session: &Session| {
        session.regenerate().unwrap();
        session.forget("cart").unwrap();
    };
    survives_a_store_that_dies_at_any_call(shrink, |session| !session.has("cart").unwrap());
}

#[test]
fn what_nobody_will_ever_refer_to_is_tidied_up() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let login = browser.begin(&store);
    login.session().regenerate().unwrap();
    browser.visit(&store, |session| session.destroy().unwrap());
    // The session ended while it got a new id: its data stay gone, and nothing else was to be kept.
    let response = login.commit();
    browser.receive(&response);
    assert_eq!(browser.cookie(), None);
    assert_eq!(crate::support::records_with_data(&site.records), 0);
}

#[test]
fn a_write_in_parallel_to_a_regeneration_is_in_the_new_session() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let login = browser.begin(&store);
    login.session().regenerate().unwrap();
    browser.put(&store, "user", 42);
    let response = login.commit();
    browser.receive(&response);
    assert_eq!(browser.get(&store, "user"), Some(42));
    assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0);
}

#[test]
fn the_migration_is_told_with_both_public_ids() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let from = site.opened(&store, &browser).public_id();
    site.events.take();
    browser.visit(&store, |session| session.regenerate().unwrap());
    let to = site.opened(&store, &browser).public_id();
    assert!(site.events.take().contains(&Event::Migrated { from, to }));
}
