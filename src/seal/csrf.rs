//! CSRF tokens, made and verified: wire format, section 8. Nothing is stored.

use super::Sealer;
use crate::crypto::{constant_time_equal, hmac_sha256, random};
use crate::error::RandomError;
use crate::id::SessionId;
use crate::key::Key;
use crate::wire::csrf::{CsrfToken, MAC_LENGTH, SALT_LENGTH, covered, length16};

impl Sealer {
    /// A new token for this session. The scope is empty for the whole session, or names one form.
    // Security: a fresh salt each time, so that nothing secret repeats in a compressed page (BREACH).
    pub(crate) fn csrf_token(&self, session: &SessionId, scope: &str) -> Result<String, RandomError> {
        let mut salt = [0; SALT_LENGTH];
        random::fill(&mut salt)?;
        Ok(self.csrf_token_with(self.ring.current().sealing_key(), salt, session, scope).to_text())
    }

    pub(super) fn csrf_token_with(
        &self,
        key: &Key,
        salt: [u8; SALT_LENGTH],
        session: &SessionId,
        scope: &str,
    ) -> CsrfToken {
        let mac = self.csrf_mac(key, &salt, session, scope);
        CsrfToken { key_id: key.id(), salt, mac: mac.unwrap_or_default() }
    }

    /// Whether this is a token of this session and scope, made under a key of the ring.
    pub(crate) fn verify_csrf(&self, session: &SessionId, token: &str, scope: &str) -> bool {
        let Some(token) = CsrfToken::from_text(token) else { return false };
        let ring = self.ring.current();
        let Some(key) = ring.find(&token.key_id) else { return false };
        // Security: constant time, or the time of a refusal tells a forger how much of a guess was right.
        self.csrf_mac(key, &token.salt, session, scope).is_some_and(|mac| constant_time_equal(&mac, &token.mac))
    }

    /// `None` for a scope or an audience that the format cannot carry: no token of it is made and none verifies.
    fn csrf_mac(
        &self,
        key: &Key,
        salt: &[u8; SALT_LENGTH],
        session: &SessionId,
        scope: &str,
    ) -> Option<[u8; MAC_LENGTH]> {
        let (scope_length, audience_length) = (length16(scope)?, length16(&self.audience)?);
        let parts = covered(salt, session, (&scope_length, scope), (&audience_length, &self.audience));
        let tag = hmac_sha256(key.csrf_key(), &parts);
        tag.first_chunk().copied()
    }
}
