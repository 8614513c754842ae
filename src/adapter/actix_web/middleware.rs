use std::fmt;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Extensions, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpMessage as _, HttpResponse, ResponseError};

use super::headers::{apply, request_facts, response_facts};
use crate::adapter::Marked;
use crate::adapter::manager_choice::Choice;
use crate::manager::SessionManager;
use crate::request::PendingSession;

/// Gives every request its session, and writes it into the response.
///
/// ```
/// use actix_web::{App, web};
/// use sealed_session::adapter::actix_web::SessionMiddleware;
/// use sealed_session::{SessionManager, Key, Session, SessionError};
///
/// async fn visits(session: Session) -> Result<String, SessionError> {
///     Ok(format!("visit {}", session.increment("visits", 1)?))
/// }
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// // What `HttpServer::new` takes: each worker makes an application of its own, over the same manager.
/// let application =
///     move || App::new().wrap(SessionMiddleware::new(manager.clone())).route("/", web::get().to(visits));
/// # let _ = application();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SessionMiddleware {
    choice: Choice<ServiceRequest>,
    put: fn(&mut Extensions, PendingSession),
}

impl SessionMiddleware {
    /// A middleware over this manager.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { choice: Choice::Always(manager), put }
    }

    /// A middleware that chooses the manager for each request: one for each tenant, say.
    ///
    /// ```
    /// use sealed_session::adapter::actix_web::SessionMiddleware;
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("shop").build()?;
    /// let blue = manager.with_audience("shop/blue")?;
    /// // Security: among those that are known. A name of the client's own choice must not make a tenant.
    /// let middleware = SessionMiddleware::choosing(move |request| match request.headers().get("host") {
    ///     Some(host) if host == "blue.example.com" => blue.clone(),
    ///     _ => manager.clone(),
    /// });
    /// # let _ = middleware;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn choosing(manager: impl Fn(&ServiceRequest) -> SessionManager + Send + Sync + 'static) -> Self {
        Self { choice: Choice::by(manager), put }
    }

    /// The same middleware for a second session of the same request: handlers find it by the marker, a type of the
    /// application's own, as [`Marked<Session, M>`](Marked).
    ///
    /// Without a marker, or with the same one, several of them around a route would take each other's place; the route then
    /// has no session, and every request to it fails and says so.
    ///
    /// ```
    /// use actix_web::{App, web};
    /// use sealed_session::adapter::{Marked, actix_web::SessionMiddleware};
    /// use sealed_session::{SessionManager, Key, Session, SessionError, cookie::CookieAttributes};
    ///
    /// struct Administration;
    ///
    /// async fn page(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    ///     Ok(format!("{:?} {:?}", customer.get::<String>("name")?, administrator.get::<String>("name")?))
    /// }
    ///
    /// let customers = SessionManager::builder(Key::generate()?).build()?;
    /// let attributes = CookieAttributes::new().name("__Host-administration");
    /// let administrators = SessionManager::builder(Key::generate()?).cookie(attributes).build()?;
    /// let application = App::new()
    ///     .wrap(SessionMiddleware::new(customers))
    ///     .wrap(SessionMiddleware::new(administrators).marked::<Administration>())
    ///     .route("/", web::get().to(page));
    /// # let _ = application;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn marked<M: 'static>(self) -> Self {
        Self { put: |extensions, pending| put(extensions, Marked::<_, M>::new(pending)), ..self }
    }
}

/// Stands where several middlewares would have put a `T`.
struct Several<T>(PhantomData<fn() -> T>);

fn put<T: 'static>(extensions: &mut Extensions, pending: T) {
    // Security: which of two sessions a handler would read and write must not depend on the order of middlewares.
    if extensions.contains::<Several<T>>() {
        return;
    }
    if extensions.insert(pending).is_some() {
        extensions.remove::<T>();
        extensions.insert(Several::<T>(PhantomData));
    }
}

impl fmt::Debug for SessionMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("manager", &self.choice).finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = Ready<Result<SessionService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService { inner, middleware: self.clone() }))
    }
}

/// A service behind a [`SessionMiddleware`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    middleware: SessionMiddleware,
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let pending = self.middleware.choice.begin(&request, &request_facts(request.headers()));
        (self.middleware.put)(&mut request.extensions_mut(), pending.clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            match response.await {
                Ok(response) => Ok(commit_to_response(&pending, response).await),
                Err(error) => Err(commit_to_error(&pending, error).await),
            }
        })
    }
}

async fn commit_to_response<B>(
    pending: &PendingSession,
    mut response: ServiceResponse<B>,
) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    match commit(pending, status, response.headers_mut()).await {
        Ok(()) => response.map_into_left_body(),
        Err(replaced) => response.into_response(replaced).map_into_right_body(),
    }
}

/// What another middleware, or an extractor of one, failed with: the framework makes a response of it outside of all
/// middlewares, so the session's headers go along inside of the error.
async fn commit_to_error(pending: &PendingSession, error: Error) -> Error {
    let mut response = error.error_response();
    let status = response.status();
    if let Err(replaced) = commit(pending, status, response.headers_mut()).await {
        response = replaced;
    }
    InternalError::from_response(error, response).into()
}

/// Writes the session and its headers, or says which response takes the place of the handler's.
async fn commit(pending: &PendingSession, status: StatusCode, headers: &mut HeaderMap) -> Result<(), HttpResponse> {
    let committed = pending.commit(&response_facts(status.as_u16(), headers)).await;
    let broken = |_| HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR);
    match committed {
        Ok(commit) => apply(commit, headers).map_err(broken),
        Err(failed) => {
            let mut replaced = failed.error.error_response();
            // What was saved before is sent with the error.
            apply(failed.commit, replaced.headers_mut()).map_err(broken)?;
            Err(replaced)
        }
    }
}
