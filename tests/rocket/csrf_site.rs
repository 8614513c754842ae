//! An application behind a guard against forged requests, and what browsers send it.

use rocket::http::{Header, Method, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Rocket, delete, get, head, post, put, routes};
use sealed_session::adapter::rocket::{CsrfFairing, SessionFairing};
use sealed_session::testing::FaultyStore;
use sealed_session::{Session, SessionError, SessionManager};

use crate::support::{answer, bare, browser, on_server, store, text, values};

pub(crate) const OURS: &str = "https://example.com";

pub(crate) struct Administration;

#[get("/token")]
pub(crate) fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

#[get("/transfer-token")]
pub(crate) fn transfer_token(session: Session) -> Result<String, SessionError> {
    session.csrf_token_for("POST /transfer")
}

#[post("/transfer")]
pub(crate) fn transfer(session: Session) -> Result<String, SessionError> {
    session.increment("transfers", 1).map(|transfers| format!("transfer {transfers}"))
}

#[get("/transfers")]
pub(crate) fn transfers(session: Session) -> Result<String, SessionError> {
    session.get_or("transfers", 0).map(|transfers| transfers.to_string())
}

#[post("/login")]
pub(crate) fn log_in(session: Session) -> Result<(), SessionError> {
    session.regenerate()
}

#[post("/logout")]
pub(crate) fn log_out(session: Session) -> Result<(), SessionError> {
    session.destroy()
}

#[get("/page")]
pub(crate) fn page() -> &'static str {
    "page"
}

#[get("/live")]
pub(crate) fn live() -> &'static str {
    "live"
}

#[head("/live")]
pub(crate) fn live_head() {}

#[put("/item")]
pub(crate) fn put_item() -> &'static str {
    "put"
}

#[delete("/transfer")]
pub(crate) fn delete_transfer() -> &'static str {
    "deleted"
}

pub(crate) fn guard() -> CsrfFairing {
    CsrfFairing::new().origin(OURS).unwrap()
}

pub(crate) fn readable() -> CsrfFairing {
    guard().readable_cookie(None).unwrap()
}

pub(crate) fn application(store: SessionManager, guard: CsrfFairing) -> Rocket<Build> {
    let routes = routes![
        token,
        transfer_token,
        transfer,
        transfers,
        log_in,
        log_out,
        page,
        live,
        live_head,
        put_item,
        delete_transfer
    ];
    bare().attach(SessionFairing::new(store)).attach(guard).mount("/", routes)
}

pub(crate) fn site() -> Client {
    browser(application(store(), guard()))
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

pub(crate) fn on_a_server() -> (Client, FaultyStore, String) {
    let (store, records) = on_server();
    let browser = browser(application(store, readable()));
    let token = text(&browser, "/token");
    // A session without entries is in its cookie alone.
    assert_eq!(post_with(&browser, &[("X-CSRF-Token", &token)]).status(), Status::Ok);
    (browser, records, token)
}
