//! The text of an envelope: base64url without padding, strict, one text per envelope (RFC 4648 §5, §3.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Reason;
use crate::limits::{COOKIE_ENVELOPE_MAX_BYTES, COOKIE_TEXT_MIN_CHARACTERS};

/// The text of these bytes, in one allocation of its exact length.
pub(crate) fn encode(envelope: &[u8]) -> String {
    let mut text = String::with_capacity(encoded_length(envelope.len()));
    URL_SAFE_NO_PAD.encode_string(envelope, &mut text);
    text
}

/// Characters of the text of so many bytes: four for three bytes, two or three for the rest.
pub(crate) const fn encoded_length(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// Most bytes whose text has at most so many characters.
pub(crate) const fn decoded_length(characters: usize) -> usize {
    characters.saturating_mul(3) / 4
}

/// Decodes a text of at most `longest` characters into `scratch` and returns the bytes: wire format, section 4, steps 1 and 2.
pub(crate) fn decode<'a>(
    text: &[u8],
    longest: usize,
    scratch: &'a mut [u8; COOKIE_ENVELOPE_MAX_BYTES],
) -> Result<&'a mut [u8], Reason> {
    if !(COOKIE_TEXT_MIN_CHARACTERS..=longest).contains(&text.len()) {
        return Err(Reason::Malformed);
    }
    // Security: strict. White space, padding, another alphabet or bits beyond the last byte would give one envelope
    // several texts.
    let length = URL_SAFE_NO_PAD.decode_slice(text, scratch).map_err(|_| Reason::Malformed)?;
    scratch.get_mut(..length).ok_or(Reason::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8], longest: usize) -> Result<Vec<u8>, Reason> {
        decode(text, longest, &mut [0; COOKIE_ENVELOPE_MAX_BYTES]).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn lengths_agree_with_the_encoder() {
        for length in 0..200 {
            let text = encode(&vec![0xff; length]);
            assert_eq!(text.len(), encoded_length(length));
            assert_eq!(decoded_length(text.len()), length);
            assert!(decoded_length(text.len() + 1) <= length + 1);
        }
    }

    #[test]
    fn a_text_is_read_as_it_was_written_up_to_the_longest() {
        for length in [82, 83, 84, 1000, COOKIE_ENVELOPE_MAX_BYTES] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7) as u8).collect();
            assert_eq!(decoded(encode(&bytes).as_bytes(), 4096), Ok(bytes));
        }
    }

    #[test]
    fn lengths_outside_of_the_bounds_are_malformed() {
        assert_eq!(decoded(&[b'A'; 109], 4096), Err(Reason::Malformed));
        assert_eq!(decoded(&[b'A'; 200], 199), Err(Reason::Malformed));
        assert_eq!(decoded(&[b'A'; 4097], 4097), Err(Reason::Malformed));
        assert_eq!(decoded(b"", 4096), Err(Reason::Malformed));
    }

    #[test]
    fn every_byte_outside_of_the_alphabet_is_malformed_at_every_place() {
        let good = encode(&[0xa5; 90]).into_bytes();
        for byte in (0..=255u8).filter(|byte| !(byte.is_ascii_alphanumeric() || b"-_".contains(byte))) {
            for position in [0, 1, 60, good.len() - 1] {
                let mut text = good.clone();
                text[position] = byte;
                assert_eq!(decoded(&text, 4096), Err(Reason::Malformed), "{byte:#04x} at {position}");
            }
        }
    }

    #[test]
    fn bits_beyond_the_last_byte_are_malformed() {
        // 110 characters carry 82 bytes and four bits, 111 carry 83 bytes and two bits.
        for length in [110, 111] {
            let mut text = vec![b'A'; length];
            assert!(decoded(&text, 4096).is_ok());
            text[length - 1] = b'B';
            assert_eq!(decoded(&text, 4096), Err(Reason::Malformed));
        }
    }

    #[test]
    fn a_length_that_no_bytes_encode_to_is_malformed() {
        assert_eq!(decoded(&[b'A'; 113], 4096), Err(Reason::Malformed));
    }
}
