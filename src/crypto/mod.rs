//! The primitives: the only room that names a cryptography crate.

mod aead;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod kdf;
mod mac;
pub(crate) mod random;
mod suite;
mod xaes;
#[cfg(not(feature = "aws-lc-rs"))]
mod xchacha;

#[cfg(test)]
mod vectors;

pub(crate) use aead::{Aead, NONCE_LENGTH, Nonce};
pub(crate) use kdf::Prk;
pub(crate) use mac::hmac_sha256;
pub use suite::Suite;

/// Equality that takes as long for the first differing byte as for the last. Lengths are public.
pub(crate) fn constant_time_equal(left: &[u8], right: &[u8]) -> bool {
    use ctutils::CtEq as _;
    left.ct_eq(right).to_bool()
}
