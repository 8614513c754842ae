//! Several sessions: two in one request, and one for each tenant.

use crate::{Differences, Site};

const ADMINISTRATION: &str = "__Host-administration";

pub fn two_layers_have_a_session_each(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    let everybodys = client.cookie();
    let answer = client.fill_in("/administration", "/administration", &[("name", "root")]);
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(client.cookie_named(ADMINISTRATION).is_some());
    assert_eq!(client.cookie(), everybodys);
    let page = client.open("/administration");
    assert_eq!((page.element("name"), page.element("administrator")), (Some("zoe"), Some("root")));

    // A logout of the one is none of the other.
    assert_eq!(client.fill_in("/", "/logout", &[]).status, 303);
    let page = client.open("/administration");
    assert_eq!((page.element("name"), page.element("administrator")), (Some("guest"), Some("root")));
}

pub fn tenants_share_no_session(site: &Site, _: Differences) {
    for cart_bytes in [0, 10_000] {
        let blue = site.client_of("blue.localhost");
        blue.log_in("zoe");
        blue.fill_cart(cart_bytes);
        assert_eq!(blue.name().as_deref(), Some("zoe"));
        let thief = site.client();
        thief.plant(&blue.cookie().unwrap());
        assert_eq!(thief.name(), None);
        let back = site.client_of("blue.localhost");
        back.plant(&blue.cookie().unwrap());
        assert_eq!(back.name().as_deref(), Some("zoe"));
    }
}
