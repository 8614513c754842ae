//! Behaviour, section 9: a token in a cookie that scripts can read.

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use poem::endpoint::{BoxEndpoint, make};
use poem::error::NotFoundError;
use poem::{Endpoint as _, EndpointExt as _, Error, IntoResponse as _, Request, Response};
use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
use sealed_session::cookie::CookieAttributes;
use sealed_session::{PendingSession, Renewal, Session, SessionError, SessionManager};

use crate::support::{Browser, builder, faulty, get, post, store, text};

const NAME: &str = "XSRF-TOKEN";

fn guard() -> CsrfMiddleware {
    CsrfMiddleware::new().readable_cookie(None).unwrap()
}

type Change = fn(&Session) -> Result<(), SessionError>;

fn nothing(_: &Session) -> Result<(), SessionError> {
    Ok(())
}

/// Behind the guard, a handler that does this to its session and then answers, or fails.
fn endpoint(change: Change, fails: bool) -> BoxEndpoint<'static, Response> {
    make(move |request: Request| async move {
        change(&request.data::<PendingSession>().unwrap().session().await?)?;
        if fails { Err(Error::from(NotFoundError)) } else { Ok("done".with_header(SET_COOKIE, "theme=dark")) }
    })
    .with(guard())
    .boxed()
}

fn application(store: &SessionManager, change: Change) -> BoxEndpoint<'static, Response> {
    endpoint(change, false).with(SessionMiddleware::new(store.clone())).boxed()
}

/// What the name of a marker of a left session begins with.
const MARKER: &str = "__Host-session-";

/// The names of the cookies that a response sets, a marker's without the id of the session that was left.
fn names(response: &Response) -> Vec<&str> {
    let lines = response.headers().get_all(SET_COOKIE).iter();
    let names = lines.map(|line| line.to_str().unwrap().split('=').next().unwrap());
    names.map(|name| if name.starts_with(MARKER) { MARKER } else { name }).collect()
}

/// What a token in the header is answered with.
async fn status_of(browser: &mut Browser, token: &str) -> StatusCode {
    let application = application(&browser.store, nothing);
    browser.send(&application, post("/").header("X-XSRF-TOKEN", token)).await.status()
}

#[pollster::test]
async fn scripts_get_a_token_that_they_can_read_and_send_back() {
    let (mut browser, _) = Browser::logged_in(store());
    let application = application(&browser.store, nothing);
    let response = browser.send(&application, get("/")).await;
    assert_eq!(names(&response), ["theme", NAME]);
    let line = response.headers().get_all(SET_COOKIE).iter().nth(1).unwrap();
    assert!(line.is_sensitive());
    assert!(line.to_str().unwrap().ends_with("; Path=/; Secure; SameSite=Lax"), "{:?}", line.to_str());
    assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "private, no-cache");
    let token = browser.jar.value(NAME).unwrap().to_owned();
    assert_eq!(status_of(&mut browser, &token).await, StatusCode::OK);
}

#[pollster::test]
async fn the_readable_token_is_not_sent_again_while_it_verifies() {
    let (mut browser, _) = Browser::logged_in(store());
    let application = application(&browser.store, nothing);
    browser.send(&application, get("/")).await;
    assert_eq!(names(&browser.send(&application, get("/")).await), ["theme"]);
    browser.jar.plant(NAME, "junk");
    assert_eq!(names(&browser.send(&application, get("/")).await), ["theme", NAME]);
}

#[pollster::test]
async fn every_cookie_field_is_read_as_bytes_for_the_token_that_the_browser_has() {
    let (browser, token) = Browser::logged_in(store());
    let application = application(&browser.store, nothing);
    let neighbour = HeaderValue::from_bytes(b"name=caf\xe9").unwrap();
    let request = get("/").header(COOKIE, neighbour).header(COOKIE, browser.jar.cookie_header());
    let response = application.get_response(request.header(COOKIE, format!("{NAME}={token}")).finish()).await;
    assert_eq!(names(&response), ["theme"]);
}

#[pollster::test]
async fn a_guest_without_a_session_gets_no_readable_token() {
    let mut browser = Browser::of(store());
    let application = application(&browser.store, nothing);
    assert_eq!(names(&browser.send(&application, get("/")).await), ["theme"]);
}

#[pollster::test]
async fn a_login_replaces_the_readable_token_in_the_same_response() {
    let (mut browser, _) = Browser::logged_in(store());
    let (page, log_in) = (application(&browser.store, nothing), application(&browser.store, Session::regenerate));
    browser.send(&page, get("/")).await;
    let before = browser.jar.value(NAME).unwrap().to_owned();
    let response = browser.send(&log_in, post("/").header("Sec-Fetch-Site", "same-origin")).await;
    assert_eq!(names(&response), ["theme", NAME, MARKER, "__Host-session"]);
    let after = browser.jar.value(NAME).unwrap().to_owned();
    assert_eq!(status_of(&mut browser, &before).await, StatusCode::FORBIDDEN);
    assert_eq!(status_of(&mut browser, &after).await, StatusCode::OK);
}

#[pollster::test]
async fn a_login_that_is_dropped_with_its_response_leaves_the_readable_token_as_it_is() {
    let (mut browser, _) = Browser::logged_in(builder().commit_when(|status| status < 400).build().unwrap());
    for (fails, expected) in [(true, &[][..]), (false, &["theme", NAME, MARKER, "__Host-session"])] {
        let application = endpoint(Session::regenerate, fails).with(SessionMiddleware::new(browser.store.clone()));
        assert_eq!(names(&browser.send(&application, get("/")).await), expected);
    }
}

#[pollster::test]
async fn a_logout_brings_no_readable_token() {
    let (mut browser, _) = Browser::logged_in(store());
    let application = application(&browser.store, Session::destroy);
    let response = browser.send(&application, post("/").header("Sec-Fetch-Site", "same-origin")).await;
    assert_eq!(names(&response), ["theme", MARKER, "__Host-session"]);
}

#[pollster::test]
async fn a_refused_request_brings_no_readable_token() {
    let (mut browser, _) = Browser::logged_in(store());
    let application = application(&browser.store, nothing);
    let response = browser.send(&application, post("/").header("X-CSRF-Token", "wrong")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(names(&response), [] as [&str; 0]);
}

async fn page(_: NotFoundError) -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "a page for it")
}

#[pollster::test]
async fn a_handlers_error_is_its_response_with_the_readable_token() {
    let (mut browser, token) = Browser::logged_in(store());
    let failing =
        endpoint(Session::regenerate, true).with(SessionMiddleware::new(browser.store.clone())).catch_error(page);
    let response = browser.send(&failing, post("/").header("X-CSRF-Token", token)).await;
    assert_eq!((response.status(), names(&response)), (StatusCode::NOT_FOUND, vec![NAME, MARKER, "__Host-session"]));
    assert_eq!(text(response).await, NotFoundError.to_string());
    let token = browser.jar.value(NAME).unwrap().to_owned();
    assert_eq!(status_of(&mut browser, &token).await, StatusCode::OK);
}

#[pollster::test]
async fn an_error_with_no_readable_token_to_bring_passes_as_it_came() {
    let (mut browser, _) = Browser::logged_in(store());
    let failing = endpoint(nothing, true).catch_error(page).with(SessionMiddleware::new(browser.store.clone()));
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

#[pollster::test]
async fn a_store_that_does_not_answer_costs_a_response_its_readable_token_alone() {
    let (records, store) = faulty();
    let (mut browser, _) = Browser::logged_in(store);
    let application = make(|_| async { "done" }).with(guard()).with(SessionMiddleware::new(browser.store.clone()));
    records.go_down();
    let response = browser.send(&application, get("/")).await;
    assert_eq!(names(&response), [] as [&str; 0]);
    assert_eq!(text(response).await, "done");
}

#[pollster::test]
async fn a_marked_guard_gives_a_token_of_its_own_session() {
    struct Administration;
    let administrators = builder().cookie(CookieAttributes::new().name("__Host-administration")).build().unwrap();
    let (mut browser, _) = Browser::logged_in(administrators);
    let attributes = CookieAttributes::new().name("administration-token").path("/administration");
    let guard = CsrfMiddleware::new().readable_cookie(Some(attributes)).unwrap().marked::<Administration>();
    let application = make(|_| async { "done" })
        .with(guard)
        .with(SessionMiddleware::new(browser.store.clone()).marked::<Administration>());
    let response = browser.send(&application, get("/administration")).await;
    let line = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(line.contains("; Path=/administration;") && !line.contains("HttpOnly"), "{line}");
    let token = line.split(['=', ';']).nth(1).unwrap().to_owned();
    assert!(browser.jar.visit(&browser.store, |session| Ok(session.verify_csrf(Some(&token)))).unwrap().is_ok());
}

#[test]
fn attributes_of_a_readable_cookie_that_cannot_work_are_refused() {
    let attributes = CookieAttributes::new().name("__Host-token").path("/administration");
    assert!(CsrfMiddleware::new().readable_cookie(Some(attributes)).is_err());
}
