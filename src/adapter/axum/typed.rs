use std::fmt;
use std::ops::{Deref, DerefMut};

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SessionRejection;
use crate::error::SessionError;
use crate::session::Session;

/// The whole session as one value of the application's own type; of an empty session, `T::default()`.
///
/// The value is a copy: what is changed in it is written by [`TypedSession::replace`] alone.
///
/// ```
/// use axum::{Router, routing::post};
/// use sealed_session::SessionError;
/// use sealed_session::adapter::axum::TypedSession;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Deserialize, Serialize)]
/// struct Cart {
///     items: Vec<u64>,
/// }
///
/// async fn add(mut cart: TypedSession<Cart>) -> Result<String, SessionError> {
///     cart.items.push(42);
///     cart.replace(&cart.value)?;
///     Ok(format!("{} items", cart.items.len()))
/// }
///
/// let routes: Router = Router::new().route("/cart", post(add));
/// ```
pub struct TypedSession<T> {
    /// The data as the request found them, and what the handler made of its copy.
    pub value: T,
    session: Session,
}

impl<T> TypedSession<T> {
    /// The session itself, for a new id, its end, or a token.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Replaces all data by this value; an equal one is no change.
    ///
    /// # Errors
    ///
    /// As [`Session::replace`].
    pub fn replace(&self, value: &T) -> Result<(), SessionError>
    where
        T: Serialize,
    {
        self.session.replace(value)
    }
}

impl<T> Deref for TypedSession<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for TypedSession<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: DeserializeOwned + Default, S: Sync> FromRequestParts<S> for TypedSession<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let session = Session::from_request_parts(parts, state).await?;
        let value = if session.is_empty() { T::default() } else { session.read().map_err(SessionRejection::Data)? };
        Ok(Self { value, session })
    }
}

impl<T> fmt::Debug for TypedSession<T> {
    /// Without the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedSession").field("session", &self.session).finish_non_exhaustive()
    }
}
