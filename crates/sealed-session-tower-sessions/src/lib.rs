#![doc = include_str!("../README.md")]
//!
//! # What differs from `SessionManagerLayer`
//!
//! - Lifetimes are those of the [`SessionManager`], inside the seal. `Expiry::OnInactivity` becomes a lifetime of the session's
//!   own, as by [`remember`](sealed_session::Session::remember): at most the manager's `remember_max`. `Expiry::AtDateTime` ends the
//!   session then, if it has not ended before. `Expiry::OnSessionEnd` changes nothing: whether cookies end with the browser
//!   is the manager's `clear_with_browser`.
//! - Changes are made key by key: requests that run at the same time and change different keys lose nothing, where the data
//!   lies in a server store. In a cookie the last response wins.
//! - `save` in a handler checks the changes and makes them; they are written with the response.
//! - `cycle_id` and `flush` take effect with the response: what fails before it logs nobody out. What a handler that answers
//!   with a server error wrote is kept.
//! - The cookie is set by this layer and not by the middleware of `tower-sessions`, so the browser also gets the markers that keep
//!   late responses from bringing back a session that it has left.
//! - What cannot be kept is a 409 or a 503 in place of the handler's response.
//! - `id` is made from the 64 bits of the session's [`PublicId`](sealed_session::PublicId). It names no cookie and no record.
//! - A store that does not answer is a 503 with an empty body, in place of what the handler made of it.
//! - The cookie of every request is opened, whether or not a handler asks for it: a session of `tower-sessions` has an id
//!   from its beginning.

mod backing;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use sealed_session::adapter::tower::{SessionBody, SessionLayer, SessionService};
use sealed_session::{PendingSession, SessionManager};
use tower_layer::Layer;
use tower_service::Service;
use tower_sessions_core::Session;

use backing::Backing;

/// Gives every request a session of `tower-sessions`, and a [`Session`](sealed_session::Session) of this crate over the same values.
///
/// ```
/// use axum::{Router, routing::get};
/// use sealed_session_tower_sessions::TowerSessionsLayer;
/// use sealed_session::{SessionManager, Key};
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let app: Router = Router::new().route("/", get(async || "hello")).layer(TowerSessionsLayer::new(manager));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `axum-login` wraps a `SessionManagerLayer` of its own in its `AuthManagerLayer`. Its `AuthManager` alone stands inside of
/// this one:
///
/// ```text
/// .layer(layer_fn(move |inner| AuthManager::new(inner, backend.clone(), "axum-login.data")))
/// .layer(TowerSessionsLayer::new(manager))
/// ```
#[derive(Clone, Debug)]
pub struct TowerSessionsLayer {
    outer: SessionLayer,
}

impl TowerSessionsLayer {
    /// A layer over this manager.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        SessionLayer::new(manager).into()
    }
}

/// Over a layer that chooses its manager for each request. One with a marker gives no session of `tower-sessions`.
impl From<SessionLayer> for TowerSessionsLayer {
    fn from(outer: SessionLayer) -> Self {
        Self { outer }
    }
}

impl<S> Layer<S> for TowerSessionsLayer {
    type Service = SessionService<TowerSessionsService<S>>;

    fn layer(&self, inner: S) -> Self::Service {
        self.outer.layer(TowerSessionsService { inner })
    }
}

/// A service behind a [`TowerSessionsLayer`].
#[derive(Clone)]
pub struct TowerSessionsService<S> {
    inner: S,
}

impl<S> fmt::Debug for TowerSessionsService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerSessionsService").finish_non_exhaustive()
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for TowerSessionsService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send,
    RequestBody: Send + 'static,
    ResponseBody: Send,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        // The clone may not be ready: the one that was asked goes on, and the clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let pending = request.extensions().get::<PendingSession>().cloned();
        Box::pin(async move {
            let Some(pending) = pending else {
                // Two layers that are not told apart: handlers that ask are answered so by their extractor.
                return Ok(inner.call(request).await?.map(SessionBody::of_handler));
            };
            let backing = Arc::new(Backing::new(pending));
            let session = Session::new(backing.begin().await, Arc::clone(&backing), None);
            request.extensions_mut().insert(session.clone());
            let response = inner.call(request).await?;
            Ok(match backing.finish(&session).await {
                Ok(()) => response.map(SessionBody::of_handler),
                Err(status) => replaced(status),
            })
        })
    }
}

fn replaced<B>(status: u16) -> Response<SessionBody<B>> {
    let mut response = Response::new(SessionBody::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
