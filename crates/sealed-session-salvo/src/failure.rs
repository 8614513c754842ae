use std::error::Error;
use std::fmt;

use salvo_core::http::{Response, StatusCode};
use salvo_core::writing::Scribe;
use sealed_session::{CommitError, LoadError, SessionError};

/// Why a handler has no session, or could not use it: as a response an empty body with the error's status.
///
/// ```
/// use sealed_session_salvo::Failure;
///
/// assert!(Failure::NoSession.to_string().contains("hoop(SessionHoop::new(manager))"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// No [`SessionHoop`](crate::SessionHoop) is around this route, or more than one: 500.
    NoSession,
    /// The session could not be loaded: 503.
    Load(LoadError),
    /// A call of the session failed: 500. The details are for the log.
    Session(SessionError),
    /// The session could not be saved: 503, 409 or 500.
    Commit(CommitError),
}

impl Failure {
    fn status_code(&self) -> u16 {
        match self {
            Self::NoSession | Self::Session(_) => 500,
            Self::Load(error) => error.status_code(),
            Self::Commit(error) => error.status_code(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSession => {
                f.write_str("this route has no session: add `.hoop(SessionHoop::new(manager))` around it, and once")
            }
            Self::Load(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
            Self::Commit(error) => error.fmt(f),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSession => None,
            Self::Load(error) => Some(error),
            Self::Session(error) => Some(error),
            Self::Commit(error) => Some(error),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

/// So that a handler's result may have it, and `?` works.
impl Scribe for Failure {
    fn render(self, response: &mut Response) {
        empty(response, self.status_code());
    }
}

/// Makes the response one of this status with an empty body, which Salvo's catcher does not fill.
pub(crate) fn empty(response: &mut Response, status_code: u16) {
    response.status_code(StatusCode::from_u16(status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    response.body("");
}
