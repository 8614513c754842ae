//! Where a ring of keys is kept, and how a change of it reaches a process that runs.
//!
//! A ring is read once at start, where a problem is an error, and then by a thread of its own, where a problem is told and
//! the ring before it stays in force: a process that runs never runs without a key.

mod closure;
#[cfg(feature = "config")]
mod configured;
mod directory;
mod environment;
mod file;
mod read_ring;
mod watch;

#[cfg(test)]
#[cfg(unix)]
mod directory_tests;
#[cfg(test)]
mod source_tests;
#[cfg(test)]
mod test_folder;
#[cfg(test)]
mod thread_tests;
#[cfg(test)]
mod watch_tests;

pub use closure::ClosureSource;
pub use directory::DirectorySource;
pub use environment::EnvironmentSource;
pub use file::FileSource;
pub use watch::KeyWatch;

#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub use crate::config::KeyOrigin;
pub use crate::error::KeySourceError;

use crate::key::KeyRing;

/// Where a ring of keys is kept.
///
/// Own sources are made with [`ClosureSource`], or implement this. [`KeyWatch`] turns one into the
/// [`RingHandle`](crate::RingHandle) that a manager is built over.
///
/// ```
/// use sealed_session::key_source::{KeySource, KeySourceError, KeyWatch};
/// use sealed_session::{Key, KeyRing};
///
/// /// One key for all, made when the process starts: its sessions end with it.
/// struct Fleeting(Key);
///
/// impl KeySource for Fleeting {
///     fn load(&self) -> Result<KeyRing, KeySourceError> {
///         Ok(KeyRing::new(self.0.clone()))
///     }
///
///     fn may_change(&self) -> bool {
///         false
///     }
/// }
///
/// let ring = KeyWatch::new(Fleeting(Key::generate()?)).start()?;
/// assert_eq!(ring.current().key_ids().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// Reads the ring as it is now. May wait: it is called at start, and then on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] names the place and the problem, never a key.
    fn load(&self) -> Result<KeyRing, KeySourceError>;

    /// Whether another ring may be there later; `true` unless the source says otherwise. What never changes is not watched.
    fn may_change(&self) -> bool {
        true
    }
}
