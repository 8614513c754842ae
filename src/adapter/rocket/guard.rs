use std::any::type_name;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Phase, Request, Rocket, Sentinel, error};

use super::super::Marked;
use super::csrf::Guarding;
use crate::error::LoadError;
use crate::request::PendingSession;
use crate::session::Session;

/// In Rocket's managed state, marked with a guard: that its fairing is attached.
pub(super) struct Attached;

impl Attached {
    pub(super) fn is_in<Guard: 'static, P: Phase>(rocket: &Rocket<P>) -> bool {
        rocket.state::<Marked<Self, Guard>>().is_some()
    }
}

/// In a request's local cache, which keeps one value of each type and never replaces it: hence the lock.
#[derive(Default)]
pub(super) struct InRequest(Mutex<Option<Begun>>);

/// What the fairing began.
#[derive(Clone)]
pub(super) struct Begun {
    pub(super) pending: PendingSession,
    /// The status of a load that failed.
    pub(super) load_failure: Option<u16>,
    pub(super) guarding: Guarding,
}

impl InRequest {
    pub(super) fn of<'r, Guard: 'static>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(|| Marked::<Self, Guard>::new(Self::default()))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Begun>> {
        // Each change is one assignment: there is no half of it to be found.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn session<Guard: 'static>(request: &Request<'_>) -> request::Outcome<Session, SessionGuardError> {
    let begun = match begun::<Guard>(request) {
        Ok(begun) => begun,
        Err(error) => return Outcome::Error((Status::InternalServerError, error)),
    };
    match begun.pending.session().await {
        Ok(session) => Outcome::Success(session),
        Err(error) => {
            let load_failure = error.status_code();
            *InRequest::of::<Guard>(request).lock() = Some(Begun { load_failure: Some(load_failure), ..begun });
            Outcome::Error((Status::new(load_failure), SessionGuardError::Load(error)))
        }
    }
}

fn begun<Guard: 'static>(request: &Request<'_>) -> Result<Begun, SessionGuardError> {
    let begun = InRequest::of::<Guard>(request).lock().clone();
    begun.ok_or_else(|| {
        let is_attached = Attached::is_in::<Guard, _>(request.rocket());
        let error = if is_attached { SessionGuardError::NotBegun } else { SessionGuardError::MissingFairing };
        // Every such request fails until it is mended, and a catcher answers without the reason.
        error!("{error}");
        error
    })
}

fn pending<Guard: 'static>(request: &Request<'_>) -> request::Outcome<PendingSession, SessionGuardError> {
    match begun::<Guard>(request) {
        Ok(begun) => Outcome::Success(begun.pending),
        Err(error) => Outcome::Error((Status::InternalServerError, error)),
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionGuardError> {
        session::<Self>(request).await
    }
}

#[rocket::async_trait]
impl<'r, M: 'static> FromRequest<'r> for Marked<Session, M> {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionGuardError> {
        session::<Self>(request).await.map(Self::new)
    }
}

/// The session before it is loaded: for a logout that works while the store holds a record that cannot be read, with
/// [`PendingSession::end`].
#[rocket::async_trait]
impl<'r> FromRequest<'r> for PendingSession {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionGuardError> {
        pending::<Session>(request)
    }
}

/// As that of [`PendingSession`], for the fairing with this marker.
#[rocket::async_trait]
impl<'r, M: 'static> FromRequest<'r> for Marked<PendingSession, M> {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, SessionGuardError> {
        pending::<Marked<Session, M>>(request).map(Self::new)
    }
}

/// Aborts the launch when a route takes a session and no fairing is there to bring it.
impl Sentinel for Session {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Self>(rocket)
    }
}

/// As that of [`Session`].
impl Sentinel for PendingSession {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Session>(rocket)
    }
}

/// As that of [`Session`], for the fairing with this marker.
impl<M: 'static> Sentinel for Marked<PendingSession, M> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Marked<Session, M>>(rocket)
    }
}

/// As that of [`Session`], for the fairing with this marker.
impl<M: 'static> Sentinel for Marked<Session, M> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Self>(rocket)
    }
}

pub(super) fn abort<Guard: 'static>(rocket: &Rocket<Ignite>) -> bool {
    let aborts = !Attached::is_in::<Guard, _>(rocket);
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

impl fmt::Display for SessionGuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingFairing => f.write_str(
                "this route has no session: add `.attach(SessionFairing::new(manager))` to the rocket; for `Marked<Session, \
                 Marker>`, `.attach(SessionFairing::new(manager).marked::<Marker>())`",
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
        if let Self::Load(source) = self { Some(source) } else { None }
    }
}
