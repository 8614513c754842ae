//! Behaviour, section 4: flash as an argument.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use http::header::SET_COOKIE;
use sealed_session::SessionError;
use sealed_session::adapter::axum::Flash;

use crate::support::{application, cookie, send, text};

async fn page(flash: Flash) -> Result<String, SessionError> {
    let notice: Option<String> = flash.get("notice")?;
    let email: Option<String> = flash.old("email")?;
    let password: Option<String> = flash.old("password")?;
    Ok(format!("{notice:?} {email:?} {password:?} {:?}", flash.errors("email")))
}

async fn refuse(flash: Flash) -> Result<StatusCode, SessionError> {
    flash.put("notice", "Not saved.")?;
    flash.put_errors(&BTreeMap::from([("email", "Give an address.")]))?;
    flash.put_input(&BTreeMap::from([("email", "zoe@"), ("password", "hunter2")]))?;
    Ok(StatusCode::SEE_OTHER)
}

async fn leave_another(flash: Flash) -> Result<(), SessionError> {
    flash.put("hint", "Try again.")
}

async fn keep(flash: Flash) -> Result<String, SessionError> {
    flash.keep()?;
    page(flash).await
}

async fn all(flash: Flash) -> String {
    format!("{} {:?}", flash.messages().all().len(), flash.all_errors())
}

fn routes() -> Router {
    Router::new()
        .route("/", get(page).post(refuse))
        .route("/hint", post(leave_another))
        .route("/keep", get(keep))
        .route("/all", get(all))
}

const LEFT: &str = r#"Some("Not saved.") Some("zoe@") None ["Give an address."]"#;
const NOTHING: &str = "None None None []";

#[pollster::test]
async fn what_one_request_leaves_the_next_that_reads_uses_up() {
    let application = application(routes());
    let left = cookie(&send(&application, "POST", "/", None).await);
    let read = send(&application, "GET", "/", Some(&left)).await;
    let after = cookie(&read);
    assert_eq!(text(read).await, LEFT);
    assert_eq!(text(send(&application, "GET", "/", Some(&after)).await).await, NOTHING);
}

#[pollster::test]
async fn taking_flash_without_reading_it_uses_nothing_up() {
    let application = application(routes());
    let left = cookie(&send(&application, "POST", "/", None).await);
    let more = cookie(&send(&application, "POST", "/hint", Some(&left)).await);
    let all = text(send(&application, "GET", "/all", Some(&more)).await).await;
    assert_eq!(all, r#"2 [("email", ["Give an address."])]"#);
}

#[pollster::test]
async fn what_is_kept_lives_for_one_request_more() {
    let application = application(routes());
    let left = cookie(&send(&application, "POST", "/", None).await);
    let kept = send(&application, "GET", "/keep", Some(&left)).await;
    assert!(!kept.headers().contains_key(SET_COOKIE), "nothing changed");
    assert_eq!(text(kept).await, LEFT);
    assert_eq!(text(send(&application, "GET", "/", Some(&left)).await).await, LEFT);
}

#[pollster::test]
async fn without_flash_there_is_nothing_and_no_cookie() {
    let response = send(&application(routes()), "GET", "/", None).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, NOTHING);
}

#[pollster::test]
async fn without_the_layer_the_answer_names_the_missing_call() {
    let response = send(&routes(), "GET", "/", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(response).await.contains("SessionLayer"));
}
