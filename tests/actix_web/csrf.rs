//! Behaviour, section 5: the guard against forged requests, and what it hands in of a request.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, ORIGIN, UPGRADE};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::TestRequest;
use actix_web::{App, Error, HttpResponse, HttpServer, error, web};
use sealed_session::adapter::actix_web::{CsrfMiddleware, SessionMiddleware};
use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::{CookieJar, FaultyStore, ManualClock};
use sealed_session::{Key, Placement, Session, SessionManager};

use crate::support::{Answer, send, store};

const ORIGIN_OF_OURS: &str = "https://example.com";
const FORM: &str = "application/x-www-form-urlencoded";
const SEC_FETCH_SITE: &str = "Sec-Fetch-Site";

fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(1_795_000_000)
}

fn guard() -> CsrfMiddleware {
    CsrfMiddleware::new().origin(ORIGIN_OF_OURS).unwrap()
}

fn readable() -> CsrfMiddleware {
    guard().readable_cookie(None).unwrap()
}

fn post() -> TestRequest {
    TestRequest::post().uri("/transfer")
}

fn get() -> TestRequest {
    TestRequest::get().uri("/")
}

fn nothing(_: &Session) {}

/// Sends a request through both middlewares to a handler that does this to its session and says "done". Also says how often
/// the handler ran.
fn through(
    store: &SessionManager,
    guard: CsrfMiddleware,
    jar: &mut CookieJar,
    request: TestRequest,
    handle: fn(&Session),
) -> (Answer, u32) {
    let runs = Rc::new(Cell::new(0));
    let counter = Rc::clone(&runs);
    let handler = move |session: Session| {
        counter.set(counter.get() + 1);
        handle(&session);
        std::future::ready("done")
    };
    let application = App::new().wrap(guard).wrap(SessionMiddleware::new(store.clone()));
    let request = request.append_header((COOKIE, jar.cookie_header()));
    let answer = send(application.default_service(web::to(handler)), request);
    answer.lines.iter().for_each(|(line, _)| jar.receive(line));
    (answer, runs.get())
}

/// A browser whose user is logged in, and a token of the session.
struct Browser {
    store: SessionManager,
    jar: CookieJar,
    token: String,
}

impl Browser {
    fn logged_in() -> Self {
        let store = SessionManager::builder(Key::generate().unwrap()).clock(clock()).build().unwrap();
        let mut jar = CookieJar::new(clock());
        let token = jar
            .visit(&store, |session| {
                session.put("user", &42)?;
                session.csrf_token()
            })
            .unwrap();
        Self { store, jar, token }
    }

    /// The status, after a look at whether the handler ran and what the body is.
    fn status(&mut self, request: TestRequest) -> u16 {
        let (answer, runs) = through(&self.store, guard(), &mut self.jar, request, nothing);
        let expected = if answer.status == 200 { ("done", 1) } else { ("", 0) };
        assert_eq!((answer.text.as_str(), runs), expected, "{}", answer.status);
        answer.status
    }

    fn visit(&mut self, request: TestRequest, handle: fn(&Session)) -> Answer {
        through(&self.store, readable(), &mut self.jar, request, handle).0
    }

    /// The token that scripts can read.
    fn readable_token(&self) -> String {
        self.jar.value("XSRF-TOKEN").unwrap().to_owned()
    }
}

#[test]
fn what_another_site_sends_is_refused_and_never_reaches_the_handler() {
    let mut browser = Browser::logged_in();
    for (name, value) in [
        (SEC_FETCH_SITE, "cross-site"),
        (SEC_FETCH_SITE, "same-site"),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
    ] {
        let request = post().insert_header((name, value)).insert_header((CONTENT_TYPE, FORM));
        let write = |session: &Session| session.put("user", &43).unwrap();
        let (answer, runs) = through(&browser.store, guard(), &mut browser.jar, request, write);
        assert_eq!((answer.status, answer.text.as_str(), runs), (403, "", 0), "{name}: {value}");
        assert!(answer.lines.is_empty());
    }
    assert_eq!(browser.jar.visit(&browser.store, |session| session.get("user")).unwrap(), Some(42));
}

#[test]
fn what_our_own_pages_send_passes() {
    let mut browser = Browser::logged_in();
    let token = browser.token.clone();
    for (name, value) in [
        (SEC_FETCH_SITE, "same-origin"),
        (SEC_FETCH_SITE, "none"),
        ("Origin", ORIGIN_OF_OURS),
        ("X-CSRF-Token", token.as_str()),
        ("X-XSRF-TOKEN", token.as_str()),
        // Verified by the handler.
        ("Content-Type", FORM),
    ] {
        assert_eq!(browser.status(post().insert_header((name, value))), 200, "{name}");
    }
}

#[test]
fn a_safe_method_passes_and_every_other_needs_a_proof() {
    let mut browser = Browser::logged_in();
    let purge = Method::from_bytes(b"PURGE").unwrap();
    for (method, status) in [
        (Method::GET, 200),
        (Method::OPTIONS, 200),
        (Method::POST, 403),
        (Method::PUT, 403),
        (Method::PATCH, 403),
        (Method::DELETE, 403),
        (purge, 403),
    ] {
        let request = TestRequest::default().uri("/").method(method.clone());
        assert_eq!(browser.status(request), status, "{method}");
    }
}

#[test]
fn a_wrong_token_is_refused_whatever_the_browser_says() {
    let mut browser = Browser::logged_in();
    let (token, of_another_session) = (browser.token.clone(), Browser::logged_in().token);
    for wrong in ["", "x", of_another_session.as_str(), &token[1..]] {
        let request = post().insert_header(("X-CSRF-Token", wrong)).insert_header((SEC_FETCH_SITE, "same-origin"));
        assert_eq!(browser.status(request), 403, "{wrong}");
    }
    let request = post().insert_header(("X-CSRF-Token", "wrong")).insert_header(("X-XSRF-TOKEN", token));
    assert_eq!(browser.status(request), 403);
}

#[test]
fn header_values_are_read_as_the_bytes_that_came() {
    let mut browser = Browser::logged_in();
    let bytes = || HeaderValue::from_bytes(b"same-origin\xff").unwrap();
    for name in ["x-csrf-token", "x-xsrf-token", "origin", "sec-fetch-site"] {
        // What is no text must not pass for a header that is absent: the form alone would go on to its handler.
        let request =
            post().insert_header((HeaderName::from_static(name), bytes())).insert_header((CONTENT_TYPE, FORM));
        assert_eq!(browser.status(request), 403, "{name}");
    }
    let form = HeaderValue::from_bytes(b"application/x-www-form-urlencoded; charset=\xff").unwrap();
    assert_eq!(browser.status(post().insert_header((CONTENT_TYPE, form))), 200);
}

#[test]
fn the_first_of_several_equal_headers_decides() {
    let mut browser = Browser::logged_in();
    let token = browser.token.clone();
    for (name, good, bad) in [
        ("x-csrf-token", token.as_str(), "x"),
        ("x-xsrf-token", token.as_str(), "x"),
        (SEC_FETCH_SITE, "same-origin", "cross-site"),
        (ORIGIN.as_str(), ORIGIN_OF_OURS, "https://evil.example"),
        (CONTENT_TYPE.as_str(), FORM, "text/plain"),
    ] {
        assert_eq!(browser.status(post().append_header((name, good)).append_header((name, bad))), 200, "{name}");
        assert_eq!(browser.status(post().append_header((name, bad)).append_header((name, good))), 403, "{name}");
    }
}

#[test]
fn a_websocket_is_opened_by_our_own_pages_alone() {
    let mut browser = Browser::logged_in();
    let open = || get().append_header((UPGRADE, "h2c")).append_header((UPGRADE, "x, WebSocket"));
    assert_eq!(browser.status(open().insert_header((ORIGIN, ORIGIN_OF_OURS))), 200);
    assert_eq!(browser.status(open().insert_header((ORIGIN, "https://evil.example"))), 403);
    assert_eq!(browser.status(open()), 403);
    assert_eq!(browser.status(get().insert_header((UPGRADE, "h2c"))), 200);
}

#[test]
fn a_token_whose_store_does_not_answer_is_an_empty_503() {
    let records = FaultyStore::new(clock());
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock()).store(records.clone());
    let store = store.placement(Placement::StoreOnly).build().unwrap();
    let mut jar = CookieJar::new(clock());
    let visit = jar.visit(&store, |session| {
        session.put("user", &42)?;
        session.csrf_token()
    });
    let token = visit.unwrap();
    let request = || post().insert_header(("X-CSRF-Token", token.as_str()));
    records.go_down_after(0);
    let (answer, runs) = through(&store, guard(), &mut jar, request(), nothing);
    assert_eq!((answer.status, answer.text.as_str(), answer.lines.len(), runs), (503, "", 0, 0));
    records.come_up();
    assert_eq!(through(&store, guard(), &mut jar, request(), nothing).0.status, 200);
}

#[test]
fn a_guard_outside_of_the_session_answers_a_token_with_500_and_names_the_order() {
    let wrong =
        || App::new().wrap(SessionMiddleware::new(store())).wrap(guard()).default_service(web::to(HttpResponse::Ok));
    let without = || App::new().wrap(guard()).default_service(web::to(HttpResponse::Ok));
    let token = || post().insert_header(("X-CSRF-Token", "x"));
    for answer in [send(wrong(), token()), send(without(), token())] {
        assert_eq!(answer.status, 500);
        assert!(answer.text.contains("`.wrap(CsrfMiddleware::new())` before `.wrap(SessionMiddleware::new(store))`"));
    }
    // What needs no session is decided as ever.
    for (site, status) in [("same-origin", 200), ("cross-site", 403)] {
        let answer = send(wrong(), post().insert_header((SEC_FETCH_SITE, site)));
        assert_eq!((answer.status, answer.text.as_str()), (status, ""), "{site}");
    }
}

struct Administration;

/// Somebody with a session of each kind, and a token of each.
struct Administrator {
    customer: Browser,
    administrators: SessionManager,
    cookies: String,
    token: String,
}

impl Administrator {
    fn logged_in() -> Self {
        let attributes = CookieAttributes::new().name("__Host-administration");
        let administrators = SessionManager::builder(Key::generate().unwrap()).clock(clock()).cookie(attributes);
        let administrators = administrators.build().unwrap();
        let (customer, mut jar) = (Browser::logged_in(), CookieJar::new(clock()));
        let token = jar.visit(&administrators, |session| session.csrf_token()).unwrap();
        let cookies = format!("{}; {}", customer.jar.cookie_header(), jar.cookie_header());
        Self { customer, administrators, cookies, token }
    }

    fn send(&self, guard: CsrfMiddleware, request: TestRequest) -> Answer {
        let application = App::new()
            .wrap(guard)
            .wrap(SessionMiddleware::new(self.customer.store.clone()))
            .wrap(SessionMiddleware::new(self.administrators.clone()).marked::<Administration>())
            .default_service(web::to(HttpResponse::Ok));
        send(application, request.insert_header((COOKIE, self.cookies.as_str())))
    }
}

#[test]
fn a_marked_guard_verifies_tokens_of_its_own_session() {
    let administrator = Administrator::logged_in();
    let (ours, theirs) = (administrator.token.as_str(), administrator.customer.token.as_str());
    let status = |guard, token| administrator.send(guard, post().insert_header(("X-CSRF-Token", token))).status;
    assert_eq!(status(guard().marked::<Administration>(), ours), 200);
    assert_eq!(status(guard().marked::<Administration>(), theirs), 403);
    assert_eq!(status(guard(), theirs), 200);
    assert_eq!(status(guard(), ours), 403);
    // A marker that no session has.
    assert_eq!(status(guard().marked::<Browser>(), ours), 500);
}

#[test]
fn a_marked_guard_gives_scripts_a_token_of_its_own_session() {
    let administrator = Administrator::logged_in();
    let attributes = CookieAttributes::new().name("ADMINISTRATION-TOKEN");
    let readable = guard().readable_cookie(Some(attributes)).unwrap().marked::<Administration>();
    let cookie = administrator.send(readable, get()).cookie();
    let token = cookie.strip_prefix("ADMINISTRATION-TOKEN=").unwrap();
    let request = post().insert_header(("X-XSRF-TOKEN", token));
    assert_eq!(administrator.send(guard().marked::<Administration>(), request).status, 200);
}

#[test]
fn an_origin_that_no_browser_sends_is_refused_with_the_mend() {
    for origin in ["example.com", "https://Example.com", "https://example.com/", "https://example.com:443", "null"] {
        assert_eq!(CsrfMiddleware::new().origin(origin).unwrap_err().setting(), "origin", "{origin}");
    }
}

#[test]
fn attributes_of_a_readable_cookie_that_cannot_work_are_refused() {
    let attributes = CookieAttributes::new().name("__Host-XSRF-TOKEN").path("/shop");
    assert!(guard().readable_cookie(Some(attributes)).is_err());
}

#[test]
fn scripts_get_a_token_that_they_can_read_and_send_back() {
    let mut browser = Browser::logged_in();
    let answer = browser.visit(get(), nothing);
    let [(line, is_sensitive)] = answer.lines.as_slice() else { panic!("{:?}", answer.lines) };
    assert!(line.starts_with("XSRF-TOKEN=") && line.ends_with("; Path=/; Secure; SameSite=Lax"), "{line}");
    assert!(is_sensitive);
    let token = browser.readable_token();
    assert_eq!(browser.status(post().insert_header(("X-XSRF-TOKEN", token.as_str()))), 200);
    // It is not sent again while it verifies, in whichever of the cookie fields it stands.
    assert!(browser.visit(get(), nothing).lines.is_empty());
    assert!(browser.visit(get().append_header((COOKIE, "theme=dark")), nothing).lines.is_empty());
}

#[test]
fn a_readable_token_stands_beside_the_cookies_of_session_and_handler() {
    let mut browser = Browser::logged_in();
    let handler = async |session: Session| {
        session.put("user", &43)?;
        Ok::<_, Error>(HttpResponse::Ok().insert_header(("Set-Cookie", "theme=dark")).finish())
    };
    let application = App::new().wrap(readable()).wrap(SessionMiddleware::new(browser.store.clone()));
    let request = get().insert_header((COOKIE, browser.jar.cookie_header()));
    let answer = send(application.default_service(web::to(handler)), request);
    let mut names: Vec<&str> = answer.lines.iter().map(|(line, _)| line.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["XSRF-TOKEN", "__Host-session", "theme"]);
    answer.lines.iter().for_each(|(line, _)| browser.jar.receive(line));
}

#[test]
fn a_guest_without_a_session_gets_no_readable_token() {
    let (answer, runs) = through(&store(), readable(), &mut CookieJar::new(clock()), get(), nothing);
    assert_eq!((answer.status, answer.lines.len(), runs), (200, 0, 1));
}

#[test]
fn a_login_replaces_the_readable_token_in_the_same_response() {
    let mut browser = Browser::logged_in();
    browser.visit(get(), nothing);
    let before = browser.readable_token();
    let log_in = |session: &Session| session.regenerate().unwrap();
    browser.visit(post().insert_header((SEC_FETCH_SITE, "same-origin")), log_in);
    let after = browser.readable_token();
    assert_eq!(browser.status(post().insert_header(("X-XSRF-TOKEN", before))), 403);
    assert_eq!(browser.status(post().insert_header(("X-XSRF-TOKEN", after))), 200);
}

#[test]
fn a_logout_gives_no_readable_token() {
    let mut browser = Browser::logged_in();
    let log_out = |session: &Session| session.destroy().unwrap();
    let answer = browser.visit(post().insert_header((SEC_FETCH_SITE, "same-origin")), log_out);
    let [(marker, _), (line, _)] = answer.lines.as_slice() else { panic!("{:?}", answer.lines) };
    assert!(marker.starts_with("__Host-session-"), "{marker}");
    assert!(line.starts_with("__Host-session=;"), "{line}");
}

#[test]
fn a_response_with_a_readable_token_is_kept_out_of_shared_caches() {
    let answer = Browser::logged_in().visit(get(), nothing);
    assert_eq!(answer.values("cache-control"), ["private, no-cache"]);
}

/// Logs the user in, and then fails as a middleware does: without a response.
async fn log_in_and_fail(mut request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extract::<Session>().await?.regenerate()?;
    let response = HttpResponse::TooManyRequests().body("Wait.");
    Err(error::InternalError::from_response("too many requests", response).into())
}

#[test]
fn a_failure_behind_a_login_brings_the_readable_token_too_and_keeps_its_answer() {
    let mut browser = Browser::logged_in();
    let application = App::new()
        .wrap(from_fn(log_in_and_fail))
        .wrap(readable())
        .wrap(SessionMiddleware::new(browser.store.clone()))
        .default_service(web::to(HttpResponse::Ok));
    let answer = send(application, get().insert_header((COOKIE, browser.jar.cookie_header())));
    assert_eq!((answer.status, answer.text.as_str(), answer.lines.len()), (429, "Wait.", 3));
    answer.lines.iter().for_each(|(line, _)| browser.jar.receive(line));
    let token = browser.readable_token();
    assert_eq!(browser.status(post().insert_header(("X-XSRF-TOKEN", token))), 200);
}

#[test]
fn a_login_that_is_dropped_with_its_response_leaves_the_readable_token_as_it_is() {
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock()).commit_when(|status| status < 400);
    let store = store.build().unwrap();
    let mut jar = CookieJar::new(clock());
    jar.visit(&store, |session| session.put("user", &42)).unwrap();
    let log_in =
        |status| move |session: Session| std::future::ready(session.regenerate().map(|()| HttpResponse::new(status)));
    let sessions = || SessionMiddleware::new(store.clone());
    let request = || get().insert_header((COOKIE, jar.cookie_header()));
    // The session, the token, and the marker of the session that was left.
    for (status, lines) in [(StatusCode::CONFLICT, 0), (StatusCode::OK, 3)] {
        let application = App::new().wrap(readable()).wrap(sessions()).default_service(web::to(log_in(status)));
        assert_eq!(send(application, request()).lines.len(), lines, "{status}");
    }
    let failing = App::new().wrap(from_fn(log_in_and_fail)).wrap(readable()).wrap(sessions());
    assert_eq!(send(failing, request()).lines.len(), 0);
}

#[test]
fn a_guard_goes_into_the_application_of_every_worker() {
    let (guard, store) = (guard(), store());
    // The server wants this closure `Send` and `Clone`.
    let server = HttpServer::new(move || App::new().wrap(guard.clone()).wrap(SessionMiddleware::new(store.clone())));
    assert!(server.addrs().is_empty());
}

#[test]
fn a_guards_debug_output_shows_its_origins() {
    assert!(format!("{:?}", guard()).contains(ORIGIN_OF_OURS));
}
