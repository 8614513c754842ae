//! Behaviour, section 8: what caches are told of a response.

use sealed_session::{ResponseFacts, Session, SessionManager};

use crate::browser::{Browser, Response};
use crate::support::{Handler, Site};

fn respond(browser: &Browser, store: &SessionManager, facts: &ResponseFacts<'_>, handle: fn(&Session)) -> Response {
    let request = browser.begin(store);
    handle(&request.session());
    request.commit_with(facts)
}

/// A browser with a session, and one without.
fn both(site: &Site, store: &SessionManager) -> (Browser, Browser) {
    let mut with = site.browser();
    with.put(store, "user", 42);
    (with, site.browser())
}

fn ok() -> ResponseFacts<'static> {
    ResponseFacts::new(200)
}

const READS: [Handler; 9] = [
    |session| ignore(session.get::<u64>("user").unwrap()),
    |session| ignore(session.has("user").unwrap()),
    |session| ignore(session.contains("user").unwrap()),
    |session| ignore(session.is_empty()),
    |session| ignore(session.all()),
    |session| ignore(session.is_new()),
    |session| ignore(session.id()),
    |session| ignore(session.expires_at()),
    |session| ignore(session.verify_csrf(Some("token"))),
];

fn ignore<T>(_: T) {}

#[test]
fn every_way_to_read_makes_the_response_vary_also_without_a_cookie() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (with, without) = both(&site, &store);
    for read in READS {
        assert!(respond(&with, &store, &ok(), read).add_vary_cookie);
        let response = respond(&without, &store, &ok(), read);
        assert!(response.add_vary_cookie);
        assert_eq!(response.cache_control, None, "nothing private was read");
    }
}

#[test]
fn vary_is_not_added_twice_and_a_star_is_more() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (with, _) = both(&site, &store);
    for vary in ["Cookie", "cookie", "Accept-Encoding, COOKIE", "*"] {
        assert!(!respond(&with, &store, &ok().vary(vary.as_bytes()), READS[0]).add_vary_cookie, "{vary}");
    }
    assert!(!respond(&with, &store, &ok().vary(b"Origin").vary(b"Cookie"), READS[0]).add_vary_cookie);
    for vary in ["Accept-Encoding", "X-Cookie", "Cookie2"] {
        assert!(respond(&with, &store, &ok().vary(vary.as_bytes()), READS[0]).add_vary_cookie, "{vary}");
    }
}

#[test]
fn what_reads_or_changes_a_session_is_kept_out_of_shared_caches() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (with, without) = both(&site, &store);
    let cases: [(&Browser, Handler); 6] = [
        (&with, READS[0]),
        (&with, |session| session.put("user", &43).unwrap()),
        (&with, |session| session.destroy().unwrap()),
        (&with, |session| session.clear().unwrap()),
        (&with, |session| drop(session.csrf_token().unwrap())),
        (&without, |session| session.put("user", &42).unwrap()),
    ];
    for (number, (browser, handle)) in cases.into_iter().enumerate() {
        let response = respond(browser, &store, &ok(), handle);
        assert_eq!(response.cache_control.as_deref(), Some("private, no-cache"), "case {number}");
        assert!(response.add_vary_cookie);
        let shared = ok().cache_control(b"public, max-age=60, s-maxage=600");
        let response = respond(browser, &store, &shared, handle);
        assert_eq!(response.cache_control.as_deref(), Some("private, max-age=60"), "case {number}");
        for kept in ["private", "no-store", "max-age=5, private"] {
            let response = respond(browser, &store, &ok().cache_control(kept.as_bytes()), handle);
            assert_eq!(response.cache_control, None, "case {number}");
        }
    }
}

#[test]
fn a_token_made_where_no_cookie_can_follow_is_kept_out_of_shared_caches() {
    let site = Site::new();
    let store = site.cookie_only().commit_when(|status| status < 500).build().unwrap();
    let response =
        respond(&site.browser(), &store, &ResponseFacts::new(500), |session| drop(session.csrf_token().unwrap()));
    assert!(response.set_cookies.is_empty());
    assert_eq!(response.cache_control.as_deref(), Some("private, no-cache"));
}

#[test]
fn a_response_without_its_session_is_left_as_it_is() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (with, without) = both(&site, &store);
    for browser in [&with, &without] {
        let facts = ok().cache_control(b"public, max-age=60");
        assert_eq!(browser.begin(&store).commit_with(&facts), Response::default());
        assert_eq!(respond(browser, &store, &facts, |_| ()), Response::default());
    }
}

#[test]
fn a_restriction_is_told_and_a_response_that_needs_none_is_silent() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (with, _) = both(&site, &store);
    let told = |facts: &ResponseFacts<'_>| {
        site.events.take();
        respond(&with, &store, facts, READS[0]);
        site.events.take_names().contains(&"CachingRestricted".to_owned())
    };
    assert!(told(&ok()));
    assert!(told(&ok().cache_control(b"public")));
    assert!(!told(&ok().cache_control(b"private")));
}

#[test]
fn headers_for_networks_of_caches_go_also_where_the_application_said_private() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (with, without) = both(&site, &store);
    let facts = ok().cache_control(b"private");
    assert!(respond(&with, &store, &facts, READS[0]).remove_cdn_cache_control);
    assert!(!respond(&without, &store, &facts, READS[0]).remove_cdn_cache_control);
}
