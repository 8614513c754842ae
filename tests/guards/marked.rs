//! A guard for the session with a marker.

use sealed_session::cookie::CookieAttributes;
use sealed_session::{Session, SessionError};

use super::forged::status;
use super::{Application, Browser, Guard, Site, administrators, get, manager, post};

/// A browser with a session of each kind, and a token of each: of everybody's, and of administrators'.
pub(crate) fn administrator<S: Site>(
    guard: Option<Guard>,
    token: impl Fn(&Session) -> Result<String, SessionError>,
) -> (Browser<S>, [String; 2]) {
    let administrators = Some(administrators());
    let mut browser = Browser::at(Application { administrators, guard, ..Application::new(manager()) });
    let tokens = [browser.visit(&token), browser.administrate(&token)];
    (browser, tokens)
}

pub(crate) fn a_marked_guard_takes_the_tokens_of_its_own_session_alone<S: Site>() {
    for (guard, expected) in [(Guard::new().marked(), [403, 200]), (Guard::new(), [200, 403])] {
        let (mut browser, tokens) = administrator::<S>(Some(guard), Session::csrf_token);
        let statuses = tokens.map(|token| status(&mut browser, post("/idle").header("X-CSRF-Token", token)));
        assert_eq!(statuses, expected);
    }
}

pub(crate) fn a_marked_guard_gives_scripts_a_token_of_its_own_session<S: Site>() {
    let attributes = CookieAttributes::new().name("ADMINISTRATION-TOKEN").path("/administration");
    let guard = Guard { readable_cookie: Some(Some(attributes)), ..Guard::new().marked() };
    let (mut browser, _) = administrator::<S>(Some(guard), Session::csrf_token);
    let answer = browser.send(get("/idle"));
    let [line] = answer.set_cookie.as_slice() else { panic!("{:?}", answer.set_cookie) };
    assert_eq!(line.name(), "ADMINISTRATION-TOKEN");
    assert!(line.text.contains("; Path=/administration;") && !line.text.contains("HttpOnly"), "{}", line.text);
    let token = browser.jar.value("ADMINISTRATION-TOKEN").unwrap().to_owned();
    assert!(browser.administrate(|session| Ok(session.verify_csrf(Some(&token)))).is_ok());
    assert_eq!(status(&mut browser, post("/idle").header("X-XSRF-TOKEN", token)), 200);
}
