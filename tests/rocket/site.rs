//! The site of `tests/guards` in Rocket.

use std::fmt;

use rocket::data::{Limits, ToByteUnit as _};
use rocket::form::{self, Strict, ValueField};
use rocket::http::{Header, Method, Status};
use rocket::local::blocking::Client;
use rocket::response::{self, Responder, Response};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Data, FromForm, get, post, routes};
use sealed_session::adapter::rocket::{CsrfFairing, CsrfFormGuardError, SessionFairing};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::{ConfigError, Session, SessionError};

use crate::guards::pages::{self, Administration, Page, Transfer};
use crate::guards::{Answer, Application, Body, Guard, Request, Site, build_guard};
use crate::support::bare;

pub(crate) struct OfRocket(Client);

impl Site for OfRocket {
    const DEFAULT_LIMIT_BYTES: usize = 32 * 1024;
    const OTHER_METHODS: &'static [&'static str] = &["TRACE", "CONNECT"];
    const OWN_HEADERS: &'static [&'static str] =
        &["server", "permissions-policy", "x-content-type-options", "x-frame-options"];

    type Guard = CsrfFairing;

    fn guard(settings: &Guard) -> Result<CsrfFairing, ConfigError> {
        build_guard!(CsrfFairing::new(), settings)
    }

    /// With the pages of the sessions that it has: with others it would not launch, nor with a misplaced guard.
    fn new(application: Application) -> Self {
        let mut rocket = bare().mount("/", idle()).mount("/", routes![echo]);
        if let Some(bytes) = application.limit_bytes {
            let limits = Limits::default().limit("form", bytes.bytes());
            let figment = rocket.figment().clone().merge(("limits", limits));
            rocket = rocket.configure(figment);
        }
        if let Some(sessions) = application.sessions {
            rocket = rocket.attach(SessionFairing::new(sessions)).mount(
                "/",
                routes![act, act_by_post, comment, strict, query, query_by_post, transfer, pairs, debug, why],
            );
        }
        if let Some(administrators) = application.administrators {
            rocket = rocket
                .attach(SessionFairing::new(administrators).marked::<Administration>())
                .mount("/administration", routes![administration_comment, administration_transfer]);
        }
        let guard = application.guard.map(|guard| Self::guard(&guard).unwrap());
        Self(Client::untracked(guard.into_iter().fold(rocket, |rocket, guard| rocket.attach(guard))).unwrap())
    }

    fn send(&self, request: Request) -> Answer {
        let sent = self.0.req(request.method.parse::<Method>().unwrap(), request.path);
        let sent = request
            .headers
            .into_iter()
            .fold(sent, |sent, (name, value)| sent.header(Header::new(name, String::from_utf8(value).unwrap())));
        let Body::Whole(body) = request.body else { panic!("Rocket's test client sends whole bodies") };
        let response = sent.body(body).dispatch();
        let fields: Vec<_> =
            response.headers().iter().map(|field| (field.name.to_string(), field.value.into_owned())).collect();
        let status = response.status().code;
        let text = response.into_string().unwrap_or_default();
        Answer::new(status, fields.iter().map(|(name, value)| (name.as_str(), value.as_str(), None)), text)
    }
}

/// Says "done", whatever the method.
#[derive(Clone)]
struct Idle;

#[rocket::async_trait]
impl Handler for Idle {
    async fn handle<'r>(&self, request: &'r rocket::Request<'_>, _: Data<'r>) -> Outcome<'r> {
        Outcome::from(request, "done")
    }
}

fn idle() -> Vec<Route> {
    use Method::{Connect, Delete, Get, Head, Options, Patch, Post, Put, Trace};
    let methods = [Get, Head, Options, Post, Put, Patch, Delete, Trace, Connect];
    methods.map(|method| Route::new(method, "/idle", Idle)).into()
}

#[post("/echo", data = "<body>")]
fn echo(body: String) -> String {
    body
}

#[get("/act/<action>")]
fn act(session: Session, action: &str) -> Result<Page, SessionError> {
    pages::act(&session, action)
}

#[post("/act/<action>")]
fn act_by_post(session: Session, action: &str) -> Result<Page, SessionError> {
    pages::act(&session, action)
}

impl<'r> Responder<'r, 'static> for Page {
    fn respond_to(self, request: &'r rocket::Request<'_>) -> response::Result<'static> {
        let mut response = Response::build_from(self.text.respond_to(request)?);
        response.status(Status::new(self.status));
        self.set_cookie.into_iter().for_each(|line| {
            response.raw_header_adjoin("Set-Cookie", line);
        });
        response.ok()
    }
}

#[derive(FromForm)]
struct Comment {
    text: String,
    stars: u8,
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.stars)
    }
}

/// All fields of a form.
#[derive(Debug)]
struct Pairs(Vec<(String, String)>);

#[rocket::async_trait]
impl<'r> form::FromForm<'r> for Pairs {
    type Context = Self;

    fn init(_: form::Options) -> Self {
        Self(Vec::new())
    }

    fn push_value(pairs: &mut Self, field: ValueField<'r>) {
        pairs.0.push((field.name.to_string(), field.value.to_owned()));
    }

    async fn push_data(_: &mut Self, _: form::DataField<'r, '_>) {}

    fn finalize(pairs: Self) -> form::Result<'r, Self> {
        Ok(pairs)
    }
}

#[post("/comment", data = "<form>")]
fn comment(session: Session, form: CsrfForm<Comment>) -> Result<String, SessionError> {
    pages::take(&session, &form.value)
}

#[post("/strict", data = "<form>")]
fn strict(session: Session, form: CsrfForm<Strict<Comment>>) -> Result<String, SessionError> {
    pages::take(&session, &*form.value)
}

#[get("/query", data = "<form>")]
fn query(form: CsrfForm<Comment>) -> String {
    form.to_string()
}

#[post("/query", data = "<form>")]
fn query_by_post(form: CsrfForm<Comment>) -> String {
    form.to_string()
}

#[post("/transfer", data = "<form>")]
fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    form.to_string()
}

#[post("/pairs", data = "<form>")]
fn pairs(form: CsrfForm<Pairs>) -> String {
    format!("{:?}", form.0)
}

#[post("/debug", data = "<form>")]
fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

#[post("/why", data = "<form>")]
fn why(form: Result<CsrfForm<Comment>, CsrfFormGuardError>) -> String {
    let failure = form.err().unwrap();
    format!("{failure} {failure:?}")
}

#[post("/comment", data = "<form>")]
fn administration_comment(form: Marked<CsrfForm<Comment>, Administration>) -> String {
    form.to_string()
}

#[post("/transfer", data = "<form>")]
fn administration_transfer(form: Marked<CsrfForm<Comment, Transfer>, Administration>) -> String {
    form.to_string()
}

crate::guards::rules!(crate::site::OfRocket: forms guards not_found);
