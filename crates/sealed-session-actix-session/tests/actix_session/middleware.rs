//! Behind the middleware of `actix-session` itself.

use actix_session::config::{BrowserSession, CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_session::{Session, SessionMiddleware};
use actix_web::body::to_bytes;
use actix_web::cookie::Key;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::rt::System;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use sealed_session_actix_session::SealedSessionStore;

use crate::support::{HOUR, most, store};

const LONG_NAME: &str = "a-name-of-sixty-four-characters-which-is-longer-than-anybody-has";

/// Status, the name and the value of the cookie that is set, and body.
type Answer = (u16, Option<String>, String);

async fn fill(session: Session, bytes: web::Path<usize>) -> actix_web::Result<&'static str> {
    session.insert("cart", "x".repeat(*bytes))?;
    Ok("filled")
}

async fn look(session: Session) -> actix_web::Result<String> {
    Ok(session.get::<String>("cart")?.unwrap_or_default().len().to_string())
}

fn encrypted(store: SealedSessionStore, key: &Key) -> SessionMiddleware<SealedSessionStore> {
    SessionMiddleware::builder(store, key.clone()).cookie_name(LONG_NAME.to_owned()).build()
}

fn open(middleware: SessionMiddleware<SealedSessionStore>, path: &str, cookie: &str) -> Answer {
    System::new().block_on(async {
        let application = App::new().wrap(middleware).route("/{bytes}", web::post().to(fill));
        let service = init_service(application.route("/", web::get().to(look))).await;
        let request = if path == "/" { TestRequest::get() } else { TestRequest::post() };
        let request = request.uri(path).insert_header((COOKIE, cookie)).to_request();
        match actix_web::dev::Service::call(&service, request).await {
            Ok(response) => {
                let line = response.headers().get(SET_COOKIE).map(|line| line.to_str().unwrap().to_owned());
                let pair = line.map(|line| line.split(';').next().unwrap().to_owned());
                let status = response.status().as_u16();
                let body = to_bytes(response.into_body()).await.unwrap_or_default();
                (status, pair, String::from_utf8(body.to_vec()).unwrap())
            }
            Err(error) => {
                let response = error.error_response();
                assert!(!response.headers().contains_key(SET_COOKIE));
                let body = to_bytes(response.into_body()).await.unwrap_or_default();
                (error.as_response_error().status_code().as_u16(), None, String::from_utf8(body.to_vec()).unwrap())
            }
        }
    })
}

/// RFC 6265bis §5.6: name and value together, the `=` not counted.
fn kept_by_browsers(pair: &str) -> bool {
    pair.len() - 1 <= 4096
}

/// The most bytes that the cart of a session can have. The quotes of its text are escaped in it.
fn most_in_cart(store: &SealedSessionStore) -> usize {
    pollster::block_on(most(store)) - 4
}

#[test]
fn what_a_key_has_room_for_makes_a_cookie_that_browsers_keep() {
    assert_eq!(LONG_NAME.len(), 64);
    let (store, outer) = (store().0, Key::generate());
    let path = format!("/{}", most_in_cart(&store));
    for _ in 0..50 {
        let (status, pair, _) = open(encrypted(store.clone(), &outer), &path, "");
        let pair = pair.unwrap();
        assert!(status == 200 && kept_by_browsers(&pair), "{}", pair.len());
        // Nearly all of the room is used.
        assert!(pair.len() > 3850, "{}", pair.len());
    }
    let (store, outer) = (store.cookie_content_security(CookieContentSecurity::Signed), Key::generate());
    let path = format!("/{}", most_in_cart(&store));
    for _ in 0..50 {
        let middleware = SessionMiddleware::builder(store.clone(), outer.clone()).cookie_name(LONG_NAME.to_owned());
        let middleware = middleware.cookie_content_security(CookieContentSecurity::Signed).build();
        let (status, pair, _) = open(middleware, &path, "");
        assert!(status == 200 && kept_by_browsers(&pair.unwrap()));
    }
}

#[test]
fn a_session_that_is_too_large_is_an_empty_500_and_the_cookie_stays() {
    let (store, outer) = (store().0, Key::generate());
    let (_, sent, _) = open(encrypted(store.clone(), &outer), "/10", "");
    let sent = sent.unwrap();
    let refused = open(encrypted(store.clone(), &outer), "/5000", &sent);
    assert_eq!(refused, (500, None, String::new()));
    assert_eq!(open(encrypted(store, &outer), "/", &sent), (200, None, "10".to_owned()));
}

#[test]
fn the_ttl_of_both_life_cycles_is_enforced_by_the_server() {
    let outer = Key::generate();
    for is_persistent in [false, true] {
        let (store, clock) = store();
        let middleware = || {
            let builder = SessionMiddleware::builder(store.clone(), outer.clone());
            if is_persistent {
                builder.session_lifecycle(PersistentSession::default().session_ttl(HOUR)).build()
            } else {
                builder.session_lifecycle(BrowserSession::default().state_ttl(HOUR)).build()
            }
        };
        let sent = open(middleware(), "/10", "").1.unwrap();
        clock.advance_seconds(3599);
        assert_eq!(open(middleware(), "/", &sent).2, "10");
        clock.advance_seconds(1);
        assert_eq!(open(middleware(), "/", &sent), (200, None, "0".to_owned()));
    }
}

#[test]
fn a_policy_that_asks_for_renewal_on_every_request_fails_at_the_first_and_not_later() {
    let (store, outer) = (store().0, Key::generate());
    let policy = || {
        let life = BrowserSession::default().state_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
        SessionMiddleware::builder(store.clone(), outer.clone()).session_lifecycle(life).build()
    };
    let (status, sent, _) = open(policy(), "/10", "");
    assert_eq!(status, 200);
    assert_eq!(open(policy(), "/", &sent.unwrap()), (500, None, String::new()));
    // A visitor without a session has nothing to renew.
    assert_eq!(open(policy(), "/", "").0, 200);
}

#[test]
fn a_cookie_of_another_outer_key_is_no_session() {
    let store = store().0;
    let sent = open(encrypted(store.clone(), &Key::generate()), "/10", "").1.unwrap();
    assert_eq!(open(encrypted(store, &Key::generate()), "/", &sent), (200, None, "0".to_owned()));
}
