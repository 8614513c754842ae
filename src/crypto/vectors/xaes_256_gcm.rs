//! XAES-256-GCM: the accumulated test of C2SP XAES-256-GCM v1.0, which draws its inputs from SHAKE-128 and hashes what
//! comes out. The single values of the specification are held beside the code that computes them.

use serde_json::Value;
use shake::{ExtendableOutput as _, Shake128, Shake128Reader, Update as _, XofReader as _};

use super::{array, bytes, parse};
use crate::crypto::Unauthentic;
use crate::crypto::{Aead, Nonce, Suite};

#[test]
fn the_first_hundred_accumulated_cases_agree_one_by_one() {
    let file = parse(include_str!("../../../tests/vectors/xaes256gcm_accumulated_first100.json"));
    let vectors = file["vectors"].as_array().expect("an array");
    assert_eq!(vectors.len(), 100);
    for (vector, input) in vectors.iter().zip(Inputs::new()) {
        assert_eq!(input.key, array::<32>(&vector["key"]), "the key of {}", vector["i"]);
        assert_eq!(input.nonce, array::<24>(&vector["nonce"]), "the nonce of {}", vector["i"]);
        assert_eq!(input.plaintext, bytes(&vector["pt"]), "the plaintext of {}", vector["i"]);
        assert_eq!(input.aad, bytes(&vector["aad"]), "the associated data of {}", vector["i"]);
        assert_eq!(input.sealed_and_opened(), bytes(&vector["ct"]), "the ciphertext and tag of {}", vector["i"]);
    }
}

#[test]
fn ten_thousand_accumulated_cases_have_the_published_hash() {
    assert_accumulated(10_000);
}

#[test]
#[ignore = "minutes without optimization; run with `cargo test --release -- --ignored accumulated`"]
fn a_million_accumulated_cases_have_the_published_hash() {
    assert_accumulated(1_000_000);
}

#[test]
fn one_changed_bit_of_any_input_is_refused_and_nothing_comes_out() {
    let input = Inputs::new().next().expect("an endless stream");
    let sealed = input.sealed_and_opened();
    let (ciphertext, tag) = sealed.split_at(input.plaintext.len());
    let original = [&input.key, input.nonce.as_slice(), &input.aad, ciphertext, tag];
    let mut refused = 0;
    for (part, bytes) in original.iter().enumerate() {
        for bit in 0..bytes.len() * 8 {
            let mut changed = original.map(<[u8]>::to_vec);
            changed[part][bit / 8] ^= 1 << (bit % 8);
            let [key, nonce, aad, mut buffer, tag] = changed;
            let ciphertext = buffer.clone();
            let cipher = Aead::new(Suite::Xaes, &key.try_into().unwrap());
            let opened = cipher.open(&nonce.try_into().unwrap(), &aad, &mut buffer, &tag.try_into().unwrap());
            assert_eq!(opened, Err(Unauthentic), "bit {bit} of part {part}");
            let is_zeros = buffer.iter().all(|byte| *byte == 0);
            assert!(buffer == ciphertext || is_zeros, "bit {bit} of part {part}");
            refused += 1;
        }
    }
    assert_eq!(refused, 8 * (32 + 24 + input.aad.len() + input.plaintext.len() + 16));
}

fn assert_accumulated(cases: usize) {
    let spec = parse(include_str!("../../../tests/vectors/xaes256gcm_spec.json"));
    let published: &Value = &spec["accumulated"]["hashes"][cases.to_string()];
    let mut outputs = Shake128::default();
    for input in Inputs::new().take(cases) {
        outputs.update(&input.sealed_and_opened());
    }
    let mut hash = [0; 32];
    outputs.finalize_xof().read(&mut hash);
    assert_eq!(hash, array(published));
}

struct Input {
    key: [u8; 32],
    nonce: Nonce,
    plaintext: Vec<u8>,
    aad: Vec<u8>,
}

impl Input {
    /// The ciphertext and its tag, once they were seen to open again.
    fn sealed_and_opened(&self) -> Vec<u8> {
        let cipher = Aead::new(Suite::Xaes, &self.key);
        let mut buffer = self.plaintext.clone();
        let tag = cipher.seal(&self.nonce, &self.aad, &mut buffer).expect("a short message");
        let sealed = [buffer.as_slice(), &tag].concat();
        cipher.open(&self.nonce, &self.aad, &mut buffer, &tag).expect("what was sealed opens");
        assert_eq!(buffer, self.plaintext);
        sealed
    }
}

/// The stream of inputs: SHAKE-128 of the empty string, read as key ‖ nonce ‖ lp8(plaintext) ‖ lp8(aad), for ever.
struct Inputs(Shake128Reader);

impl Inputs {
    fn new() -> Self {
        Self(Shake128::default().finalize_xof())
    }

    fn fixed<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read(&mut bytes);
        bytes
    }

    fn prefixed(&mut self) -> Vec<u8> {
        let [length] = self.fixed();
        let mut bytes = vec![0; usize::from(length)];
        self.0.read(&mut bytes);
        bytes
    }
}

impl Iterator for Inputs {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        Some(Input { key: self.fixed(), nonce: self.fixed(), plaintext: self.prefixed(), aad: self.prefixed() })
    }
}
