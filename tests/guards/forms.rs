//! A form is taken only with a token of its session and scope.

use sealed_session::Session;

use super::marked::administrator;
use super::{Application, Browser, FORM, Guard, Request, Site, administrators, faulty, get, manager, post};

const FORBIDDEN: u16 = 403;

/// A browser that has loaded a form, and the form's token.
fn visitor<S: Site>() -> (Browser<S>, String) {
    visitor_of(Application::new(manager()), "/act/token")
}

fn visitor_of<S: Site>(application: Application, page: &str) -> (Browser<S>, String) {
    let mut browser = Browser::at(application);
    let token = browser.open(page);
    (browser, token)
}

/// A good form but for this token field.
fn comment(path: &str, field: &str) -> Request {
    post(path).form(format!("text=hello&stars=5{field}"))
}

/// How often the handler of comments has run.
fn comments<S: Site>(browser: &mut Browser<S>) -> u64 {
    browser.visit(|session| session.get_or("comments", 0))
}

pub(crate) fn a_form_with_its_token_is_taken_without_the_token_field<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    for name in ["_csrf", "csrf_token", "%5Fcsrf"] {
        // The second takes no other field.
        for path in ["/comment", "/strict"] {
            browser.send(comment(path, &format!("&{name}={token}"))).assert_says("hello 5");
        }
    }
}

pub(crate) fn other_fields_arrive_decoded_and_in_order<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let answer = browser.send(post("/pairs").form(format!("a=1+%26+2&_csrf={token}&&b=%C3%AB&a=")));
    answer.assert_says(r#"[("a", "1 & 2"), ("b", "ë"), ("a", "")]"#);
}

pub(crate) fn a_form_may_have_a_token_alone<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    browser.send(post("/pairs").form(format!("_csrf={token}"))).assert_says("[]");
    browser.send(post("/pairs").form("button=Log+out")).assert_refused(FORBIDDEN);
}

pub(crate) fn a_form_without_a_token_is_refused_and_its_handler_does_not_run<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    browser.send(comment("/comment", "")).assert_refused(FORBIDDEN);
    browser.send(post("/comment").form("")).assert_refused(FORBIDDEN);
    assert_eq!(comments(&mut browser), 0);
    browser.send(comment("/comment", &format!("&_csrf={token}"))).assert_says("hello 5");
    assert_eq!(comments(&mut browser), 1);
}

pub(crate) fn a_wrong_token_is_refused<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    for wrong in ["", "junk", "%FF", &token[1..]] {
        browser.send(comment("/comment", &format!("&_csrf={wrong}"))).assert_refused(FORBIDDEN);
    }
}

pub(crate) fn the_first_token_field_decides<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    browser.send(comment("/comment", &format!("&csrf_token=junk&_csrf={token}"))).assert_refused(FORBIDDEN);
    browser.send(comment("/comment", &format!("&csrf_token={token}&_csrf=junk"))).assert_says("hello 5");
}

pub(crate) fn a_token_of_another_session_is_refused<S: Site>() {
    let sessions = manager();
    let (mut browser, _) = visitor_of::<S>(Application::new(sessions.clone()), "/act/token");
    let (_, others) = visitor_of::<S>(Application::new(sessions), "/act/token");
    browser.send(comment("/comment", &format!("&_csrf={others}"))).assert_refused(FORBIDDEN);
}

pub(crate) fn a_token_without_a_session_is_refused<S: Site>() {
    let (browser, token) = visitor::<S>();
    browser.site.send(comment("/comment", &format!("&_csrf={token}"))).assert_refused(FORBIDDEN);
}

pub(crate) fn a_token_is_good_for_its_own_scope_alone<S: Site>() {
    for (page, own, other) in
        [("/act/transfer-token", "/transfer", "/comment"), ("/act/token", "/comment", "/transfer")]
    {
        let (mut browser, token) = visitor_of::<S>(Application::new(manager()), page);
        let field = format!("&_csrf={token}");
        browser.send(comment(own, &field)).assert_says("hello 5");
        browser.send(comment(other, &field)).assert_refused(FORBIDDEN);
    }
}

pub(crate) fn a_header_decides_in_place_of_the_field<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let field = format!("&_csrf={token}");
    for name in ["X-CSRF-Token", "X-XSRF-TOKEN"] {
        browser.send(comment("/comment", "").header(name, &token)).assert_says("hello 5");
        browser.send(comment("/comment", "&_csrf=junk").header(name, &token)).assert_says("hello 5");
        for wrong in ["junk", "", "\u{eb}"] {
            browser.send(comment("/comment", &field).header(name, wrong)).assert_refused(FORBIDDEN);
        }
        let twice = comment("/comment", &field).header(name, "junk").header(name, &token);
        browser.send(twice).assert_refused(FORBIDDEN);
    }
    let both = comment("/comment", &field).header("X-XSRF-TOKEN", &token).header("X-CSRF-Token", "junk");
    browser.send(both).assert_refused(FORBIDDEN);
}

pub(crate) fn a_header_carries_a_token_of_the_whole_session_whatever_the_forms_scope<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    browser.send(comment("/transfer", "").header("X-CSRF-Token", token)).assert_says("hello 5");
    let (mut browser, token) = visitor_of::<S>(Application::new(manager()), "/act/transfer-token");
    browser.send(comment("/transfer", "").header("X-CSRF-Token", token)).assert_refused(FORBIDDEN);
}

/// A form of so many bytes, with a token.
fn form_of(bytes: usize, token: &str) -> String {
    let start = format!("_csrf={token}&x=");
    let fill = "x".repeat(bytes - start.len());
    start + &fill
}

/// Forms of so many bytes are taken, and larger ones answered with 413 and this.
fn assert_is_limited_to<S: Site>(bytes: usize, application: Application, refusal: &str) {
    let (mut browser, token) = visitor_of::<S>(application, "/act/token");
    assert_eq!(browser.send(post("/pairs").form(form_of(bytes, &token))).status, 200);
    // Also where the limit is within a character.
    for too_large in [form_of(bytes + 1, &token), form_of(bytes - 1, &token) + "\u{eb}"] {
        let answer = browser.send(post("/pairs").form(too_large));
        assert_eq!((answer.status, answer.text.as_str(), answer.set_cookie.len()), (413, refusal, 0));
    }
}

pub(crate) fn a_body_over_the_applications_limit_is_refused<S: Site>() {
    let application = Application { limit_bytes: Some(1000), ..Application::new(manager()) };
    assert_is_limited_to::<S>(1000, application, S::TOO_LARGE);
}

pub(crate) fn without_a_limit_of_the_applications_the_frameworks_own_counts<S: Site>() {
    assert_is_limited_to::<S>(S::DEFAULT_LIMIT_BYTES, Application::new(manager()), "");
}

pub(crate) fn a_bad_head_is_refused_before_the_body_is_read<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let too_large = form_of(S::DEFAULT_LIMIT_BYTES + 1, &token);
    let forged = post("/pairs").form(too_large.clone()).header("X-CSRF-Token", "junk");
    browser.send(forged).assert_refused(FORBIDDEN);
    browser.send(post("/pairs").body(too_large)).assert_refused(415);
}

pub(crate) fn another_content_type_is_refused<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let untyped = post("/comment").body(format!("text=hello&stars=5&_csrf={token}"));
    for wrong in ["", "text/plain", "application/json", "multipart/form-data", "application/x-www-form-urlencoded-2"] {
        browser.send(untyped.clone().header("content-type", wrong)).assert_refused(415);
    }
    browser.send(untyped).assert_refused(415);
}

pub(crate) fn the_content_type_is_read_in_any_case_and_with_parameters<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let untyped = post("/comment").body(format!("text=hello&stars=5&_csrf={token}"));
    for good in [
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded ; charset=UTF-8",
        "application/x-www-form-urlencoded; charset=unheard-of",
    ] {
        browser.send(untyped.clone().header("content-type", good)).assert_says("hello 5");
    }
}

pub(crate) fn a_query_is_no_form<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let path = format!("/query?text=hello&stars=5&_csrf={token}");
    for method in ["GET", "POST"] {
        let query = get(path.as_str()).method(method);
        browser.send(query.clone().header("content-type", FORM)).assert_refused(FORBIDDEN);
        browser.send(query).assert_refused(415);
    }
}

pub(crate) fn fields_of_the_wrong_type_or_number_are_refused<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    for wrong in ["text=hello&stars=many", "text=hello&stars=256", "text=hello", ""] {
        for path in ["/comment", "/strict"] {
            browser.send(post(path).form(format!("{wrong}&_csrf={token}"))).assert_refused(422);
        }
    }
    browser.send(post("/strict").form(format!("text=a&stars=1&more=2&_csrf={token}"))).assert_refused(422);
}

pub(crate) fn a_forged_post_learns_nothing_of_the_fields<S: Site>() {
    let (mut browser, _) = visitor::<S>();
    browser.send(post("/comment").form("stars=many&_csrf=junk")).assert_refused(FORBIDDEN);
}

pub(crate) fn a_body_that_is_no_text_is_refused<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    browser.send(post("/comment").form(b"text=\xff&stars=5")).assert_refused(400);
    browser.send(post("/comment").form([b"text=\xff&stars=5&_csrf=", token.as_bytes()].concat())).assert_refused(400);
}

pub(crate) fn a_store_that_does_not_answer_is_an_empty_503_and_the_cookie_stays<S: Site>() {
    let (records, sessions) = faulty();
    let mut browser = Browser::<S>::logged_in(Application::new(sessions));
    let field = format!("&_csrf={}", browser.token());
    let cookie = browser.jar.cookie_header();
    records.go_down();
    browser.send(comment("/comment", &field)).assert_refused(503);
    records.come_up();
    assert_eq!(browser.jar.cookie_header(), cookie);
    browser.send(comment("/comment", &field)).assert_says("hello 5");
}

pub(crate) fn a_form_of_an_old_browser_passes_the_guard_and_is_held_to_its_field<S: Site>() {
    let (mut browser, token) = visitor_of::<S>(Application::guarded(manager(), Guard::new()), "/act/token");
    let field = format!("&_csrf={token}");
    browser.send(comment("/comment", &field)).assert_says("hello 5");
    browser.send(comment("/comment", "&_csrf=junk")).assert_refused(FORBIDDEN);
    browser.send(comment("/comment", &field).header("Sec-Fetch-Site", "cross-site")).assert_refused(FORBIDDEN);
}

pub(crate) fn debug_output_shows_no_fields<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let answer = browser.send(post("/debug").form(format!("text=hunter2&stars=5&_csrf={token}")));
    answer.assert_says("CsrfForm { .. }");
}

pub(crate) fn debug_output_of_a_refused_form_shows_nothing_that_was_typed<S: Site>() {
    let (mut browser, token) = visitor::<S>();
    let shown = browser.send(post("/why").form(format!("text=hello&stars=hunter2&_csrf={token}"))).text;
    assert!(shown.contains("Fields(..)") && !shown.contains("hunter2"), "{shown}");
    // Not as numbers either, which the debug output of bytes that are no UTF-8 has.
    let shown = browser.send(post("/why").form(b"text=hunter2\xff")).text;
    assert!(shown.contains("Body(") && !shown.contains("hunter2") && !shown.contains("104, 117, 110"), "{shown}");
}

pub(crate) fn a_marked_form_takes_tokens_of_its_own_session_alone<S: Site>() {
    let whole: fn(&Session) -> _ = Session::csrf_token;
    let scoped: fn(&Session) -> _ = |session| session.csrf_token_for("POST /transfer");
    for (token, everybodys, marked) in
        [(whole, "/comment", "/administration/comment"), (scoped, "/transfer", "/administration/transfer")]
    {
        let (mut browser, [theirs, ours]) = administrator::<S>(None, token);
        let (theirs, ours) = (format!("&_csrf={theirs}"), format!("&_csrf={ours}"));
        browser.send(comment(marked, &ours)).assert_says("hello 5");
        browser.send(comment(marked, &theirs)).assert_refused(FORBIDDEN);
        browser.send(comment(everybodys, &theirs)).assert_says("hello 5");
        browser.send(comment(everybodys, &ours)).assert_refused(FORBIDDEN);
    }
}

pub(crate) fn a_marked_form_needs_no_unmarked_session<S: Site>() {
    let alone = Application { administrators: Some(administrators()), ..Application::default() };
    let mut browser = Browser::<S>::at(alone);
    let token = browser.administrate(Session::csrf_token);
    browser.send(comment("/administration/comment", &format!("&_csrf={token}"))).assert_says("hello 5");
    browser.send(comment("/administration/comment", "")).assert_refused(FORBIDDEN);
}
