//! The guard against forged requests, around a service.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::convert::Infallible;

use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
use sealed_session::testing::{CookieJar, ManualClock};
use sealed_session::{Key, KeyRing, PendingSession, Session, SessionManager};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

const ORIGIN_OF_OURS: &str = "https://example.com";
const FORM: &str = "application/x-www-form-urlencoded";

struct Site {
    clock: ManualClock,
    key: Key,
}

impl Site {
    fn new() -> Self {
        Self { clock: ManualClock::at_unix_seconds(1_795_000_000), key: Key::generate().unwrap() }
    }

    fn store(&self) -> SessionManager {
        self.store_with(self.key.clone().into())
    }

    fn store_with(&self, ring: KeyRing) -> SessionManager {
        SessionManager::builder(ring).clock(self.clock.clone()).build().unwrap()
    }

    fn jar(&self) -> CookieJar {
        CookieJar::new(self.clock.clone())
    }
}

fn guard() -> CsrfLayer {
    CsrfLayer::new().origin(ORIGIN_OF_OURS).unwrap()
}

/// Sends a request through both layers to a handler that does this to its session and says "done".
async fn send(
    store: &SessionManager,
    guard: CsrfLayer,
    jar: &mut CookieJar,
    request: http::request::Builder,
    handle: fn(&Session),
) -> Response<String> {
    let service = ServiceBuilder::new().layer(SessionLayer::new(store.clone())).layer(guard).service(service_fn(
        move |request: Request<()>| async move {
            let session = request.extensions().get::<PendingSession>().unwrap().session().await.unwrap();
            handle(&session);
            Ok::<_, Infallible>(Response::new("done".to_owned()))
        },
    ));
    let request = request.header(COOKIE, jar.cookie_header()).body(()).unwrap();
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    parts.headers.get_all(SET_COOKIE).iter().for_each(|line| jar.receive(line.to_str().unwrap()));
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

fn post() -> http::request::Builder {
    Request::post("/transfer")
}

fn nothing(_: &Session) {}

/// A logged-in browser, and a token for its session.
fn logged_in(site: &Site) -> (SessionManager, CookieJar, String) {
    let (store, mut jar) = (site.store(), site.jar());
    let token = jar
        .visit(&store, |session| {
            session.put("user", &42)?;
            session.csrf_token()
        })
        .unwrap();
    (store, jar, token)
}

async fn status(store: &SessionManager, jar: &mut CookieJar, request: http::request::Builder) -> StatusCode {
    let response = send(store, guard(), jar, request, nothing).await;
    let expected = if response.status() == StatusCode::OK { "done" } else { "" };
    assert_eq!(response.body(), expected);
    response.status()
}

#[pollster::test]
async fn what_another_site_sends_is_refused_and_never_reaches_the_handler() {
    let site = Site::new();
    let (store, mut jar, _) = logged_in(&site);
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
    ] {
        let request = post().header(name, value).header(CONTENT_TYPE, FORM);
        let response = send(&store, guard(), &mut jar, request, |session| session.put("user", &43).unwrap()).await;
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::FORBIDDEN, ""), "{name}: {value}");
        assert!(response.headers().get(SET_COOKIE).is_none());
    }
    assert_eq!(jar.visit(&store, |session| session.get("user")).unwrap(), Some(42));
}

#[pollster::test]
async fn what_our_own_pages_send_passes() {
    let site = Site::new();
    let (store, mut jar, token) = logged_in(&site);
    for (name, value) in [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
        (ORIGIN.as_str(), ORIGIN_OF_OURS),
        ("X-CSRF-Token", token.as_str()),
        ("X-XSRF-TOKEN", token.as_str()),
        // Verified by the handler.
        (CONTENT_TYPE.as_str(), FORM),
    ] {
        assert_eq!(status(&store, &mut jar, post().header(name, value)).await, StatusCode::OK, "{name}");
    }
}

#[pollster::test]
async fn a_wrong_token_is_refused_whatever_the_browser_says() {
    let site = Site::new();
    let (store, mut jar, token) = logged_in(&site);
    let of_another_session = logged_in(&site).2;
    for wrong in ["", "x", of_another_session.as_str(), &token[1..]] {
        let request = post().header("X-CSRF-Token", wrong).header("Sec-Fetch-Site", "same-origin");
        assert_eq!(status(&store, &mut jar, request).await, StatusCode::FORBIDDEN, "{wrong}");
    }
    let request = post().header("X-CSRF-Token", "wrong").header("X-XSRF-TOKEN", &token);
    assert_eq!(status(&store, &mut jar, request).await, StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_token_of_one_form_is_none_of_the_whole_session() {
    let site = Site::new();
    let (store, mut jar, _) = logged_in(&site);
    let token = jar.visit(&store, |session| session.csrf_token_for("POST /transfer")).unwrap();
    assert_eq!(status(&store, &mut jar, post().header("X-CSRF-Token", token)).await, StatusCode::FORBIDDEN);
}

#[pollster::test]
async fn a_token_outlives_a_key_rotation() {
    let site = Site::new();
    let (_, mut jar, token) = logged_in(&site);
    let ring = KeyRing::new(Key::generate().unwrap()).with_open_only(site.key.clone()).unwrap();
    let rotated = site.store_with(ring);
    for _ in 0..2 {
        // The second time the cookie is sealed under the new key.
        assert_eq!(status(&rotated, &mut jar, post().header("X-CSRF-Token", &token)).await, StatusCode::OK);
        jar.visit(&rotated, |session| session.increment("visits", 1)).unwrap();
    }
}

#[pollster::test]
async fn a_token_dies_with_login_and_with_logout() {
    let site = Site::new();
    for end in [
        |session: &Session| session.regenerate().unwrap(),
        |session: &Session| session.invalidate().unwrap(),
        |session: &Session| session.destroy().unwrap(),
    ] {
        let (store, mut jar, token) = logged_in(&site);
        jar.visit(&store, |session| {
            end(session);
            Ok(())
        })
        .unwrap();
        assert_eq!(status(&store, &mut jar, post().header("X-CSRF-Token", &token)).await, StatusCode::FORBIDDEN);
    }
}

#[pollster::test]
async fn a_websocket_is_opened_by_our_own_pages_alone() {
    let site = Site::new();
    let (store, mut jar, _) = logged_in(&site);
    let open = || Request::get("/live").header(UPGRADE, "h2c, WebSocket");
    assert_eq!(status(&store, &mut jar, open().header(ORIGIN, ORIGIN_OF_OURS)).await, StatusCode::OK);
    assert_eq!(status(&store, &mut jar, open().header(ORIGIN, "https://evil.example")).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&store, &mut jar, open()).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&store, &mut jar, Request::get("/page")).await, StatusCode::OK);
}

#[pollster::test]
async fn a_token_without_a_session_layer_is_an_error_of_the_application() {
    let service = ServiceBuilder::new()
        .layer(guard())
        .service(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new()))));
    let request = post().header("X-CSRF-Token", "x").body(()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn an_origin_that_no_browser_sends_is_refused_with_the_mend() {
    for origin in [
        "example.com",
        "https://",
        "https://Example.com",
        "https://example.com/",
        "https://example.com:443",
        "http://localhost:80",
        "null",
        "ftp://example.com",
        "https://user@example.com",
        "https://exämple.com",
    ] {
        assert_eq!(CsrfLayer::new().origin(origin).unwrap_err().setting(), "origin", "{origin}");
    }
    for origin in ["https://example.com", "http://localhost:3011", "https://[::1]:8443", "https://xn--exmple-cua.com"] {
        assert!(CsrfLayer::new().origin(origin).is_ok(), "{origin}");
    }
}

fn readable() -> CsrfLayer {
    guard().readable_cookie(None).unwrap()
}

#[pollster::test]
async fn scripts_get_a_token_that_they_can_read_and_send_back() {
    let site = Site::new();
    let (store, mut jar, _) = logged_in(&site);
    let response = send(&store, readable(), &mut jar, Request::get("/"), nothing).await;
    let line = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(line.starts_with("XSRF-TOKEN=") && line.ends_with("; Path=/; Secure; SameSite=Lax"), "{line}");
    let token = jar.value("XSRF-TOKEN").unwrap().to_owned();
    assert_eq!(status(&store, &mut jar, post().header("X-XSRF-TOKEN", token)).await, StatusCode::OK);
    // It is not sent again while it verifies.
    let response = send(&store, readable(), &mut jar, Request::get("/"), nothing).await;
    assert!(response.headers().get(SET_COOKIE).is_none());
}

#[pollster::test]
async fn a_guest_without_a_session_gets_no_readable_token() {
    let site = Site::new();
    let response = send(&site.store(), readable(), &mut site.jar(), Request::get("/"), nothing).await;
    assert!(response.headers().get(SET_COOKIE).is_none());
}

#[pollster::test]
async fn a_login_replaces_the_readable_token_in_the_same_response() {
    let site = Site::new();
    let (store, mut jar, _) = logged_in(&site);
    send(&store, readable(), &mut jar, Request::get("/"), nothing).await;
    let before = jar.value("XSRF-TOKEN").unwrap().to_owned();
    let request = post().header("Sec-Fetch-Site", "same-origin");
    send(&store, readable(), &mut jar, request, |session| session.regenerate().unwrap()).await;
    let after = jar.value("XSRF-TOKEN").unwrap().to_owned();
    assert_eq!(status(&store, &mut jar, post().header("X-XSRF-TOKEN", &before)).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&store, &mut jar, post().header("X-XSRF-TOKEN", &after)).await, StatusCode::OK);
}

#[pollster::test]
async fn a_login_that_is_dropped_with_its_response_leaves_the_readable_token_as_it_is() {
    let site = Site::new();
    let store = SessionManager::builder(site.key.clone()).clock(site.clock.clone()).commit_when(|status| status < 400);
    let store = store.build().unwrap();
    let (_, jar, _) = logged_in(&site);
    // The session, the token, and the marker of the session that was left.
    for (status, lines) in [(StatusCode::CONFLICT, 0), (StatusCode::OK, 3)] {
        let handler = move |request: Request<()>| async move {
            request.extensions().get::<PendingSession>().unwrap().session().await.unwrap().regenerate().unwrap();
            let mut response = Response::new(String::new());
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        };
        let layers = ServiceBuilder::new().layer(SessionLayer::new(store.clone())).layer(readable());
        let request = Request::get("/").header(COOKIE, jar.cookie_header()).body(()).unwrap();
        let response = layers.service(service_fn(handler)).oneshot(request).await.unwrap();
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), lines, "{status}");
    }
}

#[pollster::test]
async fn where_sessions_are_turned_off_there_is_no_readable_token() {
    let site = Site::new();
    let off = SessionManager::builder(site.key.clone()).clock(site.clock.clone()).enabled(false).build().unwrap();
    let put = |session: &Session| session.put("user", &42).unwrap();
    let response = send(&off, readable(), &mut site.jar(), Request::get("/"), put).await;
    assert!(response.headers().get(SET_COOKIE).is_none());
}

#[pollster::test]
async fn a_response_with_a_readable_token_is_kept_out_of_shared_caches() {
    let site = Site::new();
    let (store, mut jar, _) = logged_in(&site);
    let response = send(&store, readable(), &mut jar, Request::get("/"), nothing).await;
    assert_eq!(response.headers().get("Cache-Control").unwrap(), "private, no-cache");
}
