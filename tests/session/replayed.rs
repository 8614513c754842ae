//! The life of a session: what a request decides is decided on what is written, after its operations were made again on
//! another request's data.

use std::time::Duration;

use sealed_session::{Placement, SessionManager};

use crate::browser::Browser;
use crate::support::{LARGE, Site, max_age, removes_the_cookie, text};

const TEN_DAYS: u64 = 10 * 86_400;

/// A browser whose session is in a record.
fn in_a_record(site: &Site, store: &SessionManager) -> Browser {
    let mut browser = site.browser();
    browser.put(store, "user", 42);
    browser.put(store, "cart", text(LARGE));
    browser
}

#[test]
fn what_another_request_marked_as_server_only_stays_on_the_server() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = in_a_record(&site, &store);
    let shrinks = browser.begin(&store);
    shrinks.session().forget("cart").unwrap();
    browser.visit(&store, |session| {
        session.server_only("secret").unwrap();
        session.put("secret", "the card number").unwrap();
    });
    browser.receive(&shrinks.commit());
    assert!(site.opened(&store, &browser).is_reference());
    browser.visit(&store, |session| assert!(session.has("secret").unwrap() && !session.has("cart").unwrap()));
}

#[test]
fn two_requests_that_empty_a_session_together_end_it() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = in_a_record(&site, &store);
    let copy = browser.clone();
    let slow = browser.begin(&store);
    slow.session().forget("cart").unwrap();
    browser.visit(&store, |session| session.forget("user").unwrap());
    let last = slow.commit();
    assert!(removes_the_cookie(&last));
    browser.receive(&last);
    assert_eq!(browser.cookie(), None);
    assert_eq!(copy.clone().get(&store, "user"), None);
}

#[test]
fn a_request_that_takes_the_last_key_does_not_end_what_another_began() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let empties = browser.begin(&store);
    empties.session().forget("cart").unwrap();
    browser.put(&store, "user", 42);
    // Whichever response arrives, and in which order.
    let mut other = browser.clone();
    browser.receive(&empties.commit());
    for browser in [&mut browser, &mut other] {
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}

#[test]
fn a_one_time_code_that_is_taken_does_not_end_a_login_under_store_only() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "otp", 1);
    let takes = browser.begin(&store);
    assert_eq!(takes.session().pull("otp").unwrap(), Some(1));
    browser.put(&store, "user", 42);
    browser.receive(&takes.commit());
    assert_eq!((browser.get(&store, "user"), browser.get(&store, "otp")), (Some(42), None));
}

#[test]
fn a_lifetime_that_was_asked_for_beside_a_parallel_write_holds() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for remembers_first in [true, false] {
        let mut browser = in_a_record(&site, &store);
        let [remembers, writes] = [browser.begin(&store), browser.begin(&store)];
        remembers.session().remember(Duration::from_secs(TEN_DAYS)).unwrap();
        writes.session().put("step", &1).unwrap();
        let [first, last] = if remembers_first { [remembers, writes] } else { [writes, remembers] };
        browser.receive(&first.commit());
        let response = last.commit();
        assert_eq!(max_age(&response), Some(TEN_DAYS));
        browser.receive(&response);
        site.clock.advance_seconds(TEN_DAYS - 1);
        assert_eq!(browser.get(&store, "step"), Some(1));
    }
}

#[test]
fn a_value_that_two_requests_take_is_taken_once() {
    let site = Site::new();
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let store = site.with_records().placement(placement).build().unwrap();
        let mut browser = in_a_record(&site, &store);
        browser.put(&store, "otp", 7);
        for logs_in in [false, true] {
            browser.put(&store, "otp", 7);
            let [one, other] = [browser.begin(&store), browser.begin(&store)];
            for request in [&one, &other] {
                assert_eq!(request.session().pull("otp").unwrap(), Some(7));
                if logs_in {
                    request.session().regenerate_and_reset_lifetime().unwrap();
                }
            }
            browser.receive(&one.commit());
            assert_eq!(other.try_commit().unwrap_err().status_code(), 409, "{placement:?}, {logs_in}");
            assert_eq!(browser.get(&store, "user"), Some(42));
        }
    }
}

#[test]
fn a_plain_write_beside_a_new_id_a_return_or_a_logout_is_a_conflict_and_no_success() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let ways: [fn(&sealed_session::Session); 4] = [
        |session| session.regenerate().unwrap(),
        |session| session.forget("cart").unwrap(),
        |session| session.destroy().unwrap(),
        |session| session.invalidate().unwrap(),
    ];
    for (number, leave) in ways.into_iter().enumerate() {
        for saves in [false, true] {
            let mut browser = in_a_record(&site, &store);
            let writes = browser.begin(&store);
            writes.session().put("step", &1).unwrap();
            browser.visit(&store, leave);
            let status = if saves {
                pollster::block_on(writes.session().save()).unwrap_err().status_code()
            } else {
                writes.try_commit().unwrap_err().status_code()
            };
            assert_eq!(status, 409, "{number}, {saves}");
        }
    }
}
