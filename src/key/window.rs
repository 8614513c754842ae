//! When a key seals and what it opens: wire format, section 7. Pure; the time is an argument.

use std::fmt;
use std::time::Duration;

use super::RingEntry;
use crate::clock::Timestamp;
use crate::limits;

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
