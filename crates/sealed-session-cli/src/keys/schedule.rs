//! What a fleet will do next, and when, if the file stays as it is.

use std::fmt;

use sealed_session::operator::{KeyState, KeyStatus, RotationSettings};
use sealed_session::{KeyId, KeyRing, Timestamp};
use serde_json::{Value, json};

use crate::when;

/// Something that servers do by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The key seals from now on.
    Seals(KeyId),
    /// The key opens what it sealed, until this instant.
    Opens(KeyId, Option<Timestamp>),
    /// The key opens nothing any more.
    Expires(KeyId),
    /// No key seals: servers take no such ring, and none starts with it.
    NothingSeals,
    /// Sessions that began earlier end.
    OlderSessionsEnd,
}

/// The changes behind this instant, in their order.
pub(crate) fn changes(ring: &KeyRing, settings: &RotationSettings, now: Timestamp) -> Vec<Change> {
    let mut instants: Vec<_> = ring.not_before().into_iter().collect();
    for status in ring.statuses(settings, now) {
        let behind_end = status.seal_until.map(|end| end.saturating_add_seconds(1));
        instants.extend([status.seal_from, status.seal_until, behind_end, status.open_until].into_iter().flatten());
    }
    instants.retain(|instant| *instant > now);
    instants.sort();
    instants.dedup();

    let mut changes = Vec::new();
    let mut before: Vec<KeyStatus> = ring.statuses(settings, now).collect();
    let mut sealed_before = ring.sealing_key_id(now).is_some();
    for at in instants {
        let after: Vec<_> = ring.statuses(settings, at).collect();
        let seals = ring.sealing_key_id(at).is_some();
        let changed = before.iter().zip(&after).filter(|(before, after)| before.state != after.state);
        let whats = changed.filter_map(|(_, after)| what(after));
        changes.extend(whats.map(|what| Change { at, what }));
        if sealed_before && !seals {
            changes.push(Change { at, what: What::NothingSeals });
        }
        if ring.not_before() == Some(at) {
            changes.push(Change { at, what: What::OlderSessionsEnd });
        }
        (before, sealed_before) = (after, seals);
    }
    changes
}

/// What is so at this instant already.
pub(crate) fn standing(ring: &KeyRing, settings: &RotationSettings, now: Timestamp) -> Vec<Change> {
    let whats = ring.statuses(settings, now).filter_map(|status| what(&status));
    let mut standing: Vec<_> = whats.map(|what| Change { at: now, what }).collect();
    if ring.sealing_key_id(now).is_none() {
        standing.push(Change { at: now, what: What::NothingSeals });
    }
    standing
}

fn what(status: &KeyStatus) -> Option<What> {
    match status.state {
        KeyState::Sealing => Some(What::Seals(status.key_id)),
        KeyState::Opening => Some(What::Opens(status.key_id, status.open_until)),
        KeyState::Expired => Some(What::Expires(status.key_id)),
        _ => None,
    }
}

impl Change {
    /// A line for people.
    pub(crate) fn line(&self, now: Timestamp) -> String {
        format!("{}  {:<11}  {}", self.at.to_rfc3339(), when::distance(self.at, now), self.what)
    }

    /// An object for scripts.
    pub(crate) fn json(&self) -> Value {
        let at = self.at.to_rfc3339();
        match self.what {
            What::Seals(key_id) => json!({ "at": at, "event": "seals", "key_id": key_id.to_string() }),
            What::Opens(key_id, until) => json!({
                "at": at,
                "event": "opens",
                "key_id": key_id.to_string(),
                "until": until.map(Timestamp::to_rfc3339),
            }),
            What::Expires(key_id) => json!({ "at": at, "event": "expired", "key_id": key_id.to_string() }),
            What::NothingSeals => json!({ "at": at, "event": "nothing_seals" }),
            What::OlderSessionsEnd => json!({ "at": at, "event": "older_sessions_end" }),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seals(key_id) => write!(f, "{key_id} seals"),
            Self::Opens(key_id, Some(until)) => {
                write!(f, "{key_id} seals no more and opens what it sealed until {}", until.to_rfc3339())
            }
            Self::Opens(key_id, None) => write!(f, "{key_id} only opens, without an end"),
            Self::Expires(key_id) => write!(f, "{key_id} has expired and can be removed"),
            Self::NothingSeals => f.write_str("no key seals: servers keep the ring before it, and none starts"),
            Self::OlderSessionsEnd => f.write_str("every session that began earlier ends"),
        }
    }
}
