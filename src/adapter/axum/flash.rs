use axum_core::extract::FromRequestParts;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SessionRejection;
use crate::error::SessionError;
use crate::json::path::Path;
use crate::session::{FlashMessages, Session};

/// What the earlier request left for this one, and what this one leaves: messages, validation errors, old input.
///
/// Taking it uses nothing up; the first call that reads does. So a handler that only leaves messages eats none.
///
/// ```
/// use axum::{Router, routing::get};
/// use sealed_session::SessionError;
/// use sealed_session::adapter::axum::Flash;
///
/// async fn page(flash: Flash) -> Result<String, SessionError> {
///     Ok(flash.get("notice")?.unwrap_or_default())
/// }
///
/// async fn save(flash: Flash) -> Result<&'static str, SessionError> {
///     flash.put("notice", "Saved.")?;
///     Ok("see the page")
/// }
///
/// let routes: Router = Router::new().route("/", get(page).post(save));
/// ```
#[derive(Clone, Debug)]
pub struct Flash(Session);

impl Flash {
    /// The message under a key, `None` when it is absent or null. Uses up what was left.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] when it is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: impl Into<Path>) -> Result<Option<T>, SessionError> {
        self.messages().get(key)
    }

    /// All messages, as [`Session::flash_messages`].
    #[must_use]
    pub fn messages(&self) -> FlashMessages {
        self.0.flash_messages()
    }

    /// What was typed into a field, as [`Session::old`].
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] when it is no `T`.
    pub fn old<T: DeserializeOwned>(&self, field: impl Into<Path>) -> Result<Option<T>, SessionError> {
        self.0.old(field)
    }

    /// The validation errors of a field, as [`Session::errors`].
    #[must_use]
    pub fn errors(&self, field: &str) -> Vec<String> {
        self.0.errors(field)
    }

    /// Each field that has validation errors, with them, as [`Session::all_errors`].
    #[must_use]
    pub fn all_errors(&self) -> Vec<(String, Vec<String>)> {
        self.0.all_errors()
    }

    /// Leaves a message, as [`Session::flash`].
    ///
    /// # Errors
    ///
    /// As [`Session::put`].
    pub fn put<T: Serialize + ?Sized>(&self, key: impl Into<String>, value: &T) -> Result<(), SessionError> {
        self.0.flash(key, value)
    }

    /// Leaves validation errors, as [`Session::flash_errors`].
    ///
    /// # Errors
    ///
    /// As [`Session::flash_errors`].
    pub fn put_errors<T: Serialize + ?Sized>(&self, errors: &T) -> Result<(), SessionError> {
        self.0.flash_errors(errors)
    }

    /// Leaves the fields of a form but its secrets, as [`Session::flash_input`].
    ///
    /// # Errors
    ///
    /// As [`Session::put`].
    pub fn put_input<T: Serialize + ?Sized>(&self, form: &T) -> Result<(), SessionError> {
        self.0.flash_input(form)
    }

    /// Keeps all that was left for one request more, as [`Session::reflash`].
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn keep(&self) -> Result<(), SessionError> {
        self.0.reflash()
    }
}

impl<S: Sync> FromRequestParts<S> for Flash {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        Session::from_request_parts(parts, state).await.map(Self)
    }
}
