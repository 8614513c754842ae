//! What an application builds once: keys, cookie, lifetimes, placement, store. [`crate::request`] runs requests over it.

mod builder;
#[cfg(feature = "config")]
mod configured;
mod earlier;
mod health;
#[cfg(feature = "config")]
mod key_origin;
mod policies;
#[cfg(feature = "config")]
mod stores;
mod variants;

pub use builder::SessionManagerBuilder;
pub(crate) use earlier::Earlier;
pub use health::Health;
pub use policies::{Renewal, StoreFailure, TooLarge};
#[cfg(feature = "config")]
pub use stores::Stores;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timer, Timestamp};
use crate::cookie::CookieAttributes;
use crate::events::Observers;
use crate::key::{KeyReport, RingHandle};
use crate::records::{Placement, Records};
use crate::seal::Sealer;
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
pub struct SessionManager(pub(crate) Arc<Inner>);

/// The settings, checked. Requests read them.
#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) attributes: CookieAttributes,
    /// Most characters of a value that is sent.
    pub(crate) longest_text: usize,
    pub(crate) record_limit_bytes: usize,
    pub(crate) placement: Placement,
    /// None without a store. The first is that of today's audience; behind it is one for each earlier audience, because the
    /// ids of records depend on it.
    pub(crate) records: Vec<Records>,
    pub(crate) timer: Option<Arc<dyn Timer>>,
    /// How long a load or a commit may wait for the store, where there is a timer.
    pub(crate) store_timeout: Duration,
    pub(crate) renewal: Renewal,
    pub(crate) persistence: Persistence,
    pub(crate) accept_inline_until: Option<Timestamp>,
    pub(crate) store_failure: StoreFailure,
    pub(crate) save_uninitialized: bool,
    pub(crate) resave: bool,
    pub(crate) when_too_large: TooLarge,
    pub(crate) earlier: Vec<Arc<Earlier>>,
    /// Sealers of earlier audiences: their CSRF tokens stand in pages that are still open.
    pub(crate) also_verify: Arc<[Arc<Sealer>]>,
    pub(crate) also_remove: Vec<CookieAttributes>,
    pub(crate) commit_when: fn(u16) -> bool,
    pub(crate) enabled: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observers: Observers,
}

impl Inner {
    /// The name and audience of today, and those of before.
    // Security: a cookie is tried under a second context only where the application names it: to open it, and to end it.
    pub(crate) fn contexts(&self) -> impl Iterator<Item = (&Sealer, Option<&Arc<Earlier>>)> {
        let earlier = self.earlier.iter().map(|earlier| (&*earlier.sealer, Some(earlier)));
        std::iter::once((&*self.sealer, None)).chain(earlier)
    }

    /// The names of their cookies, each once.
    pub(crate) fn cookie_names(&self) -> impl Iterator<Item = &str> {
        let names = || self.contexts().map(|(sealer, _)| sealer.cookie_name());
        names()
            .enumerate()
            .filter(move |(place, name)| names().take(*place).all(|other| other != *name))
            .map(|(_, name)| name)
    }
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
            .field("has_store", &!self.0.records.is_empty())
            .finish_non_exhaustive()
    }
}
