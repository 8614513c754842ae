//! The same session in the same Redis, through this crate and through two others.

mod actix;
mod ours;
mod server;
mod tower_sessions;

pub use server::Server;

use std::pin::Pin;

use serde_json::{Map, Value};

use crate::json;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Reads a value of the session.
    Read,
    /// Reads a value, and adds one to another.
    Change,
    /// Begins a session, with all of its content.
    Begin,
}

impl Request {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Change, Self::Begin];

    /// As figures name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Change => "changes one value",
            Self::Begin => "begins a session",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Read => "/read",
            Self::Change => "/change",
            Self::Begin => "/begin",
        }
    }
}

/// A response that will come: the first `Set-Cookie`'s name and value, if there is one.
pub type Response<'a> = Pin<Box<dyn Future<Output = Option<String>> + 'a>>;

/// Sessions in the server, as an application would have them: middleware around a handler that uses the session.
pub trait Sessions {
    /// The crate, and what is particular about it here.
    fn name(&self) -> &'static str;

    /// One request with this cookie, from the middleware to the handler and back. No HTTP server: nothing is parsed or sent.
    ///
    /// # Panics
    ///
    /// When it is not answered as it should be.
    fn answer<'a>(&'a self, request: Request, cookie: Option<&'a str>) -> Response<'a>;
}

/// Each system, over a connection of its own; ours is the first.
///
/// # Panics
///
/// When the server cannot be connected to.
pub async fn systems(server: &Server, bytes: usize) -> Vec<Box<dyn Sessions>> {
    let content: Map<String, Value> = serde_json::from_str(json(bytes).get()).expect("it is an object");
    vec![
        Box::new(ours::Ours::connect(server, content.clone()).await),
        Box::new(tower_sessions::TowerSessions::connect(server, content.clone()).await),
        Box::new(actix::Actix::connect(server, content).await),
    ]
}

/// `name=value` of a `Set-Cookie` line.
fn cookie(line: &[u8]) -> String {
    let text = std::str::from_utf8(line).expect("cookies are ASCII");
    text.split(';').next().unwrap_or_default().to_owned()
}
