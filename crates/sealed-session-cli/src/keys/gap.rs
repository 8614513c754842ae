//! When nothing would seal.

use sealed_session::operator::RotationSettings;
use sealed_session::{KeyRing, Timestamp};

/// The first second from this one on in which no key of the ring seals.
pub(crate) fn first(ring: &KeyRing, now: Timestamp) -> Option<Timestamp> {
    // Sealing ends behind the last second of a key, and nowhere else.
    let settings = RotationSettings::default();
    let ends = ring.statuses(&settings, now).filter_map(|status| status.seal_until);
    let mut seconds: Vec<_> = ends.map(|end| end.saturating_add_seconds(1)).filter(|second| *second > now).collect();
    seconds.push(now);
    seconds.sort();
    seconds.into_iter().find(|second| ring.sealing_key_id(*second).is_none())
}
