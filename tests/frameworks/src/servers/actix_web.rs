//! The application in actix-web.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use crate::application::{self, ABOUT, Administration, PUBLIC, Ready, STREAM, Sites, THEME};
use actix_web::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use actix_web::rt::System;
use actix_web::web::{self, Html, ServiceConfig};
use actix_web::{App, HttpResponse, HttpResponseBuilder, HttpServer, error};
use futures_util::stream;
use sealed_session::adapter::actix_web::{CsrfMiddleware, SessionMiddleware};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::{Session, SessionError};
use serde::Deserialize;

/// Serves the application until the process ends.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, sites: Sites, ready: Ready) -> io::Result<()> {
    System::new().block_on(async {
        let administration = SessionMiddleware::new(sites.administration()).marked::<Administration>();
        let everybody = SessionMiddleware::choosing(move |request| {
            sites.of_host(request.headers().get("host").map(|host| host.as_bytes()))
        });
        // What is wrapped last is outermost. The guard asks the session, so it stands inside of it.
        let application = move || {
            App::new()
                .configure(routes)
                .wrap(CsrfMiddleware::new())
                .wrap(administration.clone())
                .wrap(everybody.clone())
        };
        let server = HttpServer::new(application).workers(2).bind(address)?;
        server.addrs().first().copied().map(ready);
        server.run().await
    })
}

fn routes(application: &mut ServiceConfig) {
    application
        .route("/", web::get().to(home))
        .route("/login", web::get().to(login_form))
        .route("/login", web::post().to(log_in))
        .route("/logout", web::post().to(log_out))
        .route("/cart", web::post().to(fill_cart))
        .route("/theme", web::get().to(theme))
        .route("/prices", web::get().to(prices))
        .route("/about", web::get().to(about))
        .route("/stream", web::get().to(stream_pieces))
        .route("/fail", web::get().to(fail))
        .route("/panic", web::get().to(panic))
        .route("/administration", web::get().to(show_administration))
        .route("/administration", web::post().to(log_administrator_in));
}

async fn home(session: Session) -> Result<Html, SessionError> {
    application::home(&session).map(Html::new)
}

async fn login_form(session: Session) -> Result<Html, SessionError> {
    application::login_form(&session).map(Html::new)
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn log_in(session: Session, form: CsrfForm<Login>) -> Result<HttpResponse, SessionError> {
    application::log_in(&session, &form.name)?;
    Ok(redirect("/"))
}

async fn log_out(session: Session, _: CsrfForm<()>) -> Result<HttpResponse, SessionError> {
    application::log_out(&session)?;
    Ok(redirect("/"))
}

#[derive(Deserialize)]
struct Cart {
    bytes: usize,
}

async fn fill_cart(session: Session, form: CsrfForm<Cart>) -> Result<HttpResponse, SessionError> {
    application::fill_cart(&session, form.bytes)?;
    Ok(redirect("/"))
}

async fn theme(session: Session) -> Result<HttpResponse, SessionError> {
    let page = application::home(&session)?;
    let mut response = html();
    for line in THEME {
        response.append_header((SET_COOKIE, line));
    }
    Ok(response.body(page))
}

async fn prices(session: Session) -> Result<HttpResponse, SessionError> {
    let page = application::prices(&session)?;
    Ok(html().insert_header((CACHE_CONTROL, PUBLIC)).body(page))
}

async fn about() -> HttpResponse {
    html().insert_header((CACHE_CONTROL, PUBLIC)).body(ABOUT)
}

async fn stream_pieces(session: Session) -> Result<HttpResponse, SessionError> {
    application::remember_stream(&session)?;
    Ok(html()
        .streaming(stream::iter(STREAM.map(|piece| Ok::<_, Infallible>(web::Bytes::from_static(piece.as_bytes()))))))
}

async fn fail(session: Session) -> actix_web::Result<HttpResponse> {
    application::count_failure(&session)?;
    Err(error::ErrorInternalServerError("what a handler failed with"))
}

#[expect(clippy::panic, reason = "what becomes of the session then")]
async fn panic(session: Session) -> Result<HttpResponse, SessionError> {
    application::count_failure(&session)?;
    panic!("a handler that panics");
}

async fn show_administration(
    session: Session,
    administration: Marked<Session, Administration>,
) -> Result<Html, SessionError> {
    application::administration(&session, &administration).map(Html::new)
}

async fn log_administrator_in(
    administration: Marked<Session, Administration>,
    form: Marked<CsrfForm<Login>, Administration>,
) -> Result<HttpResponse, SessionError> {
    application::administrator_in(&administration, &form.name)?;
    Ok(redirect("/administration"))
}

fn html() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header(actix_web::http::header::ContentType::html());
    response
}

fn redirect(to: &'static str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}
