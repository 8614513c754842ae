//! Behaviour, section 5: a form is taken only with a token of its session and scope.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, COOKIE};
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes};
use actix_web::{App, Error};
use http_body_util::{BodyDataStream, BodyExt as _, Full};
use sealed_session::adapter::actix_web::{CsrfFormExtractionError, SessionMiddleware};
use sealed_session::adapter::{CsrfForm, CsrfFormError, CsrfScope, Marked};
use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::{CookieJar, FaultyStore, ManualClock};
use sealed_session::{Key, Placement, Session, SessionError, SessionManager};
use serde::Deserialize;

use crate::support::{Answer, middleware, open, send, send_streamed};

const FORM: &str = "application/x-www-form-urlencoded";
const LIMIT_BYTES: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Comment {
    text: String,
    stars: u8,
}

struct Transfer;

impl CsrfScope for Transfer {
    const SCOPE: &str = "POST /transfer";
}

struct Administration;

async fn token(session: Session) -> Result<String, SessionError> {
    session.csrf_token()
}

async fn transfer_token(session: Session) -> Result<String, SessionError> {
    session.csrf_token_for(Transfer::SCOPE)
}

async fn administration_token(session: Marked<Session, Administration>) -> Result<String, SessionError> {
    session.csrf_token_for(Transfer::SCOPE)
}

async fn comment(form: CsrfForm<Comment>) -> String {
    format!("{} {}", form.text, form.stars)
}

async fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    format!("{} {}", form.text, form.stars)
}

async fn administration(form: Marked<CsrfForm<Comment, Transfer>, Administration>) -> String {
    format!("{} {}", form.text, form.stars)
}

async fn pairs(form: CsrfForm<Vec<(String, String)>>) -> String {
    format!("{:?}", form.value)
}

async fn bytes(form: CsrfForm<Vec<(String, String)>>) -> String {
    form.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>().to_string()
}

async fn second(first: Bytes, form: CsrfForm<Comment>) -> String {
    format!("{first:?} {form:?}")
}

async fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

fn routes(configuration: &mut web::ServiceConfig) {
    configuration
        .service(web::resource("/comment").get(token).post(comment))
        .service(web::resource("/transfer").get(transfer_token).post(transfer))
        .service(web::resource("/administration").get(administration_token).post(administration))
        .service(web::resource("/pairs").post(pairs))
        .service(web::resource("/bytes").post(bytes))
        .service(web::resource("/second").post(second))
        .service(web::resource("/debug").post(debug));
}

/// A visitor of the application who has loaded a form.
struct Visitor {
    sessions: SessionMiddleware,
    cookie: String,
    token: String,
}

impl Visitor {
    fn of(sessions: SessionMiddleware, page: &str) -> Self {
        let answer = open(App::new().wrap(sessions.clone()).configure(routes), page, "");
        Self { cookie: answer.cookie(), token: answer.text, sessions }
    }

    fn new() -> Self {
        Self::of(middleware(), "/comment")
    }

    /// A request with the cookie alone.
    fn request(&self, path: &str) -> TestRequest {
        TestRequest::post().uri(path).insert_header((COOKIE, self.cookie.as_str()))
    }

    fn send(&self, request: TestRequest) -> Answer {
        send_streamed(self.application(), request, None)
    }

    fn application(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<>>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let limit = web::PayloadConfig::new(LIMIT_BYTES);
        App::new().app_data(limit).wrap(self.sessions.clone()).configure(routes)
    }

    fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(self.request(path).insert_header(("content-type", FORM)).set_payload(body))
    }

    /// A good form but for this token field, and these header fields.
    fn post_with(&self, path: &str, headers: &[(&str, &str)], field: &str) -> Answer {
        let request = self.request(path).insert_header(("content-type", FORM));
        let request = headers.iter().fold(request, |request, header| request.insert_header(*header));
        self.send(request.set_payload(format!("text=hello&stars=5{field}")))
    }
}

#[track_caller]
fn assert_taken(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (200, "hello 5"));
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16) {
    assert_eq!((answer.status, answer.text.as_str()), (status, ""));
}

/// A body in these pieces, which then ends as this says, and a note of whether anybody asked for how it ends.
fn stream(start: &str, end: Option<PayloadError>) -> (Payload, Rc<Cell<bool>>) {
    let is_read = Rc::new(Cell::new(false));
    let note = Rc::clone(&is_read);
    let body = Full::new(Bytes::from(start.to_owned())).map_err(|never| match never {}).with_trailers(async move {
        note.set(true);
        end.map(Err)
    });
    (Payload::Stream { payload: Box::pin(BodyDataStream::new(body)) }, is_read)
}

#[test]
fn a_form_with_its_token_is_taken_without_the_token_field() {
    let visitor = Visitor::new();
    for name in ["_csrf", "csrf_token", "%5Fcsrf"] {
        assert_taken(&visitor.post_with("/comment", &[], &format!("&{name}={}", visitor.token)));
    }
}

#[test]
fn other_fields_arrive_decoded_and_in_order() {
    let visitor = Visitor::new();
    let answer = visitor.post("/pairs", format!("a=1+%26+2&_csrf={}&&b=%C3%AB&a=", visitor.token));
    assert_eq!(answer.text, r#"[("a", "1 & 2"), ("b", "ë"), ("a", "")]"#);
}

#[test]
fn a_form_without_a_token_is_refused() {
    let visitor = Visitor::new();
    assert_refused(&visitor.post_with("/comment", &[], ""), 403);
    assert_refused(&visitor.post("/comment", ""), 403);
}

#[test]
fn a_wrong_token_is_refused() {
    let visitor = Visitor::new();
    for wrong in ["", "junk", "%FF", &visitor.token[1..]] {
        assert_refused(&visitor.post_with("/comment", &[], &format!("&_csrf={wrong}")), 403);
    }
}

#[test]
fn the_first_token_field_decides() {
    let visitor = Visitor::new();
    let good = &visitor.token;
    assert_refused(&visitor.post_with("/comment", &[], &format!("&csrf_token=junk&_csrf={good}")), 403);
    assert_taken(&visitor.post_with("/comment", &[], &format!("&csrf_token={good}&_csrf=junk")));
}

#[test]
fn a_token_of_another_session_or_of_none_is_refused() {
    let mut visitor = Visitor::new();
    let other = Visitor::of(visitor.sessions.clone(), "/comment");
    assert_refused(&visitor.post_with("/comment", &[], &format!("&_csrf={}", other.token)), 403);
    visitor.cookie.clear();
    assert_refused(&visitor.post_with("/comment", &[], &format!("&_csrf={}", visitor.token)), 403);
}

#[test]
fn a_token_is_good_for_its_own_scope_alone() {
    let visitor = Visitor::of(middleware(), "/transfer");
    let field = format!("&_csrf={}", visitor.token);
    assert_taken(&visitor.post_with("/transfer", &[], &field));
    assert_refused(&visitor.post_with("/comment", &[], &field), 403);

    let visitor = Visitor::new();
    assert_refused(&visitor.post_with("/transfer", &[], &format!("&_csrf={}", visitor.token)), 403);
}

#[test]
fn a_header_decides_in_place_of_the_field() {
    let visitor = Visitor::new();
    let good = visitor.token.as_str();
    for name in ["x-csrf-token", "x-xsrf-token"] {
        assert_taken(&visitor.post_with("/comment", &[(name, good)], ""));
        assert_taken(&visitor.post_with("/comment", &[(name, good)], "&_csrf=junk"));
        for wrong in ["junk", "", "\u{eb}"] {
            let answer = visitor.post_with("/comment", &[(name, wrong)], &format!("&_csrf={good}"));
            assert_refused(&answer, 403);
        }
    }
    let both = [("x-xsrf-token", good), ("x-csrf-token", "junk")];
    assert_refused(&visitor.post_with("/comment", &both, ""), 403);
}

#[test]
fn a_header_carries_a_token_of_the_whole_session_whatever_the_forms_scope() {
    let visitor = Visitor::new();
    assert_taken(&visitor.post_with("/transfer", &[("x-csrf-token", &visitor.token)], ""));
    let visitor = Visitor::of(middleware(), "/transfer");
    assert_refused(&visitor.post_with("/transfer", &[("x-csrf-token", &visitor.token)], ""), 403);
}

#[test]
fn a_body_over_the_applications_limit_is_refused() {
    let visitor = Visitor::new();
    let of_bytes = |bytes: usize| {
        let start = format!("_csrf={}&x=", visitor.token);
        format!("{start}{}", "x".repeat(bytes - start.len()))
    };
    let form = || visitor.request("/bytes").insert_header(("content-type", FORM));
    for (bytes, status) in [(LIMIT_BYTES, 200), (LIMIT_BYTES + 1, 413)] {
        let declared = visitor.post("/bytes", of_bytes(bytes));
        let counted = send_streamed(visitor.application(), form(), Some(stream(&of_bytes(bytes), None).0));
        for answer in [declared, counted] {
            assert_eq!((answer.status, answer.text.is_empty()), (status, status != 200), "{bytes}");
        }
    }
}

#[test]
fn without_a_limit_of_the_applications_the_frameworks_own_for_bodies_counts() {
    let visitor = Visitor::new();
    // Not that of `web::Form`, which nobody else can read.
    let application = || {
        let forms = web::FormConfig::default().limit(LIMIT_BYTES);
        App::new().app_data(forms).wrap(visitor.sessions.clone()).configure(routes)
    };
    let start = format!("_csrf={}&x=", visitor.token);
    for (bytes, status) in [(256 * 1024, 200), (256 * 1024 + 1, 413)] {
        let body = format!("{start}{}", "x".repeat(bytes - start.len()));
        let request = visitor.request("/bytes").insert_header(("content-type", FORM)).set_payload(body);
        assert_eq!(send(application(), request).status, status, "{bytes}");
    }
}

#[test]
fn a_bad_header_is_refused_before_the_body_is_read() {
    let visitor = Visitor::new();
    for (token, status) in [("junk", 403), (visitor.token.as_str(), 200)] {
        let (body, is_read) = stream("text=hello&stars=5", None);
        let request = visitor.request("/comment").insert_header(("content-type", FORM));
        let request = request.insert_header(("x-csrf-token", token));
        assert_eq!(send_streamed(visitor.application(), request, Some(body)).status, status);
        assert_eq!(is_read.get(), status == 200);
    }
    assert_refused(&visitor.post_with("/comment", &[("x-csrf-token", "junk")], &"x".repeat(LIMIT_BYTES)), 403);
}

#[test]
fn another_content_type_is_refused() {
    let visitor = Visitor::new();
    let body = format!("text=hello&stars=5&_csrf={}", visitor.token);
    for wrong in ["", "text/plain", "application/json", "multipart/form-data", "application/x-www-form-urlencoded-2"] {
        let request = visitor.request("/comment").insert_header(("content-type", wrong));
        assert_refused(&visitor.send(request.set_payload(body.clone())), 415);
    }
    assert_refused(&visitor.send(visitor.request("/comment").set_payload(body)), 415);
}

#[test]
fn the_content_type_is_read_in_any_case_and_with_parameters() {
    let visitor = Visitor::new();
    for good in [
        "Application/X-WWW-Form-Urlencoded",
        "application/x-www-form-urlencoded ; charset=UTF-8",
        "application/x-www-form-urlencoded; charset=unheard-of",
    ] {
        let request = visitor.request("/comment").insert_header(("content-type", good));
        assert_taken(&visitor.send(request.set_payload(format!("text=hello&stars=5&_csrf={}", visitor.token))));
    }
}

#[test]
fn fields_of_the_wrong_type_or_number_are_refused() {
    let visitor = Visitor::new();
    for wrong in ["text=hello&stars=many", "text=hello&stars=256", "text=hello", "text=a&stars=1&more=2", ""] {
        assert_refused(&visitor.post("/comment", format!("{wrong}&_csrf={}", visitor.token)), 422);
    }
}

#[test]
fn a_forged_post_learns_nothing_of_the_fields() {
    assert_refused(&Visitor::new().post("/comment", "stars=many&_csrf=junk"), 403);
}

#[test]
fn a_body_that_is_no_text_is_refused() {
    let visitor = Visitor::new();
    let body = [b"text=\xff&stars=5&_csrf=", visitor.token.as_bytes()].concat();
    assert_refused(&visitor.post("/comment", body), 400);
}

#[test]
fn a_body_that_breaks_off_is_refused() {
    let visitor = Visitor::new();
    let whole = format!("text=hello&stars=5&_csrf={}", visitor.token);
    for (end, status) in [(None, 200), (Some(PayloadError::Incomplete(None)), 400)] {
        let request = visitor.request("/comment").insert_header(("content-type", FORM));
        let answer = send_streamed(visitor.application(), request, Some(stream(&whole, end).0));
        assert_eq!((answer.status, answer.text.is_empty()), (status, status == 400));
    }
}

#[test]
fn a_length_that_is_no_number_is_refused() {
    let visitor = Visitor::new();
    let request = visitor.request("/comment").insert_header(("content-type", FORM)).set_payload("text=hello&stars=5");
    assert_refused(&visitor.send(request.insert_header((CONTENT_LENGTH, "many"))), 400);
}

#[test]
fn a_form_behind_another_extractor_of_the_body_is_refused() {
    let visitor = Visitor::new();
    assert_refused(&visitor.post_with("/second", &[], &format!("&_csrf={}", visitor.token)), 403);
}

#[test]
fn a_marked_form_needs_a_token_of_the_session_with_its_marker() {
    let attributes = CookieAttributes::new().name("__Host-administration");
    let administrators = SessionManager::builder(Key::generate().unwrap()).cookie(attributes).build().unwrap();
    let administrators = SessionMiddleware::new(administrators).marked::<Administration>();
    let customers = middleware();
    let application = || App::new().wrap(administrators.clone()).wrap(customers.clone()).configure(routes);
    let (ours, theirs) = (open(application(), "/administration", ""), open(application(), "/transfer", ""));
    let cookies = format!("{}; {}", ours.cookie(), theirs.cookie());
    let post = |path: &str, token: &str| {
        let request = TestRequest::post().uri(path).insert_header(("content-type", FORM));
        let request = request.insert_header((COOKIE, cookies.as_str()));
        send(application(), request.set_payload(format!("text=hello&stars=5&_csrf={token}")))
    };
    assert_taken(&post("/administration", &ours.text));
    assert_refused(&post("/administration", &theirs.text), 403);
    assert_taken(&post("/transfer", &theirs.text));
    assert_refused(&post("/transfer", &ours.text), 403);
}

#[test]
fn without_the_middleware_the_answer_names_the_missing_call() {
    for (path, call) in
        [("/comment", ".wrap(SessionMiddleware::new(store))"), ("/administration", ".marked::<Marker>()")]
    {
        let request = TestRequest::post().uri(path).insert_header(("content-type", FORM));
        let answer = send(App::new().configure(routes), request.set_payload("text=hello&stars=5"));
        assert_eq!(answer.status, 500);
        assert!(answer.text.contains(call), "{}", answer.text);
    }
}

#[test]
fn a_store_that_does_not_answer_is_an_empty_503() {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let records = FaultyStore::new(clock.clone());
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock.clone()).store(records.clone());
    let store = store.placement(Placement::StoreOnly).build().unwrap();
    let mut jar = CookieJar::new(clock);
    let visit = jar.visit(&store, |session| {
        session.put("user", &42)?;
        session.csrf_token()
    });
    let token = visit.unwrap();
    let visitor = Visitor { sessions: SessionMiddleware::new(store), cookie: jar.cookie_header(), token };
    let field = format!("&_csrf={}", visitor.token);
    records.go_down_after(0);
    assert_refused(&visitor.post_with("/comment", &[], &field), 503);
    records.come_up();
    assert_taken(&visitor.post_with("/comment", &[], &field));
}

#[test]
fn debug_output_shows_no_fields() {
    let visitor = Visitor::new();
    let answer = visitor.post("/debug", format!("text=hunter2&stars=5&_csrf={}", visitor.token));
    assert_eq!(answer.text, "CsrfForm { .. }");
    // The framework's own logger writes an error in this form.
    let error = Error::from(CsrfFormExtractionError::Form(CsrfFormError::Fields("not a number: hunter2".into())));
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
}
