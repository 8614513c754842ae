//! Bytes that are overwritten when they are given up.

use std::fmt;
use std::io;
use std::ops::Deref;

use zeroize::optimization_barrier;

/// Overwrites the bytes with zeros.
// Security: the barrier counts as a reader of the zeros, so the compiler cannot leave them out. `zeroize()` itself writes
// byte by byte: thousands of stores for a long cookie.
pub(crate) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

/// A growing buffer that is wiped when it is dropped, and whose growth leaves no copy.
#[derive(Default)]
pub(crate) struct WipedBytes(Vec<u8>);

impl WipedBytes {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let length = self.0.len().saturating_add(bytes.len());
        if length > self.0.capacity() {
            self.grow(length);
        }
        self.0.extend_from_slice(bytes);
    }

    /// Between quotes.
    #[inline]
    pub(crate) fn extend_quoted(&mut self, bytes: &[u8]) {
        let length = self.0.len().saturating_add(bytes.len()).saturating_add(2);
        if length > self.0.capacity() {
            self.grow(length);
        }
        self.0.push(b'"');
        self.0.extend_from_slice(bytes);
        self.0.push(b'"');
    }

    // Security: a vector that grows by itself gives its old memory back as it is.
    #[cold]
    fn grow(&mut self, length: usize) {
        let mut larger = Vec::with_capacity(length.saturating_mul(2));
        larger.extend_from_slice(&self.0);
        wipe(&mut self.0);
        self.0 = larger;
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        if self.0.len() == self.0.capacity() {
            self.extend(&[byte]);
        } else {
            self.0.push(byte);
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl From<Vec<u8>> for WipedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for WipedBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Deref for WipedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl io::Write for WipedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for WipedBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for WipedBytes {
    /// Security: how many there are, and nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WipedBytes({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wiped_bytes_are_zeros() {
        let mut bytes = *b"secret";
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 6]);
    }

    #[test]
    fn growing_keeps_what_was_written() {
        let mut bytes = WipedBytes::default();
        for byte in 0..=255 {
            bytes.push(byte);
        }
        bytes.extend(&[1; 1000]);
        let expected: Vec<u8> = (0..=255).chain([1; 1000]).collect();
        assert_eq!(&*bytes, expected);
    }
}
