//! The demo's keys: from the environment, from a file, or made on the first start.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use sealed_session::{Key, KeyError, KeyRing};

/// Why there is no ring.
#[derive(Debug)]
pub enum KeysError {
    /// The keys are refused.
    Key(KeyError),
    /// The key file can be neither read nor made.
    File(io::Error),
}

impl std::fmt::Display for KeysError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(source) => source.fmt(f),
            Self::File(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for KeysError {}

impl From<KeyError> for KeysError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<io::Error> for KeysError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// The ring of a key file, which is made when there is none, so that sessions survive a restart.
///
/// # Errors
///
/// [`KeysError`] when the file cannot be read or made, or its keys are refused.
pub fn from_file(path: &Path) -> Result<KeyRing, KeysError> {
    match create_private(path) {
        Ok(mut file) => {
            let key = Key::generate()?;
            writeln!(file, "# Keys of the demo's sessions. Whoever has them can forge every session.")?;
            writeln!(file, "{}", *key.to_secret_text())?;
            file.sync_all()?;
            Ok(KeyRing::new(key))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok(KeyRing::from_text(&std::fs::read_to_string(path)?)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// A new file that only its owner can read, from its first moment on.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
