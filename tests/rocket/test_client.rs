//! Rocket's own test client, which puts cookies into the jar and into no header field.

use rocket::http::{Cookie, Header};
use rocket::local::blocking::Client;
use rocket::{get, routes};
use sealed_session::adapter::rocket::SessionFairing;
use sealed_session::{Session, SessionError};

use crate::support::{bare, browser_over, store, values};

#[get("/visits")]
fn visits(session: Session) -> Result<String, SessionError> {
    session.increment("visits", 1).map(|visits| visits.to_string())
}

fn cookie(browser: &Client) -> Cookie<'static> {
    let line = values(&browser.get("/visits").dispatch(), "Set-Cookie").remove(0);
    Cookie::parse(line).unwrap()
}

#[test]
fn a_cookie_of_the_jar_is_read_where_there_is_no_field() {
    let application = bare().attach(SessionFairing::new(store())).mount("/", routes![visits]);
    let browser = Client::untracked(application).unwrap();
    let session = cookie(&browser);
    let request = browser.get("/visits").cookie(("theme", "dark")).cookie(session);
    assert_eq!(request.dispatch().into_string().as_deref(), Some("2"));
}

#[test]
fn the_fields_of_a_request_outrank_the_jar() {
    let application = bare().attach(SessionFairing::new(store())).mount("/", routes![visits]);
    let browser = Client::untracked(application).unwrap();
    let session = cookie(&browser);
    let request = browser.get("/visits").cookie(session).header(Header::new("Cookie", "theme=dark"));
    assert_eq!(request.dispatch().into_string().as_deref(), Some("1"));
}

#[test]
fn a_request_that_is_sent_again_has_a_session_of_its_own() {
    let browser = browser_over(store(), routes![visits]);
    let request = browser.get("/visits").cookie(cookie(&browser));
    for _ in 0..2 {
        // A clone has the cookies of its original.
        assert_eq!(request.clone().dispatch().into_string().as_deref(), Some("2"));
    }
}
