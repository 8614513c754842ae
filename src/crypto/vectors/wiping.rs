//! What holds a key wipes itself. A feature of each library decides that, and every one of them is off by default.

use aes::Aes256Enc;
use chacha20poly1305::XChaCha20Poly1305;
use sha2::Sha256;
use zeroize::ZeroizeOnDrop;

use crate::crypto::{Aead, Prk};
use crate::crypto::{Aes256Gcm, Xaes256Gcm};

/// Compiles only for a type that wipes itself.
fn assert_wiped<T: ZeroizeOnDrop>() {
    assert!(std::mem::needs_drop::<T>(), "{} says that it wipes itself and drops nothing", std::any::type_name::<T>());
}

#[test]
fn whatever_holds_a_key_is_wiped_on_drop() {
    // The fields of ours first: our own word for `Xaes256Gcm`, `Aead` and `Prk` stands on theirs.
    assert_wiped::<Aes256Enc>();
    assert_wiped::<Xaes256Gcm>();
    // `AesGcm` says so only with its feature `zeroize`, which turns on that of its GHASH too.
    assert_wiped::<Aes256Gcm>();
    assert_wiped::<XChaCha20Poly1305>();
    assert_wiped::<Aead>();
    // `Sha256` speaks for its state and its buffer, which are all that an `Hmac<Sha256>` holds.
    assert_wiped::<Sha256>();
    assert_wiped::<Prk>();
}
