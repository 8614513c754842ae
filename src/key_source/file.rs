use std::fs::File;
use std::path::PathBuf;

use super::{KeySource, read_ring};
use crate::error::KeySourceError;
use crate::key::KeyRing;

/// A ring in a file, which a symbolic link may lead to.
///
/// Replace the file by renaming another one over it, as `sealed-session keys` does: what is written in place can be read
/// half-written. A half that is a ring is put in force only when it stays one; see [`KeyWatch`](super::KeyWatch).
///
/// ```no_run
/// use sealed_session::SessionManager;
/// use sealed_session::key_source::{FileSource, KeyWatch};
///
/// let ring = KeyWatch::new(FileSource::new("/etc/example-app/session.keys")).start()?;
/// let manager = SessionManager::builder(ring).audience("example-app/prod").build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
}

impl FileSource {
    /// The file at this path.
    ///
    /// ```
    /// use sealed_session::key_source::{FileSource, KeySource};
    ///
    /// let source = FileSource::new("/nowhere/session.keys");
    /// assert!(source.load().unwrap_err().to_string().contains("/nowhere/session.keys"));
    /// ```
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl KeySource for FileSource {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        let place = format!("the key file {}", self.path.display());
        let file = File::open(&self.path).map_err(|source| KeySourceError::Read { place: place.clone(), source })?;
        read_ring::ring(&place, &read_ring::read(&place, file)?)
    }
}
