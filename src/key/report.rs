use super::{KeyRing, KeyState, KeyStatus, RotationSettings};
use crate::clock::Timestamp;
use crate::error::Reason;

/// A key of a ring: what it does, and what it was used for since this process counts.
///
/// ```
/// use sealed_session::operator::RotationSettings;
/// use sealed_session::{Key, RingHandle, Timestamp};
///
/// let ring = RingHandle::from(Key::generate()?);
/// let reports = ring.reports(&RotationSettings::default(), Timestamp::default());
/// assert_eq!((reports[0].opened, reports[0].is_safe_to_remove), (0, false));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReport {
    /// What the key does.
    pub status: KeyStatus,
    /// Cookies, records and CSRF tokens under this key that were found good.
    pub opened: u64,
    /// Cookies, records and CSRF tokens that were made under this key.
    pub sealed: u64,
    /// Cookies, records and CSRF tokens that named this key and were refused, by reason; reasons that were not met are left
    /// out.
    pub refused: Vec<(Reason, u64)>,
    /// When the key last opened something.
    pub last_opened: Option<Timestamp>,
    /// When counting began; `None` before a store was built over the ring.
    pub counted_since: Option<Timestamp>,
    /// Nothing that is valid needs the key: it has expired, or it seals no more and opened nothing for the longest lifetime
    /// of a session. One process knows its own requests alone: ask every server of a fleet.
    pub is_safe_to_remove: bool,
}

impl KeyReport {
    pub(super) fn of_ring(ring: &KeyRing, settings: &RotationSettings, now: Timestamp) -> Vec<Self> {
        let report = |(status, counts): (KeyStatus, &super::counts::KeyCounts)| {
            let (last_opened, counted_since) = (counts.last_opened(), counts.counted_since());
            let unused_since = last_opened.max(counted_since);
            let is_unused = unused_since
                .is_some_and(|since| now >= since.saturating_add_seconds(settings.longest_lifetime_seconds()));
            let is_safe_to_remove = match status.state {
                KeyState::Pending | KeyState::Sealing => false,
                KeyState::Opening => counted_since.is_some() && is_unused,
                KeyState::Expired => true,
            };
            Self {
                status,
                opened: counts.opened_count(),
                sealed: counts.sealed_count(),
                refused: counts.refused_counts(),
                last_opened,
                counted_since,
                is_safe_to_remove,
            }
        };
        let counts = ring.slots().iter().map(super::ring::Slot::counts);
        ring.statuses(settings, now).zip(counts).map(report).collect()
    }
}
