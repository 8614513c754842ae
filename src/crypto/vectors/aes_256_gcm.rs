//! Wycheproof: AES-GCM, of the one key, nonce and tag size that XAES-256-GCM stands on.

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};

use super::{Count, array, bytes, check_aead, run};
use crate::crypto::Aes256Gcm;
#[cfg(feature = "aws-lc-rs")]
use crate::crypto::aws_lc::{open_aes_256_gcm, seal_aes_256_gcm};

#[test]
fn aes_256_gcm_seals_and_opens_as_published_and_refuses_forgeries() {
    let file = include_str!("../../../tests/vectors/wycheproof_aes_gcm_test.json");
    let count = run(
        file,
        |group| group["keySize"] == 256 && group["ivSize"] == 96 && group["tagSize"] == 128,
        |test, valid| {
            let cipher = Aes256Gcm::new((&array::<32>(&test["key"])).into());
            let (nonce, aad) = (array::<12>(&test["iv"]), bytes(&test["aad"]));
            #[cfg(feature = "aws-lc-rs")]
            check_aead(
                test,
                valid,
                |buffer| seal_aes_256_gcm(&array(&test["key"]), &nonce, &aad, buffer).unwrap(),
                |buffer, tag| open_aes_256_gcm(&array(&test["key"]), &nonce, &aad, buffer, tag).is_ok(),
            );
            check_aead(
                test,
                valid,
                |buffer| cipher.encrypt_inout_detached((&nonce).into(), &aad, buffer.into()).unwrap().into(),
                |buffer, tag| cipher.decrypt_inout_detached((&nonce).into(), &aad, buffer.into(), tag.into()).is_ok(),
            );
        },
    );
    assert_eq!(count, Count { valid: 39, invalid: 27, inexpressible: 250 });
}
