#![doc = include_str!("../README.md")]
//!
//! # What holds
//!
//! - The lifetime that the application gives `actix-session` (its `session_ttl` or `state_ttl`) stands inside of the seal, and
//!   the server enforces it, whatever the browser keeps. So does the absolute timeout of the [`SessionManager`], which counts
//!   from the login: `renew` begins it anew, a change of the state does not.
//! - Keys rotate without logging anybody out, the session is bound to the cookie name and the audience of the [`SessionManager`],
//!   and observers are told what happens.
//! - What does not fit is an error that says how large the session is, and nothing is stored; with a server store behind the
//!   [`SessionManager`], it moves there, and comes back when it has shrunk.
//! - A session that has ended is not brought back: a request that changes it afterwards fails, and sets no cookie.
//!
//! # What does not
//!
//! - `actix-session` signs or encrypts the cookie once more, and neither can be turned off. So a session has less room: about
//!   2000 bytes of JSON in an encrypted cookie, and about 2850 in a signed one (see
//!   [`SealedSessionStore::cookie_content_security`]). That outer key is the application's, and has no rotation.
//! - A session that is only read is neither renewed nor sealed under the key of today: `actix-session` has no place for a new
//!   cookie there. Its life counts from the last change of its state. `TtlExtensionPolicy::OnEveryRequest` asks for more, so
//!   under it every request that leaves its session unchanged fails, with an error that says so. (`actix-identity` with a
//!   visit deadline changes the state with every request.) A key that seals no more must open for as long as such a session
//!   lives; the ring's windows see to that.
//! - Without a server store nothing is kept on the server: `purge` removes the cookie from the browser, and a copy of it opens
//!   until its life is over. With `Placement::StoreOnly`, a logout ends copies as well.
//! - That middleware sets the one cookie itself, so there is no marker of a session that the browser has left: a late response
//!   of a request that read the session before a login or a logout can bring it back, while it is in its cookie. With
//!   `Placement::StoreOnly` the record says that it has ended.
//! - Of two requests at the same time that change one session, the last one wins, as with the other stores of
//!   `actix-session`: it hands over whole states, and not what was changed.
//! - Its middleware percent-decodes cookies, reads the first one of its name and no other, and reads none when one of the
//!   request's cookies cannot be parsed, so a planted cookie can hide a session. It adds neither `Vary` nor `Cache-Control`:
//!   keep its responses from shared caches yourself.
//! - Its `renew` ends the session in the server store first and writes the new one then: when that fails, the old one is gone.
//! - A server store that does not answer is a 500, and never an empty session: [`StoreFailure`](sealed_session::StoreFailure) has no say
//!   here, nor have cookie attributes, renewal, or which responses are committed. CSRF tokens, flash messages and
//!   `server_only` keys belong to [`Session`] alone.

use std::collections::HashMap;
use std::time::Duration;

use actix_session::config::CookieContentSecurity;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use sealed_session::{Commit, PendingSession, RequestFacts, ResponseFacts, Session, SessionManager};
use serde_json::Value;

/// Longest session key that `actix-session` carries in an encrypted cookie of ours. It adds 28 bytes, writes base64, and
/// percent-encodes each `/`, about one character in 64: beside a name of 64 characters, room is left for twice as many.
const ENCRYPTED_KEY_MAX_CHARACTERS: usize = 2800;

/// The same in a signed cookie: its signature takes 44 characters, or 132 if each were percent-encoded.
const SIGNED_KEY_MAX_CHARACTERS: usize = 3900;

/// A store for the session middleware of `actix-session`, over a [`SessionManager`].
///
/// It takes the place of `CookieSessionStore::default()`; the rest of the application stays as it is. The cookie's name and
/// attributes are those of the middleware. The name and the audience of the [`SessionManager`] are what the session is bound to:
/// give two such middlewares of one application different audiences.
///
/// ```
/// use actix_session::SessionMiddleware;
/// use actix_web::{App, cookie};
/// use sealed_session_actix_session::SealedSessionStore;
/// use sealed_session::{SessionManager, Key};
///
/// let manager = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
/// let outer_key = cookie::Key::generate();
/// // What `HttpServer::new` takes.
/// let application = move || {
///     let store = SealedSessionStore::new(manager.clone());
///     App::new().wrap(SessionMiddleware::new(store, outer_key.clone()))
/// };
/// # let _ = application();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SealedSessionStore {
    /// As the application built it.
    whole: SessionManager,
    /// The same with as much room as the outer cookie leaves.
    manager: SessionManager,
}

impl SealedSessionStore {
    /// A store for a middleware that encrypts its cookie, as it does by default: keys have up to 2800 characters, so that
    /// browsers keep the cookie under any name of up to 64.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { manager: manager.for_outer_cookie(ENCRYPTED_KEY_MAX_CHARACTERS), whole: manager }
    }

    /// Says how the middleware protects its cookie; give both the same. A cookie that is only signed leaves room for 3900
    /// characters, and shows no more of the session: what it signs is encrypted already.
    ///
    /// ```
    /// use actix_session::{SessionMiddleware, config::CookieContentSecurity};
    /// use actix_web::cookie;
    /// use sealed_session_actix_session::SealedSessionStore;
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
    /// let security = CookieContentSecurity::Signed;
    /// let store = SealedSessionStore::new(manager).cookie_content_security(security);
    /// let middleware =
    ///     SessionMiddleware::builder(store, cookie::Key::generate()).cookie_content_security(security).build();
    /// # let _ = middleware;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cookie_content_security(self, security: CookieContentSecurity) -> Self {
        // Security: a longer cookie is dropped by the browser without a word, and the old one stays.
        let longest_key = match security {
            CookieContentSecurity::Private => ENCRYPTED_KEY_MAX_CHARACTERS,
            CookieContentSecurity::Signed => SIGNED_KEY_MAX_CHARACTERS,
        };
        Self { manager: self.whole.for_outer_cookie(longest_key), ..self }
    }

    /// The session behind a key, or a new one.
    async fn open(&self, key: &str) -> Result<(PendingSession, Session), sealed_session::LoadError> {
        let header = format!("{}={key}", self.manager.cookie_name());
        let pending = self.manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        let session = pending.session().await?;
        Ok((pending, session))
    }

    /// The state in place of all that the session held, under a lifetime of its own; `None` when the session has ended, or
    /// has moved on, and nothing was kept.
    async fn write(
        pending: &PendingSession,
        session: &Session,
        state: &State,
        ttl: &time::Duration,
    ) -> anyhow::Result<Option<SessionKey>> {
        session.clear()?;
        session.merge(state)?;
        // A negative one is as short as none, which is refused.
        session.remember(Duration::from_secs(u64::try_from(ttl.whole_seconds()).unwrap_or(0)))?;
        let commit = pending.commit(&ResponseFacts::new(200)).await?;
        key_of(commit).map(SessionKey::try_from).transpose().map_err(Into::into)
    }
}

/// What `actix-session` keeps: JSON texts under their keys. They stay the texts that they are, so that every number comes
/// back to the last digit.
type State = HashMap<String, String>;

/// The value of the session's own cookie, which is the last to be set.
fn key_of(mut commit: Commit) -> Option<String> {
    let line = commit.set_cookies.pop()?;
    let (_, rest) = line.split_once('=')?;
    rest.split(';').next().map(str::to_owned)
}

/// A key that opens nothing, for a state that is empty: there is nothing to keep.
fn empty_key() -> anyhow::Result<SessionKey> {
    Ok(SessionKey::try_from(String::new())?)
}

impl SessionStore for SealedSessionStore {
    /// The state behind a key; `None` for one that does not open, has expired, or whose record is gone.
    async fn load(&self, session_key: &SessionKey) -> Result<Option<State>, LoadError> {
        let (_, session) = self.open(session_key.as_ref()).await.map_err(|error| LoadError::Other(error.into()))?;
        if session.is_new() {
            return Ok(None);
        }
        let text = |(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            _ => Err(anyhow::anyhow!("\"{key}\" was not written by actix-session; give it an audience of its own")),
        };
        session.all().into_iter().map(text).collect::<Result<_, _>>().map(Some).map_err(LoadError::Deserialization)
    }

    /// A new session, under an id of its own.
    async fn save(&self, session_state: State, ttl: &time::Duration) -> Result<SessionKey, SaveError> {
        let (pending, session) = self.open("").await.map_err(|error| SaveError::Other(error.into()))?;
        let written = Self::write(&pending, &session, &session_state, ttl).await.map_err(SaveError::Other)?;
        written.map_or_else(empty_key, Ok).map_err(SaveError::Other)
    }

    /// The same session with another state: its id and its birth stay.
    async fn update(
        &self,
        session_key: SessionKey,
        session_state: State,
        ttl: &time::Duration,
    ) -> Result<SessionKey, UpdateError> {
        let opened = self.open(session_key.as_ref()).await.map_err(|error| UpdateError::Other(error.into()))?;
        let (pending, session) = opened;
        // Security: what has ended is not brought back, whoever still has its state in hand.
        let gone = || UpdateError::Other(anyhow::anyhow!("the session ended, or moved on, while this request used it"));
        if session.is_new() {
            return Err(gone());
        }
        let written = Self::write(&pending, &session, &session_state, ttl).await.map_err(UpdateError::Other)?;
        written.ok_or_else(gone)
    }

    /// Always an error: the life of a session stands in its cookie, and `actix-session` sends none here.
    async fn update_ttl(&self, _: &SessionKey, _: &time::Duration) -> anyhow::Result<()> {
        // Security: no error would be a promise of a longer life that the seal does not keep.
        Err(anyhow::anyhow!(
            "a sealed session lives on with a change of its state only, because nothing else sends its cookie; \
             use `TtlExtensionPolicy::OnStateChanges`"
        ))
    }

    /// Ends the session in the server store, where there is one.
    async fn delete(&self, session_key: &SessionKey) -> anyhow::Result<()> {
        let (pending, session) = self.open(session_key.as_ref()).await?;
        if !session.is_new() {
            session.destroy()?;
            let _ = pending.commit(&ResponseFacts::new(200)).await?;
        }
        Ok(())
    }
}
