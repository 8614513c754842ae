//! Behaviour, sections 1 and 5: how long a form that was loaded can be sent.

use actix_web::http::header::COOKIE;
use actix_web::test::TestRequest;
use actix_web::{App, web};
use sealed_session::adapter::CsrfForm;
use sealed_session::adapter::actix_web::{CsrfMiddleware, SessionMiddleware};
use sealed_session::testing::{CookieJar, ManualClock};
use sealed_session::{Key, KeyRing, RingHandle, Session, SessionError, SessionManager};

use crate::support::{Answer, send};

async fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

async fn save(form: CsrfForm<Vec<(String, String)>>) -> String {
    format!("{} fields", form.len())
}

async fn log_in(session: Session) -> Result<&'static str, SessionError> {
    session.regenerate_and_reset_lifetime()?;
    session.put("user", &42)?;
    Ok("Welcome.")
}

async fn log_out(session: Session) -> Result<&'static str, SessionError> {
    session.destroy()?;
    Ok("Goodbye.")
}

async fn log_out_with_farewell(session: Session) -> Result<&'static str, SessionError> {
    session.invalidate()?;
    session.flash("notice", "Goodbye.")?;
    Ok("Goodbye.")
}

/// A browser, and the application that it visits: sealed under these keys, and guarded.
struct Visitor {
    store: SessionManager,
    jar: CookieJar,
}

impl Visitor {
    fn new(ring: impl Into<RingHandle>) -> Self {
        let clock = ManualClock::at_unix_seconds(1_795_000_000);
        let store = SessionManager::builder(ring).clock(clock.clone()).build().unwrap();
        Self { store, jar: CookieJar::new(clock) }
    }

    /// The same browser, at an application that has other keys.
    fn at(self, ring: KeyRing) -> Self {
        Self { jar: self.jar, ..Self::new(ring) }
    }

    fn send(&mut self, request: TestRequest) -> Answer {
        let application = App::new()
            .wrap(CsrfMiddleware::new())
            .wrap(SessionMiddleware::new(self.store.clone()))
            .route("/form", web::get().to(token))
            .route("/form", web::post().to(save))
            .route("/login", web::post().to(log_in))
            .route("/logout", web::post().to(log_out))
            .route("/farewell", web::post().to(log_out_with_farewell));
        let answer = send(application, request.insert_header((COOKIE, self.jar.cookie_header())));
        answer.lines.iter().for_each(|(line, _)| self.jar.receive(line));
        answer
    }

    fn load_form(&mut self) -> String {
        let answer = self.send(TestRequest::get().uri("/form"));
        assert_eq!(answer.status, 200);
        answer.text
    }

    /// Sends the form as a browser does that says nothing of where it comes from.
    fn submit(&mut self, token: &str) -> u16 {
        let request =
            TestRequest::post().uri("/form").insert_header(("content-type", "application/x-www-form-urlencoded"));
        self.send(request.set_payload(format!("text=hello&_csrf={token}"))).status
    }

    fn post(&mut self, path: &str) {
        let answer = self.send(TestRequest::post().uri(path).insert_header(("sec-fetch-site", "same-origin")));
        // The session, and the marker of the one that was left.
        assert_eq!((answer.status, answer.lines.len()), (200, 2));
    }
}

fn key() -> Key {
    Key::generate().unwrap()
}

#[test]
fn a_token_can_be_sent_more_than_once() {
    let mut visitor = Visitor::new(key());
    let token = visitor.load_form();
    assert_eq!([visitor.submit(&token), visitor.submit(&token)], [200, 200]);
}

#[test]
fn a_token_outlives_a_key_rotation_until_its_key_leaves_the_ring() {
    let (old, new) = (key(), key());
    let mut before = Visitor::new(old.clone());
    let token = before.load_form();
    let mut after = before.at(KeyRing::new(new.clone()).with_open_only(old).unwrap());
    // The first of them brings a cookie under the new key.
    assert_eq!([after.submit(&token), after.submit(&token)], [200, 200]);
    let mut without_old = after.at(KeyRing::new(new));
    assert_eq!(without_old.submit(&token), 403);
    let fresh = without_old.load_form();
    assert_eq!(without_old.submit(&fresh), 200);
}

#[test]
fn a_login_ends_the_tokens_before_it() {
    let mut visitor = Visitor::new(key());
    let token = visitor.load_form();
    visitor.post("/login");
    assert_eq!(visitor.submit(&token), 403);
    let fresh = visitor.load_form();
    assert_eq!(visitor.submit(&fresh), 200);
}

#[test]
fn a_logout_with_or_without_a_farewell_ends_the_tokens_before_it() {
    for path in ["/logout", "/farewell"] {
        let mut visitor = Visitor::new(key());
        let token = visitor.load_form();
        visitor.post(path);
        assert_eq!(visitor.submit(&token), 403, "{path}");
        visitor.load_form();
        assert_eq!(visitor.submit(&token), 403, "{path}");
    }
}
