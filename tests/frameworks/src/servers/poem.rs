//! The application in poem.

use std::io;
use std::net::SocketAddr;

use crate::application::{self, ABOUT, Administration, PUBLIC, Ready, STREAM, Sites, THEME};
use futures_util::stream;
use poem::http::StatusCode;
use poem::http::header::{CACHE_CONTROL, HOST, SET_COOKIE};
use poem::listener::TcpAcceptor;
use poem::middleware::SizeLimit;
use poem::web::{Html, Redirect};
use poem::{Body, Endpoint, EndpointExt, IntoResponse, Response, Route, Server, get, handler, post};
use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::{Session, SessionError};
use serde::Deserialize;

/// Serves the application until the process ends.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, sites: Sites, ready: Ready) -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        ready(listener.local_addr()?);
        Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(routes(sites)).await
    })
}

fn routes(sites: Sites) -> impl Endpoint<Output = Response> {
    let administration = SessionMiddleware::new(sites.administration()).marked::<Administration>();
    let everybody = SessionMiddleware::choosing(move |request| {
        sites.of_host(request.headers().get(HOST).map(|host| host.as_bytes()))
    });
    Route::new()
        .at("/", get(home))
        .at("/login", get(login_form).post(of_form(log_in)))
        .at("/logout", post(of_form(log_out)))
        .at("/cart", post(of_form(fill_cart)))
        .at("/theme", get(theme))
        .at("/prices", get(prices))
        .at("/about", get(about))
        .at("/stream", get(stream_pieces))
        .at("/fail", get(fail))
        .at("/panic", get(panic))
        .at("/administration", get(show_administration).post(of_form(log_administrator_in)))
        // Each wraps what stands before it. The guard asks the session, so it stands inside of it.
        .with(CsrfMiddleware::new())
        .with(administration)
        .with(everybody)
}

/// `Form` reads a body of any length.
fn of_form<E: Endpoint>(handler: E) -> impl Endpoint {
    handler.with(SizeLimit::new(64 * 1024))
}

#[handler]
async fn home(session: Session) -> Result<Html<String>, SessionError> {
    application::home(&session).map(Html)
}

#[handler]
async fn login_form(session: Session) -> Result<Html<String>, SessionError> {
    application::login_form(&session).map(Html)
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[handler]
async fn log_in(session: Session, login: CsrfForm<Login>) -> Result<Redirect, SessionError> {
    application::log_in(&session, &login.name)?;
    Ok(Redirect::see_other("/"))
}

#[handler]
async fn log_out(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    application::log_out(&session)?;
    Ok(Redirect::see_other("/"))
}

#[derive(Deserialize)]
struct Cart {
    bytes: usize,
}

#[handler]
async fn fill_cart(session: Session, cart: CsrfForm<Cart>) -> Result<Redirect, SessionError> {
    application::fill_cart(&session, cart.bytes)?;
    Ok(Redirect::see_other("/"))
}

#[handler]
async fn theme(session: Session) -> Result<Response, SessionError> {
    let page = Html(application::home(&session)?).into_response();
    Ok(THEME.into_iter().fold(page, |page, line| page.with_header(SET_COOKIE, line).into_response()))
}

#[handler]
async fn prices(session: Session) -> Result<Response, SessionError> {
    let page = Html(application::prices(&session)?);
    Ok(page.with_header(CACHE_CONTROL, PUBLIC).into_response())
}

#[handler]
async fn about() -> Response {
    Html(ABOUT).with_header(CACHE_CONTROL, PUBLIC).into_response()
}

#[handler]
async fn stream_pieces(session: Session) -> Result<Response, SessionError> {
    application::remember_stream(&session)?;
    let body = Body::from_bytes_stream(stream::iter(STREAM.map(Ok::<_, io::Error>)));
    Ok(body.with_content_type("text/html; charset=utf-8").into_response())
}

#[handler]
async fn fail(session: Session) -> poem::Result<()> {
    application::count_failure(&session)?;
    Err(StatusCode::INTERNAL_SERVER_ERROR.into())
}

#[expect(clippy::panic, reason = "what becomes of the session then")]
#[handler]
async fn panic(session: Session) -> Result<(), SessionError> {
    application::count_failure(&session)?;
    panic!("a handler that panics");
}

#[handler]
async fn show_administration(
    session: Session,
    administration: Marked<Session, Administration>,
) -> Result<Html<String>, SessionError> {
    application::administration(&session, &administration).map(Html)
}

#[handler]
async fn log_administrator_in(
    administration: Marked<Session, Administration>,
    login: Marked<CsrfForm<Login>, Administration>,
) -> Result<Redirect, SessionError> {
    application::administrator_in(&administration, &login.name)?;
    Ok(Redirect::see_other("/administration"))
}
