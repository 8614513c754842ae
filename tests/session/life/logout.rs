//! An explicit end is final: whatever the request could open, and whatever else is on its way.

use pollster::block_on;
use sealed_session::cookie::CookieAttributes;
use sealed_session::events::Event;
use sealed_session::testing::ManualClock;
use sealed_session::{
    LoadError, Placement, Reason, RequestFacts, ResponseFacts, Session, SessionManager, StoreFailure,
};

use super::interrupted::{Interrupted, Meets, give_up, time_limits, updates, writes};
use super::{ENDS, after, destroys, in_record, inline, invalidates, later, regenerates, returned, returns, with_store};
use crate::browser::{Browser, Request};
use crate::faulty_store::{Call, Records};
use crate::support::{COOKIE, LARGE, Site, records_with_data, removes_the_cookie, text};

/// Longer than the records of ended sessions are kept.
const BEYOND_ENDED_SECONDS: u64 = 901;

fn value(line: &str) -> &str {
    line.split_once('=').unwrap().1.split(';').next().unwrap()
}

/// The cookie value of a new session of this user.
fn sealed(manager: &SessionManager, user: u64) -> String {
    let pending = manager.begin(&RequestFacts::new());
    block_on(pending.session()).unwrap().put("user", &user).unwrap();
    let commit = block_on(pending.commit(&ResponseFacts::new(200))).unwrap();
    value(commit.set_cookies.last().unwrap()).to_owned()
}

#[test]
fn a_logout_in_an_ephemeral_session_ends_it_or_is_an_error() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    for end in ENDS {
        let mut browser = in_record(&site, &manager);
        let mut copy = browser.clone();
        let cookie = browser.cookie().map(str::to_owned);
        site.records.go_down();
        let request = browser.begin(&manager);
        end(&request.session());
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 503);
        browser.receive(&failed.commit);
        assert_eq!(browser.cookie().map(str::to_owned), cookie, "a retry needs it");

        site.records.come_up();
        assert_eq!(browser.get(&manager, "user"), Some(42));
        browser.visit(&manager, end);
        later(&site);
        assert_eq!((browser.get(&manager, "user"), copy.get(&manager, "user")), (None, None));
    }
}

#[test]
fn a_logout_in_an_ephemeral_session_ends_it_where_the_store_is_back_in_time() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    for end in ENDS {
        let mut browser = in_record(&site, &manager);
        let mut copy = browser.clone();
        site.records.go_down();
        let request = browser.begin(&manager);
        let session = request.session();
        assert!(session.is_empty());
        site.records.come_up();
        end(&session);
        browser.receive(&request.commit());
        later(&site);
        assert_eq!((browser.get(&manager, "user"), copy.get(&manager, "user")), (None, None));
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_save_of_a_logout_in_an_ephemeral_session_is_no_success_either() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    for end in [destroys, invalidates] {
        let browser = in_record(&site, &manager);
        site.records.go_down();
        let request = browser.begin(&manager);
        let session = request.session();
        end(&session);
        assert_eq!(block_on(session.save()).unwrap_err().status_code(), 503);
        site.records.come_up();
    }
}

/// Cookies of user 42 that a manager cannot open, with the manager that can, if there is one.
fn unopened() -> Vec<(&'static str, Site, SessionManager, Option<SessionManager>, Browser)> {
    let mut cases = Vec::new();
    {
        let site = Site::new();
        let ahead = site.over(site.rotated()).build().unwrap();
        let behind = site.cookie_only().build().unwrap();
        let browser = inline(&site, &ahead);
        cases.push(("a key that this server does not know yet", site, behind, Some(ahead), browser));
    }
    {
        let site = Site::new();
        let elsewhere = site.cookie_only().audience("shop/other").build().unwrap();
        let manager = site.cookie_only().build().unwrap();
        let browser = inline(&site, &elsewhere);
        cases.push(("another audience", site, manager, Some(elsewhere), browser));
    }
    {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.plant(COOKIE, &"A".repeat(200));
        cases.push(("junk", site, manager, None, browser));
    }
    {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let browser = in_record(&site, &manager);
        site.records.restore(Records::new());
        cases.push(("a record that is gone", site, manager, None, browser));
    }
    {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let browser = in_record(&site, &manager);
        site.records.tamper(|records| records.values_mut().for_each(|record| record.bytes[60] ^= 1));
        cases.push(("a record that was changed by hand", site, manager, None, browser));
    }
    cases
}

#[test]
fn a_logout_removes_a_cookie_that_could_not_be_opened() {
    for end in ENDS {
        for (what, site, manager, able, mut browser) in unopened() {
            site.events.take();
            browser.visit(&manager, end);
            later(&site);
            assert_eq!(browser.get(able.as_ref().unwrap_or(&manager), "user"), None, "{what}");
        }
    }
}

#[test]
fn the_removal_of_a_cookie_that_could_not_be_opened_is_told() {
    for end in [destroys, invalidates] {
        for (what, site, manager, _, mut browser) in unopened() {
            if what.starts_with("a record") {
                continue;
            }
            site.events.take();
            let (_, response) = browser.visit(&manager, end);
            assert!(removes_the_cookie(&response), "{what}");
            assert!(site.events.take().contains(&Event::UnopenedRemoved), "{what}");
            assert_eq!(browser.cookie(), None, "{what}");
        }
    }
}

#[test]
fn a_logout_removes_a_cookie_that_could_not_be_opened_whatever_the_status() {
    for status in [200, 303, 404, 500] {
        for (what, site, _, _, browser) in unopened().into_iter().take(1) {
            let manager = site.cookie_only().commit_when(|status| status < 400).build().unwrap();
            let request = browser.begin(&manager);
            request.session().destroy().unwrap();
            assert!(removes_the_cookie(&request.commit_with(&ResponseFacts::new(status))), "{what}, {status}");
        }
    }
}

#[test]
fn a_logout_removes_two_cookies_that_could_not_be_told_apart() {
    let site = Site::new();
    let attributes = CookieAttributes::new().name("session");
    let manager = site.cookie_only().cookie(attributes).build().unwrap();
    let header = format!("session={}; session={}", sealed(&manager, 666), sealed(&manager, 42));
    for end in ENDS {
        let pending = manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        end(&block_on(pending.session()).unwrap());
        let commit = block_on(pending.commit(&ResponseFacts::new(200))).unwrap();
        let last = commit.set_cookies.last().unwrap();
        assert!(last.starts_with("session=") && value(last) != value(&header), "{commit:?}");
    }
}

#[test]
fn a_logout_removes_a_cookie_of_an_earlier_name_that_could_not_be_opened() {
    let site = Site::new();
    let attributes = CookieAttributes::new().name("__Host-shop");
    let manager = site.cookie_only().cookie(attributes).also_read(COOKIE, "shop/test").build().unwrap();
    let ahead = site.over(site.rotated()).build().unwrap();
    for end in ENDS {
        let mut browser = inline(&site, &ahead);
        browser.visit(&manager, end);
        assert_eq!(browser.get(&ahead, "user"), None);
    }
}

#[test]
fn a_logout_of_a_browser_without_a_cookie_sends_and_tells_nothing() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in [destroys, invalidates] {
            site.events.take();
            let (_, response) = site.browser().visit(&manager, end);
            assert!(response.set_cookies.is_empty());
            assert!(!site.events.take().contains(&Event::UnopenedRemoved));
        }
    }
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn a_logout_removes_the_cookie_of_an_earlier_path() {
    let with_path = |path: &str| CookieAttributes::new().name("session").path(path);
    for end in ENDS {
        let site = Site::new();
        let before = site.cookie_only().cookie(with_path("/shop")).build().unwrap();
        let manager = site.cookie_only().cookie(with_path("/")).also_remove(with_path("/shop")).build().unwrap();
        let old = sealed(&before, 42);
        later(&site);
        let header = format!("session={old}");
        let pending = manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        block_on(pending.session()).unwrap().put("step", &1).unwrap();
        let written = block_on(pending.commit(&ResponseFacts::new(200))).unwrap();
        later(&site);

        // The cookie of the longer path first: RFC 6265bis, section 5.8.3.
        let header = format!("session={old}; session={}", value(written.set_cookies.last().unwrap()));
        let pending = manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        end(&block_on(pending.session()).unwrap());
        let commit = block_on(pending.commit(&ResponseFacts::new(200))).unwrap();
        let removes = |path: &str| {
            let is_removal = |line: &&String| line.starts_with("session=; ") && line.contains("Max-Age=0");
            commit.set_cookies.iter().filter(is_removal).any(|line| line.contains(&format!("Path={path};")))
        };
        assert!(removes("/shop"), "{commit:?}");
        assert!(removes("/") || !commit.set_cookies.last().unwrap().contains("Max-Age=0"), "{commit:?}");
    }
}

#[test]
fn a_logout_after_a_renewal_under_another_audience_leaves_no_reference_open() {
    for old_placement in [Placement::StoreOnly, Placement::Spill] {
        let site = Site::new();
        let before = site.with_records().placement(old_placement).build().unwrap();
        let manager = site.with_records().audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap();
        let mut browser = match old_placement {
            Placement::StoreOnly => inline(&site, &before),
            _ => in_record(&site, &before),
        };
        let mut old = browser.clone();
        site.clock.advance_seconds(4000);
        assert_eq!(browser.get(&manager, "user"), Some(42));
        later(&site);
        browser.visit(&manager, destroys);
        // A record that its session has left can be read for ten seconds.
        for pause in [11, BEYOND_ENDED_SECONDS] {
            site.clock.advance_seconds(pause);
            assert_eq!(old.get(&manager, "user"), None, "{old_placement:?}");
            assert_eq!(old.clone().get(&before, "user"), None, "{old_placement:?}");
        }
    }
}

/// A browser whose record a store has lost in a failover: it holds an older one.
fn failed_over(site: &Site, manager: &SessionManager) -> Browser {
    let mut browser = in_record(site, manager);
    let older = site.records.snapshot();
    browser.put(manager, "step", 1);
    later(site);
    site.records.restore(older);
    browser
}

#[test]
fn a_session_that_a_store_has_in_an_older_state_is_not_read() {
    let site = Site::new();
    for manager in with_store(&site) {
        let request = failed_over(&site, &manager).begin(&manager);
        assert!(matches!(request.try_session(), Err(LoadError::Stale)));
    }
}

#[test]
fn a_session_that_a_store_has_in_an_older_state_is_ended_at_once() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = failed_over(&site, &manager);
        let mut copy = browser.clone();
        let request = browser.begin(&manager);
        request.0.end().unwrap();
        let response = request.commit();
        assert!(removes_the_cookie(&response));
        browser.receive(&response);
        later(&site);
        assert_eq!(browser.cookie(), None);
        assert_eq!(browser.get(&manager, "user"), None);
        assert_eq!(copy.get(&manager, "user"), None);
        assert_eq!(records_with_data(&site.records), 0);
    }
}

#[test]
fn a_login_works_at_once_where_a_store_has_the_session_in_an_older_state() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = failed_over(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.0.end().unwrap();
        assert!(session.is_empty());
        session.put("user", &43).unwrap();
        browser.receive(&request.commit());
        later(&site);
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(43), None));
    }
}

#[test]
fn a_session_can_be_ended_without_being_loaded() {
    let begins: [fn(&Site, &SessionManager) -> Browser; 3] = [inline, in_record, returned];
    for begin in begins {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = begin(&site, &manager);
        let mut copy = browser.clone();
        let was_reference = site.opened(&manager, &browser).is_reference();
        let request = browser.begin(&manager);
        let session = request.0.end().unwrap();
        assert!(site.records.take_calls().is_empty(), "the store is asked at commit");
        assert!(session.is_empty());
        session.put("farewell", &1).unwrap();
        browser.receive(&request.commit());
        later(&site);
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "farewell")), (None, Some(1)));
        assert!(!was_reference || copy.get(&manager, "user").is_none());
    }
}

#[test]
fn ending_a_session_that_was_loaded_empties_its_handle() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let request = browser.begin(&manager);
    let session = request.session();
    assert_eq!(session.get("user").unwrap(), Some(42));
    assert_eq!(request.0.end().unwrap().id(), session.id());
    assert!(session.is_empty());
    browser.receive(&request.commit());
    assert_eq!(browser.cookie(), None);
}

#[test]
fn ending_a_session_where_the_store_is_down_is_an_error_and_keeps_the_cookie() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        site.records.go_down();
        let request = browser.begin(&manager);
        request.0.end().unwrap();
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 503);
        browser.receive(&failed.commit);
        site.records.come_up();
        assert_eq!(browser.get(&manager, "user"), Some(42));
    }
}

#[test]
fn a_logout_that_met_a_time_limit_can_be_repeated() {
    let begins: [fn(&Site, &SessionManager) -> Browser; 2] = [inline, in_record];
    for (limit, happened) in time_limits() {
        for begin in begins {
            for end in ENDS {
                let site = Site::new();
                let store = Interrupted::new(&site);
                let manager = store.under(site.cookie_only()).build().unwrap();
                let mut browser = begin(&site, &manager);
                let mut copy = browser.clone();
                let was_reference = site.opened(&manager, &browser).is_reference();
                let request = browser.begin(&manager);
                end(&request.session());
                store.at_next(writes, limit());
                let failed = request.try_commit().unwrap_err();
                assert_eq!(failed.status_code(), 503);
                browser.receive(&failed.commit);
                assert!(browser.cookie().is_some(), "happened: {happened}");
                later(&site);
                browser.visit(&manager, end);
                later(&site);
                assert_eq!(browser.get(&manager, "user"), None);
                assert!(!was_reference || copy.get(&manager, "user").is_none());
            }
        }
    }
}

#[test]
fn a_logout_whose_request_ends_without_a_commit_is_told() {
    let site = Site::new();
    for manager in with_store(&site) {
        let ways: [fn(&Request); 3] = [
            |request| request.session().destroy().unwrap(),
            |request| request.session().invalidate().unwrap(),
            |request| drop(request.0.end().unwrap()),
        ];
        for end in ways {
            let mut browser = in_record(&site, &manager);
            let id = site.opened(&manager, &browser).public_id();
            let request = browser.begin(&manager);
            end(&request);
            site.events.take();
            drop(request);
            assert_eq!(site.events.take(), [Event::LogoutLost { id: Some(id) }]);
            assert_eq!(browser.get(&manager, "user"), Some(42));
        }
    }
}

#[test]
fn a_logout_whose_commit_was_dropped_halfway_is_told_or_done() {
    for happened in [false, true] {
        let site = Site::new();
        let store = Interrupted::new(&site);
        let manager = store.under(site.cookie_only()).build().unwrap();
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        destroys(&request.session());
        site.events.take();
        store.at_next(writes, Meets::NoAnswer { happened });
        give_up(request.0.commit(&ResponseFacts::new(200)));
        drop(request);
        let is_told = site.events.take_names().contains(&"LogoutLost".to_owned());
        later(&site);
        assert!(is_told || browser.get(&manager, "user").is_none(), "happened: {happened}");
    }
}

#[test]
fn a_logout_that_was_committed_is_not_told_as_lost() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for end in ENDS {
        in_record(&site, &manager).visit(&manager, end);
        assert!(!site.events.take_names().contains(&"LogoutLost".to_owned()));
    }
}

/// What requests that are answered after a logout have done with their sessions.
const LATE: [fn(&Session); 4] = [
    |session| assert_eq!(session.get("user").unwrap(), Some(42)),
    |session| session.put("step", &1).unwrap(),
    |session| drop(session.csrf_token().unwrap()),
    |session| session.remember(std::time::Duration::from_secs(86_400)).unwrap(),
];

/// The managers under which a session can be in its cookie.
fn with_inline(site: &Site) -> [SessionManager; 2] {
    [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()]
}

#[test]
fn a_late_response_does_not_undo_a_logout() {
    let begins: [fn(&Site, &SessionManager) -> Browser; 2] = [inline, in_record];
    for destination in ["document", "empty"] {
        for end in ENDS {
            for late in LATE {
                for (begin, with_store) in [(begins[0], false), (begins[0], true), (begins[1], true)] {
                    let site = Site::new();
                    let [cookie_only, spill] = with_inline(&site);
                    let manager = if with_store { spill } else { cookie_only };
                    let mut browser = begin(&site, &manager);
                    site.clock.advance_seconds(5760);
                    let slow = browser.begin_in_background(&manager, destination);
                    late(&slow.session());
                    browser.visit(&manager, end);
                    later(&site);
                    if let Ok(response) = slow.try_commit() {
                        browser.receive(&response);
                    }
                    later(&site);
                    assert_eq!(browser.get(&manager, "user"), None);
                }
            }
        }
    }
}

#[test]
fn a_response_that_was_under_way_before_the_logout_does_not_undo_it() {
    for late in LATE {
        let site = Site::new();
        for manager in with_inline(&site) {
            let mut browser = inline(&site, &manager);
            site.clock.advance_seconds(5760);
            let slow = browser.begin(&manager);
            late(&slow.session());
            let response = slow.commit();
            later(&site);
            browser.visit(&manager, destroys);
            browser.receive(&response);
            later(&site);
            site.events.take();
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

#[test]
fn a_late_response_does_not_bring_back_the_session_from_before_a_login() {
    let site = Site::new();
    for manager in with_inline(&site) {
        for late in LATE {
            let mut browser = inline(&site, &manager);
            site.clock.advance_seconds(5760);
            let slow = browser.begin(&manager);
            late(&slow.session());
            browser.visit(&manager, |session| {
                session.regenerate_and_reset_lifetime().unwrap();
                session.put("user", &43).unwrap();
            });
            later(&site);
            if let Ok(response) = slow.try_commit() {
                browser.receive(&response);
            }
            later(&site);
            // A browser keeps one cookie for each name, so it may cost a new login.
            assert_ne!(browser.get(&manager, "user"), Some(42));
        }
    }
}

#[test]
fn a_spill_that_was_in_flight_does_not_revive_a_session() {
    for end in ENDS {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = inline(&site, &manager);
        let spilling = browser.begin(&manager);
        spilling.session().put("cart", &text(LARGE)).unwrap();
        browser.visit(&manager, end);
        later(&site);
        assert_eq!(spilling.try_commit().unwrap_err().status_code(), 409);
        assert_eq!(records_with_data(&site.records), 0);
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_spill_that_was_in_flight_during_a_logout_takes_no_cookie_from_the_browser() {
    for end in ENDS {
        for pause in [3, 10, 100] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = inline(&site, &manager);
            let spilling = browser.begin(&manager);
            spilling.session().put("cart", &text(LARGE)).unwrap();
            browser.visit(&manager, end);
            // The user has logged in again before the answer comes.
            browser.put(&manager, "user", 43);
            site.clock.advance_seconds(pause);
            let failed = spilling.try_commit().unwrap_err();
            assert_eq!((failed.status_code(), failed.commit.set_cookies.len()), (409, 0));
            browser.receive(&failed.commit);
            assert_eq!(browser.get(&manager, "user"), Some(43));
        }
    }
}

/// A browser with a session in its cookie whose logout was answered, and the response lost.
fn logged_out_in_vain(site: &Site, manager: &SessionManager, placement: Placement, end: fn(&Session)) -> Browser {
    let browser = after(site, manager, |session| match placement {
        Placement::StoreOnly => drop(session.csrf_token().unwrap()),
        _ => session.put("user", &42).unwrap(),
    });
    assert!(!site.opened(manager, &browser).is_reference());
    let logout = browser.begin(manager);
    end(&logout.session());
    logout.commit();
    browser
}

#[test]
fn a_spill_long_after_a_logout_whose_response_was_lost_is_a_conflict_once_and_then_a_session_begins() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (end, pause) in ENDS.into_iter().flat_map(|end| [(end, 11), (end, 300), (end, 800)]) {
            let site = Site::new();
            let manager = site.with_records().placement(placement).build().unwrap();
            let mut browser = logged_out_in_vain(&site, &manager, placement, end);
            site.clock.advance_seconds(pause);
            let id = site.opened(&manager, &browser).public_id();
            let request = browser.begin(&manager);
            request.session().put("photo", &text(LARGE)).unwrap();
            let failed = request.try_commit().unwrap_err();
            assert_eq!(failed.status_code(), 409);
            browser.receive(&failed.commit);
            assert_eq!(browser.cookie(), None);
            assert_eq!(browser.markers(), [format!("{COOKIE}-{id}-ended")]);
            browser.visit(&manager, |session| {
                assert!(session.is_new());
                session.put("photo", &text(LARGE)).unwrap();
            });
            assert!(site.opened(&manager, &browser).is_reference());
            assert!(browser.visit(&manager, |session| session.has("photo").unwrap()).0);
        }
    }
}

#[test]
fn a_spill_soon_after_a_logout_whose_response_was_lost_takes_no_cookie_from_the_browser() {
    for end in ENDS {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let browser = logged_out_in_vain(&site, &manager, Placement::Spill, end);
        site.clock.advance_seconds(10);
        let request = browser.begin(&manager);
        request.session().put("photo", &text(LARGE)).unwrap();
        let failed = request.try_commit().unwrap_err();
        assert_eq!((failed.status_code(), failed.commit.set_cookies.len()), (409, 0));
    }
}

#[test]
fn a_server_without_a_store_tells_no_session_in_a_record_as_destroyed() {
    for end in ENDS {
        let site = Site::new();
        let spill = site.with_records().build().unwrap();
        let without = site.cookie_only().build().unwrap();
        let mut browser = in_record(&site, &spill);
        browser.visit(&without, end);
        let told = site.events.take_names();
        let is_told = |name: &str| told.iter().any(|event| event == name);
        assert!(is_told("UnopenedRemoved") && !is_told("Destroyed"), "{told:?}");
    }
}

#[test]
fn a_session_that_returned_to_its_cookie_does_not_open_after_a_logout_in_between() {
    for end in ENDS {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = in_record(&site, &manager);
        let returning = browser.begin(&manager);
        returns(&returning.session());
        let late = returning.commit();
        later(&site);
        browser.visit(&manager, end);
        browser.receive(&late);
        later(&site);
        assert_eq!(browser.get(&manager, "user"), None);
        browser.put(&manager, "cart", text(LARGE));
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_step_up_that_was_in_flight_leads_into_no_session_of_the_user_who_has_logged_out() {
    let site = Site::new();
    for manager in with_store(&site) {
        for begins in [inline as fn(&Site, &SessionManager) -> Browser, in_record] {
            for end in ENDS {
                let mut browser = begins(&site, &manager);
                let step_up = browser.begin(&manager);
                regenerates(&step_up.session());
                step_up.session().put("confirmed", &1).unwrap();
                browser.visit(&manager, end);
                later(&site);
                if let Ok(response) = step_up.try_commit() {
                    browser.receive(&response);
                }
                later(&site);
                assert_eq!(browser.get(&manager, "user"), None);
            }
        }
    }
}

#[test]
fn copies_of_an_ended_session_in_the_store_stay_closed_for_good() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            let mut browser = in_record(&site, &manager);
            let copy = browser.clone();
            browser.visit(&manager, end);
            for pause in [1, 100, BEYOND_ENDED_SECONDS, 3000] {
                site.clock.advance_seconds(pause);
                site.events.take();
                assert_eq!(copy.clone().get(&manager, "user"), None);
                assert_eq!(site.events.take_reasons(), [Reason::RecordMissing]);
            }
        }
    }
}

#[test]
fn two_requests_that_end_one_session_both_succeed() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            let mut browser = after(&site, &manager, |session| session.put("user", &42).unwrap());
            let slow = browser.begin(&manager);
            end(&slow.session());
            browser.visit(&manager, destroys);
            later(&site);
            browser.receive(&slow.commit());
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

/// The managers before and after a change of the audience.
fn readdressed(site: &Site, store: &Interrupted, placement: Placement) -> [SessionManager; 2] {
    let before = site.with_records().placement(placement).build().unwrap();
    let builder = store.under(site.cookie_only()).placement(placement);
    [before, builder.audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap()]
}

#[test]
fn a_move_to_another_audience_that_was_in_flight_does_not_revive_a_session() {
    let begins: [fn(&Site, &SessionManager) -> Browser; 2] = [inline, in_record];
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (begin, moves_first) in begins.into_iter().flat_map(|begin| [(begin, false), (begin, true)]) {
            for end in ENDS {
                let site = Site::new();
                let [before, now] = readdressed(&site, &Interrupted::new(&site), placement);
                let mut browser = begin(&site, &before);
                let was_reference = site.opened(&before, &browser).is_reference();
                let mut copy = browser.clone();
                let moving = browser.begin(&now);
                moving.session().put("photo", &text(LARGE)).unwrap();
                if moves_first {
                    browser.put(&now, "other", 1);
                    later(&site);
                }
                browser.visit(&now, end);
                later(&site);
                match moving.try_commit() {
                    Ok(response) => browser.receive(&response),
                    Err(failed) => assert_eq!(failed.status_code(), 409),
                }
                site.clock.advance_seconds(11);
                assert_eq!(browser.get(&now, "user"), None, "{placement:?}, moved before: {moves_first}");
                let found = copy.get(&now, "user");
                assert!(!was_reference || found.is_none(), "a copy: {placement:?}, moved before: {moves_first}");
            }
        }
    }
}

#[test]
fn a_write_under_another_audience_that_was_dropped_halfway_does_not_outlive_a_logout() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for happened in [false, true] {
            for end in ENDS {
                let site = Site::new();
                let store = Interrupted::new(&site);
                let [before, now] = readdressed(&site, &store, placement);
                let mut browser = in_record(&site, &before);
                let mut copy = browser.clone();
                let moving = browser.begin(&now);
                moving.session().put("step", &1).unwrap();
                store.at_next(updates, Meets::NoAnswer { happened });
                give_up(moving.0.commit(&ResponseFacts::new(200)));
                drop(moving);
                later(&site);
                browser.visit(&now, end);
                site.clock.advance_seconds(11);
                assert_eq!((browser.get(&now, "user"), copy.get(&now, "user")), (None, None));
            }
        }
    }
}

#[test]
fn a_late_response_of_a_server_with_the_earlier_name_or_audience_does_not_undo_a_logout() {
    for renames in [false, true] {
        for end in ENDS {
            let site = Site::new();
            let before = site.cookie_only().build().unwrap();
            let builder = site.cookie_only().also_read(COOKIE, "shop/test");
            let builder = if renames {
                builder.cookie(CookieAttributes::new().name("__Host-shop"))
            } else {
                builder.audience("shop/new")
            };
            let now = builder.build().unwrap();
            let mut browser = inline(&site, &before);
            let slow = browser.begin(&before);
            slow.session().put("step", &1).unwrap();
            browser.visit(&now, end);
            later(&site);
            browser.receive(&slow.commit());
            later(&site);
            assert_eq!(browser.get(&now, "user"), None, "renames: {renames}");
        }
    }
}

#[test]
fn a_logout_can_be_repeated_after_a_lost_response() {
    let begins: [fn(&Site, &SessionManager) -> Browser; 3] = [inline, in_record, returned];
    for begin in begins {
        for end in ENDS {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = begin(&site, &manager);
            let lost = browser.begin(&manager);
            end(&lost.session());
            lost.commit();
            later(&site);
            browser.visit(&manager, end);
            later(&site);
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

#[test]
fn a_logout_through_the_reference_from_before_a_login_ends_the_cookie_that_it_came_with() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            let browser = in_record(&site, &manager);
            let mut before = browser.clone();
            let login = browser.begin(&manager);
            regenerates(&login.session());
            login.commit();
            later(&site);
            before.visit(&manager, end);
            later(&site);
            assert_eq!(before.get(&manager, "user"), None);
            let mut copy = browser;
            assert_eq!(copy.get(&manager, "user"), None);
        }
    }
}

#[test]
fn a_damaged_record_stands_in_the_way_of_no_logout() {
    let any: fn(Call) -> bool = |_| true;
    let begins: [fn(&Site, &SessionManager) -> Browser; 3] = [inline, in_record, returned];
    for begin in begins {
        let (site, store, manager) = {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.cookie_only()).build().unwrap();
            (site, store, manager)
        };
        let mut browser = begin(&site, &manager);
        let mut copy = browser.clone();
        let was_in_record = site.opened(&manager, &browser).is_reference();
        let request = browser.begin(&manager);
        request.0.end().unwrap();
        store.at_next(any, Meets::Corrupt);
        browser.receive(&request.commit());
        assert!(store.has_met());
        assert_eq!(browser.get(&manager, "user"), None);
        // Without a record, a copy of a cookie with its data is good until it expires.
        assert_eq!(copy.get(&manager, "user").is_some(), !was_in_record);
    }
}

/// Before each of the next so many updates, another request writes the same record, and a second goes by.
fn contend(others: SessionManager, clock: ManualClock, store: &Interrupted, writer: Browser, left: u64) {
    let Some(left) = left.checked_sub(1) else { return };
    let again = store.clone();
    let meanwhile = move || {
        writer.clone().put(&others, "n", left);
        clock.advance_seconds(1);
        contend(others, clock, &again, writer, left);
    };
    store.at_next(updates, Meets::Meanwhile(Box::new(meanwhile)));
}

#[test]
fn a_logout_among_many_writers_goes_on_until_it_is_through() {
    for end in ENDS {
        let site = Site::new();
        let store = Interrupted::new(&site);
        let manager = store.under(site.cookie_only()).build().unwrap();
        let mut browser = in_record(&site, &manager);
        let request = browser.begin(&manager);
        end(&request.session());
        contend(site.with_records().build().unwrap(), site.clock.clone(), &store, browser.clone(), 80);
        browser.receive(&request.commit());
        assert!(store.has_met());
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

/// Two clicks on "log in", a request of the session of the first, and a logout of the second.
#[test]
fn a_late_response_of_the_first_of_two_logins_does_not_undo_a_logout() {
    let site = Site::new();
    let store_only = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    for manager in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap(), store_only] {
        for late in [1, LARGE] {
            let mut browser = super::inline(&site, &manager);
            let clicks = [(); 2].map(|()| browser.begin(&manager));
            let [one, two] = clicks.map(|click| {
                click.session().regenerate().unwrap();
                click.session().put("member", &1).unwrap();
                click.commit()
            });
            browser.receive(&one);
            let slow = browser.begin(&manager);
            if slow.session().put("late", &text(late)).is_err() {
                continue;
            }
            browser.receive(&two);
            browser.visit(&manager, super::destroys);
            site.clock.advance_seconds(1);
            match slow.try_commit() {
                Ok(response) => browser.receive(&response),
                Err(failed) => browser.receive(&failed.commit),
            }
            super::later(&site);
            assert_eq!(browser.get(&manager, "member"), None);
        }
    }
}
