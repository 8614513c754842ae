//! Behaviour, section 9: a token in a cookie that the application's own scripts can read.

use rocket::http::{Header, Method, Status};
use rocket::local::blocking::Client;
use rocket::{post, routes};
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::csrf_site::{application, assert_refused, guard, lines_of, on_a_server, post_with, readable, send};
use crate::support::{answer, browser, store, text, values};

#[test]
fn scripts_get_a_token_that_they_can_read_and_send_back() {
    let browser = browser(application(store(), readable()));
    let response = browser.get("/token").dispatch();
    let lines = lines_of(&response, "XSRF-TOKEN");
    assert!(matches!(lines.as_slice(), [line] if line.ends_with("; Path=/; Secure; SameSite=Lax")), "{lines:?}");
    assert_eq!(lines_of(&response, "__Host-session").len(), 1);
    drop(response);
    let token = readable_token(&browser);
    assert_eq!(post_with(&browser, &[("X-XSRF-TOKEN", &token)]).status(), Status::Ok);
    // It is not sent again while it verifies.
    assert_eq!(lines_of(&browser.get("/page").dispatch(), "XSRF-TOKEN"), [""; 0]);
}

/// The cookie of a browser from before the guard had a readable cookie.
fn session_without_readable_token(store: &SessionManager) -> String {
    let browser = browser(application(store.clone(), guard()));
    let line = values(&browser.get("/token").dispatch(), "Set-Cookie").remove(0);
    line.split(';').next().unwrap().to_owned()
}

fn readable_token(browser: &Client) -> String {
    browser.cookies().get("XSRF-TOKEN").unwrap().value().to_owned()
}

#[test]
fn the_readable_cookie_is_read_out_of_every_field() {
    let browser = browser(application(store(), readable()));
    browser.get("/token").dispatch();
    let pair = |name| format!("{name}={}", browser.cookies().get(name).unwrap().value());
    let (session, readable) = (pair("__Host-session"), pair("XSRF-TOKEN"));
    for fields in [[session.clone(), readable.clone()], [readable, session]] {
        let request = fields
            .into_iter()
            .fold(browser.get("/page"), |request, field| request.header(Header::new("Cookie", field)));
        assert_eq!(values(&request.dispatch(), "Set-Cookie"), [""; 0]);
    }
}

#[test]
fn a_guest_without_a_session_gets_no_readable_token() {
    let browser = browser(application(store(), readable()));
    assert_eq!(values(&browser.get("/page").dispatch(), "Set-Cookie"), [""; 0]);
}

#[test]
fn a_login_replaces_the_readable_token_in_the_same_response() {
    let browser = browser(application(store(), readable()));
    text(&browser, "/token");
    let before = readable_token(&browser);
    assert_eq!(send(&browser, Method::Post, "/login", &[("Sec-Fetch-Site", "same-origin")]).status(), Status::Ok);
    let after = readable_token(&browser);
    assert_refused(post_with(&browser, &[("X-XSRF-TOKEN", &before)]), 403);
    assert_eq!(post_with(&browser, &[("X-XSRF-TOKEN", &after)]).status(), Status::Ok);
}

#[post("/refuse-login")]
fn refuse_login(session: Session) -> Result<Status, SessionError> {
    session.regenerate().map(|()| Status::Conflict)
}

#[test]
fn a_login_that_is_dropped_with_its_response_leaves_the_readable_token_as_it_is() {
    let store = SessionManager::builder(Key::generate().unwrap()).commit_when(|status| status < 400).build().unwrap();
    let pair = session_without_readable_token(&store);
    let application = application(store, readable()).mount("/", routes![refuse_login]);
    let browser = Client::untracked(application).unwrap();
    // The session, the token, and the marker of the session that was left.
    for (path, lines) in [("/refuse-login", 0), ("/login", 3)] {
        let headers = [("Cookie", pair.as_str()), ("Sec-Fetch-Site", "same-origin")];
        assert_eq!(values(&send(&browser, Method::Post, path, &headers), "Set-Cookie").len(), lines, "{path}");
    }
}

#[test]
fn a_session_that_is_destroyed_leaves_no_readable_token() {
    let browser = browser(application(store(), readable()));
    text(&browser, "/token");
    let response = send(&browser, Method::Post, "/logout", &[("Sec-Fetch-Site", "same-origin")]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN"), [""; 0]);
    assert_eq!(lines_of(&response, "__Host-session").len(), 1);
}

#[test]
fn a_refusal_brings_no_readable_token() {
    let store = store();
    let pair = session_without_readable_token(&store);
    let browser = Client::untracked(application(store, readable())).unwrap();
    assert_eq!(values(&post_with(&browser, &[("Cookie", &pair)]), "Set-Cookie"), [""; 0]);
    let response = post_with(&browser, &[("Cookie", &pair), ("Sec-Fetch-Site", "none")]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
}

#[test]
fn a_response_with_a_readable_token_is_kept_out_of_shared_caches() {
    let store = store();
    let pair = session_without_readable_token(&store);
    let browser = Client::untracked(application(store, readable())).unwrap();
    let response = send(&browser, Method::Get, "/page", &[("Cookie", &pair)]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
    assert_eq!(values(&response, "Cache-Control"), ["private, no-cache"]);
}

#[test]
fn the_answer_of_a_catcher_brings_the_readable_token_too() {
    let store = store();
    let pair = session_without_readable_token(&store);
    let browser = Client::untracked(application(store, readable())).unwrap();
    let response = send(&browser, Method::Get, "/nowhere", &[("Cookie", &pair)]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
}

#[test]
fn a_store_that_does_not_answer_brings_no_readable_token() {
    let (browser, records, _) = on_a_server();
    let session = browser.cookies().get("__Host-session").unwrap().clone();
    let untracked = browser.get("/page").header(Header::new("Cookie", format!("__Host-session={}", session.value())));
    records.go_down();
    let response = untracked.dispatch();
    assert_eq!(values(&response, "Set-Cookie"), [""; 0]);
    assert_eq!(answer(response), (200, "page".to_owned()));
}
