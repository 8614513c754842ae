//! A token in a cookie that the application's own scripts can read.

use sealed_session::cookie::CookieAttributes;
use sealed_session::{Renewal, SessionManager};

use super::forged::status;
use super::{Answer, Application, Browser, Guard, Site, builder, faulty, get, manager, post};

const NAME: &str = "XSRF-TOKEN";
const MARKER: &str = "__Host-session-";
const SESSION: &str = "__Host-session";

/// Someone who is logged in and has no readable token yet.
fn browser<S: Site>() -> Browser<S> {
    browser_of(manager())
}

fn browser_of<S: Site>(sessions: SessionManager) -> Browser<S> {
    Browser::logged_in(Application::guarded(sessions, Guard::readable()))
}

fn from_our_page<S: Site>(browser: &mut Browser<S>, path: &str) -> Answer {
    browser.send(post(path).header("Sec-Fetch-Site", "same-origin"))
}

/// The names of the cookies that a response sets, in an order that no framework decides.
fn names(answer: &Answer) -> Vec<&str> {
    let mut names = answer.cookie_names();
    names.sort_unstable();
    names
}

/// The token that scripts can read.
fn readable_token<S: Site>(browser: &Browser<S>) -> String {
    browser.jar.value(NAME).unwrap().to_owned()
}

/// What a script that sends this token is answered with.
fn status_of<S: Site>(browser: &mut Browser<S>, token: &str) -> u16 {
    status(browser, post("/idle").header("X-XSRF-TOKEN", token))
}

pub(crate) fn scripts_get_a_token_that_they_can_read_and_send_back<S: Site>() {
    // Whether or not the page looks at its session.
    for path in ["/act/look", "/idle"] {
        let mut browser = browser::<S>();
        let answer = browser.send(get(path));
        answer.assert_says("done");
        let [line] = answer.set_cookie.as_slice() else { panic!("{:?}", answer.set_cookie) };
        assert_eq!(line.name(), NAME);
        assert!(line.text.ends_with("; Path=/; Secure; SameSite=Lax"), "{}", line.text);
        assert_ne!(line.is_sensitive, Some(false));
        let token = readable_token(&browser);
        assert_eq!(status_of(&mut browser, &token), 200);
    }
}

pub(crate) fn a_page_that_begins_a_session_brings_its_readable_token<S: Site>() {
    let mut browser = Browser::<S>::at(Application::guarded(manager(), Guard::readable()));
    assert_eq!(names(&browser.send(get("/act/token"))), [NAME, SESSION]);
    let token = readable_token(&browser);
    assert_eq!(status_of(&mut browser, &token), 200);
}

pub(crate) fn the_readable_token_is_not_sent_again_while_it_verifies<S: Site>() {
    let mut browser = browser::<S>();
    browser.send(get("/idle"));
    for path in ["/act/look", "/idle"] {
        assert_eq!(names(&browser.send(get(path))), [""; 0]);
    }
    browser.jar.plant(NAME, "junk");
    assert_eq!(names(&browser.send(get("/idle"))), [NAME]);
}

pub(crate) fn the_readable_token_is_found_in_every_cookie_field<S: Site>() {
    let mut browser = browser::<S>();
    browser.send(get("/idle"));
    let [session, readable] = [SESSION, NAME].map(|name| format!("{name}={}", browser.jar.value(name).unwrap()));
    for fields in [[&session, &readable], [&readable, &session]] {
        let request = get("/idle").header("cookie", "theme=dark").header("cookie", fields[0]);
        let answer = browser.site.send(request.header("cookie", fields[1]).header("cookie", "font=large"));
        assert_eq!(names(&answer), [""; 0], "{fields:?}");
    }
    // It is looked for.
    assert_eq!(names(&browser.site.send(get("/idle").header("cookie", session))), [NAME]);
}

pub(crate) fn the_readable_cookie_is_set_next_to_those_of_session_and_handler<S: Site>() {
    let mut browser = browser::<S>();
    let answer = from_our_page(&mut browser, "/act/set-theme");
    assert_eq!(names(&answer), [NAME, SESSION, "theme"]);
    for line in &answer.set_cookie {
        assert_ne!(line.is_sensitive, Some(line.name() == "theme"), "{line:?}");
    }
}

pub(crate) fn a_guest_without_a_session_gets_no_readable_token<S: Site>() {
    let mut browser = Browser::<S>::at(Application::guarded(manager(), Guard::readable()));
    for path in ["/act/look", "/idle"] {
        let answer = browser.send(get(path));
        answer.assert_says("done");
        assert_eq!(names(&answer), [""; 0]);
    }
}

pub(crate) fn a_login_replaces_the_readable_token_in_the_same_response<S: Site>() {
    for path in ["/act/log-in", "/act/regenerate"] {
        let mut browser = browser::<S>();
        browser.send(get("/idle"));
        let before = readable_token(&browser);
        let answer = from_our_page(&mut browser, path);
        assert_eq!(names(&answer), [NAME, SESSION, MARKER]);
        let after = readable_token(&browser);
        assert_eq!(status_of(&mut browser, &before), 403);
        assert_eq!(status_of(&mut browser, &after), 200);
    }
}

pub(crate) fn a_login_that_is_dropped_with_its_response_leaves_the_readable_token_as_it_is<S: Site>() {
    let mut browser = browser_of::<S>(builder().commit_when(|status| status < 400).build().unwrap());
    let answer = from_our_page(&mut browser, "/act/regenerate-and-refuse");
    assert_eq!((answer.status, names(&answer)), (409, vec![]));
    // The session, the token, and the marker of the session that was left.
    assert_eq!(names(&from_our_page(&mut browser, "/act/regenerate")), [NAME, SESSION, MARKER]);
}

pub(crate) fn a_logout_gives_no_readable_token<S: Site>() {
    for has_readable_token in [false, true] {
        let mut browser = browser::<S>();
        if has_readable_token {
            browser.send(get("/idle"));
        }
        let answer = from_our_page(&mut browser, "/act/log-out");
        assert_eq!(answer.cookie_names(), [MARKER, SESSION]);
        assert!(answer.set_cookie[1].text.starts_with("__Host-session=;"), "{:?}", answer.set_cookie);
    }
}

pub(crate) fn a_refused_request_brings_no_readable_token<S: Site>() {
    let mut browser = browser::<S>();
    browser.send(post("/idle")).assert_refused(403);
    browser.send(post("/idle").header("X-CSRF-Token", "wrong")).assert_refused(403);
    assert_eq!(names(&from_our_page(&mut browser, "/idle")), [NAME]);
}

pub(crate) fn where_every_response_renews_a_page_that_is_not_found_brings_both_cookies<S: Site>() {
    let mut browser = browser_of::<S>(builder().renewal(Renewal::EveryResponse).build().unwrap());
    let answer = browser.send(get("/nowhere"));
    assert_eq!((answer.status, names(&answer)), (404, vec![NAME, SESSION]));
}

pub(crate) fn a_response_with_a_readable_token_is_kept_out_of_shared_caches<S: Site>() {
    for path in ["/act/look", "/idle"] {
        assert_eq!(browser::<S>().send(get(path)).values("cache-control"), ["private, no-cache"]);
    }
}

pub(crate) fn where_sessions_are_turned_off_there_is_no_readable_token<S: Site>() {
    let off = builder().enabled(false).build().unwrap();
    let mut browser = Browser::<S>::at(Application::guarded(off, Guard::readable()));
    let answer = from_our_page(&mut browser, "/act/write");
    answer.assert_says("done");
    assert_eq!(names(&answer), [""; 0]);
}

pub(crate) fn a_store_that_does_not_answer_costs_a_response_its_readable_token_alone<S: Site>() {
    let (records, sessions) = faulty();
    let mut browser = browser_of::<S>(sessions);
    records.go_down();
    let answer = browser.send(get("/idle"));
    answer.assert_says("done");
    assert_eq!(names(&answer), [""; 0]);
}

pub(crate) fn attributes_of_a_readable_cookie_that_cannot_work_are_refused<S: Site>() {
    for attributes in
        [CookieAttributes::new().name("__Host-XSRF-TOKEN").path("/shop"), CookieAttributes::new().name("")]
    {
        let settings = Guard { readable_cookie: Some(Some(attributes)), ..Guard::new() };
        assert!(S::guard(&settings).is_err());
    }
}
