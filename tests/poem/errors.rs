//! The session's errors as those of a handler, with `?`.

use http::StatusCode;
use http::header::SET_COOKIE;
use poem::{EndpointExt as _, Response, Route, handler};
use sealed_session::adapter::poem::SessionMiddleware;
use sealed_session::{PendingSession, Session};

use crate::support::{cookie, faulty, send, store, text, visits};

#[handler]
async fn mistaken(session: Session) -> poem::Result<()> {
    session.put("visits", "many")?;
    session.increment("visits", 1)?;
    Ok(())
}

#[handler]
async fn guarded(session: Session) -> poem::Result<()> {
    session.verify_csrf(None)?;
    Ok(())
}

#[handler]
async fn saving(session: Session) -> poem::Result<()> {
    session.increment("visits", 1)?;
    session.save().await?;
    Ok(())
}

async fn assert_is_empty(response: Response, status: StatusCode) {
    assert_eq!(response.status(), status);
    assert_eq!(text(response).await, "");
}

#[pollster::test]
async fn a_sessions_error_is_an_empty_500_and_what_was_written_before_it_is_kept() {
    let response = send(&mistaken.with(SessionMiddleware::new(store())), "/", None).await;
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_is_empty(response, StatusCode::INTERNAL_SERVER_ERROR).await;
}

#[pollster::test]
async fn a_missing_csrf_token_is_an_empty_403() {
    let response = send(&guarded.with(SessionMiddleware::new(store())), "/", None).await;
    assert_is_empty(response, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_store_that_does_not_answer_is_an_empty_503_and_the_cookie_stays() {
    let (records, store) = faulty();
    let application = visits.with(SessionMiddleware::new(store));
    let sent = cookie(&send(&application, "/", None).await);
    records.go_down();
    let response = send(&application, "/", Some(&sent)).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_is_empty(response, StatusCode::SERVICE_UNAVAILABLE).await;
}

#[pollster::test]
async fn a_save_that_fails_in_the_handler_is_an_empty_503() {
    let (records, store) = faulty();
    records.go_down();
    let response = send(&saving.with(SessionMiddleware::new(store)), "/", None).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert_is_empty(response, StatusCode::SERVICE_UNAVAILABLE).await;
}

#[handler]
async fn end(pending: PendingSession) -> poem::Result<()> {
    pending.end()?;
    Ok(())
}

#[pollster::test]
async fn a_session_that_cannot_be_loaded_can_be_ended() {
    let (records, store) = faulty();
    let application = Route::new().at("/", visits).at("/end", end).with(SessionMiddleware::new(store));
    let sent = cookie(&send(&application, "/", None).await);
    // The store has lost what it acknowledged.
    records.tamper(|records| records.values_mut().for_each(|record| record.version -= 1));
    assert_eq!(send(&application, "/", Some(&sent)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let response = send(&application, "/end", Some(&sent)).await;
    let lines: Vec<_> = response.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
    assert!(lines.last().unwrap().contains("Max-Age=0"), "{lines:?}");
    assert_is_empty(response, StatusCode::OK).await;
}
