//! CSRF tokens: wire format, section 8.
//!
//! ```text
//! offset 0   1    9     25    41
//!        ├───┼────┼─────┼─────┤        base64url: 55 characters
//!        ver  kid  salt  mac
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::VERSION;
use crate::id::{KeyId, SessionId};

/// Bytes of a salt.
pub(crate) const SALT_LENGTH: usize = 16;
/// Bytes of a MAC: HMAC-SHA256, cut.
pub(crate) const MAC_LENGTH: usize = 16;

const TOKEN_LENGTH: usize = 1 + KeyId::LENGTH + SALT_LENGTH + MAC_LENGTH;
const CONTEXT: &[u8] = b"\x16sealed-session/v1 csrf";

/// A token, taken apart and not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CsrfToken {
    pub(crate) key_id: KeyId,
    pub(crate) salt: [u8; SALT_LENGTH],
    pub(crate) mac: [u8; MAC_LENGTH],
}

impl CsrfToken {
    pub(crate) fn to_text(self) -> String {
        let parts = [&[VERSION], self.key_id.as_bytes().as_slice(), &self.salt, &self.mac];
        let mut bytes = [0; TOKEN_LENGTH];
        for (slot, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything that is not the text of a token of this version.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        // The decoder asks for room in whole groups of three bytes.
        let mut bytes = [0; TOKEN_LENGTH + 1];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let bytes: &[u8; TOKEN_LENGTH] = bytes.get(..length)?.try_into().ok()?;
        let ([VERSION], rest) = bytes.split_first_chunk::<1>()? else { return None };
        let (key_id, rest) = rest.split_first_chunk()?;
        let (salt, mac) = rest.split_first_chunk()?;
        Some(Self { key_id: KeyId::from_bytes(*key_id), salt: *salt, mac: mac.try_into().ok()? })
    }
}

/// The lengths that stand before `scope` and `audience` in what the MAC covers.
pub(crate) fn length16(text: &str) -> Option<[u8; 2]> {
    u16::try_from(text.len()).ok().map(u16::to_be_bytes)
}

/// What the MAC covers: `lp8(CTX ‖ " csrf") ‖ salt ‖ session id ‖ lp16(scope) ‖ lp16(audience)`.
// Security: the scope stands inside the MAC, so no token of one form, or of the whole session, can be turned into one of
// another form (CVE-2020-8166).
pub(crate) fn covered<'a>(
    salt: &'a [u8; SALT_LENGTH],
    session: &'a SessionId,
    scope: (&'a [u8; 2], &'a str),
    audience: (&'a [u8; 2], &'a str),
) -> [&'a [u8]; 7] {
    [CONTEXT, salt, session.as_bytes(), scope.0, scope.1.as_bytes(), audience.0, audience.1.as_bytes()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> CsrfToken {
        CsrfToken { key_id: KeyId::from_bytes([1; 8]), salt: [2; 16], mac: [3; 16] }
    }

    #[test]
    fn a_token_of_55_characters_is_read_as_it_was_written() {
        let text = token().to_text();
        assert_eq!(text.len(), 55);
        assert_eq!(CsrfToken::from_text(&text), Some(token()));
    }

    #[test]
    fn another_version_length_or_alphabet_is_no_token() {
        let text = token().to_text();
        assert_eq!(CsrfToken::from_text(&text.replacen("AQ", "Ag", 1)), None);
        for length in 0..text.len() {
            assert_eq!(CsrfToken::from_text(&text[..length]), None);
        }
        for longer in
            [format!("{text}A"), format!("{text}="), format!(" {text}"), format!("{text}AAAA"), "é".repeat(30)]
        {
            assert_eq!(CsrfToken::from_text(&longer), None);
        }
    }

    #[test]
    fn the_context_stands_behind_its_length() {
        assert_eq!(usize::from(CONTEXT[0]), CONTEXT.len() - 1);
    }
}
