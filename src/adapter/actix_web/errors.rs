//! Lets handlers use `?` on a session's calls. Bodies are empty: the details are for the log.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use crate::csrf::CsrfError;
use crate::error::{CommitError, LoadError, SessionError};

macro_rules! answered_with_an_empty_body {
    ($($(#[$doc:meta])* $error:ty: $status:expr;)*) => {$(
        $(#[$doc])*
        impl ResponseError for $error {
            fn status_code(&self) -> StatusCode {
                let status: fn(&Self) -> u16 = $status;
                StatusCode::from_u16(status(self)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            fn error_response(&self) -> HttpResponse {
                HttpResponse::new(ResponseError::status_code(self))
            }
        }
    )*};
}

answered_with_an_empty_body! {
    /// 500 with an empty body.
    SessionError: |_| 500;
    /// 503 with an empty body.
    LoadError: LoadError::status_code;
    /// 503, 409 or 500 with an empty body.
    CommitError: CommitError::status_code;
    /// 403 with an empty body.
    CsrfError: |error| CsrfError::status_code(*error);
}
