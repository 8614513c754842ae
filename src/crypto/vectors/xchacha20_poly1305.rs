//! Wycheproof: XChaCha20-Poly1305, through the door that the rest of the crate uses.

use super::{Count, array, bytes, check_aead, run};
use crate::crypto::NONCE_LENGTH;
use crate::crypto::{Aead, Suite};

#[test]
fn xchacha20_poly1305_seals_and_opens_as_published_and_refuses_forgeries() {
    let file = include_str!("../../../tests/vectors/wycheproof_xchacha20_poly1305_test.json");
    let count = run(
        file,
        // The cases of the other groups are nonces of a wrong length, which no array of this type holds.
        |group| group["ivSize"] == NONCE_LENGTH * 8,
        |test, valid| {
            let cipher = Aead::new(Suite::XChaCha, &array(&test["key"]));
            let (nonce, aad) = (array(&test["iv"]), bytes(&test["aad"]));
            check_aead(
                test,
                valid,
                |buffer| cipher.seal(&nonce, &aad, buffer).unwrap(),
                |buffer, tag| cipher.open(&nonce, &aad, buffer, tag).is_ok(),
            );
        },
    );
    assert_eq!(count, Count { valid: 246, invalid: 60, inexpressible: 9 });
}
