//! Whether a session that was used and not written lives on.

use super::facts::Purpose;
use crate::clock::Timestamp;
use crate::manager::Renewal;
use crate::wire::header::Header;

impl Renewal {
    /// Whether a session that was used is sealed again. `left_seconds` are left of its `lifetime_seconds`; `is_reseal_due`
    /// where a newer key seals today, or the cookie has another name, or another lifetime than its record says.
    ///
    /// A fetch may have read a session in its cookie before a parallel write, and its answer would put the older data over the
    /// newer. So it renews only what has lived for half of its time.
    pub(super) fn is_due(
        self,
        purpose: Purpose,
        is_in_record: bool,
        is_reseal_due: bool,
        (left_seconds, lifetime_seconds): (u64, u64),
    ) -> bool {
        let below_half = left_seconds < lifetime_seconds / 2;
        let always = is_reseal_due || self == Self::EveryResponse;
        let may = is_reseal_due || self != Self::OnWrite;
        match purpose {
            _ if self == Self::EveryResponse && is_in_record => true,
            Purpose::Navigation => always || (may && below_half),
            Purpose::Fetch => may && below_half,
            Purpose::Part => false,
        }
    }
}

/// The seconds that are left of a cookie, and those that it was given, when today's settings give a session like it so many.
pub(super) fn remaining(header: &Header, todays_lifetime_seconds: u64, now: Timestamp) -> (u64, u64) {
    // A timeout that was shortened since ends the session earlier than the cookie says: wire format, section 4, step 9.
    let lifetime_seconds = header.expires.saturating_seconds_since(header.issued).min(todays_lifetime_seconds);
    (lifetime_seconds.saturating_sub(now.saturating_seconds_since(header.issued)), lifetime_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::wire::header::{Kind, Persistence};

    const PURPOSES: [Purpose; 3] = [Purpose::Navigation, Purpose::Fetch, Purpose::Part];

    /// Of a lifetime of 100 s, so many are left; for a navigation, a fetch, and a part of a page.
    fn due(renewal: Renewal, left_seconds: u64, is_in_record: bool, reseal_due: bool) -> [bool; 3] {
        PURPOSES.map(|purpose| renewal.is_due(purpose, is_in_record, reseal_due, (left_seconds, 100)))
    }

    #[test]
    fn the_shorter_of_the_sealed_lifetime_and_todays_counts() {
        let [created, issued, expires] = [0, 1000, 1100].map(Timestamp::from_unix_seconds);
        let (kind, persistence, id) = (Kind::Inline, Persistence::IdleTimeout, SessionId::from_bytes([0; 16]));
        let header = Header { kind, persistence, id, created, issued, expires };
        for (todays, now, expected) in
            [(100, 1030, (70, 100)), (500, 1030, (70, 100)), (40, 1030, (10, 40)), (40, 1050, (0, 40))]
        {
            assert_eq!(remaining(&header, todays, Timestamp::from_unix_seconds(now)), expected);
        }
    }

    #[test]
    fn half_life_renews_below_half_by_navigations_and_fetches() {
        for is_in_record in [false, true] {
            assert_eq!(due(Renewal::HalfLife, 50, is_in_record, false), [false, false, false]);
            assert_eq!(due(Renewal::HalfLife, 49, is_in_record, false), [true, true, false]);
        }
    }

    #[test]
    fn every_response_renews_a_record_always_and_a_cookie_by_navigations_or_below_half() {
        assert_eq!(due(Renewal::EveryResponse, 100, true, false), [true; 3]);
        assert_eq!(due(Renewal::EveryResponse, 100, false, false), [true, false, false]);
        assert_eq!(due(Renewal::EveryResponse, 49, false, false), [true, true, false]);
    }

    #[test]
    fn on_write_never_renews_what_was_read() {
        for is_in_record in [false, true] {
            assert_eq!(due(Renewal::OnWrite, 1, is_in_record, false), [false; 3]);
        }
    }

    #[test]
    fn a_retiring_key_is_left_by_a_navigation_or_below_half() {
        for renewal in [Renewal::HalfLife, Renewal::EveryResponse, Renewal::OnWrite] {
            assert_eq!(due(renewal, 100, false, true), [true, false, false]);
            assert_eq!(due(renewal, 49, false, true), [true, true, false]);
        }
    }
}
