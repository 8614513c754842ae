use std::error::Error;
use std::net::SocketAddr;

use sealed_session::cookie::CookieAttributes;
use sealed_session::store::MemoryStore;
use sealed_session::{Key, SessionManager};

use crate::Sites;

/// Is told once where the application listens.
pub type Ready = Box<dyn FnOnce(SocketAddr) + Send>;

/// Serves the application on a loopback port, `LISTEN` or 127.0.0.1:3012, under the key `SESSION_KEY` or one that ends
/// with the process.
///
/// # Errors
///
/// Says which variable is wrong, or why there is no listening.
#[expect(clippy::print_stdout, reason = "a command talks to its terminal")]
pub fn run(serve: fn(SocketAddr, Sites, Ready) -> std::io::Result<()>) -> Result<(), Box<dyn Error>> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3012".to_owned());
    let address = address.parse().map_err(|_| format!("LISTEN={address} is no address like 127.0.0.1:3012"))?;
    let key = match std::env::var("SESSION_KEY") {
        Ok(text) => text.parse()?,
        Err(_) => Key::generate()?,
    };
    let records = MemoryStore::new();
    let everybody = SessionManager::builder(key.clone()).audience("example").store(records.clone()).build()?;
    let attributes = CookieAttributes::new().name("__Host-administration");
    let administration = SessionManager::builder(key).audience("example").cookie(attributes).store(records).build()?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    let ready = |address: SocketAddr| println!("Listening on http://localhost:{}", address.port());
    Ok(serve(address, Sites::new(everybody, administration)?, Box::new(ready))?)
}
