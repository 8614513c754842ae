//! Middleware and extractors for poem 3.
//!
//! [`SessionMiddleware`] stands around routes; [`Session`] is an extractor, and so is
//! [`Marked<Session, M>`](crate::adapter::Marked) of a second session. The errors of a session work with `?` in handlers.
//! [`CsrfMiddleware`] guards routes against forged requests, and [`CsrfForm`](crate::adapter::CsrfForm) is a posted form that
//! came with its token, of 2 MiB at most, or of less behind poem's `SizeLimit`.
//!
//! ```
//! use poem::{Endpoint, EndpointExt, Request, Route, handler};
//! use sealed_session::adapter::poem::SessionMiddleware;
//! use sealed_session::{SessionManager, Key, Session, SessionError};
//!
//! #[handler]
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     Ok(format!("visit {}", session.increment("visits", 1)?))
//! }
//!
//! # pollster::block_on(async {
//! let manager = SessionManager::builder(Key::generate()?).build()?;
//! let application = Route::new().at("/", visits).with(SessionMiddleware::new(manager));
//!
//! let response = application.get_response(Request::builder().uri_str("/").finish()).await;
//! assert!(response.headers().contains_key("set-cookie"));
//! assert_eq!(response.into_body().into_string().await?, "visit 1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod csrf;
mod errors;
mod form;
mod middleware;

pub use csrf::{CsrfGuardEndpoint, CsrfMiddleware};
pub use errors::MissingSessionMiddleware;
pub use middleware::{SessionEndpoint, SessionMiddleware};

use poem::{FromRequest, Request, RequestBody};

use super::Marked;
use crate::request::PendingSession;
use crate::session::Session;

impl<'a> FromRequest<'a> for Session {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let pending = request.data::<PendingSession>().ok_or(MissingSessionMiddleware)?;
        Ok(pending.session().await?)
    }
}

impl<'a, M: 'static> FromRequest<'a> for Marked<Session, M> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let pending = request.data::<Marked<PendingSession, M>>().ok_or(MissingSessionMiddleware)?;
        Ok(Self::new(pending.session().await?))
    }
}

/// The session before it is loaded: for a logout that works while the store holds a record that cannot be read, with
/// [`PendingSession::end`].
impl<'a> FromRequest<'a> for PendingSession {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(request.data::<Self>().cloned().ok_or(MissingSessionMiddleware)?)
    }
}

/// As that of [`PendingSession`], for the middleware with this marker.
impl<'a, M: 'static> FromRequest<'a> for Marked<PendingSession, M> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(request.data::<Self>().cloned().ok_or(MissingSessionMiddleware)?)
    }
}
