//! What Rocket's own forms, catchers and guards make of a form with a token. What it takes: `tests/guards`.

use std::error::Error as _;

use rocket::form::{Contextual, Strict};
use rocket::http::{ContentType, CookieJar, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, FromForm, Rocket, catch, catchers, get, post, routes};
use sealed_session::adapter::rocket::{CsrfFormGuardError, SessionFairing};
use sealed_session::adapter::{CsrfForm, CsrfFormError};
use sealed_session::{Session, SessionError, SessionManager};

use crate::support::{answer, bare, browser, on_server, store, text, values};

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

#[get("/comment")]
fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

#[post("/comment", data = "<form>")]
fn comment(session: Session, form: CsrfForm<Comment>) -> Result<String, SessionError> {
    session.increment("comments", 1)?;
    Ok(format!("{} {}", form.text, form.stars))
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
    let routes =
        routes![token, comment, borrowed, strict, contextual, failure, friendly, optional, token_alone, other_catcher];
    bare().attach(SessionFairing::new(store)).mount("/", routes)
}

/// A visitor of the application who has loaded a form.
struct Visitor {
    browser: Client,
    token: String,
}

impl Visitor {
    fn of(application: Rocket<Build>) -> Self {
        let browser = browser(application);
        let token = text(&browser, "/comment");
        Self { browser, token }
    }

    fn new() -> Self {
        Self::of(application(store()))
    }

    /// Posts a body as a form.
    fn post(&self, path: &'static str, body: impl AsRef<[u8]>) -> LocalResponse<'_> {
        self.browser.post(path).header(ContentType::Form).body(body).dispatch()
    }

    /// A good form but for this token field.
    fn post_with(&self, path: &'static str, field: &str) -> LocalResponse<'_> {
        self.post(path, format!("text=hello&stars=5{field}"))
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
fn a_form_may_borrow_of_the_request_and_arrives_decoded_and_in_order() {
    let visitor = Visitor::new();
    let body = format!("tags=1+%26+2&_csrf={}&&text=%C3%AB&tags=", visitor.token);
    assert_eq!(answer(visitor.post("/borrowed", body)), (200, r#"ë ["1 & 2", ""]"#.to_owned()));
}

#[test]
fn fields_are_read_leniently_unless_the_type_is_strict() {
    let visitor = Visitor::new();
    let field = format!("&more=1&_csrf={}", visitor.token);
    assert_taken(visitor.post_with("/comment", &field));
    assert_refused(visitor.post_with("/strict", &field), 422);
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
fn a_refusal_is_empty_whatever_catchers_there_are() {
    #[catch(default)]
    fn page() -> &'static str {
        "a catcher's page"
    }

    let visitor = Visitor::of(application(store()).register("/", catchers![page]));
    assert_refused(visitor.post_with("/comment", ""), 403);
    assert_refused(visitor.post("/comment", format!("stars=many&_csrf={}", visitor.token)), 422);
    let untyped = visitor.browser.post("/comment").body(format!("text=hello&_csrf={}", visitor.token));
    assert_refused(untyped.dispatch(), 415);
}

#[test]
fn a_handler_that_takes_the_failure_answers_as_it_likes() {
    let visitor = Visitor::new();
    let response = visitor.post_with("/friendly", "");
    let lines = values(&response, "Set-Cookie");
    assert!(matches!(lines.as_slice(), [line] if line.starts_with("theme=dark")), "{lines:?}");
    assert_eq!(answer(response), (403, "load the form again".to_owned()));

    let response = visitor.post("/friendly", format!("stars=many&_csrf={}", visitor.token));
    assert_eq!(answer(response), (422, "look at the fields again".to_owned()));
    assert_eq!(answer(visitor.post_with("/optional", "")), (403, "none".to_owned()));
}

#[test]
fn a_handler_that_takes_the_failure_may_leave_the_answer_to_another_catcher() {
    #[catch(404)]
    fn page() -> &'static str {
        "nothing here"
    }

    let visitor = Visitor::of(application(store()).register("/", catchers![page]));
    assert_eq!(answer(visitor.post_with("/other-catcher", "")), (404, "nothing here".to_owned()));
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
fn a_handler_that_takes_the_failure_answers_as_it_likes_where_the_store_is_down_too() {
    let (store, records) = on_server();
    let visitor = Visitor::of(application(store));
    let field = format!("&_csrf={}", visitor.token);
    // A session without entries is in its cookie alone.
    assert_taken(visitor.post_with("/comment", &field));
    records.go_down();
    assert_eq!(answer(visitor.post_with("/friendly", &field)), (200, "no session".to_owned()));
}
