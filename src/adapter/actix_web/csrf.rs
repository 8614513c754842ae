use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Extensions, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE, UPGRADE};
use actix_web::{Error, HttpMessage as _, HttpResponse};

use crate::adapter::Marked;
use crate::adapter::csrf::{GuardSettings, RequestCheck, guard_settings, is_websocket};
use crate::csrf::CsrfFacts;
use crate::request::PendingSession;

/// Finds the session where its middleware put it.
type Find = fn(&Extensions) -> Option<PendingSession>;

const NO_SESSION: &str = "the guard against forged requests has no session to check a token with: write \
                          `.wrap(CsrfMiddleware::new())` before `.wrap(SessionMiddleware::new(manager))`, because the last one \
                          added runs first; a session with a marker needs a guard with `.marked::<Marker>()`";

/// Refuses requests that another site's page sends in a user's name: 403 with an empty body.
///
/// It stands inside of the [`SessionMiddleware`](super::SessionMiddleware), which gives it the session. In actix-web the
/// middleware that was added last runs first, so the guard is written **before** it. In the wrong order, as without any
/// session, a request that may change something and has a token in a header is answered with 500 and a sentence that says so.
///
/// Requests with `GET`, `HEAD` and `OPTIONS` pass, so their handlers must change nothing. What is left to the handler is a
/// form of a browser too old to say where it comes from: take it as [`CsrfForm`](crate::adapter::CsrfForm), or verify its
/// field with [`Session::verify_csrf`](crate::Session::verify_csrf).
///
/// ```
/// use actix_web::{App, web};
/// use sealed_session::adapter::actix_web::{CsrfMiddleware, SessionMiddleware};
/// use sealed_session::{SessionManager, Key};
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let guard = CsrfMiddleware::new().origin("https://example.com")?;
/// // What `HttpServer::new` takes: each worker makes an application of its own.
/// let application = move || {
///     App::new()
///         .wrap(guard.clone())
///         .wrap(SessionMiddleware::new(manager.clone()))
///         .route("/transfer", web::post().to(async || "done"))
/// };
/// # let _ = application();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a guard that is not added with `wrap` guards nothing"]
pub struct CsrfMiddleware {
    settings: Arc<GuardSettings>,
    find: Find,
}

impl CsrfMiddleware {
    /// A guard that knows no origin: requests without `Sec-Fetch-Site` need a token.
    pub fn new() -> Self {
        Self { settings: Arc::default(), find: |extensions| extensions.get::<PendingSession>().cloned() }
    }

    guard_settings!("sealed_session::adapter::actix_web::CsrfMiddleware");

    /// The same guard for the session with this marker, that of
    /// [`SessionMiddleware::marked`](super::SessionMiddleware::marked).
    ///
    /// Each guard stands around the routes of its own session: a token in a header is one session's alone, so two guards
    /// around a route would never let it pass both. A readable cookie beside another guard's needs a name of its own.
    ///
    /// ```
    /// use sealed_session::adapter::actix_web::CsrfMiddleware;
    ///
    /// struct Administration;
    ///
    /// let guard = CsrfMiddleware::new().origin("https://administration.example.com")?.marked::<Administration>();
    /// # let _ = guard;
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    pub fn marked<M: 'static>(self) -> Self {
        let find: Find = |extensions| extensions.get::<Marked<PendingSession, M>>().cloned().map(Marked::into_inner);
        Self { find, ..self }
    }
}

impl Default for CsrfMiddleware {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CsrfMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfMiddleware").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for CsrfMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = CsrfService<S>;
    type InitError = ();
    type Future = Ready<Result<CsrfService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(CsrfService { inner: Rc::new(inner), middleware: self.clone() }))
    }
}

/// A service behind a [`CsrfMiddleware`].
#[derive(Debug)]
pub struct CsrfService<S> {
    // Called when the check is through, by a future that does not borrow this.
    inner: Rc<S>,
    middleware: CsrfMiddleware,
}

// Derived, it would ask of the service what only its counter needs.
impl<S> Clone for CsrfService<S> {
    fn clone(&self) -> Self {
        Self { inner: Rc::clone(&self.inner), middleware: self.middleware.clone() }
    }
}

impl<S, B> Service<ServiceRequest> for CsrfService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let pending = (self.middleware.find)(&request.extensions());
        let check = read(&self.middleware.settings, &request);
        let inner = Rc::clone(&self.inner);
        Box::pin(async move {
            if let Err(status_code) = check.pass(pending.as_ref()).await {
                let refusal = refusal(status_code, pending.is_some());
                return Ok(request.into_response(refusal).map_into_right_body());
            }
            let response = inner.call(request).await;
            let status = match &response {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            let line = check.readable_cookie_line(pending.as_ref(), status.as_u16()).await;
            match response {
                Ok(mut response) => {
                    if let Some(line) = line {
                        append(line, response.headers_mut());
                    }
                    Ok(response.map_into_left_body())
                }
                Err(error) => Err(match line {
                    Some(line) => with_line(error, line),
                    None => error,
                }),
            }
        })
    }
}

/// What decides about a request.
fn read(settings: &GuardSettings, request: &ServiceRequest) -> RequestCheck {
    let headers = request.headers();
    let facts = CsrfFacts {
        method: request.method().as_str(),
        token_header: token_header(headers),
        sec_fetch_site: first(headers, "sec-fetch-site"),
        origin: first(headers, ORIGIN.as_str()),
        content_type: first(headers, CONTENT_TYPE.as_str()),
        is_websocket: is_websocket(headers.get_all(UPGRADE).map(HeaderValue::as_bytes)),
    };
    settings.read(&facts, headers.get_all(COOKIE).map(HeaderValue::as_bytes))
}

/// The token that a script sends, for a guard and a form alike.
pub(super) fn token_header(headers: &HeaderMap) -> Option<&[u8]> {
    CsrfFacts::TOKEN_HEADERS.into_iter().find_map(|name| first(headers, name))
}

/// The first value of a field, as the bytes that came.
pub(super) fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    headers.get(name).map(HeaderValue::as_bytes)
}

/// Empty, but for the mistake of the application that only a sentence mends.
fn refusal(status_code: u16, has_session: bool) -> HttpResponse {
    let status = StatusCode::from_u16(status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if has_session || status != StatusCode::INTERNAL_SERVER_ERROR {
        return HttpResponse::new(status);
    }
    HttpResponse::build(status).body(NO_SESSION)
}

fn append(line: String, headers: &mut HeaderMap) {
    // The attributes were checked, and a token is header text: a line that is none would only cost the script its token.
    if let Ok(mut line) = HeaderValue::try_from(line) {
        // Security: kept out of header compression's tables and of debug output.
        line.set_sensitive(true);
        headers.append(SET_COOKIE, line);
    }
}

/// What another middleware failed with: the framework makes a response of it outside of all middlewares, so the cookie goes
/// along inside of the error. A login before the failure has ended the token that the browser has.
fn with_line(error: Error, line: String) -> Error {
    let mut response = error.error_response();
    append(line, response.headers_mut());
    InternalError::from_response(error, response).into()
}
