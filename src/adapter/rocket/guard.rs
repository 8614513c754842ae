use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Phase, Request, Rocket, Sentinel, error};

use super::super::Marked;
use crate::driver::PendingSession;
use crate::error::LoadError;
use crate::session::Session;

/// In Rocket's managed state: that the fairing of this guard is attached.
pub(super) struct Attached<Guard>(PhantomData<fn() -> Guard>);

impl<Guard: 'static> Attached<Guard> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }

    pub(super) fn is_in<P: Phase>(rocket: &Rocket<P>) -> bool {
        rocket.state::<Self>().is_some()
    }
}

/// In a request's local cache, which keeps one value of each type and never replaces it: hence the lock.
#[derive(Default)]
pub(super) struct InRequest(Mutex<Begun>);

#[derive(Default)]
struct Begun {
    pending: Option<PendingSession>,
    load_failure: Option<u16>,
}

impl InRequest {
    pub(super) fn unmarked<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    pub(super) fn marked<'r, M: 'static>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(|| Marked::<Self, M>::new(Self::default()))
    }

    /// Anew also where it has begun: a clone of a request of Rocket's test client shares the cache.
    pub(super) fn begin(&self, pending: PendingSession) {
        *self.lock() = Begun { pending: Some(pending), load_failure: None };
    }

    /// The session, and the status of a load that failed.
    pub(super) fn end(&self) -> Option<(PendingSession, Option<u16>)> {
        let begun = self.lock();
        Some((begun.pending.clone()?, begun.load_failure))
    }

    fn lock(&self) -> MutexGuard<'_, Begun> {
        // Each change is one assignment: there is no half of it to be found.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn session<Guard: 'static>(&self, request: &Request<'_>) -> request::Outcome<Session, SessionGuardError> {
        let pending = self.lock().pending.clone();
        let error = match pending {
            Some(pending) => match pending.session().await {
                Ok(session) => return Outcome::Success(session),
                Err(error) => {
                    self.lock().load_failure = Some(error.status_code());
                    SessionGuardError::Load(error)
                }
            },
            None if Attached::<Guard>::is_in(request.rocket()) => SessionGuardError::NotBegun,
            None => SessionGuardError::MissingFairing,
        };
        if !matches!(error, SessionGuardError::Load(_)) {
            // Every request to the route fails until it is mended, and a catcher answers without the reason.
            error!("{error}");
        }
        Outcome::Error((error.status(), error))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionGuardError> {
        InRequest::unmarked(request).session::<Self>(request).await
    }
}

#[rocket::async_trait]
impl<'r, M: 'static> FromRequest<'r> for Marked<Session, M> {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionGuardError> {
        InRequest::marked::<M>(request).session::<Self>(request).await.map(Self::new)
    }
}

/// Aborts the launch when a route takes a session and no fairing is there to bring it.
impl Sentinel for Session {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Self>(rocket)
    }
}

/// As that of [`Session`], for the fairing with this marker.
impl<M: 'static> Sentinel for Marked<Session, M> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Self>(rocket)
    }
}

fn abort<Guard: 'static>(rocket: &Rocket<Ignite>) -> bool {
    let aborts = !Attached::<Guard>::is_in(rocket);
    if aborts {
        error!("a route takes `{}`: {}", type_name::<Guard>(), SessionGuardError::MissingFairing);
    }
    aborts
}

/// Why a handler got no session.
///
/// A handler that takes `Result<Session, SessionGuardError>` may answer in another way.
///
/// ```
/// use rocket::{get, routes};
/// use sealed_session::Session;
/// use sealed_session::adapter::rocket::SessionGuardError;
///
/// #[get("/")]
/// fn page(session: Result<Session, SessionGuardError>) -> &'static str {
///     if session.is_ok() { "Your page." } else { "Everybody's page: we do not know who you are for the moment." }
/// }
///
/// let routes = routes![page];
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionGuardError {
    /// No [`SessionFairing`](super::SessionFairing) is attached, or none of this marker. Rocket finds that out at launch
    /// wherever it knows the route's types; elsewhere the answer is the catcher's of 500, and the log has the reason.
    MissingFairing,
    /// The session was asked for before the fairing had seen the request. Answered by the catcher of 500.
    NotBegun,
    /// The server store does not answer. Answered with 503 and an empty body; a handler that took the failure keeps an
    /// answer of a status below 500.
    Load(LoadError),
}

impl SessionGuardError {
    fn status(&self) -> Status {
        match self {
            Self::MissingFairing | Self::NotBegun => Status::InternalServerError,
            Self::Load(source) => Status::new(source.status_code()),
        }
    }
}

impl fmt::Display for SessionGuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFairing => f.write_str(
                "this route has no session: add `.attach(SessionFairing::new(store))` to the rocket; for `Marked<Session, \
                 Marker>`, `.attach(SessionFairing::new(store).marked::<Marker>())`",
            ),
            Self::NotBegun => f.write_str(
                "this request has no session yet: a fairing that asks for it is attached behind `SessionFairing`; in the \
                 catcher of a request that Rocket cannot read there is none",
            ),
            Self::Load(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for SessionGuardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::MissingFairing | Self::NotBegun => None,
            Self::Load(source) => Some(source),
        }
    }
}
