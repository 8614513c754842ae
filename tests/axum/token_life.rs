//! Behaviour, sections 1 and 5: how long a form that was loaded can be sent.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::{Response, StatusCode};
use sealed_session::adapter::CsrfForm;
use sealed_session::{Key, KeyRing, Session, SessionError};

use crate::support::{application, behind, cookie, line, post_form, send, text};

async fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

async fn save(form: CsrfForm<Vec<(String, String)>>) -> String {
    format!("{} fields", form.len())
}

async fn log_in(session: Session) -> Result<(), SessionError> {
    session.regenerate_and_reset_lifetime()?;
    session.put("user", &42)
}

async fn log_out(session: Session) -> Result<(), SessionError> {
    session.destroy()
}

async fn log_out_with_farewell(session: Session) -> Result<(), SessionError> {
    session.invalidate()?;
    session.flash("notice", "Goodbye.")
}

fn routes() -> Router {
    Router::new()
        .route("/form", get(token).post(save))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/farewell", post(log_out_with_farewell))
}

/// The cookie and the token of a visitor who has loaded the form.
async fn load_form(application: &Router, cookie_before: Option<&str>) -> (String, String) {
    let response = send(application, "GET", "/form", cookie_before).await;
    let sent = cookie_before.map_or_else(|| cookie(&response), str::to_owned);
    (sent, text(response).await)
}

async fn submit(application: &Router, cookie: &str, token: &str) -> Response<Body> {
    post_form(application, "/form", cookie, format!("text=hello&_csrf={token}")).await
}

#[pollster::test]
async fn a_token_can_be_sent_more_than_once() {
    let application = application(routes());
    let (cookie, token) = load_form(&application, None).await;
    for _ in 0..2 {
        assert_eq!(text(submit(&application, &cookie, &token).await).await, "1 fields");
    }
}

#[pollster::test]
async fn a_token_outlives_a_key_rotation_until_its_key_leaves_the_ring() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let (before, after) = (
        behind(routes(), old.clone()),
        behind(routes(), KeyRing::new(new.clone()).with_open_only(old.clone()).unwrap()),
    );
    let (sent, token) = load_form(&before, None).await;
    let response = submit(&after, &sent, &token).await;
    assert_eq!(response.status(), StatusCode::OK);
    let resealed = cookie(&response);
    assert_eq!(submit(&after, &resealed, &token).await.status(), StatusCode::OK);
    let without_old = behind(routes(), new);
    assert_eq!(submit(&without_old, &resealed, &token).await.status(), StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_login_ends_the_tokens_before_it() {
    let application = application(routes());
    let (sent, token) = load_form(&application, None).await;
    let logged_in = cookie(&send(&application, "POST", "/login", Some(&sent)).await);
    assert_eq!(submit(&application, &logged_in, &token).await.status(), StatusCode::FORBIDDEN);
    let (_, fresh) = load_form(&application, Some(&logged_in)).await;
    assert_eq!(submit(&application, &logged_in, &fresh).await.status(), StatusCode::OK);
}

#[pollster::test]
async fn a_logout_ends_the_tokens_before_it() {
    let application = application(routes());
    let (sent, token) = load_form(&application, None).await;
    let response = send(&application, "POST", "/logout", Some(&sent)).await;
    assert!(line(&response).starts_with("__Host-session=;"));
    assert_eq!(submit(&application, "", &token).await.status(), StatusCode::FORBIDDEN);
    let (next, _) = load_form(&application, None).await;
    assert_eq!(submit(&application, &next, &token).await.status(), StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_logout_with_a_farewell_ends_the_tokens_before_it() {
    let application = application(routes());
    let (sent, token) = load_form(&application, None).await;
    let left = cookie(&send(&application, "POST", "/farewell", Some(&sent)).await);
    assert_eq!(submit(&application, &left, &token).await.status(), StatusCode::FORBIDDEN);
}
