//! A browser that has left a session keeps a marker of it, so that no late response brings the session back.

use std::time::Duration;

use pollster::block_on;
use sealed_session::cookie::CookieAttributes;
use sealed_session::limits::MARKER_CANDIDATES_MAX;
use sealed_session::{Lifetimes, Placement, Reason, RequestFacts, Session};

use super::{DAY, ENDS, TEN_DAYS, after, inline, later, regenerates};
use crate::browser::Browser;
use crate::support::{COOKIE, Handler, Site};

#[test]
fn whatever_leaves_a_session_sets_a_marker_of_it_and_an_end_one_of_its_own_name() {
    let site = Site::new();
    let store_only = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    for manager in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap(), store_only] {
        for (leaves, suffix) in ENDS.map(|end| (end, "-ended")).into_iter().chain([(regenerates as fn(&Session), "")]) {
            let mut browser = inline(&site, &manager);
            let mut id = site.opened(&manager, &browser).public_id();
            browser.visit(&manager, leaves);
            if suffix.is_empty() {
                // Named after the session that took its place.
                id = site.opened(&manager, &browser).public_id();
            }
            assert_eq!(browser.markers(), [format!("{COOKIE}-{id}{suffix}")]);
        }
    }
}

#[test]
fn a_marker_has_the_attributes_of_its_session_and_comes_before_it() {
    let site = Site::new();
    let attributes = CookieAttributes::new().name("session").path("/shop").domain("shop.example");
    let manager = site.cookie_only().cookie(attributes).build().unwrap();
    let mut browser = inline(&site, &manager);
    let (_, response) = browser.visit(&manager, regenerates);
    let [marker, own] = response.set_cookies.as_slice() else { panic!("{response:?}") };
    assert!(marker.starts_with("session-") && own.starts_with("session="));
    for attribute in ["Path=/shop", "Domain=shop.example", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(marker.contains(attribute) && own.contains(attribute), "{marker}");
    }
}

#[test]
fn a_session_that_this_browser_has_left_is_revoked() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let mut browser = inline(&site, &manager);
    let left = browser.cookie().unwrap().to_owned();
    browser.visit(&manager, |session| session.destroy().unwrap());
    browser.plant(COOKIE, &left);
    site.events.take();
    assert_eq!(browser.get(&manager, "user"), None);
    assert_eq!(site.events.take_reasons(), [Reason::Revoked]);
    // It is over for this browser, and another session can begin.
    browser.put(&manager, "user", 43);
    assert_eq!(browser.get(&manager, "user"), Some(43));
}

#[test]
fn a_marker_outlives_every_cookie_of_its_session() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    for (lifetime, lasts) in [(None, 7199), (Some(TEN_DAYS), TEN_DAYS.as_secs() - 1)] {
        let mut browser = inline(&site, &manager);
        // A response that says how long the session lives arrives after the logout.
        let slow = browser.begin(&manager);
        slow.session().put("step", &1).unwrap();
        if let Some(lifetime) = lifetime {
            slow.session().remember(lifetime).unwrap();
        }
        browser.visit(&manager, |session| session.destroy().unwrap());
        let late = slow.commit();
        site.clock.advance_seconds(lasts);
        browser.receive(&late);
        assert_eq!(browser.get(&manager, "user"), None, "{lifetime:?}");
    }
}

/// The marker is set by a server whose own sessions last for a day, and the session may last for ten.
#[test]
fn a_marker_outlives_a_cookie_of_a_server_that_allows_longer_lifetimes() {
    let site = Site::new();
    let remembers = |days: u32| {
        let day = Duration::from_secs(DAY);
        Lifetimes::default().remember_max(day * days).absolute_timeout(Some(day * 60))
    };
    let long = site.cookie_only().lifetimes(remembers(30)).build().unwrap();
    let short = site.cookie_only().lifetimes(remembers(1)).build().unwrap();
    for leave in ENDS.into_iter().chain([regenerates as fn(&Session)]) {
        let mut browser = after(&site, &long, |session| {
            session.put("role", &1).unwrap();
            session.remember(TEN_DAYS).unwrap();
        });
        let slow = browser.begin(&long);
        slow.session().put("step", &1).unwrap();
        let late = slow.commit();
        browser.visit(&short, leave);
        browser.receive(&late);
        site.clock.advance_seconds(2 * DAY);
        assert_eq!(browser.get(&long, "role"), None);
    }
}

#[test]
fn four_markers_are_the_most_and_the_oldest_goes() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let mut browser = inline(&site, &manager);
    let mut left = Vec::new();
    for _ in 0..7 {
        browser.visit(&manager, regenerates);
        left.push(format!("{COOKIE}-{}", site.opened(&manager, &browser).public_id()));
        later(&site);
    }
    let mut markers = browser.markers();
    markers.sort();
    let mut expected = left.split_off(3);
    expected.sort();
    assert_eq!(markers, expected);
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_forged_marker_logs_nobody_out_and_drives_out_no_good_one() {
    let site = Site::new();
    let attributes = CookieAttributes::new().name("session");
    let manager = site.cookie_only().cookie(attributes).build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("user", &42).unwrap());
    let left = browser.cookie().unwrap().to_owned();
    browser.visit(&manager, regenerates);
    let id = site.opened(&manager, &browser).public_id();
    let good = browser.markers();
    let good_value = browser.cookie_header();
    let good_value = good_value.split("; ").find_map(|pair| pair.strip_prefix(good[0].as_str())).unwrap();
    for value in ["", "1", &"A".repeat(40), &good_value[1..]] {
        browser.plant(&format!("session-{id}"), value);
        assert_eq!(browser.get(&manager, "user"), Some(42), "{value}");
    }
    for number in 0..10_u64 {
        browser.plant(&format!("session-{number:016x}"), &"A".repeat(40));
    }
    later(&site);
    browser.visit(&manager, regenerates);
    assert_eq!(browser.get(&manager, "user"), Some(42));
    assert!(browser.markers().contains(&good[0]));
    // And what was left stays so.
    browser.plant("session", &left);
    assert_eq!(browser.get(&manager, "user"), None);
}

#[test]
fn so_many_cookies_named_as_markers_that_a_good_one_might_be_hidden_refuse_the_session() {
    let site = Site::new();
    let manager = site.cookie_only().cookie(CookieAttributes::new().name("shop")).build().unwrap();
    let mut browser = inline(&site, &manager);
    let mut logged_in = browser.clone();
    let late = browser.begin(&manager);
    late.session().put("step", &1).unwrap();
    browser.visit(&manager, |session| session.destroy().unwrap());
    browser.receive(&late.commit());
    for forged in [MARKER_CANDIDATES_MAX - 2, MARKER_CANDIDATES_MAX - 1, MARKER_CANDIDATES_MAX, 100] {
        // A neighbour's, of a longer path, which come first.
        let junk: String = (0..forged).map(|number| format!("shop-{number:016x}-ended=AQ; ")).collect();
        let user_of = |browser: &Browser| {
            let header = format!("{junk}{}", browser.cookie_header());
            let pending = manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
            block_on(pending.session()).unwrap().get::<u64>("user").unwrap()
        };
        assert_eq!(user_of(&browser), None, "{forged} hide the marker");
        site.events.take();
        assert_eq!(user_of(&logged_in), Some(42).filter(|_| forged < MARKER_CANDIDATES_MAX), "{forged}");
        let refused = if forged < MARKER_CANDIDATES_MAX { vec![] } else { vec![Reason::Revoked] };
        assert_eq!(site.events.take_reasons(), refused);
    }
    // And without them it is a session again.
    assert_eq!(logged_in.get(&manager, "user"), Some(42));
}

#[test]
fn markers_cost_nothing_where_no_session_is_left() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let mut browser = inline(&site, &manager);
    let (_, response) = browser.visit(&manager, |session| session.remember(Duration::from_secs(DAY)).unwrap());
    assert_eq!(response.set_cookies.len(), 1);
    let (_, response) = browser.visit(&manager, |session| session.clear().unwrap());
    assert_eq!(response.set_cookies.len(), 1);
    assert!(browser.markers().is_empty());
}

/// No browser has seen the ids in between.
#[test]
fn a_request_that_saves_many_new_ids_sets_markers_of_what_its_browser_has_alone() {
    let acts: [(Handler, &str); 2] = [
        (regenerates, ""),
        (
            |session| {
                session.invalidate().unwrap();
                session.put("user", &42).unwrap();
            },
            "-ended",
        ),
    ];
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (act, suffix) in acts {
            for times in [3, MARKER_CANDIDATES_MAX + 1] {
                let site = Site::new();
                let manager = site.with_records().placement(placement).build().unwrap();
                let mut browser = inline(&site, &manager);
                let mut id = site.opened(&manager, &browser).public_id();
                browser.visit(&manager, |session| {
                    for _ in 0..times {
                        act(session);
                        block_on(session.save()).unwrap();
                    }
                });
                if suffix.is_empty() {
                    id = site.opened(&manager, &browser).public_id();
                }
                assert_eq!(browser.markers(), [format!("{COOKIE}-{id}{suffix}")], "{placement:?}, {times} times");
                later(&site);
                assert_eq!(browser.get(&manager, "user"), Some(42));
            }
        }
    }
}

#[test]
fn a_login_and_a_logout_after_it_work_in_a_browser_with_too_many_markers() {
    let logins: [fn(&Session); 2] = [
        |session| session.put("user", &42).unwrap(),
        |session| {
            session.regenerate_and_reset_lifetime().unwrap();
            session.put("user", &42).unwrap();
        },
    ];
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for login in logins {
            let site = Site::new();
            let manager = site.with_records().placement(placement).build().unwrap();
            let mut browser = site.browser();
            for number in 0..MARKER_CANDIDATES_MAX + 4 {
                browser.plant(&format!("{COOKIE}-{number:016x}-ended"), "AQ");
            }
            browser.visit(&manager, login);
            later(&site);
            assert_eq!(browser.get(&manager, "user"), Some(42));
            browser.visit(&manager, |session| session.destroy().unwrap());
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}
