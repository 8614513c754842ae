use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use poem::{Endpoint, Error, IntoResponse, Middleware, Request, Response};

use super::MissingSessionMiddleware;
use crate::adapter::csrf::{GuardSettings, guard_settings};
use crate::adapter::extensions::{Find, find_marked, find_unmarked};
use crate::adapter::header_map::{append_cookie, check};
use crate::request::PendingSession;

/// Refuses requests that another site's page sends in a user's name: 403 with an empty body.
///
/// It stands inside of the [`SessionMiddleware`](super::SessionMiddleware), which gives it the session; without one, or
/// around it, a request with a token in a header is answered with 500 and a sentence that says so. Requests with `GET`,
/// `HEAD` and `OPTIONS` pass, so their handlers must change nothing. What is left to the handler is a form of a browser too
/// old to say where it comes from: take it as [`CsrfForm`](crate::adapter::CsrfForm), or call
/// [`Session::verify_csrf`](crate::Session::verify_csrf).
///
/// ```
/// use poem::http::{Method, StatusCode};
/// use poem::{Endpoint, EndpointExt, Request, Route, handler, post};
/// use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
/// use sealed_session::{SessionManager, Key};
///
/// #[handler]
/// async fn transfer() -> &'static str {
///     "done"
/// }
///
/// # pollster::block_on(async {
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let application = Route::new()
///     .at("/transfer", post(transfer))
///     .with(CsrfMiddleware::new().origin("https://example.com")?)
///     .with(SessionMiddleware::new(manager));
///
/// let request = || Request::builder().method(Method::POST).uri_str("/transfer");
/// let ours = request().header("origin", "https://example.com").finish();
/// assert_eq!(application.get_response(ours).await.status(), StatusCode::OK);
/// let forged = request().header("origin", "https://elsewhere.example").finish();
/// assert_eq!(application.get_response(forged).await.status(), StatusCode::FORBIDDEN);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// The readable cookie is set as well when the handler answers with an error: the error is then turned into its response
/// here, as [`SessionMiddleware`](super::SessionMiddleware) does it. An error of a request that asked for no session passes
/// as it came, and so does any error where there is no cookie to set; the next response brings what is missing.
///
/// A refusal is an error of this endpoint: [`catch_all_error`](poem::EndpointExt::catch_all_error) between this guard and the
/// session middleware can give it a page.
///
/// This is not poem's own `Csrf`, of its feature `csrf`: that one refuses nothing, but gives handlers a token and a verifier
/// that they call themselves, and its token belongs to a cookie of its own in place of the session, so a login does not end it. A
/// route needs one of the two. Where both are kept, poem's token must not be sent as `X-CSRF-Token` or `X-XSRF-TOKEN`: here
/// it is a wrong one.
#[derive(Clone)]
#[must_use = "a guard that is not added with `.with(…)` guards nothing"]
pub struct CsrfMiddleware {
    settings: Arc<GuardSettings>,
    find: Find,
}

impl CsrfMiddleware {
    /// A guard that knows no origin: requests without `Sec-Fetch-Site` need a token.
    pub fn new() -> Self {
        Self { settings: Arc::default(), find: find_unmarked }
    }

    guard_settings!("sealed_session::adapter::poem::CsrfMiddleware");

    /// The same guard for the session with this marker, that of
    /// [`SessionMiddleware::marked`](super::SessionMiddleware::marked).
    ///
    /// Each guard stands around the routes of its own session: a token in a header is one session's alone, so two guards
    /// around a route would never let it pass both. A readable cookie beside another guard's needs a name of its own.
    ///
    /// ```
    /// use sealed_session::adapter::poem::CsrfMiddleware;
    ///
    /// struct Administration;
    ///
    /// let guard = CsrfMiddleware::new().origin("https://administration.example.com")?.marked::<Administration>();
    /// # let _ = guard;
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    pub fn marked<M: 'static>(self) -> Self {
        Self { find: find_marked::<M>, ..self }
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

impl<E: Endpoint> Middleware<E> for CsrfMiddleware {
    type Output = CsrfGuardEndpoint<E>;

    fn transform(&self, inner: E) -> CsrfGuardEndpoint<E> {
        CsrfGuardEndpoint { inner, middleware: self.clone() }
    }
}

/// An endpoint behind a [`CsrfMiddleware`].
#[derive(Clone, Debug)]
pub struct CsrfGuardEndpoint<E> {
    inner: E,
    middleware: CsrfMiddleware,
}

impl<E: Endpoint> Endpoint for CsrfGuardEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let CsrfMiddleware { settings, find } = &self.middleware;
        let pending = find(request.extensions());
        let check = check(settings, request.method(), request.headers());
        check.pass(pending.as_ref()).await.map_err(|status_code| refusal(status_code, pending.is_some()))?;
        let result = self.inner.call(request).await.map(IntoResponse::into_response);
        if result.is_err() && pending.as_ref().is_none_or(PendingSession::is_untouched) {
            // To look at the session would make a response of this error, for a token that the next response can bring.
            return result;
        }
        let status = result.as_ref().map_or_else(Error::status, Response::status);
        let Some(line) = check.readable_cookie_line(pending.as_ref(), status.as_u16()).await else { return result };
        // An error carries no `Set-Cookie`.
        let mut response = result.unwrap_or_else(Error::into_response);
        // A line that is no header value would only cost the script its token.
        let _ = append_cookie(line, response.headers_mut());
        Ok(response)
    }
}

/// Empty, but for the mistake of the application that only a sentence mends.
fn refusal(status_code: u16, has_session: bool) -> Error {
    match StatusCode::from_u16(status_code) {
        Ok(status) if has_session || status != StatusCode::INTERNAL_SERVER_ERROR => Error::from_status(status),
        _ => MissingSessionMiddleware.into(),
    }
}
