use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::key_text;
use crate::clock::Timestamp;
use crate::crypto::{Aead, Prk, Suite, constant_time_equal, random};
use crate::error::KeyError;
use crate::id::{KeyId, SessionId};
use crate::limits;

const CONTEXT: &[u8] = b"sealed-session/v1";

/// A key: 32 random bytes and a [`Suite`], with everything that is derived from them.
///
/// A clone shares the same memory, which is wiped when the last one is dropped. (Best effort: Rust moves
/// values over the stack, and what stood there may come to the heap again in the unused bytes of another value.) A key has no `Display` and no `Serialize`, and its `Debug` shows its public id alone:
///
/// ```compile_fail
/// # let key = sealed_session::Key::generate().unwrap();
/// println!("{key}");
/// ```
/// ```compile_fail
/// # let key = sealed_session::Key::generate().unwrap();
/// let _ = serde_json::to_string(&key);
/// ```
/// ```compile_fail
/// fn copied<T: Copy>() {}
/// copied::<sealed_session::Key>();
/// ```
///
/// ```
/// use sealed_session::Key;
///
/// let key = Key::generate()?;
/// let text = key.to_secret_text();
/// assert_eq!(Key::from_text(&text)?, key);
/// assert!(!format!("{key:?}").contains(&text[23..]));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key(Arc<Material>);

struct Material {
    suite: Suite,
    secret: Zeroizing<[u8; 32]>,
    id: KeyId,
    cookie: Aead,
    record: Prk,
    csrf: Zeroizing<[u8; 32]>,
    marker: Zeroizing<[u8; 32]>,
}

impl Key {
    /// A new random key, of the suite that is faster on this machine.
    ///
    /// ```
    /// use sealed_session::Key;
    ///
    /// assert_ne!(Key::generate()?, Key::generate()?);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_with(Suite::fastest_here())
    }

    /// A new random key of this suite.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// assert_eq!(Key::generate_with(Suite::XChaCha)?.suite(), Suite::XChaCha);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] when the operating system gives no random bytes.
    pub fn generate_with(suite: Suite) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice())?;
        Self::from_bytes(suite, secret.as_slice())
    }

    /// A key from its 32 secret bytes.
    ///
    /// ```
    /// use sealed_session::{Key, KeyError, Suite};
    ///
    /// assert_eq!(Key::from_bytes(Suite::Xaes, &[7; 32]), Err(KeyError::ArithmeticSequence));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the rule when the bytes are not 32, or not drawn at random: 16 or fewer distinct
    /// values, all printable ASCII, counting in equal steps, or printed in this documentation.
    pub fn from_bytes(suite: Suite, secret: &[u8]) -> Result<Self, KeyError> {
        check_strength(secret).map(|secret| Self::derive(suite, secret))
    }

    /// A key from one of its text forms; white space around it is dropped.
    ///
    /// `ssk1.<suite>.<key id>.<secret>` checks itself. `hex:`, `base64:` and `base64url:` take 32 raw bytes, as
    /// `openssl rand` prints them, for [`Suite::Xaes`].
    ///
    /// ```
    /// use sealed_session::{Key, KeyError};
    ///
    /// // No prefix: refused, never guessed.
    /// assert_eq!(Key::from_text("correct horse battery staple"), Err(KeyError::UnknownPrefix));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the rule and never the value.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_text_with(text, Suite::Xaes)
    }

    /// As [`Key::from_text`], with the suite for the three raw forms, which name none.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// let key = Key::generate_with(Suite::XChaCha)?;
    /// let text = key.to_secret_text();
    /// let raw = format!("base64url:{}", text.rsplit('.').next().unwrap());
    /// assert_eq!(Key::from_text_with(&raw, Suite::XChaCha)?, key);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the rule and never the value.
    pub fn from_text_with(text: &str, suite_of_raw_forms: Suite) -> Result<Self, KeyError> {
        let parsed = key_text::parse(text)?;
        let key = Self::from_bytes(parsed.suite.unwrap_or(suite_of_raw_forms), parsed.secret.as_slice())?;
        match parsed.key_id {
            Some(id) if id != key.id() => Err(KeyError::KeyIdMismatch),
            _ => Ok(key),
        }
    }

    /// The self-checking text form, `ssk1.<suite>.<key id>.<secret>`: **the secret itself**, for a key file.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// let text = Key::generate_with(Suite::Xaes)?.to_secret_text();
    /// assert!(text.starts_with("ssk1.xaes."));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        key_text::write(self.0.suite, &self.0.id, &self.0.secret)
    }

    /// The public name of this key.
    ///
    /// ```
    /// use sealed_session::Key;
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(key.id().to_string().len(), 11);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The cipher of this key.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// assert_eq!(Key::generate_with(Suite::Xaes)?.suite(), Suite::Xaes);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.0.suite
    }

    /// Wire format, section 1: `sub(l, n) = Expand(PRK, u8(suite) ‖ lp8(l) ‖ u16(n), n)`.
    fn derive(suite: Suite, secret: &[u8; 32]) -> Self {
        let prk = Prk::extract(CONTEXT, secret);
        let number = [suite.number()];
        let sub = |label| prk.expand_labelled::<32>(&number, label, [&[], &[]]);
        Self(Arc::new(Material {
            suite,
            secret: Zeroizing::new(*secret),
            id: KeyId::from_bytes(*prk.expand_labelled(&number, "kid", [&[], &[]])),
            cookie: Aead::new(suite, &sub("cookie")),
            record: Prk::from_uniform(&sub("record")),
            csrf: sub("csrf"),
            marker: sub("marker"),
        }))
    }

    /// The cipher for cookies.
    pub(crate) fn cookie_cipher(&self) -> &Aead {
        &self.0.cookie
    }

    /// The cipher for the record of one session: wire format, section 6.
    pub(crate) fn record_cipher(&self, session: &SessionId) -> Aead {
        let record_key = self.0.record.expand_labelled::<32>(&[], "record-key", [session.as_bytes(), &[]]);
        Aead::new(self.0.suite, &record_key)
    }

    /// The key for CSRF tokens.
    pub(crate) fn csrf_key(&self) -> &[u8; 32] {
        &self.0.csrf
    }

    /// Makes the markers of sessions that a browser has left.
    pub(crate) fn marker_key(&self) -> &[u8; 32] {
        &self.0.marker
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_text(text)
    }
}

impl PartialEq for Key {
    // Security: constant time, although both sides are ours: a comparison with a secret is written only one way.
    fn eq(&self, other: &Self) -> bool {
        self.0.suite == other.0.suite && constant_time_equal(self.0.secret.as_slice(), other.0.secret.as_slice())
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("suite", &self.0.suite).field("id", &self.0.id).finish_non_exhaustive()
    }
}

// Secrets that are refused: wire format, section 1. Every holder of a cookie has an offline oracle for a guessable key.

/// Fewer different byte values than this, and 32 bytes were not drawn at random: of 2^80 random secrets about one is refused.
const LEAST_DISTINCT_BYTES: usize = 17;

/// Secrets that stand in this crate's documentation and trip none of the other rules.
const DOCUMENTED: &[[u8; 32]] = &[];

/// Takes a secret that may have been drawn at random.
// Security: the outcome tells that a weak secret is weak, and the time tells no more; a secret that passes takes the
// same steps whatever its bytes.
fn check_strength(secret: &[u8]) -> Result<&[u8; 32], KeyError> {
    let secret: &[u8; 32] = secret.try_into().map_err(|_| KeyError::SecretLength { found_bytes: secret.len() })?;
    if is_arithmetic_sequence(secret) {
        return Err(KeyError::ArithmeticSequence);
    }
    if secret.iter().all(|byte| (0x20..=0x7e).contains(byte)) {
        return Err(KeyError::Printable);
    }
    let distinct = distinct_bytes(secret);
    if distinct < LEAST_DISTINCT_BYTES {
        return Err(KeyError::FewDistinctBytes { distinct });
    }
    if DOCUMENTED.contains(secret) {
        return Err(KeyError::Documented);
    }
    Ok(secret)
}

fn distinct_bytes(secret: &[u8; 32]) -> usize {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

fn is_arithmetic_sequence(secret: &[u8; 32]) -> bool {
    let [first, second, ..] = *secret;
    let step = second.wrapping_sub(first);
    secret.iter().zip(secret.iter().skip(1)).all(|(left, right)| right.wrapping_sub(*left) == step)
}

/// A key of a ring, and when it is used: wire format, section 7.
///
/// ```
/// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
///
/// let (old, new) = (Key::generate()?, Key::generate()?);
/// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
/// let ring = KeyRing::from_entries([
///     RingEntry::new(old.clone()),
///     // Loaded by every server before Monday, and sealing on all of them from then on.
///     RingEntry::new(new.clone()).seal_from(monday),
/// ])?;
/// let sunday = Timestamp::from_rfc3339("2026-11-22T09:00:00Z").unwrap();
/// assert_eq!(ring.sealing_key_id(sunday), Some(old.id()));
/// assert_eq!(ring.sealing_key_id(monday), Some(new.id()));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingEntry {
    pub(super) key: Key,
    pub(super) marks: RingMarks,
}

impl RingEntry {
    /// A key that seals since ever, until another one does.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry};
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(KeyRing::from_entries([RingEntry::new(key.clone())])?, KeyRing::new(key));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn new(key: Key) -> Self {
        let marks = RingMarks { seal_from: None, seal_until: None, open_until: None, open_only: false };
        Self { key, marks }
    }

    /// The first second in which the key seals.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// let ring = KeyRing::new(Key::generate()?).with_entry(RingEntry::new(Key::generate()?).seal_from(monday))?;
    /// assert_ne!(ring.sealing_key_id(Timestamp::default()), ring.sealing_key_id(monday));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn seal_from(mut self, instant: Timestamp) -> Self {
        self.marks.seal_from = Some(instant);
        self
    }

    /// The last second in which the key seals, whatever else the ring holds; at the latest it stops when the next one
    /// begins.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let last = Timestamp::from_unix_seconds(1_795_000_000);
    /// let ring = KeyRing::from_entries([RingEntry::new(Key::generate()?).seal_until(last)])?;
    /// assert!(ring.sealing_key_id(last).is_some());
    /// assert!(ring.sealing_key_id(last.saturating_add_seconds(1)).is_none());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn seal_until(mut self, instant: Timestamp) -> Self {
        self.marks.seal_until = Some(instant);
        self
    }

    /// The first second in which the key opens nothing any more. By default that is when nothing that it sealed is valid.
    ///
    /// ```
    /// use sealed_session::operator::{KeyState, RotationSettings};
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let end = Timestamp::from_unix_seconds(1_795_000_000);
    /// let old = RingEntry::new(Key::generate()?).open_only().open_until(end);
    /// let ring = KeyRing::new(Key::generate()?).with_entry(old)?;
    /// let settings = RotationSettings::default();
    /// let old = ring.statuses(&settings, end).nth(1).unwrap();
    /// assert_eq!(old.state, KeyState::Expired);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn open_until(mut self, instant: Timestamp) -> Self {
        self.marks.open_until = Some(instant);
        self
    }

    /// The key never seals. What it opens has no upper bound unless a `seal_until` gives it one, so a thief of the key can
    /// mint for as long as it is in the ring: a `seal_until` is the better mark for a key that once sealed.
    ///
    /// ```
    /// use sealed_session::{Key, KeyError, KeyRing, RingEntry};
    ///
    /// let old = RingEntry::new(Key::generate()?).open_only();
    /// assert_eq!(KeyRing::from_entries([old]), Err(KeyError::NoSealingKey));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn open_only(mut self) -> Self {
        self.marks.open_only = true;
        self
    }

    /// The id of the key.
    ///
    /// ```
    /// use sealed_session::{Key, RingEntry};
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(RingEntry::new(key.clone()).key_id(), key.id());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key.id()
    }

    /// The entry's own marks.
    ///
    /// ```
    /// use sealed_session::{Key, RingEntry};
    ///
    /// assert!(RingEntry::new(Key::generate()?).open_only().marks().open_only);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn marks(&self) -> &RingMarks {
        &self.marks
    }

    /// The same key with these marks, whatever it had.
    ///
    /// ```
    /// use sealed_session::operator::RingMarks;
    /// use sealed_session::{Key, RingEntry, Timestamp};
    ///
    /// let key = Key::generate()?;
    /// let mut marks = RingMarks::default();
    /// marks.seal_until = Some(Timestamp::from_unix_seconds(1_795_000_000));
    /// let entry = RingEntry::new(key.clone()).open_only().with_marks(marks);
    /// assert_eq!(entry, RingEntry::new(key).seal_until(Timestamp::from_unix_seconds(1_795_000_000)));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn with_marks(mut self, marks: RingMarks) -> Self {
        self.marks = marks;
        self
    }
}

impl From<Key> for RingEntry {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

/// What stands behind a key in a ring: when it seals and opens. All of it is the entry's own; what the other keys of the ring
/// make of it is [`KeyStatus`](super::KeyStatus).
///
/// ```
/// use sealed_session::operator::RingMarks;
/// use sealed_session::Timestamp;
///
/// let mut marks = RingMarks::default();
/// marks.seal_until = Timestamp::from_rfc3339("2026-11-23T09:00:00Z");
/// marks.open_only = true;
/// assert_eq!(marks.to_string(), "seal-until=2026-11-23T09:00:00Z open-only");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingMarks {
    /// The first second in which the key seals; `None` for since ever.
    pub seal_from: Option<Timestamp>,
    /// The last second in which the key seals; `None` for until the next one does.
    pub seal_until: Option<Timestamp>,
    /// The first second in which the key opens nothing any more; `None` for when nothing that it sealed is valid.
    pub open_until: Option<Timestamp>,
    /// The key never seals.
    pub open_only: bool,
}

/// The word that marks a key which never seals.
pub(super) const OPEN_ONLY: &str = "open-only";

impl RingMarks {
    /// The times and their names in a ring's text.
    pub(super) const fn times(&self) -> [(&'static str, Option<Timestamp>); 3] {
        [("seal-from", self.seal_from), ("seal-until", self.seal_until), ("open-until", self.open_until)]
    }

    /// The place of the time of this name.
    pub(super) fn time_mut(&mut self, name: &str) -> Option<&mut Option<Timestamp>> {
        match name {
            "seal-from" => Some(&mut self.seal_from),
            "seal-until" => Some(&mut self.seal_until),
            "open-until" => Some(&mut self.open_until),
            _ => None,
        }
    }

    pub(super) fn name_a_time(&self) -> bool {
        self.times().iter().any(|(_, time)| time.is_some())
    }
}

impl fmt::Display for RingMarks {
    /// As behind a key in the text form of a ring; nothing where there are none. Times behind the year 9999 have no such form
    /// and are shown as its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (name, time) in self.times() {
            if let Some(time) = time {
                write!(f, "{space}{name}={}", time.to_rfc3339())?;
                space = " ";
            }
        }
        if self.open_only { write!(f, "{space}{OPEN_ONLY}") } else { Ok(()) }
    }
}

// When a key seals and what it opens: wire format, section 7. Pure; the time is an argument.

/// What the windows of a ring follow from beside the ring itself; whole seconds.
///
/// ```
/// use std::time::Duration;
/// use sealed_session::operator::RotationSettings;
///
/// let settings = RotationSettings::default().grace(Duration::from_secs(600));
/// assert_ne!(settings, RotationSettings::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationSettings {
    grace_seconds: u64,
    longest_lifetime_seconds: u64,
}

impl Default for RotationSettings {
    /// One hour of grace, and sessions of 30 days at most.
    fn default() -> Self {
        Self { grace_seconds: limits::KEY_GRACE_SECONDS, longest_lifetime_seconds: limits::ABSOLUTE_TIMEOUT_SECONDS }
    }
}

impl RotationSettings {
    /// How long a key that was superseded may still seal, on servers that have not loaded the new ring; one hour by
    /// default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealed_session::operator::RotationSettings;
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let end = Timestamp::from_unix_seconds(1_795_000_000);
    /// let ring = KeyRing::from_entries([RingEntry::new(Key::generate()?).seal_until(end)])?;
    /// let open_until = |settings| ring.statuses(&settings, end).next().unwrap().open_until.unwrap();
    /// let (hour, none) = (RotationSettings::default(), RotationSettings::default().grace(Duration::ZERO));
    /// assert_eq!(open_until(hour).saturating_seconds_since(open_until(none)), 3600);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace_seconds = grace.as_secs();
        self
    }

    /// How long a cookie can be valid after its sealing: the greater of the absolute timeout and the longest own lifetime;
    /// 30 days by default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealed_session::operator::RotationSettings;
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let end = Timestamp::from_unix_seconds(1_795_000_000);
    /// let ring = KeyRing::from_entries([RingEntry::new(Key::generate()?).seal_until(end)])?;
    /// let settings = RotationSettings::default().grace(Duration::ZERO).longest_lifetime(Duration::from_secs(86_400));
    /// let status = ring.statuses(&settings, end).next().unwrap();
    /// assert_eq!(status.open_until, Some(end.saturating_add_seconds(86_400)));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn longest_lifetime(mut self, longest: Duration) -> Self {
        self.longest_lifetime_seconds = longest.as_secs();
        self
    }

    pub(crate) const fn longest_lifetime_seconds(&self) -> u64 {
        self.longest_lifetime_seconds
    }
}

/// What a key of a ring does at an instant. In its life a key passes through them in their order.
///
/// ```
/// use sealed_session::operator::KeyState;
///
/// assert!(KeyState::Pending < KeyState::Sealing && KeyState::Opening < KeyState::Expired);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// It does not seal yet. What another server's clock lets it seal already is opened.
    Pending,
    /// It seals everything, and opens.
    Sealing,
    /// It opens what it once sealed.
    Opening,
    /// It opens nothing any more.
    Expired,
}

impl KeyState {
    /// The state in lower case, for logs and metrics.
    ///
    /// ```
    /// assert_eq!(sealed_session::operator::KeyState::Opening.as_str(), "opening");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sealing => "sealing",
            Self::Opening => "opening",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The window of one key, as the whole ring makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    seal_from: Option<Timestamp>,
    /// The earlier of the entry's own and the next key's beginning.
    seal_until: Option<Timestamp>,
    /// The next key's beginning, where it is what ends this key's sealing.
    superseded_at: Option<Timestamp>,
    open_until: Option<Timestamp>,
    open_only: bool,
}

impl Window {
    pub(super) fn new(entry: &RingEntry, next_seal_from: Option<Timestamp>) -> Self {
        let next = next_seal_from.filter(|_| !entry.marks.open_only);
        let superseded_at = next.filter(|next| entry.marks.seal_until.is_none_or(|own| *next <= own));
        Self {
            seal_from: entry.marks.seal_from,
            seal_until: superseded_at.or(entry.marks.seal_until),
            superseded_at,
            open_until: entry.marks.open_until,
            open_only: entry.marks.open_only,
        }
    }

    pub(super) const fn seal_from(&self) -> Option<Timestamp> {
        self.seal_from
    }

    pub(super) const fn seal_until(&self) -> Option<Timestamp> {
        self.seal_until
    }

    /// Whether the key could seal at this instant. Of several, the one that began last does.
    pub(super) fn can_seal(&self, now: Timestamp) -> bool {
        !self.open_only
            && self.seal_from.is_none_or(|from| from <= now)
            && self.seal_until.is_none_or(|until| now <= until)
    }

    /// The first second in which the key opens nothing any more.
    pub(super) fn open_until(&self, settings: &RotationSettings) -> Option<Timestamp> {
        self.open_until.or_else(|| {
            let until = self.last_issued(settings)?;
            // One more than the last second that the key may have sealed in: the end does not open any more.
            Some(until.saturating_add_seconds(settings.longest_lifetime_seconds))
        })
    }

    pub(super) fn may_open(&self, settings: &RotationSettings, now: Timestamp) -> bool {
        self.open_until(settings).is_none_or(|until| now < until)
    }

    /// Whether what the key opens may have been issued at this instant.
    // Security: a thief of a retired key mints no session whose issued time lies behind the window, and one that he dates
    // back is as old as it says.
    pub(super) fn covers(&self, settings: &RotationSettings, issued: Timestamp) -> bool {
        self.seal_from.is_none_or(|from| issued.saturating_add_seconds(limits::CLOCK_SKEW_SECONDS) >= from)
            && self.last_issued(settings).is_none_or(|last| issued <= last)
    }

    /// The last second that an envelope of this key may have been issued in.
    fn last_issued(&self, settings: &RotationSettings) -> Option<Timestamp> {
        self.seal_until.map(|until| until.saturating_add_seconds(settings.grace_seconds))
    }

    /// The state at an instant at which this is, or is not, the key that seals; and the second of the next change.
    pub(super) fn state(
        &self,
        settings: &RotationSettings,
        now: Timestamp,
        seals: bool,
    ) -> (KeyState, Option<Timestamp>) {
        if !self.may_open(settings, now) {
            (KeyState::Expired, None)
        } else if seals {
            let behind_own_end = self.seal_until.map(|until| until.saturating_add_seconds(1));
            (KeyState::Sealing, self.superseded_at.or(behind_own_end))
        } else if !self.open_only && self.seal_from.is_some_and(|from| now < from) {
            (KeyState::Pending, self.seal_from)
        } else {
            (KeyState::Opening, self.open_until(settings))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::failing;

    #[test]
    fn debug_shows_the_id_and_nothing_of_the_secret() {
        let key = Key::generate().unwrap();
        let shown = format!("{key:?} {:?}", KeyError::KeyIdMismatch);
        assert!(shown.contains(&key.id().to_string()));
        let text = key.to_secret_text();
        let secret = text.rsplit('.').next().unwrap();
        for start in 0..secret.len() - 6 {
            assert!(!shown.contains(&secret[start..start + 6]));
        }
    }

    #[test]
    fn keys_are_equal_when_suite_and_secret_are() {
        let secret: [u8; 32] = std::array::from_fn(|i| (i * i * 5 % 251) as u8);
        let key = Key::from_bytes(Suite::Xaes, &secret).unwrap();
        assert_eq!(key, Key::from_bytes(Suite::Xaes, &secret).unwrap());
        assert_ne!(key, Key::from_bytes(Suite::XChaCha, &secret).unwrap());
        let mut other = secret;
        other[31] ^= 1;
        assert_ne!(key, Key::from_bytes(Suite::Xaes, &other).unwrap());
    }

    #[test]
    fn two_generated_keys_differ() {
        assert_ne!(Key::generate().unwrap(), Key::generate().unwrap());
    }

    #[test]
    fn without_random_bytes_there_is_no_key() {
        assert!(matches!(failing::during(Key::generate), Err(KeyError::Random(_))));
    }

    #[test]
    fn the_key_id_is_checked_against_the_secret_and_the_suite() {
        let text = Key::generate_with(Suite::Xaes).unwrap().to_secret_text();
        let other_suite = text.replacen("xaes", "xchacha", 1);
        assert_eq!(Key::from_text(&other_suite), Err(KeyError::KeyIdMismatch));
    }
}

#[cfg(test)]
mod weakness_tests {
    use super::*;

    fn random_looking() -> [u8; 32] {
        std::array::from_fn(|i| (i as u8).wrapping_mul(i as u8).wrapping_mul(7).wrapping_add(i as u8 * 3) ^ 0xa5)
    }

    #[test]
    fn a_random_secret_is_taken() {
        assert_eq!(check_strength(&random_looking()), Ok(&random_looking()));
    }

    #[test]
    fn any_other_length_than_32_is_refused_and_named() {
        for length in [0, 16, 31, 33, 64] {
            assert_eq!(check_strength(&vec![7; length]), Err(KeyError::SecretLength { found_bytes: length }));
        }
    }

    #[test]
    fn sixteen_distinct_bytes_are_too_few_and_seventeen_are_enough() {
        let exactly = |distinct: usize| -> [u8; 32] { std::array::from_fn(|i| ((i % distinct) * 15) as u8) };
        assert_eq!(check_strength(&exactly(16)), Err(KeyError::FewDistinctBytes { distinct: 16 }));
        assert!(check_strength(&exactly(17)).is_ok());
    }

    #[test]
    fn a_passphrase_is_refused() {
        assert_eq!(check_strength(b"correct horse battery staple! 42"), Err(KeyError::Printable));
    }

    #[test]
    fn one_byte_outside_of_printable_ascii_is_no_passphrase() {
        assert!(check_strength(b"Sphinx of black quartz, judge m\x80").is_ok());
    }

    #[test]
    fn equal_steps_are_refused_upwards_downwards_and_standing() {
        for step in [0u8, 1, 2, 7, 255, 128] {
            let secret: [u8; 32] = std::array::from_fn(|i| (i as u8).wrapping_mul(step).wrapping_add(9));
            assert_eq!(check_strength(&secret), Err(KeyError::ArithmeticSequence), "step {step}");
        }
    }
}
