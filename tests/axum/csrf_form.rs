//! Behaviour, section 5: a form is taken only with a token of its session and scope.

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use http::{Response, StatusCode};
use sealed_session::adapter::axum::CsrfFormRejection;
use sealed_session::adapter::{CsrfForm, CsrfScope};
use sealed_session::{Session, SessionError};
use serde::Deserialize;

use crate::support::{FORM, application, cookie, post_form, post_with, send, text};

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

async fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

async fn transfer_token(session: Session) -> Result<String, SessionError> {
    session.csrf_token_for(Transfer::SCOPE)
}

async fn comment(form: CsrfForm<Comment>) -> String {
    format!("{} {}", form.text, form.stars)
}

async fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    format!("{} {}", form.text, form.stars)
}

async fn pairs(form: CsrfForm<Vec<(String, String)>>) -> String {
    format!("{:?}", form.value)
}

async fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

async fn why(form: Result<CsrfForm<Comment>, CsrfFormRejection>) -> String {
    format!("{:?}", form.map(drop))
}

fn routes() -> Router {
    Router::new()
        .route("/comment", get(token).post(comment))
        .route("/transfer", get(transfer_token).post(transfer))
        .route("/pairs", post(pairs))
        .route("/debug", post(debug))
        .route("/why", post(why))
        .layer(DefaultBodyLimit::max(1000))
}

/// A visitor of the application who has loaded a form.
struct Visitor {
    application: Router,
    cookie: String,
    token: String,
}

impl Visitor {
    async fn of(application: Router, page: &str) -> Self {
        let response = send(&application, "GET", page, None).await;
        Self { cookie: cookie(&response), token: text(response).await, application }
    }

    async fn new() -> Self {
        Self::of(application(routes()), "/comment").await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Response<Body> {
        post_form(&self.application, path, &self.cookie, body).await
    }

    /// A good form but for this token field, and these header fields.
    async fn post_with(&self, path: &str, headers: &[(&str, &str)], field: &str) -> Response<Body> {
        let headers = [&[("content-type", FORM)], headers].concat();
        post_with(&self.application, path, &self.cookie, &headers, format!("text=hello&stars=5{field}")).await
    }
}

async fn assert_taken(response: Response<Body>) {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "hello 5");
}

async fn assert_refused(response: Response<Body>, status: StatusCode) {
    assert_eq!(response.status(), status);
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
    let response = visitor.post("/pairs", body).await;
    assert_eq!(text(response).await, r#"[("a", "1 & 2"), ("b", "ë"), ("a", "")]"#);
}

#[pollster::test]
async fn a_form_without_a_token_is_refused() {
    let visitor = Visitor::new().await;
    assert_refused(visitor.post_with("/comment", &[], "").await, StatusCode::FORBIDDEN).await;
    assert_refused(visitor.post("/comment", "").await, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_wrong_token_is_refused() {
    let visitor = Visitor::new().await;
    let cut = &visitor.token[1..];
    for wrong in ["", "junk", "%FF", cut] {
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
async fn a_token_of_another_session_is_refused() {
    let visitor = Visitor::new().await;
    let other = Visitor::of(visitor.application.clone(), "/comment").await;
    let response = visitor.post_with("/comment", &[], &format!("&_csrf={}", other.token)).await;
    assert_refused(response, StatusCode::FORBIDDEN).await;
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
    let visitor = Visitor::of(application(routes()), "/transfer").await;
    let field = format!("&_csrf={}", visitor.token);
    assert_taken(visitor.post_with("/transfer", &[], &field).await).await;
    assert_refused(visitor.post_with("/comment", &[], &field).await, StatusCode::FORBIDDEN).await;

    let visitor = Visitor::new().await;
    let field = format!("&_csrf={}", visitor.token);
    assert_refused(visitor.post_with("/transfer", &[], &field).await, StatusCode::FORBIDDEN).await;
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
    let visitor = Visitor::of(application(routes()), "/transfer").await;
    let response = visitor.post_with("/transfer", &[("x-csrf-token", &visitor.token)], "").await;
    assert_refused(response, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_body_over_the_routers_limit_is_refused() {
    let visitor = Visitor::new().await;
    let body = format!("stars=5&_csrf={}&text={}", visitor.token, "x".repeat(1000));
    assert_refused(visitor.post("/comment", body).await, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[pollster::test]
async fn a_bad_header_is_refused_before_the_body_is_read() {
    let visitor = Visitor::new().await;
    let too_long = "x".repeat(1000);
    let response = visitor.post_with("/comment", &[("x-csrf-token", "junk")], &too_long).await;
    assert_refused(response, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn another_content_type_is_refused() {
    let Visitor { application, cookie, token } = Visitor::new().await;
    let body = format!("text=hello&stars=5&_csrf={token}");
    for wrong in ["", "text/plain", "application/json", "multipart/form-data", "application/x-www-form-urlencoded-2"] {
        let response = post_with(&application, "/comment", &cookie, &[("content-type", wrong)], body.clone()).await;
        assert_refused(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    }
    let response = post_with(&application, "/comment", &cookie, &[], body).await;
    assert_refused(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
}

#[pollster::test]
async fn the_content_type_is_read_in_any_case_and_with_parameters() {
    let Visitor { application, cookie, token } = Visitor::new().await;
    for good in ["Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded ; charset=UTF-8"] {
        let body = format!("text=hello&stars=5&_csrf={token}");
        assert_taken(post_with(&application, "/comment", &cookie, &[("content-type", good)], body).await).await;
    }
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
async fn a_body_that_is_no_text_is_refused() {
    let visitor = Visitor::new().await;
    assert_refused(visitor.post("/comment", &b"text=\xff&stars=5"[..]).await, StatusCode::BAD_REQUEST).await;
}

#[pollster::test]
async fn without_the_layer_the_answer_names_the_missing_call() {
    let response = post_form(&routes(), "/comment", "", "text=hello&stars=5").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(response).await.contains("SessionLayer"));
}

#[pollster::test]
async fn debug_output_shows_no_fields() {
    let visitor = Visitor::new().await;
    let response = visitor.post("/debug", format!("text=hunter2&stars=5&_csrf={}", visitor.token)).await;
    assert_eq!(text(response).await, "CsrfForm { .. }");
}

#[pollster::test]
async fn debug_output_of_a_refused_form_shows_nothing_that_was_typed() {
    let visitor = Visitor::new().await;
    let response = visitor.post("/why", format!("text=hello&stars=hunter2&_csrf={}", visitor.token)).await;
    assert_eq!(text(response).await, "Err(Form(Fields(..)))");
    // Not as numbers either, of which the bytes that are no UTF-8 would be told.
    let response = visitor.post("/why", &b"text=hunter2\xff"[..]).await;
    let told = text(response).await;
    assert!(told.starts_with("Err(Form(Body(") && !told.contains("104, 117, 110"), "{told}");
}
