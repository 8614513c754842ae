//! The rules of `actix-identity`.

use std::time::Duration;

use actix_identity::IdentityMiddleware;
use actix_identity::config::LogoutBehavior;

use crate::site::{Site, home, log_in, log_out, somebody, visit};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn looking_around_leaves_no_trace() {
    let site = Site::start(|_| {});
    let client = site.client();
    assert_eq!(home(&client), (None, 0));
    assert_eq!(client.cookie(), None);
}

#[test]
fn a_guest_gets_an_empty_401_where_an_identity_is_needed() {
    let site = Site::start(|_| {});
    let answer = site.client().open("/account");
    assert_eq!((answer.status, answer.text.as_str()), (401, ""));
}

#[test]
fn a_login_holds_for_the_requests_behind_it() {
    let site = Site::start(|_| {});
    let client = site.logged_in("zoe");
    for _ in 0..3 {
        let account = client.open("/account");
        assert_eq!((account.status, account.element("name")), (200, Some("zoe")));
        assert_eq!(home(&client), somebody("zoe", 0));
    }
    // And for nobody else.
    assert_eq!(home(&site.client()), (None, 0));
}

#[test]
fn keys_of_the_applications_own_choice_work_alike() {
    let site = Site::start(|parts| {
        let identity = IdentityMiddleware::builder().id_key("user.name").login_unix_timestamp_key("user.since");
        let identity = identity.last_visit_unix_timestamp_key("user.seen");
        parts.identity = identity.visit_deadline(Some(HOUR)).login_deadline(Some(HOUR));
    });
    let client = site.logged_in("zoe");
    assert_eq!(home(&client), somebody("zoe", 0));
    log_out(&client);
    assert_eq!(client.open("/account").status, 401);
}

#[test]
fn a_second_login_takes_the_place_of_the_first() {
    let site = Site::start(|_| {});
    let client = site.logged_in("zoe");
    log_in(&client, "max");
    assert_eq!(home(&client), somebody("max", 0));
}

#[test]
fn a_login_gives_the_guests_session_another_key_and_keeps_what_it_has() {
    let site = Site::start(|_| {});
    let client = site.client();
    visit(&client);
    let guests = client.cookie().unwrap();
    log_in(&client, "zoe");
    assert_ne!(client.cookie().unwrap(), guests);
    assert_eq!(home(&client), somebody("zoe", 1));

    // Whoever planted the guest's cookie learns nothing.
    assert_eq!(home(&site.with_cookie(&guests)), (None, 1));
}

#[test]
fn a_logout_ends_the_session_in_the_browser() {
    let site = Site::start(|_| {});
    let client = site.logged_in("zoe");
    visit(&client);
    log_out(&client);
    assert_eq!(client.cookie(), None);
    assert_eq!(home(&client), (None, 0));
    assert_eq!(client.open("/account").status, 401);
}

#[test]
fn a_logout_can_leave_the_rest_of_the_session() {
    let site = Site::start(|parts| {
        let identity = IdentityMiddleware::builder().logout_behavior(LogoutBehavior::DeleteIdentityKeys);
        parts.identity = identity;
    });
    let client = site.logged_in("zoe");
    visit(&client);
    log_out(&client);
    assert_eq!(home(&client), (None, 1));
}

#[test]
fn a_login_deadline_that_has_passed_logs_out() {
    let site = Site::start(|parts| {
        parts.identity = IdentityMiddleware::builder().login_deadline(Some(Duration::ZERO));
    });
    assert_eq!(home(&site.logged_in("zoe")).0, None);
}

#[test]
fn a_visit_deadline_that_has_passed_logs_out() {
    let site = Site::start(|parts| {
        parts.identity = IdentityMiddleware::builder().visit_deadline(Some(Duration::ZERO));
    });
    assert_eq!(home(&site.logged_in("zoe")).0, None);
}

#[test]
fn a_deadline_that_has_not_passed_logs_nobody_out() {
    let site = Site::start(|parts| {
        parts.identity = IdentityMiddleware::builder().login_deadline(Some(HOUR)).visit_deadline(Some(HOUR));
    });
    let client = site.logged_in("zoe");
    for _ in 0..2 {
        assert_eq!(home(&client).0.as_deref(), Some("zoe"));
    }
}
