use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KeySource, text};
use crate::error::KeySourceError;
use crate::key::KeyRing;

/// What Kubernetes swaps when a mounted secret changes: a symbolic link to the directory that holds all of its files.
const CURRENT_DATA: &str = "..data";

/// Times that a directory is read again when it was swapped meanwhile.
const SWAPS_MAX: usize = 3;

/// A ring in the files of a directory, such as a mounted Kubernetes secret: all files together, in the order of their names,
/// are one ring. Names that begin with a dot are left out.
///
/// Where the mount keeps its files behind `..data`, all of them are read from one state of it.
///
/// ```no_run
/// use sealed_session::key_source::{DirectorySource, KeyWatch};
///
/// let ring = KeyWatch::new(DirectorySource::new("/run/secrets/session-keys")).start()?;
/// # Ok::<(), sealed_session::KeySourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DirectorySource {
    path: PathBuf,
}

impl DirectorySource {
    /// The directory at this path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The directory that holds the files now: where `..data` leads, or the directory itself.
    fn current(&self) -> io::Result<PathBuf> {
        match fs::canonicalize(self.path.join(CURRENT_DATA)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::canonicalize(&self.path),
            other => other,
        }
    }
}

impl KeySource for DirectorySource {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        let place = format!("the key directory {}", self.path.display());
        let failed = |source| KeySourceError::Read { place: place.clone(), source };
        let mut directory = self.current().map_err(failed)?;
        for _ in 0..SWAPS_MAX {
            let read = read_all(&place, &directory);
            // Kubernetes removes the old directory once the new one is linked: what was read of it may be a part.
            let still = self.current().map_err(failed)?;
            if still == directory {
                return text::ring(&place, &read?);
            }
            directory = still;
        }
        Err(failed(io::Error::other("it was replaced again and again while it was read")))
    }
}

fn read_all(place: &str, directory: &Path) -> Result<Zeroizing<Vec<u8>>, KeySourceError> {
    let failed = |source| KeySourceError::Read { place: place.to_owned(), source };
    let entries = fs::read_dir(directory).map_err(failed)?;
    let mut files =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(failed)?;
    files.retain(|path| is_visible(path) && path.is_file());
    files.sort();
    let mut all = Zeroizing::new(Vec::with_capacity(text::RING_TEXT_MAX_BYTES));
    for path in files {
        let bytes = text::read(place, File::open(&path).map_err(failed)?)?;
        // A newline between two files, the last line of which may end without one.
        text::check_length(place, all.len().saturating_add(bytes.len()).saturating_add(1))?;
        all.extend_from_slice(&bytes);
        all.push(b'\n');
    }
    Ok(all)
}

fn is_visible(path: &Path) -> bool {
    path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."))
}
