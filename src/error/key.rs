use std::error::Error;
use std::{fmt, io};

use super::RandomError;

/// Why a key or a ring of keys is refused. Names the rule, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
// Security: what is large stands behind a box. The bytes of an error that its variant does not use come from the stack as it
// was, where a key may have stood, and go to the heap with it (`tests/memory`).
pub enum KeyError {
    /// The text begins with none of the known prefixes.
    UnknownPrefix,
    /// The text has another length than its form demands.
    TextLength {
        /// The form, by its prefix.
        form: &'static str,
        /// Characters that the form demands after its prefix.
        expected_characters: usize,
        /// Characters that stand there.
        found_characters: usize,
    },
    /// A character outside of the form's alphabet, or bits beyond the last byte.
    Alphabet {
        /// The form, by its prefix.
        form: &'static str,
    },
    /// `ssk1.` is not followed by suite, key id and secret.
    Parts {
        /// Parts, separated by dots, that were found after `ssk1.`; three are expected.
        found: usize,
    },
    /// The suite is not one of this version.
    UnknownSuite,
    /// The key id in the text is not that of its secret and suite.
    KeyIdMismatch,
    /// The secret is not 32 bytes long.
    SecretLength {
        /// Bytes that were given.
        found_bytes: usize,
    },
    /// Too few different bytes for a random secret.
    FewDistinctBytes {
        /// Different byte values in the secret; 17 is the least.
        distinct: usize,
    },
    /// Every byte is printable ASCII: a passphrase, not a random secret.
    Printable,
    /// The bytes count up or down in equal steps.
    ArithmeticSequence,
    /// The key stands in this crate's documentation.
    Documented,
    /// A ring without keys.
    EmptyRing,
    /// Two keys of the ring have the same key id.
    DuplicateKeyId {
        /// The key id.
        key_id: String,
    },
    /// The ring has no key of this key id.
    NotInRing {
        /// The key id.
        key_id: String,
    },
    /// A time lies behind the year 9999, so a ring's text cannot say it.
    NoTextForm,
    /// A ring in which every key only opens.
    NoSealingKey,
    /// No key of the ring can seal at this instant.
    NothingSealsNow {
        /// The instant, in RFC 3339.
        now: String,
        /// The key that seals next, and from when in RFC 3339, if there is one.
        next: Option<Box<(String, String)>>,
    },
    /// Two keys seal from the same instant on, so which of them does is not known.
    EqualSealFrom {
        /// The two key ids.
        key_ids: Box<[String; 2]>,
        /// The instant, in RFC 3339; `None` when neither of the two names one.
        seal_from: Option<String>,
    },
    /// A key's end of sealing stands before its beginning.
    SealUntilBeforeSealFrom {
        /// The key id.
        key_id: String,
    },
    /// A key would seal what it does not open any more.
    OpenUntilBeforeSealUntil {
        /// The key id.
        key_id: String,
    },
    /// A ring's text names something that this version does not read.
    RingSyntax {
        /// Line of the text, the first is 1.
        line: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// A key of a ring's text is refused.
    RingEntry {
        /// Line of the text, the first is 1.
        line: usize,
        /// Why.
        source: Box<KeyError>,
    },
    /// No key could be made.
    Random(RandomError),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPrefix => f.write_str(
                "a key begins with `ssk1.`, `hex:`, `base64:` or `base64url:`; make one with `sealed-session keygen`",
            ),
            Self::TextLength { form, expected_characters, found_characters } => write!(
                f,
                "a key of the form `{form}` has {expected_characters} characters after its prefix, here are \
                 {found_characters}; copy the whole key"
            ),
            Self::Alphabet { form } => {
                write!(
                    f,
                    "a key of the form `{form}` has a character that its encoding does not use; copy the key again"
                )
            }
            Self::Parts { found } => write!(
                f,
                "`ssk1.` is followed by three parts separated by dots (suite, key id, secret), here are {found}; copy \
                 the whole key"
            ),
            Self::UnknownSuite => f.write_str("the suite of a key is `xaes` or `xchacha`"),
            Self::KeyIdMismatch => f.write_str(
                "the key id is not that of this secret and suite: a character was changed or lost; copy the key again",
            ),
            Self::SecretLength { found_bytes } => {
                write!(f, "a secret has 32 bytes, here are {found_bytes}; make one with `sealed-session keygen`")
            }
            Self::FewDistinctBytes { distinct } => write!(
                f,
                "weak key: only {distinct} different byte values, a random secret has more than 16; make one with \
                 `sealed-session keygen`"
            ),
            Self::Printable => f.write_str(
                "weak key: every byte is printable ASCII, as in a passphrase; make one with `sealed-session keygen`",
            ),
            Self::ArithmeticSequence => {
                f.write_str("weak key: its bytes count in equal steps; make one with `sealed-session keygen`")
            }
            Self::Documented => {
                f.write_str("weak key: it stands in the documentation; make one with `sealed-session keygen`")
            }
            Self::EmptyRing => f.write_str("a ring has at least one key; make one with `sealed-session keygen`"),
            Self::DuplicateKeyId { key_id } => {
                write!(f, "the key {key_id} stands in the ring twice; take one of the two out")
            }
            Self::NotInRing { key_id } => write!(f, "the ring has no key {key_id}"),
            Self::NoTextForm => f.write_str("a time behind the year 9999 cannot be written; choose an earlier one"),
            Self::NoSealingKey => {
                f.write_str("every key of the ring is marked `open-only`; take the mark off the one that seals")
            }
            Self::NothingSealsNow { now, next } => {
                write!(f, "no key of the ring seals at {now}")?;
                match next {
                    Some(next) => {
                        let (key_id, from) = &**next;
                        write!(f, ": {key_id} does from {from} on; let it begin earlier, or add a key")
                    }
                    None => f.write_str("; add a key, made with `sealed-session keygen`"),
                }
            }
            Self::EqualSealFrom { key_ids, seal_from } => {
                let [one, other] = &**key_ids;
                match seal_from {
                    Some(seal_from) => write!(
                        f,
                        "the keys {one} and {other} both seal from {seal_from} on; give one of them another `seal-from`"
                    ),
                    None => write!(
                        f,
                        "the keys {one} and {other} both have no `seal-from`; give it to the newer one, or mark the older \
                         one `open-only`"
                    ),
                }
            }
            Self::SealUntilBeforeSealFrom { key_id } => {
                write!(
                    f,
                    "the key {key_id} stops sealing before it begins; put its `seal-until` behind its `seal-from`"
                )
            }
            Self::OpenUntilBeforeSealUntil { key_id } => write!(
                f,
                "the key {key_id} would seal what it does not open any more; put its `open-until` behind its end of \
                 sealing, which is its `seal-until` or the `seal-from` of the next key"
            ),
            Self::RingSyntax { line, expected } => write!(f, "line {line} of the ring: {expected}"),
            Self::RingEntry { line, source } => write!(f, "line {line} of the ring: {source}"),
            Self::Random(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::RingEntry { source, .. } => Some(source),
            Self::Random(source) => Some(source),
            _ => None,
        }
    }
}

impl From<RandomError> for KeyError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

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
