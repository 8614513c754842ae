//! Header values that are no text.

use super::forged::status;
use super::{Application, Browser, FORM, Guard, OURS, Site, get, manager, post};

const FORBIDDEN: u16 = 403;

fn browser<S: Site>(guard: Guard) -> Browser<S> {
    Browser::logged_in(Application::guarded(manager(), guard))
}

pub(crate) fn a_header_that_is_no_text_is_a_wrong_one_and_not_a_missing_one<S: Site>() {
    let mut browser = browser::<S>(Guard::new());
    let token = browser.token();
    // What decides if the other is not there.
    for (name, weaker) in [
        ("X-CSRF-Token", ("X-XSRF-TOKEN", token.as_str())),
        ("X-XSRF-TOKEN", ("Sec-Fetch-Site", "same-origin")),
        ("Sec-Fetch-Site", ("Origin", OURS)),
        ("Origin", ("Content-Type", FORM)),
    ] {
        for no_text in [&b"\xff"[..], b"same-origin\xff"] {
            let request = post("/idle").header(name, no_text);
            assert_eq!(status(&mut browser, request.clone().header(weaker.0, weaker.1)), FORBIDDEN, "{name}");
            assert_eq!(status(&mut browser, request.header("Content-Type", FORM)), FORBIDDEN, "{name}");
        }
    }
}

pub(crate) fn a_content_type_is_a_forms_whatever_bytes_its_parameters_have<S: Site>() {
    let form = post("/idle").header("Content-Type", b"application/x-www-form-urlencoded; charset=\xff");
    assert_eq!(status(&mut browser::<S>(Guard::new()), form), 200);
}

pub(crate) fn a_neighbours_cookie_that_is_no_text_does_not_hide_the_readable_token<S: Site>() {
    let mut browser = browser::<S>(Guard::readable());
    let readable = format!("XSRF-TOKEN={}", browser.token());
    let request = get("/idle").header("cookie", b"name=caf\xe9").header("cookie", readable);
    assert_eq!(browser.send(request).cookie_names(), [""; 0]);
}
