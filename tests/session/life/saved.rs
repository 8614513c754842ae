//! What a save has written reaches the client, also where the commit after it fails.

use pollster::block_on;
use sealed_session::events::Event;
use sealed_session::{LoadError, Placement, Session};

use super::interrupted::{Interrupted, Meant, Meets, creates, time_limits, updates};
use super::{ENDS, destroys, in_record, inline, later, with_store};
use crate::browser::Request;
use crate::support::{LARGE, Site, line, removes_the_cookie, text};

/// Longer than a record that a login has left can be read.
const BEYOND_GRACE_SECONDS: u64 = 11;

fn saves(session: &Session) {
    block_on(session.save()).unwrap();
}

#[test]
fn a_saved_login_goes_out_with_the_error_of_a_commit_that_fails() {
    let site = Site::new();
    for manager in with_store(&site) {
        let logins: [fn(&Session); 3] = [
            |session| session.regenerate_and_reset_lifetime().unwrap(),
            |session| session.regenerate().unwrap(),
            |session| {
                session.regenerate().unwrap();
                session.forget("cart").unwrap();
            },
        ];
        for login in logins {
            let mut browser = in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            login(&session);
            session.put("user", &43).unwrap();
            saves(&session);
            session.put("cart", &text(LARGE + 1)).unwrap();
            site.records.go_down();
            let failed = request.try_commit().unwrap_err();
            assert_eq!(failed.status_code(), 503);
            assert!(failed.commit.add_vary_cookie);
            assert_eq!(failed.commit.cache_control.as_deref(), Some("private, no-cache"));
            browser.receive(&failed.commit);
            site.records.come_up();
            site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
            assert_eq!(browser.get(&manager, "user"), Some(43));
        }
    }
}

#[test]
fn a_saved_spill_and_a_saved_return_go_out_with_the_error_of_a_commit_that_fails() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for returns in [false, true] {
        let mut browser = if returns { in_record(&site, &manager) } else { inline(&site, &manager) };
        let request = browser.begin(&manager);
        let session = request.session();
        session.put("cart", &text(if returns { 1 } else { LARGE })).unwrap();
        session.put("user", &43).unwrap();
        saves(&session);
        session.put("cart", &text(LARGE + 1)).unwrap();
        site.records.go_down();
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 503);
        browser.receive(&failed.commit);
        site.records.come_up();
        site.clock.advance_seconds(100);
        assert_eq!(browser.get(&manager, "user"), Some(43));
    }
}

#[test]
fn what_was_saved_goes_out_with_the_error_of_what_is_too_large() {
    let site = Site::new();
    let cookie_only = site.cookie_only().build().unwrap();
    let spill = site.with_records().build().unwrap();
    for (manager, too_large) in [(cookie_only, LARGE), (spill, 2_000_000)] {
        let mut browser = inline(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        session.regenerate_and_reset_lifetime().unwrap();
        session.put("user", &43).unwrap();
        saves(&session);
        session.put("cart", &text(too_large)).unwrap();
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 500);
        assert_eq!(failed.commit.set_cookies.len(), 2, "the session's own, and the marker of the one that was left");
        browser.receive(&failed.commit);
        assert_eq!(browser.get(&manager, "user"), Some(43));
    }
}

#[test]
fn what_was_saved_goes_out_with_a_conflict() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        browser.put(&manager, "otp", 7);
        later(&site);
        let before = browser.cookie().map(str::to_owned);
        let request = browser.begin(&manager);
        let session = request.session();
        session.put("step", &1).unwrap();
        saves(&session);
        later(&site);
        let mut other = browser.clone();
        assert_eq!(session.pull::<u64>("otp").unwrap(), Some(7));
        assert_eq!(other.visit(&manager, |session| session.pull::<u64>("otp").unwrap()).0, Some(7));
        later(&site);
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 409);
        browser.receive(&failed.commit);
        assert_ne!(browser.cookie().map(str::to_owned), before);
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
    }
}

#[test]
fn a_saved_logout_goes_out_with_the_error_of_a_commit_that_fails() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        session.invalidate().unwrap();
        saves(&session);
        session.put("farewell", &text(LARGE)).unwrap();
        site.records.go_down();
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 503);
        assert!(removes_the_cookie(&failed.commit));
        browser.receive(&failed.commit);
        site.records.come_up();
        assert_eq!(browser.cookie(), None);
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_logout_after_a_save_is_an_error_and_leaves_a_cookie_that_can_be_used_again() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        session.regenerate().unwrap();
        saves(&session);
        destroys(&session);
        site.records.go_down();
        let failed = request.try_commit().unwrap_err();
        browser.receive(&failed.commit);
        site.records.come_up();
        site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
        assert_eq!(browser.get(&manager, "user"), Some(42), "the retry finds it");
        browser.visit(&manager, destroys);
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn an_error_after_nothing_was_saved_says_nothing_of_a_session() {
    let site = Site::new();
    for manager in with_store(&site) {
        let browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        request.session().put("step", &1).unwrap();
        site.records.go_down();
        assert_eq!(request.try_commit().unwrap_err().commit, sealed_session::Commit::default());
        site.records.come_up();
    }
}

#[test]
fn a_commit_that_succeeds_after_one_that_failed_sends_the_newest_cookie_alone() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        session.put("step", &1).unwrap();
        saves(&session);
        session.put("step", &2).unwrap();
        site.records.go_down();
        assert!(request.try_commit().is_err());
        site.records.come_up();
        let response = request.commit();
        assert!(!line(&response).is_empty());
        browser.receive(&response);
        assert_eq!(browser.get(&manager, "step"), Some(2));
    }
}

/// The save of a login whose call meets this, and the same session read again. Whatever that says, the user is logged in once
/// the request has succeeded.
fn read_again_after_a_login(placement: Placement, is_meant: Meant, meets: Meets) -> Result<Option<u64>, LoadError> {
    let site = Site::new();
    let store = Interrupted::new(&site);
    let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
    let mut browser = in_record(&site, &manager);
    let request = browser.begin(&manager);
    let session = request.session();
    session.regenerate().unwrap();
    session.put("step", &1).unwrap();
    store.at_next(is_meant, meets);
    assert_eq!(block_on(session.save()).unwrap_err().status_code(), 503);
    let reloaded = block_on(session.reload());
    let step = session.get("step").unwrap();
    browser.receive(&request.commit());
    store.catch_up();
    site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
    assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), step));
    reloaded.map(|()| step)
}

#[test]
fn a_session_that_is_read_again_after_the_save_of_a_login_of_unknown_outcome_is_the_new_one_or_an_error() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (limit, happened) in time_limits() {
            let read = read_again_after_a_login(placement, updates, limit());
            // What did not happen yet may still be on its way.
            assert!(if happened { matches!(read, Ok(Some(1))) } else { matches!(read, Err(LoadError::Store(_))) });
        }
        for calls in 1..=4 {
            let read = read_again_after_a_login(placement, updates, Meets::Late { calls });
            assert!(if calls == 1 { matches!(read, Ok(Some(1))) } else { matches!(read, Err(LoadError::Store(_))) });
        }
    }
}

#[test]
fn a_session_that_is_read_again_before_its_login_was_handed_over_is_the_old_one() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (limit, _) in time_limits() {
            assert!(matches!(read_again_after_a_login(placement, creates, limit()), Ok(None)));
        }
    }
}

/// Nothing but the browser knows of a session in its cookie, and only a response takes the cookie from it.
#[test]
fn a_logout_in_a_cookie_that_was_saved_and_that_no_response_took_along_is_an_event() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let unread: [fn(&Request) -> Session; 1] = [|request| request.0.end().unwrap()];
    let read = ENDS.map(|end| {
        move |request: &Request| {
            let session = request.session();
            end(&session);
            session
        }
    });
    let ends = read.iter().map(|end| end as &dyn Fn(&Request) -> Session);
    for end in ends.chain(unread.iter().map(|end| end as &dyn Fn(&Request) -> Session)) {
        for is_saved in [false, true] {
            let browser = inline(&site, &manager);
            let id = site.opened(&manager, &browser).public_id();
            let request = browser.begin(&manager);
            let session = end(&request);
            if is_saved {
                saves(&session);
            }
            site.events.take();
            drop((request, session));
            assert_eq!(site.events.take(), [Event::LogoutLost { id: Some(id) }], "saved: {is_saved}");
        }
    }
}
