//! Sessions in axum: a counter, a login and a logout, with forms that no other site can send.
//!
//! Run it with `cargo run --example axum --features axum`, or copy it to `src/main.rs`. `Cargo.toml` then has:
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! sealed-session = { version = "0.1", features = ["axum", "tracing"] }
//! serde = { version = "1", features = ["derive"] }
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! tracing-subscriber = "0.3"
//! ```

use std::env;
use std::error::Error;

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use sealed_session::adapter::CsrfForm;
use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
use sealed_session::adapter::tracing::TracingObserver;
use sealed_session::{Key, KeyRing, Session, SessionError, SessionManager};
use serde::Deserialize;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What happens to sessions is at the level `DEBUG`, and at `INFO` what an operator should know.
    tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).init();
    // Keys as `sealed-session keygen` prints them, one a line. Without any, sessions end with the process.
    let keys = env::var("SESSION_KEYS").map_or_else(|_| Key::generate().map(KeyRing::new), |keys| keys.parse())?;
    let manager = SessionManager::builder(keys).audience("example").observer(TracingObserver).build()?;
    let pages = Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        // A layer wraps what stands before it: the guard asks the session.
        .layer(CsrfLayer::new())
        .layer(SessionLayer::new(manager));
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    Ok(axum::serve(listener, pages).await?)
}

async fn home(session: Session) -> Result<Html<String>, SessionError> {
    let (visits, csrf) = (session.increment("visits", 1)?, session.csrf_token()?);
    let name = session.get_or("name", "guest".to_owned())?.replace('&', "&amp;").replace('<', "&lt;");
    Ok(Html(format!(
        "<!doctype html><title>Visits</title><p>Hello, <b id=name>{name}</b>. Visits: <b id=visits>{visits}</b></p>\
         <form method=post><input type=hidden name=_csrf value=\"{csrf}\"><input name=name> \
         <button formaction=/login>Log in</button> <button formaction=/logout>Log out</button></form>"
    )))
}

#[derive(Deserialize)]
struct Login {
    name: String,
}

async fn log_in(session: Session, login: CsrfForm<Login>) -> Result<Redirect, SessionError> {
    // A new id: whoever knew the guest's session gains nothing of the user's.
    session.regenerate_and_reset_lifetime()?;
    session.put("name", &login.name)?;
    Ok(Redirect::to("/"))
}

async fn log_out(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    session.destroy()?;
    Ok(Redirect::to("/"))
}
