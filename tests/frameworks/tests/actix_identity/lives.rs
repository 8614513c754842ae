//! How long an identity lasts: the seal says, by the clock of the server.

use std::time::Duration;

use actix_identity::IdentityMiddleware;
use sealed_session::Lifetimes;
use sealed_session_framework_tests::Client;

use crate::site::{Site, clock, home, sessions, somebody, visit};

const HOUR_SECONDS: u64 = 3600;

/// Sessions of an hour whose reads change nothing.
fn of_an_hour() -> Site {
    Site::start(|parts| {
        parts.session_ttl = time::Duration::HOUR;
        parts.identity = IdentityMiddleware::builder();
    })
}

/// The same cookie in another browser, which keeps it for ever.
fn copy_of(site: &Site, client: &Client) -> Client {
    site.with_cookie(&client.cookie().unwrap())
}

#[test]
fn an_identity_ends_with_its_session_whatever_the_browser_keeps() {
    let site = of_an_hour();
    let client = site.logged_in("zoe");
    let copy = copy_of(&site, &client);
    site.clock.advance_seconds(HOUR_SECONDS - 1);
    assert_eq!((home(&client), home(&copy)), (somebody("zoe", 0), somebody("zoe", 0)));
    site.clock.advance_seconds(1);
    assert_eq!((home(&client), home(&copy)), ((None, 0), (None, 0)));
    assert_eq!(copy.open("/account").status, 401);
}

#[test]
fn a_page_that_only_reads_does_not_renew() {
    let site = of_an_hour();
    let client = site.logged_in("zoe");
    let cookie = client.cookie();
    site.clock.advance_seconds(HOUR_SECONDS - 60);
    assert_eq!(home(&client), somebody("zoe", 0));
    assert_eq!(client.cookie(), cookie);
    site.clock.advance_seconds(60);
    assert_eq!(home(&client), (None, 0));
}

#[test]
fn a_change_renews() {
    let site = of_an_hour();
    let client = site.logged_in("zoe");
    for visits in 1..4 {
        site.clock.advance_seconds(HOUR_SECONDS - 60);
        visit(&client);
        assert_eq!(home(&client), somebody("zoe", visits));
    }
}

#[test]
fn under_a_visit_deadline_every_request_renews() {
    let site = Site::start(|parts| {
        parts.session_ttl = time::Duration::HOUR;
        parts.identity = IdentityMiddleware::builder().visit_deadline(Some(Duration::from_secs(HOUR_SECONDS)));
    });
    let client = site.logged_in("zoe");
    for _ in 0..3 {
        site.clock.advance_seconds(HOUR_SECONDS - 60);
        assert_eq!(home(&client), somebody("zoe", 0));
    }
    site.clock.advance_seconds(HOUR_SECONDS);
    assert_eq!(home(&client), (None, 0));
}

#[test]
fn no_use_moves_the_absolute_timeout_and_a_login_begins_it_anew() {
    let clock = clock();
    let lifetimes = Lifetimes::default().absolute_timeout(Some(Duration::from_secs(2 * HOUR_SECONDS)));
    let sessions = sessions(&clock).lifetimes(lifetimes).build().unwrap();
    let site = Site::over(sessions, clock, |parts| parts.session_ttl = time::Duration::HOUR);
    let client = site.client();
    visit(&client);
    site.clock.advance_seconds(HOUR_SECONDS - 60);
    crate::site::log_in(&client, "zoe");
    for _ in 0..2 {
        site.clock.advance_seconds(HOUR_SECONDS - 60);
        visit(&client);
    }
    assert_eq!(home(&client), somebody("zoe", 3));
    site.clock.advance_seconds(120);
    assert_eq!(home(&client), (None, 0));
}
