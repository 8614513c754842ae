//! Behaviour, section 5: a form is taken only with a token of its session and scope.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, SET_COOKIE};
use poem::endpoint::BoxEndpoint;
use poem::error::ReadBodyError;
use poem::middleware::SizeLimit;
use poem::{Body, Endpoint as _, EndpointExt as _, Response, Route, handler};
use sealed_session::adapter::poem::SessionMiddleware;
use sealed_session::adapter::{CsrfForm, CsrfFormError, CsrfScope, Marked};
use sealed_session::limits::FORM_MAX_BYTES;
use sealed_session::{Session, SessionError};
use serde::Deserialize;
use tokio::io::{AsyncRead, ReadBuf};

use crate::support::{Browser, FORM, cookie, faulty, get, post, post_form, send, store, text};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Comment {
    text: String,
    stars: u8,
}

struct Transfer;

impl CsrfScope for Transfer {
    const SCOPE: &str = "POST /transfer";
}

struct Administration;

#[handler]
async fn comment_page(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

#[handler]
async fn transfer_page(session: Session) -> Result<String, SessionError> {
    session.csrf_token_for(Transfer::SCOPE)
}

/// Writes into the session that it ran.
#[handler]
async fn comment(session: Session, form: CsrfForm<Comment>) -> Result<String, SessionError> {
    session.put("comment", &form.text)?;
    Ok(format!("{} {}", form.text, form.stars))
}

#[handler]
async fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    format!("{} {}", form.text, form.stars)
}

#[handler]
async fn pairs(form: CsrfForm<Vec<(String, String)>>) -> String {
    format!("{:?}", form.value)
}

#[handler]
async fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

#[handler]
async fn marked(form: Marked<CsrfForm<Comment>, Administration>) -> String {
    format!("{} {}", form.text, form.stars)
}

#[handler]
async fn taken_twice(_body: String, form: CsrfForm<Comment>) -> String {
    form.text.clone()
}

fn routes() -> Route {
    Route::new()
        .at("/comment", poem::get(comment_page).post(comment))
        .at("/bounded", poem::post(comment.with(SizeLimit::new(1000))))
        .at("/transfer", poem::get(transfer_page).post(transfer))
        .at("/pairs", poem::post(pairs))
        .at("/debug", poem::post(debug))
        .at("/taken-twice", poem::post(taken_twice))
}

/// A visitor of the application who has loaded a form.
struct Visitor {
    application: Arc<BoxEndpoint<'static, Response>>,
    cookie: String,
    token: String,
}

impl Visitor {
    async fn of(application: Arc<BoxEndpoint<'static, Response>>, page: &str) -> Self {
        let response = send(&application, page, None).await;
        Self { cookie: cookie(&response), token: text(response).await, application }
    }

    async fn at(page: &str) -> Self {
        Self::of(Arc::new(routes().with(SessionMiddleware::new(store())).boxed()), page).await
    }

    async fn new() -> Self {
        Self::at("/comment").await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Response {
        post_form(&self.application, path, &self.cookie, body).await
    }

    /// A body with these header fields.
    async fn post_raw(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
        let request = post(path).header(COOKIE, &self.cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.application.get_response(request.body(body)).await
    }

    /// A good form but for this token field, and these header fields.
    async fn post_with(&self, path: &str, headers: &[(&str, &str)], field: &str) -> Response {
        let headers = [&[(CONTENT_TYPE.as_str(), FORM)], headers].concat();
        self.post_raw(path, &headers, format!("text=hello&stars=5{field}")).await
    }
}

async fn assert_taken(response: Response) {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "hello 5");
}

/// Answered with nothing, and the handler has not run.
async fn assert_refused(response: Response, status: StatusCode) {
    assert_eq!(response.status(), status);
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "");
}

#[pollster::test]
async fn a_form_with_its_token_is_taken_without_the_token_field() {
    let visitor = Visitor::new().await;
    for name in ["_csrf", "csrf_token", "%5Fcsrf"] {
        assert_taken(visitor.post_with("/comment", &[], &format!("&{name}={}", visitor.token)).await).await;
    }
}

#[pollster::test]
async fn other_fields_arrive_decoded_and_in_order() {
    let visitor = Visitor::new().await;
    let body = format!("a=1+%26+2&_csrf={}&&b=%C3%AB&a=", visitor.token);
    assert_eq!(text(visitor.post("/pairs", body).await).await, r#"[("a", "1 & 2"), ("b", "ë"), ("a", "")]"#);
}

#[pollster::test]
async fn a_form_without_a_token_is_refused_and_its_handler_does_not_run() {
    let visitor = Visitor::new().await;
    assert_refused(visitor.post_with("/comment", &[], "").await, StatusCode::FORBIDDEN).await;
    assert_refused(visitor.post("/comment", "").await, StatusCode::FORBIDDEN).await;
    // A handler that runs writes its session.
    let response = visitor.post_with("/comment", &[], &format!("&_csrf={}", visitor.token)).await;
    assert!(response.headers().contains_key(SET_COOKIE));
}

#[pollster::test]
async fn a_wrong_token_is_refused() {
    let visitor = Visitor::new().await;
    let other = Visitor::of(Arc::clone(&visitor.application), "/comment").await;
    for wrong in ["", "junk", "%FF", &visitor.token[1..], &other.token] {
        let response = visitor.post_with("/comment", &[], &format!("&_csrf={wrong}")).await;
        assert_refused(response, StatusCode::FORBIDDEN).await;
    }
}

#[pollster::test]
async fn the_first_token_field_decides() {
    let visitor = Visitor::new().await;
    let good = &visitor.token;
    let response = visitor.post_with("/comment", &[], &format!("&csrf_token=junk&_csrf={good}")).await;
    assert_refused(response, StatusCode::FORBIDDEN).await;
    assert_taken(visitor.post_with("/comment", &[], &format!("&csrf_token={good}&_csrf=junk")).await).await;
}

#[pollster::test]
async fn a_token_without_a_session_is_refused() {
    let mut visitor = Visitor::new().await;
    visitor.cookie.clear();
    let response = visitor.post_with("/comment", &[], &format!("&_csrf={}", visitor.token)).await;
    assert_refused(response, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_token_is_good_for_its_own_scope_alone() {
    for (own, other) in [("/transfer", "/comment"), ("/comment", "/transfer")] {
        let visitor = Visitor::at(own).await;
        let field = format!("&_csrf={}", visitor.token);
        assert_taken(visitor.post_with(own, &[], &field).await).await;
        assert_refused(visitor.post_with(other, &[], &field).await, StatusCode::FORBIDDEN).await;
    }
}

#[pollster::test]
async fn a_header_decides_in_place_of_the_field() {
    let visitor = Visitor::new().await;
    let good = visitor.token.as_str();
    for name in ["x-csrf-token", "x-xsrf-token"] {
        assert_taken(visitor.post_with("/comment", &[(name, good)], "").await).await;
        assert_taken(visitor.post_with("/comment", &[(name, good)], "&_csrf=junk").await).await;
        for wrong in ["junk", "", "\u{eb}"] {
            let response = visitor.post_with("/comment", &[(name, wrong)], &format!("&_csrf={good}")).await;
            assert_refused(response, StatusCode::FORBIDDEN).await;
        }
    }
    let both = [("x-xsrf-token", good), ("x-csrf-token", "junk")];
    assert_refused(visitor.post_with("/comment", &both, "").await, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_header_carries_a_token_of_the_whole_session_whatever_the_forms_scope() {
    let visitor = Visitor::new().await;
    assert_taken(visitor.post_with("/transfer", &[("x-csrf-token", &visitor.token)], "").await).await;
    let visitor = Visitor::at("/transfer").await;
    let response = visitor.post_with("/transfer", &[("x-csrf-token", &visitor.token)], "").await;
    assert_refused(response, StatusCode::FORBIDDEN).await;
}

/// A body that notes whether it was read, and breaks off.
struct Broken(Arc<AtomicBool>);

impl AsyncRead for Broken {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.store(true, Ordering::SeqCst);
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[pollster::test]
async fn a_body_is_read_only_when_its_head_is_good() {
    let visitor = Visitor::new().await;
    let was_read = Arc::new(AtomicBool::new(false));
    let body = || Body::from_async_read(Broken(Arc::clone(&was_read)));
    let (form, junk) = ((CONTENT_TYPE.as_str(), FORM), ("x-csrf-token", "junk"));
    assert_refused(visitor.post_raw("/comment", &[form, junk], body()).await, StatusCode::FORBIDDEN).await;
    assert_refused(visitor.post_raw("/comment", &[], body()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    assert!(!was_read.load(Ordering::SeqCst));
    assert_refused(visitor.post_raw("/comment", &[form], body()).await, StatusCode::BAD_REQUEST).await;
    assert!(was_read.load(Ordering::SeqCst));
}

#[pollster::test]
async fn a_body_that_is_no_text_is_refused() {
    let visitor = Visitor::new().await;
    assert_refused(visitor.post("/comment", &b"text=\xff&stars=5"[..]).await, StatusCode::BAD_REQUEST).await;
}

#[pollster::test]
async fn a_smaller_bound_is_that_of_the_size_limit() {
    let visitor = Visitor::new().await;
    let form = (CONTENT_TYPE.as_str(), FORM);
    let good = format!("text=hello&stars=5&_csrf={}", visitor.token);
    let length = |bytes: usize| bytes.to_string();
    for (bytes, expected) in [(good.len(), StatusCode::OK), (1001, StatusCode::PAYLOAD_TOO_LARGE)] {
        let headers = [form, (CONTENT_LENGTH.as_str(), &length(bytes))];
        let response = visitor.post_raw("/bounded", &headers, good.clone()).await;
        assert_eq!(response.status(), expected);
    }
    assert_eq!(visitor.post_raw("/bounded", &[form], good).await.status(), StatusCode::LENGTH_REQUIRED);
}

#[pollster::test]
async fn a_form_of_more_than_two_mebibytes_is_refused_without_a_size_limit_too() {
    let visitor = Visitor::new().await;
    let around = format!("text=&_csrf={}", visitor.token).len();
    for (bytes, expected) in [(FORM_MAX_BYTES, StatusCode::OK), (FORM_MAX_BYTES + 1, StatusCode::PAYLOAD_TOO_LARGE)] {
        let body = format!("text={}&_csrf={}", "x".repeat(bytes - around), visitor.token);
        assert_eq!(body.len(), bytes);
        let response = visitor.post("/pairs", body).await;
        assert_eq!((response.status(), text(response).await.is_empty()), (expected, expected != StatusCode::OK));
    }
}

#[pollster::test]
async fn another_content_type_is_refused() {
    let visitor = Visitor::new().await;
    let body = format!("text=hello&stars=5&_csrf={}", visitor.token);
    for wrong in ["", "text/plain", "application/json", "multipart/form-data", "application/x-www-form-urlencoded-2"] {
        let response = visitor.post_raw("/comment", &[("content-type", wrong)], body.clone()).await;
        assert_refused(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
    let response = visitor.post_raw("/comment", &[], body).await;
    assert_refused(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}

#[pollster::test]
async fn the_content_type_is_read_in_any_case_and_with_parameters() {
    let visitor = Visitor::new().await;
    for good in ["Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded ; charset=UTF-8"] {
        let body = format!("text=hello&stars=5&_csrf={}", visitor.token);
        assert_taken(visitor.post_raw("/comment", &[("content-type", good)], body).await).await;
    }
}

#[pollster::test]
async fn a_query_is_no_form() {
    let application = poem::get(comment).with(SessionMiddleware::new(store()));
    let query = get("/?text=hello&stars=5").header(CONTENT_TYPE, FORM);
    assert_refused(application.get_response(query.finish()).await, StatusCode::FORBIDDEN).await;
    let (browser, token) = Browser::logged_in(store());
    let application = poem::get(comment).with(SessionMiddleware::new(browser.store));
    let query = get(&format!("/?text=hello&stars=5&_csrf={token}")).header(COOKIE, browser.jar.cookie_header());
    assert_refused(application.get_response(query.finish()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}

#[pollster::test]
async fn fields_of_the_wrong_type_or_number_are_refused() {
    let visitor = Visitor::new().await;
    for wrong in ["text=hello&stars=many", "text=hello&stars=256", "text=hello", "text=a&stars=1&more=2", ""] {
        let response = visitor.post("/comment", format!("{wrong}&_csrf={}", visitor.token)).await;
        assert_refused(response, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
}

#[pollster::test]
async fn a_forged_post_learns_nothing_of_the_fields() {
    let visitor = Visitor::new().await;
    assert_refused(visitor.post("/comment", "stars=many&_csrf=junk").await, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_marked_form_takes_tokens_of_its_own_session_alone() {
    let (customer, of_customer) = Browser::logged_in(store());
    let (administrator, of_administrator) = Browser::logged_in(store());
    for (browser, token, expected) in [
        (&administrator, &of_administrator, StatusCode::OK),
        (&administrator, &of_customer, StatusCode::FORBIDDEN),
        (&customer, &of_customer, StatusCode::FORBIDDEN),
    ] {
        let store = administrator.store.clone();
        let application = marked.with(SessionMiddleware::new(store).marked::<Administration>());
        let body = format!("text=hello&stars=5&_csrf={token}");
        let response = post_form(&application, "/", &browser.jar.cookie_header(), body).await;
        assert_eq!(response.status(), expected);
    }
    // Beside it, the session without a marker.
    let application = marked.with(SessionMiddleware::new(customer.store.clone()));
    let response = post_form(&application, "/", "", "text=hello&stars=5").await;
    assert!(text(response).await.contains("Marked<Session, Marker>"));
}

#[pollster::test]
async fn without_the_middleware_the_answer_names_the_missing_call() {
    let response = post_form(&routes(), "/comment", "", "text=hello&stars=5").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(response).await.contains(".with(SessionMiddleware::new(store))"));
}

#[pollster::test]
async fn a_store_that_does_not_answer_is_an_empty_503_and_the_cookie_stays() {
    let (records, store) = faulty();
    let (browser, token) = Browser::logged_in(store);
    let application = comment.with(SessionMiddleware::new(browser.store));
    records.go_down();
    let body = format!("text=hello&stars=5&_csrf={token}");
    let response = post_form(&application, "/", &browser.jar.cookie_header(), body).await;
    assert_refused(response, StatusCode::SERVICE_UNAVAILABLE).await;
}

#[pollster::test]
async fn a_refused_form_is_an_error_that_an_application_can_tell() {
    let application = comment
        .catch_error(|error: CsrfFormError| async move { format!("a page for {}", error.status_code()) })
        .with(SessionMiddleware::new(store()));
    assert_eq!(text(post_form(&application, "/", "", "text=hello").await).await, "a page for 403");
}

#[pollster::test]
async fn a_body_that_another_extractor_took_is_an_error_of_the_application() {
    let visitor = Visitor::new().await;
    let response = visitor.post_with("/taken-twice", &[], &format!("&_csrf={}", visitor.token)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(text(response).await, ReadBodyError::BodyHasBeenTaken.to_string());
}

#[pollster::test]
async fn debug_output_shows_no_fields() {
    let visitor = Visitor::new().await;
    let response = visitor.post("/debug", format!("text=hunter2&stars=5&_csrf={}", visitor.token)).await;
    assert_eq!(text(response).await, "CsrfForm { .. }");
}
