//! Published test vectors, run against the primitives in the form in which the crate uses them.
//!
//! Every test asserts how many cases it ran, so that a loop that lost its cases cannot pass.

mod aes_256_gcm;
mod hkdf_sha256;
mod hmac_sha256;
mod wiping;
mod xaes_256_gcm;
mod xchacha20_poly1305;

use serde_json::Value;

pub(super) fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a vector file is JSON")
}

/// The bytes of a member in hexadecimal.
pub(super) fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("a member in hexadecimal").as_bytes();
    let (pairs, odd) = digits.as_chunks::<2>();
    assert!(odd.is_empty(), "hexadecimal digits come in pairs");
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).expect("two digits")).collect()
}

pub(super) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("a member of this length")
}

/// What a run of Wycheproof cases met.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    valid: usize,
    invalid: usize,
    /// Cases of groups that the types of this crate cannot even express.
    inexpressible: usize,
}

/// Runs the cases of the groups that `expressible` takes, telling each whether it is valid.
fn run(file: &str, expressible: impl Fn(&Value) -> bool, mut case: impl FnMut(&Value, bool)) -> Count {
    let file = parse(file);
    let mut count = Count::default();
    for group in file["testGroups"].as_array().expect("an array of groups") {
        let tests = group["tests"].as_array().expect("an array of cases");
        if !expressible(group) {
            count.inexpressible += tests.len();
            continue;
        }
        for test in tests {
            let valid = match test["result"].as_str() {
                Some("valid") => true,
                Some("invalid") => false,
                other => panic!("case {} has the result {other:?}", test["tcId"]),
            };
            case(test, valid);
            *(if valid { &mut count.valid } else { &mut count.invalid }) += 1;
        }
    }
    assert_eq!(Some(count.valid + count.invalid + count.inexpressible), number(&file["numberOfTests"]));
    count
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| number.try_into().ok())
}

/// Holds a cipher against one case: sealing gives the published bytes, opening gives the message back, and a forged
/// buffer is refused and gives nothing.
fn check_aead(
    test: &Value,
    valid: bool,
    seal: impl Fn(&mut [u8]) -> super::Tag,
    open: impl Fn(&mut [u8], &super::Tag) -> bool,
) {
    let id = &test["tcId"];
    let (message, ciphertext, tag) = (bytes(&test["msg"]), bytes(&test["ct"]), array(&test["tag"]));

    let mut buffer = message.clone();
    let sealed = seal(&mut buffer) == tag && buffer == ciphertext;
    assert_eq!(sealed, valid, "sealing in case {id}");

    let mut buffer = ciphertext.clone();
    assert_eq!(open(&mut buffer, &tag), valid, "opening in case {id}");
    // Security: nothing of a message whose tag is wrong may come out.
    let is_zeros = !buffer.is_empty() && buffer.iter().all(|byte| *byte == 0);
    assert!(if valid { buffer == message } else { buffer == ciphertext || is_zeros }, "the buffer in case {id}");
}
