//! What work takes: elapsed, and on a processor.

use std::time::{Duration, Instant};

/// What work took, on average over its threads.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// From beginning to end.
    pub elapsed: Duration,
    /// On a processor, where Linux tells it. What other programs do to this machine is not in it.
    pub on_processor: Option<Duration>,
}

/// Runs on this thread until it is asked what that took.
#[derive(Debug)]
pub struct Stopwatch {
    begun: Instant,
    begun_on_processor: Option<Duration>,
}

impl Stopwatch {
    /// Begins.
    #[expect(clippy::disallowed_methods, reason = "this is a stopwatch")]
    #[must_use]
    pub fn start() -> Self {
        Self { begun: Instant::now(), begun_on_processor: on_processor() }
    }

    /// What has been taken since.
    #[must_use]
    pub fn took(&self) -> Took {
        let elapsed = self.begun.elapsed();
        let on_processor = on_processor().zip(self.begun_on_processor).map(|(end, begin)| end.saturating_sub(begin));
        Took { elapsed, on_processor }
    }
}

/// The quarter, the half and three quarters of these numbers; not a number when there are none.
#[must_use]
pub fn quartiles(numbers: impl IntoIterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<_> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted.get(sorted.len() * quarter / 4).copied().unwrap_or(f64::NAN))
}

/// How long this thread has run on a processor, to the nanosecond. (`/proc/thread-self/schedstat` may be some ticks old.)
#[cfg(target_os = "linux")]
fn on_processor() -> Option<Duration> {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().ok()
}

#[cfg(not(target_os = "linux"))]
const fn on_processor() -> Option<Duration> {
    None
}
