use crate::limits::COOKIE_PADDING_BUCKET_BYTES;
use crate::wire::{envelope, header, padding, text};

/// How long a cookie gets, from the JSON of a session to the value on the wire. Lengths alone: no key and no data.
///
/// ```
/// use sealed_session::cookie::CookieAttributes;
/// use sealed_session::operator::CookieLengths;
///
/// let lengths = CookieLengths::new(CookieAttributes::new().value_max_characters(None));
/// assert_eq!(lengths.payload_max_bytes(), 2979);
/// assert_eq!(lengths.value_characters(2979), Some(4096 - "__Host-session".len()));
/// assert_eq!(lengths.value_characters(2980), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieLengths {
    value_max_characters: usize,
    padding_bucket_bytes: usize,
}

impl CookieLengths {
    /// Of cookies whose value has at most so many characters, with the default padding.
    #[must_use]
    pub const fn new(value_max_characters: usize) -> Self {
        Self { value_max_characters, padding_bucket_bytes: COOKIE_PADDING_BUCKET_BYTES }
    }

    /// Plaintexts are filled to a multiple of so many bytes, 32 by default; 1 turns padding off.
    #[must_use]
    pub const fn padding_bucket_bytes(mut self, bytes: usize) -> Self {
        self.padding_bucket_bytes = bytes;
        self
    }

    /// Most bytes of JSON that one cookie carries.
    #[must_use]
    pub const fn payload_max_bytes(&self) -> usize {
        self.plaintext_max_bytes().saturating_sub(header::LENGTH + 1)
    }

    /// Bytes that are encrypted for so many bytes of JSON, header and padding included; `None` when they do not fit.
    ///
    /// ```
    /// let lengths = sealed_session::operator::CookieLengths::new(4082);
    /// assert_eq!((lengths.plaintext_bytes(0), lengths.plaintext_bytes(40)), (Some(64), Some(96)));
    /// ```
    #[must_use]
    pub fn plaintext_bytes(&self, payload_bytes: usize) -> Option<usize> {
        let content = payload_bytes.saturating_add(header::LENGTH);
        padding::padded_length(content, self.padding_bucket_bytes, self.plaintext_max_bytes())
    }

    /// Characters of the value for so many bytes of JSON; `None` when they do not fit.
    ///
    /// ```
    /// assert_eq!(sealed_session::operator::CookieLengths::new(4082).value_characters(2), Some(151));
    /// ```
    #[must_use]
    pub fn value_characters(&self, payload_bytes: usize) -> Option<usize> {
        self.plaintext_bytes(payload_bytes)
            .map(|plaintext| text::encoded_length(plaintext.saturating_add(envelope::OVERHEAD)))
    }

    /// The same padding for values of at most so many characters.
    pub(crate) fn shortened_to(self, characters: usize) -> Self {
        Self { value_max_characters: self.value_max_characters.min(characters), ..self }
    }

    const fn plaintext_max_bytes(&self) -> usize {
        text::decoded_length(self.value_max_characters).saturating_sub(envelope::OVERHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_payload_fits_and_one_byte_more_does_not() {
        for value_max_characters in [200, 1000, 3000, 4082] {
            for bucket in [1, 32, 1024] {
                let lengths = CookieLengths::new(value_max_characters).padding_bucket_bytes(bucket);
                let most = lengths.payload_max_bytes();
                assert!(lengths.value_characters(most).is_some_and(|characters| characters <= value_max_characters));
                assert_eq!(lengths.value_characters(most + 1), None);
            }
        }
    }

    #[test]
    fn where_no_envelope_fits_no_payload_does() {
        let lengths = CookieLengths::new(20);
        assert_eq!((lengths.payload_max_bytes(), lengths.value_characters(0)), (0, None));
    }
}
