//! What handles errors around the middleware, and what inside of it.

use http::StatusCode;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use poem::error::NotFoundError;
use poem::{Body, Endpoint, EndpointExt as _, Error, IntoResponse as _, Request, Response, handler};
use sealed_session::adapter::poem::SessionMiddleware;
use sealed_session::{CommitError, LoadError, Renewal, Session};

use crate::support::{at_root, builder, cookie, faulty, send, store, text, visits};

#[handler]
async fn wrote_and_failed(session: Session) -> poem::Result<()> {
    session.increment("visits", 1)?;
    Err(NotFoundError.into())
}

#[handler]
async fn answered_with_an_error(session: Session) -> poem::Result<()> {
    session.increment("visits", 1)?;
    let response = "my own page".with_header("cache-control", "no-store").with_status(StatusCode::IM_A_TEAPOT);
    let mut error = Error::from_response(response.into_response());
    error.set_data(7_u32);
    Err(error)
}

async fn page(_: NotFoundError) -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "a page for it")
}

#[pollster::test]
async fn an_error_of_a_request_that_asked_for_no_session_passes_as_it_came() {
    let application = at_root(visits.boxed()).with(SessionMiddleware::new(store())).catch_error(page);
    let response = send(&application, "/unknown", None).await;
    assert!(!response.headers().contains_key("vary"));
    assert_eq!(text(response).await, "a page for it");
    // Also with a cookie that nobody looked at.
    let sent = cookie(&send(&application, "/", None).await);
    assert_eq!(text(send(&application, "/unknown", Some(&sent)).await).await, "a page for it");
}

#[pollster::test]
async fn an_error_behind_a_written_session_is_its_response_with_the_cookie() {
    let application = wrote_and_failed.with(SessionMiddleware::new(store())).catch_error(page);
    let response = send(&application, "/", None).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, NotFoundError.to_string());
}

#[pollster::test]
async fn a_page_for_an_error_inside_of_the_middleware_has_the_cookie() {
    let application = wrote_and_failed.catch_error(page).with(SessionMiddleware::new(store()));
    let response = send(&application, "/", None).await;
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "a page for it");
}

#[pollster::test]
async fn an_errors_own_response_keeps_its_headers_its_body_and_its_data() {
    let response = send(&answered_with_an_error.with(SessionMiddleware::new(store())), "/", None).await;
    assert_eq!((response.status(), response.data::<u32>()), (StatusCode::IM_A_TEAPOT, Some(&7)));
    assert_eq!(response.header(CACHE_CONTROL), Some("no-store"));
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, "my own page");
}

#[pollster::test]
async fn a_session_that_could_not_be_read_or_written_is_an_error_that_an_application_can_tell() {
    let (records, store) = faulty();
    let application = visits
        .with(SessionMiddleware::new(store))
        .catch_error(|_: LoadError| async { "not read" })
        .catch_error(|_: CommitError| async { "not written" });
    let sent = cookie(&send(&application, "/", None).await);
    records.go_down();
    assert_eq!(text(send(&application, "/", Some(&sent)).await).await, "not read");
    records.come_up();
    records.go_down_after(1);
    assert_eq!(text(send(&application, "/", Some(&sent)).await).await, "not written");
}

/// Fails without a look at the session.
async fn fail(_: Request) -> poem::Result<Response> {
    Err(NotFoundError.into())
}

#[pollster::test]
async fn where_every_response_renews_an_error_that_asked_for_no_session_does_too() {
    let store = builder().renewal(Renewal::EveryResponse).build().unwrap();
    let first = visits.with(SessionMiddleware::new(store.clone()));
    let sent = cookie(&send(&first, "/", None).await);
    let failing = poem::endpoint::make(fail).with(SessionMiddleware::new(store)).catch_error(page);
    let response = send(&failing, "/", Some(&sent)).await;
    assert!(response.headers().contains_key(SET_COOKIE));
    assert_eq!(text(response).await, NotFoundError.to_string());
    // Without a cookie there is nothing to renew.
    assert_eq!(text(send(&failing, "/", None).await).await, "a page for it");
}

#[pollster::test]
async fn a_bodys_bytes_are_passed_on_untouched() {
    let bytes: Vec<u8> = (0..=255).collect();
    let sent = bytes.clone();
    let endpoint = poem::endpoint::make(move |_| {
        let body = Body::from_vec(sent.clone());
        async move { body }
    });
    let response = endpoint.with(SessionMiddleware::new(store())).get_response(Request::default()).await;
    assert_eq!(response.into_body().into_vec().await.unwrap(), bytes);
}
