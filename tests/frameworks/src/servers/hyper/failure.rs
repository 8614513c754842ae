//! What a page fails with, and the empty response that the client gets of it.

use hyper::header::InvalidHeaderValue;
use hyper::{Response, StatusCode};
use sealed_session::csrf::CsrfError;
use sealed_session::{CommitError, LoadError, SessionError};

use super::pages::{Body, whole};

/// A status: what lies behind it is for a log, and never for the client.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) StatusCode);

impl Failure {
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(whole(""));
        *response.status_mut() = self.0;
        response
    }

    fn of_code(code: u16) -> Self {
        Self(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::of_code(error.status_code())
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::of_code(error.status_code())
    }
}

impl From<CsrfError> for Failure {
    fn from(error: CsrfError) -> Self {
        Self::of_code(error.status_code())
    }
}

impl From<SessionError> for Failure {
    fn from(_: SessionError) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<InvalidHeaderValue> for Failure {
    fn from(_: InvalidHeaderValue) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
