use crate::clock::Timestamp;
use crate::wire::header::Header;

/// When a session that was only read lives on for another idle timeout.
///
/// ```
/// use sealed_session::{SessionManager, Key, Renewal};
///
/// let store = SessionManager::builder(Key::generate()?).renewal(Renewal::OnWrite).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    pub(super) fn is_due(self, remaining: Remaining, reseal_due: bool, is_navigation: bool) -> bool {
        let below = |part: u64| remaining.left_seconds < remaining.lifetime_seconds / part;
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

/// What is left of an idle lifetime.
#[derive(Clone, Copy)]
pub(super) struct Remaining {
    lifetime_seconds: u64,
    left_seconds: u64,
}

impl Remaining {
    /// Of a cookie, when today's settings give a session like it so many seconds.
    pub(super) fn of(header: &Header, todays_lifetime_seconds: u64, now: Timestamp) -> Self {
        // A timeout that was shortened since ends the session earlier than the cookie says: wire format, section 4, step 9.
        let lifetime_seconds = header.expires.saturating_seconds_since(header.issued).min(todays_lifetime_seconds);
        let left_seconds = lifetime_seconds.saturating_sub(now.saturating_seconds_since(header.issued));
        Self { lifetime_seconds, left_seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::wire::header::{Kind, Persistence};

    /// Of a lifetime of 100 s, so many are left.
    fn due(renewal: Renewal, left_seconds: u64, reseal_due: bool, is_navigation: bool) -> bool {
        renewal.is_due(Remaining { lifetime_seconds: 100, left_seconds }, reseal_due, is_navigation)
    }

    #[test]
    fn the_shorter_of_the_sealed_lifetime_and_todays_counts() {
        let [created, issued, expires] = [0, 1000, 1100].map(Timestamp::from_unix_seconds);
        let (kind, persistence, id) = (Kind::Inline, Persistence::IdleTimeout, SessionId::from_bytes([0; 16]));
        let header = Header { kind, persistence, id, created, issued, expires };
        for (todays, now, expected) in
            [(100, 1030, (100, 70)), (500, 1030, (100, 70)), (40, 1030, (40, 10)), (40, 1050, (40, 0))]
        {
            let remaining = Remaining::of(&header, todays, Timestamp::from_unix_seconds(now));
            assert_eq!((remaining.lifetime_seconds, remaining.left_seconds), expected);
        }
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
