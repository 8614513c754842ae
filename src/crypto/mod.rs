//! The primitives: the only room that names a cryptography crate.
//!
//! The suites, and one door for both: seal and open in place, with the tag beside the buffer. Keys from keys (HKDF-SHA256,
//! RFC 5869), MACs (HMAC-SHA256, RFC 2104, FIPS 198-1), equality in constant time, and random bytes.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(test)]
mod vectors;
#[cfg(not(feature = "aws-lc-rs"))]
mod xchacha;

use std::fmt;

use aes::Aes256Enc;
#[cfg(any(not(feature = "aws-lc-rs"), test))]
use aes_gcm::AesGcm;
#[cfg(not(feature = "aws-lc-rs"))]
use aes_gcm::aead::AeadInOut as _;
use aes_gcm::aead::KeyInit as _;
use aes_gcm::aead::array::Array;
use aes_gcm::aead::consts::{U4, U12, U16, U24, U32};
use aes_gcm::aes::cipher::BlockCipherEncrypt as _;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{ZeroizeOnDrop, Zeroizing};

#[cfg(feature = "aws-lc-rs")]
use self::aws_lc::XChaCha;
#[cfg(not(feature = "aws-lc-rs"))]
use self::xchacha::XChaCha;

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

// XAES-256-GCM (C2SP XAES-256-GCM v1.0): AES-256-GCM with a key derived per nonce, over `aes` and `aes-gcm`.
//
// L  = AES-256_K(0¹²⁸)                     K1 = double(L)               steps 1, 2: once per key
// M1 = 0x0001 ‖ "X" ‖ 0x00 ‖ N[..12]       M2 = 0x0002 ‖ "X" ‖ 0x00 ‖ N[..12]
// Kx = AES-256_K(M1 ⊕ K1) ‖ AES-256_K(M2 ⊕ K1)                          steps 3 to 5: once per nonce
// Nx = N[12..]                                                          step 6
// C  = AES-256-GCM_Kx(Nx, plaintext, associated data)

/// GCM never runs the block cipher backwards: the schedule for decryption is not computed.
#[cfg(any(not(feature = "aws-lc-rs"), test))]
type Aes256Gcm = AesGcm<Aes256Enc, U12>;

type HalfNonce = Array<u8, U12>;

/// XAES-256-GCM under one key: its AES schedule and K1, computed once.
#[derive(Clone)]
pub(crate) struct Xaes256Gcm {
    aes: Aes256Enc,
    /// A block as a big-endian number, as the specification writes its shifts.
    k1: Zeroizing<u128>,
}

// Each field wipes itself.
impl ZeroizeOnDrop for Xaes256Gcm {}

impl Xaes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let aes = Aes256Enc::new(key.into());
        let mut l = Zeroizing::new([0; 16]);
        aes.encrypt_block((&mut *l).into());
        Self { aes, k1: Zeroizing::new(double(u128::from_be_bytes(*l))) }
    }

    pub(crate) fn encrypt(&self, nonce: &[u8; 24], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; 16], Unauthentic> {
        let (n, nx) = split(nonce);
        #[cfg(feature = "aws-lc-rs")]
        return aws_lc::seal_aes_256_gcm(&self.derive_key(n), nx.as_ref(), aad, buffer);
        #[cfg(not(feature = "aws-lc-rs"))]
        self.gcm(n).encrypt_inout_detached(nx, aad, buffer.into()).map(Into::into).map_err(|_| Unauthentic)
    }

    pub(crate) fn decrypt(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Unauthentic> {
        let (n, nx) = split(nonce);
        #[cfg(feature = "aws-lc-rs")]
        return aws_lc::open_aes_256_gcm(&self.derive_key(n), nx.as_ref(), aad, buffer, tag);
        #[cfg(not(feature = "aws-lc-rs"))]
        self.gcm(n).decrypt_inout_detached(nx, aad, buffer.into(), tag.into()).map_err(|_| Unauthentic)
    }

    #[cfg(not(feature = "aws-lc-rs"))]
    fn gcm(&self, n: &HalfNonce) -> Aes256Gcm {
        Aes256Gcm::new((&*self.derive_key(n)).into())
    }

    /// Steps 3 to 5: Kx.
    fn derive_key(&self, n: &HalfNonce) -> Zeroizing<[u8; 32]> {
        let mut kx = Zeroizing::new([0; 32]);
        let (first, second) = <&mut Array<u8, U32>>::from(&mut *kx).split_ref_mut::<U16>();
        for (half, counter) in [(first, 1), (second, 2)] {
            let m = Array::<u8, U4>([0, counter, b'X', 0]).concat(*n);
            *half = (u128::from_be_bytes(m.into()) ^ *self.k1).to_be_bytes().into();
            self.aes.encrypt_block(half);
        }
        kx
    }
}

/// N[..12], which selects the key, and Nx, the nonce under that key.
fn split(nonce: &[u8; 24]) -> (&HalfNonce, &HalfNonce) {
    <&Array<u8, U24>>::from(nonce).split_ref()
}

/// Step 2: doubling in GF(2¹²⁸), a shift by one bit, and 0x87 when a bit falls out.
fn double(l: u128) -> u128 {
    // Security: a mask of ones or zeros instead of a branch, so that the time tells nothing of the key.
    let carry = (l >> 127).wrapping_neg();
    (l << 1) ^ (carry & 0x87)
}

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

#[cfg(test)]
mod xaes_tests {
    use super::*;
    use crate::crypto::vectors::{array, bytes, parse};

    #[test]
    fn every_step_gives_the_value_of_the_specification() {
        let spec = parse(include_str!("../../tests/vectors/xaes256gcm_spec.json"));
        let vectors = spec["vectors"].as_array().expect("an array");
        // One has the top bit of L clear and one has it set: both ways through step 2.
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            let k1 = u128::from_be_bytes(array(&vector["K1"]));
            assert_eq!(double(u128::from_be_bytes(array(&vector["L"]))), k1);

            let cipher = Xaes256Gcm::new(&array(&vector["K"]));
            assert_eq!(*cipher.k1, k1);

            let nonce = array(&vector["N"]);
            let (n, nx) = split(&nonce);
            assert_eq!(nx.as_slice(), bytes(&vector["Nx"]));
            assert_eq!(cipher.derive_key(n).as_slice(), bytes(&vector["Kx"]));

            let mut text = bytes(&vector["pt"]);
            let tag = cipher.encrypt(&nonce, &bytes(&vector["aad"]), &mut text).expect("a short message");
            text.extend_from_slice(&tag);
            assert_eq!(text, bytes(&vector["ct"]));
        }
    }
}
