use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};

use crate::adapter::Marked;
use crate::error::LoadError;
use crate::request::PendingSession;
use crate::session::Session;

/// A session on its way to a handler.
type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, SessionExtractionError>>>>;

impl FromRequest for Session {
    type Error = SessionExtractionError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pending = request.extensions().get::<PendingSession>().cloned();
        Box::pin(session(pending))
    }
}

impl<M: 'static> FromRequest for Marked<Session, M> {
    type Error = SessionExtractionError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pending = request.extensions().get::<Marked<PendingSession, M>>().cloned();
        Box::pin(async move { session(pending.map(Marked::into_inner)).await.map(Self::new) })
    }
}

/// The session before it is loaded: for a logout that works while the store holds a record that cannot be read, with
/// [`PendingSession::end`].
impl FromRequest for PendingSession {
    type Error = SessionExtractionError;
    type Future = Ready<Result<Self, SessionExtractionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(SessionExtractionError::MissingMiddleware))
    }
}

/// As that of [`PendingSession`], for the middleware with this marker.
impl<M: 'static> FromRequest for Marked<PendingSession, M> {
    type Error = SessionExtractionError;
    type Future = Ready<Result<Self, SessionExtractionError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(SessionExtractionError::MissingMiddleware))
    }
}

async fn session(pending: Option<PendingSession>) -> Result<Session, SessionExtractionError> {
    let pending = pending.ok_or(SessionExtractionError::MissingMiddleware)?;
    pending.session().await.map_err(SessionExtractionError::Load)
}

/// Why a handler got no session.
///
/// ```
/// use actix_web::ResponseError as _;
/// use sealed_session::adapter::actix_web::SessionExtractionError;
///
/// let error = SessionExtractionError::MissingMiddleware;
/// assert_eq!(error.status_code().as_u16(), 500);
/// assert!(error.to_string().contains(".wrap(SessionMiddleware::new(manager))"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionExtractionError {
    /// No [`SessionMiddleware`](super::SessionMiddleware) is around this route, or several that are not told apart.
    /// Answered with 500 and a sentence that says so, because every request to the route fails until it is mended.
    MissingMiddleware,
    /// The server store does not answer. Answered with 503 and an empty body.
    Load(LoadError),
}

impl fmt::Display for SessionExtractionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingMiddleware => f.write_str(
                "this route has no session: add `.wrap(SessionMiddleware::new(manager))` to its `App` or scope, and once; \
                 a second one needs `.marked::<Marker>()`, and its handlers take `Marked<Session, Marker>`",
            ),
            Self::Load(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for SessionExtractionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Load(source) = self { Some(source) } else { None }
    }
}

impl ResponseError for SessionExtractionError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::MissingMiddleware => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Load(source) => ResponseError::status_code(source),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::MissingMiddleware => HttpResponse::build(self.status_code()).body(self.to_string()),
            Self::Load(source) => source.error_response(),
        }
    }
}
