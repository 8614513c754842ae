use std::error::Error;
use std::fmt;
use std::io;

use super::KeyError;

/// Why a ring could not be read from where it is kept. Names the place, never what stands there.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeySourceError {
    /// An environment variable is not set, or empty.
    NotSet {
        /// The variable.
        variable: String,
    },
    /// A file or directory cannot be read.
    Read {
        /// The file or directory.
        place: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// What stands there is not UTF-8 text.
    NotText {
        /// The variable or file.
        place: String,
    },
    /// A file is larger than any ring of keys.
    TooLarge {
        /// The file or directory.
        place: String,
        /// Most bytes that are read.
        most_bytes: usize,
    },
    /// The text is no ring, or the ring cannot be put in force now.
    Ring {
        /// The variable, file or directory.
        place: String,
        /// Why.
        source: KeyError,
    },
    /// The application's own source failed.
    Other {
        /// How the application names it.
        place: String,
        /// What it says. Shown in logs: it is to hold no secret.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No thread could be started to watch the source.
    Thread(io::Error),
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet { variable } => write!(
                f,
                "the environment variable {variable} is not set; set it to a key, made with `sealed-session keygen`"
            ),
            Self::Read { place, source } => write!(f, "{place} cannot be read: {source}"),
            Self::NotText { place } => write!(f, "{place} is not UTF-8 text; is it a ring of keys?"),
            Self::TooLarge { place, most_bytes } => {
                write!(f, "{place} has more than {most_bytes} bytes; is it a ring of keys?")
            }
            Self::Ring { place, source } => write!(f, "{place}: {source}"),
            Self::Other { place, source } => write!(f, "{place}: {source}"),
            Self::Thread(source) => write!(f, "no thread could be started to watch the keys: {source}"),
        }
    }
}

impl Error for KeySourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Thread(source) => Some(source),
            Self::Ring { source, .. } => Some(source),
            Self::Other { source, .. } => Some(&**source),
            Self::NotSet { .. } | Self::NotText { .. } | Self::TooLarge { .. } => None,
        }
    }
}
