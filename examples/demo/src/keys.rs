//! The demo's keys: from the environment, from a directory, or from a file that is made on the first start.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use sealed_session::key_source::{DirectorySource, EnvironmentSource, FileSource, KeyWatch};
use sealed_session::{Key, KeyError};

/// Why the first key file could not be made.
#[derive(Debug)]
pub enum KeysError {
    /// There is no new key.
    Key(KeyError),
    /// The key file cannot be made.
    File(io::Error),
}

impl std::fmt::Display for KeysError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(source) => source.fmt(f),
            Self::File(source) => write!(f, "the key file cannot be made: {source}"),
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

/// A watch over `SESSION_KEYS`, which does not change while the demo runs.
pub fn in_environment() -> KeyWatch {
    KeyWatch::new(EnvironmentSource::default())
}

/// A watch over the files of a directory, or over a key file, which is made when there is none, so that sessions survive a
/// restart.
///
/// # Errors
///
/// [`KeysError`] when the file is not there and cannot be made.
pub fn at(path: &Path) -> Result<KeyWatch, KeysError> {
    if path.is_dir() {
        return Ok(KeyWatch::new(DirectorySource::new(path)));
    }
    make_unless_there(path)?;
    Ok(KeyWatch::new(FileSource::new(path)))
}

fn make_unless_there(path: &Path) -> Result<(), KeysError> {
    match create_private(path) {
        Ok(mut file) => {
            writeln!(file, "# Keys of the demo's sessions. Whoever has them can forge every session.")?;
            writeln!(file, "{}", *Key::generate()?.to_secret_text())?;
            Ok(file.sync_all()?)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
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
