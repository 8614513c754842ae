//! Behaviour, section 1: several cookies of our name.

use sealed_session::{Reason, RequestFacts, Session, SessionManager};

use crate::support::{COOKIE, Site};

fn sealed(site: &Site, store: &SessionManager, user: u64) -> String {
    let mut browser = site.browser();
    browser.put(store, "user", user);
    browser.cookie().unwrap().to_owned()
}

/// The session of a request that carries these values under our name, in one `Cookie` header.
fn session_of(store: &SessionManager, values: &[&str]) -> Session {
    let header: Vec<String> = values.iter().map(|value| format!("{COOKIE}={value}")).collect();
    pollster::block_on(store.begin(&RequestFacts::new().cookie_header(header.join("; ").as_bytes())).session()).unwrap()
}

fn user_of(store: &SessionManager, values: &[&str]) -> Option<u64> {
    session_of(store, values).get("user").unwrap()
}

#[test]
fn a_good_cookie_is_found_behind_three_bad_ones() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let good = sealed(&site, &store, 42);
    assert_eq!(user_of(&store, &["x", "y", "z", &good]), Some(42));
}

#[test]
fn a_fifth_cookie_is_not_tried() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let good = sealed(&site, &store, 42);
    site.events.take();
    assert_eq!(user_of(&store, &["w", "x", "y", "z", &good]), None);
    assert_eq!(site.events.take_reasons(), [Reason::Malformed; 4]);
}

#[test]
fn of_two_cookies_of_one_session_the_one_issued_last_counts() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 1);
    let older = browser.cookie().unwrap().to_owned();
    site.clock.advance_seconds(5);
    browser.put(&store, "user", 2);
    let newer = browser.cookie().unwrap();
    assert_eq!(user_of(&store, &[&older, newer]), Some(2));
    assert_eq!(user_of(&store, &[newer, &older]), Some(2));
}

#[test]
fn two_good_cookies_of_different_sessions_are_ambiguous() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (first, second) = (sealed(&site, &store, 1), sealed(&site, &store, 2));
    site.events.take();
    for values in [[first.as_str(), &second], [&second, &first]] {
        assert_eq!(user_of(&store, &values), None);
        assert_eq!(site.events.take_reasons(), [Reason::Ambiguous]);
    }
    assert_eq!(user_of(&store, &[&first, &first, &second]), None);
}

#[test]
fn a_logout_removes_ambiguous_cookies() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let header = format!("{COOKIE}={}; {COOKIE}={}", sealed(&site, &store, 1), sealed(&site, &store, 2));
    let pending = store.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
    pollster::block_on(pending.session()).unwrap().destroy().unwrap();
    let commit = pollster::block_on(pending.commit(&sealed_session::ResponseFacts::new(200))).unwrap();
    assert!(crate::support::removes_the_cookie(&commit));
    // Each of them has ended, and whichever comes back is refused.
    let ended =
        site.events.take().into_iter().filter(|event| matches!(event, sealed_session::events::Event::Destroyed { .. }));
    assert_eq!(ended.count(), 2);
    assert_eq!(commit.set_cookies.iter().filter(|line| line.contains("-ended=")).count(), 2);
}

#[test]
fn a_refused_cookie_beside_a_good_one_is_not_ambiguous() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let expired = sealed(&site, &store, 1);
    site.clock.advance_seconds(7200);
    let good = sealed(&site, &store, 2);
    site.events.take();
    assert_eq!(user_of(&store, &[&expired, &good]), Some(2));
    assert_eq!(site.events.take_reasons(), [Reason::ExpiredIdle]);
}

#[test]
fn cookie_headers_that_http_2_has_split_are_read_together() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let ours = format!("{COOKIE}={}", sealed(&site, &store, 42));
    let facts = RequestFacts::new()
        .cookie_header(b"theme=dark; name=Zo\xeb")
        .cookie_header(ours.as_bytes())
        .cookie_header(b"a=b");
    let session = pollster::block_on(store.begin(&facts).session()).unwrap();
    assert_eq!(session.get("user").unwrap(), Some(42));
}
