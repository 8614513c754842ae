//! The primitives: the only room that names a cryptography crate.

mod aead;
#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod kdf;
pub(crate) mod random;
mod xaes;
#[cfg(not(feature = "aws-lc-rs"))]
mod xchacha;

#[cfg(test)]
mod vectors;

pub use aead::Suite;
pub(crate) use aead::{Aead, NONCE_LENGTH, Nonce};
pub(crate) use kdf::{Prk, constant_time_equal, hmac_sha256};
