use std::sync::Arc;
use std::time::Duration;

use super::{Inner, SessionManager, names_of};
use crate::clock::{Clock, SystemClock, Timer, Timestamp};
use crate::cookie::{CookieAttributes, header};
use crate::error::ConfigError;
use crate::events::{Event, Observer, Observers};
use crate::key::RingHandle;
use crate::limits;
use crate::seal::{Lifetimes, Sealer};
use crate::settings::{EarlierContext, Placement, Renewal, Settings, StoreFailure, TooLarge, every_setting};
use crate::store::RecordStore;
use crate::wire::Persistence;

/// The cookie's name where it cannot have a prefix, over plain http.
const DEVELOPMENT_COOKIE_NAME: &str = "session";

/// Settings of a [`SessionManager`].
///
/// ```
/// use std::time::Duration;
/// use sealed_session::cookie::{CookieAttributes, SameSite};
/// use sealed_session::{SessionManager, Key, Lifetimes};
///
/// let manager = SessionManager::builder(Key::generate()?)
///     .audience("example-app/prod")
///     .cookie(CookieAttributes::new().same_site(SameSite::Strict))
///     .lifetimes(Lifetimes::default().idle_timeout(Duration::from_secs(20 * 60)))
///     .build()?;
/// assert_eq!(manager.cookie_name(), "__Host-session");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "`build` makes the store"]
pub struct SessionManagerBuilder {
    pub(super) settings: Settings,
    // What no text can say.
    pub(super) ring: RingHandle,
    pub(super) store: Option<Arc<dyn RecordStore>>,
    pub(super) timer: Option<Arc<dyn Timer>>,
    pub(super) commit_when: Option<fn(u16) -> bool>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observers: Observers,
    /// How errors name a setting, where that is not by its method.
    pub(super) spelling: fn(&str) -> Option<String>,
}

macro_rules! setter {
    (plain $($rest:tt)*) => {};
    (optional ($($place:tt)+) $name:ident: $type:ty; $(#[$doc:meta])* $vis:vis) => {
        $(#[$doc])*
        $vis fn $name(mut self, $name: $type) -> Self {
            self.$($place)+.$name = Some($name);
            self
        }
    };
    ($value:ident ($($place:tt)+) $name:ident: $type:ty; $(#[$doc:meta])* $vis:vis) => {
        $(#[$doc])*
        $vis fn $name(mut self, $name: $type) -> Self {
            self.$($place)+.$name = $name;
            self
        }
    };
}

macro_rules! setters {
    ($($group:ident at $place:tt {
        $($(#[$doc:meta])* $vis:vis $kind:ident $name:ident: $type:ty = $default:expr
            $(, $expected:literal if $holds:expr)?;)*
    })*) => {
        /// The settings that a text can say, too.
        impl SessionManagerBuilder {
            $($(setter!($kind $place $name: $type; $(#[$doc])* $vis);)*)*
        }
    };
}
every_setting!(setters);

impl SessionManagerBuilder {
    pub(super) fn new(ring: RingHandle) -> Self {
        Self {
            settings: Settings::default(),
            ring,
            store: None,
            timer: None,
            commit_when: None,
            clock: Arc::new(SystemClock),
            observers: Observers::default(),
            spelling: |_| None,
        }
    }

    /// The application, environment or tenant: at most 256 bytes, empty by default. A cookie of one audience is refused
    /// in another, although both use the same keys.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key};
    /// let manager = SessionManager::builder(Key::generate()?).audience("shop/prod").build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audience = audience.into();
        self
    }

    /// The server store for sessions that outgrow the cookie.
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// # use sealed_session::{SessionManager, Key};
    /// use sealed_session::store::MemoryStore;
    /// let manager = SessionManager::builder(Key::generate()?).store(MemoryStore::new()).build()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store(mut self, store: impl RecordStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The timer of the application's runtime: for the time limit of store calls, and for the pauses between the tries of a
    /// write that met another. Without one there is no limit and no pause.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// # use sealed_session::{SessionManager, Key};
    /// use sealed_session::adapter::tokio::TokioTimer;
    /// let manager = SessionManager::builder(Key::generate()?).timer(TokioTimer).build()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Attributes that the cookie had earlier, such as another path or domain: those cookies are removed when a session
    /// gets a new id or ends, and when several cookies arrive and which of them is ours cannot be told.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key};
    /// use sealed_session::cookie::CookieAttributes;
    /// let manager = SessionManager::builder(Key::generate()?).also_remove(CookieAttributes::new().name("session").path("/shop")).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn also_remove(mut self, earlier: CookieAttributes) -> Self {
        self.settings.also_remove.push(earlier);
        self
    }

    /// A name and an audience that the cookie had before: sessions under them are read, and sealed again under those of
    /// today, so that renaming logs nobody out. Up to four, tried one after the other. A cookie of another name is removed
    /// with the first that takes its place; it is taken to have had the attributes of today, and
    /// [`also_remove`](Self::also_remove) names others.
    ///
    /// While servers of both configurations run, those that are still on the old one have to read the new name too. A session
    /// in a record keeps it under the audience that it was made in until it gets a new id: when an audience can be taken out
    /// again stands on the page about [rotation](crate::guide::rotation).
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?)
    ///     .audience("shop/prod")
    ///     .also_read("__Host-session", "example-app/prod")
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn also_read(mut self, cookie_name: impl Into<String>, audience: impl Into<String>) -> Self {
        let (cookie_name, audience) = (Some(cookie_name.into()), Some(audience.into()));
        self.settings.also_read.push(EarlierContext { cookie_name, audience });
        self
    }

    /// For development over plain http on other hosts than `localhost`: a cookie named `session` without `Secure`.
    ///
    /// Browsers take the default cookie on `http://localhost`; there this is not needed. It is told to the observer.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key};
    /// let manager = SessionManager::builder(Key::generate()?).insecure_for_development().build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insecure_for_development(mut self) -> Self {
        self.settings.insecure_for_development = true;
        self
    }

    /// Which responses, by their status, take what their handlers wrote; all of them by default, because a form that is
    /// sent back with its errors is a 4xx. What is not taken is dropped, which an event tells, and the client
    /// keeps its cookie. A logout holds whatever the status.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key};
    /// let manager = SessionManager::builder(Key::generate()?).commit_when(|status| status < 500).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit_when(mut self, takes: fn(u16) -> bool) -> Self {
        self.commit_when = Some(takes);
        self
    }

    /// Where the time comes from; the operating system's clock by default.
    ///
    /// ```
    /// # use sealed_session::testing::ManualClock;
    /// # use sealed_session::{Key, SessionManager};
    /// let manager = SessionManager::builder(Key::generate()?).clock(ManualClock::at_unix_seconds(1_795_000_000)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Is told what happens to sessions. Several are told in the order in which they were added.
    ///
    /// ```
    /// use sealed_session::events::Counters;
    /// use sealed_session::{Key, SessionManager};
    /// let counters = Counters::default();
    /// let manager = SessionManager::builder(Key::generate()?).observer(counters.clone()).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.add(Arc::new(observer));
        self
    }

    /// The manager.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let error = SessionManager::builder(Key::generate()?).padding_bucket_bytes(0).build().unwrap_err();
    /// assert_eq!(error.setting(), "padding_bucket_bytes");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that cannot work, and the mend.
    pub fn build(self) -> Result<SessionManager, ConfigError> {
        let spelling = self.spelling;
        self.assemble().map_err(|error| error.renamed(spelling))
    }

    fn assemble(self) -> Result<SessionManager, ConfigError> {
        let Self { mut settings, store, observers, clock, .. } = self;
        if settings.insecure_for_development {
            settings.cookie = settings.cookie.name(DEVELOPMENT_COOKIE_NAME).secure(false);
        }
        settings.cookie.check()?;
        for (index, earlier) in settings.also_remove.iter().enumerate() {
            earlier.check().map_err(|error| error.within(&format!("also_remove[{index}]")))?;
        }
        let (default_placement, default_limit) = match store {
            Some(_) => (Placement::Spill, Some(limits::INLINE_LIMIT_WITH_STORE_BYTES)),
            None => (Placement::CookieOnly, None),
        };
        let placement = settings.placement.unwrap_or(default_placement);
        if store.is_none() && placement != Placement::CookieOnly {
            return Err(ConfigError::new("placement", "spilling needs a server store; give one with `store`"));
        }
        let longest_text = header::largest_value(&settings.cookie, settings.sizes.inline_limit_bytes.or(default_limit));
        let sealer = Sealer::builder(self.ring)
            .cookie_name(settings.cookie.cookie_name())
            .audience(std::mem::take(&mut settings.audience))
            .lifetimes(settings.lifetimes)
            .key_grace(settings.key_grace)
            .padding_bucket_bytes(settings.sizes.padding_bucket_bytes)
            .longest_text(longest_text)
            .build()?;
        // A reference is an inline cookie with eight bytes of payload.
        if sealer.payload_max_bytes() < limits::LEAST_INLINE_PAYLOAD_BYTES {
            return Err(ConfigError::new(
                "inline_limit_bytes",
                "no session fits beside the cookie's name and attributes; give 512 bytes or more",
            ));
        }
        // At start, and not at the first login.
        let now = clock.now();
        sealer.ring().current().check(now).map_err(|error| ConfigError::new("ring", error.to_string()))?;
        sealer.ring().begin_counting(now);
        let tell = |setting, advice| observers.tell(&Event::QuestionableSetting { setting, advice });
        if sealer.audience().is_empty() {
            tell("audience", "it is empty: cookies of two environments with the same key open in both");
        }
        if settings.insecure_for_development {
            tell("insecure_for_development", "cookies travel without `Secure`: never in production");
        }
        if self.timer.is_none() && store.as_ref().is_some_and(|store| !store.is_local()) {
            tell("timer", "there is none: a server store that does not answer keeps its requests waiting");
        }
        let earlier = earlier(&settings, &sealer)?;
        let mut earlier_audiences: Vec<Arc<Sealer>> = Vec::new();
        for other in earlier.iter().filter(|other| other.audience() != sealer.audience()) {
            if earlier_audiences.iter().all(|known| known.audience() != other.audience()) {
                earlier_audiences.push(Arc::clone(other));
            }
        }
        let persistence =
            if settings.clear_with_browser { Persistence::BrowserSession } else { Persistence::IdleTimeout };
        Ok(SessionManager(Arc::new(Inner {
            names: names_of(&sealer, &earlier),
            sealer: Arc::new(sealer),
            earlier,
            earlier_audiences: earlier_audiences.into(),
            longest_text,
            placement,
            renewal: settings.renewal.unwrap_or_default(),
            persistence,
            settings,
            store,
            timer: self.timer,
            commit_when: self.commit_when,
            clock,
            observers,
        })))
    }
}

/// The sealers of what `also_read` asks for.
fn earlier(settings: &Settings, today: &Sealer) -> Result<Vec<Arc<Sealer>>, ConfigError> {
    // Security: each is one more decryption of what a client sends.
    if settings.also_read.len() > limits::EARLIER_CONTEXTS_MAX {
        return Err(ConfigError::new("also_read", "more than four; take out those that no cookie has any more"));
    }
    let refused = |error: ConfigError| ConfigError::new("also_read", error.to_string());
    let earlier = |earlier: &EarlierContext| {
        let name = earlier.cookie_name.as_deref().unwrap_or(today.cookie_name());
        let audience = earlier.audience.as_deref().unwrap_or(today.audience());
        if name != today.cookie_name() {
            // With the attributes of today it is removed.
            settings.cookie.renamed(name).check().map_err(refused)?;
        } else if audience == today.audience() {
            return Err(ConfigError::new("also_read", "this is the name and the audience of today; take it out"));
        }
        today.bound_to(name.to_owned(), audience.to_owned()).map(Arc::new).map_err(refused)
    };
    settings.also_read.iter().map(earlier).collect()
}

impl std::fmt::Debug for SessionManagerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionManagerBuilder")
            .field("attributes", &self.settings.cookie)
            .field("audience", &self.settings.audience)
            .field("placement", &self.settings.placement)
            .finish_non_exhaustive()
    }
}
