//! `?` in a handler, for each error of a session, and failures of other middlewares.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, error, web};
use sealed_session::adapter::actix_web::SessionMiddleware;
use sealed_session::csrf::CsrfError;
use sealed_session::store::StoreError;
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{CommitError, Key, LoadError, PendingSession, Placement, Session, SessionError, SessionManager};

use crate::support::{middleware, open};

async fn visits(session: Session) -> Result<String, SessionError> {
    Ok(session.increment("visits", 1)?.to_string())
}

async fn write_then_fail(session: Session) -> Result<(), SessionError> {
    session.put("visits", "many")?;
    session.increment("visits", 1).map(|_| ())
}

#[test]
fn a_sessions_error_becomes_an_empty_500_and_what_was_written_before_it_is_kept() {
    let answer = open(App::new().wrap(middleware()).route("/", web::get().to(write_then_fail)), "/", "");
    assert_eq!((answer.status, answer.text.as_str(), answer.lines.len()), (500, "", 1));
}

#[test]
fn each_error_has_its_status_and_an_empty_body() {
    let store = || StoreError::unavailable("test", "the password is hunter2");
    let errors: [(Box<dyn Fn() -> Error>, u16); 6] = [
        (Box::new(move || LoadError::Store(store()).into()), 503),
        (Box::new(move || CommitError::Store(store()).into()), 503),
        (Box::new(|| CommitError::Conflict.into()), 409),
        (Box::new(|| CommitError::NoSealingKey.into()), 500),
        (Box::new(|| CsrfError::Mismatch.into()), 403),
        (Box::new(|| SessionError::ReadOnly.into()), 500),
    ];
    for (error, status) in errors {
        assert_eq!(error().as_response_error().status_code().as_u16(), status, "{}", error());
        let error = std::cell::Cell::new(Some(error()));
        let error = std::rc::Rc::new(error);
        let fail = move || std::future::ready(Err::<HttpResponse, Error>(error.take().unwrap()));
        let answer = open(App::new().route("/", web::get().to(fail)), "/", "");
        assert_eq!((answer.status, answer.text.as_str()), (status, ""));
    }
}

#[test]
fn a_store_that_does_not_answer_is_an_empty_503_and_the_cookie_stays() {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let records = FaultyStore::new(clock.clone());
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock).store(records.clone());
    let store = store.placement(Placement::StoreOnly).build().unwrap();
    let application = || App::new().wrap(SessionMiddleware::new(store.clone())).route("/", web::get().to(visits));
    let sent = open(application(), "/", "").cookie();
    for answered in [0, 1] {
        records.go_down_after(answered);
        let answer = open(application(), "/", &sent);
        assert_eq!((answer.status, answer.text.as_str(), answer.lines.len()), (503, "", 0), "{answered}");
    }
    records.come_up();
    assert_eq!(open(application(), "/", &sent).text, "2");
}

/// Uses the session, and then fails as a middleware does: without a response.
async fn refuse(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let session = request.extract::<Session>().await?;
    session.increment("refusals", 1)?;
    let response = HttpResponse::TooManyRequests().insert_header((CACHE_CONTROL, "public, max-age=60")).body("Wait.");
    Err(error::InternalError::from_response("too many requests", response).into())
}

/// Answers as the route's own handler.
async fn refusals(session: Session) -> Result<String, SessionError> {
    Ok(session.get_or("refusals", 0)?.to_string())
}

#[test]
fn what_an_inner_middleware_wrote_before_it_failed_is_kept_and_its_answer_too() {
    let sessions = middleware();
    let failing = App::new().wrap(from_fn(refuse)).wrap(sessions.clone()).route("/", web::get().to(visits));
    let answer = open(failing, "/", "");
    assert_eq!((answer.status, answer.text.as_str()), (429, "Wait."));
    assert_eq!(answer.values("cache-control"), ["private, max-age=60"]);
    let answer = open(App::new().wrap(sessions).route("/", web::get().to(refusals)), "/", &answer.cookie());
    assert_eq!(answer.text, "1");
}

/// Writes more than a cookie holds, and then fails.
async fn overfill(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extract::<Session>().await?.put("cart", &"x".repeat(10_000))?;
    Err(error::ErrorForbidden("no"))
}

#[test]
fn a_failure_whose_session_cannot_be_written_is_an_empty_500() {
    let application = App::new().wrap(from_fn(overfill)).wrap(middleware()).route("/", web::get().to(visits));
    let answer = open(application, "/", "");
    assert_eq!((answer.status, answer.text.as_str(), answer.lines.len()), (500, "", 0));
}

/// Fails without a look at the session.
async fn reject(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    Err(error::ErrorForbidden("no"))
}

#[test]
fn a_failure_that_asked_for_no_session_is_answered_as_it_is() {
    let application = App::new().wrap(from_fn(reject)).wrap(middleware()).route("/", web::get().to(visits));
    let answer = open(application, "/", "");
    assert_eq!((answer.status, answer.text.as_str()), (403, "no"));
    assert!(["set-cookie", "vary", "cache-control"].iter().all(|name| answer.values(name).is_empty()));
}

async fn end(pending: PendingSession) -> Result<&'static str, SessionError> {
    pending.end().map(|_| "ended")
}

#[test]
fn a_session_that_cannot_be_loaded_can_be_ended() {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let records = FaultyStore::new(clock.clone());
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock).store(records.clone());
    let store = store.placement(Placement::StoreOnly).build().unwrap();
    let application = || {
        let app = App::new().wrap(SessionMiddleware::new(store.clone()));
        app.route("/", web::get().to(visits)).route("/end", web::get().to(end))
    };
    let sent = open(application(), "/", "").cookie();
    // The store has lost what it acknowledged.
    records.tamper(|records| records.values_mut().for_each(|record| record.version -= 1));
    assert_eq!(open(application(), "/", &sent).status, 503);
    let answer = open(application(), "/end", &sent);
    assert_eq!((answer.status, answer.text.as_str()), (200, "ended"));
    assert!(answer.lines.last().unwrap().0.contains("Max-Age=0"));
}
