//! A key file: read whole, and locked while it is edited.

use std::fmt;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::str;

use sealed_session::operator::RingText;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input;
use crate::sealer::{KEY_FILE_MAX_BYTES, looks_like_a_key};

/// Times that a file may be replaced between finding and locking it.
const REPLACED_MAX: usize = 8;

/// A key file as it was read.
pub(crate) struct KeyFile {
    /// What a symbolic link leads to, so that an edit keeps the link.
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) metadata: Metadata,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl KeyFile {
    /// Reads a file, to look at it.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        check_name(path)?;
        Self::open(path).map_err(|error| unusable(path, &error))?.filled(path)
    }

    /// Reads a file, and keeps other edits out for as long as this value lives.
    pub(crate) fn locked(path: &Path) -> Result<Self, Failure> {
        check_name(path)?;
        for _ in 0..REPLACED_MAX {
            let found = Self::open(path).map_err(|error| unusable(path, &error))?;
            match found.file.try_lock() {
                Ok(()) => {}
                // The file is compared before it is replaced in any case.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(not_edited(path, &error)),
                Err(TryLockError::WouldBlock) => {
                    return Err(not_edited(path, &"another command edits it now; try again"));
                }
            }
            // Another edit may have put its file here between the two steps; this one is then locked in vain.
            if found.is_in_place().map_err(|error| unusable(path, &error))? {
                return found.filled(path);
            }
        }
        Err(not_edited(path, &"it is replaced again and again"))
    }

    fn open(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                io::Error::other(format!("{error}; `sealed-session keys add FILE --create` makes one"))
            }
            _ => error,
        })?;
        // Before it is opened: a pipe that nobody writes to would keep the command waiting.
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        Ok(Self { path, file, metadata, bytes: Zeroizing::default() })
    }

    fn filled(mut self, path: &Path) -> Result<Self, Failure> {
        self.bytes = read(&self.file).map_err(|error| unusable(path, &error))?;
        Ok(self)
    }

    /// The ring's text.
    // Security: an error names the file, the line and the rule, and shows nothing of the content.
    pub(crate) fn text(&self) -> Result<RingText, Failure> {
        let text = str::from_utf8(&self.bytes)
            .map_err(|_| unusable(&self.path, &"it is not UTF-8 text; is it a key file?"))?;
        RingText::parse(text).map_err(|error| unusable(&self.path, &error))
    }

    /// Whether the path still leads to this very file.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        let there = fs::metadata(&self.path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Ok((there.dev(), there.ino()) == (self.metadata.dev(), self.metadata.ino()))
        }
        #[cfg(not(unix))]
        Ok(there.len() == self.metadata.len() && there.modified()? == self.metadata.modified()?)
    }

    /// Whether the path leads to the file and the content that were read.
    pub(super) fn is_unchanged(&self) -> io::Result<bool> {
        let is_in_place = self.is_in_place()?;
        // Where the lock is more than advice, nobody can have written, and a second look at the content is refused.
        if !is_in_place || cfg!(not(unix)) {
            return Ok(is_in_place);
        }
        Ok(*read(&File::open(&self.path)?)? == *self.bytes)
    }

    /// The file's mode where others than its owner have a right to it.
    pub(crate) fn loose_mode(&self) -> Option<u32> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            Some(self.metadata.permissions().mode() & 0o7777).filter(|mode| mode & 0o077 != 0)
        }
        #[cfg(not(unix))]
        None
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Security: without what stands in it.
        f.debug_struct("KeyFile").field("path", &self.path).finish_non_exhaustive()
    }
}

fn read(file: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    input::read(file, KEY_FILE_MAX_BYTES)?
        .ok_or_else(|| io::Error::other(format!("it has more than {KEY_FILE_MAX_BYTES} bytes; is it a key file?")))
}

// Security: whoever gives the key in place of its file must not find it in a log.
pub(super) fn check_name(path: &Path) -> Result<(), Failure> {
    if looks_like_a_key(path) {
        return Err(Failure::Usage("FILE is the name of a file, not a key; put the key into a file".to_owned()));
    }
    Ok(())
}

fn unusable(path: &Path, problem: &dyn fmt::Display) -> Failure {
    Failure::Usage(format!("the key file {path:?}: {problem}"))
}

pub(super) fn not_edited(path: &Path, problem: &dyn fmt::Display) -> Failure {
    Failure::NotDone(format!("the key file {path:?} stays as it was: {problem}"))
}
