//! `cargo run -p example-actix-identity`: on a loopback port, `LISTEN` or 127.0.0.1:3012, under keys that end with the process.

use actix_web::cookie;
use example_actix_identity::{Parts, serve};
use sealed_session::{Key, SessionManager};

#[expect(clippy::print_stdout, reason = "a command talks to its terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3012".to_owned());
    let address = address.parse().map_err(|_| format!("LISTEN={address} is no address like 127.0.0.1:3012"))?;
    let sessions = SessionManager::builder(Key::generate()?).audience("example").build()?;
    let parts = Parts::new(sessions, cookie::Key::generate());
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    Ok(serve(address, parts, |address| println!("Listening on http://localhost:{}", address.port()))?)
}
