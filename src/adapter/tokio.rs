//! The timer of the tokio runtime.

use std::time::Duration;

use crate::clock::{Timer, Wait};

/// Waits on tokio's timer: for a store whose requests run on a tokio runtime with its time driver on, which is how
/// `#[tokio::main]` makes one.
///
/// ```
/// use sealed_session::adapter::tokio::TokioTimer;
/// use sealed_session::{SessionManager, Key};
///
/// let manager = SessionManager::builder(Key::generate()?).timer(TokioTimer).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// A wait panics outside of such a runtime, as tokio's own does.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn wait(&self, duration: Duration) -> Wait {
        Box::pin(tokio::time::sleep(duration))
    }
}
