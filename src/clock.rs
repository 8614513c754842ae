//! The time: traits that tests replace, and the timestamp that travels inside the seal.
//!
//! Nothing else in the crate reads a clock. What decides about time takes it as an argument.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant in whole seconds since 1970-01-01T00:00:00Z.
///
/// 40 bits wide, as in the wire format: it ends in the year 36812.
///
/// ```
/// use sealed_session::Timestamp;
///
/// let issued = Timestamp::from_unix_seconds(1_795_000_600);
/// assert_eq!(issued.saturating_add_seconds(60).unix_seconds(), 1_795_000_660);
/// assert_eq!(issued.to_date_time().to_string(), "2026-11-18 11:16:40.0 +00:00:00");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest instant that 40 bits hold.
    pub const MAX: Self = Self((1 << 40) - 1);

    /// The instant so many whole seconds after 1970; later ones than [`Timestamp::MAX`] become it.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        if seconds > Self::MAX.0 { Self::MAX } else { Self(seconds) }
    }

    /// The second that contains this millisecond since 1970.
    #[must_use]
    pub const fn from_unix_milliseconds(milliseconds: u64) -> Self {
        Self::from_unix_seconds(milliseconds / 1000)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }

    /// So many seconds later, [`Timestamp::MAX`] at most.
    #[must_use]
    pub const fn saturating_add_seconds(self, seconds: u64) -> Self {
        Self::from_unix_seconds(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this instant, `0` when `earlier` is not earlier.
    #[must_use]
    pub const fn saturating_seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same instant as a date, the end of the year 9999 at most.
    #[must_use]
    pub fn to_date_time(self) -> OffsetDateTime {
        i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(time::PrimitiveDateTime::MAX.assume_utc())
    }

    /// An instant in RFC 3339, of whole seconds from 1970 on; `None` for anything else.
    ///
    /// An offset other than `Z` names the same instant and is taken.
    ///
    /// ```
    /// use sealed_session::Timestamp;
    ///
    /// let instant = Timestamp::from_unix_seconds(1_795_000_600);
    /// assert_eq!(Timestamp::from_rfc3339("2026-11-18T11:16:40Z"), Some(instant));
    /// assert_eq!(Timestamp::from_rfc3339("2026-11-18T12:16:40+01:00"), Some(instant));
    /// assert_eq!(Timestamp::from_rfc3339("2026-11-18"), None);
    /// ```
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let date_time = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|date_time| date_time.nanosecond() == 0)?;
        u64::try_from(date_time.unix_timestamp()).ok().map(Self::from_unix_seconds)
    }

    /// The instant in RFC 3339, UTC, the end of the year 9999 at most.
    ///
    /// ```
    /// use sealed_session::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_unix_seconds(1_795_000_600).to_rfc3339(), "2026-11-18T11:16:40Z");
    /// ```
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let date_time = self.to_date_time().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        // Years beyond 9999 are the only ones that have no such form.
        date_time.format(&Rfc3339).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    /// Whole seconds since 1970.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where the time comes from.
///
/// ```
/// use sealed_session::testing::ManualClock;
/// use sealed_session::Clock;
///
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// clock.advance_seconds(90);
/// assert_eq!(clock.now().unix_seconds(), 1_795_000_090);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn unix_milliseconds(&self) -> u64;

    /// The second that has begun.
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_milliseconds(self.unix_milliseconds())
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn unix_milliseconds(&self) -> u64 {
        (**self).unix_milliseconds()
    }
}

/// The operating system's clock.
///
/// ```
/// use sealed_session::{Clock, SystemClock};
///
/// assert!(SystemClock.now().unix_seconds() > 1_700_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the room where the time is read")]
    fn unix_milliseconds(&self) -> u64 {
        // A clock set before 1970 reads as 1970: every session is then not yet valid, which is safe.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until it is set, for tests. Clones show the same time.
///
/// ```
/// use sealed_session::testing::ManualClock;
/// use sealed_session::Clock;
///
/// let clock = ManualClock::at_unix_seconds(10);
/// let same = clock.clone();
/// clock.advance_seconds(5);
/// assert_eq!(same.now().unix_seconds(), 15);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows this instant.
    #[must_use]
    pub fn at_unix_seconds(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds.saturating_mul(1000))))
    }

    /// Sets the clock, backwards too.
    pub fn set_unix_seconds(&self, seconds: u64) {
        self.0.store(seconds.saturating_mul(1000), Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance_seconds(&self, seconds: u64) {
        self.0.fetch_add(seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_milliseconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a timer's wait returns: a boxed future, so that the trait can be used as `dyn Timer`.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits, for time limits and pauses. The core names no runtime, so the application hands it the timer of its own.
///
/// `adapter::tokio::TokioTimer` is one (feature `tokio`). Another runtime's takes a few lines:
///
/// ```
/// use std::time::Duration;
/// use sealed_session::{Timer, Wait};
///
/// struct ThreadTimer;
///
/// impl Timer for ThreadTimer {
///     fn wait(&self, duration: Duration) -> Wait {
///         let (done, waiting) = async_channel();
///         std::thread::spawn(move || {
///             std::thread::sleep(duration);
///             done();
///         });
///         Box::pin(waiting)
///     }
/// }
/// # fn async_channel() -> (impl FnOnce() + Send + 'static, impl Future<Output = ()> + Send + 'static) {
/// #     let (sender, receiver) = std::sync::mpsc::channel::<()>();
/// #     (move || drop(sender), async move { let _ = receiver.recv(); })
/// # }
/// # pollster::block_on(ThreadTimer.wait(Duration::from_millis(1)));
/// ```
pub trait Timer: Send + Sync + 'static {
    /// Ends after so long.
    fn wait(&self, duration: Duration) -> Wait;
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn wait(&self, duration: Duration) -> Wait {
        (**self).wait(duration)
    }
}

/// The result of a future, or `None` when the wait is over before.
pub(crate) async fn within<T>(future: impl Future<Output = T>, wait: Wait) -> Option<T> {
    let (mut future, mut wait) = (pin!(future), wait);
    poll_fn(|context| {
        // The future first: an answer that is there counts, however late it was asked for.
        if let Poll::Ready(result) = future.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        wait.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_never_leaves_40_bits() {
        assert_eq!(Timestamp::from_unix_seconds(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.saturating_add_seconds(1), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.unix_seconds(), 0xff_ffff_ffff);
    }

    #[test]
    fn an_instant_is_read_and_written_in_rfc_3339() {
        for seconds in [0, 1_795_000_600, 253_402_300_799] {
            let instant = Timestamp::from_unix_seconds(seconds);
            assert_eq!(Timestamp::from_rfc3339(&instant.to_rfc3339()), Some(instant));
        }
        assert_eq!(Timestamp::MAX.to_rfc3339(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn no_part_of_a_second_and_nothing_before_1970_is_read() {
        for text in ["2026-11-18T11:16:40.5Z", "1969-12-31T23:59:59Z", "2026-11-18T11:16:40", "2026-11-18 ", ""] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_beyond_9999_is_the_last_one_that_can_be_shown() {
        assert_eq!(Timestamp::MAX.to_date_time().year(), 9999);
    }
}

#[cfg(test)]
mod timer_tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn an_answer_that_is_there_counts_although_the_wait_is_over() {
        assert_eq!(pollster::block_on(within(ready(1), Box::pin(ready(())))), Some(1));
    }

    #[test]
    fn without_an_answer_the_wait_ends_it() {
        assert_eq!(pollster::block_on(within(pending::<()>(), Box::pin(ready(())))), None);
    }

    #[test]
    fn without_an_end_of_the_wait_the_answer_is_waited_for() {
        let mut polls = 0;
        let later = poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
        });
        assert_eq!(pollster::block_on(within(later, Box::pin(pending()))), Some(3));
    }
}
