//! What the guard is to actix-web's own middlewares. What it decides: `tests/guards`.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::COOKIE;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::TestRequest;
use actix_web::{App, Error, HttpResponse, HttpServer, error, web};
use sealed_session::adapter::actix_web::SessionMiddleware;
use sealed_session::{Session, SessionManager};

use crate::guards::forged::status;
use crate::guards::{Application, Browser, Guard, Site as _, builder, manager, post};
use crate::site::ActixWeb;
use crate::support::{Answer, send};

/// Logs the user in, and then fails as a middleware does: without a response.
async fn log_in_and_fail(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extract::<Session>().await?.regenerate()?;
    let response = HttpResponse::TooManyRequests().body("Wait.");
    Err(error::InternalError::from_response("too many requests", response).into())
}

/// Someone who is logged in, and what a login that then fails is answered with.
fn log_in(sessions: SessionManager) -> (Browser<ActixWeb>, Answer) {
    let mut browser = Browser::logged_in(Application::guarded(sessions.clone(), Guard::readable()));
    let application = App::new()
        .wrap(from_fn(log_in_and_fail))
        .wrap(ActixWeb::guard(&Guard::readable()).unwrap())
        .wrap(SessionMiddleware::new(sessions))
        .default_service(web::to(HttpResponse::Ok));
    let answer = send(application, TestRequest::get().insert_header((COOKIE, browser.jar.cookie_header())));
    answer.lines.iter().for_each(|(line, _)| browser.jar.receive(line));
    (browser, answer)
}

#[test]
fn a_failure_behind_a_login_brings_the_readable_token_too_and_keeps_its_answer() {
    let (mut browser, answer) = log_in(manager());
    assert_eq!((answer.status, answer.text.as_str(), answer.lines.len()), (429, "Wait.", 3));
    let token = browser.jar.value("XSRF-TOKEN").unwrap().to_owned();
    assert_eq!(status(&mut browser, post("/idle").header("X-XSRF-TOKEN", token)), 200);
}

#[test]
fn a_login_that_is_dropped_with_a_failure_leaves_the_readable_token_as_it_is() {
    let (_, answer) = log_in(builder().commit_when(|status| status < 400).build().unwrap());
    assert_eq!((answer.status, answer.lines.len()), (429, 0));
}

#[test]
fn a_guard_goes_into_the_application_of_every_worker() {
    let (guard, store) = (ActixWeb::guard(&Guard::new()).unwrap(), manager());
    // The server wants this closure `Send` and `Clone`.
    let server = HttpServer::new(move || App::new().wrap(guard.clone()).wrap(SessionMiddleware::new(store.clone())));
    assert!(server.addrs().is_empty());
}
