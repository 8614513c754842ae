//! Behaviour, section 5: a form is taken only with a token of its session and scope.

use std::error::Error as _;

use rocket::data::{Limits, ToByteUnit as _};
use rocket::form::{Contextual, Strict};
use rocket::http::{ContentType, CookieJar, Header, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, FromForm, Rocket, catch, catchers, get, post, routes};
use sealed_session::adapter::rocket::{CsrfFairing, CsrfFormGuardError, SessionFairing};
use sealed_session::adapter::{CsrfForm, CsrfFormError, CsrfScope, Marked};
use sealed_session::{Session, SessionError, SessionManager};

use crate::support::{answer, bare, browser, on_server, store, store_named, text, values};

#[derive(FromForm)]
struct Comment {
    text: String,
    stars: u8,
}

#[derive(FromForm)]
struct Borrowed<'r> {
    text: &'r str,
    tags: Vec<&'r str>,
}

#[derive(FromForm)]
struct Password<'r> {
    #[field(validate = len(20..))]
    #[expect(dead_code, reason = "it is never taken")]
    password: &'r str,
}

struct Transfer;

impl CsrfScope for Transfer {
    const SCOPE: &str = "POST /transfer";
}

struct Administration;

#[get("/comment")]
fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

#[get("/transfer")]
fn transfer_token(session: Session) -> Result<String, SessionError> {
    session.csrf_token_for(Transfer::SCOPE)
}

#[post("/comment", data = "<form>")]
fn comment(session: Session, form: CsrfForm<Comment>) -> Result<String, SessionError> {
    session.increment("comments", 1)?;
    Ok(format!("{} {}", form.text, form.stars))
}

#[get("/comments")]
fn comments(session: Session) -> Result<String, SessionError> {
    session.get_or("comments", 0).map(|comments| comments.to_string())
}

#[post("/transfer", data = "<form>")]
fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    format!("{} {}", form.text, form.stars)
}

#[post("/borrowed", data = "<form>")]
fn borrowed(form: CsrfForm<Borrowed<'_>>) -> String {
    format!("{} {:?}", form.text, form.tags)
}

#[post("/strict", data = "<form>")]
fn strict(form: CsrfForm<Strict<Comment>>) -> String {
    format!("{} {}", form.text, form.stars)
}

#[post("/contextual", data = "<form>")]
fn contextual(form: CsrfForm<Contextual<'_, Comment>>) -> String {
    format!("{:?} {:?}", form.value.value.is_some(), form.context.field_value("stars"))
}

#[post("/debug", data = "<form>")]
fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

#[post("/failure", data = "<form>")]
fn failure(form: Result<CsrfForm<Password<'_>>, CsrfFormGuardError>) -> String {
    let failure = form.err().unwrap();
    format!("{failure} {failure:?} {:?}", failure.source().map(ToString::to_string))
}

#[post("/friendly", data = "<form>")]
fn friendly(jar: &CookieJar<'_>, form: Result<CsrfForm<Comment>, CsrfFormGuardError>) -> (Status, &'static str) {
    jar.add(("theme", "dark"));
    match form {
        Ok(_) => (Status::Ok, "taken"),
        Err(CsrfFormGuardError::Form(CsrfFormError::Csrf(_))) => (Status::Forbidden, "load the form again"),
        Err(CsrfFormGuardError::Form(_)) => (Status::UnprocessableEntity, "look at the fields again"),
        Err(_) => (Status::Ok, "no session"),
    }
}

#[post("/optional", data = "<form>")]
fn optional(form: Option<CsrfForm<Comment>>) -> (Status, &'static str) {
    (Status::Forbidden, if form.is_some() { "some" } else { "none" })
}

#[post("/token-alone", data = "<_form>")]
fn token_alone(_form: CsrfForm<Option<String>>) -> &'static str {
    "done"
}

#[post("/other-catcher", data = "<form>")]
fn other_catcher(form: Result<CsrfForm<Comment>, CsrfFormGuardError>) -> Status {
    if form.is_ok() { Status::Ok } else { Status::NotFound }
}

fn application(store: SessionManager) -> Rocket<Build> {
    let bounded = bare().figment().clone().merge(("limits", Limits::default().limit("form", 1000.bytes())));
    bare().configure(bounded).attach(SessionFairing::new(store)).mount(
        "/",
        routes![
            token,
            transfer_token,
            comment,
            comments,
            transfer,
            borrowed,
            strict,
            contextual,
            debug,
            failure,
            friendly,
            optional,
            token_alone,
            other_catcher
        ],
    )
}

/// A visitor of the application who has loaded a form.
struct Visitor {
    browser: Client,
    token: String,
}

impl Visitor {
    fn of(application: Rocket<Build>, page: &str) -> Self {
        let browser = browser(application);
        let token = text(&browser, page);
        Self { browser, token }
    }

    fn new() -> Self {
        Self::of(application(store()), "/comment")
    }

    /// Posts a body as a form.
    fn post(&self, path: &'static str, body: impl AsRef<[u8]>) -> LocalResponse<'_> {
        self.browser.post(path).header(ContentType::Form).body(body).dispatch()
    }

    /// A good form but for this token field, and these header fields.
    fn post_with(&self, path: &'static str, headers: &[(&'static str, &str)], field: &str) -> LocalResponse<'_> {
        let request = self.browser.post(path).header(ContentType::Form).body(format!("text=hello&stars=5{field}"));
        let headers = headers.iter().map(|(name, value)| Header::new(*name, (*value).to_owned()));
        headers.fold(request, |request, header| request.header(header)).dispatch()
    }

    /// The same as content of this type, or of none.
    fn post_as(&self, content_type: Option<&'static str>) -> LocalResponse<'_> {
        let request = self.browser.post("/comment").body(format!("text=hello&stars=5&_csrf={}", self.token));
        let headers = content_type.map(|content_type| Header::new("Content-Type", content_type));
        headers.into_iter().fold(request, |request, header| request.header(header)).dispatch()
    }
}

fn assert_taken(response: LocalResponse<'_>) {
    assert_eq!(answer(response), (200, "hello 5".to_owned()));
}

fn assert_refused(response: LocalResponse<'_>, status: u16) {
    assert_eq!(values(&response, "Content-Type"), [""; 0]);
    assert_eq!(answer(response), (status, String::new()));
}

#[test]
fn a_form_with_its_token_is_taken_without_the_token_field() {
    let visitor = Visitor::new();
    for name in ["_csrf", "csrf_token", "%5Fcsrf"] {
        let field = format!("&{name}={}", visitor.token);
        assert_taken(visitor.post_with("/comment", &[], &field));
        assert_taken(visitor.post_with("/strict", &[], &field));
    }
}

#[test]
fn a_form_may_borrow_of_the_request_and_arrives_decoded_and_in_order() {
    let visitor = Visitor::new();
    let body = format!("tags=1+%26+2&_csrf={}&&text=%C3%AB&tags=", visitor.token);
    assert_eq!(answer(visitor.post("/borrowed", body)), (200, r#"ë ["1 & 2", ""]"#.to_owned()));
}

#[test]
fn fields_are_read_leniently_unless_the_type_is_strict() {
    let visitor = Visitor::new();
    let field = format!("&more=1&_csrf={}", visitor.token);
    assert_taken(visitor.post_with("/comment", &[], &field));
    assert_refused(visitor.post_with("/strict", &[], &field), 422);
}

#[test]
fn a_contextual_form_has_the_fields_that_were_wrong_but_not_without_a_token() {
    let visitor = Visitor::new();
    let response = visitor.post("/contextual", format!("text=hello&stars=many&_csrf={}", visitor.token));
    assert_eq!(answer(response), (200, r#"false Some("many")"#.to_owned()));
    assert_refused(visitor.post("/contextual", "text=hello&stars=many"), 403);
}

#[test]
fn a_form_may_have_a_token_alone() {
    let visitor = Visitor::new();
    for body in [format!("_csrf={}", visitor.token), format!("_csrf={}&button=Log+out", visitor.token)] {
        assert_eq!(answer(visitor.post("/token-alone", body)), (200, "done".to_owned()));
    }
    assert_refused(visitor.post("/token-alone", "button=Log+out"), 403);
}

#[test]
fn a_form_without_a_token_is_refused_and_its_handler_does_not_run() {
    let visitor = Visitor::new();
    assert_refused(visitor.post_with("/comment", &[], ""), 403);
    assert_refused(visitor.post("/comment", ""), 403);
    assert_eq!(text(&visitor.browser, "/comments"), "0");
}

#[test]
fn a_wrong_token_is_refused() {
    let visitor = Visitor::new();
    let cut = &visitor.token[1..];
    for wrong in ["", "junk", "%FF", cut] {
        assert_refused(visitor.post_with("/comment", &[], &format!("&_csrf={wrong}")), 403);
    }
}

#[test]
fn the_first_token_field_decides() {
    let visitor = Visitor::new();
    let good = &visitor.token;
    assert_refused(visitor.post_with("/comment", &[], &format!("&csrf_token=junk&_csrf={good}")), 403);
    assert_taken(visitor.post_with("/comment", &[], &format!("&csrf_token={good}&_csrf=junk")));
}

#[test]
fn a_token_of_another_session_is_refused() {
    let store = store();
    let visitor = Visitor::of(application(store.clone()), "/comment");
    let other = Visitor::of(application(store), "/comment");
    assert_refused(visitor.post_with("/comment", &[], &format!("&_csrf={}", other.token)), 403);
}

#[test]
fn a_token_without_a_session_is_refused() {
    let store = store();
    let token = Visitor::of(application(store.clone()), "/comment").token;
    let guest = Visitor { browser: browser(application(store)), token };
    assert_refused(guest.post_with("/comment", &[], &format!("&_csrf={}", guest.token)), 403);
}

#[test]
fn a_token_is_good_for_its_own_scope_alone() {
    let visitor = Visitor::of(application(store()), "/transfer");
    let field = format!("&_csrf={}", visitor.token);
    assert_taken(visitor.post_with("/transfer", &[], &field));
    assert_refused(visitor.post_with("/comment", &[], &field), 403);

    let visitor = Visitor::new();
    let field = format!("&_csrf={}", visitor.token);
    assert_refused(visitor.post_with("/transfer", &[], &field), 403);
}

#[test]
fn a_header_decides_in_place_of_the_field() {
    let visitor = Visitor::new();
    let good = visitor.token.as_str();
    for name in ["X-CSRF-Token", "X-XSRF-TOKEN"] {
        assert_taken(visitor.post_with("/comment", &[(name, good)], ""));
        assert_taken(visitor.post_with("/comment", &[(name, good)], "&_csrf=junk"));
        for wrong in ["junk", "", "\u{eb}"] {
            assert_refused(visitor.post_with("/comment", &[(name, wrong)], &format!("&_csrf={good}")), 403);
        }
    }
    assert_refused(visitor.post_with("/comment", &[("X-XSRF-TOKEN", good), ("X-CSRF-Token", "junk")], ""), 403);
    assert_refused(visitor.post_with("/comment", &[("X-CSRF-Token", "junk"), ("X-CSRF-Token", good)], ""), 403);
}

#[test]
fn a_header_carries_a_token_of_the_whole_session_whatever_the_forms_scope() {
    let visitor = Visitor::new();
    assert_taken(visitor.post_with("/transfer", &[("X-CSRF-Token", &visitor.token)], ""));
    let visitor = Visitor::of(application(store()), "/transfer");
    assert_refused(visitor.post_with("/transfer", &[("X-CSRF-Token", &visitor.token)], ""), 403);
}

#[test]
fn a_body_over_the_limit_of_forms_is_refused() {
    let visitor = Visitor::new();
    let body = |fill: usize| {
        let fields = format!("stars=5&_csrf={}&text=", visitor.token);
        let fill = fill - fields.len();
        fields + &"x".repeat(fill)
    };
    assert_eq!(visitor.post("/comment", body(1000)).status(), Status::Ok);
    assert_refused(visitor.post("/comment", body(1001)), 413);
    // Also where the limit is within a character.
    assert_refused(visitor.post("/comment", format!("{}\u{eb}", body(999))), 413);
}

#[test]
fn a_bad_header_is_refused_before_the_body_is_read() {
    let visitor = Visitor::new();
    let too_long = "x".repeat(1000);
    assert_refused(visitor.post_with("/comment", &[("X-CSRF-Token", "junk")], &too_long), 403);
}

#[test]
fn another_content_type_is_refused() {
    let visitor = Visitor::new();
    for wrong in ["", "text/plain", "application/json", "multipart/form-data", "application/x-www-form-urlencoded-2"] {
        assert_refused(visitor.post_as(Some(wrong)), 415);
    }
    assert_refused(visitor.post_as(None), 415);
}

#[test]
fn the_content_type_is_read_in_any_case_and_with_parameters() {
    let visitor = Visitor::new();
    for good in ["Application/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded ; charset=UTF-8"] {
        assert_taken(visitor.post_as(Some(good)));
    }
}

#[test]
fn fields_of_the_wrong_type_or_number_are_refused() {
    let visitor = Visitor::new();
    for wrong in ["text=hello&stars=many", "text=hello&stars=256", "text=hello", ""] {
        assert_refused(visitor.post("/comment", format!("{wrong}&_csrf={}", visitor.token)), 422);
    }
}

#[test]
fn a_forged_post_learns_nothing_of_the_fields() {
    assert_refused(Visitor::new().post("/comment", "stars=many&_csrf=junk"), 403);
}

#[test]
fn a_body_that_is_no_text_is_refused() {
    assert_refused(Visitor::new().post("/comment", b"text=\xff&stars=5"), 400);
}

#[test]
fn a_store_that_is_down_is_an_empty_503() {
    let (store, records) = on_server();
    let visitor = Visitor::of(application(store), "/comment");
    let field = format!("&_csrf={}", visitor.token);
    // A session without entries is in its cookie alone.
    assert_taken(visitor.post_with("/comment", &[], &field));
    records.go_down();
    assert_refused(visitor.post_with("/comment", &[], &field), 503);
    let friendly = visitor.post_with("/friendly", &[], &field);
    assert_eq!(answer(friendly), (200, "no session".to_owned()));
}

#[test]
fn a_refusal_is_empty_whatever_catchers_there_are() {
    #[catch(default)]
    fn page() -> &'static str {
        "a catcher's page"
    }

    let visitor = Visitor::of(application(store()).register("/", catchers![page]), "/comment");
    assert_refused(visitor.post_with("/comment", &[], ""), 403);
    assert_refused(visitor.post("/comment", format!("stars=many&_csrf={}", visitor.token)), 422);
    assert_refused(visitor.post_as(None), 415);
}

#[test]
fn a_handler_that_takes_the_failure_answers_as_it_likes() {
    let visitor = Visitor::new();
    let response = visitor.post_with("/friendly", &[], "");
    let lines = values(&response, "Set-Cookie");
    assert!(matches!(lines.as_slice(), [line] if line.starts_with("theme=dark")), "{lines:?}");
    assert_eq!(answer(response), (403, "load the form again".to_owned()));

    let response = visitor.post("/friendly", format!("stars=many&_csrf={}", visitor.token));
    assert_eq!(answer(response), (422, "look at the fields again".to_owned()));
    assert_eq!(answer(visitor.post_with("/optional", &[], "")), (403, "none".to_owned()));
}

#[test]
fn a_handler_that_takes_the_failure_may_leave_the_answer_to_another_catcher() {
    #[catch(404)]
    fn page() -> &'static str {
        "nothing here"
    }

    let visitor = Visitor::of(application(store()).register("/", catchers![page]), "/comment");
    assert_eq!(answer(visitor.post_with("/other-catcher", &[], "")), (404, "nothing here".to_owned()));
}

#[test]
fn the_failure_says_what_is_wrong_and_quotes_nothing_that_was_typed() {
    let visitor = Visitor::new();
    let response = visitor.post("/failure", format!("password=hunter2&_csrf={}", visitor.token));
    let (status, shown) = answer(response);
    // Rocket writes the failure of a guard into its log.
    assert_eq!(status, 200);
    assert!(shown.starts_with("the form's fields are not those"), "{shown}");
    assert!(shown.contains("at least 20") && !shown.contains("hunter2"), "{shown}");
    // Not as numbers either, of which the bytes that are no UTF-8 would be told.
    let (_, shown) = answer(visitor.post("/failure", b"password=hunter2\xff"));
    assert!(shown.contains("utf-8") && !shown.contains("104, 117, 110"), "{shown}");
}

#[test]
fn debug_output_shows_no_fields() {
    let visitor = Visitor::new();
    let response = visitor.post("/debug", format!("text=hunter2&stars=5&_csrf={}", visitor.token));
    assert_eq!(answer(response), (200, "CsrfForm { .. }".to_owned()));
}

#[test]
fn a_form_of_an_old_browser_passes_the_fairing_and_is_held_to_its_field() {
    let visitor = Visitor::of(application(store()).attach(CsrfFairing::new()), "/comment");
    assert_taken(visitor.post_with("/comment", &[], &format!("&_csrf={}", visitor.token)));
    assert_refused(visitor.post_with("/comment", &[], "&_csrf=junk"), 403);
    let field = format!("&_csrf={}", visitor.token);
    assert_refused(visitor.post_with("/comment", &[("Sec-Fetch-Site", "cross-site")], &field), 403);
}

mod marked {
    use super::*;

    #[get("/marked")]
    fn marked_token(session: Marked<Session, Administration>) -> Result<String, SessionError> {
        session.csrf_token_for(Transfer::SCOPE)
    }

    #[post("/marked", data = "<form>")]
    fn marked(form: Marked<CsrfForm<Comment, Transfer>, Administration>) -> String {
        format!("{} {}", form.text, form.stars)
    }

    fn both() -> Rocket<Build> {
        let administrators = SessionFairing::new(store_named("__Host-administration")).marked::<Administration>();
        application(store()).attach(administrators).mount("/", routes![marked_token, marked])
    }

    #[test]
    fn a_marked_form_takes_a_token_of_the_session_with_its_marker_alone() {
        let visitor = Visitor::of(both(), "/marked");
        let field = format!("&_csrf={}", visitor.token);
        assert_taken(visitor.post_with("/marked", &[], &field));
        assert_refused(visitor.post_with("/transfer", &[], &field), 403);

        let visitor = Visitor::of(both(), "/transfer");
        assert_refused(visitor.post_with("/marked", &[], &format!("&_csrf={}", visitor.token)), 403);
    }

    #[test]
    fn a_marked_form_needs_no_unmarked_session() {
        let administrators = SessionFairing::new(store()).marked::<Administration>();
        let visitor = Visitor::of(bare().attach(administrators).mount("/", routes![marked_token, marked]), "/marked");
        assert_taken(visitor.post_with("/marked", &[], &format!("&_csrf={}", visitor.token)));
        assert_refused(visitor.post_with("/marked", &[], ""), 403);
    }
}
