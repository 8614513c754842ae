use crate::clock::Timestamp;
use crate::wire::header::Header;

/// When a session that was only read lives on for another idle timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// When less than half of the idle timeout is left, by a request that used the session.
    #[default]
    HalfLife,
    /// With every response, whether its request used the session or not.
    EveryResponse,
    /// Never: only a write renews.
    OnWrite,
}

impl Renewal {
    /// Whether a session that was opened and not changed is sealed again.
    ///
    /// A background request (an image, a fetch) renews only what would soon end. It may have read its session before a
    /// parallel login or write, and its answer would put the older cookie over the newer one.
    pub(super) fn is_due(self, header: &Header, reseal_due: bool, is_navigation: bool, now: Timestamp) -> bool {
        let lifetime = header.expires.saturating_seconds_since(header.issued);
        let left = header.expires.saturating_seconds_since(now);
        let below = |part: u64| left < lifetime / part;
        let wanted = reseal_due
            || match self {
                Self::HalfLife => below(2),
                Self::EveryResponse => true,
                Self::OnWrite => false,
            };
        let is_urgent = below(4) && (reseal_due || self != Self::OnWrite);
        is_urgent || (wanted && is_navigation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::wire::header::{Kind, Persistence};

    /// Of a lifetime of 100 s, so many are left.
    fn due(renewal: Renewal, left: u64, reseal_due: bool, is_navigation: bool) -> bool {
        let [created, issued, expires] = [0, 1000, 1100].map(Timestamp::from_unix_seconds);
        let (kind, persistence, id) = (Kind::Inline, Persistence::IdleTimeout, SessionId::from_bytes([0; 16]));
        let header = Header { kind, persistence, id, created, issued, expires };
        renewal.is_due(&header, reseal_due, is_navigation, Timestamp::from_unix_seconds(1100 - left))
    }

    #[test]
    fn half_life_renews_below_half_by_a_navigation() {
        assert!(!due(Renewal::HalfLife, 50, false, true));
        assert!(due(Renewal::HalfLife, 49, false, true));
    }

    #[test]
    fn a_background_request_renews_below_a_quarter_alone() {
        for renewal in [Renewal::HalfLife, Renewal::EveryResponse] {
            assert!(!due(renewal, 25, false, false));
            assert!(due(renewal, 24, false, false));
        }
    }

    #[test]
    fn every_response_renews_whatever_is_left() {
        assert!(due(Renewal::EveryResponse, 100, false, true));
    }

    #[test]
    fn on_write_never_renews_what_was_read() {
        assert!(!due(Renewal::OnWrite, 1, false, true));
        assert!(!due(Renewal::OnWrite, 1, false, false));
    }

    #[test]
    fn a_retiring_key_is_left_by_a_navigation_or_below_a_quarter() {
        for renewal in [Renewal::HalfLife, Renewal::EveryResponse, Renewal::OnWrite] {
            assert!(due(renewal, 100, true, true));
            assert!(!due(renewal, 100, true, false));
            assert!(due(renewal, 24, true, false));
        }
    }
}
