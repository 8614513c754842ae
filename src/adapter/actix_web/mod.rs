//! Middleware and extractors for actix-web 4.
//!
//! A handler takes its [`Session`](crate::Session) as an argument, and `?` answers the errors of its calls. The handler's
//! response is replaced only when its session could not be written: the client must not be told of something that is not
//! so. It is then empty, with status 503 (the store does not answer), 409 (another request wrote the session in between) or
//! 500 (the session is too large).
//!
//! [`CsrfMiddleware`] refuses requests that another site's page sends in a user's name, and the extractor
//! [`CsrfForm`](crate::adapter::CsrfForm) takes a posted form only with a token of its session. The guard is wrapped before
//! the session's middleware, because the last one added runs first.
//!
//! Not to be confused with the middleware of the crate `actix-session`, which has sessions of its own kind; the feature
//! `actix-session` keeps those in a sealed cookie.
//!
//! ```
//! use actix_web::{App, web};
//! use sealed_session::adapter::actix_web::SessionMiddleware;
//! use sealed_session::{SessionManager, Key, Session, SessionError};
//!
//! async fn log_in(session: Session) -> Result<&'static str, SessionError> {
//!     session.regenerate_and_reset_lifetime()?;
//!     session.put("user", &42)?;
//!     Ok("Welcome.")
//! }
//!
//! let manager = SessionManager::builder(Key::generate()?).build()?;
//! let application = App::new().wrap(SessionMiddleware::new(manager)).route("/login", web::post().to(log_in));
//! # let _ = application;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csrf;
mod errors;
mod extract;
mod form;
mod headers;
mod middleware;

pub use csrf::{CsrfMiddleware, CsrfService};
pub use extract::SessionExtractionError;
pub use form::CsrfFormExtractionError;
pub use middleware::{SessionMiddleware, SessionService};
