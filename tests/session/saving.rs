//! Behaviour, sections 1 and 9: saving before the response is due, and reading again.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use pollster::block_on;
use sealed_session::events::Event;
use sealed_session::{CommitError, Placement, Session};
use serde_json::json;

use crate::browser::{Request, Response};
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, line, records_with_data, removes_the_cookie, text};

pub(crate) fn save(session: &Session) {
    block_on(session.save()).unwrap();
}

pub(crate) fn reload(session: &Session) {
    block_on(session.reload()).unwrap();
}

/// The response of a request whose handler does this.
fn answered(request: &Request, handle: impl FnOnce(&Session)) -> Response {
    handle(&request.session());
    request.commit()
}

#[test]
fn what_was_saved_goes_out_with_the_response() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for bytes in [1, LARGE] {
        let mut browser = site.browser();
        browser.visit(&store, |session| {
            session.put("cart", &text(bytes)).unwrap();
            assert!(session.is_dirty());
            save(session);
            assert!(!session.is_dirty());
        });
        let (cart, _) = browser.visit(&store, |session| session.get::<String>("cart").unwrap());
        assert_eq!(cart, Some(text(bytes)));
    }
}

#[test]
fn what_was_saved_is_written_once() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("cart", &text(LARGE)).unwrap();
    save(&session);
    save(&session);
    assert_eq!(line(&request.commit()).matches("__Host-session=").count(), 1);
    assert_eq!(site.records.take_calls(), [Call::Create]);
}

#[test]
fn a_change_after_a_save_is_written_with_the_response() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for bytes in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(bytes));
        let version = |site: &Site| site.records.snapshot().values().map(|record| record.version).max();
        let mut versions = vec![version(&site)];
        browser.visit(&store, |session| {
            for step in 1..=3 {
                session.put("step", &step).unwrap();
                save(session);
                versions.push(version(&site));
            }
            session.put("step", &4).unwrap();
        });
        versions.push(version(&site));
        assert_eq!(browser.get(&store, "step"), Some(4));
        if bytes == LARGE {
            assert!(versions.is_sorted_by(|before, after| before < after), "{versions:?}");
        }
    }
}

#[test]
fn a_save_of_an_unused_session_leaves_no_trace() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let response = answered(&site.browser().begin(&store), save);
    assert!(response.set_cookies.is_empty());
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn a_save_moves_a_session_between_cookie_and_store_and_back_in_one_request() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        for bytes in [1, LARGE, 2, LARGE, 3] {
            session.put("cart", &text(bytes)).unwrap();
            save(session);
        }
    });
    let (cart, _) = browser.visit(&store, |session| session.get::<String>("cart").unwrap());
    assert_eq!(cart, Some(text(3)));
}

#[test]
fn a_save_after_a_new_id_is_followed_by_others_under_it() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let (ids, _) = browser.visit(&store, |session| {
        session.regenerate().unwrap();
        save(session);
        let first = session.id();
        session.put("step", &1).unwrap();
        save(session);
        session.regenerate().unwrap();
        (first, session.id())
    });
    assert_ne!(ids.0, ids.1);
    assert_eq!(browser.get(&store, "step"), Some(1));
    assert_eq!(Some(site.opened(&store, &browser).public_id()), ids.1);
}

#[test]
fn a_failed_save_keeps_everything_and_can_be_repeated() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        session.put("cart", &text(LARGE)).unwrap();
        session.flash("notice", "saved").unwrap();
        site.records.go_down();
        let error = block_on(session.save()).unwrap_err();
        assert_eq!(error.status_code(), 503);
        assert!(session.is_dirty() && session.has("cart").unwrap());
        site.records.come_up();
        save(session);
    });
    let (found, _) =
        browser.visit(&store, |session| session.flash_messages().has("notice") && session.has("cart").unwrap());
    assert!(found);
}

#[test]
fn a_save_that_is_too_large_keeps_old_input_and_can_be_repeated_with_less() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        session.put("cart", &text(LARGE)).unwrap();
        session.flash_input(&json!({ "name": "Zoë" })).unwrap();
        let error = block_on(session.save()).unwrap_err();
        assert!(matches!(error, CommitError::TooLarge { .. }));
        session.forget("cart").unwrap();
        save(session);
    });
    let (name, _) = browser.visit(&store, |session| session.old::<String>("name").unwrap());
    assert_eq!(name.as_deref(), Some("Zoë"));
}

#[test]
fn a_save_of_a_destroyed_session_ends_it_and_the_response_removes_its_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for bytes in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(bytes));
        let (_, response) = browser.visit(&store, |session| {
            session.destroy().unwrap();
            save(session);
            assert_eq!(records_with_data(&site.records), 0);
            save(session);
        });
        assert!(removes_the_cookie(&response));
    }
}

#[test]
fn what_is_put_after_the_save_of_an_emptied_session_begins_another_one() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        session.put("user", &42).unwrap();
        session.remember(Duration::from_secs(10 * 86_400)).unwrap();
    });
    let before = site.opened(&store, &browser);
    site.clock.advance_seconds(86_400);
    browser.visit(&store, |session| {
        session.clear().unwrap();
        save(session);
        session.put("user", &43).unwrap();
    });
    let after = site.opened(&store, &browser);
    assert_ne!(after.public_id(), before.public_id());
    assert_eq!(after.created(), site.now());
    assert_eq!(after.expires().unix_seconds() - after.issued().unix_seconds(), 7200);
    assert_eq!(browser.get(&store, "user"), Some(43));
}

#[test]
fn a_save_of_a_session_that_another_request_ended_is_a_conflict_and_no_success() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    let session = request.session();
    browser.visit(&store, |session| session.destroy().unwrap());
    session.put("step", &1).unwrap();
    assert!(matches!(block_on(session.save()), Err(CommitError::Conflict)));
    assert!(matches!(request.try_commit(), Err(failed) if failed.status_code() == 409));
}

#[test]
fn a_save_to_a_record_that_its_session_left_is_a_conflict_and_no_success() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let behind = browser.clone();
    browser.visit(&store, |session| session.regenerate().unwrap());
    let session = behind.begin(&store);
    let handle = session.session();
    handle.put("step", &1).unwrap();
    assert!(matches!(block_on(handle.save()), Err(CommitError::Conflict)));
}

#[test]
fn a_second_save_overtakes_one_that_is_under_way_and_writes_once() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("cart", &text(LARGE)).unwrap();
    site.records.go_slow();
    let mut first = pin!(session.save());
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    save(&session);
    assert!(matches!(block_on(first), Err(CommitError::Conflict)));
    assert_eq!(records_with_data(&site.records), 1);
}

#[test]
fn what_changes_while_a_save_is_under_way_is_written_later() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        session.put("cart", &text(LARGE)).unwrap();
        session.flash("notice", "saved").unwrap();
    });
    site.records.go_slow();
    let request = browser.begin(&store);
    let session = request.session();
    session.put("step", &1).unwrap();
    let mut saved = pin!(session.save());
    assert!(saved.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(session.flash_messages().has("notice"));
    block_on(saved).unwrap();
    browser.receive(&request.commit());
    let (is_read_again, _) = browser.visit(&store, |session| session.flash_messages().has("notice"));
    assert!(!is_read_again);

    let request = browser.begin(&store);
    let session = request.session();
    session.put("step", &2).unwrap();
    let mut saved = pin!(session.save());
    assert!(saved.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    session.put("step", &3).unwrap();
    block_on(saved).unwrap();
    assert!(session.is_dirty());
    browser.receive(&request.commit());
    assert_eq!(browser.get(&store, "step"), Some(3));
}

#[test]
fn after_the_response_head_saving_does_nothing_and_reading_again_is_an_error() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("user", &42).unwrap();
    request.commit();
    site.records.take_calls();
    save(&session);
    assert!(site.records.take_calls().is_empty());
    assert!(matches!(block_on(session.reload()), Err(sealed_session::LoadError::RequestOver)));
    assert!(session.put("user", &43).is_err());
    drop(request);
    save(&session);
    assert!(matches!(block_on(session.reload()), Err(sealed_session::LoadError::RequestOver)));
    assert_eq!(session.get("user").unwrap(), Some(42));
}

#[test]
fn a_failed_save_is_told() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("cart", &text(LARGE)).unwrap();
    site.records.go_down();
    site.events.take();
    assert!(block_on(session.save()).is_err());
    assert!(matches!(site.events.take().as_slice(), [Event::CommitFailed { .. }]));
}

#[test]
fn what_was_saved_keeps_its_cookie_when_the_response_is_not_taken() {
    let site = Site::new();
    let store = site.cookie_only().commit_when(|status| status < 500).build().unwrap();
    let mut browser = site.browser();
    let request = browser.begin(&store);
    let session = request.session();
    session.put("step", &1).unwrap();
    save(&session);
    session.put("step", &2).unwrap();
    browser.receive(&request.commit_with(&sealed_session::ResponseFacts::new(500)));
    assert_eq!(browser.get(&store, "step"), Some(1));
}
