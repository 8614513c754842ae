//! If the response says success, the change was kept; otherwise the caller got an error.

use std::time::Duration;

use pollster::block_on;
use sealed_session::events::Event;
use sealed_session::{CommitError, LoadError, Placement, Renewal, ResponseFacts, Session, SessionError, StoreFailure};
use serde_json::json;

use super::interrupted::give_up;
use super::{ENDS, destroys, in_record, inline, later, regenerates, returns, with_store};
use crate::support::{LARGE, Site, ignore, text};

/// Every kind of write, but those that end or move a session.
const WRITES: [fn(&Session); 11] = [
    |session| session.put("step", &1).unwrap(),
    |session| session.put("user", &43).unwrap(),
    |session| session.forget("user").unwrap(),
    |session| assert_eq!(session.pull::<u64>("user").unwrap(), Some(42)),
    |session| ignore(session.increment("n", 1).unwrap()),
    |session| session.push("list", &1).unwrap(),
    |session| session.merge(&json!({ "step": 1 })).unwrap(),
    |session| session.flash("notice", "hello").unwrap(),
    |session| session.flash_input(&json!({ "name": "Zoë" })).unwrap(),
    |session| session.remember(Duration::from_secs(86_400)).unwrap(),
    |session| {
        session.server_only("secret").unwrap();
        session.put("secret", &1).unwrap();
    },
];

/// A write to a session in a record which another request moves on or ends in between is a conflict.
#[track_caller]
fn conflicts_with(placement: Placement, meanwhile: fn(&Session)) {
    for write in WRITES {
        for saves in [false, true] {
            let site = &Site::new();
            let manager = &site.with_records().placement(placement).build().unwrap();
            let mut browser = in_record(site, manager);
            let slow = browser.begin(manager);
            let session = slow.session();
            write(&session);
            browser.visit(manager, meanwhile);
            later(site);
            let before = (browser.cookie().map(str::to_owned), site.records.snapshot());
            if saves {
                assert!(matches!(block_on(session.save()), Err(CommitError::Conflict)));
            }
            let failed = slow.try_commit().unwrap_err();
            assert!(matches!(failed.error, CommitError::Conflict), "{failed}");
            assert_eq!(failed.status_code(), 409);
            browser.receive(&failed.commit);
            assert_eq!((browser.cookie().map(str::to_owned), site.records.snapshot()), before);
        }
    }
}

#[test]
fn a_write_to_a_session_that_another_request_gave_a_new_id_is_a_conflict() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        conflicts_with(placement, regenerates);
    }
}

#[test]
fn a_write_to_a_session_that_another_request_brought_back_into_its_cookie_is_a_conflict() {
    conflicts_with(Placement::Spill, returns);
}

/// The browser has a cookie that the record knows nothing of: a reference to the record would take its place.
#[test]
fn a_write_to_a_session_that_returned_is_a_conflict_although_its_record_is_open_again() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for write in WRITES {
        let mut browser = in_record(&site, &manager);
        let slow = browser.begin(&manager);
        write(&slow.session());
        browser.visit(&manager, returns);
        later(&site);
        let lost = browser.begin(&manager);
        lost.session().put("photo", &text(LARGE)).unwrap();
        lost.commit();
        later(&site);
        browser.put(&manager, "kept", 1);
        assert_eq!(slow.try_commit().unwrap_err().status_code(), 409);
        assert_eq!(browser.get(&manager, "kept"), Some(1));
    }
}

#[test]
fn a_write_to_a_session_that_another_request_ended_is_a_conflict() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for end in ENDS {
            conflicts_with(placement, end);
        }
        conflicts_with(placement, |session| session.clear().unwrap());
    }
}

#[test]
fn a_write_to_a_session_whose_record_is_gone_is_a_conflict() {
    let site = Site::new();
    for manager in with_store(&site) {
        for write in WRITES {
            let browser = in_record(&site, &manager);
            let slow = browser.begin(&manager);
            write(&slow.session());
            site.records.tamper(|records| records.clear());
            assert_eq!(slow.try_commit().unwrap_err().status_code(), 409);
            assert!(site.records.snapshot().is_empty());
        }
    }
}

#[test]
fn a_write_through_the_reference_from_before_a_login_is_a_conflict() {
    let site = Site::new();
    for manager in with_store(&site) {
        for write in WRITES {
            let mut browser = in_record(&site, &manager);
            let before = browser.clone();
            browser.visit(&manager, regenerates);
            later(&site);
            let late = before.begin(&manager);
            write(&late.session());
            assert_eq!(late.try_commit().unwrap_err().status_code(), 409);
        }
    }
}

#[test]
fn a_message_that_was_read_is_left_out_where_another_request_moved_or_ended_the_session() {
    for meanwhile in [regenerates, returns, destroys] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = in_record(&site, &manager);
        browser.visit(&manager, |session| session.flash("notice", "hello").unwrap());
        later(&site);
        let slow = browser.begin(&manager);
        assert!(slow.session().flash_messages().has("notice"));
        browser.visit(&manager, meanwhile);
        later(&site);
        let cookie = browser.cookie().map(str::to_owned);
        site.events.take();
        browser.receive(&slow.commit());
        assert!(site.events.take_names().contains(&"RenewalSkipped".to_owned()));
        assert_eq!(browser.cookie().map(str::to_owned), cookie);
    }
}

#[test]
fn a_renewal_is_no_error_where_another_request_moved_or_ended_the_session() {
    for meanwhile in [regenerates, returns, destroys] {
        let site = Site::new();
        for manager in with_store(&site) {
            let mut browser = in_record(&site, &manager);
            site.clock.advance_seconds(5000);
            let slow = browser.begin(&manager);
            assert_eq!(slow.session().get("user").unwrap(), Some(42));
            browser.visit(&manager, meanwhile);
            later(&site);
            slow.commit();
            // The response of the other request is the last to arrive.
            let expected = browser.cookie().is_some().then_some(42);
            assert_eq!(browser.get(&manager, "user"), expected);
        }
    }
}

#[test]
fn a_message_that_was_read_costs_no_503_where_the_store_is_down() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    browser.visit(&manager, |session| session.flash("notice", "hello").unwrap());
    later(&site);
    let request = browser.begin(&manager);
    assert!(request.session().flash_messages().has("notice"));
    site.records.go_down();
    assert!(request.commit().set_cookies.is_empty());
    site.records.come_up();
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn every_write_after_the_request_was_dropped_is_an_error_to_its_writer() {
    type Writes = fn(&Session) -> Result<(), SessionError>;
    let writes: [Writes; 11] = [
        |session| session.put("step", &1),
        |session| session.forget("user"),
        |session| session.pull::<u64>("user").map(drop),
        |session| session.increment("n", 1).map(drop),
        |session| session.clear(),
        |session| session.flash("notice", "hello"),
        |session| session.remember(Duration::from_secs(86_400)),
        |session| session.regenerate(),
        |session| session.regenerate_and_reset_lifetime(),
        |session| session.invalidate(),
        |session| session.destroy(),
    ];
    let site = Site::new();
    for manager in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()] {
        for write in writes {
            let browser = inline(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            drop(request);
            assert!(matches!(write(&session), Err(SessionError::Abandoned)));
            assert_eq!(session.get("user").unwrap(), Some(42));
        }
    }
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn what_was_written_before_the_request_was_dropped_is_told_and_cannot_be_saved() {
    let site = Site::new();
    for manager in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()] {
        let browser = inline(&site, &manager);
        let id = site.opened(&manager, &browser).public_id();
        let request = browser.begin(&manager);
        let session = request.session();
        session.put("step", &1).unwrap();
        site.events.take();
        drop(request);
        assert_eq!(site.events.take(), [Event::WritesDropped { id: Some(id) }]);
        let error = block_on(session.save()).unwrap_err();
        assert!(matches!(error, CommitError::Abandoned));
        assert_eq!(error.status_code(), 500);
    }
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn a_dropped_request_that_wrote_nothing_tells_nothing() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let uses: [fn(&Session); 3] = [
        |_| (),
        |session| assert_eq!(session.get("user").unwrap(), Some(42)),
        |session| {
            session.put("step", &1).unwrap();
            block_on(session.save()).unwrap();
        },
    ];
    for using in uses {
        let browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        using(&request.session());
        site.events.take();
        drop(request);
        assert_eq!(site.events.take(), []);
    }
}

#[test]
fn what_a_response_does_not_take_along_is_told() {
    let site = Site::new();
    let manager = site.with_records().commit_when(|status| status < 400).build().unwrap();
    let browser = inline(&site, &manager);
    let id = site.opened(&manager, &browser).public_id();
    let request = browser.begin(&manager);
    request.session().put("step", &1).unwrap();
    site.events.take();
    assert!(request.commit_with(&ResponseFacts::new(500)).set_cookies.is_empty());
    assert!(site.events.take().contains(&Event::WritesDropped { id: Some(id) }));
}

#[test]
fn a_save_after_a_commit_that_failed_is_no_success() {
    let site = Site::new();
    for manager in with_store(&site) {
        let browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        session.put("step", &1).unwrap();
        site.records.go_down();
        assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
        assert!(block_on(session.save()).is_err());
        site.records.come_up();
        let saved = block_on(session.save());
        let mut reader = browser.clone();
        assert!(saved.is_err() || reader.get(&manager, "step") == Some(1));
    }
}

#[test]
fn what_is_written_to_an_ephemeral_session_is_an_error_at_save_and_at_commit() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    for write in [WRITES[0], WRITES[4], WRITES[7], WRITES[9], regenerates] {
        for is_up_again in [false, true] {
            let mut browser = in_record(&site, &manager);
            site.records.go_down();
            let request = browser.begin(&manager);
            let session = request.session();
            assert!(session.is_empty());
            write(&session);
            if is_up_again {
                site.records.come_up();
            }
            let error = block_on(session.save()).unwrap_err();
            assert!(matches!(error, CommitError::Store(_)), "{error}");
            let failed = request.try_commit().unwrap_err();
            assert_eq!(failed.status_code(), 503);
            browser.receive(&failed.commit);
            site.records.come_up();
            assert_eq!(browser.get(&manager, "user"), Some(42));
        }
    }
}

#[test]
fn an_ephemeral_session_that_is_only_read_is_no_error() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let mut browser = in_record(&site, &manager);
    site.records.go_down();
    let (_, response) = browser.visit(&manager, |session| {
        assert_eq!(session.get::<u64>("user").unwrap(), None);
        block_on(session.save()).unwrap();
    });
    assert!(response.set_cookies.is_empty());
    site.records.come_up();
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_commit_that_would_have_to_wait_is_finished_by_the_next_one() {
    let writes: [fn(&Session); 3] = [
        |session| session.put("step", &1).unwrap(),
        |session| ignore(session.increment("step", 1).unwrap()),
        |session| {
            session.regenerate().unwrap();
            session.put("step", &1).unwrap();
        },
    ];
    for begins_in_record in [false, true] {
        for write in writes {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = if begins_in_record { in_record(&site, &manager) } else { inline(&site, &manager) };
            let request = browser.begin(&manager);
            let session = request.session();
            session.put("photo", &text(LARGE)).unwrap();
            write(&session);
            site.records.go_slow();
            assert!(request.0.commit_now(&ResponseFacts::new(200)).is_err());
            browser.receive(&request.commit());
            site.clock.advance_seconds(30);
            assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
        }
    }
}

#[test]
fn a_commit_of_a_new_session_that_would_have_to_wait_is_finished_by_the_next_one() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = site.browser();
        let request = browser.begin(&manager);
        request.session().put("cart", &text(LARGE)).unwrap();
        request.session().put("user", &42).unwrap();
        let records = crate::support::records_with_data(&site.records);
        site.records.go_slow();
        give_up(request.0.commit(&ResponseFacts::new(200)));
        browser.receive(&request.commit());
        assert_eq!(browser.get(&manager, "user"), Some(42));
        assert_eq!(crate::support::records_with_data(&site.records), records + 1);
    }
}

#[test]
fn a_commit_after_one_that_failed_writes_what_that_one_did_not() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        request.session().increment("n", 1).unwrap();
        site.records.go_down();
        for _ in 0..2 {
            assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
        }
        site.records.come_up();
        browser.receive(&request.commit());
        assert!(request.commit().set_cookies.is_empty());
        assert_eq!(browser.get(&manager, "n"), Some(1));
    }
}

#[test]
fn a_conflict_stays_one_when_it_is_committed_again() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let slow = browser.begin(&manager);
    slow.session().put("step", &1).unwrap();
    browser.visit(&manager, destroys);
    later(&site);
    for _ in 0..2 {
        assert_eq!(slow.try_commit().unwrap_err().status_code(), 409);
    }
}

#[test]
fn reading_again_once_the_response_was_sent_is_an_error() {
    let site = Site::new();
    for manager in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()] {
        for bytes in [1, LARGE] {
            if bytes == LARGE && site.records.snapshot().is_empty() {
                continue;
            }
            let mut browser = inline(&site, &manager);
            if bytes == LARGE {
                browser.put(&manager, "cart", text(bytes));
            }
            let request = browser.begin(&manager);
            let session = request.session();
            assert_eq!(session.get("user").unwrap(), Some(42));
            request.commit();
            browser.visit(&manager, destroys);
            let error = block_on(session.reload()).unwrap_err();
            assert!(matches!(error, LoadError::RequestOver), "{error}");
            assert_eq!(error.status_code(), 500);
        }
    }
}

#[test]
fn a_socket_learns_of_a_logout_elsewhere_by_an_error() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        request.commit();
        drop(request);
        browser.visit(&manager, destroys);
        assert!(matches!(block_on(session.reload()), Err(LoadError::RequestOver)));
    }
}

#[test]
fn reading_again_a_session_that_another_request_ended_is_an_error_and_begins_no_session() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            let mut browser = in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            browser.visit(&manager, end);
            later(&site);
            let error = block_on(session.reload()).unwrap_err();
            assert!(matches!(error, LoadError::Ended), "{error}");
            assert_eq!(error.status_code(), 409);
            session.put("user", &43).unwrap();
            let failed = request.try_commit().unwrap_err();
            assert_eq!(failed.status_code(), 409);
            browser.receive(&failed.commit);
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

#[test]
fn reading_again_a_session_whose_record_is_gone_is_an_error() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let browser = inline(&site, &manager);
    let request = browser.begin(&manager);
    let session = request.session();
    site.records.tamper(|records| records.clear());
    assert!(matches!(block_on(session.reload()), Err(LoadError::Ended)));
}

#[test]
fn what_is_written_after_an_ephemeral_session_was_read_again_is_kept_or_an_error() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    for saves in [false, true] {
        let mut browser = in_record(&site, &manager);
        site.records.go_down();
        let request = browser.begin(&manager);
        let session = request.session();
        assert!(session.is_empty());
        site.records.come_up();
        let read = block_on(session.reload());
        let is_written = session.put("step", &1).is_ok();
        let is_saved = !saves || block_on(session.save()).is_ok();
        let outcome = request.try_commit();
        if let Ok(response) = &outcome {
            browser.receive(response);
        }
        let succeeded = read.is_ok() && is_written && is_saved && outcome.is_ok();
        let (kept, _) = browser.visit(&manager, |session| session.get::<u64>("step").unwrap());
        assert_eq!(kept, succeeded.then_some(1));
        assert!(!saves || is_saved == succeeded, "a save that succeeded saved nothing");
        assert_eq!(browser.get(&manager, "user"), Some(42));
    }
}

#[test]
fn what_was_put_before_an_ephemeral_session_could_be_read_again_is_forgotten_by_the_reload() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let mut browser = in_record(&site, &manager);
    site.records.go_down();
    let request = browser.begin(&manager);
    let session = request.session();
    session.put("user", &1).unwrap();
    site.records.come_up();
    block_on(session.reload()).unwrap();
    assert_eq!(session.get("user").unwrap(), Some(42));
    browser.receive(&request.commit());
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_renewal_of_every_response_keeps_nobody_from_a_success() {
    let site = Site::new();
    let manager = site.with_records().renewal(Renewal::EveryResponse).build().unwrap();
    let mut browser = in_record(&site, &manager);
    let slow = browser.begin(&manager);
    assert_eq!(slow.session().get("user").unwrap(), Some(42));
    browser.visit(&manager, destroys);
    later(&site);
    browser.receive(&slow.commit());
    assert_eq!(browser.get(&manager, "user"), None);
}
