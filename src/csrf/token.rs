//! CSRF tokens, made and verified: wire format, section 8. Nothing is stored.
//!
//! ```text
//! offset 0   1    9     25    41
//!        ├───┼────┼─────┼─────┤        base64url: 55 characters
//!        ver  kid  salt  mac
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::crypto::{constant_time_equal, hmac_sha256, random};
use crate::error::{Reason, SealError};
use crate::id::{KeyId, SessionId};
use crate::key::Key;
use crate::seal::Sealer;
use crate::wire::VERSION;

/// Bytes of a salt.
const SALT_LENGTH: usize = 16;
/// Bytes of a MAC: HMAC-SHA256, cut.
const MAC_LENGTH: usize = 16;

const TOKEN_LENGTH: usize = 1 + KeyId::LENGTH + SALT_LENGTH + MAC_LENGTH;
const CONTEXT: &[u8] = b"\x16sealed-session/v1 csrf";

/// A token, taken apart and not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CsrfToken {
    key_id: KeyId,
    salt: [u8; SALT_LENGTH],
    mac: [u8; MAC_LENGTH],
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
fn length16(text: &str) -> Option<[u8; 2]> {
    u16::try_from(text.len()).ok().map(u16::to_be_bytes)
}

/// What the MAC covers: `lp8(CTX ‖ " csrf") ‖ salt ‖ session id ‖ lp16(scope) ‖ lp16(audience)`.
// Security: the scope stands inside the MAC, so no token of one form, or of the whole session, can be turned into one of
// another form (CVE-2020-8166).
fn covered<'a>(
    salt: &'a [u8; SALT_LENGTH],
    session: &'a SessionId,
    scope: (&'a [u8; 2], &'a str),
    audience: (&'a [u8; 2], &'a str),
) -> [&'a [u8]; 7] {
    [CONTEXT, salt, session.as_bytes(), scope.0, scope.1.as_bytes(), audience.0, audience.1.as_bytes()]
}

impl Sealer {
    /// A new token for this session. The scope is empty for the whole session, or names one form.
    // Security: a fresh salt each time, so that nothing secret repeats in a compressed page (BREACH).
    pub(crate) fn csrf_token(&self, session: &SessionId, scope: &str, now: Timestamp) -> Result<String, SealError> {
        let mut salt = [0; SALT_LENGTH];
        random::fill(&mut salt)?;
        let ring = self.ring().load();
        let slot = ring.sealing(now).ok_or(SealError::NoSealingKey)?;
        slot.counts().sealed();
        Ok(self.csrf_token_with(slot.key(), salt, session, scope).to_text())
    }

    pub(crate) fn csrf_token_with(
        &self,
        key: &Key,
        salt: [u8; SALT_LENGTH],
        session: &SessionId,
        scope: &str,
    ) -> CsrfToken {
        let mac = self.csrf_mac(key, &salt, session, scope);
        CsrfToken { key_id: key.id(), salt, mac: mac.unwrap_or_default() }
    }

    /// Whether this is a token of this session and scope, made under a key of the ring that still opens.
    pub(crate) fn verify_csrf(&self, session: &SessionId, token: &str, scope: &str, now: Timestamp) -> bool {
        let Some(token) = CsrfToken::from_text(token) else { return false };
        let ring = self.ring().load();
        let Some(slot) = ring.find(&token.key_id) else { return false };
        let outcome = if slot.may_open(self.rotation_settings(), now) {
            // Security: constant time, or the time of a refusal tells a forger how much of a guess was right.
            self.csrf_mac(slot.key(), &token.salt, session, scope)
                .filter(|mac| constant_time_equal(mac, &token.mac))
                .ok_or(Reason::Unauthentic)
        } else {
            Err(Reason::KeyRetired)
        };
        slot.counts().opened(&outcome, now);
        outcome.is_ok()
    }

    /// `None` for a scope or an audience that the format cannot carry: no token of it is made and none verifies.
    fn csrf_mac(
        &self,
        key: &Key,
        salt: &[u8; SALT_LENGTH],
        session: &SessionId,
        scope: &str,
    ) -> Option<[u8; MAC_LENGTH]> {
        let (scope_length, audience_length) = (length16(scope)?, length16(self.audience())?);
        let parts = covered(salt, session, (&scope_length, scope), (&audience_length, self.audience()));
        let tag = hmac_sha256(key.csrf_key(), &parts);
        tag.first_chunk().copied()
    }
}

/// Why a CSRF token is not accepted. Adapters answer 403 to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrfError {
    /// The request carries no token.
    Missing,
    /// The request carries no session that a token could belong to.
    NoSession,
    /// The token was not made for this session and scope.
    Mismatch,
}

impl CsrfError {
    /// The status that an adapter answers with: 403.
    #[must_use]
    pub const fn status_code(self) -> u16 {
        403
    }
}

impl fmt::Display for CsrfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the request carries no CSRF token; send the form's field or the header",
            Self::NoSession => "the request carries no session; load the form again",
            Self::Mismatch => "the CSRF token is not of this session and form; load the form again",
        })
    }
}

impl std::error::Error for CsrfError {}

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
