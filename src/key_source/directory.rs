use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KeySource, read_ring};
use crate::error::{KeyError, KeySourceError};
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
/// # Ok::<(), sealed_session::key_source::KeySourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DirectorySource {
    path: PathBuf,
}

impl DirectorySource {
    /// The directory at this path.
    ///
    /// ```
    /// use sealed_session::key_source::{DirectorySource, KeySource};
    ///
    /// let source = DirectorySource::new("/nowhere/session-keys");
    /// assert!(source.load().unwrap_err().to_string().contains("/nowhere/session-keys"));
    /// ```
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Reads all files in one state of the directory.
    pub(super) fn load_by(
        &self,
        read: impl Fn(&Path) -> Result<Files, KeySourceError>,
    ) -> Result<KeyRing, KeySourceError> {
        let failed = |source| KeySourceError::Read { place: place(&self.path), source };
        let mut directory = self.current().map_err(failed)?;
        for _ in 0..SWAPS_MAX {
            let files = read(&directory);
            // Kubernetes removes the old directory once the new one is linked: what was read of it may be a part.
            let still = self.current().map_err(failed)?;
            if still == directory {
                return files?.ring(&self.path);
            }
            directory = still;
        }
        Err(failed(io::Error::other("it was replaced again and again while it was read")))
    }

    /// The directory that holds the files now: where `..data` leads, or the directory itself.
    fn current(&self) -> io::Result<PathBuf> {
        let data = self.path.join(CURRENT_DATA);
        match fs::symlink_metadata(&data) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::canonicalize(&self.path),
            // Where there is a link, what stands around it is not the secret, wherever it leads.
            _ => fs::canonicalize(data),
        }
    }
}

impl KeySource for DirectorySource {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        self.load_by(read_all)
    }
}

/// The files of a directory, as one text.
pub(super) struct Files {
    text: Zeroizing<Vec<u8>>,
    /// Each file, and how many lines stand before it.
    starts: Vec<(PathBuf, usize)>,
}

/// Reads all files, in the order of their names.
pub(super) fn read_all(directory: &Path) -> Result<Files, KeySourceError> {
    let failed = |path: &Path| {
        let place = place(path);
        move |source| KeySourceError::Read { place, source }
    };
    let entries = fs::read_dir(directory).map_err(failed(directory))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let mut paths = paths.map_err(failed(directory))?;
    paths.retain(|path| is_visible(path));
    paths.sort();
    let (mut text, mut starts) = (Zeroizing::new(Vec::with_capacity(read_ring::RING_TEXT_MAX_BYTES)), Vec::new());
    let mut lines = 0_usize;
    for path in paths {
        // Security: what cannot be looked at is no file that is not there, or the ring would lose its keys without a word.
        if !fs::metadata(&path).map_err(failed(&path))?.is_file() {
            continue;
        }
        let bytes = read_ring::read(&place(&path), File::open(&path).map_err(failed(&path))?)?;
        read_ring::check_text(&place(&path), &bytes)?;
        // A newline between two files, the last line of which may end without one.
        read_ring::check_length(&place(directory), text.len().saturating_add(bytes.len()).saturating_add(1))?;
        text.extend_from_slice(&bytes);
        text.push(b'\n');
        starts.push((path, lines));
        lines = lines.saturating_add(bytes.iter().filter(|byte| **byte == b'\n').count()).saturating_add(1);
    }
    Ok(Files { text, starts })
}

impl Files {
    fn ring(&self, directory: &Path) -> Result<KeyRing, KeySourceError> {
        read_ring::ring(&place(directory), &self.text).map_err(|error| match error {
            KeySourceError::Ring { place, source } => self.located(place, source),
            other => other,
        })
    }

    /// The same error by its file, and the line of it.
    fn located(&self, whole: String, mut source: KeyError) -> KeySourceError {
        let (KeyError::RingSyntax { line, .. } | KeyError::RingEntry { line, .. }) = &mut source else {
            return KeySourceError::Ring { place: whole, source };
        };
        let start = self.starts.iter().rev().find(|(_, before)| *before < *line);
        let (file, before) = start.map_or((whole, 0), |(path, before)| (place(path), *before));
        *line = line.saturating_sub(before);
        KeySourceError::Ring { place: file, source }
    }
}

fn place(path: &Path) -> String {
    format!("the key file or directory {}", path.display())
}

fn is_visible(path: &Path) -> bool {
    path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."))
}
