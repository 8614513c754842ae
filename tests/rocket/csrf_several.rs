//! A guard for each of several sessions.

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, get, routes};
use sealed_session::adapter::Marked;
use sealed_session::adapter::rocket::SessionFairing;
use sealed_session::cookie::CookieAttributes;
use sealed_session::{Session, SessionError};

use crate::csrf_site::{assert_refused, guard, lines_of, post_with, token, transfer};
use crate::guards::pages::Administration;
use crate::support::{bare, browser, store, store_named, text};

#[get("/administration/token")]
fn administration_token(session: Marked<Session, Administration>) -> Result<String, SessionError> {
    session.csrf_token()
}

/// Both sessions with their guards; that of the administration first, if so.
fn both(administration_is_first: bool) -> Client {
    let administration = |application: Rocket<Build>| {
        let attributes = CookieAttributes::new().name("ADMINISTRATION-TOKEN");
        let guard = guard().readable_cookie(Some(attributes)).unwrap().marked::<Administration>();
        let sessions = SessionFairing::new(store_named("__Host-administration")).marked::<Administration>();
        application.attach(sessions).attach(guard)
    };
    let routes = routes![administration_token];
    browser(
        if administration_is_first {
            administration(bare()).attach(SessionFairing::new(store())).attach(guard().readable_cookie(None).unwrap())
        } else {
            administration(bare().attach(SessionFairing::new(store())).attach(guard().readable_cookie(None).unwrap()))
        }
        .mount("/", routes![token, transfer])
        .mount("/", routes),
    )
}

#[test]
fn a_request_passes_where_it_passes_both() {
    for administration_is_first in [false, true] {
        let browser = both(administration_is_first);
        assert_eq!(post_with(&browser, &[("Sec-Fetch-Site", "same-origin")]).status(), Status::Ok);
        assert_refused(post_with(&browser, &[("Sec-Fetch-Site", "cross-site")]), 403);
        for path in ["/token", "/administration/token"] {
            let token = text(&browser, path);
            assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 403);
        }
    }
}

#[test]
fn each_session_has_a_readable_token_of_its_own() {
    for administration_is_first in [false, true] {
        let browser = both(administration_is_first);
        let response = browser.get("/administration/token").dispatch();
        assert_eq!(lines_of(&response, "ADMINISTRATION-TOKEN").len(), 1);
        assert_eq!(lines_of(&response, "XSRF-TOKEN"), [""; 0]);
        drop(response);
        let response = browser.get("/token").dispatch();
        assert_eq!(lines_of(&response, "ADMINISTRATION-TOKEN"), [""; 0]);
        assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
    }
}

#[test]
fn the_debug_form_of_a_guard_names_its_marker() {
    let shown = format!("{:?}", guard().marked::<Administration>());
    assert!(shown.contains("Administration"), "{shown}");
}
