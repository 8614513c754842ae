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

use http::header::{CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, SET_COOKIE, VARY};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::driver::{Commit, CookieStore, PendingSession, RequestFacts, ResponseFacts};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
// RFC 9213, and its forerunner: both outrank `Cache-Control` where they are understood.
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");

/// Gives every request its [`PendingSession`], in the request's extensions, and writes it into the response.
///
/// ```
/// use sealed_session::adapter::tower::SessionLayer;
/// use sealed_session::{CookieStore, Key, PendingSession};
/// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
///
/// # pollster::block_on(async {
/// let store = CookieStore::builder(Key::generate()?).build()?;
/// let service = ServiceBuilder::new().layer(SessionLayer::new(store)).service(service_fn(
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
#[derive(Clone, Debug)]
pub struct SessionLayer {
    store: CookieStore,
}

impl SessionLayer {
    /// A layer over this store.
    #[must_use]
    pub const fn new(store: CookieStore) -> Self {
        Self { store }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, store: self.store.clone() }
    }
}

/// A service behind a [`SessionLayer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    store: CookieStore,
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

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let pending = self.store.begin(&request_facts(request.headers()));
        request.extensions_mut().insert(pending.clone());
        let response = self.inner.call(request);
        SessionFuture(Box::pin(async move {
            let response = response.await?;
            Ok(commit(&pending, response).await)
        }))
    }
}

/// What [`SessionService`] answers with, in time.
#[must_use = "a future does nothing unless it is polled"]
pub struct SessionFuture<T, E>(Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

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

fn request_facts(headers: &HeaderMap) -> RequestFacts<'_> {
    let facts = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .fold(RequestFacts::new(), RequestFacts::cookie_header);
    match headers.get(SEC_FETCH_DEST) {
        Some(dest) => facts.sec_fetch_dest(dest.as_bytes()),
        None => facts,
    }
}

fn response_facts<B>(response: &Response<B>) -> ResponseFacts<'_> {
    let values = |name| response.headers().get_all(name).iter().map(HeaderValue::as_bytes);
    let facts =
        values(CACHE_CONTROL).fold(ResponseFacts::new(response.status().as_u16()), ResponseFacts::cache_control);
    values(VARY).fold(facts, ResponseFacts::vary)
}

async fn commit<B>(pending: &PendingSession, response: Response<B>) -> Response<SessionBody<B>> {
    // The facts borrow the response, which is not to be shared between threads over the wait.
    let committed = {
        let facts = response_facts(&response);
        pending.commit(&facts).await
    };
    let status = match committed {
        Ok(commit) => {
            let (mut parts, body) = response.into_parts();
            if apply(commit, &mut parts.headers) {
                return Response::from_parts(parts, SessionBody::of_handler(body));
            }
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Err(error) => StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let mut replaced = Response::new(SessionBody::empty());
    *replaced.status_mut() = status;
    replaced
}

/// Puts the session's headers beside those of the handler; `false` when a cookie is no header value.
fn apply(commit: Commit, headers: &mut HeaderMap) -> bool {
    for line in commit.set_cookies {
        let Ok(mut value) = HeaderValue::try_from(line) else { return false };
        // Security: kept out of header compression's tables and of debug output.
        value.set_sensitive(true);
        headers.append(SET_COOKIE, value);
    }
    if commit.add_vary_cookie {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
    if let Some(cache_control) = commit.cache_control {
        let Ok(value) = HeaderValue::try_from(cache_control) else { return false };
        headers.insert(CACHE_CONTROL, value);
    }
    if commit.remove_cdn_cache_control {
        headers.remove(CDN_CACHE_CONTROL);
        headers.remove(SURROGATE_CONTROL);
    }
    true
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
    const fn of_handler(body: B) -> Self {
        Self { inner: Some(body) }
    }

    const fn empty() -> Self {
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
