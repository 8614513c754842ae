use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::rejection::StringRejection;
use axum_core::extract::{FromRequest, FromRequestParts as _, Request};
use axum_core::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;

use super::SessionRejection;
use crate::error::CsrfError;
use crate::session::{CsrfFacts, Session};

/// Fields that forms send a token in; the first in the body decides.
const TOKEN_FIELDS: [&str; 2] = ["_csrf", "csrf_token"];

/// A posted form, `application/x-www-form-urlencoded`, taken only with a CSRF token of this session.
///
/// The token is in the field `_csrf` or `csrf_token`, and `T` is made of the other fields. A header `X-CSRF-Token` or
/// `X-XSRF-TOKEN` decides in place of the field, with a token of the whole session. The body is bounded by axum's
/// `DefaultBodyLimit`, 2 MB unless the application says otherwise.
///
/// ```
/// use axum::{Router, routing::get};
/// use sealed_session::adapter::axum::CsrfForm;
/// use sealed_session::{Session, SessionError};
///
/// #[derive(serde::Deserialize)]
/// struct Comment {
///     text: String,
/// }
///
/// async fn page(session: Session) -> Result<String, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(format!(r#"<form method="post"><input type="hidden" name="_csrf" value="{token}"><input name="text"></form>"#))
/// }
///
/// async fn comment(form: CsrfForm<Comment>) -> String {
///     format!("{} bytes", form.text.len())
/// }
///
/// let routes: Router = Router::new().route("/", get(page).post(comment));
/// ```
///
/// Tokens that are good for one form alone name it by a type:
///
/// ```
/// use sealed_session::adapter::axum::{CsrfForm, CsrfScope};
/// use sealed_session::{Session, SessionError};
///
/// struct Transfer;
///
/// impl CsrfScope for Transfer {
///     const SCOPE: &str = "POST /transfer";
/// }
///
/// async fn page(session: Session) -> Result<String, SessionError> {
///     session.csrf_token_for(Transfer::SCOPE)
/// }
///
/// async fn transfer(form: CsrfForm<Vec<(String, String)>, Transfer>) -> String {
///     format!("{} fields", form.len())
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(page).post(transfer));
/// ```
pub struct CsrfForm<T, Scope = WholeSession> {
    /// What the form says.
    pub value: T,
    scope: PhantomData<fn() -> Scope>,
}

impl<T, Scope> Deref for CsrfForm<T, Scope> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, Scope> fmt::Debug for CsrfForm<T, Scope> {
    /// Without the fields, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfForm").finish_non_exhaustive()
    }
}

/// For which forms a token is good.
///
/// ```
/// use sealed_session::adapter::axum::CsrfScope;
///
/// struct Transfer;
///
/// impl CsrfScope for Transfer {
///     const SCOPE: &str = "POST /transfer";
/// }
/// ```
pub trait CsrfScope {
    /// The scope as [`Session::csrf_token_for`] takes it; empty for the whole session.
    const SCOPE: &str;
}

/// The scope of [`Session::csrf_token`]: good for every form that asks for no narrower one.
///
/// ```
/// use sealed_session::adapter::axum::{CsrfScope, WholeSession};
///
/// assert_eq!(WholeSession::SCOPE, "");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WholeSession;

impl CsrfScope for WholeSession {
    const SCOPE: &str = "";
}

impl<T: DeserializeOwned, Scope: CsrfScope, S: Send + Sync> FromRequest<S> for CsrfForm<T, Scope> {
    type Rejection = CsrfFormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, CsrfFormRejection> {
        let (mut parts, body) = request.into_parts();
        let session = Session::from_request_parts(&mut parts, state).await.map_err(CsrfFormRejection::Session)?;
        if !is_form(&parts.headers) {
            return Err(CsrfFormRejection::ContentType);
        }
        let header = CsrfFacts::TOKEN_HEADERS.iter().find_map(|name| parts.headers.get(*name));
        if let Some(header) = header {
            // Security: before the body is read, and for the whole session also where the form has a scope: no page of
            // another origin can send this header, and a guard in front of the route reads it in the same way.
            verify_header(&session, header).map_err(CsrfFormRejection::Csrf)?;
        }
        let is_verified = header.is_some();
        let body = String::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(CsrfFormRejection::Body)?;
        let (token, fields) = split(&body).map_err(CsrfFormRejection::fields)?;
        if !is_verified {
            session.verify_csrf_for(Scope::SCOPE, token.as_deref()).map_err(CsrfFormRejection::Csrf)?;
        }
        // Security: only now, so that a forged post learns nothing of the fields that are asked for.
        let value = serde_urlencoded::from_str(&fields).map_err(CsrfFormRejection::fields)?;
        Ok(Self { value, scope: PhantomData })
    }
}

/// Why a handler got no form.
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfFormRejection {
    /// The route has no session. Answered as [`SessionRejection`] is.
    Session(SessionRejection),
    /// The body is not `application/x-www-form-urlencoded`. Answered with 415 and an empty body.
    ContentType,
    /// The token is missing or not of this session and form. Answered with 403 and an empty body.
    Csrf(CsrfError),
    /// The body is too large, no UTF-8, or broke off. Answered with 413 or 400 and an empty body.
    Body(StringRejection),
    /// The fields are not those of the handler's type. Answered with 422 and an empty body.
    ///
    /// The error inside may quote what was typed into the form: think before it is logged.
    Fields(Box<dyn Error + Send + Sync>),
}

impl CsrfFormRejection {
    fn fields(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Fields(Box::new(error))
    }
}

impl fmt::Display for CsrfFormRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(source) => source.fmt(f),
            Self::ContentType => {
                f.write_str("the body is no form; send it as `Content-Type: application/x-www-form-urlencoded`")
            }
            Self::Csrf(source) => source.fmt(f),
            Self::Body(source) => source.fmt(f),
            Self::Fields(_) => {
                f.write_str("the form's fields are not those of the handler's type; compare their names")
            }
        }
    }
}

impl Error for CsrfFormRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(source) => Some(source),
            Self::ContentType => None,
            Self::Csrf(source) => Some(source),
            Self::Body(source) => Some(source),
            Self::Fields(source) => Some(&**source),
        }
    }
}

impl IntoResponse for CsrfFormRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Session(source) => source.into_response(),
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
            Self::Csrf(source) => source.into_response(),
            Self::Body(source) => source.status().into_response(),
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        }
    }
}

// RFC 9110 §8.3.1: type and subtype in any case, parameters behind a semicolon.
fn is_form(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn verify_header(session: &Session, header: &HeaderValue) -> Result<(), CsrfError> {
    // What is no text is no token either.
    session.verify_csrf(Some(header.to_str().unwrap_or_default()))
}

/// The token of a form, if it has one, and its other fields, encoded as they were.
fn split(body: &str) -> Result<(Option<String>, String), serde_urlencoded::de::Error> {
    let mut token = None;
    let mut fields = Vec::new();
    for pair in body.split('&') {
        let decoded: Vec<(String, String)> = serde_urlencoded::from_str(pair)?;
        match decoded.into_iter().next() {
            Some((name, value)) if TOKEN_FIELDS.contains(&name.as_str()) => {
                token.get_or_insert(value);
            }
            _ => fields.push(pair),
        }
    }
    Ok((token, fields.join("&")))
}
