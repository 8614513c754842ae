//! Cookies that are not the application's, sessions that do not fit, and a store that is down.

use actix_web::cookie;
use sealed_session::Placement;
use sealed_session::testing::FaultyStore;

use crate::site::{Site, clock, home, log_out, sessions, somebody};

#[test]
fn a_tampered_cookie_is_a_guests() {
    let site = Site::start(|_| {});
    let cookie = site.logged_in("zoe").cookie().unwrap();
    for position in [0, 5, 20, cookie.len() / 2, cookie.len() - 8] {
        let other = if cookie.as_bytes()[position] == b'A' { "B" } else { "A" };
        let tampered = [&cookie[..position], other, &cookie[position + 1..]].concat();
        assert_eq!(home(&site.with_cookie(&tampered)), (None, 0), "{position}");
    }
    assert_eq!(home(&site.with_cookie(&cookie)), somebody("zoe", 0));
}

#[test]
fn the_outer_key_alone_makes_no_session() {
    // Who has it can put anything inside; the seal is another's.
    let outer_key = cookie::Key::generate();
    let site = |outer_key: &cookie::Key| {
        let outer_key = outer_key.clone();
        Site::start(move |parts| parts.outer_key = outer_key)
    };
    let (here, there) = (site(&outer_key), site(&outer_key));
    let cookie = there.logged_in("eve").cookie().unwrap();
    assert_eq!(home(&there.with_cookie(&cookie)), somebody("eve", 0));
    assert_eq!(home(&here.with_cookie(&cookie)), (None, 0));
    assert_eq!(here.with_cookie(&cookie).open("/account").status, 401);
}

#[test]
fn nor_does_the_key_of_the_seal() {
    let clock = clock();
    let sessions = sessions(&clock).build().unwrap();
    let here = Site::over(sessions.clone(), clock.clone(), |_| {});
    let there = Site::over(sessions, clock, |_| {});
    let cookie = there.logged_in("eve").cookie().unwrap();
    assert_eq!(home(&here.with_cookie(&cookie)), (None, 0));
}

#[test]
fn a_session_of_another_audience_is_a_guests() {
    let (clock, outer_key) = (clock(), cookie::Key::generate());
    let sessions = sessions(&clock).build().unwrap();
    let blue = sessions.with_audience("blue").unwrap();
    let [here, blue] = [sessions, blue].map(|sessions| {
        let outer_key = outer_key.clone();
        Site::over(sessions, clock.clone(), move |parts| parts.outer_key = outer_key)
    });
    let cookie = blue.logged_in("eve").cookie().unwrap();
    assert_eq!(home(&here.with_cookie(&cookie)), (None, 0));
}

#[test]
fn a_session_that_does_not_fit_is_an_empty_500_and_the_identity_stays() {
    let site = Site::start(|_| {});
    let client = site.logged_in("zoe");
    let cookie = client.cookie();
    let answer = client.send("/note", &[("text", &"x".repeat(5000))]);
    assert_eq!((answer.status, answer.text.as_str(), answer.values("set-cookie").len()), (500, "", 0));
    assert_eq!(client.cookie(), cookie);
    assert_eq!(home(&client), somebody("zoe", 0));
}

#[test]
fn with_a_server_store_a_large_session_moves_there_and_a_logout_ends_every_copy() {
    let clock = clock();
    let records = FaultyStore::new(clock.clone());
    let sessions = sessions(&clock).store(records.clone()).build().unwrap();
    let site = Site::over(sessions, clock, |_| {});
    let client = site.logged_in("zoe");
    // Not counting what the login left of the session before it.
    let large = || records.snapshot().values().filter(|record| record.bytes.len() > 5000).count();
    assert_eq!(large(), 0);
    let note = "x".repeat(5000);
    assert_eq!(client.send("/note", &[("text", &note)]).status, 303);
    assert_eq!(client.open("/").element("note"), Some(note.as_str()));
    assert_eq!((large(), client.cookie().unwrap().len() < 1000), (1, true));
    let copy = site.with_cookie(&client.cookie().unwrap());
    assert_eq!(home(&copy), somebody("zoe", 0));
    log_out(&client);
    assert_eq!((home(&client), home(&copy)), ((None, 0), (None, 0)));
}

#[test]
fn a_store_that_is_down_is_an_empty_500_and_nobody_is_logged_out() {
    let clock = clock();
    let records = FaultyStore::new(clock.clone());
    let builder = sessions(&clock).store(records.clone()).placement(Placement::StoreOnly);
    let site = Site::over(builder.build().unwrap(), clock, |_| {});
    let client = site.logged_in("zoe");
    let cookie = client.cookie();
    records.go_down();
    for path in ["/", "/account"] {
        let answer = client.open(path);
        assert_eq!((answer.status, answer.text.as_str(), answer.values("set-cookie").len()), (500, "", 0), "{path}");
    }
    // A logout that was not carried out is not told of.
    assert_eq!(client.send("/logout", &[]).status, 500);
    assert_eq!(client.cookie(), cookie);
    records.come_up();
    assert_eq!(home(&client), somebody("zoe", 0));
}

#[test]
fn the_cookie_is_the_browsers_alone() {
    let site = Site::start(|_| {});
    let client = site.client();
    let answer = client.send("/login", &[("name", "zoe")]);
    let line = answer.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=86400"] {
        assert!(line.split("; ").any(|part| part == attribute), "{attribute}: {line}");
    }
    assert!(!line.contains("zoe") && line.starts_with("__Host-session="), "{line}");
}
