//! What a request costs in round trips to the server store.

use sealed_session::Session;

use crate::faulty_store::Call::{self, Create, Load, Update};
use crate::support::{LARGE, Site, text};

/// The calls of one request, after a session was begun with so large a cart.
fn calls_of(cart_bytes: usize, handle: fn(&Session)) -> Vec<Call> {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(cart_bytes));
    site.records.take_calls();
    browser.visit(&store, handle);
    site.records.take_calls()
}

#[test]
fn a_session_in_its_cookie_costs_no_round_trip() {
    assert_eq!(calls_of(1, |session| assert!(session.has("cart").unwrap())), []);
    assert_eq!(calls_of(1, |session| session.put("user", &42).unwrap()), []);
    assert_eq!(calls_of(1, |session| session.clear().unwrap()), []);
}

#[test]
fn a_session_in_the_store_costs_one_load_and_one_write() {
    assert_eq!(calls_of(LARGE, |session| assert!(session.has("cart").unwrap())), [Load]);
    assert_eq!(calls_of(LARGE, |session| drop(session.csrf_token().unwrap())), [Load]);
    assert_eq!(calls_of(LARGE, |session| session.put("user", &42).unwrap()), [Load, Update]);
    assert_eq!(calls_of(LARGE, |session| session.put("cart", &1).unwrap()), [Load, Update]);
    assert_eq!(calls_of(LARGE, |session| session.destroy().unwrap()), [Load, Update]);
}

#[test]
fn spilling_costs_one_write() {
    assert_eq!(calls_of(1, |session| session.put("cart", &text(LARGE)).unwrap()), [Create]);
}

#[test]
fn a_new_id_in_the_store_costs_two_writes() {
    assert_eq!(calls_of(LARGE, |session| session.regenerate().unwrap()), [Load, Create, Update]);
    let farewell = |session: &Session| {
        session.invalidate().unwrap();
        session.put("notice", &text(LARGE)).unwrap();
    };
    assert_eq!(calls_of(LARGE, farewell), [Load, Update, Create]);
}

#[test]
fn ending_or_leaving_a_session_in_its_cookie_costs_one_call() {
    assert_eq!(calls_of(1, |session| session.destroy().unwrap()), [Create]);
    assert_eq!(calls_of(1, |session| session.invalidate().unwrap()), [Create]);
    assert_eq!(calls_of(1, |session| session.regenerate_and_reset_lifetime().unwrap()), [Create]);
}
