//! The session as an argument.

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::SET_COOKIE;
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::store::MemoryStore;
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::support::{cookie, line, send, text};

async fn visits(session: Session) -> Result<String, SessionError> {
    Ok(format!("visit {}", session.increment("visits", 1)?))
}

async fn log_out(session: Session) -> Result<StatusCode, SessionError> {
    session.destroy()?;
    Ok(StatusCode::SEE_OTHER)
}

async fn broken(session: Session) -> Result<(), SessionError> {
    session.put("visits", "many")?;
    session.increment("visits", 1)?;
    Ok(())
}

fn routes() -> Router {
    Router::new().route("/", get(visits)).route("/logout", post(log_out)).route("/broken", get(broken))
}

fn application() -> Router {
    let store = SessionManager::builder(Key::generate().unwrap()).store(MemoryStore::new()).build().unwrap();
    routes().layer(SessionLayer::new(store))
}

#[pollster::test]
async fn a_handler_takes_its_session_as_an_argument() {
    let application = application();
    let first = send(&application, "GET", "/", None).await;
    let sent = cookie(&first);
    assert_eq!(text(first).await, "visit 1");
    assert_eq!(text(send(&application, "GET", "/", Some(&sent)).await).await, "visit 2");
}

#[pollster::test]
async fn a_logout_removes_the_cookie() {
    let application = application();
    let sent = cookie(&send(&application, "GET", "/", None).await);
    let response = send(&application, "POST", "/logout", Some(&sent)).await;
    let line = line(&response);
    assert!(line.starts_with("__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"), "{line}");
}

#[pollster::test]
async fn without_the_layer_the_answer_names_the_missing_call() {
    let response = send(&routes(), "GET", "/", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let text = text(response).await;
    assert!(text.contains(".layer(SessionLayer::new(manager))"), "{text}");
}

#[pollster::test]
async fn a_sessions_error_becomes_an_empty_500_and_what_was_written_before_it_is_kept() {
    let application = application();
    let response = send(&application, "GET", "/broken", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "");
}
