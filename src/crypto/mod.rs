//! The primitives: the only room that names a cryptography crate.
//!
//! The ciphers are in `aead`. Here are keys from keys (HKDF-SHA256, RFC 5869), MACs (HMAC-SHA256, RFC 2104, FIPS 198-1),
//! equality in constant time, and random bytes.

mod aead;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(test)]
mod vectors;
#[cfg(not(feature = "aws-lc-rs"))]
mod xchacha;

pub use aead::Suite;
pub(crate) use aead::{Aead, NONCE_LENGTH, Nonce};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Bytes that one pseudorandom key and one `info` expand to at most (RFC 5869 §2.3).
const MAX_EXPANDED_LENGTH: usize = 255 * 32;

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
    fn expand<const N: usize>(&self, info: &[&[u8]]) -> Zeroizing<[u8; N]> {
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

/// Bytes of the block that SHA-256 works on.
const BLOCK_LENGTH: usize = 64;

/// The whole tag; callers cut it to the length that their format names.
pub(crate) type HmacTag = [u8; 32];

/// The tag over the joined parts.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> HmacTag {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA256 under a key of any length, before the first byte of a message.
// The key becomes a block here, because the constructor that takes a block cannot fail. The one that takes a slice can,
// by its type alone, and the branch for that would have to make up a tag.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK_LENGTH]);
    // RFC 2104 §2: a key longer than a block is hashed; a shorter one is followed by zeros.
    if key.len() > BLOCK_LENGTH {
        fill(&mut block, &Sha256::digest(key));
    } else {
        fill(&mut block, key);
    }
    Hmac::new((&*block).into())
}

fn fill(block: &mut [u8; BLOCK_LENGTH], bytes: &[u8]) {
    for (place, byte) in block.iter_mut().zip(bytes) {
        *place = *byte;
    }
}

/// Equality that takes as long for the first differing byte as for the last. Lengths are public.
pub(crate) fn constant_time_equal(left: &[u8], right: &[u8]) -> bool {
    use ctutils::CtEq as _;
    left.ct_eq(right).to_bool()
}

/// Random bytes, from the operating system alone.
pub(crate) mod random {
    use crate::error::RandomError;

    /// Fills `bytes` from the operating system's generator.
    // Security: there is no fallback generator and no generator of our own in user space: a copy of its state after a fork
    // or a restored snapshot would repeat nonces.
    #[expect(clippy::disallowed_methods, reason = "this is the room where random bytes are drawn")]
    pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
        #[cfg(test)]
        if failing::now() {
            return Err(RandomError);
        }
        getrandom::fill(bytes).map_err(|_| RandomError)
    }

    /// Lets a test make the random source fail on its own thread.
    #[cfg(test)]
    pub(crate) mod failing {
        use std::cell::Cell;

        thread_local! {
            static FAILS: Cell<bool> = const { Cell::new(false) };
        }

        pub(super) fn now() -> bool {
            FAILS.get()
        }

        pub(crate) fn during<T>(run: impl FnOnce() -> T) -> T {
            FAILS.set(true);
            let result = run();
            FAILS.set(false);
            result
        }
    }
}
