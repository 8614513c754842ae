use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// What belongs to the session layer with this marker, where an application has several: its session in a handler, its
/// [`PendingSession`](crate::PendingSession) in a request.
///
/// The marker is any type of the application, and never made. Each layer also needs a cookie name of its own.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use sealed_session::adapter::{Marked, tower::SessionLayer};
/// use sealed_session::{SessionManager, Key, Session, SessionError, cookie::CookieAttributes};
///
/// /// The administrators' session, beside the customers'.
/// struct Administration;
///
/// async fn page(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
///     Ok(format!("{:?} {:?}", customer.get::<String>("name")?, administrator.get::<String>("name")?))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let customers = SessionManager::builder(Key::generate()?).build()?;
/// let attributes = CookieAttributes::new().name("__Host-administration");
/// let administrators = SessionManager::builder(Key::generate()?).cookie(attributes).build()?;
/// let app: Router = Router::new()
///     .route("/", get(page))
///     .layer(SessionLayer::new(customers))
///     .layer(SessionLayer::new(administrators).marked::<Administration>());
/// # Ok(()) } main().unwrap(); }
/// ```
pub struct Marked<T, M> {
    value: T,
    // Of a function: the marker is in no way held, so it need be neither `Send` nor `Sync`.
    marker: PhantomData<fn() -> M>,
}

impl<T, M> Marked<T, M> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value, marker: PhantomData }
    }

    /// What it is, without the marker: for a function that takes any session.
    ///
    /// ```
    /// use sealed_session::adapter::Marked;
    /// use sealed_session::{Session, SessionError};
    ///
    /// fn visits(session: Session) -> Result<i64, SessionError> {
    ///     session.get_or("visits", 0)
    /// }
    ///
    /// fn page<M>(marked: Marked<Session, M>) -> Result<i64, SessionError> {
    ///     visits(marked.into_inner())
    /// }
    /// ```
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T, M> Deref for Marked<T, M> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

// Derived, these would ask of the marker what they need of the value alone.
impl<T: Clone, M> Clone for Marked<T, M> {
    fn clone(&self) -> Self {
        Self::new(self.value.clone())
    }
}

impl<T: fmt::Debug, M> fmt::Debug for Marked<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Marked").field(&self.value).finish()
    }
}
