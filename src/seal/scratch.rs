//! Room for one envelope on the stack: opening a forged cookie allocates nothing.

use crate::limits::COOKIE_ENVELOPE_MAX_BYTES;
use crate::wipe::wipe;

/// What most cookies fit: zeros for the longest one would cost a short one more than its encryption.
const SHORT_BYTES: usize = 512;

/// Lends so many bytes, which are zeros at first and wiped at the end. `None` for more than the longest envelope has.
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
    if length <= SHORT_BYTES {
        Scratch([0; SHORT_BYTES]).lend(length, work)
    } else {
        Scratch([0; COOKIE_ENVELOPE_MAX_BYTES]).lend(length, work)
    }
}

struct Scratch<const N: usize>([u8; N]);

impl<const N: usize> Scratch<N> {
    fn lend<R>(&mut self, length: usize, work: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        let lent = self.0.get_mut(..length)?;
        let result = work(lent);
        // Security: a plaintext was here. A panic in between leaves it; none of this crate's code panics.
        wipe(lent);
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bytes_are_lent_as_an_envelope_may_have() {
        for length in [0, 1, SHORT_BYTES, SHORT_BYTES + 1, COOKIE_ENVELOPE_MAX_BYTES] {
            assert_eq!(with_scratch(length, |bytes| bytes.to_vec()), Some(vec![0; length]));
        }
        assert_eq!(with_scratch(COOKIE_ENVELOPE_MAX_BYTES + 1, |_| ()), None);
    }

    #[test]
    fn what_was_lent_is_wiped() {
        let mut scratch = Scratch([0; 8]);
        scratch.lend(6, |bytes| bytes.fill(7)).unwrap();
        assert_eq!(scratch.0, [0; 8]);
    }
}
