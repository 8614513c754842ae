//! What a form is to actix-web's own extractors, headers and log. What it takes: `tests/guards`.

use actix_web::http::header::{CONTENT_LENGTH, COOKIE};
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes};
use actix_web::{App, Error};
use sealed_session::adapter::actix_web::{CsrfFormExtractionError, SessionMiddleware};
use sealed_session::adapter::{CsrfForm, CsrfFormError};
use sealed_session::testing::CookieJar;

use crate::guards::pages::Pairs;
use crate::guards::{FORM, clock, manager};
use crate::support::{Answer, send};

async fn form(form: CsrfForm<Pairs>) -> String {
    format!("{form:?}")
}

async fn second(first: Bytes, form: CsrfForm<Pairs>) -> String {
    format!("{first:?} {form:?}")
}

/// Posts a good form, with this change.
fn answer(path: &str, change: impl FnOnce(TestRequest) -> TestRequest) -> Answer {
    let (sessions, mut jar) = (manager(), CookieJar::new(clock()));
    let token = jar.visit(&sessions, |session| session.csrf_token()).unwrap();
    let application = App::new()
        .wrap(SessionMiddleware::new(sessions))
        .route("/form", web::post().to(form))
        .route("/second", web::post().to(second));
    let request = TestRequest::post().uri(path).insert_header((COOKIE, jar.cookie_header()));
    let request = request.insert_header(("content-type", FORM)).set_payload(format!("text=hello&_csrf={token}"));
    send(application, change(request))
}

#[test]
fn a_length_that_is_no_number_is_refused() {
    let refused = answer("/form", |request| request.insert_header((CONTENT_LENGTH, "many")));
    assert_eq!((refused.status, refused.text.as_str()), (400, ""));
    assert_eq!(answer("/form", |request| request).status, 200);
}

#[test]
fn a_form_behind_another_extractor_of_the_body_is_refused() {
    let refused = answer("/second", |request| request);
    assert_eq!((refused.status, refused.text.as_str()), (403, ""));
}

#[test]
fn what_the_frameworks_logger_writes_of_a_refused_form_shows_nothing_that_was_typed() {
    let error = Error::from(CsrfFormExtractionError::Form(CsrfFormError::Fields("not a number: hunter2".into())));
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
}
