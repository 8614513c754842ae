//! Forms with header values that are no text, and with bodies that come in pieces.

use super::browser::Stream;
use super::{Application, Browser, FORM, Site, manager, post};

const FORBIDDEN: u16 = 403;

pub(crate) fn a_token_header_of_a_form_that_is_no_text_is_a_wrong_one<S: Site>() {
    let mut browser = Browser::<S>::logged_in(Application::new(manager()));
    let body = format!("text=hello&stars=5&_csrf={}", browser.token());
    for name in ["X-CSRF-Token", "X-XSRF-TOKEN"] {
        browser.send(post("/comment").form(body.as_str()).header(name, b"\xff")).assert_refused(FORBIDDEN);
    }
}

pub(crate) fn a_content_type_is_a_forms_whatever_bytes_its_parameters_have<S: Site>() {
    let mut browser = Browser::<S>::logged_in(Application::new(manager()));
    let form = post("/comment").header("Content-Type", b"application/x-www-form-urlencoded; charset=\xff");
    let body = format!("text=hello&stars=5&_csrf={}", browser.token());
    browser.send(form.body(body)).assert_says("hello 5");
}

pub(crate) fn a_body_is_read_only_when_its_head_is_good<S: Site>() {
    let mut browser = Browser::<S>::logged_in(Application::new(manager()));
    let body = Stream::of("text=hello&stars=5");
    let untyped = post("/comment").stream(body.clone());
    let form = untyped.clone().header("content-type", FORM);
    browser.send(form.clone().header("X-CSRF-Token", "junk")).assert_refused(FORBIDDEN);
    browser.send(untyped).assert_refused(415);
    assert!(!body.is_read());
    let token = browser.token();
    browser.send(form.header("X-CSRF-Token", token)).assert_says("hello 5");
    assert!(body.is_read());
}

pub(crate) fn a_body_that_breaks_off_is_refused<S: Site>() {
    let mut browser = Browser::<S>::logged_in(Application::new(manager()));
    let whole = Stream::of(format!("text=hello&stars=5&_csrf={}", browser.token()));
    let form = post("/comment").header("content-type", FORM);
    browser.send(form.clone().stream(whole.clone())).assert_says("hello 5");
    browser.send(form.stream(whole.broken())).assert_refused(400);
}

pub(crate) fn a_body_in_pieces_is_held_to_the_limit<S: Site>() {
    let applications = if S::COUNTS_PIECES { vec![None, Some(1000)] } else { vec![None] };
    for limit_bytes in applications {
        let limit = limit_bytes.unwrap_or(S::DEFAULT_LIMIT_BYTES);
        let mut browser = Browser::<S>::logged_in(Application { limit_bytes, ..Application::new(manager()) });
        let start = format!("_csrf={}&x=", browser.token());
        for (bytes, expected) in [(limit, 200), (limit + 1, 413)] {
            let body = Stream::of(format!("{start}{}", "x".repeat(bytes - start.len())));
            let answer = browser.send(post("/pairs").header("content-type", FORM).stream(body));
            assert_eq!((answer.status, answer.text.is_empty()), (expected, expected != 200), "{bytes}");
        }
    }
}
