//! `axum-login` 0.18 and `axum-messages` 0.8 over sealed sessions: what `axum-login` asks of its own examples, and what the
//! seal adds.

use sealed_session_framework_tests::servers::axum_login::serve;
use sealed_session_framework_tests::{Answer, Client, Site};

const IDLE_SECONDS: u64 = 2 * 60 * 60;

fn log_in(client: &Client, name: &str, password: &str) -> Answer {
    client.send("/login", &[("name", name), ("password", password)])
}

fn logged_in(site: &Site, name: &str) -> Client {
    let client = site.client();
    let answer = log_in(&client, name, "hunter42");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
    client
}

#[test]
fn a_guest_is_sent_to_the_login_and_gets_no_cookie() {
    let site = Site::start(serve);
    let client = site.client();
    let answer = client.open("/");
    assert_eq!((answer.status, answer.header("location")), (307, Some("/login?next=%2F")));
    assert_eq!(client.cookie(), None);
    assert_eq!(client.open("/login").status, 200);
    assert_eq!(client.cookie(), None);
}

#[test]
fn wrong_credentials_leave_a_message_and_a_guest() {
    let site = Site::start(serve);
    let client = site.client();
    let answer = log_in(&client, "ferris", "bogus");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login")));
    assert!(client.cookie().is_some());
    assert_eq!(client.open("/login").element("message"), Some("Wrong name or password."));
    assert_eq!(client.open("/login").element("message"), None);
    assert_eq!(client.open("/").status, 307);
}

#[test]
fn right_credentials_log_in_under_another_id() {
    let site = Site::start(serve);
    let client = site.client();
    let _ = log_in(&client, "ferris", "bogus");
    let guests = client.cookie().unwrap();
    assert_eq!(log_in(&client, "ferris", "hunter42").header("location"), Some("/"));
    let home = client.open("/");
    assert_eq!((home.element("name"), home.element("visits")), (Some("ferris"), Some("1")));
    assert_eq!(client.open("/").element("visits"), Some("2"));

    let thief = site.client();
    thief.plant(&guests);
    assert_eq!(thief.open("/").status, 307);
}

#[test]
fn a_page_opens_to_those_alone_who_may_read_it() {
    let site = Site::start(serve);
    let answer = logged_in(&site, "ferris").open("/restricted");
    assert_eq!((answer.status, answer.header("location")), (307, Some("/login?next=%2Frestricted")));
    assert!(logged_in(&site, "admin").open("/restricted").element("secret").is_some());
}

#[test]
fn a_logout_takes_the_cookie_away() {
    let site = Site::start(serve);
    let client = logged_in(&site, "ferris");
    assert_eq!(client.open("/logout").status, 303);
    assert_eq!(client.cookie(), None);
    assert_eq!(client.open("/").status, 307);
}

#[test]
fn a_rotated_key_logs_nobody_out() {
    let site = Site::start(serve);
    let client = logged_in(&site, "ferris");
    site.parts.rotate();
    let before = client.cookie();
    assert_eq!(client.open("/").element("name"), Some("ferris"));
    assert_ne!(client.cookie(), before);
    assert_eq!(client.open("/").element("name"), Some("ferris"));
}

#[test]
fn an_idle_login_ends() {
    let site = Site::start(serve);
    let client = logged_in(&site, "ferris");
    site.parts.clock.advance_seconds(IDLE_SECONDS - 1);
    assert_eq!(client.open("/").status, 200);
    site.parts.clock.advance_seconds(IDLE_SECONDS);
    assert_eq!(client.open("/").status, 307);
}

#[test]
fn a_tampered_cookie_is_a_guests() {
    let site = Site::start(serve);
    let client = logged_in(&site, "ferris");
    let cookie = client.cookie().unwrap();
    let last = if cookie.ends_with('A') { "Q" } else { "A" };
    client.plant(&format!("{}{last}", &cookie[..cookie.len() - 1]));
    assert_eq!(client.open("/").status, 307);
}

#[test]
fn a_change_of_the_password_ends_the_logins_before_it() {
    // The salt of the hash is another in each process and each start: as after a change.
    let before = Site::start(serve);
    let client = logged_in(&before, "ferris");
    let after = Site::over(before.parts.clone(), serve);
    let elsewhere = after.client();
    elsewhere.plant(&client.cookie().unwrap());
    assert_eq!(elsewhere.open("/").status, 307);
    assert_eq!(client.open("/").status, 200);
}
