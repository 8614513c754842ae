//! Lets handlers use `?` on a session's calls. Bodies are empty: the details are for the log.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use crate::error::{CommitError, CsrfError, LoadError, SessionError};

/// 500 with an empty body.
impl ResponseError for SessionError {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// 503 with an empty body.
impl ResponseError for LoadError {
    fn status_code(&self) -> StatusCode {
        status(Self::status_code(self))
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(status(Self::status_code(self)))
    }
}

/// 503, 409 or 500 with an empty body.
impl ResponseError for CommitError {
    fn status_code(&self) -> StatusCode {
        status(Self::status_code(self))
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(status(Self::status_code(self)))
    }
}

/// 403 with an empty body.
impl ResponseError for CsrfError {
    fn status_code(&self) -> StatusCode {
        status(Self::status_code(*self))
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(status(Self::status_code(*self)))
    }
}

pub(super) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
