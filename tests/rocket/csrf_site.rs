//! An application behind a guard against forged requests, and what browsers send it.

use rocket::http::{Header, Method};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Rocket, delete, get, post, routes};
use sealed_session::adapter::rocket::{CsrfFairing, SessionFairing};
use sealed_session::{Session, SessionError};

use crate::guards::{Guard, Site as _};
use crate::site::OfRocket;
use crate::support::{answer, bare, store, values};

#[get("/token")]
pub(crate) fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

#[post("/transfer")]
pub(crate) fn transfer() -> &'static str {
    "done"
}

#[delete("/transfer")]
pub(crate) fn delete_transfer() -> &'static str {
    "deleted"
}

pub(crate) fn guard() -> CsrfFairing {
    OfRocket::guard(&Guard::new()).unwrap()
}

pub(crate) fn application() -> Rocket<Build> {
    bare().attach(SessionFairing::new(store())).attach(guard()).mount("/", routes![transfer, delete_transfer])
}

pub(crate) fn send<'c>(
    browser: &'c Client,
    method: Method,
    path: &'static str,
    headers: &[(&'static str, &str)],
) -> LocalResponse<'c> {
    let request = browser.req(method, path);
    let headers = headers.iter().map(|(name, value)| Header::new(*name, (*value).to_owned()));
    headers.fold(request, |request, header| request.header(header)).dispatch()
}

pub(crate) fn post_with<'c>(browser: &'c Client, headers: &[(&'static str, &str)]) -> LocalResponse<'c> {
    send(browser, Method::Post, "/transfer", headers)
}

pub(crate) fn assert_refused(response: LocalResponse<'_>, status: u16) {
    for header in ["Content-Type", "Location"] {
        assert_eq!(values(&response, header), [""; 0]);
    }
    assert_eq!(answer(response), (status, String::new()));
}

pub(crate) fn lines_of(response: &LocalResponse<'_>, name: &str) -> Vec<String> {
    values(response, "Set-Cookie").into_iter().filter(|line| line.starts_with(&format!("{name}="))).collect()
}
