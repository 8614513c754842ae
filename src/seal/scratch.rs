//! Room for one envelope on the stack: opening a forged cookie allocates nothing.

use crate::limits::COOKIE_ENVELOPE_MAX_BYTES;
use crate::wipe::wipe;

/// What most cookies fit: zeros for the longest one would cost a short one more than its encryption.
const SHORT_BYTES: usize = 512;

/// Lends so many bytes, which are zeros at first and wiped at the end. `None` for more than the longest envelope has.
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
    if length <= SHORT_BYTES {
        Scratch { bytes: [0; SHORT_BYTES], length }.lent().map(work)
    } else {
        Scratch { bytes: [0; COOKIE_ENVELOPE_MAX_BYTES], length }.lent().map(work)
    }
}

struct Scratch<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Scratch<N> {
    fn lent(&mut self) -> Option<&mut [u8]> {
        self.bytes.get_mut(..self.length)
    }
}

// Security: a plaintext was here. By `drop`, so that a panic in an application's `Serialize` leaves nothing of it either.
impl<const N: usize> Drop for Scratch<N> {
    fn drop(&mut self) {
        if let Some(lent) = self.lent() {
            wipe(lent);
        }
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
}
