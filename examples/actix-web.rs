//! Sessions in actix-web: a counter, a login and a logout, with forms that no other site can send.
//!
//! Run it with `cargo run --example actix-web --features actix-web`, or copy it to `src/main.rs`. `Cargo.toml` then has:
//!
//! ```toml
//! [dependencies]
//! actix-web = { version = "4", default-features = false, features = ["macros"] }
//! sealed-session = { version = "0.1", features = ["actix-web", "tracing"] }
//! serde = { version = "1", features = ["derive"] }
//! tracing-subscriber = "0.3"
//! ```

use std::env;
use std::error::Error;

use actix_web::web::{self, Html, Redirect};
use actix_web::{App, HttpServer};
use sealed_session::adapter::CsrfForm;
use sealed_session::adapter::actix_web::{CsrfMiddleware, SessionMiddleware};
use sealed_session::adapter::tracing::TracingObserver;
use sealed_session::{Key, KeyRing, Session, SessionError, SessionManager};
use serde::Deserialize;
use tracing_subscriber::filter::LevelFilter;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What happens to sessions is at the level `DEBUG`, and at `INFO` what an operator should know.
    tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).init();
    // Keys as `sealed-session keygen` prints them, one a line. Without any, sessions end with the process.
    let keys = env::var("SESSION_KEYS").map_or_else(|_| Key::generate().map(KeyRing::new), |keys| keys.parse())?;
    let manager = SessionManager::builder(keys).audience("example").observer(TracingObserver).build()?;
    let application = move || {
        App::new()
            .route("/", web::get().to(home))
            .route("/login", web::post().to(log_in))
            .route("/logout", web::post().to(log_out))
            // What is wrapped last runs first: the guard asks the session.
            .wrap(CsrfMiddleware::new())
            .wrap(SessionMiddleware::new(manager.clone()))
    };
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let server = HttpServer::new(application).bind(("127.0.0.1", port))?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    server.addrs().iter().for_each(|address| println!("Listening on http://localhost:{}", address.port()));
    Ok(server.run().await?)
}

async fn home(session: Session) -> Result<Html, SessionError> {
    let (visits, csrf) = (session.increment("visits", 1)?, session.csrf_token()?);
    let name = session.get_or("name", "guest".to_owned())?.replace('&', "&amp;").replace('<', "&lt;");
    Ok(Html::new(format!(
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
    Ok(Redirect::to("/").see_other())
}

async fn log_out(session: Session, _: CsrfForm<()>) -> Result<Redirect, SessionError> {
    session.destroy()?;
    Ok(Redirect::to("/").see_other())
}
