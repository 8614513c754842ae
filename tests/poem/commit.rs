//! The session in the response's head, and after it.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use http::header::SET_COOKIE;
use poem::error::NotFoundError;
use poem::{EndpointExt as _, Request, endpoint::make, handler};
use sealed_session::adapter::poem::SessionMiddleware;
use sealed_session::{PendingSession, Session, SessionError};

use crate::support::{builder, cookie, faulty, send, store, text, visits};

#[handler]
async fn too_large(session: Session) -> Result<&'static str, SessionError> {
    session.put("cart", &"x".repeat(10_000))?;
    Ok("written")
}

#[pollster::test]
async fn a_handler_takes_its_session_as_an_argument() {
    let application = visits.with(SessionMiddleware::new(store()));
    let first = send(&application, "/", None).await;
    let sent = cookie(&first);
    assert_eq!(text(first).await, "1");
    assert_eq!(text(send(&application, "/", Some(&sent)).await).await, "2");
}

#[pollster::test]
async fn the_cookie_is_marked_as_sensitive() {
    let response = send(&visits.with(SessionMiddleware::new(store())), "/", None).await;
    assert!(response.headers().get(SET_COOKIE).unwrap().is_sensitive());
}

#[pollster::test]
async fn a_session_that_could_not_be_written_takes_the_responses_place() {
    let response = send(&too_large.with(SessionMiddleware::new(store())), "/", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().is_empty());
    assert_eq!(text(response).await, "");

    let (records, store) = faulty();
    records.go_down();
    let response = send(&visits.with(SessionMiddleware::new(store)), "/", None).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().is_empty());
    assert_eq!(text(response).await, "");
}

#[pollster::test]
async fn a_write_behind_the_head_is_an_error_to_its_writer() {
    for fails in [false, true] {
        let kept = Arc::new(Mutex::new(None::<PendingSession>));
        let keep = Arc::clone(&kept);
        let endpoint = make(move |request: Request| {
            *keep.lock().unwrap() = request.data::<PendingSession>().cloned();
            async move { if fails { Err(poem::Error::from(NotFoundError)) } else { Ok("hello") } }
        });
        let _ = send(&endpoint.with(SessionMiddleware::new(store())), "/", None).await;
        let pending = kept.lock().unwrap().take().unwrap();
        let written = pending.session().await.unwrap().put("visits", &1);
        assert!(matches!(written, Err(SessionError::Committed)), "{fails}: {written:?}");
    }
}

#[pollster::test]
async fn every_cookie_field_is_read_as_bytes() {
    let application = visits.with(SessionMiddleware::new(builder().build().unwrap()));
    let sent = cookie(&send(&application, "/", None).await);
    let neighbour = http::HeaderValue::from_bytes(b"name=caf\xe9").unwrap();
    for fields in [[neighbour.clone(), sent.parse().unwrap()], [sent.parse().unwrap(), neighbour]] {
        let request = fields.into_iter().fold(Request::builder(), |request, field| request.header("cookie", field));
        let response = poem::Endpoint::get_response(&application, request.finish()).await;
        assert_eq!(text(response).await, "2");
    }
}
