//! Seal and open. Pure: the time is an argument, and so, inside the crate, is the nonce.

mod envelope;
mod inspection;
mod marker;
mod opened;

#[cfg(test)]
mod readable_tests;
#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
mod vector_tests;

pub(crate) use envelope::{Body, CookieNonce, OpenedCookie, OpenedRecord, reference};
pub use inspection::{EnvelopeFacts, Inspection};
pub use opened::Opened;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{ConfigError, Reason};
use crate::key::{KeyReport, RingHandle, RotationSettings};
use crate::limits::{self, COOKIE_PADDING_BUCKET_BYTES};
use crate::wire::{
    ENVELOPE_OVERHEAD, HEADER_LENGTH, Header, Persistence, decoded_length, encoded_length, padded_length,
};

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

/// How long sessions live. The times themselves travel inside the seal; these settings are the reader's and the
/// writer's of today, so a shorter timeout takes effect at once.
///
/// The idle timeout begins again with each write, and with each renewal as [`Renewal`](crate::Renewal) says: by default by a
/// navigation or fetch when less than half of it is left.
///
/// ```
/// use std::time::Duration;
/// use sealed_session::Lifetimes;
///
/// let lifetimes = Lifetimes::default()
///     .idle_timeout(Duration::from_secs(20 * 60))
///     .absolute_timeout(Some(Duration::from_secs(12 * 60 * 60)));
/// # let _ = lifetimes;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Option<Duration>,
    pub(crate) remember_max: Option<Duration>,
}

impl Default for Lifetimes {
    /// Two hours idle, 30 days absolute.
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(limits::IDLE_TIMEOUT_SECONDS),
            absolute_timeout: Some(Duration::from_secs(limits::ABSOLUTE_TIMEOUT_SECONDS)),
            remember_max: None,
        }
    }
}

impl Lifetimes {
    /// A session ends when it was not written or renewed for so long; whole seconds, two hours by default.
    ///
    /// A use renews it only when less than half of this time is left, by the default [`Renewal`](crate::Renewal), so a session ends
    /// between half of this time and the whole of it after its last use by a navigation or a fetch.
    #[must_use]
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// A session ends so long after it began, however often it is used; whole seconds, 30 days by default.
    #[must_use]
    pub const fn absolute_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.absolute_timeout = timeout;
        self
    }

    /// The longest lifetime of its own that a session may ask for; whole seconds, the absolute timeout by default, and no
    /// longer than that. To be given where there is no absolute timeout.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Lifetimes};
    ///
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// let lifetimes = Lifetimes::default().absolute_timeout(Some(30 * day)).remember_max(90 * day);
    /// let error = Sealer::builder(Key::generate()?).lifetimes(lifetimes).build().unwrap_err();
    /// assert_eq!(error.setting(), "remember_max");
    ///
    /// let lifetimes = lifetimes.absolute_timeout(Some(90 * day));
    /// assert!(Sealer::builder(Key::generate()?).lifetimes(lifetimes).build().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn remember_max(mut self, longest: Duration) -> Self {
        self.remember_max = Some(longest);
        self
    }

    pub(crate) fn check(&self) -> Result<CheckedLifetimes, ConfigError> {
        let remember_max = self.remember_max.or(self.absolute_timeout).ok_or_else(|| {
            ConfigError::new(
                "remember_max",
                "without an absolute timeout there is no default; give the longest lifetime",
            )
        })?;
        let checked = CheckedLifetimes {
            idle_timeout_seconds: whole_seconds("idle_timeout", self.idle_timeout)?,
            absolute_timeout_seconds: self
                .absolute_timeout
                .map(|timeout| whole_seconds("absolute_timeout", timeout))
                .transpose()?,
            remember_max_seconds: whole_seconds("remember_max", remember_max)?,
        };
        // A session would be promised a lifetime that the absolute timeout then cuts short.
        if checked.absolute_timeout_seconds.is_some_and(|absolute| checked.remember_max_seconds > absolute) {
            return Err(ConfigError::new(
                "remember_max",
                "longer than `absolute_timeout`, which would end a remembered session before; lower `remember_max`, or raise \
                 `absolute_timeout` to it",
            ));
        }
        Ok(checked)
    }
}

fn whole_seconds(setting: &'static str, duration: Duration) -> Result<u64, ConfigError> {
    if duration.as_secs() == 0 || duration.subsec_nanos() != 0 {
        return Err(ConfigError::new(setting, "give whole seconds, one at least"));
    }
    if duration.as_secs() > Timestamp::MAX.unix_seconds() {
        return Err(ConfigError::new(setting, "longer than the format's times reach; give fewer than 2^40 seconds"));
    }
    Ok(duration.as_secs())
}

/// Lifetimes that can work. All of it in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CheckedLifetimes {
    pub(crate) idle_timeout_seconds: u64,
    pub(crate) absolute_timeout_seconds: Option<u64>,
    pub(crate) remember_max_seconds: u64,
}

impl CheckedLifetimes {
    /// The end of the absolute lifetime of a session, if it has one.
    pub(crate) fn absolute_end(&self, created: Timestamp) -> Option<Timestamp> {
        self.absolute_timeout_seconds.map(|seconds| created.saturating_add_seconds(seconds))
    }

    /// The longest time that a cookie can be valid after its sealing.
    ///
    /// Wire format, section 7, where there is an absolute timeout. Without one nothing else bounds a session, so that what
    /// counts is how long each of its cookies lives.
    pub(crate) fn longest_seconds(&self) -> u64 {
        self.remember_max_seconds.max(self.absolute_timeout_seconds.unwrap_or(self.idle_timeout_seconds))
    }

    /// When a session that was sealed so ends if it is not used again.
    pub(crate) fn end(&self, header: &Header) -> Timestamp {
        let idle_end =
            header.expires.min(header.issued.saturating_add_seconds(self.longest_idle_seconds(header.persistence)));
        self.absolute_end(header.created).map_or(idle_end, |end| end.min(idle_end))
    }

    const fn longest_idle_seconds(&self, persistence: Persistence) -> u64 {
        match persistence {
            Persistence::OwnLifetime => self.remember_max_seconds,
            Persistence::IdleTimeout | Persistence::BrowserSession => self.idle_timeout_seconds,
        }
    }

    /// Wire format, section 4, step 9, in its order.
    // Security: the reader's settings of today decide beside the sealed times, and no time comes from the client
    // (CVE-2024-31999, CVE-2024-35220).
    pub(crate) fn check_times(&self, header: &Header, now: Timestamp) -> Result<(), Reason> {
        let longest_idle_seconds = self.longest_idle_seconds(header.persistence);
        if header.created > header.issued || header.issued > header.expires {
            return Err(Reason::Malformed);
        }
        if header.issued > now.saturating_add_seconds(limits::CLOCK_SKEW_SECONDS) {
            return Err(Reason::NotYetValid);
        }
        if now >= header.expires || now >= header.issued.saturating_add_seconds(longest_idle_seconds) {
            return Err(Reason::ExpiredIdle);
        }
        if self.absolute_end(header.created).is_some_and(|end| now >= end) {
            return Err(Reason::ExpiredAbsolute);
        }
        Ok(())
    }
}

/// How long a cookie gets, from the JSON of a session to the value on the wire. Lengths alone: no key and no data.
///
/// ```
/// use sealed_session::cookie::CookieAttributes;
/// use sealed_session::operator::CookieLengths;
///
/// let lengths = CookieLengths::new(CookieAttributes::new().value_max_characters(None));
/// assert_eq!(lengths.payload_max_bytes(), 2979);
/// assert_eq!(lengths.value_characters(2979), Some(4096 - "__Host-session".len()));
/// assert_eq!(lengths.value_characters(2980), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieLengths {
    value_max_characters: usize,
    padding_bucket_bytes: usize,
}

impl CookieLengths {
    /// Of cookies whose value has at most so many characters, with the default padding.
    #[must_use]
    pub const fn new(value_max_characters: usize) -> Self {
        Self { value_max_characters, padding_bucket_bytes: COOKIE_PADDING_BUCKET_BYTES }
    }

    /// Plaintexts are filled to a multiple of so many bytes, 32 by default; 1 turns padding off.
    #[must_use]
    pub const fn padding_bucket_bytes(mut self, bytes: usize) -> Self {
        self.padding_bucket_bytes = bytes;
        self
    }

    /// Most bytes of JSON that one cookie carries.
    #[must_use]
    pub const fn payload_max_bytes(&self) -> usize {
        self.plaintext_max_bytes().saturating_sub(HEADER_LENGTH + 1)
    }

    /// Bytes that are encrypted for so many bytes of JSON, header and padding included; `None` when they do not fit.
    ///
    /// ```
    /// let lengths = sealed_session::operator::CookieLengths::new(4082);
    /// assert_eq!((lengths.plaintext_bytes(0), lengths.plaintext_bytes(40)), (Some(64), Some(96)));
    /// ```
    #[must_use]
    pub fn plaintext_bytes(&self, payload_bytes: usize) -> Option<usize> {
        let content = payload_bytes.saturating_add(HEADER_LENGTH);
        padded_length(content, self.padding_bucket_bytes, self.plaintext_max_bytes())
    }

    /// Characters of the value for so many bytes of JSON; `None` when they do not fit.
    ///
    /// ```
    /// assert_eq!(sealed_session::operator::CookieLengths::new(4082).value_characters(2), Some(151));
    /// ```
    #[must_use]
    pub fn value_characters(&self, payload_bytes: usize) -> Option<usize> {
        self.plaintext_bytes(payload_bytes).map(|plaintext| encoded_length(plaintext.saturating_add(ENVELOPE_OVERHEAD)))
    }

    /// The same padding for values of at most so many characters.
    pub(crate) fn shortened_to(self, characters: usize) -> Self {
        Self { value_max_characters: self.value_max_characters.min(characters), ..self }
    }

    const fn plaintext_max_bytes(&self) -> usize {
        decoded_length(self.value_max_characters).saturating_sub(ENVELOPE_OVERHEAD)
    }
}

#[cfg(test)]
mod lifetimes_tests {
    use super::*;
    use crate::id::SessionId;
    use crate::wire::Kind;

    const LIFETIMES: CheckedLifetimes =
        CheckedLifetimes { idle_timeout_seconds: 100, absolute_timeout_seconds: Some(1000), remember_max_seconds: 500 };

    fn outcome(persistence: Persistence, [created, issued, expires]: [u64; 3], now: u64) -> Result<(), Reason> {
        let [created, issued, expires] = [created, issued, expires].map(Timestamp::from_unix_seconds);
        let id = SessionId::from_bytes([0; 16]);
        let header = Header { kind: Kind::Inline, persistence, id, created, issued, expires };
        LIFETIMES.check_times(&header, Timestamp::from_unix_seconds(now))
    }

    #[test]
    fn the_second_of_expiry_is_expired_and_the_one_before_is_not() {
        let times = [10_000, 10_000, 10_050];
        assert_eq!(outcome(Persistence::IdleTimeout, times, 10_049), Ok(()));
        assert_eq!(outcome(Persistence::IdleTimeout, times, 10_050), Err(Reason::ExpiredIdle));
    }

    #[test]
    fn a_timeout_that_was_shortened_holds_for_older_cookies() {
        let times = [10_000, 10_000, 10_400];
        for persistence in [Persistence::IdleTimeout, Persistence::BrowserSession] {
            assert_eq!(outcome(persistence, times, 10_099), Ok(()));
            assert_eq!(outcome(persistence, times, 10_100), Err(Reason::ExpiredIdle));
        }
        assert_eq!(outcome(Persistence::OwnLifetime, times, 10_399), Ok(()));
        assert_eq!(outcome(Persistence::OwnLifetime, [10_000, 10_000, 11_000], 10_500), Err(Reason::ExpiredIdle));
    }

    #[test]
    fn the_absolute_timeout_ends_what_is_used_all_the_time() {
        assert_eq!(outcome(Persistence::IdleTimeout, [10_000, 10_990, 11_090], 10_999), Ok(()));
        assert_eq!(outcome(Persistence::IdleTimeout, [10_000, 10_990, 11_090], 11_000), Err(Reason::ExpiredAbsolute));
    }

    #[test]
    fn a_clock_may_be_ahead_by_the_skew_and_no_further() {
        assert_eq!(outcome(Persistence::IdleTimeout, [10_060, 10_060, 10_160], 10_000), Ok(()));
        assert_eq!(outcome(Persistence::IdleTimeout, [10_061, 10_061, 10_161], 10_000), Err(Reason::NotYetValid));
    }

    #[test]
    fn times_out_of_order_are_malformed() {
        assert_eq!(outcome(Persistence::IdleTimeout, [10_001, 10_000, 10_050], 10_001), Err(Reason::Malformed));
        assert_eq!(outcome(Persistence::IdleTimeout, [10_000, 10_060, 10_050], 10_001), Err(Reason::Malformed));
    }

    #[test]
    fn a_lifetime_of_no_second_or_of_half_a_second_is_refused() {
        for timeout in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(1 << 40)] {
            assert_eq!(Lifetimes::default().idle_timeout(timeout).check().unwrap_err().setting(), "idle_timeout");
        }
    }

    #[test]
    fn a_cookie_lives_for_the_longest_of_what_bounds_it() {
        let longest = |absolute_timeout_seconds, remember_max_seconds| {
            let idle_timeout_seconds = 100;
            CheckedLifetimes { idle_timeout_seconds, absolute_timeout_seconds, remember_max_seconds }.longest_seconds()
        };
        assert_eq!(longest(Some(1000), 500), 1000);
        assert_eq!(longest(None, 500), 500);
        assert_eq!(longest(None, 50), 100);
    }

    #[test]
    fn without_an_absolute_timeout_the_longest_own_lifetime_is_to_be_given() {
        let none = Lifetimes::default().absolute_timeout(None);
        assert_eq!(none.check().unwrap_err().setting(), "remember_max");
        assert_eq!(none.remember_max(Duration::from_secs(5)).check().unwrap().remember_max_seconds, 5);
        assert_eq!(Lifetimes::default().check().unwrap().remember_max_seconds, limits::ABSOLUTE_TIMEOUT_SECONDS);
    }

    #[test]
    fn no_session_may_ask_for_longer_than_the_absolute_timeout() {
        let absolute = |seconds| Lifetimes::default().absolute_timeout(Some(Duration::from_secs(seconds)));
        let error = absolute(100).remember_max(Duration::from_secs(101)).check().unwrap_err();
        assert_eq!(error.setting(), "remember_max");
        assert!(error.to_string().contains("`absolute_timeout`"), "{error}");
        for longest in [1, 99, 100] {
            let checked = absolute(100).remember_max(Duration::from_secs(longest)).check().unwrap();
            assert_eq!(checked.remember_max_seconds, longest);
        }
    }
}

#[cfg(test)]
mod lengths_tests {
    use super::*;

    #[test]
    fn the_largest_payload_fits_and_one_byte_more_does_not() {
        for value_max_characters in [200, 1000, 3000, 4082] {
            for bucket in [1, 32, 1024] {
                let lengths = CookieLengths::new(value_max_characters).padding_bucket_bytes(bucket);
                let most = lengths.payload_max_bytes();
                assert!(lengths.value_characters(most).is_some_and(|characters| characters <= value_max_characters));
                assert_eq!(lengths.value_characters(most + 1), None);
            }
        }
    }

    #[test]
    fn where_no_envelope_fits_no_payload_does() {
        let lengths = CookieLengths::new(20);
        assert_eq!((lengths.payload_max_bytes(), lengths.value_characters(0)), (0, None));
    }
}
