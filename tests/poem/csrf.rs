//! Behaviour, section 5: what the guard reads of a request, and what becomes of one that it refuses.

use http::header::{CONTENT_TYPE, ORIGIN, SET_COOKIE, UPGRADE};
use http::{HeaderValue, Method, StatusCode};
use poem::endpoint::make;
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, RequestBuilder, Response};
use sealed_session::adapter::Marked;
use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
use sealed_session::cookie::CookieAttributes;
use sealed_session::{PendingSession, SessionManager};

use crate::support::{Browser, FORM, builder, faulty, get, post, store, text};

const OURS: &str = "https://example.com";

struct Administration;

fn guard() -> CsrfMiddleware {
    CsrfMiddleware::new().origin(OURS).unwrap()
}

/// Writes into the session, and says "done".
async fn write(request: Request) -> poem::Result<&'static str> {
    let session = request.data::<PendingSession>().unwrap().session().await?;
    session.put("user", &43)?;
    Ok("done")
}

fn writing(store: &SessionManager) -> impl Endpoint<Output = Response> + use<> {
    make(write).with(guard()).with(SessionMiddleware::new(store.clone()))
}

/// Says "done", with no look at the session.
fn idle(store: &SessionManager) -> impl Endpoint<Output = Response> + use<> {
    make(|_| async { "done" }).with(guard()).with(SessionMiddleware::new(store.clone()))
}

async fn assert_is_empty(response: Response, status: StatusCode) {
    assert_eq!(response.status(), status);
    assert!(response.headers().is_empty(), "{:?}", response.headers());
    assert_eq!(text(response).await, "");
}

async fn status(browser: &mut Browser, request: RequestBuilder) -> StatusCode {
    let response = browser.send(&idle(&browser.store.clone()), request).await;
    let status = response.status();
    assert_eq!(text(response).await, if status == StatusCode::OK { "done" } else { "" });
    status
}

#[pollster::test]
async fn what_another_site_sends_is_refused_and_never_reaches_the_handler() {
    let (mut browser, _) = Browser::logged_in(store());
    let application = writing(&browser.store);
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Content-Type", "application/json"),
    ] {
        let response = browser.send(&application, post("/").header(name, value)).await;
        assert_is_empty(response, StatusCode::FORBIDDEN).await;
    }
    assert_eq!(browser.jar.visit(&browser.store, |session| session.get("user")).unwrap(), Some(42));
}

#[pollster::test]
async fn what_our_own_pages_send_passes() {
    let (mut browser, token) = Browser::logged_in(store());
    for (name, value) in [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", OURS),
        ("X-CSRF-Token", token.as_str()),
        ("X-XSRF-TOKEN", token.as_str()),
        // Verified by the handler.
        ("Content-Type", FORM),
    ] {
        assert_eq!(status(&mut browser, post("/").header(name, value)).await, StatusCode::OK, "{name}");
    }
}

#[pollster::test]
async fn the_method_decides_whether_a_proof_is_needed() {
    let mut browser = Browser::of(store());
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        assert_eq!(status(&mut browser, get("/").method(method)).await, StatusCode::OK);
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(status(&mut browser, get("/").method(method)).await, StatusCode::FORBIDDEN);
    }
}

#[pollster::test]
async fn a_wrong_token_is_refused_whatever_the_browser_says() {
    let (mut browser, token) = Browser::logged_in(store());
    let of_another_session = Browser::logged_in(browser.store.clone()).1;
    let of_one_form = browser.jar.visit(&browser.store, |session| session.csrf_token_for("POST /")).unwrap();
    for wrong in ["", "x", &of_another_session, &of_one_form, &token[1..]] {
        let request = post("/").header("X-CSRF-Token", wrong).header("Sec-Fetch-Site", "same-origin");
        assert_eq!(status(&mut browser, request).await, StatusCode::FORBIDDEN, "{wrong}");
    }
    let request = post("/").header("X-XSRF-TOKEN", &token).header("X-CSRF-Token", "wrong");
    assert_eq!(status(&mut browser, request).await, StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_header_that_is_no_text_is_a_wrong_one_and_not_a_missing_one() {
    let (mut browser, token) = Browser::logged_in(store());
    let no_text = || HeaderValue::from_bytes(b"\xff").unwrap();
    for (name, weaker) in [
        ("X-CSRF-Token", ("X-XSRF-TOKEN", token.as_str())),
        ("X-XSRF-TOKEN", ("Sec-Fetch-Site", "same-origin")),
        ("Sec-Fetch-Site", ("Origin", OURS)),
        ("Origin", ("Content-Type", FORM)),
    ] {
        let request = post("/").header(name, no_text()).header(weaker.0, weaker.1);
        assert_eq!(status(&mut browser, request).await, StatusCode::FORBIDDEN, "{name}");
    }
}

#[pollster::test]
async fn the_first_of_several_equal_headers_decides() {
    let (mut browser, token) = Browser::logged_in(store());
    for (name, good, bad) in [
        ("X-CSRF-Token", token.as_str(), "wrong"),
        ("X-XSRF-TOKEN", token.as_str(), "wrong"),
        ("Sec-Fetch-Site", "same-origin", "cross-site"),
        ("Origin", OURS, "https://evil.example"),
        ("Content-Type", FORM, "application/json"),
    ] {
        let both = |first, second| post("/").header(name, first).header(name, second);
        assert_eq!(status(&mut browser, both(good, bad)).await, StatusCode::OK, "{name}");
        assert_eq!(status(&mut browser, both(bad, good)).await, StatusCode::FORBIDDEN, "{name}");
    }
}

#[pollster::test]
async fn a_websocket_is_opened_by_our_own_pages_alone() {
    let mut browser = Browser::of(store());
    for upgrades in [["h2c, WebSocket", "x"], ["h2c", "websocket"]] {
        let open = || upgrades.iter().fold(get("/live"), |request, value| request.header(UPGRADE, *value));
        assert_eq!(status(&mut browser, open().header(ORIGIN, OURS)).await, StatusCode::OK);
        let from_elsewhere = open().header(ORIGIN, "https://evil.example");
        assert_eq!(status(&mut browser, from_elsewhere).await, StatusCode::FORBIDDEN);
        assert_eq!(status(&mut browser, open().header(CONTENT_TYPE, FORM)).await, StatusCode::FORBIDDEN);
    }
    assert_eq!(status(&mut browser, get("/live").header(UPGRADE, "h2c")).await, StatusCode::OK);
}

#[pollster::test]
async fn a_token_without_a_session_middleware_around_the_guard_is_an_error_of_the_application() {
    let (mut browser, token) = Browser::logged_in(store());
    let alone = make(|_| async { "done" }).with(guard());
    let in_the_wrong_order =
        make(|_| async { "done" }).with(SessionMiddleware::new(browser.store.clone())).with(guard());
    for application in [alone.boxed(), in_the_wrong_order.boxed()] {
        let response = browser.send(&application, post("/").header("X-CSRF-Token", &token)).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let mend = text(response).await;
        assert!(mend.contains("`.with(SessionMiddleware::new(store))`") && mend.contains("`CsrfMiddleware`"), "{mend}");
        // What needs no session is decided all the same.
        let response = browser.send(&application, post("/").header("Sec-Fetch-Site", "cross-site")).await;
        assert_is_empty(response, StatusCode::FORBIDDEN).await;
        assert_eq!(text(browser.send(&application, post("/").header("Origin", OURS)).await).await, "done");
    }
}

#[pollster::test]
async fn a_marked_guard_takes_the_tokens_of_its_own_session_alone() {
    let administrators = builder().cookie(CookieAttributes::new().name("__Host-administration")).build().unwrap();
    let (customer, of_customer) = Browser::logged_in(store());
    let (administrator, of_administrator) = Browser::logged_in(administrators);
    let application = make(|request: Request| async move {
        assert!(request.data::<Marked<PendingSession, Administration>>().is_some());
        "done"
    })
    .with(guard().marked::<Administration>())
    .with(SessionMiddleware::new(customer.store))
    .with(SessionMiddleware::new(administrator.store).marked::<Administration>());
    let cookies = format!("{}; {}", customer.jar.cookie_header(), administrator.jar.cookie_header());
    for (token, expected) in [(of_customer, StatusCode::FORBIDDEN), (of_administrator, StatusCode::OK)] {
        let request = post("/").header("cookie", &cookies).header("X-CSRF-Token", token).finish();
        assert_eq!(application.get_response(request).await.status(), expected);
    }
}

#[pollster::test]
async fn a_token_that_a_store_cannot_verify_is_an_empty_503_and_the_handler_does_not_run() {
    let (records, store) = faulty();
    let (mut browser, token) = Browser::logged_in(store);
    records.go_down();
    let response = browser.send(&idle(&browser.store.clone()), post("/").header("X-CSRF-Token", token)).await;
    assert_is_empty(response, StatusCode::SERVICE_UNAVAILABLE).await;
}

#[pollster::test]
async fn the_session_is_asked_for_nothing_but_a_token() {
    let (records, store) = faulty();
    let (mut browser, _) = Browser::logged_in(store);
    records.take_calls();
    for (name, value) in [("Sec-Fetch-Site", "same-origin"), ("Origin", OURS), ("Content-Type", FORM)] {
        assert_eq!(status(&mut browser, post("/").header(name, value)).await, StatusCode::OK);
    }
    assert_eq!(status(&mut browser, post("/")).await, StatusCode::FORBIDDEN);
    assert_eq!(records.take_calls(), []);
}

#[pollster::test]
async fn a_refusal_is_an_error_that_an_application_can_give_a_page() {
    let (mut browser, _) = Browser::logged_in(store());
    let application = make(write)
        .with(guard())
        .catch_all_error(|error| async move { format!("a page for {}", error.status()).with_status(error.status()) })
        .with(SessionMiddleware::new(browser.store.clone()));
    for request in [post("/"), post("/").header("X-CSRF-Token", "wrong")] {
        let response = browser.send(&application, request).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(text(response).await, "a page for 403 Forbidden");
    }
}

#[test]
fn an_origin_that_no_browser_sends_is_refused_with_the_mend() {
    for origin in ["example.com", "https://Example.com", "https://example.com/", "https://example.com:443", "null"] {
        assert_eq!(CsrfMiddleware::new().origin(origin).unwrap_err().setting(), "origin", "{origin}");
    }
}

#[pollster::test]
async fn a_guard_without_an_origin_takes_none() {
    let application = make(|_| async { "done" }).with(CsrfMiddleware::default());
    let response = application.get_response(post("/").header("Origin", OURS).finish()).await;
    assert_is_empty(response, StatusCode::FORBIDDEN).await;
}

#[pollster::test]
async fn a_session_that_the_guard_has_read_is_not_written_for_it() {
    let (mut browser, token) = Browser::logged_in(store());
    let application = idle(&browser.store);
    let response = browser.send(&application, post("/").header("X-CSRF-Token", &token)).await;
    assert!(!response.headers().contains_key(SET_COOKIE));
}
