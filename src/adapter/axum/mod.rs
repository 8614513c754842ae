//! Extractors for axum 0.8, behind [`SessionLayer`](crate::adapter::tower::SessionLayer).
//!
//! [`Session`] is one itself; [`TypedSession`] reads it as a type of the application, [`Flash`] has what the earlier
//! request left, and [`CsrfForm`](super::CsrfForm) takes a form only with a token of the session.
//!
//! ```
//! use axum::{Router, routing::get};
//! use sealed_session::adapter::tower::SessionLayer;
//! use sealed_session::{SessionManager, Key, Session, SessionError};
//!
//! async fn visits(session: Session) -> Result<String, SessionError> {
//!     Ok(format!("visit {}", session.increment("visits", 1)?))
//! }
//!
//! let manager = SessionManager::builder(Key::generate()?).build()?;
//! let app: Router = Router::new().route("/", get(visits)).layer(SessionLayer::new(manager));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod flash;
mod form;
mod typed;

pub use flash::Flash;
pub use form::CsrfFormRejection;
pub use typed::TypedSession;

use std::fmt;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::Marked;
use crate::csrf::CsrfError;
use crate::error::{CommitError, LoadError, SessionError};
use crate::request::PendingSession;
use crate::session::Session;

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let pending = PendingSession::from_request_parts(parts, state).await?;
        pending.session().await.map_err(SessionRejection::Load)
    }
}

impl<S: Sync, M: 'static> FromRequestParts<S> for Marked<Session, M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let pending = Marked::<PendingSession, M>::from_request_parts(parts, state).await?;
        pending.session().await.map(Self::new).map_err(SessionRejection::Load)
    }
}

/// The session before it is loaded: for a logout that works while the store holds a record that cannot be read, with
/// [`PendingSession::end`].
impl<S: Sync> FromRequestParts<S> for PendingSession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        parts.extensions.get::<Self>().cloned().ok_or(SessionRejection::MissingLayer)
    }
}

/// As that of [`PendingSession`], for the layer with this marker.
impl<S: Sync, M: 'static> FromRequestParts<S> for Marked<PendingSession, M> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        parts.extensions.get::<Self>().cloned().ok_or(SessionRejection::MissingLayer)
    }
}

/// Why a handler got no session.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// No [`SessionLayer`](crate::adapter::tower::SessionLayer) is around this route, or two that are not told apart.
    /// Answered with 500 and a sentence that says so, because every request to the route fails until it is mended.
    MissingLayer,
    /// The server store does not answer. Answered with 503 and an empty body.
    Load(LoadError),
    /// The data are not of the type that a [`TypedSession`] asks for. Answered with 500 and an empty body.
    Data(SessionError),
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLayer => f.write_str(
                "this route has no session: add `.layer(SessionLayer::new(manager))` to its router, behind its routes, and once; \
                 a second layer needs `.marked::<Marker>()`, and its handlers take `Marked<Session, Marker>`",
            ),
            Self::Load(source) => source.fmt(f),
            Self::Data(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MissingLayer => None,
            Self::Load(source) => Some(source),
            Self::Data(source) => Some(source),
        }
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        match self {
            Self::MissingLayer => (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response(),
            Self::Load(source) => source.into_response(),
            Self::Data(source) => source.into_response(),
        }
    }
}

/// Lets handlers use `?` on a session's calls: 500 with an empty body, the details are for the log.
impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// 503 with an empty body.
impl IntoResponse for LoadError {
    fn into_response(self) -> Response {
        status(self.status_code())
    }
}

/// 503, 409 or 500 with an empty body.
impl IntoResponse for CommitError {
    fn into_response(self) -> Response {
        status(self.status_code())
    }
}

/// 403 with an empty body.
impl IntoResponse for CsrfError {
    fn into_response(self) -> Response {
        status(self.status_code())
    }
}

fn status(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
