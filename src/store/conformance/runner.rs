//! What a rule is told about the engine below the store.

use std::fmt;
use std::pin::Pin;

use crate::limits::RECORD_PAYLOAD_MAX_BYTES;

/// Around the payload stand an envelope, a header and padding.
const CONTRACT_RECORD_BYTES: usize = RECORD_PAYLOAD_MAX_BYTES + 512;

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
    largest_record_bytes: usize,
}

impl<'a> Runner<'a> {
    /// Waits with this function, which is called on many threads at once.
    #[must_use]
    pub fn new(block_on: impl Fn(Work<'_>) + Send + Sync + 'a) -> Self {
        Self { block_on: Box::new(block_on), effort_divisor: 1, largest_record_bytes: CONTRACT_RECORD_BYTES }
    }

    /// Rules that repeat themselves do so by this factor less often, at least once: for the slow stand-in of an engine.
    /// An engine itself is asked for everything, which is the default, `1`.
    #[must_use]
    pub fn effort_divisor(self, effort_divisor: u32) -> Self {
        Self { effort_divisor: effort_divisor.max(1), ..self }
    }

    /// Where the engine cannot hold the contract's mebibyte: the bytes of the largest record that it does hold. The rules
    /// then ask that a record of this size is kept, and that one byte more is refused and changes nothing.
    ///
    /// ```
    /// use sealed_session::store::conformance::Runner;
    ///
    /// // An engine whose items end at 64 KiB, less 100 bytes for the names of their fields.
    /// let runner = Runner::new(|work| pollster::block_on(work)).largest_record_bytes(64 * 1024 - 100);
    /// ```
    #[must_use]
    pub fn largest_record_bytes(self, bytes: usize) -> Self {
        Self { largest_record_bytes: bytes.min(CONTRACT_RECORD_BYTES), ..self }
    }

    /// Waits until the work is done.
    pub fn block_on<'w>(&self, work: impl Future<Output = ()> + Send + 'w) {
        (self.block_on)(Box::pin(work));
    }

    /// How often to do what an engine is asked to do so many times.
    pub(super) fn rounds(&self, full: u32) -> u32 {
        (full / self.effort_divisor).max(1)
    }

    /// The size up to which every record is kept.
    pub(super) fn kept_bytes(&self) -> usize {
        self.largest_record_bytes
    }

    /// Whether the engine was said to hold less than the contract asks for.
    pub(super) fn holds_less(&self) -> bool {
        self.largest_record_bytes < CONTRACT_RECORD_BYTES
    }
}

impl fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("effort_divisor", &self.effort_divisor)
            .field("largest_record_bytes", &self.largest_record_bytes)
            .finish_non_exhaustive()
    }
}
