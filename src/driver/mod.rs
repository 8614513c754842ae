//! The driver: begin, load, commit. The one place where it all meets.

mod audience;
mod builder;
#[cfg(feature = "actix-session")]
mod carried;
mod commit;
#[cfg(feature = "config")]
mod configured;
mod conflict;
mod earlier;
mod facts;
mod health;
#[cfg(feature = "config")]
mod key_origin;
mod open;
mod pending;
mod placed;
mod policies;
mod renewal;
#[cfg(feature = "config")]
mod stores;
mod write;

pub use builder::SessionManagerBuilder;
pub use facts::{Commit, RequestFacts, ResponseFacts};
pub use health::Health;
pub use pending::PendingSession;
pub use policies::{StoreFailure, TooLarge};
pub use renewal::Renewal;
#[cfg(feature = "config")]
pub use stores::Stores;

use std::fmt;
use std::sync::Arc;

use earlier::Earlier;

use crate::clock::{Clock, Timer, Timestamp};
use crate::cookie::CookieAttributes;
use crate::error::LoadError;
use crate::events::Observers;
use crate::key::{KeyReport, RingHandle};
use crate::overflow::{Placement, Records};
use crate::seal::Sealer;
use crate::session::{Phase, Session};
use crate::wire::header::Persistence;

/// The session store that a framework embeds: it opens a request's session and writes it into the response.
///
/// ```
/// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
///
/// # pollster::block_on(async {
/// let store = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
///
/// // A first request, without a cookie.
/// let pending = store.begin(&RequestFacts::new());
/// pending.session().await?.put("user", &42)?;
/// let commit = pending.commit(&ResponseFacts::new(200)).await?;
/// let cookie = commit.set_cookies[0].split(';').next().unwrap();
///
/// // The browser sends it back.
/// let pending = store.begin(&RequestFacts::new().cookie_header(cookie.as_bytes()));
/// assert_eq!(pending.session().await?.get("user")?, Some(42));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct SessionManager(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    sealer: Arc<Sealer>,
    attributes: CookieAttributes,
    /// Most characters of a value that is sent.
    longest_text: usize,
    record_limit_bytes: usize,
    placement: Placement,
    records: Option<Records>,
    timer: Option<Arc<dyn Timer>>,
    renewal: Renewal,
    persistence: Persistence,
    accept_inline_until: Option<Timestamp>,
    store_failure: StoreFailure,
    save_uninitialized: bool,
    resave: bool,
    when_too_large: TooLarge,
    earlier: Vec<Arc<Earlier>>,
    /// Sealers of earlier audiences: their CSRF tokens stand in pages that are still open.
    also_verify: Arc<[Arc<Sealer>]>,
    also_remove: Vec<CookieAttributes>,
    commit_when: fn(u16) -> bool,
    enabled: bool,
    clock: Arc<dyn Clock>,
    observers: Observers,
}

impl SessionManager {
    /// Starts from a key or a ring of keys.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let store = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(ring: impl Into<RingHandle>) -> SessionManagerBuilder {
        SessionManagerBuilder::new(ring.into())
    }

    /// Takes what a request says of its session. Cheap and synchronous: nothing is opened before it is asked for.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, RequestFacts};
    ///
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = store.begin(&RequestFacts::new().cookie_header(b"__Host-session=AQ"));
    /// assert!(pending.session_now()?.is_new());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn begin(&self, request: &RequestFacts<'_>) -> PendingSession {
        PendingSession::new(self.clone(), request)
    }

    /// Opens a session to be read, outside of a request: for a WebSocket that goes on, or a job that was handed a cookie.
    ///
    /// Nothing is renewed, and every write is [`SessionError::ReadOnly`](crate::SessionError::ReadOnly). `None` when there
    /// is no good cookie.
    ///
    /// ```
    /// use sealed_session::testing::{CookieJar, ManualClock};
    /// use sealed_session::{SessionManager, Key, RequestFacts};
    ///
    /// # pollster::block_on(async {
    /// let clock = ManualClock::at_unix_seconds(1_795_000_000);
    /// let store = SessionManager::builder(Key::generate()?).clock(clock.clone()).build()?;
    /// let mut jar = CookieJar::new(clock);
    /// jar.visit(&store, |session| session.put("user", &42))?;
    ///
    /// let header = jar.cookie_header();
    /// let session = store.read_only(&RequestFacts::new().cookie_header(header.as_bytes())).await?.unwrap();
    /// assert_eq!(session.get("user")?, Some(42));
    /// assert!(session.put("user", &43).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoadError`] when the cookie is good and the store does not answer.
    pub async fn read_only(&self, request: &RequestFacts<'_>) -> Result<Option<Session>, LoadError> {
        let session = self.begin(request).session().await?;
        session.state().phase = Phase::ReadOnly;
        Ok(Some(session).filter(|session| !session.is_new()))
    }

    /// The exact name of the cookie on the wire.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// assert_eq!(SessionManager::builder(Key::generate()?).build()?.cookie_name(), "__Host-session");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        self.0.sealer.cookie_name()
    }

    /// What each key of the ring does now and was used for by this process, and whether it can be taken out: for a metrics
    /// exporter, and for whoever rotates keys.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, KeyState};
    ///
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// for report in store.key_reports() {
    ///     println!("session_key_opened{{key_id=\"{}\"}} {}", report.status.key_id, report.opened);
    ///     assert_eq!(report.status.state, KeyState::Sealing);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key_reports(&self) -> Vec<KeyReport> {
        self.0.sealer.key_reports(self.0.clock.now())
    }

    /// The sealer behind this store: opens and seals its cookies outside of a request.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// assert!(store.sealer().payload_max_bytes() > 2900);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("sealer", &self.0.sealer)
            .field("attributes", &self.0.attributes)
            .field("placement", &self.0.placement)
            .field("renewal", &self.0.renewal)
            .field("has_store", &self.0.records.is_some())
            .finish_non_exhaustive()
    }
}
