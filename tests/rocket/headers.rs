//! What a response gets, and what of a request is read.

use rocket::fairing::AdHoc;
use rocket::futures::stream::{self, Stream};
use rocket::http::{CookieJar, Header};
use rocket::local::blocking::Client;
use rocket::response::Responder;
use rocket::response::stream::TextStream;
use rocket::{get, routes};
use sealed_session::adapter::rocket::SessionFairing;
use sealed_session::testing::ManualClock;
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::support::{bare, browser, browser_over, store, text, values};

#[derive(Responder)]
struct Cached {
    text: &'static str,
    cache_control: Header<'static>,
    vary: Header<'static>,
    cdn: Header<'static>,
    surrogate: Header<'static>,
}

#[get("/cached")]
fn cached(session: Session) -> Result<Cached, SessionError> {
    session.put("user", &42)?;
    Ok(Cached {
        text: "page",
        cache_control: Header::new("Cache-Control", "public, max-age=60"),
        vary: Header::new("Vary", "Accept-Language"),
        cdn: Header::new("CDN-Cache-Control", "max-age=600"),
        surrogate: Header::new("Surrogate-Control", "max-age=600"),
    })
}

#[get("/visits")]
fn visits(session: Session) -> Result<String, SessionError> {
    session.increment("visits", 1).map(|visits| visits.to_string())
}

#[get("/theme")]
fn theme(jar: &CookieJar<'_>, session: Session) -> Result<(), SessionError> {
    jar.add(("theme", "dark"));
    session.increment("visits", 1).map(|_| ())
}

#[get("/read")]
fn read(session: Session) -> Result<String, SessionError> {
    session.get_or("visits", 0).map(|visits| visits.to_string())
}

#[get("/streamed")]
fn streamed(session: Session) -> TextStream<impl Stream<Item = String>> {
    // The first piece is asked for when the response head has gone.
    TextStream::from(stream::once(async move { format!("{:?}", session.put("late", &true)) }))
}

#[test]
fn the_sessions_headers_stand_beside_those_of_the_handler() {
    let browser = browser_over(store(), routes![cached]);
    let response = browser.get("/cached").dispatch();
    assert_eq!(values(&response, "Cache-Control"), ["private, max-age=60"]);
    assert_eq!(values(&response, "Vary"), ["Accept-Language", "Cookie"]);
    assert_eq!(values(&response, "CDN-Cache-Control"), [""; 0]);
    assert_eq!(values(&response, "Surrogate-Control"), [""; 0]);
    assert_eq!(values(&response, "Set-Cookie").len(), 1);
}

#[test]
fn cookies_of_the_jar_are_sent_beside_the_session() {
    let browser = browser_over(store(), routes![theme, visits]);
    let lines = values(&browser.get("/theme").dispatch(), "Set-Cookie");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("theme=dark")), "{lines:?}");
    assert_eq!(text(&browser, "/visits"), "2");
}

#[test]
fn a_head_request_takes_the_session_along() {
    let browser = browser_over(store(), routes![visits]);
    assert_eq!(values(&browser.head("/visits").dispatch(), "Set-Cookie").len(), 1);
    assert_eq!(text(&browser, "/visits"), "2");
}

#[test]
fn a_write_behind_the_response_head_is_an_error_to_its_writer() {
    let text = text(&browser_over(store(), routes![streamed]), "/streamed");
    assert!(text.starts_with("Err("), "{text}");
}

#[test]
fn a_fairing_that_is_attached_before_writes_the_session_when_the_response_goes() {
    let counts = AdHoc::on_response("counts", |request, _| {
        Box::pin(async move {
            let session = request.guard::<Session>().await.succeeded().unwrap();
            session.increment("visits", 1).map(|_| ()).unwrap();
        })
    });
    let browser = browser(bare().attach(counts).attach(SessionFairing::new(store())).mount("/", routes![visits]));
    assert_eq!(text(&browser, "/visits"), "1");
    assert_eq!(text(&browser, "/visits"), "3");
}

/// The visits that a request with these fields counts.
fn visits_with(browser: &Client, fields: &[&str]) -> String {
    let headers = fields.iter().map(|field| Header::new("Cookie", (*field).to_owned()));
    headers
        .fold(browser.get("/visits"), |request, header| request_with(request, header))
        .dispatch()
        .into_string()
        .unwrap()
}

fn request_with<'c>(
    mut request: rocket::local::blocking::LocalRequest<'c>,
    header: Header<'static>,
) -> rocket::local::blocking::LocalRequest<'c> {
    request.add_header(header);
    request
}

#[test]
fn each_cookie_field_is_read_and_a_planted_duplicate_hides_nobody() {
    let application = bare().attach(SessionFairing::new(store())).mount("/", routes![visits]);
    let browser = Client::untracked(application).unwrap();
    let line = values(&browser.get("/visits").dispatch(), "Set-Cookie").remove(0);
    let pair = line.split(';').next().unwrap();
    let planted = "__Host-session=planted";
    for fields in [[pair, "theme=dark"], ["theme=dark", pair], [planted, pair], [pair, planted]] {
        assert_eq!(visits_with(&browser, &fields), "2", "{fields:?}");
    }
    assert_eq!(visits_with(&browser, &[planted]), "1");
}

#[test]
fn a_navigation_or_a_fetch_renews_a_session_that_is_only_read_and_an_image_does_not() {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock.clone()).build().unwrap();
    let browser = browser_over(store, routes![visits, read]);
    assert_eq!(text(&browser, "/visits"), "1");
    // Of two hours.
    clock.advance_seconds(70 * 60);
    for (dest, renewals) in [("image", 0), ("document", 1), ("document", 0), ("empty", 0)] {
        let response = browser.get("/read").header(Header::new("Sec-Fetch-Dest", dest)).dispatch();
        assert_eq!(values(&response, "Set-Cookie").len(), renewals, "{dest}");
        assert_eq!(response.into_string().as_deref(), Some("1"));
    }
    clock.advance_seconds(70 * 60);
    for (dest, renewals) in [("image", 0), ("empty", 1), ("empty", 0)] {
        let response = browser.get("/read").header(Header::new("Sec-Fetch-Dest", dest)).dispatch();
        assert_eq!(values(&response, "Set-Cookie").len(), renewals, "{dest}");
    }
}
