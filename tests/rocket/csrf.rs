//! Behaviour, section 5: what another site sends in a user's name never reaches a route.

use std::path::PathBuf;

use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Build, Data, Request, Rocket, catch, catchers, delete, get, head, post, put, routes};
use sealed_session::adapter::Marked;
use sealed_session::adapter::rocket::{CsrfFairing, SessionFairing};
use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::FaultyStore;
use sealed_session::{CookieStore, Session, SessionError};

use crate::support::{answer, bare, browser, on_server, store, store_named, text, values};

const OURS: &str = "https://example.com";

struct Administration;

#[get("/token")]
fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

#[get("/transfer-token")]
fn transfer_token(session: Session) -> Result<String, SessionError> {
    session.csrf_token_for("POST /transfer")
}

#[post("/transfer")]
fn transfer(session: Session) -> Result<String, SessionError> {
    session.increment("transfers", 1).map(|transfers| format!("transfer {transfers}"))
}

#[get("/transfers")]
fn transfers(session: Session) -> Result<String, SessionError> {
    session.get_or("transfers", 0).map(|transfers| transfers.to_string())
}

#[post("/login")]
fn log_in(session: Session) -> Result<(), SessionError> {
    session.regenerate()
}

#[post("/logout")]
fn log_out(session: Session) -> Result<(), SessionError> {
    session.destroy()
}

#[post("/logout-twice")]
fn log_out_of_both(session: Session, other: Marked<Session, Administration>) -> Result<(), SessionError> {
    session.destroy()?;
    other.destroy()
}

#[get("/page")]
fn page() -> &'static str {
    "page"
}

#[get("/live")]
fn live() -> &'static str {
    "live"
}

#[head("/live")]
fn live_head() {}

#[put("/item")]
fn put_item() -> &'static str {
    "put"
}

#[delete("/transfer")]
fn delete_transfer() -> &'static str {
    "deleted"
}

fn guard() -> CsrfFairing {
    CsrfFairing::new().origin(OURS).unwrap()
}

fn readable() -> CsrfFairing {
    guard().readable_cookie(None).unwrap()
}

fn application(store: CookieStore, guard: CsrfFairing) -> Rocket<Build> {
    let routes = routes![
        token,
        transfer_token,
        transfer,
        transfers,
        log_in,
        log_out,
        page,
        live,
        live_head,
        put_item,
        delete_transfer
    ];
    bare().attach(SessionFairing::new(store)).attach(guard).mount("/", routes)
}

fn site() -> Client {
    browser(application(store(), guard()))
}

fn send<'c>(
    browser: &'c Client,
    method: Method,
    path: &'static str,
    headers: &[(&'static str, &str)],
) -> LocalResponse<'c> {
    let request = browser.req(method, path);
    let headers = headers.iter().map(|(name, value)| Header::new(*name, (*value).to_owned()));
    headers.fold(request, |request, header| request.header(header)).dispatch()
}

fn post_with<'c>(browser: &'c Client, headers: &[(&'static str, &str)]) -> LocalResponse<'c> {
    send(browser, Method::Post, "/transfer", headers)
}

fn assert_refused(response: LocalResponse<'_>, status: u16) {
    for header in ["Content-Type", "Location"] {
        assert_eq!(values(&response, header), [""; 0]);
    }
    assert_eq!(answer(response), (status, String::new()));
}

#[test]
fn what_another_site_sends_is_refused_and_never_reaches_the_handler() {
    let browser = site();
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Content-Type", "application/json"),
    ] {
        let response = post_with(&browser, &[header]);
        assert_eq!(values(&response, "Set-Cookie"), [""; 0], "{header:?}");
        assert_refused(response, 403);
    }
    assert_refused(post_with(&browser, &[]), 403);
    assert_eq!(text(&browser, "/transfers"), "0");
}

#[test]
fn what_our_own_pages_send_passes() {
    let browser = site();
    let token = text(&browser, "/token");
    let proofs = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", OURS),
        ("X-CSRF-Token", token.as_str()),
        ("X-XSRF-TOKEN", token.as_str()),
        // Verified by the handler.
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    for (number, header) in proofs.into_iter().enumerate() {
        let expected = format!("transfer {}", number + 1);
        assert_eq!(answer(post_with(&browser, &[header])), (200, expected), "{header:?}");
    }
}

#[test]
fn a_safe_method_passes_whatever_its_headers_say() {
    let browser = site();
    let forged = [("Sec-Fetch-Site", "cross-site"), ("X-CSRF-Token", "junk")];
    assert_eq!(answer(send(&browser, Method::Get, "/page", &forged)), (200, "page".to_owned()));
    assert_eq!(answer(send(&browser, Method::Head, "/page", &forged)), (200, String::new()));
}

#[test]
fn every_other_method_is_held_to_a_proof() {
    let every = |request: &Request<'_>| match request.method() {
        // Rocket's own list, so that a method that it learns does not compile here.
        Method::Get | Method::Head | Method::Options => false,
        Method::Put | Method::Post | Method::Delete | Method::Trace | Method::Connect | Method::Patch => true,
    };
    let methods = [
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Put,
        Method::Post,
        Method::Delete,
        Method::Trace,
        Method::Connect,
        Method::Patch,
    ];
    let routes: Vec<_> = methods.map(|method| Route::ranked(-1000, method, "/<_..>", Everything)).into();
    let browser = browser(bare().attach(SessionFairing::new(store())).attach(guard()).mount("/", routes));
    for method in methods {
        let request = browser.req(method, "/any/where?at=all");
        let is_held = every(request.inner());
        assert_eq!(request.dispatch().status() == Status::Forbidden, is_held, "{method}");
        let response = send(&browser, method, "/any/where/", &[("Sec-Fetch-Site", "same-origin")]);
        assert_eq!(response.status(), Status::Ok, "{method}");
    }
}

/// A route of the application that takes what it can get.
#[derive(Clone)]
struct Everything;

#[rocket::async_trait]
impl Handler for Everything {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        Outcome::from(request, "everything")
    }
}

#[test]
fn a_catch_all_of_the_application_gets_no_refused_request_wherever_it_is_mounted_and_whatever_its_rank() {
    for (base, rank) in [("/", isize::MIN + 1), ("/", 0), ("/base", isize::MIN + 1), ("/base", 20)] {
        let all = Route::ranked(rank, Method::Post, "/<_..>", Everything);
        let application = bare().attach(SessionFairing::new(store())).attach(guard()).mount(base, vec![all]);
        let browser = browser(application);
        for path in ["/base", "/base/", "/base/deep/er", "/base?x", "/", "//"] {
            assert_refused(send(&browser, Method::Post, path, &[("Sec-Fetch-Site", "cross-site")]), 403);
        }
        let response = send(&browser, Method::Post, "/base/page", &[("Sec-Fetch-Site", "same-origin")]);
        assert_eq!(answer(response), (200, "everything".to_owned()));
    }
}

#[test]
fn a_route_of_the_guards_own_rank_does_not_launch() {
    let all = Route::ranked(isize::MIN, Method::Post, "/first", Everything);
    let launch = Client::tracked(application(store(), guard()).mount("/", vec![all]));
    assert!(launch.is_err_and(|error| matches!(error.kind(), ErrorKind::Collisions(_))));
}

#[test]
fn routes_that_a_fairing_mounts_at_launch_are_guarded_too() {
    let late = AdHoc::on_ignite("late", |rocket| {
        Box::pin(async { rocket.mount("/late", vec![Route::ranked(-1, Method::Post, "/<_..>", Everything)]) })
    });
    let browser = browser(application(store(), guard()).attach(late));
    assert_refused(send(&browser, Method::Post, "/late/x", &[]), 403);
}

#[test]
fn a_refusal_is_empty_whatever_catchers_there_are() {
    #[catch(default)]
    fn catcher() -> &'static str {
        "a catcher's page"
    }

    let browser = browser(application(store(), guard()).register("/", catchers![catcher]));
    assert_refused(post_with(&browser, &[]), 403);
}

#[test]
fn a_refusal_does_not_tell_which_routes_there_are() {
    assert_refused(send(&site(), Method::Post, "/nowhere", &[]), 403);
}

#[test]
fn what_passes_and_is_not_found_is_the_applications_404() {
    #[catch(404)]
    fn not_found() -> &'static str {
        "nothing here"
    }

    let browser = browser(application(store(), guard()).register("/", catchers![not_found]));
    for method in [Method::Get, Method::Post] {
        let response = send(&browser, method, "/nowhere", &[("Sec-Fetch-Site", "none")]);
        assert_eq!(answer(response), (404, "nothing here".to_owned()));
    }
}

#[test]
fn the_body_of_what_passes_reaches_the_handler() {
    #[post("/echo", data = "<body>")]
    fn echo(body: String) -> String {
        body
    }

    let browser = browser(application(store(), guard()).mount("/", routes![echo]));
    let request = browser.post("/echo").header(Header::new("Sec-Fetch-Site", "none")).body("hello");
    assert_eq!(answer(request.dispatch()), (200, "hello".to_owned()));
}

#[test]
fn a_wrong_token_is_refused_whatever_the_browser_says() {
    let browser = site();
    let token = text(&browser, "/token");
    let of_another_session = text(&site(), "/token");
    for wrong in ["", "x", "\u{eb}", of_another_session.as_str(), &token[1..]] {
        assert_refused(post_with(&browser, &[("X-CSRF-Token", wrong), ("Sec-Fetch-Site", "same-origin")]), 403);
    }
    assert_refused(post_with(&browser, &[("X-CSRF-Token", "wrong"), ("X-XSRF-TOKEN", &token)]), 403);
    // The first of several equal fields.
    assert_refused(post_with(&browser, &[("X-CSRF-Token", "wrong"), ("X-CSRF-Token", &token)]), 403);
    assert_refused(post_with(&browser, &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none")]), 403);
    assert_eq!(text(&browser, "/transfers"), "0");
}

#[test]
fn a_token_of_one_form_is_none_of_the_whole_session() {
    let browser = site();
    let token = text(&browser, "/transfer-token");
    assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 403);
}

#[test]
fn a_token_dies_with_login_and_with_logout() {
    for end in ["/login", "/logout"] {
        let browser = site();
        let token = text(&browser, "/token");
        assert_eq!(send(&browser, Method::Post, end, &[("X-CSRF-Token", &token)]).status(), Status::Ok);
        assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 403);
    }
}

#[test]
fn a_websocket_is_opened_by_our_own_pages_alone() {
    let browser = site();
    for (method, body) in [(Method::Get, "live"), (Method::Head, "")] {
        let open = |header| send(&browser, method, "/live", &[("Upgrade", "h2c"), ("Upgrade", "WebSocket"), header]);
        assert_eq!(answer(open(("Origin", OURS))), (200, body.to_owned()));
        assert_refused(open(("Origin", "https://evil.example")), 403);
        assert_refused(open(("Sec-Fetch-Site", "cross-site")), 403);
        assert_refused(open(("X-Other", "")), 403);
    }
}

#[test]
fn the_method_of_a_forms_field_decides() {
    let browser = site();
    let with = |body: &'static str| browser.post("/transfer").header(ContentType::Form).body(body).dispatch();
    // Rocket has it from the first field, before any fairing runs: a form has no other proof to give than its field.
    let forged = browser.post("/transfer").header(ContentType::Form).header(Header::new("Origin", "null"));
    assert_refused(forged.body("_method=delete").dispatch(), 403);
    assert_eq!(answer(with("_method=delete")), (200, "deleted".to_owned()));
    assert_eq!(with("_method=get").status(), Status::NotFound);
}

#[test]
fn a_fairing_that_changes_a_request_changes_what_the_guard_sees_wherever_it_is_attached() {
    let rewrite = || AdHoc::on_request("rewrite", |request, _| Box::pin(async { request.set_method(Method::Post) }));
    let application = || bare().mount("/", routes![transfer]).attach(SessionFairing::new(store()));
    for application in
        [application().attach(rewrite()).attach(guard()), application().attach(guard()).attach(rewrite())]
    {
        assert_refused(browser(application).get("/transfer").dispatch(), 403);
    }
}

#[test]
fn a_store_that_is_down_is_an_empty_503_for_a_token() {
    let (browser, records, token) = on_a_server();
    records.go_down();
    assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 503);
    // What needs no token needs no store.
    assert_eq!(answer(send(&browser, Method::Put, "/item", &[("Sec-Fetch-Site", "none")])), (200, "put".to_owned()));
    records.come_up();
    assert_eq!(answer(post_with(&browser, &[("X-CSRF-Token", &token)])), (200, "transfer 2".to_owned()));
}

fn on_a_server() -> (Client, FaultyStore, String) {
    let (store, records) = on_server();
    let browser = browser(application(store, readable()));
    let token = text(&browser, "/token");
    // A session without entries is in its cookie alone.
    assert_eq!(post_with(&browser, &[("X-CSRF-Token", &token)]).status(), Status::Ok);
    (browser, records, token)
}

#[test]
fn an_origin_that_no_browser_sends_is_refused_with_the_mend() {
    assert_eq!(CsrfFairing::new().origin("https://Example.com").unwrap_err().setting(), "origin");
    let attributes = CookieAttributes::new().name("");
    assert!(CsrfFairing::default().readable_cookie(Some(attributes)).is_err());
}

#[test]
fn the_debug_form_of_a_guard_has_its_origins() {
    let shown = format!("{:?}", guard().marked::<Administration>());
    assert!(shown.contains(OURS) && shown.contains("Administration"), "{shown}");
}

fn lines_of(response: &LocalResponse<'_>, name: &str) -> Vec<String> {
    values(response, "Set-Cookie").into_iter().filter(|line| line.starts_with(&format!("{name}="))).collect()
}

#[test]
fn scripts_get_a_token_that_they_can_read_and_send_back() {
    let browser = browser(application(store(), readable()));
    let response = browser.get("/token").dispatch();
    let lines = lines_of(&response, "XSRF-TOKEN");
    assert!(matches!(lines.as_slice(), [line] if line.ends_with("; Path=/; Secure; SameSite=Lax")), "{lines:?}");
    assert_eq!(lines_of(&response, "__Host-session").len(), 1);
    drop(response);
    let token = readable_token(&browser);
    assert_eq!(post_with(&browser, &[("X-XSRF-TOKEN", &token)]).status(), Status::Ok);
    // It is not sent again while it verifies.
    assert_eq!(lines_of(&browser.get("/page").dispatch(), "XSRF-TOKEN"), [""; 0]);
}

/// The cookie of a browser from before the guard had a readable cookie.
fn session_without_readable_token(store: &CookieStore) -> String {
    let browser = browser(application(store.clone(), guard()));
    let line = values(&browser.get("/token").dispatch(), "Set-Cookie").remove(0);
    line.split(';').next().unwrap().to_owned()
}

fn readable_token(browser: &Client) -> String {
    browser.cookies().get("XSRF-TOKEN").unwrap().value().to_owned()
}

#[test]
fn the_readable_cookie_is_read_out_of_every_field() {
    let browser = browser(application(store(), readable()));
    browser.get("/token").dispatch();
    let pair = |name| format!("{name}={}", browser.cookies().get(name).unwrap().value());
    let (session, readable) = (pair("__Host-session"), pair("XSRF-TOKEN"));
    for fields in [[session.clone(), readable.clone()], [readable, session]] {
        let request = fields
            .into_iter()
            .fold(browser.get("/page"), |request, field| request.header(Header::new("Cookie", field)));
        assert_eq!(values(&request.dispatch(), "Set-Cookie"), [""; 0]);
    }
}

#[test]
fn a_guest_without_a_session_gets_no_readable_token() {
    let browser = browser(application(store(), readable()));
    assert_eq!(values(&browser.get("/page").dispatch(), "Set-Cookie"), [""; 0]);
}

#[test]
fn a_login_replaces_the_readable_token_in_the_same_response() {
    let browser = browser(application(store(), readable()));
    text(&browser, "/token");
    let before = readable_token(&browser);
    assert_eq!(send(&browser, Method::Post, "/login", &[("Sec-Fetch-Site", "same-origin")]).status(), Status::Ok);
    let after = readable_token(&browser);
    assert_refused(post_with(&browser, &[("X-XSRF-TOKEN", &before)]), 403);
    assert_eq!(post_with(&browser, &[("X-XSRF-TOKEN", &after)]).status(), Status::Ok);
}

#[test]
fn a_session_that_is_destroyed_leaves_no_readable_token() {
    let browser = browser(application(store(), readable()));
    text(&browser, "/token");
    let response = send(&browser, Method::Post, "/logout", &[("Sec-Fetch-Site", "same-origin")]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN"), [""; 0]);
    assert_eq!(lines_of(&response, "__Host-session").len(), 1);
}

#[test]
fn a_refusal_brings_no_readable_token() {
    let store = store();
    let pair = session_without_readable_token(&store);
    let browser = Client::untracked(application(store, readable())).unwrap();
    assert_eq!(values(&post_with(&browser, &[("Cookie", &pair)]), "Set-Cookie"), [""; 0]);
    let response = post_with(&browser, &[("Cookie", &pair), ("Sec-Fetch-Site", "none")]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
}

#[test]
fn a_response_with_a_readable_token_is_kept_out_of_shared_caches() {
    let store = store();
    let pair = session_without_readable_token(&store);
    let browser = Client::untracked(application(store, readable())).unwrap();
    let response = send(&browser, Method::Get, "/page", &[("Cookie", &pair)]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
    assert_eq!(values(&response, "Cache-Control"), ["private, no-cache"]);
}

#[test]
fn the_answer_of_a_catcher_brings_the_readable_token_too() {
    let store = store();
    let pair = session_without_readable_token(&store);
    let browser = Client::untracked(application(store, readable())).unwrap();
    let response = send(&browser, Method::Get, "/nowhere", &[("Cookie", &pair)]);
    assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
}

#[test]
fn a_store_that_does_not_answer_brings_no_readable_token() {
    let (browser, records, _) = on_a_server();
    let session = browser.cookies().get("__Host-session").unwrap().clone();
    let untracked = browser.get("/page").header(Header::new("Cookie", format!("__Host-session={}", session.value())));
    records.go_down();
    let response = untracked.dispatch();
    assert_eq!(values(&response, "Set-Cookie"), [""; 0]);
    assert_eq!(answer(response), (200, "page".to_owned()));
}

mod several {
    use super::*;

    #[get("/administration/token")]
    fn administration_token(session: Marked<Session, Administration>) -> Result<String, SessionError> {
        session.csrf_token()
    }

    #[get("/any/<_path..>")]
    fn any(_path: PathBuf) {}

    /// Both sessions with their guards; that of the administration first, if so.
    fn both(administration_is_first: bool) -> Client {
        let administration = |application: Rocket<Build>| {
            let attributes = CookieAttributes::new().name("ADMINISTRATION-TOKEN");
            let guard = guard().readable_cookie(Some(attributes)).unwrap().marked::<Administration>();
            let sessions = SessionFairing::new(store_named("__Host-administration")).marked::<Administration>();
            application.attach(sessions).attach(guard)
        };
        let routes = routes![administration_token, any, log_out_of_both];
        browser(
            if administration_is_first {
                administration(bare()).attach(SessionFairing::new(store())).attach(readable())
            } else {
                administration(bare().attach(SessionFairing::new(store())).attach(readable()))
            }
            .mount("/", routes![token, transfer])
            .mount("/", routes),
        )
    }

    #[test]
    fn a_request_passes_where_it_passes_both() {
        for administration_is_first in [false, true] {
            let browser = both(administration_is_first);
            assert_eq!(post_with(&browser, &[("Sec-Fetch-Site", "same-origin")]).status(), Status::Ok);
            assert_refused(post_with(&browser, &[("Sec-Fetch-Site", "cross-site")]), 403);
            for path in ["/token", "/administration/token"] {
                let token = text(&browser, path);
                assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 403);
            }
        }
    }

    #[test]
    fn each_session_has_a_readable_token_of_its_own() {
        for administration_is_first in [false, true] {
            let browser = both(administration_is_first);
            let response = browser.get("/administration/token").dispatch();
            assert_eq!(lines_of(&response, "ADMINISTRATION-TOKEN").len(), 1);
            assert_eq!(lines_of(&response, "XSRF-TOKEN"), [""; 0]);
            drop(response);
            let response = browser.get("/token").dispatch();
            assert_eq!(lines_of(&response, "ADMINISTRATION-TOKEN"), [""; 0]);
            assert_eq!(lines_of(&response, "XSRF-TOKEN").len(), 1);
        }
    }

    #[test]
    fn a_guard_of_the_marked_session_alone_takes_its_tokens_and_no_other() {
        let sessions = SessionFairing::new(store_named("__Host-administration")).marked::<Administration>();
        let application = bare()
            .attach(SessionFairing::new(store()))
            .attach(sessions)
            .attach(guard().marked::<Administration>())
            .mount("/", routes![administration_token, token, transfer]);
        let browser = browser(application);
        let (ours, other) = (text(&browser, "/administration/token"), text(&browser, "/token"));
        assert_eq!(post_with(&browser, &[("X-CSRF-Token", &ours)]).status(), Status::Ok);
        assert_refused(post_with(&browser, &[("X-CSRF-Token", &other)]), 403);
    }
}
