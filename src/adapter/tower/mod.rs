//! Middleware for any tower service over `http` 1.
//!
//! The handler's response is replaced only when its session could not be written: the client must not be told of
//! something that is not so. It is then empty, with status 503 (the store does not answer), 409 (another request wrote
//! the session in between) or 500 (the session is too large).

mod csrf;

pub use csrf::{CsrfLayer, CsrfService};

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::extensions::{Put, put_marked, put_unmarked};
use super::header_map::{apply, request_facts, response_facts};
use super::manager_choice::Choice;
use crate::manager::SessionManager;
use crate::request::PendingSession;

/// Gives every request its [`PendingSession`], in the request's extensions, and writes it into the response.
///
/// ```
/// use sealed_session::adapter::tower::SessionLayer;
/// use sealed_session::{SessionManager, Key, PendingSession};
/// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
///
/// # pollster::block_on(async {
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let service = ServiceBuilder::new().layer(SessionLayer::new(manager)).service(service_fn(
///     async |request: http::Request<()>| {
///         let session = request.extensions().get::<PendingSession>().unwrap().session().await?;
///         session.increment("visits", 1)?;
///         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(http::Response::new(String::from("hello")))
///     },
/// ));
/// let response = service.oneshot(http::Request::new(())).await?;
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct SessionLayer {
    choice: Choice<Parts>,
    put: Put,
}

impl SessionLayer {
    /// A layer over this manager.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { choice: Choice::Always(manager), put: put_unmarked }
    }

    /// A layer that chooses the manager for each request: one for each tenant, say.
    ///
    /// ```
    /// use sealed_session::adapter::tower::SessionLayer;
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("shop").build()?;
    /// let blue = manager.with_audience("shop/blue")?;
    /// // Security: among those that are known. A name of the client's own choice must not make a tenant.
    /// let layer = SessionLayer::choosing(move |request| match request.headers.get("host") {
    ///     Some(host) if host == "blue.example.com" => blue.clone(),
    ///     _ => manager.clone(),
    /// });
    /// # let _ = layer;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn choosing(manager: impl Fn(&Parts) -> SessionManager + Send + Sync + 'static) -> Self {
        Self { choice: Choice::by(manager), put: put_unmarked }
    }

    /// The same layer for a second session of the same request: handlers find it by the marker, a type of the
    /// application's own, as [`Marked<Session, M>`](super::Marked).
    ///
    /// Without a marker, or with the same one, two layers around a route would take each other's place; the route then has
    /// no session, and every request to it fails and says so.
    ///
    /// ```
    /// use sealed_session::adapter::{Marked, tower::SessionLayer};
    /// use sealed_session::{SessionManager, Key, PendingSession, cookie::CookieAttributes};
    /// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
    ///
    /// struct Administration;
    ///
    /// # pollster::block_on(async {
    /// let attributes = CookieAttributes::new().name("__Host-administration");
    /// let manager = SessionManager::builder(Key::generate()?).cookie(attributes).build()?;
    /// let layer = SessionLayer::new(manager).marked::<Administration>();
    /// let service = ServiceBuilder::new().layer(layer).service(service_fn(async |request: http::Request<()>| {
    ///     let pending = request.extensions().get::<Marked<PendingSession, Administration>>().unwrap();
    ///     pending.session().await?.put("administrator", "zoe")?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(http::Response::new(String::new()))
    /// }));
    /// let response = service.oneshot(http::Request::new(())).await?;
    /// assert!(response.headers()["set-cookie"].to_str()?.starts_with("__Host-administration="));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn marked<M: 'static>(self) -> Self {
        Self { put: put_marked::<M>, ..self }
    }
}

impl fmt::Debug for SessionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("manager", &self.choice).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, layer: self.clone() }
    }
}

/// A service behind a [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    layer: SessionLayer,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    S::Future: Send + 'static,
    ResponseBody: Send,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = SessionFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let facts = request_facts(&parts.headers);
        let pending = self.layer.choice.begin(&parts, &facts);
        (self.layer.put)(&mut parts.extensions, pending.clone());
        let response = self.inner.call(Request::from_parts(parts, body));
        SessionFuture::new(async move {
            let response = response.await?;
            Ok(commit(&pending, response).await)
        })
    }
}

/// What [`SessionService`] answers with, in time.
#[must_use = "a future does nothing unless it is polled"]
pub struct SessionFuture<T, E>(Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

impl<T, E> SessionFuture<T, E> {
    fn new(answer: impl Future<Output = Result<T, E>> + Send + 'static) -> Self {
        Self(Box::pin(answer))
    }
}

impl<T, E> Future for SessionFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T, E> fmt::Debug for SessionFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").finish_non_exhaustive()
    }
}

async fn commit<B>(pending: &PendingSession, response: Response<B>) -> Response<SessionBody<B>> {
    // The facts borrow the response, which is not to be shared between threads over the wait.
    let committed = {
        let facts = response_facts(response.status().as_u16(), response.headers());
        pending.commit(&facts).await
    };
    let failed = match committed {
        Ok(commit) => {
            let (mut parts, body) = response.into_parts();
            if apply(commit, &mut parts.headers).is_ok() {
                return Response::from_parts(parts, SessionBody::of_handler(body));
            }
            None
        }
        Err(failed) => Some(failed),
    };
    let mut replaced = Response::new(SessionBody::empty());
    *replaced.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    if let Some(failed) = failed {
        *replaced.status_mut() = StatusCode::from_u16(failed.status_code()).unwrap_or(replaced.status());
        // What was saved before is sent with the error.
        if apply(failed.commit, replaced.headers_mut()).is_err() {
            *replaced.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    replaced
}

pin_project! {
    /// The handler's body, or nothing in its place.
    ///
    /// No `Default` is asked of the handler's body, so any body will do.
    #[derive(Debug)]
    pub struct SessionBody<B> {
        #[pin]
        inner: Option<B>,
    }
}

impl<B> SessionBody<B> {
    /// The handler's.
    ///
    /// ```
    /// use sealed_session::adapter::tower::SessionBody;
    ///
    /// let response = http::Response::new(String::from("hello")).map(SessionBody::of_handler);
    /// # let _ = response;
    /// ```
    pub const fn of_handler(body: B) -> Self {
        Self { inner: Some(body) }
    }

    /// Nothing: for a layer that answers in the handler's place.
    ///
    /// ```
    /// use sealed_session::adapter::tower::SessionBody;
    ///
    /// let response: http::Response<SessionBody<String>> = http::Response::new(SessionBody::empty());
    /// # let _ = response;
    /// ```
    #[must_use]
    pub const fn empty() -> Self {
        Self { inner: None }
    }
}

impl<B: Body> Body for SessionBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().inner.as_pin_mut() {
            Some(body) => body.poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
