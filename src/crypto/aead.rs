//! The suites, and one door for both: seal and open in place, with the tag beside the buffer.

use std::fmt;

use zeroize::ZeroizeOnDrop;

#[cfg(feature = "aws-lc-rs")]
use super::aws_lc::XChaCha;
use super::xaes::Xaes256Gcm;
#[cfg(not(feature = "aws-lc-rs"))]
use super::xchacha::XChaCha;

/// Bytes of a nonce, in both suites.
pub(crate) const NONCE_LENGTH: usize = 24;
/// Bytes of a tag, in both suites.
pub(crate) const TAG_LENGTH: usize = 16;

pub(crate) type Nonce = [u8; NONCE_LENGTH];
pub(crate) type Tag = [u8; TAG_LENGTH];

/// The tag does not belong to this message, or the message is longer than the cipher takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthentic;

/// A cipher under one key, prepared once.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per key, kept as long as it; a pointer would cost every message"
)]
pub(crate) enum Aead {
    Xaes(Xaes256Gcm),
    XChaCha(XChaCha),
}

// Each cipher wipes itself.
impl ZeroizeOnDrop for Aead {}

impl Aead {
    pub(crate) fn new(suite: Suite, key: &[u8; 32]) -> Self {
        match suite {
            Suite::Xaes => Self::Xaes(Xaes256Gcm::new(key)),
            Suite::XChaCha => Self::XChaCha(XChaCha::new(key)),
        }
    }

    /// Encrypts `buffer` in place and returns the tag.
    ///
    /// Fails only for a message beyond the cipher's own bound of gigabytes; the limits of the crate lie far below.
    pub(crate) fn seal(&self, nonce: &Nonce, aad: &[u8], buffer: &mut [u8]) -> Result<Tag, Unauthentic> {
        match self {
            Self::Xaes(cipher) => cipher.encrypt(nonce, aad, buffer),
            Self::XChaCha(cipher) => cipher.encrypt(nonce, aad, buffer),
        }
    }

    /// Decrypts `buffer` in place, after the tag was found good; a forged buffer is left as it came, or as zeros.
    pub(crate) fn open(&self, nonce: &Nonce, aad: &[u8], buffer: &mut [u8], tag: &Tag) -> Result<(), Unauthentic> {
        match self {
            Self::Xaes(cipher) => cipher.decrypt(nonce, aad, buffer, tag),
            Self::XChaCha(cipher) => cipher.decrypt(nonce, aad, buffer, tag),
        }
    }
}

/// The cipher of a key. It belongs to the key; it is never read from a message and never negotiated.
///
/// Both take random 192-bit nonces, so any number of servers may seal under one key without counting.
///
/// ```
/// use sealed_session::Suite;
///
/// assert_eq!(Suite::from_name("xaes"), Some(Suite::Xaes));
/// assert_eq!(Suite::XChaCha.name(), "xchacha");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// XAES-256-GCM (C2SP XAES-256-GCM v1.0): the faster one where the processor has AES instructions.
    Xaes,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): the faster one everywhere else.
    XChaCha,
}

impl Suite {
    /// The suite's number in the wire format.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Xaes => 1,
            Self::XChaCha => 2,
        }
    }

    /// The suite's name in the text form of a key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xaes => "xaes",
            Self::XChaCha => "xchacha",
        }
    }

    /// The suite of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Xaes, Self::XChaCha].into_iter().find(|suite| suite.name() == name)
    }

    /// The suite that is faster on this machine: [`Suite::Xaes`] where AES runs in hardware.
    #[must_use]
    pub fn fastest_here() -> Self {
        if aes::hardware_accelerated() { Self::Xaes } else { Self::XChaCha }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
