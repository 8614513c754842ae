//! A second session has tokens of its own, for its forms and its guard.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use http::header::{COOKIE, SET_COOKIE};
use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::cookie::CookieAttributes;
use sealed_session::{Key, Session, SessionError, SessionManager};
use tower::ServiceExt as _;

use crate::support::{FORM, post_with, send, text};

struct Administration;

type Field = Vec<(String, String)>;

async fn tokens(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    Ok(format!("{} {}", customer.csrf_token()?, administrator.csrf_token()?))
}

async fn administer(form: Marked<CsrfForm<Field>, Administration>) -> String {
    format!("{:?}", form.value)
}

/// Both sessions around the routes, and a guard between.
fn application(guard: CsrfLayer) -> Router {
    let attributes = CookieAttributes::new().name("__Host-administration");
    let administrators = SessionManager::builder(Key::generate().unwrap()).cookie(attributes).build().unwrap();
    Router::new()
        .route("/", get(tokens).post(administer))
        .layer(guard)
        .layer(SessionLayer::new(SessionManager::builder(Key::generate().unwrap()).build().unwrap()))
        .layer(SessionLayer::new(administrators).marked::<Administration>())
}

/// Somebody with both sessions.
struct Visitor {
    application: Router,
    cookies: String,
    customers_token: String,
    administrators_token: String,
}

impl Visitor {
    async fn of(application: Router) -> Self {
        let page = send(&application, "GET", "/", None).await;
        let lines = page.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        let cookies = lines.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ");
        let tokens = text(page).await;
        let (customers_token, administrators_token) = tokens.split_once(' ').unwrap();
        Self {
            application,
            cookies,
            customers_token: customers_token.to_owned(),
            administrators_token: administrators_token.to_owned(),
        }
    }

    async fn post(&self, headers: &[(&str, &str)], body: String) -> StatusCode {
        let headers = [&[("content-type", FORM)], headers].concat();
        post_with(&self.application, "/", &self.cookies, &headers, body).await.status()
    }
}

#[pollster::test]
async fn a_marked_form_is_taken_with_a_token_of_its_own_session_alone() {
    let visitor = Visitor::of(application(CsrfLayer::new())).await;
    let (theirs, ours) = (&visitor.customers_token, &visitor.administrators_token);
    assert_eq!(visitor.post(&[], format!("_csrf={ours}&a=1")).await, StatusCode::OK);
    assert_eq!(visitor.post(&[], format!("_csrf={theirs}&a=1")).await, StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_marked_guard_asks_the_session_with_its_marker_alone() {
    let visitor = Visitor::of(application(CsrfLayer::new().marked::<Administration>())).await;
    let (theirs, ours) = (&visitor.customers_token, &visitor.administrators_token);
    assert_eq!(visitor.post(&[("x-csrf-token", ours)], "a=1".to_owned()).await, StatusCode::OK);
    assert_eq!(visitor.post(&[("x-csrf-token", theirs)], "a=1".to_owned()).await, StatusCode::FORBIDDEN);

    // The same route behind a guard of the other session.
    let visitor = Visitor::of(application(CsrfLayer::new())).await;
    let ours = &visitor.administrators_token;
    assert_eq!(visitor.post(&[("x-csrf-token", ours)], "a=1".to_owned()).await, StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_marked_guard_gives_scripts_a_token_of_its_own_session() {
    let attributes = CookieAttributes::new().name("ADMINISTRATION-TOKEN");
    let guard = CsrfLayer::new().marked::<Administration>().readable_cookie(Some(attributes)).unwrap();
    let visitor = Visitor::of(application(guard)).await;
    let (_, token) = visitor.cookies.split_once("ADMINISTRATION-TOKEN=").unwrap();
    let token = token.split(';').next().unwrap();
    assert_eq!(visitor.post(&[("x-csrf-token", token)], "a=1".to_owned()).await, StatusCode::OK);
}

#[pollster::test]
async fn a_marked_guard_without_its_session_is_an_error_of_the_application() {
    let store = SessionManager::builder(Key::generate().unwrap()).build().unwrap();
    let application = Router::new()
        .route("/", get(async || ""))
        .layer(CsrfLayer::new().marked::<Administration>())
        .layer(SessionLayer::new(store));
    let request = http::Request::post("/").header("x-csrf-token", "x").header(COOKIE, "a=b");
    let response = application.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
