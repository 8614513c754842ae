//! The text forms of a key: wire format, section 1.
//!
//! ```text
//! ssk1.<xaes|xchacha>.<key id, 11 characters of base64url>.<secret, 43 characters of base64url>
//! hex:<64 digits>      base64:<44 characters, padded>      base64url:<43 characters>
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::crypto::Suite;
use crate::error::KeyError;
use crate::id::KeyId;

const SELF_CHECKING: &str = "ssk1.";
const HEX: &str = "hex:";
const BASE64: &str = "base64:";
const BASE64URL: &str = "base64url:";

/// What a text form says. Only the self-checking form names a suite and a key id.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) suite: Option<Suite>,
    pub(super) key_id: Option<KeyId>,
    pub(super) secret: Zeroizing<[u8; 32]>,
}

/// Whether a word begins as a key does, so that a ring's text tells keys from marks.
pub(super) fn looks_like_a_key(word: &str) -> bool {
    [SELF_CHECKING, HEX, BASE64, BASE64URL].iter().any(|prefix| word.starts_with(prefix))
}

/// Whether a key may stand anywhere in a text: for settings that are no place for one.
#[cfg(feature = "config")]
pub(crate) fn may_hold_a_key(text: &str) -> bool {
    [SELF_CHECKING, HEX, BASE64, BASE64URL].iter().any(|prefix| text.contains(prefix))
}

pub(super) fn parse(text: &str) -> Result<Parsed, KeyError> {
    // Mounted secrets end in a newline.
    let text = text.trim_ascii();
    let raw = |secret| Parsed { suite: None, key_id: None, secret };
    if let Some(parts) = text.strip_prefix(SELF_CHECKING) {
        parse_self_checking(parts)
    } else if let Some(digits) = text.strip_prefix(HEX) {
        from_hex(digits).map(raw)
    } else if let Some(encoded) = text.strip_prefix(BASE64) {
        decode(BASE64, &STANDARD, 44, encoded).map(raw)
    } else if let Some(encoded) = text.strip_prefix(BASE64URL) {
        decode(BASE64URL, &URL_SAFE_NO_PAD, 43, encoded).map(raw)
    } else {
        // Security: refused, never guessed. 64 hexadecimal digits are valid base64url too, and a passphrase would be
        // taken for a key that anyone can search for offline.
        Err(KeyError::UnknownPrefix)
    }
}

pub(super) fn write(suite: Suite, id: &KeyId, secret: &[u8; 32]) -> Zeroizing<String> {
    // One allocation of the whole length: growing would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(80));
    text.push_str(SELF_CHECKING);
    text.push_str(suite.name());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(id.as_bytes(), &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(secret, &mut text);
    text
}

fn parse_self_checking(parts: &str) -> Result<Parsed, KeyError> {
    let mut split = parts.split('.');
    let (Some(suite), Some(key_id), Some(secret), None) = (split.next(), split.next(), split.next(), split.next())
    else {
        return Err(KeyError::Parts { found: parts.split('.').count() });
    };
    let suite = Suite::from_name(suite).ok_or(KeyError::UnknownSuite)?;
    let key_id = decode(SELF_CHECKING, &URL_SAFE_NO_PAD, 11, key_id)?;
    let secret = decode(SELF_CHECKING, &URL_SAFE_NO_PAD, 43, secret)?;
    Ok(Parsed { suite: Some(suite), key_id: Some(KeyId::from_bytes(*key_id)), secret })
}

fn decode<const N: usize>(
    form: &'static str,
    engine: &impl base64::Engine,
    expected_characters: usize,
    text: &str,
) -> Result<Zeroizing<[u8; N]>, KeyError> {
    check_length(form, expected_characters, text)?;
    // The decoder asks for room in whole groups of three bytes.
    let mut bytes = Zeroizing::new([0; 33]);
    let length = engine.decode_slice(text, bytes.as_mut_slice()).map_err(|_| KeyError::Alphabet { form })?;
    let exact = bytes.get(..length).and_then(|bytes| bytes.try_into().ok()).ok_or(KeyError::Alphabet { form })?;
    Ok(Zeroizing::new(exact))
}

fn from_hex(digits: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    check_length(HEX, 64, digits)?;
    let mut bytes = Zeroizing::new([0; 32]);
    let mut nibbles = digits.chars().map(|digit| digit.to_digit(16).and_then(|nibble| u8::try_from(nibble).ok()));
    for byte in bytes.iter_mut() {
        let (Some(Some(high)), Some(Some(low))) = (nibbles.next(), nibbles.next()) else {
            return Err(KeyError::Alphabet { form: HEX });
        };
        *byte = high << 4 | low;
    }
    Ok(bytes)
}

fn check_length(form: &'static str, expected_characters: usize, text: &str) -> Result<(), KeyError> {
    let found_characters = text.chars().count();
    if found_characters == expected_characters {
        Ok(())
    } else {
        Err(KeyError::TextLength { form, expected_characters, found_characters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    const SECRET: [u8; 32] = [
        0x1f, 0x5e, 0x16, 0x8f, 0x8e, 0xdf, 0x70, 0x23, 0xed, 0x3a, 0x25, 0x64, 0x1c, 0xbe, 0x3f, 0x85, 0xc2, 0xb6,
        0xef, 0x2f, 0x34, 0xbf, 0x90, 0x8d, 0xb2, 0x1d, 0xd4, 0x7c, 0x40, 0x5f, 0x15, 0x6e,
    ];

    fn key(suite: Suite) -> Key {
        Key::from_bytes(suite, &SECRET).unwrap()
    }

    #[test]
    fn the_self_checking_form_is_read_and_written() {
        for suite in [Suite::Xaes, Suite::XChaCha] {
            let text = key(suite).to_secret_text();
            assert_eq!(Key::from_text(&text), Ok(key(suite)));
            assert_eq!(Key::from_text(&format!(" \t{}\r\n", *text)), Ok(key(suite)));
        }
    }

    #[test]
    fn the_three_raw_forms_are_read_for_the_suite_that_is_named() {
        let digits = hex(&SECRET);
        for text in [
            format!("hex:{digits}"),
            format!("hex:{}", digits.to_uppercase()),
            format!("base64:{}", STANDARD.encode(SECRET)),
            format!("base64url:{}\n", URL_SAFE_NO_PAD.encode(SECRET)),
        ] {
            assert_eq!(Key::from_text(&text), Ok(key(Suite::Xaes)));
            assert_eq!(Key::from_text_with(&text, Suite::XChaCha), Ok(key(Suite::XChaCha)));
        }
    }

    #[test]
    fn a_text_without_a_prefix_is_never_guessed() {
        for text in ["", "secret", &hex(&SECRET), &STANDARD.encode(SECRET), "SSK1.xaes.a.b", "ssk2.xaes.a.b"] {
            assert_eq!(Key::from_text(text), Err(KeyError::UnknownPrefix), "{text}");
        }
    }

    #[test]
    fn every_changed_character_of_the_self_checking_form_is_refused() {
        let text = key(Suite::Xaes).to_secret_text();
        for (position, original) in text.char_indices() {
            for replacement in ['A', 'z', '0', '_', '=', ' ', 'é'] {
                if replacement != original {
                    let mut changed = text.to_string();
                    changed.replace_range(position..=position, &replacement.to_string());
                    assert!(Key::from_text(&changed).is_err(), "{position} {replacement}");
                }
            }
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        for text in [
            key(Suite::Xaes).to_secret_text().to_string(),
            format!("hex:{}", hex(&SECRET)),
            format!("base64:{}", STANDARD.encode(SECRET)),
            format!("base64url:{}", URL_SAFE_NO_PAD.encode(SECRET)),
        ] {
            for length in 0..text.len() {
                assert!(Key::from_text(&text[..length]).is_err(), "{length}");
            }
        }
    }

    #[test]
    fn trailing_bits_padding_and_other_alphabets_are_refused() {
        let url = URL_SAFE_NO_PAD.encode(SECRET);
        // 43 characters carry 258 bits; the last two must be zero.
        let trailing = format!("base64url:{}", url.replace(&url[42..], "5"));
        assert!(matches!(Key::from_text(&trailing), Err(KeyError::Alphabet { .. })));
        assert!(matches!(Key::from_text(&format!("base64url:{url}=")), Err(KeyError::TextLength { .. })));
        assert!(matches!(Key::from_text(&format!("base64:{url}")), Err(KeyError::TextLength { .. })));
        assert!(matches!(Key::from_text(&format!("hex:{}g", &hex(&SECRET)[..63])), Err(KeyError::Alphabet { .. })));
    }

    #[test]
    fn an_error_never_shows_a_part_of_the_text() {
        let secret = URL_SAFE_NO_PAD.encode(SECRET);
        for text in [
            format!("ssk1.xaes.AAAAAAAAAAA.{secret}"),
            format!("base64:{secret}"),
            format!("ssk1.{secret}"),
            secret.clone(),
        ] {
            let error = Key::from_text(&text).unwrap_err();
            let shown = format!("{error} {error:?}");
            for start in 0..secret.len() - 5 {
                assert!(!shown.contains(&secret[start..start + 5]), "{shown}");
            }
        }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
