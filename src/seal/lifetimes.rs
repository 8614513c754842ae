use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{ConfigError, Reason};
use crate::limits;
use crate::wire::header::{Header, Persistence};

/// How long sessions live. The times themselves travel inside the seal; these settings are the reader's and the
/// writer's of today, so a shorter timeout takes effect at once.
///
/// The idle timeout begins again with each write, and with each renewal as [`Renewal`](crate::Renewal) says: by default by a
/// navigation or fetch when less than half of it is left.
///
/// ```
/// use std::time::Duration;
/// use sealed_session::Lifetimes;
///
/// let lifetimes = Lifetimes::default()
///     .idle_timeout(Duration::from_secs(20 * 60))
///     .absolute_timeout(Some(Duration::from_secs(12 * 60 * 60)));
/// # let _ = lifetimes;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    idle_timeout: Duration,
    absolute_timeout: Option<Duration>,
    remember_max: Option<Duration>,
}

impl Default for Lifetimes {
    /// Two hours idle, 30 days absolute.
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(limits::IDLE_TIMEOUT_SECONDS),
            absolute_timeout: Some(Duration::from_secs(limits::ABSOLUTE_TIMEOUT_SECONDS)),
            remember_max: None,
        }
    }
}

impl Lifetimes {
    /// A session ends when it was not written or renewed for so long; whole seconds, two hours by default.
    ///
    /// A use renews it only when less than half of this time is left, by the default [`Renewal`](crate::Renewal), so a session ends
    /// between half of this time and the whole of it after its last use by a navigation or a fetch.
    #[must_use]
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// A session ends so long after it began, however often it is used; whole seconds, 30 days by default.
    #[must_use]
    pub const fn absolute_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.absolute_timeout = timeout;
        self
    }

    /// The longest lifetime of its own that a session may ask for; whole seconds, the absolute timeout by default, and no
    /// longer than that. To be given where there is no absolute timeout.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Lifetimes};
    ///
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// let lifetimes = Lifetimes::default().absolute_timeout(Some(30 * day)).remember_max(90 * day);
    /// let error = Sealer::builder(Key::generate()?).lifetimes(lifetimes).build().unwrap_err();
    /// assert_eq!(error.setting(), "remember_max");
    ///
    /// let lifetimes = lifetimes.absolute_timeout(Some(90 * day));
    /// assert!(Sealer::builder(Key::generate()?).lifetimes(lifetimes).build().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn remember_max(mut self, longest: Duration) -> Self {
        self.remember_max = Some(longest);
        self
    }

    pub(crate) fn check(&self) -> Result<CheckedLifetimes, ConfigError> {
        let remember_max = self.remember_max.or(self.absolute_timeout).ok_or_else(|| {
            ConfigError::new(
                "remember_max",
                "without an absolute timeout there is no default; give the longest lifetime",
            )
        })?;
        let checked = CheckedLifetimes {
            idle_timeout_seconds: whole_seconds("idle_timeout", self.idle_timeout)?,
            absolute_timeout_seconds: self
                .absolute_timeout
                .map(|timeout| whole_seconds("absolute_timeout", timeout))
                .transpose()?,
            remember_max_seconds: whole_seconds("remember_max", remember_max)?,
        };
        // A session would be promised a lifetime that the absolute timeout then cuts short.
        if checked.absolute_timeout_seconds.is_some_and(|absolute| checked.remember_max_seconds > absolute) {
            return Err(ConfigError::new(
                "remember_max",
                "longer than `absolute_timeout`, which would end a remembered session before; lower `remember_max`, or raise \
                 `absolute_timeout` to it",
            ));
        }
        Ok(checked)
    }
}

fn whole_seconds(setting: &'static str, duration: Duration) -> Result<u64, ConfigError> {
    if duration.as_secs() == 0 || duration.subsec_nanos() != 0 {
        return Err(ConfigError::new(setting, "give whole seconds, one at least"));
    }
    if duration.as_secs() > Timestamp::MAX.unix_seconds() {
        return Err(ConfigError::new(setting, "longer than the format's times reach; give fewer than 2^40 seconds"));
    }
    Ok(duration.as_secs())
}

/// Lifetimes that can work. All of it in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CheckedLifetimes {
    pub(crate) idle_timeout_seconds: u64,
    pub(crate) absolute_timeout_seconds: Option<u64>,
    pub(crate) remember_max_seconds: u64,
}

impl CheckedLifetimes {
    /// The end of the absolute lifetime of a session, if it has one.
    pub(crate) fn absolute_end(&self, created: Timestamp) -> Option<Timestamp> {
        self.absolute_timeout_seconds.map(|seconds| created.saturating_add_seconds(seconds))
    }

    /// The longest time that a cookie can be valid after its sealing.
    ///
    /// Wire format, section 7, where there is an absolute timeout. Without one nothing else bounds a session, so that what
    /// counts is how long each of its cookies lives.
    pub(crate) fn longest_seconds(&self) -> u64 {
        self.remember_max_seconds.max(self.absolute_timeout_seconds.unwrap_or(self.idle_timeout_seconds))
    }

    /// When a session that was sealed so ends if it is not used again.
    pub(crate) fn end(&self, header: &Header) -> Timestamp {
        let idle_end =
            header.expires.min(header.issued.saturating_add_seconds(self.longest_idle_seconds(header.persistence)));
        self.absolute_end(header.created).map_or(idle_end, |end| end.min(idle_end))
    }

    const fn longest_idle_seconds(&self, persistence: Persistence) -> u64 {
        match persistence {
            Persistence::OwnLifetime => self.remember_max_seconds,
            Persistence::IdleTimeout | Persistence::BrowserSession => self.idle_timeout_seconds,
        }
    }

    /// Wire format, section 4, step 9, in its order.
    // Security: the reader's settings of today decide beside the sealed times, and no time comes from the client
    // (CVE-2024-31999, CVE-2024-35220).
    pub(crate) fn check_times(&self, header: &Header, now: Timestamp) -> Result<(), Reason> {
        let longest_idle_seconds = self.longest_idle_seconds(header.persistence);
        if header.created > header.issued || header.issued > header.expires {
            return Err(Reason::Malformed);
        }
        if header.issued > now.saturating_add_seconds(limits::CLOCK_SKEW_SECONDS) {
            return Err(Reason::NotYetValid);
        }
        if now >= header.expires || now >= header.issued.saturating_add_seconds(longest_idle_seconds) {
            return Err(Reason::ExpiredIdle);
        }
        if self.absolute_end(header.created).is_some_and(|end| now >= end) {
            return Err(Reason::ExpiredAbsolute);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::wire::header::Kind;

    const LIFETIMES: CheckedLifetimes =
        CheckedLifetimes { idle_timeout_seconds: 100, absolute_timeout_seconds: Some(1000), remember_max_seconds: 500 };

    fn outcome(persistence: Persistence, [created, issued, expires]: [u64; 3], now: u64) -> Result<(), Reason> {
        let [created, issued, expires] = [created, issued, expires].map(Timestamp::from_unix_seconds);
        let id = SessionId::from_bytes([0; 16]);
        let header = Header { kind: Kind::Inline, persistence, id, created, issued, expires };
        LIFETIMES.check_times(&header, Timestamp::from_unix_seconds(now))
    }

    #[test]
    fn the_second_of_expiry_is_expired_and_the_one_before_is_not() {
        let times = [10_000, 10_000, 10_050];
        assert_eq!(outcome(Persistence::IdleTimeout, times, 10_049), Ok(()));
        assert_eq!(outcome(Persistence::IdleTimeout, times, 10_050), Err(Reason::ExpiredIdle));
    }

    #[test]
    fn a_timeout_that_was_shortened_holds_for_older_cookies() {
        let times = [10_000, 10_000, 10_400];
        for persistence in [Persistence::IdleTimeout, Persistence::BrowserSession] {
            assert_eq!(outcome(persistence, times, 10_099), Ok(()));
            assert_eq!(outcome(persistence, times, 10_100), Err(Reason::ExpiredIdle));
        }
        assert_eq!(outcome(Persistence::OwnLifetime, times, 10_399), Ok(()));
        assert_eq!(outcome(Persistence::OwnLifetime, [10_000, 10_000, 11_000], 10_500), Err(Reason::ExpiredIdle));
    }

    #[test]
    fn the_absolute_timeout_ends_what_is_used_all_the_time() {
        assert_eq!(outcome(Persistence::IdleTimeout, [10_000, 10_990, 11_090], 10_999), Ok(()));
        assert_eq!(outcome(Persistence::IdleTimeout, [10_000, 10_990, 11_090], 11_000), Err(Reason::ExpiredAbsolute));
    }

    #[test]
    fn a_clock_may_be_ahead_by_the_skew_and_no_further() {
        assert_eq!(outcome(Persistence::IdleTimeout, [10_060, 10_060, 10_160], 10_000), Ok(()));
        assert_eq!(outcome(Persistence::IdleTimeout, [10_061, 10_061, 10_161], 10_000), Err(Reason::NotYetValid));
    }

    #[test]
    fn times_out_of_order_are_malformed() {
        assert_eq!(outcome(Persistence::IdleTimeout, [10_001, 10_000, 10_050], 10_001), Err(Reason::Malformed));
        assert_eq!(outcome(Persistence::IdleTimeout, [10_000, 10_060, 10_050], 10_001), Err(Reason::Malformed));
    }

    #[test]
    fn a_lifetime_of_no_second_or_of_half_a_second_is_refused() {
        for timeout in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(1 << 40)] {
            assert_eq!(Lifetimes::default().idle_timeout(timeout).check().unwrap_err().setting(), "idle_timeout");
        }
    }

    #[test]
    fn a_cookie_lives_for_the_longest_of_what_bounds_it() {
        let longest = |absolute_timeout_seconds, remember_max_seconds| {
            let idle_timeout_seconds = 100;
            CheckedLifetimes { idle_timeout_seconds, absolute_timeout_seconds, remember_max_seconds }.longest_seconds()
        };
        assert_eq!(longest(Some(1000), 500), 1000);
        assert_eq!(longest(None, 500), 500);
        assert_eq!(longest(None, 50), 100);
    }

    #[test]
    fn without_an_absolute_timeout_the_longest_own_lifetime_is_to_be_given() {
        let none = Lifetimes::default().absolute_timeout(None);
        assert_eq!(none.check().unwrap_err().setting(), "remember_max");
        assert_eq!(none.remember_max(Duration::from_secs(5)).check().unwrap().remember_max_seconds, 5);
        assert_eq!(Lifetimes::default().check().unwrap().remember_max_seconds, limits::ABSOLUTE_TIMEOUT_SECONDS);
    }

    #[test]
    fn no_session_may_ask_for_longer_than_the_absolute_timeout() {
        let absolute = |seconds| Lifetimes::default().absolute_timeout(Some(Duration::from_secs(seconds)));
        let error = absolute(100).remember_max(Duration::from_secs(101)).check().unwrap_err();
        assert_eq!(error.setting(), "remember_max");
        assert!(error.to_string().contains("`absolute_timeout`"), "{error}");
        for longest in [1, 99, 100] {
            let checked = absolute(100).remember_max(Duration::from_secs(longest)).check().unwrap();
            assert_eq!(checked.remember_max_seconds, longest);
        }
    }
}
