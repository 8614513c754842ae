//! CSRF tokens, made and verified: wire format, section 8. Nothing is stored.

use super::Sealer;
use crate::clock::Timestamp;
use crate::crypto::{constant_time_equal, hmac_sha256, random};
use crate::error::{Reason, SealError};
use crate::id::SessionId;
use crate::key::Key;
use crate::wire::csrf::{CsrfToken, MAC_LENGTH, SALT_LENGTH, covered, length16};

impl Sealer {
    /// A new token for this session. The scope is empty for the whole session, or names one form.
    // Security: a fresh salt each time, so that nothing secret repeats in a compressed page (BREACH).
    pub(crate) fn csrf_token(&self, session: &SessionId, scope: &str, now: Timestamp) -> Result<String, SealError> {
        let mut salt = [0; SALT_LENGTH];
        random::fill(&mut salt)?;
        let ring = self.ring.load();
        let slot = ring.sealing(now).ok_or(SealError::NoSealingKey)?;
        slot.counts().sealed();
        Ok(self.csrf_token_with(slot.key(), salt, session, scope).to_text())
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

    /// Whether this is a token of this session and scope, made under a key of the ring that still opens.
    pub(crate) fn verify_csrf(&self, session: &SessionId, token: &str, scope: &str, now: Timestamp) -> bool {
        let Some(token) = CsrfToken::from_text(token) else { return false };
        let ring = self.ring.load();
        let Some(slot) = ring.find(&token.key_id) else { return false };
        let outcome = if slot.may_open(&self.rotation, now) {
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
        let (scope_length, audience_length) = (length16(scope)?, length16(&self.audience)?);
        let parts = covered(salt, session, (&scope_length, scope), (&audience_length, &self.audience));
        let tag = hmac_sha256(key.csrf_key(), &parts);
        tag.first_chunk().copied()
    }
}
