use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONTENT_TYPE, COOKIE, HeaderMap, ORIGIN, SET_COOKIE, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::{SessionBody, SessionFuture};
use crate::cookie::{CookieAttributes, request, response};
use crate::driver::PendingSession;
use crate::error::ConfigError;
use crate::session::{CsrfDecision, CsrfFacts, Session, csrf_decision};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses requests that another site's page sends in a user's name: 403 with an empty body.
///
/// It stands inside of the [`SessionLayer`](super::SessionLayer), which gives it the session. Requests with `GET`, `HEAD`
/// and `OPTIONS` pass, so their handlers must change nothing. What is left to the handler is a form of a browser too old
/// to say where it comes from: verify the form's field, with [`Session::verify_csrf`] or an extractor.
///
/// ```
/// use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
/// use sealed_session::{CookieStore, Key};
/// use axum::{Router, routing::post};
///
/// let store = CookieStore::builder(Key::generate()?).build()?;
/// let app: Router = Router::new()
///     .route("/transfer", post(async || "done"))
///     .layer(CsrfLayer::new().origin("https://example.com")?)
///     .layer(SessionLayer::new(store));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a guard that is not added as a layer guards nothing"]
pub struct CsrfLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug, Default)]
struct Settings {
    origins: Vec<String>,
    readable_cookie: Option<CookieAttributes>,
}

impl CsrfLayer {
    /// A guard that knows no origin: requests without `Sec-Fetch-Site` need a token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an origin of the application itself, as browsers write it: scheme, host, and the port when it is not the
    /// scheme's own (RFC 6454 §6.2), like `https://example.com`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for anything that no browser sends, such as a path, capitals or a default port.
    pub fn origin(mut self, origin: &str) -> Result<Self, ConfigError> {
        check_origin(origin)?;
        Arc::make_mut(&mut self.settings).origins.push(origin.to_owned());
        Ok(self)
    }

    /// Gives scripts of the application's own pages a token in a cookie that they can read, to be sent back in the header
    /// `X-XSRF-TOKEN`. For sessions that exist; it is replaced when it does not verify any more, as after a login.
    ///
    /// The attributes are those of `XSRF-TOKEN` with `Path=/`, `Secure` and `SameSite=Lax` where `None` is given.
    ///
    /// ```
    /// use sealed_session::adapter::tower::CsrfLayer;
    ///
    /// let guard = CsrfLayer::new().origin("https://example.com")?.readable_cookie(None)?;
    /// # let _ = guard;
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for attributes that cannot work.
    pub fn readable_cookie(mut self, attributes: Option<CookieAttributes>) -> Result<Self, ConfigError> {
        let attributes = attributes.unwrap_or_else(|| CookieAttributes::new().name("XSRF-TOKEN")).http_only(false);
        attributes.check()?;
        Arc::make_mut(&mut self.settings).readable_cookie = Some(attributes);
        Ok(self)
    }
}

/// As browsers write an origin, or no request would ever match it.
fn check_origin(origin: &str) -> Result<(), ConfigError> {
    let wrong = |problem| Err(ConfigError::new("origin", problem));
    let Some((scheme @ ("http" | "https"), authority)) = origin.split_once("://") else {
        return wrong("give a scheme and a host, like https://example.com");
    };
    let is_written_as_browsers_do = !authority.is_empty()
        && authority.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
    if !is_written_as_browsers_do {
        return wrong("browsers write the host in small ASCII letters, without a path or a user; write it so");
    }
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    if authority.ends_with(default_port) {
        return wrong("browsers leave the scheme's own port out; leave it out too");
    }
    Ok(())
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> CsrfService<S> {
        CsrfService { inner, settings: Arc::clone(&self.settings) }
    }
}

/// A service behind a [`CsrfLayer`].
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    inner: S,
    settings: Arc<Settings>,
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
        let settings = Arc::clone(&self.settings);
        SessionFuture(Box::pin(async move {
            let pending = request.extensions().get::<PendingSession>().cloned();
            let verified = match needed_token(&settings, &request) {
                Ok(Some(token)) => verify(&token, pending.as_ref()).await,
                Ok(None) => Ok(()),
                Err(status) => Err(status),
            };
            if let Err(status) = verified {
                return Ok(empty(status));
            }
            let known_token =
                settings.readable_cookie.as_ref().and_then(|cookie| known_token(request.headers(), cookie));
            let response = inner.call(request).await?;
            let (mut parts, body) = response.into_parts();
            if let (Some(cookie), Some(pending)) = (&settings.readable_cookie, pending) {
                give_token(cookie, &pending, known_token.as_deref(), &mut parts.headers).await;
            }
            Ok(Response::from_parts(parts, SessionBody::of_handler(body)))
        }))
    }
}

/// The token that a request must prove itself with, `None` when it passes without.
fn needed_token<B>(settings: &Settings, request: &Request<B>) -> Result<Option<Vec<u8>>, StatusCode> {
    match csrf_decision(&facts(request), &settings.origins) {
        CsrfDecision::Pass | CsrfDecision::VerifyField => Ok(None),
        CsrfDecision::VerifyToken(token) => Ok(Some(token.to_vec())),
        CsrfDecision::Forbidden => Err(StatusCode::FORBIDDEN),
    }
}

async fn verify(token: &[u8], pending: Option<&PendingSession>) -> Result<(), StatusCode> {
    // Without a `SessionLayer` around it there is nothing that a token could belong to: a mistake of the application.
    let pending = pending.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let session = pending.session().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let token = std::str::from_utf8(token).map_err(|_| StatusCode::FORBIDDEN)?;
    session.verify_csrf(Some(token)).map_err(|_| StatusCode::FORBIDDEN)
}

fn facts<B>(request: &Request<B>) -> CsrfFacts<'_> {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    CsrfFacts {
        method: request.method().as_str(),
        token_header: CsrfFacts::TOKEN_HEADERS.into_iter().find_map(header),
        sec_fetch_site: header(SEC_FETCH_SITE),
        origin: header(ORIGIN.as_str()),
        content_type: header(CONTENT_TYPE.as_str()),
        is_websocket: request
            .headers()
            .get_all(UPGRADE)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket")),
    }
}

fn known_token(headers: &HeaderMap, cookie: &CookieAttributes) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let token = request::candidates(cookies, cookie.cookie_name()).next()?;
    String::from_utf8(token.to_vec()).ok()
}

/// Sets the readable cookie where the session exists and the browser's token is none of its own.
async fn give_token(cookie: &CookieAttributes, pending: &PendingSession, known: Option<&str>, headers: &mut HeaderMap) {
    // A store that does not answer is told of elsewhere; the next response brings the token.
    let Ok(session) = pending.session().await else { return };
    if session.id().is_none() || session.verify_csrf(known).is_ok() {
        return;
    }
    if let Some(line) = fresh_token(cookie, &session) {
        headers.append(SET_COOKIE, line);
    }
}

fn fresh_token(cookie: &CookieAttributes, session: &Session) -> Option<HeaderValue> {
    // A session that was destroyed in this request gets none.
    let token = session.csrf_token().ok()?;
    let mut line = HeaderValue::try_from(response::issue(cookie, &token, None)).ok()?;
    line.set_sensitive(true);
    Some(line)
}

fn empty<B>(status: StatusCode) -> Response<SessionBody<B>> {
    let mut response = Response::new(SessionBody::empty());
    *response.status_mut() = status;
    response
}
