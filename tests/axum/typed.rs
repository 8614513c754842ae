//! The whole session as one value.

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::SET_COOKIE;
use sealed_session::adapter::axum::TypedSession;
use sealed_session::{Session, SessionError};
use serde::{Deserialize, Serialize};

use crate::support::{application, cookie, send, text};

#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct Cart {
    items: Vec<u64>,
}

async fn show(cart: TypedSession<Cart>) -> String {
    format!("{:?}", cart.value)
}

async fn add(mut cart: TypedSession<Cart>) -> Result<(), SessionError> {
    cart.items.push(42);
    cart.replace(&cart.value)
}

async fn forget_to_replace(mut cart: TypedSession<Cart>) {
    cart.items.push(7);
}

async fn spoil(session: Session) -> Result<(), SessionError> {
    session.put("items", "many")
}

async fn debug(cart: TypedSession<Cart>) -> String {
    format!("{cart:?}")
}

fn routes() -> Router {
    Router::new()
        .route("/", get(show).post(add))
        .route("/unwritten", post(forget_to_replace))
        .route("/spoil", post(spoil))
        .route("/debug", get(debug))
}

#[pollster::test]
async fn an_empty_session_reads_as_the_default_and_leaves_no_trace() {
    let response = send(&application(routes()), "GET", "/", None).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "Cart { items: [] }");
}

#[pollster::test]
async fn a_replaced_value_is_what_the_next_request_reads() {
    let application = application(routes());
    let sent = cookie(&send(&application, "POST", "/", None).await);
    let sent = cookie(&send(&application, "POST", "/", Some(&sent)).await);
    assert_eq!(text(send(&application, "GET", "/", Some(&sent)).await).await, "Cart { items: [42, 42] }");
}

#[pollster::test]
async fn a_value_that_is_not_replaced_is_not_written() {
    let response = send(&application(routes()), "POST", "/unwritten", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[pollster::test]
async fn data_of_another_type_are_an_empty_500_and_stay() {
    let application = application(routes());
    let sent = cookie(&send(&application, "POST", "/spoil", None).await);
    let response = send(&application, "GET", "/", Some(&sent)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "");
}

#[pollster::test]
async fn without_the_layer_the_answer_names_the_missing_call() {
    let response = send(&routes(), "GET", "/", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(response).await.contains("SessionLayer"));
}

#[pollster::test]
async fn debug_output_shows_no_data() {
    let application = application(routes());
    let sent = cookie(&send(&application, "POST", "/", None).await);
    let shown = text(send(&application, "GET", "/debug", Some(&sent)).await).await;
    assert!(shown.starts_with("TypedSession"), "{shown}");
    assert!(!shown.contains("items") && !shown.contains("[42"), "{shown}");
}
