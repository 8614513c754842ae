//! The readable token of a handler that fails, and of errors that pass. Of what is answered: `tests/guards`.

use http::StatusCode;
use http::header::SET_COOKIE;
use poem::endpoint::{BoxEndpoint, make};
use poem::error::NotFoundError;
use poem::{EndpointExt as _, Error, Request, Response};
use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
use sealed_session::{PendingSession, Renewal, Session, SessionError};

use crate::support::{Browser, builder, get, post, store, text};

const NAME: &str = "XSRF-TOKEN";

fn guard() -> CsrfMiddleware {
    CsrfMiddleware::new().readable_cookie(None).unwrap()
}

/// Behind the guard, a handler that does this to its session and then fails.
fn failing(change: fn(&Session) -> Result<(), SessionError>) -> BoxEndpoint<'static, Response> {
    make(move |request: Request| async move {
        change(&request.data::<PendingSession>().unwrap().session().await?)?;
        Err::<(), _>(Error::from(NotFoundError))
    })
    .with(guard())
    .boxed()
}

/// What the name of a marker of a left session begins with.
const MARKER: &str = "__Host-session-";

/// The names of the cookies that a response sets, a marker's without the id of the session that was left.
fn names(response: &Response) -> Vec<&str> {
    let lines = response.headers().get_all(SET_COOKIE).iter();
    let names = lines.map(|line| line.to_str().unwrap().split('=').next().unwrap());
    names.map(|name| if name.starts_with(MARKER) { MARKER } else { name }).collect()
}

async fn page(_: NotFoundError) -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "a page for it")
}

#[pollster::test]
async fn a_login_that_is_dropped_with_an_error_leaves_the_readable_token_as_it_is() {
    let (mut browser, _) = Browser::logged_in(builder().commit_when(|status| status < 400).build().unwrap());
    let application = failing(Session::regenerate).with(SessionMiddleware::new(browser.store.clone()));
    assert_eq!(names(&browser.send(&application, get("/")).await), [""; 0]);
}

#[pollster::test]
async fn a_handlers_error_is_its_response_with_the_readable_token() {
    let (mut browser, token) = Browser::logged_in(store());
    let failing = failing(Session::regenerate).with(SessionMiddleware::new(browser.store.clone())).catch_error(page);
    let response = browser.send(&failing, post("/").header("X-CSRF-Token", token)).await;
    assert_eq!((response.status(), names(&response)), (StatusCode::NOT_FOUND, vec![NAME, MARKER, "__Host-session"]));
    assert_eq!(text(response).await, NotFoundError.to_string());
    let token = browser.jar.value(NAME).unwrap().to_owned();
    assert!(browser.jar.visit(&browser.store, |session| Ok(session.verify_csrf(Some(&token)))).unwrap().is_ok());
}

#[pollster::test]
async fn an_error_with_no_readable_token_to_bring_passes_as_it_came() {
    let (mut browser, _) = Browser::logged_in(store());
    let failing = failing(|_| Ok(())).catch_error(page).with(SessionMiddleware::new(browser.store.clone()));
    // Its first response has a token to bring, so the guard makes the error's response itself.
    assert_eq!(text(browser.send(&failing, get("/")).await).await, NotFoundError.to_string());
    assert_eq!(text(browser.send(&failing, get("/")).await).await, "a page for it");
}

#[pollster::test]
async fn an_error_of_a_request_that_asked_for_no_session_passes_as_it_came() {
    let (mut browser, _) = Browser::logged_in(store());
    let unknown = make(|_| async { Err::<(), _>(Error::from(NotFoundError)) });
    for guard in [guard(), CsrfMiddleware::new()] {
        let application = (&unknown).with(guard).with(SessionMiddleware::new(browser.store.clone())).catch_error(page);
        let response = browser.send(&application, get("/")).await;
        assert!(response.headers().get("vary").is_none());
        assert_eq!(names(&response), [] as [&str; 0]);
        assert_eq!(text(response).await, "a page for it");
    }
}

#[pollster::test]
async fn where_every_response_renews_an_error_that_asked_for_no_session_brings_the_readable_token_too() {
    let renewing = builder().renewal(Renewal::EveryResponse).build().unwrap();
    let (mut browser, _) = Browser::logged_in(renewing);
    let failing = make(|_| async { Err::<(), _>(Error::from(NotFoundError)) })
        .with(guard())
        .with(SessionMiddleware::new(browser.store.clone()));
    let response = browser.send(&failing, get("/")).await;
    assert_eq!((response.status(), names(&response)), (StatusCode::NOT_FOUND, vec![NAME, "__Host-session"]));
}

#[pollster::test]
async fn without_a_session_middleware_around_the_guard_there_is_no_readable_token() {
    for fails in [false, true] {
        let answering = make(move |_| async move { if fails { Err(Error::from(NotFoundError)) } else { Ok("done") } });
        let response = Browser::of(store()).send(&answering.with(guard()).catch_error(page), get("/")).await;
        assert_eq!(names(&response), [] as [&str; 0]);
        assert_eq!(text(response).await, if fails { "a page for it" } else { "done" });
    }
}
