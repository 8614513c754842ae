//! Behaviour, section 1: a cookie that is not a session is an empty session with a reason, and left alone.

use sealed_session::{Key, Lifetimes, Reason, RequestFacts, SessionManager};
use std::time::Duration;

use crate::support::{COOKIE, LARGE, Site, text};

/// The cookie is an empty session for this reason, nothing is sent for it, and the next write overwrites it.
#[track_caller]
fn refused(site: &Site, store: &SessionManager, value: &str, reason: Reason) {
    let mut browser = site.browser();
    browser.plant(COOKIE, value);
    site.events.take();
    let (_, response) = browser.visit(store, |session| assert!(session.is_empty() && session.is_new()));
    assert_eq!(site.events.take_reasons(), [reason]);
    assert!(response.set_cookies.is_empty() && response.cache_control.is_none() && response.add_vary_cookie);
    assert_eq!(browser.cookie(), Some(value));

    browser.put(store, "user", 1);
    assert_ne!(browser.cookie(), Some(value));
    assert_eq!(browser.get(store, "user"), Some(1));
}

fn sealed(site: &Site, store: &SessionManager) -> String {
    let mut browser = site.browser();
    browser.put(store, "user", 42);
    browser.cookie().unwrap().to_owned()
}

#[test]
fn no_cookie_is_absent() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    site.browser().visit(&store, |_| ());
    assert_eq!(site.events.take_reasons(), [Reason::Absent]);
}

#[test]
fn what_is_no_envelope_is_malformed() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let padded = format!("{}=", sealed(&site, &store));
    for value in ["", "x", "\"quoted\"", &"!".repeat(200), &"A".repeat(4096), &padded] {
        refused(&site, &store, value, Reason::Malformed);
    }
}

#[test]
fn another_version_is_unknown() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    refused(&site, &store, &format!("Ag{}", &sealed(&site, &store)[2..]), Reason::UnknownVersion);
}

#[test]
fn a_cookie_under_a_key_that_was_taken_out_is_of_an_unknown_key() {
    let site = Site::new();
    let value = sealed(&site, &site.cookie_only().build().unwrap());
    let store = site.over(Key::generate().unwrap()).build().unwrap();
    refused(&site, &store, &value, Reason::UnknownKey);
}

#[test]
fn an_altered_cookie_is_unauthentic() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut value = sealed(&site, &store);
    let replacement = if value.as_bytes()[100] == b'A' { "B" } else { "A" };
    value.replace_range(100..101, replacement);
    refused(&site, &store, &value, Reason::Unauthentic);
}

#[test]
fn a_cookie_of_another_audience_or_name_is_unauthentic() {
    use sealed_session::cookie::CookieAttributes;
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let staging = site.cookie_only().audience("shop/staging").build().unwrap();
    refused(&site, &store, &sealed(&site, &staging), Reason::Unauthentic);
    let other_name = site.cookie_only().cookie(CookieAttributes::new().name("__Host-other")).build().unwrap();
    refused(&site, &store, &sealed(&site, &other_name), Reason::Unauthentic);
}

#[test]
fn a_cookie_from_the_future_is_not_yet_valid() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let start = site.now().unix_seconds();
    site.clock.advance_seconds(61);
    let value = sealed(&site, &store);
    site.clock.set_unix_seconds(start);
    refused(&site, &store, &value, Reason::NotYetValid);
}

#[test]
fn an_unused_cookie_expires_to_the_second() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let value = sealed(&site, &store);
    let mut browser = site.browser();
    browser.plant(COOKIE, &value);
    site.clock.advance_seconds(7199);
    assert_eq!(browser.begin(&store).session().get::<u64>("user").unwrap(), Some(42));
    site.clock.advance_seconds(1);
    refused(&site, &store, &value, Reason::ExpiredIdle);
}

#[test]
fn a_session_in_use_expires_with_its_absolute_timeout() {
    let site = Site::new();
    let lifetimes = Lifetimes::default().absolute_timeout(Some(Duration::from_secs(7200)));
    let store = site.cookie_only().lifetimes(lifetimes).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    site.clock.advance_seconds(7000);
    browser.put(&store, "user", 43);
    site.clock.advance_seconds(200);
    let value = browser.cookie_header();
    assert_eq!(value, "", "the browser drops it at Max-Age");

    site.clock.set_unix_seconds(site.now().unix_seconds() - 1);
    let value = browser.cookie().unwrap().to_owned();
    site.clock.advance_seconds(1);
    refused(&site, &store, &value, Reason::ExpiredAbsolute);
}

#[test]
fn a_reference_without_its_record_is_of_a_missing_record() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.restore(crate::faulty_store::Records::new());
    refused(&site, &store, browser.cookie().unwrap(), Reason::RecordMissing);
}

#[test]
fn a_reference_where_no_store_is_configured_is_of_a_missing_record() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", text(LARGE));
    let without = site.cookie_only().build().unwrap();
    refused(&site, &without, browser.cookie().unwrap(), Reason::RecordMissing);
}

#[test]
fn an_id_that_a_client_brings_is_never_adopted() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let brought = site.opened(&store, &browser).public_id();
    site.records.restore(crate::faulty_store::Records::new());
    browser.put(&store, "user", 1);
    assert_ne!(site.opened(&store, &browser).public_id(), brought);

    site.clock.advance_seconds(7200);
    let expired = browser.clone();
    let request = expired.begin(&store);
    request.session().put("user", &2).unwrap();
    assert_ne!(request.session().id(), Some(brought));
}

#[test]
fn bytes_that_are_no_text_are_malformed() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let pending = store.begin(&RequestFacts::new().cookie_header(b"__Host-session=\xff\xfe\x80"));
    assert!(pollster::block_on(pending.session()).unwrap().is_empty());
    assert_eq!(site.events.take_reasons(), [Reason::Malformed]);
}
