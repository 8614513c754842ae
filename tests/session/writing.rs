//! Behaviour, section 1: when a session is written, and when its cookie is taken back.

use serde_json::json;

use crate::faulty_store::Call;
use crate::support::{LARGE, Site, line, removes_the_cookie, text};

#[test]
fn the_first_put_sets_the_cookie_with_the_strictest_attributes() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let commit = browser.put(&store, "user", 42);
    let expected =
        format!("__Host-session={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7200", browser.cookie().unwrap());
    assert_eq!(line(&commit), expected);
    assert_eq!(site.opened(&store, &browser).payload().unwrap(), *json!({ "user": 42 }).as_object().unwrap());
}

#[test]
fn a_session_of_which_only_a_token_was_made_exists_and_is_empty() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    assert_eq!(site.opened(&store, &browser).payload().unwrap(), serde_json::Map::new());
    let (verified, _) = browser.visit(&store, |session| session.verify_csrf(Some(&token)));
    assert_eq!(verified, Ok(()));
}

#[test]
fn a_token_made_in_a_session_that_exists_sets_no_cookie() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let (token, commit) = browser.visit(&store, |session| session.csrf_token().unwrap());
    assert!(commit.set_cookies.is_empty());
    assert_eq!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0, Ok(()));
}

#[test]
fn a_session_that_is_only_read_sets_no_cookie() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let (user, commit) = browser.visit(&store, |session| session.get::<u64>("user").unwrap());
    assert_eq!(user, Some(42));
    assert!(commit.set_cookies.is_empty());
}

#[test]
fn a_session_that_changed_is_sealed_again_under_the_same_id() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let before = site.opened(&store, &browser);
    site.clock.advance_seconds(10);
    browser.put(&store, "cart", [1, 2]);
    let after = site.opened(&store, &browser);
    assert_eq!(after.public_id(), before.public_id());
    assert_eq!(after.created(), before.created());
    assert_eq!(after.issued(), site.now());
    assert_eq!(after.payload().unwrap(), *json!({ "user": 42, "cart": [1, 2] }).as_object().unwrap());
}

#[test]
fn putting_an_equal_value_writes_nothing() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", json!({ "id": 42, "name": "Zoë" }));
    let (is_dirty, commit) = browser.visit(&store, |session| {
        session.put("user", &json!({ "name": "Zoë", "id": 42 })).unwrap();
        session.is_dirty()
    });
    assert!(!is_dirty);
    assert!(commit.set_cookies.is_empty());
}

#[test]
fn a_session_that_is_cleared_is_removed_with_all_attributes() {
    use sealed_session::cookie::{CookieAttributes, SameSite};
    let site = Site::new();
    let attributes = CookieAttributes::new()
        .name("__Secure-shop")
        .path("/shop")
        .domain("example.com")
        .same_site(SameSite::None)
        .partitioned(true);
    let store = site.cookie_only().cookie(attributes).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let (_, commit) = browser.visit(&store, |session| session.clear().unwrap());
    assert_eq!(
        line(&commit),
        "__Secure-shop=; Path=/shop; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned; \
         Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:01 GMT"
    );
    assert_eq!(browser.cookie(), None);
}

#[test]
fn a_session_whose_last_key_is_forgotten_is_removed() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let ways: [fn(&sealed_session::Session); 3] = [
        |session| session.forget("user").unwrap(),
        |session| assert_eq!(session.pull("user").unwrap(), Some(42)),
        |session| session.replace(&json!({})).unwrap(),
    ];
    for way in ways {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        assert!(removes_the_cookie(&browser.visit(&store, way).1));
        assert_eq!(browser.cookie(), None);
    }
}

#[test]
fn emptying_a_session_in_the_store_ends_its_record() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.take_calls();
    let (_, commit) = browser.visit(&store, |session| session.forget("cart").unwrap());
    assert!(removes_the_cookie(&commit));
    assert_eq!(site.records.take_calls(), [Call::Load, Call::Update]);
    assert_eq!(crate::support::records_with_data(&site.records), 0);
}

#[test]
fn a_session_that_is_cleared_and_written_again_lives_on_under_its_id() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let before = site.opened(&store, &browser).public_id();
    browser.visit(&store, |session| {
        session.clear().unwrap();
        session.put("language", "de").unwrap();
    });
    let after = site.opened(&store, &browser);
    assert_eq!(after.public_id(), before);
    assert_eq!(after.payload().unwrap(), *json!({ "language": "de" }).as_object().unwrap());
}

#[test]
fn a_session_that_is_cleared_and_makes_a_token_lives_on() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let (token, _) = browser.visit(&store, |session| {
        session.clear().unwrap();
        session.csrf_token().unwrap()
    });
    assert_eq!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0, Ok(()));
    assert_eq!(browser.get(&store, "user"), None);
}

#[test]
fn a_session_that_holds_only_a_token_survives_a_write_that_is_taken_back() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    browser.visit(&store, |session| {
        session.put("user", &42).unwrap();
        session.forget("user").unwrap();
    });
    assert_eq!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0, Ok(()));
}
