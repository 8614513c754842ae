//! Seal and open. Pure: the time is an argument, and so, inside the crate, is the nonce.

mod cookie;
mod counted;
mod csrf;
mod envelope_facts;
mod inspection;
mod json_text;
mod lengths;
mod lifetimes;
mod marker;
mod member_sizes;
mod opened;
mod record;
mod scratch;
mod shape;

#[cfg(test)]
mod readable_rules;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod vectors;

pub(crate) use cookie::{Body, CookieNonce, OpenedCookie, reference};
pub(crate) use counted::Counted;
pub use envelope_facts::EnvelopeFacts;
pub use inspection::Inspection;
pub(crate) use json_text::has_number_beyond_64_bits;
pub use lengths::CookieLengths;
pub(crate) use lifetimes::CheckedLifetimes;
pub use lifetimes::Lifetimes;
pub use member_sizes::member_sizes;
pub(crate) use member_sizes::sizes_of;
pub use opened::Opened;
pub(crate) use record::OpenedRecord;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::ConfigError;
use crate::key::{KeyReport, RingHandle, RotationSettings};
use crate::limits;

/// Seals and opens cookie values of one name and audience, without any I/O.
///
/// What a web framework needs stands on top of it, in [`SessionManager`](crate::SessionManager). By itself it serves tools,
/// tests and jobs that have a cookie in hand and no request.
///
/// ```
/// use sealed_session::sealer::Sealer;
/// use sealed_session::{Key, Timestamp};
/// use serde_json::json;
///
/// let sealer = Sealer::builder(Key::generate()?).audience("example-app/prod").build()?;
/// let now = Timestamp::from_unix_seconds(1_795_000_000);
///
/// let text = sealer.seal(&json!({ "user": 42 }), now)?;
/// let opened = sealer.open(&text, now)?;
/// assert_eq!(opened.payload().unwrap()["user"], 42);
///
/// let two_hours_later = now.saturating_add_seconds(7200);
/// assert_eq!(sealer.open(&text, two_hours_later).unwrap_err().as_str(), "expired_idle");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sealer {
    ring: RingHandle,
    cookie_name: String,
    audience: String,
    lifetimes: CheckedLifetimes,
    rotation: RotationSettings,
    /// Of what this writer seals. A reader takes any value that a browser may have kept.
    lengths: CookieLengths,
}

impl Sealer {
    /// Starts from a key or a ring of keys.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::Key;
    ///
    /// let sealer = Sealer::builder(Key::generate()?).audience("example-app/prod").build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(ring: impl Into<RingHandle>) -> SealerBuilder {
        SealerBuilder {
            ring: ring.into(),
            cookie_name: "__Host-session".to_owned(),
            audience: String::new(),
            lifetimes: Lifetimes::default(),
            key_grace: Duration::from_secs(limits::KEY_GRACE_SECONDS),
            padding_bucket_bytes: limits::COOKIE_PADDING_BUCKET_BYTES,
            longest_text: usize::MAX,
        }
    }

    /// Most bytes of JSON that one cookie of this sealer carries.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::Key;
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// assert!(sealer.text_length(sealer.payload_max_bytes()).is_some());
    /// assert!(sealer.text_length(sealer.payload_max_bytes() + 1).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn payload_max_bytes(&self) -> usize {
        self.lengths.payload_max_bytes()
    }

    /// Characters of the value that a payload of so many bytes will be sealed to, or `None` when it does not fit.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Timestamp};
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// let text = sealer.seal(&serde_json::json!({ "user": 42 }), Timestamp::default())?;
    /// assert_eq!(sealer.text_length(r#"{"user":42}"#.len()), Some(text.len()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn text_length(&self, payload_bytes: usize) -> Option<usize> {
        self.lengths.value_characters(payload_bytes)
    }

    /// The exact cookie name on the wire, prefix included, that this sealer's cookies are bound to.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::Key;
    ///
    /// assert_eq!(Sealer::builder(Key::generate()?).build()?.cookie_name(), "__Host-session");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cookie_name(&self) -> &str {
        &self.cookie_name
    }

    /// The application, environment or tenant that this sealer's cookies are bound to.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::Key;
    ///
    /// let sealer = Sealer::builder(Key::generate()?).audience("shop/prod").build()?;
    /// assert_eq!(sealer.audience(), "shop/prod");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// What the windows of this sealer's keys follow from beside the ring: its lifetimes, and its grace.
    ///
    /// ```
    /// use sealed_session::operator::RotationSettings;
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::Key;
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// assert_eq!(*sealer.rotation_settings(), RotationSettings::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn rotation_settings(&self) -> &RotationSettings {
        &self.rotation
    }

    /// What each key of the ring does now and was used for, and whether it can be taken out.
    ///
    /// ```
    /// use sealed_session::operator::KeyState;
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Timestamp};
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// let now = Timestamp::from_unix_seconds(1_795_000_000);
    /// let text = sealer.seal(&serde_json::json!({}), now)?;
    /// sealer.open(&text, now)?;
    ///
    /// let report = &sealer.key_reports(now)[0];
    /// assert_eq!((report.status.state, report.sealed, report.opened), (KeyState::Sealing, 1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key_reports(&self, now: Timestamp) -> Vec<KeyReport> {
        self.ring.reports(&self.rotation, now)
    }

    /// The same keys and settings for another cookie name and audience.
    pub(crate) fn bound_to(&self, cookie_name: String, audience: String) -> Result<Self, ConfigError> {
        check_context(&cookie_name, &audience)?;
        Ok(Self { cookie_name, audience, ..self.clone() })
    }

    /// The same keys and settings for cookie values of at most so many characters.
    pub(crate) fn with_longest_text(&self, characters: usize) -> Self {
        Self { lengths: self.lengths.shortened_to(characters), ..self.clone() }
    }

    pub(crate) const fn lifetimes(&self) -> &CheckedLifetimes {
        &self.lifetimes
    }

    pub(crate) const fn ring(&self) -> &RingHandle {
        &self.ring
    }
}

/// Settings of a [`Sealer`].
///
/// ```
/// use std::time::Duration;
/// use sealed_session::sealer::Sealer;
/// use sealed_session::{Key, Lifetimes};
///
/// let sealer = Sealer::builder(Key::generate()?)
///     .cookie_name("__Secure-session")
///     .audience("example-app/prod")
///     .lifetimes(Lifetimes::default().idle_timeout(Duration::from_secs(20 * 60)))
///     .build()?;
/// assert_eq!(sealer.cookie_name(), "__Secure-session");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "`build` makes the sealer"]
pub struct SealerBuilder {
    ring: RingHandle,
    cookie_name: String,
    audience: String,
    lifetimes: Lifetimes,
    key_grace: Duration,
    padding_bucket_bytes: usize,
    longest_text: usize,
}

impl SealerBuilder {
    /// The exact name on the wire, prefix included: 1 to 256 bytes, `__Host-session` by default.
    ///
    /// ```
    /// # use sealed_session::sealer::Sealer;
    /// # use sealed_session::Key;
    /// let sealer = Sealer::builder(Key::generate()?).cookie_name("session").build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// The application, environment or tenant: at most 256 bytes, empty by default. One key never makes a cookie of one
    /// audience readable in another.
    ///
    /// ```
    /// # use sealed_session::sealer::Sealer;
    /// # use sealed_session::Key;
    /// let sealer = Sealer::builder(Key::generate()?).audience("shop/prod").build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// How long sessions live.
    ///
    /// ```
    /// # use sealed_session::sealer::Sealer;
    /// # use sealed_session::{Key, Lifetimes};
    /// # use std::time::Duration;
    /// let sealer = Sealer::builder(Key::generate()?).lifetimes(Lifetimes::default().idle_timeout(Duration::from_secs(600))).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }

    /// How long a key that was superseded may still seal, on servers that have not loaded the new ring; whole seconds, one
    /// hour by default.
    ///
    /// ```
    /// # use sealed_session::sealer::Sealer;
    /// # use sealed_session::Key;
    /// # use std::time::Duration;
    /// let sealer = Sealer::builder(Key::generate()?).key_grace(Duration::from_secs(600)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn key_grace(mut self, grace: Duration) -> Self {
        self.key_grace = grace;
        self
    }

    /// Plaintexts are filled to a multiple of so many bytes, which hides their exact length: 1 to 1024, 32 by default.
    ///
    /// ```
    /// # use sealed_session::sealer::Sealer;
    /// # use sealed_session::Key;
    /// let sealer = Sealer::builder(Key::generate()?).padding_bucket_bytes(256).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn padding_bucket_bytes(mut self, bytes: usize) -> Self {
        self.padding_bucket_bytes = bytes;
        self
    }

    pub(crate) fn longest_text(mut self, characters: usize) -> Self {
        self.longest_text = characters;
        self
    }

    /// The sealer.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::Key;
    ///
    /// let error = Sealer::builder(Key::generate()?).cookie_name("").build().unwrap_err();
    /// assert_eq!(error.setting(), "cookie_name");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that cannot work.
    pub fn build(self) -> Result<Sealer, ConfigError> {
        check_context(&self.cookie_name, &self.audience)?;
        if !(1..=limits::COOKIE_PADDING_BUCKET_MAX_BYTES).contains(&self.padding_bucket_bytes) {
            return Err(ConfigError::new("padding_bucket_bytes", "give 1 to 1024 bytes; 1 turns padding off"));
        }
        if self.key_grace.subsec_nanos() != 0 || self.key_grace.as_secs() > Timestamp::MAX.unix_seconds() {
            return Err(ConfigError::new("key_grace", "give whole seconds, fewer than 2^40"));
        }
        let longest_text = self.longest_text.min(longest_readable_text(&self.cookie_name));
        let lifetimes = self.lifetimes.check()?;
        let longest_lifetime = Duration::from_secs(lifetimes.longest_seconds());
        Ok(Sealer {
            lifetimes,
            rotation: RotationSettings::default().grace(self.key_grace).longest_lifetime(longest_lifetime),
            ring: self.ring,
            cookie_name: self.cookie_name,
            audience: self.audience,
            lengths: CookieLengths::new(longest_text).padding_bucket_bytes(self.padding_bucket_bytes),
        })
    }
}

fn check_context(cookie_name: &str, audience: &str) -> Result<(), ConfigError> {
    if cookie_name.is_empty() || cookie_name.len() > limits::COOKIE_NAME_MAX_BYTES {
        return Err(ConfigError::new("cookie_name", "give a name of 1 to 256 bytes"));
    }
    if audience.len() > limits::AUDIENCE_MAX_BYTES {
        return Err(ConfigError::new("audience", "give a name of at most 256 bytes"));
    }
    Ok(())
}

/// The longest value that a browser keeps under this name, and so the longest that is worth reading.
const fn longest_readable_text(cookie_name: &str) -> usize {
    limits::COOKIE_NAME_AND_VALUE_MAX_BYTES.saturating_sub(cookie_name.len())
}
