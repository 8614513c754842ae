//! Wycheproof: HMAC-SHA256, with whole and with truncated tags.

use super::{Count, bytes, run};
use crate::crypto::{constant_time_equal, hmac_sha256};

#[test]
fn a_whole_tag_is_the_published_one_and_no_forged_one() {
    assert_eq!(run_tags_of(256), Count { valid: 33, invalid: 54, inexpressible: 87 });
}

#[test]
fn a_truncated_tag_is_the_published_one_and_no_forged_one() {
    assert_eq!(run_tags_of(128), Count { valid: 33, invalid: 54, inexpressible: 87 });
}

fn run_tags_of(bits: usize) -> Count {
    let file = include_str!("../../../tests/vectors/wycheproof_hmac_sha256_test.json");
    run(
        file,
        |group| group["tagSize"] == bits,
        |test, valid| {
            let message = bytes(&test["msg"]);
            // In two parts, because the crate authenticates joined parts.
            let (before, after) = message.split_at(message.len() / 2);
            let tag = hmac_sha256(&bytes(&test["key"]), &[before, after]);
            let expected = bytes(&test["tag"]);
            assert_eq!(expected.len() * 8, bits);
            assert_eq!(constant_time_equal(&tag[..bits / 8], &expected), valid, "case {}", test["tcId"]);
        },
    )
}
