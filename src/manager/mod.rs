//! What an application builds once: keys, cookie, lifetimes, placement, store. [`crate::request`] runs requests over it.

mod builder;
#[cfg(feature = "config")]
mod configured;

pub use builder::SessionManagerBuilder;

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, Timer, Timestamp};
use crate::cookie::header::CookieName;
use crate::crypto::random;
use crate::error::{ConfigError, StoreError};
use crate::events::Observers;
use crate::id::{RecordId, SessionId};
use crate::key::{KeyReport, RingHandle};
use crate::seal::Sealer;
use crate::sealed_records::Place;
use crate::settings::{Placement, Renewal, Settings, StoreFailure};
use crate::store::RecordStore;
use crate::wire::Persistence;

/// What a framework embeds: it opens a request's session and writes it into the response.
///
/// ```
/// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
///
/// # pollster::block_on(async {
/// let manager = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
///
/// // A first request, without a cookie.
/// let pending = manager.begin(&RequestFacts::new());
/// pending.session().await?.put("user", &42)?;
/// let commit = pending.commit(&ResponseFacts::new(200)).await?;
/// let cookie = commit.set_cookies[0].split(';').next().unwrap();
///
/// // The browser sends it back.
/// let pending = manager.begin(&RequestFacts::new().cookie_header(cookie.as_bytes()));
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
    /// Under which its cookies come, each once: that of today first.
    pub(crate) names: Arc<[CookieName]>,
    /// For names and audiences that the cookie had before: what was sealed then is read, and sealed again under those of today.
    pub(crate) earlier: Vec<Arc<Sealer>>,
    /// One of those for each other audience: the ids of records depend on it, and CSRF tokens of it stand in pages that are
    /// still open.
    pub(crate) earlier_audiences: Arc<[Arc<Sealer>]>,
    pub(crate) settings: Settings,
    /// Most characters of a value that is sent.
    pub(crate) longest_text: usize,
    /// As it was set, or the default: so are the next two.
    pub(crate) placement: Placement,
    pub(crate) renewal: Renewal,
    pub(crate) persistence: Persistence,
    pub(crate) store: Option<Arc<dyn RecordStore>>,
    pub(crate) timer: Option<Arc<dyn Timer>>,
    /// Which responses take what was written; `None` for all.
    pub(crate) commit_when: Option<fn(u16) -> bool>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observers: Observers,
}

impl Inner {
    /// That of today, and those of before.
    // Security: a cookie is tried under a second one only where the application names it: to open it, and to end it.
    pub(crate) fn sealers(&self) -> impl Iterator<Item = &Arc<Sealer>> {
        std::iter::once(&self.sealer).chain(&self.earlier)
    }

    /// Their audiences, each once.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.sealer).chain(&*self.earlier_audiences).map(|sealer| sealer.audience())
    }

    /// In how many places the record of a session may stand: one for each audience. None without a store.
    pub(crate) fn places(&self) -> usize {
        self.store.as_ref().map_or(0, |_| self.earlier_audiences.len().saturating_add(1))
    }

    /// In which of them the records of this sealer stand; today's is the first.
    pub(crate) fn place_of(&self, sealer: &Sealer) -> usize {
        let position = self.earlier_audiences.iter().position(|other| other.audience() == sealer.audience());
        position.map_or(0, |position| position.saturating_add(1))
    }

    /// Under which a reference to a record in this place is sealed: as the record is, so that servers of both audiences look for it
    /// there first. Under today's audience where the earlier one went by another name.
    pub(crate) fn sealer_of_references(&self, place: usize) -> &Arc<Sealer> {
        let earlier = place.checked_sub(1).and_then(|earlier| self.earlier_audiences.get(earlier));
        earlier.filter(|earlier| earlier.cookie_name() == self.sealer.cookie_name()).unwrap_or(&self.sealer)
    }

    pub(crate) fn place(&self, index: usize, id: &SessionId, created: Timestamp) -> Option<Place> {
        let sealer = match index.checked_sub(1) {
            None => &self.sealer,
            Some(earlier) => self.earlier_audiences.get(earlier)?,
        };
        let (store, sealer, clock) = (self.store.clone()?, Arc::clone(sealer), Arc::clone(&self.clock));
        Some(Place { store, sealer, clock, id: Arc::new(id.clone()), created })
    }
}

/// The names of these sealers, each once.
fn names_of(today: &Sealer, earlier: &[Arc<Sealer>]) -> Arc<[CookieName]> {
    let mut names = vec![CookieName::new(today.cookie_name())];
    for other in earlier {
        if names.iter().all(|known| known.as_bytes() != other.cookie_name().as_bytes()) {
            names.push(CookieName::new(other.cookie_name()));
        }
    }
    names.into()
}

impl SessionManager {
    /// Starts from a key or a ring of keys.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
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
    /// use sealed_session::operator::KeyState;
    /// use sealed_session::{Key, SessionManager};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// for report in manager.key_reports() {
    ///     println!("session_key_opened{{key_id=\"{}\"}} {}", report.status.key_id, report.opened);
    ///     assert_eq!(report.status.state, KeyState::Sealing);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key_reports(&self) -> Vec<KeyReport> {
        self.0.sealer.key_reports(self.0.clock.now())
    }

    /// The sealer of this manager: opens and seals its cookies outside of a request.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// assert!(manager.sealer().payload_max_bytes() > 2900);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// The same manager for another audience, such as a tenant: a cookie of one opens under no other.
    ///
    /// Keys, server store, counters and settings are shared, so this costs some allocations and no derivation of keys: it
    /// may be called for each request. Of [`also_read`](crate::SessionManagerBuilder::also_read), earlier names of the cookie
    /// stay; earlier audiences do not.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("shop/prod").build()?;
    /// let tenant = manager.with_audience("shop/prod/tenant-7")?;
    /// assert_eq!(tenant.sealer().audience(), "shop/prod/tenant-7");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for more than 256 bytes.
    pub fn with_audience(&self, audience: impl Into<String>) -> Result<Self, ConfigError> {
        let (today, audience) = (&self.0, audience.into());
        if today.sealer.audience() == audience {
            return Ok(self.clone());
        }
        let bound = |sealer: &Sealer| sealer.bound_to(sealer.cookie_name().to_owned(), audience.clone()).map(Arc::new);
        // Security: an audience of before was shared by all tenants, so its sessions would open in each of them.
        let earlier = today.earlier.iter().filter(|earlier| earlier.audience() == today.sealer.audience());
        let earlier = earlier.map(|earlier| bound(earlier)).collect::<Result<Vec<_>, _>>()?;
        let (sealer, earlier_audiences) = (bound(&today.sealer)?, Arc::default());
        let names = names_of(&sealer, &earlier);
        Ok(Self(Arc::new(Inner { sealer, names, earlier, earlier_audiences, ..(**today).clone() })))
    }

    /// The same manager for a library that puts the value of the session's cookie into a cookie of its own: values have at
    /// most so many characters, since browsers drop a cookie that is too long without a word.
    ///
    /// The library decides when to write, so every commit is kept, whatever the response's status. A store that does not
    /// answer is an error under either [`StoreFailure`], and no other cookie is removed, because the library sets one alone.
    ///
    /// ```
    /// use sealed_session::{Key, RequestFacts, ResponseFacts, SessionManager};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?.for_outer_cookie(2800);
    /// let pending = manager.begin(&RequestFacts::new());
    /// pending.session_now()?.put("cart", &"x".repeat(2500))?;
    /// assert_eq!(pending.commit_now(&ResponseFacts::new(200)).unwrap_err().status_code(), 500);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn for_outer_cookie(&self, max_characters: usize) -> Self {
        let today = &self.0;
        let longest_text = today.longest_text.min(max_characters);
        Self(Arc::new(Inner {
            sealer: Arc::new(today.sealer.with_longest_text(longest_text)),
            longest_text,
            // The library decides when to write, and tells of no response.
            commit_when: None,
            settings: Settings {
                // Security: in place of a session that cannot be loaded, the library would write a new one over its cookie.
                on_store_failure: StoreFailure::FailClosed,
                // The library sets one cookie, at no other path or domain of ours.
                also_remove: Vec::new(),
                ..today.settings.clone()
            },
            ..(**today).clone()
        }))
    }

    /// Asks the server store for a record that does not exist, and looks at the keys.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// # pollster::block_on(async {
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// assert!(manager.health().await.is_ready());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn health(&self) -> Health {
        let ring = self.0.sealer.ring();
        Health {
            store_problem: self.ask_store().await.err(),
            reload_problem: ring.reload_problem(),
            has_sealing_key: ring.current().check(self.0.clock.now()).is_ok(),
        }
    }

    async fn ask_store(&self) -> Result<(), StoreError> {
        let Some(store) = &self.0.store else { return Ok(()) };
        let mut id = [0; 16];
        random::fill(&mut id).map_err(|error| StoreError::other("store", error))?;
        store.load(&RecordId::from_bytes(id)).await.map(drop)
    }
}

/// Whether a [`SessionManager`] can serve, for a readiness probe.
///
/// ```
/// use sealed_session::{SessionManager, Key};
///
/// # pollster::block_on(async {
/// let health = SessionManager::builder(Key::generate()?).build()?.health().await;
/// assert!(health.has_sealing_key && health.store_problem.is_none() && health.reload_problem.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// Why the server store does not answer; `None` when it does, and where there is none.
    pub store_problem: Option<StoreError>,
    /// Why a watched ring could not be read again. The ring before it is in force, so this is no reason to turn requests
    /// away; it is one to look after the keys.
    pub reload_problem: Option<String>,
    /// Whether a key seals now. Without one no session can be written.
    pub has_sealing_key: bool,
}

impl Health {
    /// Whether requests can be served.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let status = if manager.health().await.is_ready() { 200 } else { 503 };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.store_problem.is_none() && self.has_sealing_key
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("sealer", &self.0.sealer)
            .field("attributes", &self.0.settings.cookie)
            .field("placement", &self.0.placement)
            .field("renewal", &self.0.renewal)
            .field("has_store", &self.0.store.is_some())
            .finish_non_exhaustive()
    }
}
