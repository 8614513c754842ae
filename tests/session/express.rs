//! Behaviour, section 1: the switches of express-session under their names, and cookies of earlier attributes.

use sealed_session::cookie::CookieAttributes;
use sealed_session::{Reason, Renewal, RequestFacts, ResponseFacts, Session};

use crate::faulty_store::Call;
use crate::support::{COOKIE, LARGE, Site, line, text};

#[test]
fn save_uninitialized_gives_every_session_that_is_looked_at_a_cookie() {
    let site = Site::new();
    for (saves, cookies) in [(true, 1), (false, 0)] {
        let store = site.with_records().save_uninitialized(saves).build().unwrap();
        let mut browser = site.browser();
        let (_, response) = browser.visit(&store, Session::is_empty);
        assert_eq!(response.set_cookies.len(), cookies);
        assert!(site.records.take_calls().is_empty());
        let (is_new, _) = browser.visit(&store, Session::is_new);
        assert_eq!(is_new, !saves);
    }
}

#[test]
fn save_uninitialized_leaves_requests_alone_that_never_look() {
    let site = Site::new();
    let store = site.cookie_only().save_uninitialized(true).build().unwrap();
    assert!(site.browser().begin(&store).commit().set_cookies.is_empty());
    assert!(site.browser().visit(&store, |_| ()).1.set_cookies.is_empty());
}

#[test]
fn save_uninitialized_brings_no_ended_session_back() {
    let site = Site::new();
    let store = site.cookie_only().save_uninitialized(true).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.visit(&store, |session| session.destroy().unwrap());
    assert_eq!(browser.cookie(), None);
}

#[test]
fn resave_writes_a_session_that_was_only_read() {
    let site = Site::new();
    for (resaves, cookies, calls) in [(true, 1, [Call::Load, Call::Update].as_slice()), (false, 0, &[Call::Load])] {
        let store = site.with_records().resave(resaves).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "cart", text(LARGE));
        site.records.take_calls();
        let (_, response) = browser.visit(&store, Session::is_empty);
        assert_eq!(response.set_cookies.len(), cookies);
        assert_eq!(site.records.take_calls(), calls);
    }
}

#[test]
fn rolling_sends_the_cookie_with_every_response() {
    let site = Site::new();
    for (renewal, cookies) in [(Renewal::EveryResponse, 1), (Renewal::default(), 0)] {
        let store = site.cookie_only().renewal(renewal).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        site.clock.advance_seconds(1);
        let response = browser.begin(&store).commit();
        assert_eq!(response.set_cookies.len(), cookies);
    }
}

#[test]
fn rolling_uses_up_no_message() {
    let site = Site::new();
    let store = site.cookie_only().renewal(Renewal::EveryResponse).build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| session.flash("notice", "saved").unwrap());
    for _ in 0..3 {
        let response = browser.begin(&store).commit();
        assert_eq!(response.set_cookies.len(), 1);
        browser.receive(&response);
    }
    assert!(browser.visit(&store, |session| session.flash_messages().has("notice")).0);
}

/// Attributes that the cookie had before it moved to the root.
fn earlier() -> CookieAttributes {
    CookieAttributes::new().name("__Secure-shop").path("/shop")
}

fn removal(value: &str) -> bool {
    value.starts_with("__Secure-shop=; Path=/shop; Secure; HttpOnly; SameSite=Lax; Max-Age=0; ")
}

#[test]
fn cookies_of_earlier_attributes_are_removed_before_the_new_one_is_set_at_login() {
    let site = Site::new();
    let store = site.cookie_only().also_remove(earlier()).build().unwrap();
    let mut browser = site.browser();
    let changes: [fn(&Session); 3] = [
        |session| session.put("user", &42).unwrap(),
        |session| session.regenerate().unwrap(),
        |session| {
            session.invalidate().unwrap();
            session.flash("farewell", "bye").unwrap();
        },
    ];
    for change in changes {
        let (_, response) = browser.visit(&store, change);
        let lines = crate::support::own_lines(&response);
        assert_eq!(lines.len(), 2);
        assert!(removal(lines[0]), "{response:?}");
        assert!(lines[1].starts_with("__Host-session="));
    }
}

#[test]
fn cookies_of_earlier_attributes_are_left_alone_without_a_new_id() {
    let site = Site::new();
    let store = site.cookie_only().also_remove(earlier()).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let response = browser.put(&store, "user", 43);
    assert!(line(&response).starts_with("__Host-session="));
    assert!(browser.visit(&store, Session::is_empty).1.set_cookies.is_empty());
    assert!(site.browser().visit(&store, Session::is_empty).1.set_cookies.is_empty());
}

#[test]
fn cookies_of_earlier_attributes_are_removed_where_two_sessions_arrive() {
    let site = Site::new();
    let store = site.cookie_only().also_remove(earlier()).build().unwrap();
    let [first, second] = [1, 2].map(|user| {
        let mut browser = site.browser();
        browser.put(&store, "user", user);
        browser.cookie().unwrap().to_owned()
    });
    let header = format!("{COOKIE}={first}; {COOKIE}={second}");
    for handle in [(|_| ()) as fn(&Session), |session| assert!(session.is_empty())] {
        site.events.take();
        let pending = store.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        handle(&pollster::block_on(pending.session()).unwrap());
        let facts = ResponseFacts::new(200).cache_control(b"public, max-age=60");
        let commit = pollster::block_on(pending.commit(&facts)).unwrap();
        assert_eq!(site.events.take_reasons(), [Reason::Ambiguous]);
        assert!(removal(line(&commit)));
        // A shared cache that kept this response would remove the cookies of others.
        assert!(commit.add_vary_cookie);
        assert_eq!(commit.cache_control.as_deref(), Some("private, max-age=60"));
    }
}

#[test]
fn earlier_attributes_that_break_a_rule_are_an_error() {
    let site = Site::new();
    let broken = CookieAttributes::new().name("__Host-session").path("/shop");
    let error = site.cookie_only().also_remove(earlier()).also_remove(broken).build().unwrap_err();
    assert_eq!(error.setting(), "also_remove[1].path", "{error}");
}

#[test]
fn cookies_of_earlier_attributes_are_removed_after_an_early_save_too() {
    let site = Site::new();
    let store = site.cookie_only().also_remove(earlier()).build().unwrap();
    let (_, response) = site.browser().visit(&store, |session| {
        session.put("user", &42).unwrap();
        pollster::block_on(session.save()).unwrap();
    });
    assert_eq!(response.set_cookies.len(), 2);
    assert!(removal(&response.set_cookies[0]));
}
