//! Behaviour, sections 1 and 5: how long a form that was loaded can be sent, whatever carries its token.

use http::StatusCode;
use http::header::COOKIE;
use poem::{Endpoint as _, EndpointExt as _, Route, handler};
use sealed_session::adapter::CsrfForm;
use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
use sealed_session::{Key, KeyRing, Session, SessionError, SessionManager};

use crate::support::{Browser, clock, post, post_form, store};

const TAKEN: [StatusCode; 2] = [StatusCode::OK; 2];
const REFUSED: [StatusCode; 2] = [StatusCode::FORBIDDEN; 2];

#[handler]
async fn save(form: CsrfForm<Vec<(String, String)>>) -> String {
    format!("{} fields", form.len())
}

#[handler]
async fn press() {}

/// What a token is answered with: in the field of a form, and in the header of a script.
async fn sent_by(browser: &Browser, token: &str) -> [StatusCode; 2] {
    let application = Route::new()
        .at("/form", poem::post(save))
        .at("/button", poem::post(press))
        .with(CsrfMiddleware::new())
        .with(SessionMiddleware::new(browser.store.clone()));
    let cookie = browser.jar.cookie_header();
    let in_a_field = post_form(&application, "/form", &cookie, format!("text=hello&_csrf={token}")).await;
    let in_a_header = post("/button").header(COOKIE, cookie).header("X-CSRF-Token", token).finish();
    [in_a_field.status(), application.get_response(in_a_header).await.status()]
}

/// A store that seals under the first key, and opens under the other as well.
fn under(key: &Key, also_opens: Option<&Key>) -> SessionManager {
    let ring =
        also_opens.into_iter().fold(KeyRing::new(key.clone()), |ring, old| ring.with_open_only(old.clone()).unwrap());
    SessionManager::builder(ring).clock(clock()).build().unwrap()
}

#[pollster::test]
async fn a_token_can_be_sent_more_than_once() {
    let (browser, token) = Browser::logged_in(store());
    for _ in 0..2 {
        assert_eq!(sent_by(&browser, &token).await, TAKEN);
    }
}

#[pollster::test]
async fn a_token_outlives_a_key_rotation_until_its_key_leaves_the_ring() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let (mut browser, token) = Browser::logged_in(under(&old, None));
    browser.store = under(&new, Some(&old));
    assert_eq!(sent_by(&browser, &token).await, TAKEN);
    // Now the cookie is sealed under the new key.
    browser.jar.visit(&browser.store, |session| session.increment("visits", 1)).unwrap();
    assert_eq!(sent_by(&browser, &token).await, TAKEN);
    browser.store = under(&new, None);
    assert_eq!(sent_by(&browser, &token).await, REFUSED);
}

#[pollster::test]
async fn a_login_and_a_logout_end_the_tokens_before_them() {
    type Change = fn(&Session) -> Result<(), SessionError>;
    let log_in: Change = Session::regenerate_and_reset_lifetime;
    let farewell: Change = |session| {
        session.invalidate()?;
        session.flash("notice", "Goodbye.")
    };
    for end in [log_in, farewell, Session::destroy] {
        let (mut browser, token) = Browser::logged_in(store());
        browser.jar.visit(&browser.store, end).unwrap();
        assert_eq!(sent_by(&browser, &token).await, REFUSED);
        let fresh = browser.jar.visit(&browser.store, Session::csrf_token).unwrap();
        assert_eq!(sent_by(&browser, &fresh).await, TAKEN);
    }
}
