//! HKDF-SHA256 (RFC 5869).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Bytes that one pseudorandom key and one `info` expand to at most (RFC 5869 §2.3).
pub(super) const MAX_EXPANDED_LENGTH: usize = 255 * 32;

/// A pseudorandom key, ready to expand.
#[derive(Clone)]
pub(crate) struct Prk(Hkdf<Sha256>);

// The HMAC inside is two states of SHA-256 and a buffer; each of them wipes itself (feature `zeroize` of `hmac` and `sha2`).
impl ZeroizeOnDrop for Prk {}

impl Prk {
    pub(crate) fn extract(salt: &[u8], secret: &[u8]) -> Self {
        let (mut bytes, prk) = Hkdf::<Sha256>::extract(Some(salt), secret);
        zeroize::Zeroize::zeroize(bytes.as_mut_slice());
        Self(prk)
    }

    /// Takes 32 uniform bytes as a pseudorandom key, without extracting.
    pub(crate) fn from_uniform(bytes: &[u8; 32]) -> Self {
        // HKDF takes a PRK of at least the hash's length, which 32 bytes are; were the library to disagree, extracting
        // gives another key, and the known answers notice.
        Self(Hkdf::from_prk(bytes).unwrap_or_else(|_| Hkdf::new(None, bytes)))
    }

    /// `Expand(prk, info, N)`, the parts of `info` joined.
    pub(super) fn expand<const N: usize>(&self, info: &[&[u8]]) -> Zeroizing<[u8; N]> {
        const { assert!(N <= MAX_EXPANDED_LENGTH, "HKDF-SHA256 expands to 255 blocks at most") };
        let mut bytes = Zeroizing::new([0; N]);
        let expanded = self.0.expand_multi_info(info, bytes.as_mut_slice());
        debug_assert!(expanded.is_ok(), "the length was checked when this was compiled");
        bytes
    }

    /// `Expand(prk, before ‖ lp8(label) ‖ u16(N) ‖ after, N)`: the one form of every derivation in the wire format.
    pub(crate) fn expand_labelled<const N: usize>(
        &self,
        before: &[u8],
        label: &'static str,
        after: [&[u8]; 2],
    ) -> Zeroizing<[u8; N]> {
        let [.., length_high, length_low] = N.to_be_bytes();
        let [.., label_length] = label.len().to_be_bytes();
        let [first, second] = after;
        self.expand(&[before, &[label_length], label.as_bytes(), &[length_high, length_low], first, second])
    }
}
