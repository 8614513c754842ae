//! The application in axum.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use crate::application::{self, ABOUT, Administration, PUBLIC, Ready, STREAM, Sites, THEME};
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::response::{AppendHeaders, Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use futures_util::stream;
use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
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
        axum::serve(listener, routes(sites)).await
    })
}

fn routes(sites: Sites) -> Router {
    let administration = SessionLayer::new(sites.administration()).marked::<Administration>();
    let everybody =
        SessionLayer::choosing(move |request| sites.of_host(request.headers.get("host").map(|host| host.as_bytes())));
    Router::new()
        .route("/", get(home))
        .route("/login", get(login_form).post(log_in))
        .route("/logout", post(log_out))
        .route("/cart", post(fill_cart))
        .route("/theme", get(theme))
        .route("/prices", get(prices))
        .route("/about", get(about))
        .route("/stream", get(stream_pieces))
        .route("/fail", get(fail))
        .route("/panic", get(panic))
        .route("/administration", get(show_administration).post(log_administrator_in))
        // Layers wrap what stands before them. The guard asks the session, so it stands inside of it.
        .layer(CsrfLayer::new())
        .layer(administration)
        .layer(everybody)
}

async fn home(session: Session) -> Result<Html<String>, SessionError> {
    application::home(&session).map(Html)
}

async fn login_form(session: Session) -> Result<Html<String>, SessionError> {
    application::login_form(&session).map(Html)
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn log_in(session: Session, login: CsrfForm<Login>) -> Result<Redirect, SessionError> {
    application::log_in(&session, &login.name)?;
    Ok(Redirect::to("/"))
}

async fn log_out(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    application::log_out(&session)?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Cart {
    bytes: usize,
}

async fn fill_cart(session: Session, cart: CsrfForm<Cart>) -> Result<Redirect, SessionError> {
    application::fill_cart(&session, cart.bytes)?;
    Ok(Redirect::to("/"))
}

async fn theme(session: Session) -> Result<impl IntoResponse, SessionError> {
    Ok((AppendHeaders(THEME.map(|line| (SET_COOKIE, line))), Html(application::home(&session)?)))
}

async fn prices(session: Session) -> Result<impl IntoResponse, SessionError> {
    Ok(([(CACHE_CONTROL, PUBLIC)], Html(application::prices(&session)?)))
}

async fn about() -> impl IntoResponse {
    ([(CACHE_CONTROL, PUBLIC)], Html(ABOUT))
}

async fn stream_pieces(session: Session) -> Result<Html<Body>, SessionError> {
    application::remember_stream(&session)?;
    Ok(Html(Body::from_stream(stream::iter(STREAM.map(Ok::<_, Infallible>)))))
}

async fn fail(session: Session) -> axum::response::Result<()> {
    application::count_failure(&session)?;
    Err(StatusCode::INTERNAL_SERVER_ERROR.into())
}

#[expect(clippy::panic, reason = "what becomes of the session then")]
async fn panic(session: Session) -> Result<(), SessionError> {
    application::count_failure(&session)?;
    panic!("a handler that panics");
}

async fn show_administration(
    session: Session,
    administration: Marked<Session, Administration>,
) -> Result<Html<String>, SessionError> {
    application::administration(&session, &administration).map(Html)
}

async fn log_administrator_in(
    administration: Marked<Session, Administration>,
    login: Marked<CsrfForm<Login>, Administration>,
) -> Result<Redirect, SessionError> {
    application::administrator_in(&administration, &login.name)?;
    Ok(Redirect::to("/administration"))
}
