use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

#[cfg(any(feature = "actix-web", feature = "axum", feature = "poem"))]
use serde::de::DeserializeOwned;
use serde_urlencoded::from_str;

use crate::csrf::{CsrfError, is_urlencoded};
use crate::session::Session;

/// Fields that forms send a token in; the first in the body decides.
const TOKEN_FIELDS: [&str; 2] = ["_csrf", "csrf_token"];

/// A posted form, `application/x-www-form-urlencoded`, that came with a CSRF token of the request's session.
///
/// Extracted by the adapter of each framework, of which this shows axum's. The token is in the field `_csrf` or
/// `csrf_token`, and `T` is made of the other fields. A header `X-CSRF-Token` or `X-XSRF-TOKEN` decides in place of the
/// field, with a token of the whole session.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use sealed_session::adapter::CsrfForm;
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
/// # }
/// ```
///
/// Tokens that are good for one form alone name it by a type:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use sealed_session::adapter::{CsrfForm, CsrfScope};
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
/// # }
/// ```
///
/// Beside [`Marked<Session, M>`](crate::adapter::Marked) stands `Marked<CsrfForm<T, Scope>, M>`.
pub struct CsrfForm<T, Scope = WholeSession> {
    /// What the form says.
    pub value: T,
    scope: PhantomData<fn() -> Scope>,
}

impl<T, Scope> CsrfForm<T, Scope> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value, scope: PhantomData }
    }
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
/// use sealed_session::adapter::CsrfScope;
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
/// use sealed_session::adapter::{CsrfScope, WholeSession};
///
/// assert_eq!(WholeSession::SCOPE, "");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WholeSession;

impl CsrfScope for WholeSession {
    const SCOPE: &str = "";
}

/// Why a posted form was not taken.
///
/// ```
/// use sealed_session::adapter::CsrfFormError;
/// use sealed_session::csrf::CsrfError;
///
/// assert_eq!(CsrfFormError::ContentType.status_code(), 415);
/// assert_eq!(CsrfFormError::Csrf(CsrfError::Missing).status_code(), 403);
/// ```
#[non_exhaustive]
pub enum CsrfFormError {
    /// The body is not `application/x-www-form-urlencoded`. Answered with 415.
    ContentType,
    /// The token is missing or not of this session and form. Answered with 403.
    Csrf(CsrfError),
    /// The body is larger than the application takes. Answered with 413.
    TooLarge,
    /// The body is no UTF-8, or broke off. Answered with 400.
    Body(Box<dyn Error + Send + Sync>),
    /// The fields are not those of the handler's type. Answered with 422.
    ///
    /// The error inside may quote what was typed into the form: think before it is logged.
    Fields(Box<dyn Error + Send + Sync>),
}

impl CsrfFormError {
    pub(crate) fn body(error: impl fmt::Display) -> Self {
        // Security: as text. An error of `String::from_utf8` holds the whole body, which its debug form shows.
        Self::Body(error.to_string().into())
    }

    pub(crate) fn fields(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Fields(Box::new(error))
    }

    /// The HTTP status of the response, whose body is empty.
    #[must_use]
    pub fn status_code(&self) -> u16 {
        match self {
            Self::ContentType => 415,
            Self::Csrf(source) => source.status_code(),
            Self::TooLarge => 413,
            Self::Body(_) => 400,
            Self::Fields(_) => 422,
        }
    }
}

impl fmt::Debug for CsrfFormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => f.write_str("ContentType"),
            Self::Csrf(source) => f.debug_tuple("Csrf").field(source).finish(),
            Self::TooLarge => f.write_str("TooLarge"),
            Self::Body(source) => f.debug_tuple("Body").field(source).finish(),
            // Security: frameworks log errors in this form, and the one inside may quote what was typed.
            Self::Fields(_) => f.debug_tuple("Fields").finish_non_exhaustive(),
        }
    }
}

impl fmt::Display for CsrfFormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType => {
                f.write_str("the body is no form; send it as `Content-Type: application/x-www-form-urlencoded`")
            }
            Self::Csrf(source) => source.fmt(f),
            Self::TooLarge => {
                f.write_str("the form is larger than the application takes; raise its limit, or send less")
            }
            Self::Body(_) => f.write_str("the form's body is no UTF-8, or broke off; send it again as a browser does"),
            Self::Fields(_) => {
                f.write_str("the form's fields are not those of the handler's type; compare their names")
            }
        }
    }
}

impl Error for CsrfFormError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::ContentType | Self::TooLarge => None,
            Self::Csrf(source) => Some(source),
            Self::Body(source) | Self::Fields(source) => Some(&**source),
        }
    }
}

/// A form whose head has been read, and its body not yet.
pub(crate) struct FormCheck {
    session: Session,
    is_verified: bool,
}

impl FormCheck {
    /// Looks at the head: `Content-Type`, and the first of [`CsrfFacts::TOKEN_HEADERS`](crate::csrf::CsrfFacts) that is present.
    pub(crate) fn of_head(
        session: Session,
        content_type: Option<&[u8]>,
        token_header: Option<&[u8]>,
    ) -> Result<Self, CsrfFormError> {
        if !content_type.is_some_and(is_urlencoded) {
            return Err(CsrfFormError::ContentType);
        }
        if let Some(token) = token_header {
            // Security: before the body is read, and for the whole session also where the form has a scope: no page of
            // another origin can send this header, and a guard in front of the route reads it in the same way.
            // What is no text is no token either.
            let token = std::str::from_utf8(token).unwrap_or_default();
            session.verify_csrf(Some(token)).map_err(CsrfFormError::Csrf)?;
        }
        Ok(Self { session, is_verified: token_header.is_some() })
    }

    /// The fields but the token, encoded as they were.
    pub(crate) fn fields<Scope: CsrfScope>(&self, body: &str) -> Result<String, CsrfFormError> {
        let (token, fields) = split(body).map_err(CsrfFormError::fields)?;
        if !self.is_verified {
            self.session.verify_csrf_for(Scope::SCOPE, token.as_deref()).map_err(CsrfFormError::Csrf)?;
        }
        Ok(fields)
    }

    /// The form that the body holds.
    #[cfg(any(feature = "actix-web", feature = "axum", feature = "poem"))]
    pub(crate) fn form<T: DeserializeOwned, Scope: CsrfScope>(
        &self,
        body: &str,
    ) -> Result<CsrfForm<T, Scope>, CsrfFormError> {
        // Security: looked at only now, so that a forged post learns nothing of the fields that are asked for.
        let fields = self.fields::<Scope>(body)?;
        from_str(&fields).map(CsrfForm::new).map_err(CsrfFormError::fields)
    }
}

/// The token of a form, if it has one, and its other fields.
fn split(body: &str) -> Result<(Option<String>, String), serde_urlencoded::de::Error> {
    let mut token = None;
    let mut fields = Vec::new();
    for pair in body.split('&') {
        let decoded: Vec<(String, String)> = from_str(pair)?;
        match decoded.into_iter().next() {
            Some((name, value)) if TOKEN_FIELDS.contains(&name.as_str()) => {
                token.get_or_insert(value);
            }
            _ => fields.push(pair),
        }
    }
    Ok((token, fields.join("&")))
}
