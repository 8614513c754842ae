//! What an application builds once: keys, cookie, lifetimes, placement, store. [`crate::request`] runs requests over it.

mod builder;
#[cfg(feature = "config")]
mod configured;

pub use builder::SessionManagerBuilder;
#[cfg(feature = "config")]
pub use configured::Stores;

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, Timer};
use crate::cookie::CookieAttributes;
use crate::crypto::random;
use crate::error::{ConfigError, StoreError};
use crate::events::Observers;
use crate::id::RecordId;
use crate::key::{KeyReport, RingHandle};
use crate::limits;
use crate::records::Records;
use crate::seal::Sealer;
#[cfg(feature = "actix-session")]
use crate::settings::StoreFailure;
use crate::settings::{Placement, Renewal, Settings};
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
    pub(crate) settings: Settings,
    /// Most characters of a value that is sent.
    pub(crate) longest_text: usize,
    pub(crate) placement: Placement,
    pub(crate) renewal: Renewal,
    pub(crate) persistence: Persistence,
    /// None without a store. The first is that of today's audience; after it comes one for each earlier audience, because the
    /// ids of records depend on it.
    pub(crate) records: Vec<Records>,
    pub(crate) timer: Option<Arc<dyn Timer>>,
    pub(crate) earlier: Vec<Arc<Earlier>>,
    /// Sealers of earlier audiences: their CSRF tokens stand in pages that are still open.
    pub(crate) also_verify: Arc<[Arc<Sealer>]>,
    pub(crate) commit_when: fn(u16) -> bool,
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

/// A name and an audience that the cookie had before.
pub(crate) struct Earlier {
    pub(crate) sealer: Arc<Sealer>,
    /// Which of the manager's records its sessions have.
    pub(crate) place: usize,
    /// How its cookie is removed, where the name was another one.
    pub(crate) removal: Option<CookieAttributes>,
}

impl Earlier {
    /// What `also_read` asks for, over the sealer and the records of today, which those of other audiences join.
    pub(crate) fn all(
        asked: Vec<(String, String)>,
        attributes: &CookieAttributes,
        today: &Sealer,
        records: &mut Vec<Records>,
    ) -> Result<Vec<Arc<Self>>, ConfigError> {
        // Security: each is one more decryption of what a client sends.
        if asked.len() > limits::EARLIER_CONTEXTS_MAX {
            return Err(ConfigError::new("also_read", "more than four; take out those that no cookie has any more"));
        }
        let earlier = |(name, audience): (String, String)| {
            let (same_name, same_audience) = (name == today.cookie_name(), audience == today.audience());
            if same_name && same_audience {
                return Err(ConfigError::new("also_read", "this is the name and the audience of today; take it out"));
            }
            let removal = (!same_name).then(|| attributes.renamed(&name));
            let refused = |error: ConfigError| ConfigError::new("also_read", error.to_string());
            removal.iter().try_for_each(CookieAttributes::check).map_err(refused)?;
            let sealer = Arc::new(today.bound_to(name, audience).map_err(refused)?);
            let has_place = |records: &Records| records.sealer.audience() == sealer.audience();
            let place = records.iter().position(has_place).unwrap_or(records.len());
            if let Some(todays) = records.first().filter(|_| place == records.len()).cloned() {
                records.push(Records { sealer: Arc::clone(&sealer), ..todays });
            }
            Ok(Arc::new(Self { sealer, place, removal }))
        };
        asked.into_iter().map(earlier).collect()
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

    /// The same store for another audience, such as a tenant: a cookie of one opens under no other.
    ///
    /// Keys, server store, counters and settings are shared, so this costs some allocations and no derivation of keys: it
    /// may be called for each request. Of [`also_read`](crate::SessionManagerBuilder::also_read), earlier names of the cookie
    /// stay; earlier audiences do not.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let store = SessionManager::builder(Key::generate()?).audience("shop/prod").build()?;
    /// let tenant = store.with_audience("shop/prod/tenant-7")?;
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
        let sealer = Arc::new(today.sealer.bound_to(today.sealer.cookie_name().to_owned(), audience)?);
        // Security: an audience of before was shared by all tenants, so its sessions would open in each of them.
        let earlier = today.earlier.iter().filter(|earlier| earlier.sealer.audience() == today.sealer.audience());
        let earlier = earlier.map(|earlier| {
            let name = earlier.sealer.cookie_name().to_owned();
            let sealer = Arc::new(earlier.sealer.bound_to(name, sealer.audience().to_owned())?);
            Ok(Arc::new(Earlier { sealer, place: 0, removal: earlier.removal.clone() }))
        });
        let earlier = earlier.collect::<Result<_, ConfigError>>()?;
        let records = today.records.iter().take(1);
        let records = records.map(|records| Records { sealer: Arc::clone(&sealer), ..records.clone() }).collect();
        Ok(Self(Arc::new(Inner { sealer, records, earlier, also_verify: Arc::default(), ..(**today).clone() })))
    }

    /// The same store, whose cookie values have at most so many characters.
    #[cfg(feature = "actix-session")]
    pub(crate) fn carried(&self, longest_text: usize) -> Self {
        let today = &self.0;
        let longest_text = today.longest_text.min(longest_text);
        Self(Arc::new(Inner {
            sealer: Arc::new(today.sealer.with_longest_text(longest_text)),
            longest_text,
            // The library decides when to write, and tells of no response.
            commit_when: |_| true,
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
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// assert!(store.health().await.is_ready());
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
        let Some(records) = self.0.records.first() else { return Ok(()) };
        let mut id = [0; 16];
        random::fill(&mut id).map_err(|error| StoreError::other("store", error))?;
        records.store.load(&RecordId::from_bytes(id)).await.map(drop)
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
    /// # let store = SessionManager::builder(Key::generate()?).build()?;
    /// let status = if store.health().await.is_ready() { 200 } else { 503 };
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
            .field("has_store", &!self.0.records.is_empty())
            .finish_non_exhaustive()
    }
}
