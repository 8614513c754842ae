//! The text of an envelope: base64url without padding, strict, one text per envelope (RFC 4648 §5, §3.5).

use base64::Engine as _;

use crate::error::Reason;
use crate::limits::COOKIE_TEXT_MIN_CHARACTERS;

/// The engine that is fastest on this processor. A constant: only which processor this is has to be asked once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64URL: std::sync::LazyLock<base64::engine::Simd> =
    std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64URL: base64::engine::GeneralPurpose = base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Appends the text of these bytes.
pub(crate) fn encode(envelope: &[u8], out: &mut String) {
    out.reserve_exact(encoded_length(envelope.len()));
    BASE64URL.encode_string(envelope, out);
}

/// The text of these bytes.
#[cfg(test)]
pub(crate) fn encoded(envelope: &[u8]) -> String {
    let mut text = String::new();
    encode(envelope, &mut text);
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

/// Bytes that a text has room for, where its length is that of an envelope of at most `longest` characters: wire format,
/// section 4, step 1.
pub(crate) fn check_length(text: &[u8], longest: usize) -> Result<usize, Reason> {
    let is_good = (COOKIE_TEXT_MIN_CHARACTERS..=longest).contains(&text.len());
    if is_good { Ok(decoded_length(text.len())) } else { Err(Reason::Malformed) }
}

/// Decodes a text into exactly its bytes: wire format, section 4, step 2.
pub(crate) fn decode(text: &[u8], bytes: &mut [u8]) -> Result<(), Reason> {
    // Security: strict. White space, padding, another alphabet or bits beyond the last byte would give one envelope
    // several texts.
    let length = BASE64URL.decode_slice(text, bytes).map_err(|_| Reason::Malformed)?;
    if length == bytes.len() { Ok(()) } else { Err(Reason::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::COOKIE_ENVELOPE_MAX_BYTES;

    fn decoded(text: &[u8], longest: usize) -> Result<Vec<u8>, Reason> {
        let mut bytes = vec![0; check_length(text, longest)?];
        decode(text, &mut bytes).map(|()| bytes)
    }

    #[test]
    fn lengths_agree_with_the_encoder() {
        for length in 0..200 {
            let text = encoded(&vec![0xff; length]);
            assert_eq!(text.len(), encoded_length(length));
            assert_eq!(decoded_length(text.len()), length);
            assert!(decoded_length(text.len() + 1) <= length + 1);
        }
    }

    #[test]
    fn a_text_is_read_as_it_was_written_up_to_the_longest() {
        for length in [82, 83, 84, 1000, COOKIE_ENVELOPE_MAX_BYTES] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7) as u8).collect();
            assert_eq!(decoded(encoded(&bytes).as_bytes(), 4096), Ok(bytes));
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
        let good = encoded(&[0xa5; 90]).into_bytes();
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
