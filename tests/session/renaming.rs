//! Behaviour, section 9: the cookie's name or its audience changes, and nobody is logged out.

use sealed_session::cookie::CookieAttributes;
use sealed_session::events::Event;
use sealed_session::{Placement, Reason, SessionManager};

use crate::browser::Browser;
use crate::support::{COOKIE, LARGE, Site, text};

const NEW_NAME: &str = "__Host-shop";

fn before(site: &Site) -> SessionManager {
    site.with_records().build().unwrap()
}

/// Another cookie name, and those of before are read too.
fn renamed(site: &Site) -> SessionManager {
    let attributes = CookieAttributes::new().name(NEW_NAME);
    site.with_records().cookie(attributes).also_read(COOKIE, "shop/test").build().unwrap()
}

/// Another audience, and that of before is read too.
fn readdressed(site: &Site) -> SessionManager {
    site.with_records().audience("shop/prod").also_read(COOKIE, "shop/test").build().unwrap()
}

fn logged_in(site: &Site, cart_bytes: usize) -> Browser {
    let mut browser = site.browser();
    browser.put(&before(site), "user", 42);
    browser.put(&before(site), "cart", text(cart_bytes));
    site.events.take();
    browser
}

/// The names of the cookies that a browser has, markers not counted.
fn names(browser: &Browser) -> Vec<String> {
    let header = browser.cookie_header();
    let names = header.split("; ").filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()));
    names.filter(|name| !crate::browser::is_marker(name)).collect()
}

#[test]
fn a_session_goes_on_under_the_new_name_and_the_old_cookie_is_removed() {
    for cart_bytes in [1, LARGE] {
        let site = Site::new();
        let mut browser = logged_in(&site, cart_bytes);
        let records = site.records.snapshot().len();
        assert_eq!(browser.get(&renamed(&site), "user"), Some(42));
        assert_eq!(names(&browser), [NEW_NAME]);
        assert_eq!(browser.get(&renamed(&site), "user"), Some(42));
        assert_eq!(site.records.snapshot().len(), records);
        assert_eq!(site.events.take_reasons(), []);
    }
}

#[test]
fn a_session_goes_on_under_the_new_audience() {
    for cart_bytes in [1, LARGE] {
        let site = Site::new();
        let mut browser = logged_in(&site, cart_bytes);
        let value = browser.cookie().unwrap().to_owned();
        assert_eq!(browser.get(&readdressed(&site), "user"), Some(42));
        // A reference stays under the audience of its record, where every server looks for that first.
        let is_moved = browser.cookie() != Some(value.as_str());
        assert_eq!(is_moved, cart_bytes == 1);
        assert_eq!(browser.get(&readdressed(&site), "user"), Some(42));
        let cart: String = browser.visit(&readdressed(&site), |session| session.get("cart").unwrap().unwrap()).0;
        assert_eq!(cart.len(), cart_bytes);
    }
}

#[test]
fn a_session_in_its_cookie_that_was_seen_under_the_new_audience_needs_the_old_one_no_more() {
    let site = Site::new();
    let mut browser = logged_in(&site, 1);
    browser.get(&readdressed(&site), "user");
    let without = site.with_records().audience("shop/prod").build().unwrap();
    assert_eq!(browser.get(&without, "user"), Some(42));
}

#[test]
fn a_session_in_a_record_needs_the_old_audience_until_it_gets_a_new_id() {
    let site = Site::new();
    let mut browser = logged_in(&site, LARGE);
    browser.put(&readdressed(&site), "user", 43);
    assert_eq!(site.records.snapshot().len(), 1);
    let without = site.with_records().audience("shop/prod").build().unwrap();
    assert_eq!(browser.clone().get(&without, "user"), None);
    browser.visit(&readdressed(&site), |session| session.regenerate().unwrap());
    assert_eq!(browser.get(&without, "user"), Some(43));
}

#[test]
fn a_session_that_returned_from_its_record_before_the_audience_changed_spills_to_that_record() {
    let site = Site::new();
    let mut browser = logged_in(&site, LARGE);
    browser.put(&before(&site), "cart", 1);
    let older = browser.clone();
    browser.put(&readdressed(&site), "cart", text(LARGE));
    assert_eq!(site.records.snapshot().len(), 1);
    // The cookie of before descends from the same session, and finds it where it is.
    let mut older = older;
    older.put(&readdressed(&site), "photo", text(LARGE));
    assert_eq!(older.get(&readdressed(&site), "user"), Some(42));
    assert!(older.visit(&readdressed(&site), |session| session.get::<String>("cart").unwrap().is_some()).0);
}

#[test]
fn what_was_found_under_another_audience_is_told_by_its_public_ids() {
    let site = Site::new();
    let mut browser = logged_in(&site, 1);
    let from = site.opened(&before(&site), &browser).public_id();
    site.events.take();
    browser.get(&readdressed(&site), "user");
    let to = site.opened(&readdressed(&site), &browser).public_id();
    assert_ne!(from, to);
    let migrated = site.events.take().into_iter().filter(|event| *event == Event::Migrated { from, to }).count();
    assert_eq!(migrated, 1);
}

#[test]
fn a_session_in_a_record_of_another_audience_is_not_renewed_for_that_alone() {
    let site = Site::new();
    let mut browser = logged_in(&site, LARGE);
    let value = browser.cookie().unwrap().to_owned();
    site.events.take();
    browser.get(&readdressed(&site), "user");
    assert_eq!(browser.cookie(), Some(value.as_str()));
    assert!(!site.events.take().iter().any(|event| matches!(event, Event::Migrated { .. } | Event::Renewed { .. })));
}

#[test]
fn a_background_request_leaves_the_cookie_under_its_old_name() {
    let site = Site::new();
    let browser = logged_in(&site, 1);
    let store = renamed(&site);
    let request = browser.begin_in_background(&store, "image");
    assert_eq!(request.session().get("user").unwrap(), Some(42));
    assert!(request.commit().set_cookies.is_empty());
}

#[test]
fn a_logout_removes_the_cookies_of_both_names_so_that_none_comes_back() {
    for cart_bytes in [1, LARGE] {
        let site = Site::new();
        let mut browser = logged_in(&site, cart_bytes);
        let (_, response) = browser.visit(&renamed(&site), |session| session.destroy().unwrap());
        let lines = crate::support::own_lines(&response);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.contains("Max-Age=0")));
        assert!(names(&browser).is_empty());
        assert_eq!(crate::support::records_with_data(&site.records), 0);
    }
}

#[test]
fn a_logout_under_another_audience_destroys_the_record_of_before() {
    let site = Site::new();
    let mut browser = logged_in(&site, LARGE);
    browser.visit(&readdressed(&site), |session| session.destroy().unwrap());
    assert!(names(&browser).is_empty());
    assert_eq!(crate::support::records_with_data(&site.records), 0);
}

#[test]
fn an_old_cookie_beside_the_new_one_is_not_asked_and_goes_with_the_next_write() {
    let site = Site::new();
    let old = logged_in(&site, 1);
    let mut browser = site.browser();
    let store = renamed(&site);
    browser.put(&store, "user", 7);
    browser.plant(COOKIE, old.cookie().unwrap());
    assert_eq!(names(&browser).len(), 2);
    assert_eq!(browser.get(&store, "user"), Some(7));
    assert_eq!(names(&browser).len(), 2);
    browser.put(&store, "user", 8);
    assert_eq!(names(&browser), [NEW_NAME]);
}

#[test]
fn servers_of_both_configurations_share_a_record() {
    let site = Site::new();
    let mut browser = logged_in(&site, LARGE);
    let in_flight = browser.begin(&before(&site));
    browser.put(&readdressed(&site), "user", 43);
    let session = in_flight.session();
    assert_eq!(session.get("user").unwrap(), Some(43));
    session.put("step", &1).unwrap();
    in_flight.commit();
    assert_eq!(
        (browser.get(&readdressed(&site), "user"), browser.get(&readdressed(&site), "step")),
        (Some(43), Some(1))
    );
    assert_eq!(site.records.snapshot().len(), 1);
}

#[test]
fn parallel_requests_under_a_new_audience_lose_no_update() {
    let site = Site::new();
    let browser = logged_in(&site, LARGE);
    let store = readdressed(&site);
    let [one, other] = [browser.begin(&store), browser.begin(&store)];
    one.session().put("one", &1).unwrap();
    other.session().put("other", &2).unwrap();
    one.commit();
    let last = other.commit();
    let mut browser = browser;
    browser.receive(&last);
    assert_eq!((browser.get(&store, "one"), browser.get(&store, "other")), (Some(1), Some(2)));
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_login_under_the_new_audience_leaves_nothing_to_the_old_id() {
    let site = Site::new();
    let mut browser = logged_in(&site, LARGE);
    let stolen = browser.clone();
    let store = readdressed(&site);
    browser.visit(&store, |session| session.invalidate().unwrap());
    browser.put(&store, "user", 9);
    let mut thief = stolen;
    assert_eq!(thief.get(&store, "user"), None);
}

#[test]
fn a_token_in_a_page_of_before_verifies_under_the_new_audience() {
    let site = Site::new();
    let mut browser = logged_in(&site, 1);
    let token = browser.visit(&before(&site), |session| session.csrf_token().unwrap()).0;
    let store = readdressed(&site);
    assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token)).is_ok()).0);
    // Sealed again by now, and the page is still open.
    assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token)).is_ok()).0);
    let without = site.with_records().audience("shop/prod").build().unwrap();
    assert!(!browser.visit(&without, |session| session.verify_csrf(Some(&token)).is_ok()).0);
}

#[test]
fn nothing_is_read_that_was_not_named() {
    let site = Site::new();
    let other_audience = logged_in(&site, 1);
    let store = site.with_records().audience("shop/prod").also_read(COOKIE, "shop/staging").build().unwrap();
    let mut browser = other_audience.clone();
    assert_eq!(browser.get(&store, "user"), None);
    assert_eq!(site.events.take_reasons(), [Reason::Unauthentic]);
    let attributes = CookieAttributes::new().name(NEW_NAME);
    let store = site.with_records().cookie(attributes).also_read("__Host-other", "shop/test").build().unwrap();
    let mut browser = other_audience;
    assert_eq!(browser.get(&store, "user"), None);
    assert_eq!(site.events.take_reasons(), [Reason::Absent]);
}

#[test]
fn two_sessions_under_an_earlier_name_are_as_ambiguous_as_under_the_new_one() {
    let site = Site::new();
    let [one, other] = [logged_in(&site, 1), logged_in(&site, 1)];
    let header = format!("{}; {}", one.cookie_header(), other.cookie_header());
    let store = renamed(&site);
    let pending = store.begin(&sealed_session::RequestFacts::new().cookie_header(header.as_bytes()));
    assert!(pending.session_now().unwrap().is_new());
    assert_eq!(site.events.take_reasons(), [Reason::Ambiguous]);
}

#[test]
fn under_store_only_an_inline_cookie_of_before_is_no_way_around_the_store() {
    let site = Site::new();
    let mut browser = logged_in(&site, 1);
    let store =
        site.with_records().placement(Placement::StoreOnly).audience("shop/prod").also_read(COOKIE, "shop/test");
    assert_eq!(browser.get(&store.build().unwrap(), "user"), None);
}

#[test]
fn what_cannot_be_read_too_is_found_at_start() {
    let site = Site::new();
    let setting = |builder: sealed_session::SessionManagerBuilder| builder.build().unwrap_err().setting().to_owned();
    assert_eq!(setting(site.cookie_only().also_read(COOKIE, "shop/test")), "also_read");
    assert_eq!(setting(site.cookie_only().also_read("", "shop/test")), "also_read");
    assert_eq!(setting(site.cookie_only().also_read("a b", "shop/test")), "also_read");
    assert_eq!(setting(site.cookie_only().also_read(COOKIE, "x".repeat(257))), "also_read");
    let five = (0..5).fold(site.cookie_only(), |builder, number| builder.also_read(COOKIE, format!("shop/{number}")));
    assert_eq!(setting(five), "also_read");
}

#[test]
fn an_earlier_name_with_another_prefix_is_removed_as_its_prefix_demands() {
    let site = Site::new();
    let mut browser = logged_in(&site, 1);
    let attributes = CookieAttributes::new().name("__Secure-shop").domain("example.com").path("/shop");
    let store = site.cookie_only().cookie(attributes).also_read(COOKIE, "shop/test").build().unwrap();
    let (_, response) = browser.visit(&store, |session| session.has("user").unwrap());
    let removal = response.set_cookies.iter().find(|line| line.starts_with(COOKIE)).unwrap();
    assert!(removal.contains("Path=/;") && removal.contains("Secure") && !removal.contains("Domain"), "{removal}");
}
