//! Behaviour, section 9: the audience is chosen for each request.

use sealed_session::cookie::CookieAttributes;
use sealed_session::{Reason, SessionManager};

use crate::browser::Browser;
use crate::support::{COOKIE, LARGE, Site, text};

fn shop(site: &Site) -> SessionManager {
    site.with_records().build().unwrap()
}

fn tenant(shop: &SessionManager, name: &str) -> SessionManager {
    shop.with_audience(format!("shop/test/{name}")).unwrap()
}

fn logged_in(site: &Site, store: &SessionManager, cart_bytes: usize) -> Browser {
    let mut browser = site.browser();
    browser.put(store, "user", 42);
    browser.put(store, "cart", text(cart_bytes));
    site.events.take();
    browser
}

#[test]
fn a_session_of_one_tenant_goes_on_there() {
    for cart_bytes in [1, LARGE] {
        let site = Site::new();
        let shop = shop(&site);
        let mut browser = logged_in(&site, &tenant(&shop, "blue"), cart_bytes);
        assert_eq!(browser.get(&tenant(&shop, "blue"), "user"), Some(42));
        assert_eq!(site.events.take_reasons(), []);
    }
}

#[test]
fn a_session_of_one_tenant_opens_under_no_other() {
    for cart_bytes in [1, LARGE] {
        let site = Site::new();
        let shop = shop(&site);
        let blue = logged_in(&site, &tenant(&shop, "blue"), cart_bytes);
        let cookie = blue.cookie().unwrap();
        for other in [tenant(&shop, "red"), shop.clone()] {
            let mut thief = site.browser();
            thief.plant(COOKIE, cookie);
            assert_eq!(thief.get(&other, "user"), None);
            assert_eq!(site.events.take_reasons(), [Reason::Unauthentic]);
        }
    }
}

#[test]
fn a_store_that_is_built_for_the_tenant_reads_its_sessions_and_records() {
    let site = Site::new();
    let mut browser = logged_in(&site, &tenant(&shop(&site), "blue"), LARGE);
    let built = site.with_records().audience("shop/test/blue").build().unwrap();
    assert_eq!(browser.get(&built, "user"), Some(42));
    assert_eq!(site.records.snapshot().len(), 1);
}

#[test]
fn an_earlier_name_of_the_cookie_is_read_for_each_tenant() {
    let site = Site::new();
    let mut browser = logged_in(&site, &tenant(&shop(&site), "blue"), LARGE);
    let renamed = site.with_records().cookie(CookieAttributes::new().name("__Host-shop"));
    let renamed = renamed.also_read(COOKIE, "shop/test").build().unwrap();
    let red = browser.get(&tenant(&renamed, "red"), "user");
    assert_eq!(red, None);
    assert_eq!(browser.get(&tenant(&renamed, "blue"), "user"), Some(42));
    assert!(browser.cookie_header().starts_with("__Host-shop="));
}

#[test]
fn sessions_of_an_earlier_audience_of_all_open_in_no_tenant() {
    let site = Site::new();
    let mut browser = logged_in(&site, &shop(&site), 1);
    let moved = site.with_records().audience("shop/prod").also_read(COOKIE, "shop/test").build().unwrap();
    assert_eq!(browser.get(&tenant(&moved, "blue"), "user"), None);
}

#[test]
fn tenants_are_counted_together() {
    let site = Site::new();
    let shop = shop(&site);
    let sealed = || shop.key_reports()[0].sealed;
    let before = sealed();
    logged_in(&site, &tenant(&shop, "blue"), 1);
    assert!(sealed() > before);
}

#[test]
fn an_audience_that_is_too_long_is_refused_with_its_limit() {
    let site = Site::new();
    let error = shop(&site).with_audience("a".repeat(257)).unwrap_err().to_string();
    assert!(error.contains("256"), "{error}");
    assert!(shop(&site).with_audience("a".repeat(256)).is_ok());
}
