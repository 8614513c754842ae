//! What is rehearsed: one ring that takes the place of another on all servers, and the instants at which that matters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sealed_session::limits::CLOCK_SKEW_SECONDS;
use sealed_session::operator::{KeyState, RotationSettings};
use sealed_session::{KeyRing, Lifetimes, Timestamp};

/// A roll-out of a ring.
#[derive(Debug)]
pub(super) struct Plan {
    /// On every server before it has loaded the planned one.
    pub(super) current: KeyRing,
    pub(super) planned: KeyRing,
    /// When the first server loads the planned ring.
    pub(super) start: Timestamp,
    /// When the last one has.
    pub(super) rolled_out: Timestamp,
    /// The largest difference between the clocks of two servers.
    pub(super) skew_seconds: u64,
    /// Nothing is looked at from then on.
    pub(super) until: Timestamp,
    pub(super) settings: Settings,
}

/// How the application is configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) lifetimes: Lifetimes,
    pub(super) rotation: RotationSettings,
    pub(super) grace: Duration,
    pub(super) idle: Duration,
    pub(super) longest_own: Duration,
}

impl Settings {
    /// The longest time that one cookie lives after its sealing.
    pub(super) fn longest_cookie(&self) -> Duration {
        self.idle.max(self.longest_own)
    }
}

impl Plan {
    /// The ring on a server that has, or has not, loaded the planned one.
    pub(super) const fn ring(&self, has_loaded: bool) -> &KeyRing {
        if has_loaded { &self.planned } else { &self.current }
    }

    /// Seconds that a fast clock is ahead of the true time, and a slow one behind it.
    pub(super) fn clock_offsets_seconds(&self) -> [i64; 2] {
        let behind = self.skew_seconds / 2;
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        [-seconds(behind), seconds(self.skew_seconds - behind)]
    }

    /// By a server's own clock: the first seconds in which it seals under another key than before, or in which what it
    /// seals lies differently in the windows of either ring.
    pub(super) fn sealing_changes(&self) -> BTreeSet<Timestamp> {
        let mut changes = BTreeSet::new();
        for ring in [&self.current, &self.planned] {
            changes.extend(ring.not_before());
            for status in ring.statuses(&self.settings.rotation, self.start) {
                changes.extend(status.seal_from.map(|from| earlier(from, CLOCK_SKEW_SECONDS)));
                changes.extend(status.seal_from);
                let behind = |until: Timestamp| until.saturating_add_seconds(1);
                changes.extend(status.seal_until.map(behind));
                changes.extend(status.seal_until.map(|until| behind(self.window_end(until))));
            }
        }
        changes
    }

    /// By a server's own clock: the first seconds in which it opens less than before.
    pub(super) fn opening_changes(&self) -> BTreeSet<Timestamp> {
        let mut changes = BTreeSet::new();
        for ring in [&self.current, &self.planned] {
            changes.extend(ring.not_before());
            changes.extend(ring.statuses(&self.settings.rotation, self.start).filter_map(|status| status.open_until));
        }
        changes
    }

    /// The last second in which what a key seals is taken.
    pub(super) const fn window_end(&self, seal_until: Timestamp) -> Timestamp {
        seal_until.saturating_add_seconds(self.settings.grace.as_secs())
    }
}

/// The ring that is in force when only the planned one is known: without the keys that are still to come.
pub(super) fn without_pending(
    planned: &KeyRing,
    rotation: &RotationSettings,
    start: Timestamp,
) -> Result<KeyRing, sealed_session::KeyError> {
    let pending: BTreeMap<_, _> = planned
        .statuses(rotation, start)
        .filter(|status| status.state == KeyState::Pending)
        .map(|status| (status.key_id, status.seal_from))
        .collect();
    let stays = planned.entries().filter(|entry| !pending.contains_key(&entry.key_id()));
    KeyRing::from_entries(stays.map(|entry| {
        // `keys add` wrote the end of this key's sealing together with the beginning of the next.
        let ends_with_the_next = pending.values().any(|from| from.is_some() && *from == entry.marks().seal_until);
        let mut marks = *entry.marks();
        if ends_with_the_next {
            marks.seal_until = None;
        }
        entry.clone().with_marks(marks)
    }))
}

/// So many seconds before, 1970 at the earliest.
pub(super) const fn earlier(instant: Timestamp, seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(instant.unix_seconds().saturating_sub(seconds))
}

/// So many seconds later, or before.
pub(super) const fn shifted(instant: Timestamp, seconds: i64) -> Timestamp {
    if seconds < 0 {
        earlier(instant, seconds.unsigned_abs())
    } else {
        instant.saturating_add_seconds(seconds.unsigned_abs())
    }
}
