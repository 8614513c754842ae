//! How long a form that was loaded can be sent, whatever carries its token.

use sealed_session::{Key, KeyRing, RingHandle, SessionManager};

use super::{Application, Browser, Guard, Site, clock, manager, post};

const TAKEN: [u16; 2] = [200; 2];
const REFUSED: [u16; 2] = [403; 2];

fn application(sessions: SessionManager) -> Application {
    Application::guarded(sessions, Guard::new())
}

/// A browser that has loaded a form, and the form's token.
fn visitor<S: Site>(sessions: SessionManager) -> (Browser<S>, String) {
    let mut browser = Browser::at(application(sessions));
    let token = browser.open("/act/token");
    (browser, token)
}

/// What a token is answered with: in the field of a form, as a browser sends it that says nothing of where it comes from, and
/// in the header of a script.
fn sent_by<S: Site>(browser: &mut Browser<S>, token: &str) -> [u16; 2] {
    let in_a_field = post("/pairs").form(format!("text=hello&_csrf={token}"));
    let in_a_header = post("/idle").header("X-CSRF-Token", token);
    [in_a_field, in_a_header].map(|request| browser.send(request).status)
}

/// Changes the session by a page, which sets it anew and leaves a marker of the old one.
fn change<S: Site>(browser: &mut Browser<S>, path: &str) {
    let answer = browser.send(post(path).header("Sec-Fetch-Site", "same-origin"));
    answer.assert_says("done");
    assert_eq!(answer.cookie_names(), ["__Host-session-", "__Host-session"]);
}

fn under(ring: impl Into<RingHandle>) -> SessionManager {
    SessionManager::builder(ring).clock(clock()).build().unwrap()
}

pub(crate) fn a_token_can_be_sent_more_than_once<S: Site>() {
    let (mut browser, token) = visitor::<S>(manager());
    for _ in 0..2 {
        assert_eq!(sent_by(&mut browser, &token), TAKEN);
    }
}

pub(crate) fn a_token_outlives_a_key_rotation_until_its_key_leaves_the_ring<S: Site>() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let (browser, token) = visitor::<S>(under(old.clone()));
    let before = browser.jar.cookie_header();
    let ring = KeyRing::new(new.clone()).with_open_only(old).unwrap();
    let mut browser = browser.moved_to(application(under(ring)));
    assert_eq!(sent_by(&mut browser, &token), TAKEN);
    // Now the cookie is sealed under the new key.
    assert_ne!(browser.jar.cookie_header(), before);
    assert_eq!(sent_by(&mut browser, &token), TAKEN);
    let mut browser = browser.moved_to(application(under(new)));
    assert_eq!(sent_by(&mut browser, &token), REFUSED);
    let fresh = browser.open("/act/token");
    assert_eq!(sent_by(&mut browser, &fresh), TAKEN);
}

pub(crate) fn a_login_ends_the_tokens_before_it<S: Site>() {
    for path in ["/act/log-in", "/act/regenerate"] {
        let (mut browser, token) = visitor::<S>(manager());
        change(&mut browser, path);
        assert_eq!(sent_by(&mut browser, &token), REFUSED, "{path}");
        let fresh = browser.open("/act/token");
        assert_eq!(sent_by(&mut browser, &fresh), TAKEN, "{path}");
    }
}

pub(crate) fn a_logout_ends_the_tokens_before_it<S: Site>() {
    let (mut browser, token) = visitor::<S>(manager());
    change(&mut browser, "/act/log-out");
    assert_eq!(browser.jar.value("__Host-session"), None);
    assert_eq!(sent_by(&mut browser, &token), REFUSED);
    // Also in the next session.
    let fresh = browser.open("/act/token");
    assert_eq!(sent_by(&mut browser, &token), REFUSED);
    assert_eq!(sent_by(&mut browser, &fresh), TAKEN);
}

pub(crate) fn a_logout_with_a_farewell_ends_the_tokens_before_it<S: Site>() {
    let (mut browser, token) = visitor::<S>(manager());
    change(&mut browser, "/act/log-out-with-farewell");
    assert_eq!(sent_by(&mut browser, &token), REFUSED);
    let fresh = browser.open("/act/token");
    assert_eq!(sent_by(&mut browser, &token), REFUSED);
    assert_eq!(sent_by(&mut browser, &fresh), TAKEN);
}
