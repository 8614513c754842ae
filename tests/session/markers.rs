//! Markers: small cookies that say which sessions this browser has left, so that a late response brings none of them back.

use sealed_session::{Reason, Session};

use crate::browser::{Browser, is_marker};
use crate::support::{COOKIE, LARGE, Site, max_age, removes_the_cookie, text};

const WAYS: [fn(&Session); 3] = [
    |session| session.destroy().unwrap(),
    |session| session.invalidate().unwrap(),
    |session| {
        session.regenerate_and_reset_lifetime().unwrap();
        session.put("user", &43).unwrap();
    },
];

fn marker_lines(commit: &sealed_session::Commit) -> Vec<&str> {
    let lines = commit.set_cookies.iter().map(String::as_str);
    lines.filter(|line| line.split_once('=').is_some_and(|(name, _)| is_marker(name))).collect()
}

#[test]
fn a_late_response_brings_back_no_session_that_the_browser_left() {
    let site = Site::new();
    for store in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()] {
        for leave in WAYS {
            // A renewal by a fetch, a renewal by a page, and a write.
            for (destination, writes) in [("empty", false), ("document", false), ("document", true)] {
                let mut browser = site.browser();
                browser.put(&store, "user", 42);
                site.clock.advance_seconds(7200 * 4 / 5);
                let slow = browser.begin_in_background(&store, destination);
                assert_eq!(slow.session().get("user").unwrap(), Some(42));
                if writes {
                    slow.session().put("step", &1).unwrap();
                }
                // It has its answer, and that is on its way.
                let late = slow.commit();
                assert_eq!(late.set_cookies.len(), 1);
                browser.visit(&store, leave);
                browser.receive(&late);
                site.events.take();
                assert_eq!(browser.get(&store, "user"), None);
                assert_eq!(site.events.take_reasons(), [Reason::Revoked]);
                // A login after that works as ever.
                browser.put(&store, "user", 44);
                assert_eq!(browser.get(&store, "user"), Some(44));
            }
        }
    }
}

#[test]
fn a_marker_has_the_attributes_of_the_session_and_outlives_its_last_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for leave in WAYS {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        let id = site.opened(&store, &browser).public_id();
        let (_, response) = browser.visit(&store, leave);
        let markers = marker_lines(&response);
        assert_eq!(markers.len(), 1, "{response:?}");
        let has_ended = removes_the_cookie(&response);
        let name = if has_ended {
            format!("{COOKIE}-{id}-ended=")
        } else {
            format!("{COOKIE}-{}=", site.opened(&store, &browser).public_id())
        };
        assert!(markers[0].starts_with(&name));
        assert!(markers[0].contains("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age="));
        let seconds = markers[0].rsplit_once("Max-Age=").unwrap().1.parse::<u64>().unwrap();
        assert!(seconds > 7200, "{seconds}");
        assert!(response.set_cookies.last().unwrap().starts_with(&format!("{COOKIE}=")), "our own line is last");
    }
}

#[test]
fn a_session_that_was_never_begun_leaves_no_marker() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for leave in WAYS {
        let (_, response) = site.browser().visit(&store, leave);
        assert_eq!(marker_lines(&response), [""; 0]);
    }
}

#[test]
fn nothing_else_sets_a_marker() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let steps: [fn(&Session); 4] = [
        |session| session.put("cart", &text(LARGE)).unwrap(),
        |session| session.forget("cart").unwrap(),
        |session| assert!(!session.is_empty()),
        |session| session.clear().unwrap(),
    ];
    for step in steps {
        browser.visit(&store, step);
        assert_eq!(browser.markers(), [""; 0]);
    }
}

#[test]
fn four_markers_at_most_are_kept_and_the_oldest_goes() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let mut left = Vec::new();
    for _ in 0..7 {
        site.clock.advance_seconds(2);
        browser.visit(&store, |session| session.regenerate().unwrap());
        left.push(format!("{COOKIE}-{}", site.opened(&store, &browser).public_id()));
        let mut expected: Vec<_> = left.iter().rev().take(4).cloned().collect();
        let mut kept = browser.markers();
        expected.sort();
        kept.sort();
        assert_eq!(kept, expected);
    }
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_marker_that_no_holder_of_the_ring_made_logs_nobody_out() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut other = site.browser();
    other.put(&store, "user", 1);
    other.visit(&store, |session| session.destroy().unwrap());
    let foreign = other.cookie_header().split_once('=').unwrap().1.to_owned();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let name = format!("{COOKIE}-{}", site.opened(&store, &browser).public_id());
    for value in ["", "x", &"A".repeat(40), &foreign] {
        browser.plant(&name, value);
        assert_eq!(browser.get(&store, "user"), Some(42), "{value:?}");
    }
    // Nor does a good one of another session.
    let mut browser: Browser = browser.clone();
    let (marker, value) = other.cookie_header().split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    browser.plant(&marker, &value);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_marker_is_no_session_and_no_cookie_of_it_is_one() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.visit(&store, |session| session.destroy().unwrap());
    let value = browser.cookie_header().split_once('=').unwrap().1.to_owned();
    let mut other = site.browser();
    other.plant(COOKIE, &value);
    assert!(other.visit(&store, Session::is_empty).0);
}

#[test]
fn a_session_of_its_own_lifetime_is_marked_for_as_long_as_its_cookie_is_good() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let fourteen_days = std::time::Duration::from_secs(14 * 86_400);
    let (_, response) = browser.visit(&store, |session| {
        session.put("user", &42).unwrap();
        session.remember(fourteen_days).unwrap();
    });
    let good_for = max_age(&response).unwrap();
    let late = response;
    browser.visit(&store, |session| session.destroy().unwrap());
    site.clock.advance_seconds(good_for - 1);
    browser.receive(&late);
    assert_eq!(browser.get(&store, "user"), None);
}
