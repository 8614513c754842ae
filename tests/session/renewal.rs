//! Behaviour, section 1: when a session that was only read lives on.

use std::time::Duration;

use sealed_session::events::Event;
use sealed_session::{Lifetimes, Renewal, SessionManager, SessionManagerBuilder};

use crate::browser::{Browser, Request, Response};
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, max_age, text, untouched};

/// A browser whose session has used up so many of its 100 seconds.
fn used_for(site: &Site, build: impl Fn(&Site) -> SessionManagerBuilder, seconds: u64) -> (SessionManager, Browser) {
    let idle = Lifetimes::default().idle_timeout(Duration::from_secs(100));
    let store = build(site).lifetimes(idle).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    site.clock.advance_seconds(seconds);
    site.events.take();
    (store, browser)
}

/// The response to a request that reads its session.
fn reading(request: Request) -> Response {
    assert_eq!(request.session().get("user").unwrap(), Some(42));
    request.commit()
}

#[test]
fn half_life_renews_by_a_navigation_with_less_than_half_of_the_time_left() {
    let site = Site::new();
    let (store, browser) = used_for(&site, Site::cookie_only, 50);
    assert!(reading(browser.begin(&store)).set_cookies.is_empty());
    site.clock.advance_seconds(1);
    let response = reading(browser.begin_in_background(&store, "document"));
    assert_eq!(max_age(&response), Some(100));
    assert!(site.events.take_names().contains(&"Renewed".to_owned()));
}

#[test]
fn a_renewed_session_keeps_id_birth_and_data() {
    let site = Site::new();
    let (store, mut browser) = used_for(&site, Site::cookie_only, 60);
    let before = site.opened(&store, &browser);
    browser.get(&store, "user");
    let after = site.opened(&store, &browser);
    assert_eq!((after.public_id(), after.created()), (before.public_id(), before.created()));
    assert_eq!(after.payload(), before.payload());
    assert_eq!((after.issued(), after.expires()), (site.now(), site.now().saturating_add_seconds(100)));
}

#[test]
fn fetches_renew_below_half_and_parts_of_a_page_never() {
    let site = Site::new();
    for renewal in [Renewal::HalfLife, Renewal::EveryResponse] {
        let (store, browser) = used_for(&site, |site| site.cookie_only().renewal(renewal), 50);
        assert!(reading(browser.begin_in_background(&store, "empty")).set_cookies.is_empty());
        site.clock.advance_seconds(1);
        assert_eq!(max_age(&reading(browser.begin_in_background(&store, "empty"))), Some(100));
        site.clock.advance_seconds(48);
        for destination in ["image", "script", "style", "font"] {
            assert!(reading(browser.begin_in_background(&store, destination)).set_cookies.is_empty());
        }
    }
}

#[test]
fn frames_renew_as_pages_do() {
    let site = Site::new();
    let (store, browser) = used_for(&site, |site| site.cookie_only().renewal(Renewal::EveryResponse), 1);
    for destination in ["document", "iframe", "frame"] {
        assert_eq!(max_age(&reading(browser.begin_in_background(&store, destination))), Some(100));
    }
}

#[test]
fn every_response_renews_a_session_in_a_record_whatever_asked_for_it() {
    let site = Site::new();
    let (store, mut browser) = used_for(&site, |site| site.with_records().renewal(Renewal::EveryResponse), 0);
    browser.put(&store, "cart", text(LARGE));
    for destination in ["document", "empty", "image"] {
        assert_eq!(max_age(&browser.begin_in_background(&store, destination).commit()), Some(100));
    }
}

#[test]
fn a_read_that_failed_renews_nothing() {
    let site = Site::new();
    let (store, browser) = used_for(&site, Site::cookie_only, 60);
    let request = browser.begin(&store);
    assert!(request.session().get::<String>("user").is_err());
    assert!(request.session().read::<Vec<u8>>().is_err());
    let response = request.commit();
    assert!(response.set_cookies.is_empty() && response.add_vary_cookie);
}

#[test]
fn half_life_renews_nothing_for_a_request_that_did_not_touch_its_session() {
    let site = Site::new();
    let (store, browser) = used_for(&site, Site::cookie_only, 90);
    assert_eq!(browser.begin(&store).commit(), untouched());
    let asked = browser.begin(&store);
    asked.session();
    assert_eq!(asked.commit(), untouched());
}

#[test]
fn every_response_renews_requests_that_never_asked() {
    let site = Site::new();
    let (store, browser) = used_for(&site, |site| site.cookie_only().renewal(Renewal::EveryResponse), 1);
    assert_eq!(max_age(&reading(browser.begin(&store))), Some(100));
    let response = browser.begin(&store).commit();
    assert_eq!(max_age(&response), Some(100));
    assert!(response.add_vary_cookie);
    assert_eq!(response.cache_control.as_deref(), Some("private, no-cache"));
    assert_eq!(browser.begin_in_background(&store, "image").commit(), untouched());
}

#[test]
fn every_response_does_nothing_without_a_good_cookie() {
    let site = Site::new();
    let store = site.with_records().renewal(Renewal::EveryResponse).build().unwrap();
    let mut browser = site.browser();
    assert_eq!(browser.begin(&store).commit(), untouched());
    browser.plant(crate::support::COOKIE, "junk");
    assert_eq!(browser.begin(&store).commit(), untouched());
}

#[test]
fn on_write_never_renews_what_was_only_read() {
    let site = Site::new();
    let (store, mut browser) = used_for(&site, |site| site.cookie_only().renewal(Renewal::OnWrite), 99);
    assert!(reading(browser.begin(&store)).set_cookies.is_empty());
    assert_eq!(max_age(&browser.put(&store, "user", 43)), Some(100));
}

#[test]
fn an_active_reader_outlives_a_shortened_timeout() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.cookie_only().build().unwrap(), "user", 42);
    let shortened = Lifetimes::default().idle_timeout(Duration::from_secs(600));
    let store = site.cookie_only().lifetimes(shortened).build().unwrap();
    for minute in 0..60 {
        assert_eq!(browser.get(&store, "user"), Some(42), "in minute {minute}");
        site.clock.advance_seconds(60);
    }
}

#[test]
fn the_renewal_of_a_record_is_one_touch_and_no_rewrite() {
    let site = Site::new();
    let (store, mut browser) = used_for(&site, Site::with_records, 0);
    browser.put(&store, "cart", text(LARGE));
    let (_, before) = crate::faulty_store::only(&site.records);
    site.clock.advance_seconds(60);
    site.records.take_calls();
    assert_eq!(max_age(&browser.visit(&store, |session| assert!(!session.is_empty())).1), Some(100));
    assert_eq!(site.records.take_calls(), [Call::Load, Call::Touch]);
    let (_, after) = crate::faulty_store::only(&site.records);
    assert_eq!((after.version, &after.bytes), (before.version, &before.bytes));
    assert_eq!(after.expires_at, site.now().saturating_add_seconds(160));

    site.clock.advance_seconds(99);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_record_that_is_gone_at_renewal_gets_no_cookie() {
    let site = Site::new();
    let (store, mut browser) = used_for(&site, Site::with_records, 0);
    browser.put(&store, "cart", text(LARGE));
    site.clock.advance_seconds(60);
    let request = browser.begin(&store);
    site.events.take();
    assert!(!request.session().is_empty());
    site.records.restore(crate::faulty_store::Records::new());
    assert!(request.commit().set_cookies.is_empty());
    assert!(site.events.take_names().contains(&"RenewalSkipped".to_owned()));
}

#[test]
fn a_store_that_is_down_at_a_mere_renewal_costs_the_renewal_alone() {
    let site = Site::new();
    let (store, mut browser) = used_for(&site, Site::with_records, 0);
    browser.put(&store, "cart", text(LARGE));
    let id = site.opened(&store, &browser).public_id();
    site.clock.advance_seconds(60);
    let request = browser.begin(&store);
    assert!(!request.session().is_empty());
    site.records.go_down();
    assert!(request.commit().set_cookies.is_empty());
    assert!(site.events.take().contains(&Event::RenewalSkipped { id }));
    site.records.come_up();
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_store_that_is_down_costs_a_request_that_never_asked_its_renewal_alone() {
    let site = Site::new();
    let store = site.with_records().renewal(Renewal::EveryResponse).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.go_down();
    assert_eq!(browser.begin(&store).commit(), untouched());
}
