use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::{SessionBody, SessionFuture};
use crate::adapter::csrf::{GuardSettings, guard_settings};
use crate::adapter::extensions::{Find, find_marked, find_unmarked};
use crate::adapter::header_map::{append_cookie, check};

/// Refuses requests that another site's page sends in a user's name: 403 with an empty body.
///
/// It stands inside of the [`SessionLayer`](super::SessionLayer), which gives it the session; without one, or around it, a
/// request with a token in a header is answered with an empty 500. Requests with `GET`, `HEAD` and `OPTIONS` pass, so their
/// handlers must change nothing. What is left to the handler is a form of a browser too old to say where it comes from:
/// verify the form's field, with [`Session::verify_csrf`](crate::Session::verify_csrf) or an extractor, `adapter::CsrfForm`
/// in axum.
///
/// ```
/// use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
/// use sealed_session::{SessionManager, Key};
/// use axum::{Router, routing::post};
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let app: Router = Router::new()
///     .route("/transfer", post(async || "done"))
///     .layer(CsrfLayer::new().origin("https://example.com")?)
///     .layer(SessionLayer::new(manager));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a guard that is not added as a layer guards nothing"]
pub struct CsrfLayer {
    settings: Arc<GuardSettings>,
    find: Find,
}

impl CsrfLayer {
    /// A guard that knows no origin: requests without `Sec-Fetch-Site` need a token.
    pub fn new() -> Self {
        Self { settings: Arc::default(), find: find_unmarked }
    }

    guard_settings!("sealed_session::adapter::tower::CsrfLayer");

    /// The same guard for the session with this marker, that of [`SessionLayer::marked`](super::SessionLayer::marked).
    ///
    /// Each guard stands around the routes of its own session: a token in a header is one session's alone, so two guards
    /// around a route would never let it pass both. A readable cookie beside another guard's needs a name of its own.
    ///
    /// ```
    /// use sealed_session::adapter::tower::CsrfLayer;
    ///
    /// struct Administration;
    ///
    /// let guard = CsrfLayer::new().origin("https://administration.example.com")?.marked::<Administration>();
    /// # let _ = guard;
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    pub fn marked<M: 'static>(self) -> Self {
        Self { find: find_marked::<M>, ..self }
    }
}

impl Default for CsrfLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CsrfLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> CsrfService<S> {
        CsrfService { inner, layer: self.clone() }
    }
}

/// A service behind a [`CsrfLayer`].
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    inner: S,
    layer: CsrfLayer,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for CsrfService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    RequestBody: Send + 'static,
    ResponseBody: Send,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = SessionFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        // The service that was polled ready is the one to call: a clone of it may not be.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let CsrfLayer { settings, find } = self.layer.clone();
        SessionFuture(Box::pin(async move {
            let pending = find(request.extensions());
            let check = check(&settings, request.method(), request.headers());
            if let Err(status_code) = check.pass(pending.as_ref()).await {
                return Ok(empty(status_code));
            }
            let (mut parts, body) = inner.call(request).await?.into_parts();
            if let Some(line) = check.readable_cookie_line(pending.as_ref(), parts.status.as_u16()).await {
                // A line that is no header value would only cost the script its token.
                let _ = append_cookie(line, &mut parts.headers);
            }
            Ok(Response::from_parts(parts, SessionBody::of_handler(body)))
        }))
    }
}

fn empty<B>(status_code: u16) -> Response<SessionBody<B>> {
    let mut response = Response::new(SessionBody::empty());
    *response.status_mut() = StatusCode::from_u16(status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
