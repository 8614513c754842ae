//! Fairings and guards for Rocket 0.5.
//!
//! [`SessionFairing`] is attached once; [`Session`](crate::Session) is then a request guard. A route that takes one without
//! the fairing does not launch. Behind it, [`CsrfFairing`] refuses what another site's page sends in a user's name, and
//! [`CsrfForm`](super::CsrfForm) is a data guard: a form that came with its token.
//!
//! ```
//! use rocket::local::blocking::Client;
//! use rocket::{get, routes};
//! use sealed_session::adapter::rocket::SessionFairing;
//! use sealed_session::{SessionManager, Key, Session, SessionError};
//!
//! #[get("/")]
//! fn visits(session: Session) -> Result<String, SessionError> {
//!     Ok(format!("visit {}", session.increment("visits", 1)?))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = SessionManager::builder(Key::generate()?).build()?;
//! let application = rocket::build().attach(SessionFairing::new(manager)).mount("/", routes![visits]);
//!
//! let browser = Client::tracked(application)?;
//! assert_eq!(browser.get("/").dispatch().into_string().as_deref(), Some("visit 1"));
//! assert_eq!(browser.get("/").dispatch().into_string().as_deref(), Some("visit 2"));
//! # Ok(()) }
//! ```
//!
//! The handler's response is replaced only when its session could not be loaded or written: the client must not be told
//! of something that is not so. It is then empty, with status 503 (the store does not answer), 409 (another request wrote
//! the session in between) or 500 (the session is too large).
//!
//! # What is Rocket's own
//!
//! - **Order.** Fairings run in the order in which they are attached. One that asks for the session when the request comes
//!   is attached behind this one; one that writes it, or sets `Cache-Control`, when the response goes is attached before.
//! - **Panics.** Rocket catches a handler's panic and answers 500 through a catcher, so the response still goes through
//!   this fairing: what the handler wrote until then is kept, as with an error that it returns. A logout before the panic
//!   stays a logout. [`commit_when(|status| status < 500)`](crate::SessionManagerBuilder::commit_when) drops what is
//!   written by handlers that fail in either way.
//! - **Forged requests.** No fairing can answer a request, so [`CsrfFairing`] mounts routes for every path, of the lowest ranks
//!   that there are: nothing of the application runs before them, and one with a route of such a rank does not launch. They
//!   stand in Rocket's log at each request, and in a catcher of 404 [`Request::route`](rocket::Request::route) is one of them.
//! - **Refused forms.** Rocket answers for a guard that fails through a catcher. The page is taken out of the response, so that
//!   a refused [`CsrfForm`](super::CsrfForm) is an empty answer as behind every framework. A handler that takes
//!   `Result<CsrfForm<T>, CsrfFormGuardError>` answers as it likes.
//! - **Bytes.** Rocket drops each header field that is not UTF-8 before any fairing sees it. One cookie with such bytes, which
//!   another application of the same host may have set, takes the whole `Cookie` field along: the request is then a guest's,
//!   and the session is there again once that cookie has gone. A token header with such bytes counts as none.
//! - **Tests.** Rocket's test client keeps its cookies in the jar and sends no `Cookie` field. The session is read from the jar
//!   where a request has no such field, so a tracked `Client` stays logged in.
//! - **Malformed requests.** Rocket answers a request that it cannot read through the catcher of 400, and runs no fairing.
//!   A catcher that asks for the session gets [`SessionGuardError::NotBegun`].

mod csrf;
mod fairing;
mod form;
mod guard;
mod response;

pub use csrf::CsrfFairing;
pub use fairing::SessionFairing;
pub use form::CsrfFormGuardError;
pub use guard::SessionGuardError;
