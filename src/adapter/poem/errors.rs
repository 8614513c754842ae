use std::fmt;

use http::StatusCode;
use poem::error::ResponseError;
use poem::{IntoResponse, Response};

use crate::csrf::CsrfError;
use crate::error::{CommitError, LoadError, SessionError};

/// No [`SessionMiddleware`](super::SessionMiddleware) is around this route, or two that are not told apart. Answered with
/// 500 and a sentence that says so, because every request to the route fails until it is mended.
///
/// ```
/// use poem::{Endpoint, Request, handler, http::StatusCode};
/// use sealed_session::Session;
///
/// #[handler]
/// async fn page(_session: Session) {}
///
/// # pollster::block_on(async {
/// let response = page.get_response(Request::default()).await;
/// assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
/// assert!(response.into_body().into_string().await?.contains(".with(SessionMiddleware::new(manager))"));
/// # Ok::<(), poem::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingSessionMiddleware;

impl fmt::Display for MissingSessionMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this route has no session: add `.with(SessionMiddleware::new(manager))` behind its routes and their \
             `CsrfMiddleware`, and once; a second middleware needs `.marked::<Marker>()`, and its handlers take \
             `Marked<Session, Marker>`",
        )
    }
}

impl std::error::Error for MissingSessionMiddleware {}

impl ResponseError for MissingSessionMiddleware {
    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// Lets handlers use `?` on a session's calls: 500 with an empty body, the details are for the log.
impl ResponseError for SessionError {
    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}

/// 503 with an empty body.
impl ResponseError for LoadError {
    fn status(&self) -> StatusCode {
        status(self.status_code())
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}

/// 503, 409 or 500 with an empty body.
impl ResponseError for CommitError {
    fn status(&self) -> StatusCode {
        status(self.status_code())
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}

/// 403 with an empty body.
impl ResponseError for CsrfError {
    fn status(&self) -> StatusCode {
        status(self.status_code())
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
