use std::fmt;

use http::StatusCode;
use poem::{Endpoint, Error, IntoResponse, Middleware, Request, Response};

use crate::adapter::extensions::{Put, put_marked, put_unmarked};
use crate::adapter::header_map::{apply, request_facts, response_facts};
use crate::adapter::manager_choice::Choice;
use crate::manager::SessionManager;
use crate::request::{PendingSession, ResponseFacts};

/// Gives every request its session, and writes it into the response.
///
/// The session is written as well when the handler answers with an error: the error is then turned into its response here,
/// because an error carries no `Set-Cookie`, and whatever handles errors around this middleware sees that response. An
/// error of a request that asked for no session, as that of an unknown path, passes as it came. So
/// [`catch_error`](poem::EndpointExt::catch_error) for errors of handlers stands inside, and its page gets the session's
/// headers like any other:
///
/// ```
/// use poem::error::NotFoundError;
/// use poem::{Endpoint, EndpointExt, Request, Route, handler, http::StatusCode};
/// use sealed_session::adapter::poem::SessionMiddleware;
/// use sealed_session::{SessionManager, Key, Session};
///
/// #[handler]
/// async fn search(session: Session) -> poem::Result<String> {
///     session.increment("searches", 1)?;
///     Err(NotFoundError.into())
/// }
///
/// # pollster::block_on(async {
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let application = Route::new()
///     .at("/search", search)
///     .catch_error(|_: NotFoundError| async { (StatusCode::NOT_FOUND, "nothing here") })
///     .with(SessionMiddleware::new(manager));
///
/// let response = application.get_response(Request::builder().uri_str("/search").finish()).await;
/// assert!(response.headers().contains_key("set-cookie"));
/// assert_eq!(response.into_body().into_string().await?, "nothing here");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// A session that could not be written takes the response's place, since the client must not be told of something that is
/// not so: the endpoint's error is then [`CommitError`](crate::CommitError), answered with an empty body and status 503 (the
/// store does not answer), 409 (another request wrote the session in between) or 500 (the session is too large).
#[derive(Clone)]
pub struct SessionMiddleware {
    choice: Choice<Request>,
    put: Put,
}

impl SessionMiddleware {
    /// A middleware over this manager.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { choice: Choice::Always(manager), put: put_unmarked }
    }

    /// A middleware that chooses the manager for each request: one for each tenant, say.
    ///
    /// ```
    /// use sealed_session::adapter::poem::SessionMiddleware;
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("shop").build()?;
    /// let blue = manager.with_audience("shop/blue")?;
    /// // Security: among those that are known. A name of the client's own choice must not make a tenant.
    /// let middleware = SessionMiddleware::choosing(move |request| match request.header("host") {
    ///     Some("blue.example.com") => blue.clone(),
    ///     _ => manager.clone(),
    /// });
    /// # let _ = middleware;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn choosing(manager: impl Fn(&Request) -> SessionManager + Send + Sync + 'static) -> Self {
        Self { choice: Choice::by(manager), put: put_unmarked }
    }

    /// The same middleware for a second session of the same request: handlers find it by the marker, a type of the
    /// application's own, as [`Marked<Session, M>`](crate::adapter::Marked).
    ///
    /// Without a marker, or with the same one, two of them around a route would take each other's place; the route then has
    /// no session, and every request to it fails and says so.
    ///
    /// ```
    /// use poem::{EndpointExt, Route, handler};
    /// use sealed_session::adapter::{Marked, poem::SessionMiddleware};
    /// use sealed_session::{SessionManager, Key, Session, SessionError, cookie::CookieAttributes};
    ///
    /// struct Administration;
    ///
    /// #[handler]
    /// async fn page(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    ///     Ok(format!("{:?} {:?}", customer.get::<String>("name")?, administrator.get::<String>("name")?))
    /// }
    ///
    /// let customers = SessionManager::builder(Key::generate()?).build()?;
    /// let attributes = CookieAttributes::new().name("__Host-administration");
    /// let administrators = SessionManager::builder(Key::generate()?).cookie(attributes).build()?;
    /// let application = Route::new()
    ///     .at("/", page)
    ///     .with(SessionMiddleware::new(customers))
    ///     .with(SessionMiddleware::new(administrators).marked::<Administration>());
    /// # let _ = application;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn marked<M: 'static>(self) -> Self {
        Self { put: put_marked::<M>, ..self }
    }
}

impl fmt::Debug for SessionMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("manager", &self.choice).finish_non_exhaustive()
    }
}

impl<E: Endpoint> Middleware<E> for SessionMiddleware {
    type Output = SessionEndpoint<E>;

    fn transform(&self, inner: E) -> SessionEndpoint<E> {
        SessionEndpoint { inner, middleware: self.clone() }
    }
}

/// An endpoint behind a [`SessionMiddleware`].
#[derive(Clone, Debug)]
pub struct SessionEndpoint<E> {
    inner: E,
    middleware: SessionMiddleware,
}

impl<E: Endpoint> Endpoint for SessionEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let pending = self.middleware.choice.begin(&request, &request_facts(request.headers()));
        (self.middleware.put)(request.extensions_mut(), pending.clone());
        let response = match self.inner.call(request).await {
            Ok(output) => output.into_response(),
            Err(error) if pending.is_untouched() => {
                // For the mark alone that the head is complete: what comes later can write no more.
                let _ = pending.commit(&ResponseFacts::new(error.status().as_u16())).await;
                return Err(error);
            }
            Err(error) => error.into_response(),
        };
        commit(&pending, response).await
    }
}

async fn commit(pending: &PendingSession, mut response: Response) -> poem::Result<Response> {
    let committed = {
        let facts = response_facts(response.status().as_u16(), response.headers());
        pending.commit(&facts).await
    };
    let committed = match committed {
        Ok(committed) => committed,
        Err(failed) if failed.commit.set_cookies.is_empty() => return Err(failed.error.into()),
        Err(failed) => {
            // What was saved before is sent with the error.
            response = poem::error::ResponseError::as_response(&failed.error);
            failed.commit
        }
    };
    apply(committed, response.headers_mut()).map_err(|_| Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(response)
}
