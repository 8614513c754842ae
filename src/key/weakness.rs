//! Secrets that are refused: wire format, section 1. Every holder of a cookie has an offline oracle for a guessable key.

use crate::error::KeyError;

/// Fewer different byte values than this, and 32 bytes were not drawn at random: of 2^80 random secrets about one is refused.
const LEAST_DISTINCT_BYTES: usize = 17;

/// Secrets that stand in this crate's documentation and trip none of the other rules.
const DOCUMENTED: &[[u8; 32]] = &[];

/// Takes a secret that may have been drawn at random.
// Security: the outcome tells that a weak secret is weak, and the time tells no more; a secret that passes takes the
// same steps whatever its bytes.
pub(super) fn check(secret: &[u8]) -> Result<&[u8; 32], KeyError> {
    let secret: &[u8; 32] = secret.try_into().map_err(|_| KeyError::SecretLength { found_bytes: secret.len() })?;
    if is_arithmetic_sequence(secret) {
        return Err(KeyError::ArithmeticSequence);
    }
    if secret.iter().all(|byte| (0x20..=0x7e).contains(byte)) {
        return Err(KeyError::Printable);
    }
    let distinct = distinct_bytes(secret);
    if distinct < LEAST_DISTINCT_BYTES {
        return Err(KeyError::FewDistinctBytes { distinct });
    }
    if DOCUMENTED.contains(secret) {
        return Err(KeyError::Documented);
    }
    Ok(secret)
}

fn distinct_bytes(secret: &[u8; 32]) -> usize {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

fn is_arithmetic_sequence(secret: &[u8; 32]) -> bool {
    let [first, second, ..] = *secret;
    let step = second.wrapping_sub(first);
    secret.iter().zip(secret.iter().skip(1)).all(|(left, right)| right.wrapping_sub(*left) == step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_looking() -> [u8; 32] {
        std::array::from_fn(|i| (i as u8).wrapping_mul(i as u8).wrapping_mul(7).wrapping_add(i as u8 * 3) ^ 0xa5)
    }

    #[test]
    fn a_random_secret_is_taken() {
        assert_eq!(check(&random_looking()), Ok(&random_looking()));
    }

    #[test]
    fn any_other_length_than_32_is_refused_and_named() {
        for length in [0, 16, 31, 33, 64] {
            assert_eq!(check(&vec![7; length]), Err(KeyError::SecretLength { found_bytes: length }));
        }
    }

    #[test]
    fn sixteen_distinct_bytes_are_too_few_and_seventeen_are_enough() {
        let exactly = |distinct: usize| -> [u8; 32] { std::array::from_fn(|i| ((i % distinct) * 15) as u8) };
        assert_eq!(check(&exactly(16)), Err(KeyError::FewDistinctBytes { distinct: 16 }));
        assert!(check(&exactly(17)).is_ok());
    }

    #[test]
    fn a_passphrase_is_refused() {
        assert_eq!(check(b"correct horse battery staple! 42"), Err(KeyError::Printable));
    }

    #[test]
    fn one_byte_outside_of_printable_ascii_is_no_passphrase() {
        assert!(check(b"Sphinx of black quartz, judge m\x80").is_ok());
    }

    #[test]
    fn equal_steps_are_refused_upwards_downwards_and_standing() {
        for step in [0u8, 1, 2, 7, 255, 128] {
            let secret: [u8; 32] = std::array::from_fn(|i| (i as u8).wrapping_mul(step).wrapping_add(9));
            assert_eq!(check(&secret), Err(KeyError::ArithmeticSequence), "step {step}");
        }
    }
}
