use std::fmt;
use std::time::Duration;

use super::Key;
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::limits;

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
    /// use sealed_session::{Key, KeyRing, KeyState, RingEntry, RotationSettings, Timestamp};
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
    /// use sealed_session::{Key, RingEntry, RingMarks, Timestamp};
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
/// use sealed_session::{RingMarks, Timestamp};
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
/// use sealed_session::RotationSettings;
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
    /// use sealed_session::{Key, KeyRing, RingEntry, RotationSettings, Timestamp};
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
    /// use sealed_session::{Key, KeyRing, RingEntry, RotationSettings, Timestamp};
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
/// use sealed_session::KeyState;
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
    /// assert_eq!(sealed_session::KeyState::Opening.as_str(), "opening");
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
