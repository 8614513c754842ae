//! Logins of `actix-identity` over `actix-session`, whose sessions are in a sealed cookie.
//!
//! | route | what it does |
//! |---|---|
//! | `GET /` | greets who is there, and shows what the session has |
//! | `GET /account` | 401 for a guest |
//! | `POST /login` | field `name`: logs in |
//! | `POST /logout` | logs out |
//! | `POST /visit` | counts, for guests too |
//! | `POST /note` | field `text`: keeps it |
//!
//! Nothing but `SameSite=Lax` keeps other sites' forms out: `actix-session` has no tokens. The server of actix-web, which
//! takes this crate's own middleware, has them.

mod pages;

use std::fmt;
use std::io;
use std::net::SocketAddr;

use actix_identity::config::IdentityMiddlewareBuilder;
use actix_identity::{Identity, IdentityMiddleware};
use actix_session::config::PersistentSession;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::http::header::LOCATION;
use actix_web::rt::System;
use actix_web::web::{self, Form, Html, ServiceConfig};
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer};
use sealed_session::SessionManager;
use sealed_session_actix_session::SealedSessionStore;
use serde::Deserialize;
use time::Duration;

/// What the application is made of.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Seals the sessions.
    pub sessions: SessionManager,
    /// The key under which `actix-session` encrypts the cookie once more.
    pub outer_key: Key,
    /// How long a session lasts after the last change of its state. A day by default.
    pub session_ttl: Duration,
    /// The settings of `actix-identity`. By default whoever stays away for a day is logged out.
    pub identity: IdentityMiddlewareBuilder,
}

impl Parts {
    /// Sessions of this store, and all else by default.
    #[must_use]
    pub fn new(sessions: SessionManager, outer_key: Key) -> Self {
        let session_ttl = Duration::DAY;
        let identity = IdentityMiddleware::builder().visit_deadline(Some(session_ttl.unsigned_abs()));
        Self { sessions, outer_key, session_ttl, identity }
    }

    fn session_middleware(&self) -> SessionMiddleware<SealedSessionStore> {
        let store = SealedSessionStore::new(self.sessions.clone());
        SessionMiddleware::builder(store, self.outer_key.clone())
            .cookie_name("__Host-session".to_owned())
            .session_lifecycle(PersistentSession::default().session_ttl(self.session_ttl))
            .build()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the outer key.
        f.debug_struct("Parts").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

/// Serves the application until the process ends; `ready` is told once where.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, parts: Parts, ready: impl FnOnce(SocketAddr)) -> io::Result<()> {
    System::new().block_on(async {
        let application = move || {
            // What is wrapped last is outermost: identities stand on sessions.
            App::new().configure(routes).wrap(parts.identity.clone().build()).wrap(parts.session_middleware())
        };
        let server = HttpServer::new(application).workers(2).bind(address)?;
        server.addrs().first().copied().map(ready);
        server.run().await
    })
}

fn routes(application: &mut ServiceConfig) {
    application
        .route("/", web::get().to(home))
        .route("/account", web::get().to(account))
        .route("/login", web::post().to(log_in))
        .route("/logout", web::post().to(log_out))
        .route("/visit", web::post().to(visit))
        .route("/note", web::post().to(keep_note));
}

async fn home(identity: Option<Identity>, session: Session) -> actix_web::Result<Html> {
    let name = identity.map(|identity| identity.id()).transpose()?;
    let visits = session.get::<u64>("visits")?.unwrap_or_default();
    let note = session.get::<String>("note")?.unwrap_or_default();
    Ok(Html::new(pages::home(name.as_deref(), visits, &note)))
}

async fn account(identity: Identity) -> actix_web::Result<Html> {
    Ok(Html::new(pages::account(&identity.id()?)))
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn log_in(request: HttpRequest, form: Form<Login>) -> actix_web::Result<HttpResponse> {
    // Here an application asks for a password, or more than that.
    Identity::login(&request.extensions(), form.into_inner().name)?;
    Ok(back_home())
}

async fn log_out(identity: Option<Identity>) -> HttpResponse {
    if let Some(identity) = identity {
        identity.logout();
    }
    back_home()
}

async fn visit(session: Session) -> actix_web::Result<HttpResponse> {
    session.insert("visits", session.get::<u64>("visits")?.unwrap_or_default().saturating_add(1))?;
    Ok(back_home())
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn keep_note(session: Session, form: Form<Note>) -> actix_web::Result<HttpResponse> {
    session.insert("note", &form.text)?;
    Ok(back_home())
}

fn back_home() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish()
}
