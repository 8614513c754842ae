//! What the guard reads of a request, and what becomes of one that it refuses.

use super::{Answer, Application, Browser, FORM, Guard, OURS, Request, Site, faulty, get, manager, post};

const FORBIDDEN: u16 = 403;
const EVIL: &str = "https://evil.example";

fn browser<S: Site>() -> Browser<S> {
    Browser::logged_in(Application::guarded(manager(), Guard::new()))
}

/// The status of a request to the page that looks at no session, which ran if it passed.
#[track_caller]
pub(crate) fn status<S: Site>(browser: &mut Browser<S>, request: Request) -> u16 {
    // RFC 9110 §9.3.2 and §9.3.6
    let has_no_body = matches!(request.method, "HEAD" | "CONNECT");
    let answer = browser.send(request);
    match answer.status {
        200 if has_no_body => {}
        200 => assert_eq!(answer.text, "done"),
        refused => answer.assert_refused(refused),
    }
    answer.status
}

/// A status, and no header field of the session's.
#[track_caller]
fn assert_refused_without_a_trace<S: Site>(answer: &Answer, status: u16) {
    answer.assert_refused(status);
    let is_own = |name: &String| S::OWN_HEADERS.contains(&name.as_str());
    assert!(answer.headers.iter().all(|(name, _)| is_own(name)), "{:?}", answer.headers);
}

pub(crate) fn what_another_site_sends_is_refused_and_never_reaches_the_handler<S: Site>() {
    let mut browser = browser::<S>();
    let forged = [
        post("/act/write").header("Sec-Fetch-Site", "cross-site"),
        post("/act/write").header("Sec-Fetch-Site", "same-site"),
        post("/act/write").header("Origin", "null"),
        post("/act/write").header("Origin", EVIL),
    ];
    let forms = forged.clone().map(|request| request.header("Content-Type", FORM));
    let without_a_word = [post("/act/write").header("Content-Type", "application/json"), post("/act/write")];
    for request in [forged.as_slice(), &forms, &without_a_word].concat() {
        let answer = browser.send(request);
        assert_refused_without_a_trace::<S>(&answer, FORBIDDEN);
    }
    assert_eq!(browser.visit(|session| session.get("user")), Some(42));
    // Which it does.
    browser.send(post("/act/write").header("Sec-Fetch-Site", "same-origin")).assert_says("done");
    assert_eq!(browser.visit(|session| session.get("user")), Some(43));
}

pub(crate) fn what_our_own_pages_send_passes<S: Site>() {
    let mut browser = browser::<S>();
    let token = browser.token();
    for (name, value) in [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", OURS),
        ("X-CSRF-Token", token.as_str()),
        ("X-XSRF-TOKEN", token.as_str()),
        // Verified by the handler.
        ("Content-Type", FORM),
    ] {
        assert_eq!(status(&mut browser, post("/idle").header(name, value)), 200, "{name}");
    }
}

pub(crate) fn a_guard_without_an_origin_takes_none<S: Site>() {
    let guard = Guard { origin: None, ..Guard::new() };
    let mut browser = Browser::<S>::logged_in(Application::guarded(manager(), guard));
    assert_eq!(status(&mut browser, post("/idle").header("Origin", OURS)), FORBIDDEN);
}

pub(crate) fn a_safe_method_passes_whatever_its_headers_say<S: Site>() {
    let mut browser = browser::<S>();
    for method in ["GET", "HEAD", "OPTIONS"] {
        let request = get("/idle").method(method);
        assert_eq!(status(&mut browser, request.clone()), 200, "{method}");
        let forged = request.header("Sec-Fetch-Site", "cross-site").header("X-CSRF-Token", "junk");
        assert_eq!(status(&mut browser, forged), 200, "{method}");
    }
}

pub(crate) fn every_other_method_needs_a_proof<S: Site>() {
    let mut browser = browser::<S>();
    for method in [&["POST", "PUT", "PATCH", "DELETE"], S::OTHER_METHODS].concat() {
        let request = get("/idle").method(method);
        assert_eq!(status(&mut browser, request.clone()), FORBIDDEN, "{method}");
        let proven = request.header("Sec-Fetch-Site", "same-origin");
        assert_eq!(status(&mut browser, proven), 200, "{method}");
    }
}

pub(crate) fn a_wrong_token_is_refused_whatever_the_browser_says<S: Site>() {
    let mut browser = browser::<S>();
    let (token, of_another_session) = (browser.token(), self::browser::<S>().token());
    for wrong in ["", "x", "\u{eb}", &of_another_session, &token[1..]] {
        let request = post("/idle").header("X-CSRF-Token", wrong).header("Sec-Fetch-Site", "same-origin");
        assert_eq!(status(&mut browser, request), FORBIDDEN, "{wrong}");
    }
    let both = post("/idle").header("X-XSRF-TOKEN", token).header("X-CSRF-Token", "wrong");
    assert_eq!(status(&mut browser, both), FORBIDDEN);
}

pub(crate) fn a_token_of_one_form_is_none_of_the_whole_session<S: Site>() {
    let mut browser = browser::<S>();
    let token = browser.visit(|session| session.csrf_token_for("POST /idle"));
    let request = post("/idle").header("X-CSRF-Token", token).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(status(&mut browser, request), FORBIDDEN);
}

pub(crate) fn the_first_of_several_equal_headers_decides<S: Site>() {
    let mut browser = browser::<S>();
    let token = browser.token();
    for (name, good, bad) in [
        ("X-CSRF-Token", token.as_str(), "wrong"),
        ("X-XSRF-TOKEN", token.as_str(), "wrong"),
        ("Sec-Fetch-Site", "same-origin", "cross-site"),
        ("Origin", OURS, EVIL),
        ("Content-Type", FORM, "text/plain"),
    ] {
        let both = |first, second| post("/idle").header(name, first).header(name, second);
        assert_eq!(status(&mut browser, both(good, bad)), 200, "{name}");
        assert_eq!(status(&mut browser, both(bad, good)), FORBIDDEN, "{name}");
    }
}

pub(crate) fn a_websocket_is_opened_by_our_own_pages_alone<S: Site>() {
    let mut browser = browser::<S>();
    for method in ["GET", "HEAD"] {
        for upgrades in [["h2c, WebSocket", "x"], ["h2c", "websocket"], ["h2c", "x, WebSocket"]] {
            let open = get("/idle").method(method).header("Upgrade", upgrades[0]).header("Upgrade", upgrades[1]);
            assert_eq!(status(&mut browser, open.clone().header("Origin", OURS)), 200);
            for (name, value) in [("Origin", EVIL), ("Sec-Fetch-Site", "cross-site"), ("Content-Type", FORM)] {
                assert_eq!(status(&mut browser, open.clone().header(name, value)), FORBIDDEN, "{name}");
            }
            assert_eq!(status(&mut browser, open), FORBIDDEN);
        }
        assert_eq!(status(&mut browser, get("/idle").method(method).header("Upgrade", "h2c")), 200);
    }
}

pub(crate) fn a_token_whose_store_does_not_answer_is_an_empty_503<S: Site>() {
    let (records, sessions) = faulty();
    let mut browser = Browser::<S>::logged_in(Application::guarded(sessions, Guard::new()));
    let (token, cookie) = (browser.token(), browser.jar.cookie_header());
    // Whether or not the page asks the store too.
    let requests = ["/idle", "/act/write"].map(|path| post(path).header("X-CSRF-Token", &token));
    for request in requests.clone() {
        records.go_down();
        assert_refused_without_a_trace::<S>(&browser.send(request), 503);
        records.come_up();
        assert_eq!(browser.jar.cookie_header(), cookie);
        assert_eq!(browser.visit(|session| session.get("user")), Some(42));
    }
    requests.into_iter().for_each(|request| browser.send(request).assert_says("done"));
}

pub(crate) fn the_session_is_asked_for_nothing_but_a_token<S: Site>() {
    let (records, sessions) = faulty();
    let mut browser = Browser::<S>::logged_in(Application::guarded(sessions, Guard::new()));
    records.take_calls();
    // So it passes where the store is down.
    records.go_down();
    for (name, value) in [("Sec-Fetch-Site", "same-origin"), ("Origin", OURS), ("Content-Type", FORM)] {
        assert_eq!(status(&mut browser, post("/idle").header(name, value)), 200, "{name}");
    }
    assert_eq!(status(&mut browser, post("/idle")), FORBIDDEN);
    assert_eq!(records.take_calls(), []);
}

pub(crate) fn a_session_that_the_guard_has_read_is_not_written_for_it<S: Site>() {
    let mut browser = browser::<S>();
    let token = browser.token();
    let answer = browser.send(post("/idle").header("X-CSRF-Token", token));
    answer.assert_says("done");
    assert_eq!(answer.cookie_names(), [""; 0]);
}

pub(crate) fn a_refusal_does_not_say_which_pages_there_are<S: Site>() {
    browser::<S>().send(post("/nowhere")).assert_refused(FORBIDDEN);
}

pub(crate) fn what_passes_and_is_not_found_is_a_404<S: Site>() {
    let mut browser = browser::<S>();
    for method in ["GET", "POST"] {
        let request = get("/nowhere").method(method).header("Sec-Fetch-Site", "none");
        assert_eq!(browser.send(request).status, 404, "{method}");
    }
}

pub(crate) fn the_body_of_what_passes_reaches_the_handler<S: Site>() {
    browser::<S>().send(post("/echo").header("Sec-Fetch-Site", "none").body("hello")).assert_says("hello");
}

pub(crate) fn an_origin_that_no_browser_sends_is_refused_as_a_setting<S: Site>() {
    let with = |origin| S::guard(&Guard { origin: Some(origin), ..Guard::new() });
    for origin in [
        "example.com",
        "https://",
        "https://Example.com",
        "https://example.com/",
        "https://example.com:443",
        "http://localhost:80",
        "null",
        "ftp://example.com",
        "https://user@example.com",
        "https://exämple.com",
    ] {
        assert_eq!(with(origin).unwrap_err().setting(), "origin", "{origin}");
    }
    for origin in ["https://example.com", "http://localhost:3011", "https://[::1]:8443", "https://xn--exmple-cua.com"] {
        assert!(with(origin).is_ok(), "{origin}");
    }
}

pub(crate) fn debug_output_of_a_guard_shows_its_origins<S: Site>() {
    let shown = format!("{:?}", S::guard(&Guard::new()).unwrap());
    assert!(shown.contains(OURS), "{shown}");
}
