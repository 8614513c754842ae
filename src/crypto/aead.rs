//! One door for both suites: seal and open in place, with the tag beside the buffer.

use zeroize::ZeroizeOnDrop;

use super::Suite;
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
