//! Wycheproof: HKDF-SHA256.

use serde_json::Value;

use super::{Count, bytes, number, run};
use crate::crypto::MAX_EXPANDED_LENGTH;
use crate::crypto::Prk;

#[test]
fn hkdf_sha256_derives_the_published_keys_up_to_255_blocks() {
    let file = include_str!("../../../tests/vectors/wycheproof_hkdf_sha256_test.json");
    let count = run(
        file,
        |_| true,
        |test, valid| {
            let size = number(&test["size"]).expect("a length");
            assert_eq!(size <= MAX_EXPANDED_LENGTH, valid, "case {}", test["tcId"]);
            if valid {
                assert_eq!(derive(test, size), bytes(&test["okm"]), "case {}", test["tcId"]);
            }
        },
    );
    // The invalid ones ask for one byte beyond the bound, which `expand` refuses when it is compiled.
    assert_eq!(count, Count { valid: 83, invalid: 3, inexpressible: 0 });
}

fn derive(test: &Value, size: usize) -> Vec<u8> {
    let prk = Prk::extract(&bytes(&test["salt"]), &bytes(&test["ikm"]));
    let info = bytes(&test["info"]);
    // In two parts, because the crate expands joined parts.
    let (before, after) = info.split_at(info.len() / 2);
    let info = [before, after];
    // A length is a constant of the program; these are all that the file names.
    match size {
        20 => prk.expand::<20>(&info).to_vec(),
        32 => prk.expand::<32>(&info).to_vec(),
        42 => prk.expand::<42>(&info).to_vec(),
        56 => prk.expand::<56>(&info).to_vec(),
        64 => prk.expand::<64>(&info).to_vec(),
        80 => prk.expand::<80>(&info).to_vec(),
        82 => prk.expand::<82>(&info).to_vec(),
        128 => prk.expand::<128>(&info).to_vec(),
        MAX_EXPANDED_LENGTH => prk.expand::<MAX_EXPANDED_LENGTH>(&info).to_vec(),
        other => panic!("name the length {other} of case {} here", test["tcId"]),
    }
}
