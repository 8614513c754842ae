//! The application in Rocket.

mod answers;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use crate::application::{self, ABOUT, Administration, Ready, STREAM, Sites};
use answers::{Public, WithTheme};
use rocket::config::{Config, LogLevel, Shutdown};
use rocket::fairing::AdHoc;
use rocket::form::FromForm;
use rocket::futures::stream;
use rocket::http::{ContentType, Status};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::response::stream::TextStream;
use rocket::{Build, Rocket, get, post, routes, tokio};
use sealed_session::adapter::rocket::{CsrfFairing, SessionFairing};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::{Session, SessionError};

/// Serves the application until the process ends.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, sites: Sites, ready: Ready) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ready = Mutex::new(ready);
    // Rocket knows its port only when it has bound it.
    let ready = AdHoc::on_liftoff("Ready", |rocket| {
        let address = SocketAddr::new(rocket.config().address, rocket.config().port);
        Box::pin(async move {
            if let Ok(ready) = ready.into_inner() {
                ready(address);
            }
        })
    });
    let served = runtime.block_on(rocket(address, sites).attach(ready).launch());
    served.map(|_| ()).map_err(io::Error::other)
}

fn rocket(address: SocketAddr, sites: Sites) -> Rocket<Build> {
    let config = Config {
        address: address.ip(),
        port: address.port(),
        log_level: LogLevel::Off,
        // The process ends as its terminal says, at once.
        shutdown: Shutdown { ctrlc: false, ..Shutdown::default() },
        ..Config::release_default()
    };
    let administration = SessionFairing::new(sites.administration()).marked::<Administration>();
    let everybody = SessionFairing::choosing(move |request| {
        sites.of_host(request.host().map(|host| host.domain().as_str().as_bytes()))
    });
    // The guard asks the session, so it is attached behind it.
    rocket::custom(config).attach(everybody).attach(administration).attach(CsrfFairing::new()).mount(
        "/",
        routes![
            home,
            login_form,
            log_in,
            log_out,
            fill_cart,
            theme,
            prices,
            about,
            stream_pieces,
            fail,
            panic,
            show_administration,
            log_administrator_in
        ],
    )
}

#[get("/")]
fn home(session: Session) -> Result<RawHtml<String>, SessionError> {
    application::home(&session).map(RawHtml)
}

#[get("/login")]
fn login_form(session: Session) -> Result<RawHtml<String>, SessionError> {
    application::login_form(&session).map(RawHtml)
}

#[derive(FromForm)]
struct Login {
    name: String,
}

#[post("/login", data = "<login>")]
fn log_in(session: Session, login: CsrfForm<Login>) -> Result<Redirect, SessionError> {
    application::log_in(&session, &login.name)?;
    Ok(Redirect::to("/"))
}

#[post("/logout", data = "<_form>")]
fn log_out(session: Session, _form: CsrfForm<HashMap<String, String>>) -> Result<Redirect, SessionError> {
    application::log_out(&session)?;
    Ok(Redirect::to("/"))
}

#[derive(FromForm)]
struct Cart {
    bytes: usize,
}

#[post("/cart", data = "<cart>")]
fn fill_cart(session: Session, cart: CsrfForm<Cart>) -> Result<Redirect, SessionError> {
    application::fill_cart(&session, cart.bytes)?;
    Ok(Redirect::to("/"))
}

#[get("/theme")]
fn theme(session: Session) -> Result<WithTheme, SessionError> {
    application::home(&session).map(RawHtml).map(WithTheme)
}

#[get("/prices")]
fn prices(session: Session) -> Result<Public, SessionError> {
    application::prices(&session).map(Public::new)
}

#[get("/about")]
fn about() -> Public {
    Public::new(ABOUT.to_owned())
}

#[get("/stream")]
fn stream_pieces(session: Session) -> Result<(ContentType, TextStream![&'static str]), SessionError> {
    application::remember_stream(&session)?;
    Ok((ContentType::HTML, TextStream::from(stream::iter(STREAM))))
}

#[get("/fail")]
fn fail(session: Session) -> Result<Status, SessionError> {
    application::count_failure(&session)?;
    Ok(Status::InternalServerError)
}

#[get("/panic")]
#[expect(clippy::panic, reason = "what becomes of the session then")]
fn panic(session: Session) -> Result<(), SessionError> {
    application::count_failure(&session)?;
    panic!("a handler that panics");
}

#[get("/administration")]
fn show_administration(
    session: Session,
    administration: Marked<Session, Administration>,
) -> Result<RawHtml<String>, SessionError> {
    application::administration(&session, &administration).map(RawHtml)
}

#[post("/administration", data = "<login>")]
fn log_administrator_in(
    administration: Marked<Session, Administration>,
    login: Marked<CsrfForm<Login>, Administration>,
) -> Result<Redirect, SessionError> {
    application::administrator_in(&administration, &login.name)?;
    Ok(Redirect::to("/administration"))
}
