//! What a rule is told about the engine below the store.

use std::fmt;
use std::pin::Pin;

/// Calls on a store, to be waited for.
pub type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// How a rule waits for the store, and how much it may ask of the engine.
///
/// ```
/// use sealed_session::store::conformance::Runner;
///
/// // A driver that needs a runtime: `Runner::new(|work| runtime.block_on(work))`.
/// let runner = Runner::new(|work| pollster::block_on(work)).effort_divisor(20);
/// runner.block_on(async { assert_eq!(1 + 1, 2) });
/// ```
pub struct Runner<'a> {
    block_on: Box<dyn Fn(Work<'_>) + Send + Sync + 'a>,
    effort_divisor: u32,
}

impl<'a> Runner<'a> {
    /// Waits with this function, which is called on many threads at once.
    #[must_use]
    pub fn new(block_on: impl Fn(Work<'_>) + Send + Sync + 'a) -> Self {
        Self { block_on: Box::new(block_on), effort_divisor: 1 }
    }

    /// Rules that repeat themselves do so by this factor less often, at least once: for the slow stand-in of an engine.
    /// An engine itself is asked for everything, which is the default, `1`.
    #[must_use]
    pub fn effort_divisor(self, effort_divisor: u32) -> Self {
        Self { effort_divisor: effort_divisor.max(1), ..self }
    }

    /// Waits until the work is done.
    pub fn block_on<'w>(&self, work: impl Future<Output = ()> + Send + 'w) {
        (self.block_on)(Box::pin(work));
    }

    /// How often to do what an engine is asked to do so many times.
    pub(super) fn rounds(&self, full: u32) -> u32 {
        (full / self.effort_divisor).max(1)
    }
}

impl fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("effort_divisor", &self.effort_divisor).finish_non_exhaustive()
    }
}
