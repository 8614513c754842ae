use zeroize::Zeroize as _;

use crate::limits::COOKIE_ENVELOPE_MAX_BYTES;

/// The buffer that one cookie is sealed or opened in.
///
/// On the stack, so that a forged cookie is refused before anything is allocated. Wiped on drop where it was used, and
/// not beyond: wiping all of it would cost more than opening a small cookie.
pub(super) struct Scratch {
    bytes: [u8; COOKIE_ENVELOPE_MAX_BYTES],
    used: usize,
}

impl Scratch {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; COOKIE_ENVELOPE_MAX_BYTES], used: 0 }
    }

    /// The whole buffer, of which the first `used` bytes will hold something secret.
    pub(super) fn for_use(&mut self, used: usize) -> &mut [u8; COOKIE_ENVELOPE_MAX_BYTES] {
        self.used = self.used.max(used);
        &mut self.bytes
    }

    /// The whole buffer, and beside it how much of it holds something secret.
    pub(super) const fn parts(&mut self) -> (&mut [u8; COOKIE_ENVELOPE_MAX_BYTES], &mut usize) {
        (&mut self.bytes, &mut self.used)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(used) = self.bytes.get_mut(..self.used) {
            used.zeroize();
        }
    }
}
