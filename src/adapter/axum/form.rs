use std::error::Error;
use std::fmt;

use axum_core::extract::rejection::StringRejection;
use axum_core::extract::{FromRequest, FromRequestParts, Request};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::SessionRejection;
use crate::adapter::Marked;
use crate::adapter::csrf::{CsrfForm, CsrfFormError, CsrfScope, FormCheck};
use crate::adapter::header_map::{content_type, token_header};
use crate::session::Session;

/// The body is bounded by axum's `DefaultBodyLimit`, 2 MB unless the application says otherwise.
impl<T: DeserializeOwned, Scope: CsrfScope, S: Send + Sync> FromRequest<S> for CsrfForm<T, Scope> {
    type Rejection = CsrfFormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CsrfFormRejection> {
        read::<Session, _, _, _>(request, state, |session| session).await
    }
}

/// As that of [`CsrfForm`], with a token of the session with this marker.
impl<T: DeserializeOwned, Scope: CsrfScope, M: 'static, S: Send + Sync> FromRequest<S>
    for Marked<CsrfForm<T, Scope>, M>
{
    type Rejection = CsrfFormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CsrfFormRejection> {
        read::<Marked<Session, M>, _, _, _>(request, state, Marked::into_inner).await.map(Self::new)
    }
}

async fn read<Extracted, T, Scope, S>(
    request: Request,
    state: &S,
    session: impl FnOnce(Extracted) -> Session,
) -> Result<CsrfForm<T, Scope>, CsrfFormRejection>
where
    Extracted: FromRequestParts<S, Rejection = SessionRejection>,
    T: DeserializeOwned,
    Scope: CsrfScope,
    S: Send + Sync,
{
    let (mut parts, body) = request.into_parts();
    let extracted = Extracted::from_request_parts(&mut parts, state).await.map_err(CsrfFormRejection::Session)?;
    let check = FormCheck::of_head(session(extracted), content_type(&parts.headers), token_header(&parts.headers))
        .map_err(CsrfFormRejection::Form)?;
    let body = String::from_request(Request::from_parts(parts, body), state).await;
    let body = body.map_err(|error| CsrfFormRejection::Form(unread(error)))?;
    check.form(&body).map_err(CsrfFormRejection::Form)
}

fn unread(error: StringRejection) -> CsrfFormError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { CsrfFormError::TooLarge } else { CsrfFormError::body(error) }
}

/// Why a handler got no form.
///
/// A handler that takes `Result<CsrfForm<T>, CsrfFormRejection>` may answer in another way.
///
/// ```
/// use axum::{Router, routing::post};
/// use sealed_session::adapter::axum::CsrfFormRejection;
/// use sealed_session::adapter::{CsrfForm, CsrfFormError};
///
/// async fn comment(form: Result<CsrfForm<Vec<(String, String)>>, CsrfFormRejection>) -> &'static str {
///     match form {
///         Ok(_) => "Thank you.",
///         Err(CsrfFormRejection::Form(CsrfFormError::Csrf(_))) => "Please open the page again, and send the form once more.",
///         Err(_) => "That did not work.",
///     }
/// }
///
/// let routes: Router = Router::new().route("/", post(comment));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfFormRejection {
    /// The route has no session. Answered as [`SessionRejection`] is.
    Session(SessionRejection),
    /// The form itself. Answered with [`CsrfFormError::status_code`] and an empty body.
    Form(CsrfFormError),
}

impl fmt::Display for CsrfFormRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(source) => source.fmt(f),
            Self::Form(source) => source.fmt(f),
        }
    }
}

impl Error for CsrfFormRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(source) => source.source(),
            Self::Form(source) => source.source(),
        }
    }
}

impl IntoResponse for CsrfFormRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Session(source) => source.into_response(),
            Self::Form(source) => {
                StatusCode::from_u16(source.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
            }
        }
    }
}
