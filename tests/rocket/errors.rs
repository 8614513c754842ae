//! `?` in handlers: a status and nothing else, whatever catchers there are.

use rocket::{catch, catchers, get, routes};
use sealed_session::adapter::rocket::SessionFairing;
use sealed_session::csrf::CsrfError;
use sealed_session::store::StoreError;
use sealed_session::{CommitError, LoadError, PendingSession, Session, SessionError};

use crate::support::{answer, bare, browser, on_server, store, values};

#[get("/session")]
fn session(session: Session) -> Result<(), SessionError> {
    session.put("visits", "many")?;
    session.increment("visits", 1).map(|_| ())
}

#[get("/csrf")]
fn csrf(session: Session) -> Result<(), CsrfError> {
    session.verify_csrf(None)
}

#[get("/load")]
fn load() -> Result<(), LoadError> {
    Err(LoadError::Store(StoreError::unavailable("test", "no answer")))
}

#[get("/conflict")]
fn conflict() -> Result<(), CommitError> {
    Err(CommitError::Conflict)
}

#[get("/save")]
async fn save(session: Session) -> Result<(), CommitError> {
    session.put("user", &42).map_err(|_| CommitError::Conflict)?;
    session.save().await
}

#[catch(default)]
fn page() -> &'static str {
    "a catcher's page"
}

#[test]
fn each_error_is_an_empty_answer_of_its_status() {
    let routes = routes![session, csrf, load, conflict];
    let browser =
        browser(bare().attach(SessionFairing::new(store())).mount("/", routes).register("/", catchers![page]));
    for (path, status) in [("/session", 500), ("/csrf", 403), ("/load", 503), ("/conflict", 409)] {
        assert_eq!(answer(browser.get(path).dispatch()), (status, String::new()), "{path}");
    }
}

#[test]
fn what_was_written_before_an_error_is_kept() {
    let browser = browser(bare().attach(SessionFairing::new(store())).mount("/", routes![session]));
    assert_eq!(values(&browser.get("/session").dispatch(), "Set-Cookie").len(), 1);
}

#[test]
fn a_save_that_the_store_does_not_answer_is_an_empty_503() {
    let (store, records) = on_server();
    let browser = browser(bare().attach(SessionFairing::new(store)).mount("/", routes![save]));
    records.go_down();
    let response = browser.get("/save").dispatch();
    assert_eq!(values(&response, "Set-Cookie"), [""; 0]);
    assert_eq!(answer(response), (503, String::new()));
}

#[get("/end")]
fn end(pending: PendingSession) -> Result<(), SessionError> {
    pending.end().map(drop)
}

#[get("/put")]
fn put(session: Session) -> Result<(), SessionError> {
    session.put("user", &42)
}

#[test]
fn a_session_that_cannot_be_loaded_can_be_ended() {
    let (store, records) = on_server();
    let browser = browser(bare().attach(SessionFairing::new(store)).mount("/", routes![put, end]));
    assert_eq!(answer(browser.get("/put").dispatch()), (200, String::new()));
    // The store has lost what it acknowledged.
    records.tamper(|records| records.values_mut().for_each(|record| record.version -= 1));
    assert_eq!(answer(browser.get("/put").dispatch()).0, 503);
    let response = browser.get("/end").dispatch();
    assert_eq!(response.status().code, 200);
    assert!(values(&response, "Set-Cookie").last().unwrap().contains("Max-Age=0"));
}
