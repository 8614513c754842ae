//! What a request decides, it decides on what it writes: also when another request was faster, and its own operations are
//! made again on the newer data.

use std::sync::{Arc, Mutex};

use pollster::block_on;
use sealed_session::{Placement, Renewal, Session};

use super::interrupted::{Interrupted, Meets, updates};
use super::{DAY, TEN_DAYS, after, in_record, later, returns, seconds_of, with_store};
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, ignore, max_age, records_with_data, removes_the_cookie, text};

fn marks_a_secret(session: &Session) {
    session.server_only("secret").unwrap();
    session.put("secret", &1).unwrap();
}

#[test]
fn what_must_stay_on_the_server_since_a_moment_ago_is_in_no_cookie() {
    let shrinks: [fn(&Session); 4] = [
        returns,
        |session| session.put("cart", "").unwrap(),
        |session| assert!(session.pull::<String>("cart").unwrap().is_some()),
        |session| {
            session.regenerate().unwrap();
            session.forget("cart").unwrap();
        },
    ];
    for shrink in shrinks {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = in_record(&site, &manager);
        let slow = browser.begin(&manager);
        shrink(&slow.session());
        browser.visit(&manager, marks_a_secret);
        later(&site);
        browser.receive(&slow.commit());
        assert!(site.opened(&manager, &browser).is_reference());
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "secret")), (Some(42), Some(1)));
    }
}

#[test]
fn what_must_stay_on_the_server_since_a_moment_ago_is_not_saved_to_a_cookie_either() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let slow = browser.begin(&manager);
    let session = slow.session();
    returns(&session);
    browser.visit(&manager, marks_a_secret);
    later(&site);
    block_on(session.save()).unwrap();
    browser.receive(&slow.commit());
    assert!(site.opened(&manager, &browser).is_reference());
}

#[test]
fn what_must_stay_on_the_server_since_the_very_last_moment_is_in_no_cookie() {
    let site = Site::new();
    let plain = site.with_records().build().unwrap();
    let store = Interrupted::new(&site);
    let manager = store.under(site.cookie_only()).build().unwrap();
    let mut browser = in_record(&site, &plain);
    let slow = browser.begin(&manager);
    returns(&slow.session());
    let mut other = browser.clone();
    store.at_next(updates, Meets::Meanwhile(Box::new(move || drop(other.visit(&plain, marks_a_secret)))));
    browser.receive(&slow.commit());
    assert!(store.has_met());
    assert!(site.opened(&manager, &browser).is_reference());
    assert_eq!(browser.get(&manager, "secret"), Some(1));
}

#[test]
fn what_another_request_has_added_decides_whether_the_session_fits_its_cookie() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let slow = browser.begin(&manager);
    returns(&slow.session());
    browser.put(&manager, "photo", text(LARGE));
    later(&site);
    browser.receive(&slow.commit());
    assert!(site.opened(&manager, &browser).is_reference());
    let (found, _) = browser.visit(&manager, |session| session.has("photo").unwrap() && !session.has("cart").unwrap());
    assert!(found);
}

#[test]
fn what_two_requests_have_removed_together_decides_it_too() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    browser.put(&manager, "photo", text(LARGE));
    later(&site);
    let slow = browser.begin(&manager);
    slow.session().forget("photo").unwrap();
    browser.visit(&manager, returns);
    later(&site);
    browser.receive(&slow.commit());
    assert!(!site.opened(&manager, &browser).is_reference());
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_session_that_two_requests_have_emptied_together_ends() {
    let removes: [[fn(&Session); 2]; 2] = [
        [|session| session.forget("a").unwrap(), |session| session.forget("b").unwrap()],
        [
            |session| drop(session.pull::<String>("a").unwrap()),
            |session| assert_eq!(session.pull("b").unwrap(), Some(1)),
        ],
    ];
    let site = Site::new();
    for manager in with_store(&site) {
        for [removes_a, removes_b] in removes {
            let mut browser = after(&site, &manager, |session| {
                session.put("a", &text(LARGE)).unwrap();
                session.put("b", &1).unwrap();
            });
            let slow = browser.begin(&manager);
            removes_a(&slow.session());
            browser.visit(&manager, removes_b);
            later(&site);
            let response = slow.commit();
            assert!(removes_the_cookie(&response));
            assert_eq!(records_with_data(&site.records), 0);
            browser.receive(&response);
            assert_eq!(browser.cookie(), None);
        }
    }
}

#[test]
fn a_session_that_two_requests_have_emptied_together_ends_with_a_save() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = after(&site, &manager, |session| {
        session.put("a", &1).unwrap();
        session.put("b", &1).unwrap();
    });
    let slow = browser.begin(&manager);
    let session = slow.session();
    session.forget("a").unwrap();
    browser.visit(&manager, |session| session.forget("b").unwrap());
    later(&site);
    block_on(session.save()).unwrap();
    assert_eq!(records_with_data(&site.records), 0);
    assert!(removes_the_cookie(&slow.commit()));
}

#[test]
fn a_lifetime_that_one_request_asks_for_holds_whatever_another_one_writes() {
    let site = Site::new();
    for manager in with_store(&site) {
        for remembers_first in [true, false] {
            let mut browser = in_record(&site, &manager);
            let remembering = browser.begin(&manager);
            remembering.session().remember(TEN_DAYS).unwrap();
            let writing = browser.begin(&manager);
            writing.session().put("step", &1).unwrap();
            later(&site);
            for request in if remembers_first { [remembering, writing] } else { [writing, remembering] } {
                let response = request.commit();
                browser.receive(&response);
                later(&site);
            }
            assert_eq!(seconds_of(&site.opened(&manager, &browser)), TEN_DAYS.as_secs());
            site.clock.advance_seconds(9 * DAY);
            assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
        }
    }
}

/// It renews the record with the lifetime that it has read, and its response is lost.
#[test]
fn a_lifetime_that_one_request_asks_for_holds_whatever_another_one_renews() {
    for renewal in [Renewal::HalfLife, Renewal::EveryResponse] {
        for placement in [Placement::Spill, Placement::StoreOnly] {
            for meets_at_touch in [false, true] {
                let site = Site::new();
                let store = Interrupted::new(&site);
                let manager = store.under(site.cookie_only()).placement(placement).renewal(renewal).build().unwrap();
                let browser = in_record(&site, &manager);
                site.clock.advance_seconds(5000);
                let renewing = browser.begin(&manager);
                renewing.session().get::<u64>("user").unwrap();
                let remembered = Arc::new(Mutex::new(browser));
                let (other, at) = (Arc::clone(&remembered), manager.clone());
                let remembers = move || {
                    other.lock().unwrap().visit(&at, |session| session.remember(TEN_DAYS).unwrap());
                };
                if meets_at_touch {
                    store.at_next(|call| call == Call::Touch, Meets::Meanwhile(Box::new(remembers)));
                    ignore(renewing.try_commit());
                    assert!(store.has_met());
                } else {
                    remembers();
                    site.clock.advance_seconds(1);
                    ignore(renewing.try_commit());
                }
                site.clock.advance_seconds(3 * 3600);
                assert_eq!(remembered.lock().unwrap().get(&manager, "user"), Some(42), "{renewal:?}, {placement:?}");
            }
        }
    }
}

#[test]
fn the_next_page_puts_right_what_a_late_response_says_of_the_lifetime() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let writing = browser.begin(&manager);
    writing.session().put("step", &1).unwrap();
    let remembering = browser.begin(&manager);
    remembering.session().remember(TEN_DAYS).unwrap();
    later(&site);
    let late = writing.commit();
    later(&site);
    browser.receive(&remembering.commit());
    browser.receive(&late);
    later(&site);
    assert_eq!(browser.get(&manager, "user"), Some(42));
    assert_eq!(seconds_of(&site.opened(&manager, &browser)), TEN_DAYS.as_secs());
}

#[test]
fn a_session_returns_to_its_cookie_with_the_lifetime_that_another_request_asked_for() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let slow = browser.begin(&manager);
    returns(&slow.session());
    browser.visit(&manager, |session| session.remember(TEN_DAYS).unwrap());
    later(&site);
    let response = slow.commit();
    assert_eq!(max_age(&response), Some(TEN_DAYS.as_secs()));
    browser.receive(&response);
    assert!(!site.opened(&manager, &browser).is_reference());
}

#[test]
fn a_login_goes_on_with_the_lifetime_that_another_request_asked_for() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    let login = browser.begin(&manager);
    login.session().regenerate().unwrap();
    browser.visit(&manager, |session| session.remember(TEN_DAYS).unwrap());
    later(&site);
    browser.receive(&login.commit());
    assert_eq!(seconds_of(&site.opened(&manager, &browser)), TEN_DAYS.as_secs());
}
