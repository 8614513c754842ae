//! Sessions in Rocket: a counter, a login and a logout, with forms that no other site can send.
//!
//! Run it with `cargo run --example rocket --features rocket`, or copy it to `src/main.rs`. `Cargo.toml` then has:
//!
//! ```toml
//! [dependencies]
//! rocket = "0.5"
//! sealed-session = { version = "0.1", features = ["rocket"] }
//! ```

use std::collections::HashMap;
use std::env;
use std::error::Error;

use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::{FromForm, get, post, routes};
use sealed_session::adapter::CsrfForm;
use sealed_session::adapter::rocket::{CsrfFairing, SessionFairing};
use sealed_session::{Key, KeyRing, Session, SessionError, SessionManager};

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Keys as `sealed-session keygen` prints them, one a line. Without any, sessions end with the process.
    let keys = env::var("SESSION_KEYS").map_or_else(|_| Key::generate().map(KeyRing::new), |keys| keys.parse())?;
    let manager = SessionManager::builder(keys).audience("example").build()?;
    rocket::build()
        // The guard asks the session, so it is attached behind it.
        .attach(SessionFairing::new(manager))
        .attach(CsrfFairing::new())
        .mount("/", routes![home, log_in, log_out])
        .launch()
        .await?;
    Ok(())
}

#[get("/")]
fn home(session: Session) -> Result<RawHtml<String>, SessionError> {
    let (visits, csrf) = (session.increment("visits", 1)?, session.csrf_token()?);
    let name = session.get_or("name", "guest".to_owned())?.replace('&', "&amp;").replace('<', "&lt;");
    Ok(RawHtml(format!(
        "<!doctype html><title>Visits</title><p>Hello, <b id=name>{name}</b>. Visits: <b id=visits>{visits}</b></p>\
         <form method=post><input type=hidden name=_csrf value=\"{csrf}\"><input name=name> \
         <button formaction=/login>Log in</button> <button formaction=/logout>Log out</button></form>"
    )))
}

#[derive(FromForm)]
struct Login {
    name: String,
}

#[post("/login", data = "<login>")]
fn log_in(session: Session, login: CsrfForm<Login>) -> Result<Redirect, SessionError> {
    // A new id: whoever knew the guest's session gains nothing of the user's.
    session.regenerate_and_reset_lifetime()?;
    session.put("name", &login.name)?;
    Ok(Redirect::to("/"))
}

#[post("/logout", data = "<_form>")]
fn log_out(session: Session, _form: CsrfForm<HashMap<String, String>>) -> Result<Redirect, SessionError> {
    session.destroy()?;
    Ok(Redirect::to("/"))
}
