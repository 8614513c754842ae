//! Behaviour, sections 1 and 7: a server store that does not answer, and writes that meet.

use sealed_session::events::Event;
use sealed_session::{CommitError, LoadError, Reason, StoreFailure};

use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

#[test]
fn a_store_that_is_down_is_an_error_and_never_a_logout() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let before = browser.cookie().unwrap().to_owned();
    let request = browser.begin(&store);
    site.records.go_down();
    let error = request.try_session().unwrap_err();
    assert!(matches!(error, LoadError::Store(_)));
    assert_eq!(error.status_code(), 503);
    assert!(request.commit().set_cookies.is_empty());

    site.records.come_up();
    assert_eq!(browser.cookie(), Some(before.as_str()));
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_store_that_is_down_does_not_trouble_a_session_in_its_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    site.records.go_down();
    browser.put(&store, "user", 42);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn an_ephemeral_session_is_empty_and_a_write_to_it_is_an_error() {
    let site = Site::new();
    let store = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    site.events.take();
    site.records.go_down();
    let (is_empty, response) = browser.visit(&store, sealed_session::Session::is_empty);
    assert!(is_empty && response.set_cookies.is_empty());
    assert_eq!(response.cache_control.as_deref(), Some("private, no-cache"));
    assert!(site.events.take().contains(&Event::Ephemeral));
    // What cannot be kept is no success, and a logout that cannot be carried out leaves the cookie for a second try.
    let writes: [fn(&sealed_session::Session); 5] = [
        |session| session.put("user", &1).unwrap(),
        |session| session.regenerate().unwrap_or_default(),
        |session| session.flash("notice", "saved").unwrap(),
        |session| session.destroy().unwrap(),
        |session| session.invalidate().unwrap(),
    ];
    for (number, write) in writes.into_iter().enumerate() {
        let request = browser.begin(&store);
        write(&request.session());
        if number != 1 {
            assert_eq!(pollster::block_on(request.session().save()).unwrap_err().status_code(), 503, "{number}");
            let failed = request.try_commit().unwrap_err();
            assert_eq!((failed.status_code(), failed.commit.set_cookies), (503, vec![]), "{number}");
        }
    }
    site.records.come_up();
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_store_that_is_down_at_commit_is_a_503_and_the_old_cookie_opens_with_the_old_data() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    // Where the session is in its cookie, and where it is in the store.
    for cart in [10, LARGE] {
        browser.put(&store, "cart", text(cart));
        browser.put(&store, "user", 42);
        let request = browser.begin(&store);
        request.session().put("user", &43).unwrap();
        request.session().put("cart", &text(LARGE + cart)).unwrap();
        site.records.go_down();
        let error = request.try_commit().unwrap_err().error;
        assert!(matches!(error, CommitError::Store(_)));
        assert_eq!(error.status_code(), 503);
        site.records.come_up();
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}

#[test]
fn an_update_whose_answer_was_lost_leaves_the_old_cookie_good() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.lose_answers_to(Call::Update);
    // The load and the update are carried out; the look behind the lost answer fails.
    site.records.go_down_after(2);
    assert_eq!(browser.visit_in_vain(&store, |session| session.put("user", &43).unwrap()).status_code(), 503);
    site.records.come_up();
    // Nobody can tell whether it was written: it was, and the reference takes the newer version.
    assert_eq!(browser.get(&store, "user"), Some(43));
}

#[test]
fn two_requests_that_write_one_record_both_win() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    browser.put(&store, "visits", 1);
    let slow = browser.begin(&store);
    slow.session().put("slow", &1).unwrap();
    slow.session().increment("visits", 10).unwrap();
    browser.visit(&store, |session| session.increment("visits", 1).unwrap());
    browser.put(&store, "user", 42);
    slow.commit();
    browser.visit(&store, |session| {
        assert_eq!(session.get("user").unwrap(), Some(42));
        assert_eq!(session.get("slow").unwrap(), Some(1));
        assert_eq!(session.get("visits").unwrap(), Some(12));
    });
}

#[test]
fn what_cannot_be_made_again_on_newer_data_is_a_conflict_and_changes_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let changes: [fn(&sealed_session::Session); 3] = [
        |session| session.replace(&serde_json::json!({ "all": 1 })).unwrap(),
        |session| assert!(session.pull::<u64>("user").unwrap().is_some()),
        |session| session.put("list.0", &9).unwrap(),
    ];
    for change in changes {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(LARGE));
        browser.visit(&store, |session| session.merge(&serde_json::json!({ "user": 1, "list": [1] })).unwrap());
        let slow = browser.begin(&store);
        change(&slow.session());
        browser.visit(&store, |session| session.merge(&serde_json::json!({ "user": 2, "list": [2] })).unwrap());
        let error = slow.try_commit().unwrap_err().error;
        assert!(matches!(error, CommitError::Conflict));
        assert_eq!(error.status_code(), 409);
        browser.visit(&store, |session| {
            assert_eq!(session.get("user").unwrap(), Some(2));
            assert_eq!(session.get("list.0").unwrap(), Some(2));
        });
    }
}

#[test]
fn two_requests_that_both_spill_both_win() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let slow = browser.begin(&store);
    slow.session().put("slow", &text(LARGE)).unwrap();
    browser.put(&store, "cart", text(LARGE));
    slow.commit();
    browser.visit(&store, |session| {
        assert!(session.has("cart").unwrap() && session.has("slow").unwrap());
        assert_eq!(session.get("user").unwrap(), Some(42));
    });
}

#[test]
fn a_spill_whose_response_was_lost_does_not_keep_the_session_from_spilling_again() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let lost = browser.begin(&store);
    lost.session().put("cart", &text(LARGE)).unwrap();
    lost.try_commit().unwrap();
    // The browser still has the cookie with the data in it.
    browser.put(&store, "other", text(LARGE));
    browser.visit(&store, |session| assert!(session.has("other").unwrap() && session.has("cart").unwrap()));
}

#[test]
fn messages_that_one_of_two_requests_used_up_are_gone_and_those_of_the_other_are_there() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    browser.visit(&store, |session| session.flash("first", "1").unwrap());
    let slow = browser.begin(&store);
    assert!(slow.session().flash_messages().has("first"));
    browser.visit(&store, |session| session.flash("second", "2").unwrap());
    slow.commit();
    let (messages, _) = browser.visit(&store, |session| session.flash_messages().all().clone());
    assert_eq!(messages.keys().collect::<Vec<_>>(), ["second"]);
}

#[test]
fn a_session_that_another_request_ended_stays_gone() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    // A write, a way back into the cookie, a new id, a renewal.
    let changes: [fn(&sealed_session::Session); 4] = [
        |session| session.put("user", &43).unwrap(),
        |session| session.forget("cart").unwrap(),
        |session| session.regenerate().unwrap(),
        |session| assert!(session.has("cart").unwrap()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        browser.put(&store, "cart", text(LARGE));
        site.clock.advance_seconds(5000);
        let slow = browser.begin(&store);
        change(&slow.session());
        browser.visit(&store, |session| session.destroy().unwrap());
        // A conflict, or a renewal that is left out, or a login that finds nothing to go on with.
        if let Ok(response) = slow.try_commit() {
            browser.receive(&response);
        }
        assert!(browser.visit(&store, sealed_session::Session::is_empty).0, "{number}");
        assert_eq!(crate::support::records_with_data(&site.records), 0);
    }
}

#[test]
fn a_write_to_a_session_that_another_request_ended_is_told() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let slow = browser.begin(&store);
    slow.session().put("user", &43).unwrap();
    browser.visit(&store, |session| session.destroy().unwrap());
    site.events.take();
    assert!(matches!(slow.try_commit().unwrap_err().error, CommitError::Conflict));
    assert!(site.events.take_names().contains(&"CommitFailed".to_owned()));
}

#[test]
fn a_lagging_replica_is_asked_once_more() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let older = site.records.snapshot();
    browser.put(&store, "user", 42);
    site.records.take_calls();
    site.records.lag_once(older);
    assert_eq!(browser.get(&store, "user"), Some(42));
    assert_eq!(site.records.take_calls(), [Call::Load, Call::Load]);
}

#[test]
fn a_restored_backup_is_a_failure_of_the_store_and_no_logout() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let backup = site.records.snapshot();
    browser.put(&store, "user", 42);
    let newest = site.records.snapshot();
    site.records.restore(backup);
    site.events.take();
    let request = browser.begin(&store);
    let error = request.try_session().unwrap_err();
    assert!(matches!(error, LoadError::Stale));
    assert_eq!(error.status_code(), 503);
    assert!(request.commit().set_cookies.is_empty());
    assert_eq!(site.events.take_reasons(), [Reason::RecordStale]);

    site.records.restore(newest);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_restored_backup_may_be_met_with_an_ephemeral_session() {
    let site = Site::new();
    let store = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let backup = site.records.snapshot();
    browser.put(&store, "user", 42);
    let newest = site.records.snapshot();
    site.records.restore(backup);
    assert!(browser.visit(&store, sealed_session::Session::is_empty).0);
    assert_eq!(browser.visit_in_vain(&store, |session| session.put("user", &1).unwrap()).status_code(), 503);
    site.records.restore(newest);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_logout_whose_answer_was_lost_is_found_out_about() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    site.records.lose_answers_to(Call::Create);
    browser.visit(&store, |session| session.destroy().unwrap());
    assert_eq!(browser.cookie(), None);
}
