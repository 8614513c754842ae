//! Rocket answers for a handler that panics. What becomes of its session is the application's choice.

use rocket::{get, routes};
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::support::{browser_over, store, text, values};

#[get("/visits")]
fn visits(session: Session) -> Result<String, SessionError> {
    session.increment("visits", 1).map(|visits| visits.to_string())
}

#[get("/panic")]
fn panics(session: Session) -> Result<(), SessionError> {
    session.increment("visits", 10).map(|_| ())?;
    panic!("a handler that panics");
}

#[get("/logout")]
fn panics_behind_a_logout(session: Session) -> Result<(), SessionError> {
    session.destroy()?;
    panic!("a handler that panics");
}

#[test]
fn what_was_written_before_a_panic_is_kept_as_before_an_error() {
    let browser = browser_over(store(), routes![visits, panics]);
    assert_eq!(text(&browser, "/visits"), "1");
    assert_eq!(browser.get("/panic").dispatch().status().code, 500);
    assert_eq!(text(&browser, "/visits"), "12");
}

#[test]
fn commit_when_drops_what_was_written_before_a_panic_and_nobody_is_logged_out() {
    let store = SessionManager::builder(Key::generate().unwrap()).commit_when(|status| status < 500).build().unwrap();
    let browser = browser_over(store, routes![visits, panics]);
    assert_eq!(text(&browser, "/visits"), "1");
    let response = browser.get("/panic").dispatch();
    assert_eq!((response.status().code, values(&response, "Set-Cookie").len()), (500, 0));
    assert_eq!(text(&browser, "/visits"), "2");
}

#[test]
fn a_logout_before_a_panic_stays_a_logout() {
    for store in [store(), SessionManager::builder(Key::generate().unwrap()).commit_when(|_| false).build().unwrap()] {
        let browser = browser_over(store, routes![visits, panics_behind_a_logout]);
        text(&browser, "/visits");
        let response = browser.get("/logout").dispatch();
        assert_eq!(response.status().code, 500);
        drop(response);
        assert_eq!(text(&browser, "/visits"), "1");
    }
}
