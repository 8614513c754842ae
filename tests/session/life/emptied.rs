//! A session that has become empty is no logout: it ends only if nobody has written it meanwhile.

use pollster::block_on;
use sealed_session::{Placement, Session};

use super::interrupted::{Interrupted, Meets, writes};
use super::{after, inline, later, with_store};
use crate::support::{LARGE, Site, text};

/// Each removes the only data of a session.
const EMPTIES: [fn(&Session); 3] = [
    |session| session.forget("cart").unwrap(),
    |session| assert!(session.pull::<String>("cart").unwrap().is_some()),
    |session| {
        session.put("cart", &1).unwrap();
        session.forget("cart").unwrap();
    },
];

#[test]
fn what_another_request_has_put_outlives_the_removal_of_the_last_key() {
    let site = Site::new();
    for manager in with_store(&site) {
        for empties in EMPTIES {
            let mut browser = after(&site, &manager, |session| session.put("cart", &text(LARGE)).unwrap());
            let slow = browser.begin(&manager);
            empties(&slow.session());
            let mut other = browser.clone();
            other.put(&manager, "user", 42);
            later(&site);
            browser.receive(&slow.commit());
            assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "cart")), (Some(42), None));
            assert_eq!(other.get(&manager, "user"), Some(42), "the response to the other request came last");
        }
    }
}

#[test]
fn a_login_in_parallel_outlives_a_one_time_code_that_was_the_only_data() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("otp", &1).unwrap());
    let slow = browser.begin(&manager);
    assert_eq!(slow.session().pull::<u64>("otp").unwrap(), Some(1));
    browser.put(&manager, "user", 42);
    later(&site);
    slow.commit();
    assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "otp")), (Some(42), None));
}

#[test]
fn a_save_of_an_emptied_session_destroys_nothing_of_another_request() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = after(&site, &manager, |session| session.put("cart", &text(LARGE)).unwrap());
        let slow = browser.begin(&manager);
        let session = slow.session();
        session.forget("cart").unwrap();
        browser.put(&manager, "user", 42);
        later(&site);
        block_on(session.save()).unwrap();
        assert_eq!(session.get("user").unwrap(), Some(42));
        browser.receive(&slow.commit());
        assert_eq!(browser.get(&manager, "user"), Some(42));
    }
}

#[test]
fn what_another_request_puts_at_the_very_last_moment_is_not_destroyed() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let site = Site::new();
        let plain = site.with_records().placement(placement).build().unwrap();
        let store = Interrupted::new(&site);
        let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
        let mut browser = after(&site, &plain, |session| session.put("cart", &text(LARGE)).unwrap());
        let slow = browser.begin(&manager);
        slow.session().forget("cart").unwrap();
        let mut other = browser.clone();
        store.at_next(writes, Meets::Meanwhile(Box::new(move || drop(other.put(&plain, "user", 42)))));
        browser.receive(&slow.commit());
        assert!(store.has_met());
        assert_eq!(browser.get(&manager, "user"), Some(42));
    }
}

#[test]
fn what_another_request_puts_outlives_the_reading_of_the_last_message() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = after(&site, &manager, |session| session.flash("notice", "hello").unwrap());
    let slow = browser.begin(&manager);
    assert!(slow.session().flash_messages().has("notice"));
    browser.put(&manager, "user", 42);
    later(&site);
    browser.receive(&slow.commit());
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_session_emptied_in_its_cookie_leaves_the_record_of_a_request_in_parallel() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = inline(&site, &manager);
    let slow = browser.begin(&manager);
    slow.session().forget("user").unwrap();
    let spilling = browser.begin(&manager);
    spilling.session().put("cart", &text(LARGE)).unwrap();
    let spilled = spilling.commit();
    later(&site);
    browser.receive(&slow.commit());
    // Of two requests that both read the cookie, the last response wins.
    browser.receive(&spilled);
    let (found, _) = browser.visit(&manager, |session| session.has("cart").unwrap());
    assert!(found);
}
