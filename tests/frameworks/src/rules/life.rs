//! From the first visit to the logout.

use crate::{Differences, Site};

const IDLE_SECONDS: u64 = 2 * 60 * 60;

pub fn looking_around_leaves_no_trace(site: &Site, _: Differences) {
    let client = site.client();
    let answer = client.open("/");
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("Hello, guest"));
    assert_eq!(answer.values("set-cookie"), [""; 0]);
    // Whoever has a session would see another page.
    assert_eq!(answer.header("vary"), Some("Cookie"));
    assert_eq!(site.parts.records.take_calls().len(), 0);
}

pub fn a_login_makes_another_session_of_the_guests(site: &Site, _: Differences) {
    let client = site.client();
    assert!(client.open("/login").csrf_token().is_some());
    let guests = client.cookie().unwrap();
    client.log_in("zoe");
    assert_ne!(client.cookie().unwrap(), guests);
    assert_eq!(client.name().as_deref(), Some("zoe"));

    // Whoever planted the guest's cookie learns nothing.
    let thief = site.client();
    thief.plant(&guests);
    assert_eq!(thief.name(), None);
}

pub fn a_message_is_shown_once(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    assert_eq!(client.open("/").element("message"), Some("Welcome, zoe."));
    assert_eq!(client.open("/").element("message"), None);
}

pub fn a_logout_removes_the_session(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    client.fill_cart(10_000);
    let before = client.cookie().unwrap();
    let answer = client.fill_in("/", "/logout", &[]);
    assert_eq!(answer.status, 303, "{answer:?}");
    let home = client.open("/");
    assert_eq!((home.element("name"), home.element("message")), (None, Some("Goodbye.")));

    // The session lay in the store: a copy of its cookie is worth nothing.
    let thief = site.client();
    thief.plant(&before);
    assert_eq!(thief.name(), None);
}

pub fn a_session_that_outgrows_its_cookie_moves_to_the_store_and_comes_back(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    // Not counting what the login left of the session before it.
    let large = || site.parts.records.snapshot().values().filter(|record| record.bytes.len() > 10_000).count();
    assert_eq!(large(), 0);
    client.fill_cart(10_000);
    assert_eq!(large(), 1);
    assert!(client.cookie().unwrap().len() < 1000);
    let home = client.open("/");
    assert_eq!((home.element("cart"), home.element("name")), (Some("10000"), Some("zoe")));

    client.fill_cart(5);
    site.parts.records.take_calls();
    let home = client.open("/");
    assert_eq!((home.element("cart"), home.element("name")), (Some("5"), Some("zoe")));
    assert_eq!(site.parts.records.take_calls().len(), 0);
}

pub fn a_used_session_is_renewed_and_an_idle_one_ends(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    for _ in 0..3 {
        site.parts.clock.advance_seconds(IDLE_SECONDS - 60);
        assert_eq!(client.name().as_deref(), Some("zoe"));
    }
    // A page that only reads renews as well.
    site.parts.clock.advance_seconds(IDLE_SECONDS - 60);
    let prices = client.open("/prices");
    assert_eq!((prices.element("name"), prices.values("set-cookie").len()), (Some("zoe"), 1));
    site.parts.clock.advance_seconds(IDLE_SECONDS - 60);
    assert_eq!(client.name().as_deref(), Some("zoe"));

    site.parts.clock.advance_seconds(IDLE_SECONDS);
    assert_eq!(client.name(), None);
}

pub fn a_rotated_key_reseals_the_session(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    let first = client.cookie().unwrap();
    assert_eq!(client.open("/prices").values("set-cookie"), [""; 0]);
    site.parts.rotate();
    let prices = client.open("/prices");
    assert_eq!((prices.element("name"), prices.values("set-cookie").len()), (Some("zoe"), 1));
    // Wire format, section 2: version, key id.
    assert_ne!(client.cookie().unwrap()[..12], first[..12]);
    assert_eq!(client.open("/prices").values("set-cookie"), [""; 0]);
}
