//! From the bytes of a source to a ring.

use std::io::Read;

use zeroize::Zeroizing;

use crate::error::KeySourceError;
use crate::key::KeyRing;

/// Hundreds of keys. A larger file is another file than was meant.
pub(super) const RING_TEXT_MAX_BYTES: usize = 64 * 1024;

/// All of a reader's bytes, [`RING_TEXT_MAX_BYTES`] at most.
pub(super) fn read(place: &str, reader: impl Read) -> Result<Zeroizing<Vec<u8>>, KeySourceError> {
    // Security: the whole room at once. A buffer that grows leaves copies of the keys behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(RING_TEXT_MAX_BYTES + 1));
    let most = u64::try_from(RING_TEXT_MAX_BYTES + 1).unwrap_or(u64::MAX);
    reader
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|source| KeySourceError::Read { place: place.to_owned(), source })?;
    check_length(place, bytes.len())?;
    Ok(bytes)
}

pub(super) fn check_length(place: &str, bytes: usize) -> Result<(), KeySourceError> {
    if bytes > RING_TEXT_MAX_BYTES {
        return Err(KeySourceError::TooLarge { place: place.to_owned(), most_bytes: RING_TEXT_MAX_BYTES });
    }
    Ok(())
}

pub(super) fn check_text<'a>(place: &str, bytes: &'a [u8]) -> Result<&'a str, KeySourceError> {
    std::str::from_utf8(bytes).map_err(|_| KeySourceError::NotText { place: place.to_owned() })
}

pub(super) fn ring(place: &str, bytes: &[u8]) -> Result<KeyRing, KeySourceError> {
    KeyRing::from_text(check_text(place, bytes)?)
        .map_err(|source| KeySourceError::Ring { place: place.to_owned(), source })
}
