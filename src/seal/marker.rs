//! Markers of sessions that a browser has left, made and verified: wire format, section 12.

use super::Sealer;
use crate::clock::Timestamp;
use crate::crypto::{constant_time_equal, hmac_sha256};
use crate::error::SealError;
use crate::id::PublicId;
use crate::key::Key;
use crate::wire::marker::{MAC_LENGTH, Marker, covered};

impl Sealer {
    /// The value of the marker of a session that ends now in this browser, or that has just taken the place of a predecessor.
    pub(crate) fn marker(
        &self,
        id: PublicId,
        predecessor: Option<PublicId>,
        now: Timestamp,
    ) -> Result<String, SealError> {
        let ring = self.ring.load();
        let slot = ring.sealing(now).ok_or(SealError::NoSealingKey)?;
        let mac = self.marker_mac(slot.key(), now, id, predecessor).unwrap_or_default();
        Ok(Marker { key_id: slot.key().id(), set_at: now, predecessor, mac }.to_text())
    }

    /// When the marker was set, and the session's predecessor, if a holder of the ring set it for this session.
    // Security: without the MAC, whoever can plant a cookie of this name could log the user out.
    pub(crate) fn verify_marker(
        &self,
        id: PublicId,
        value: &[u8],
        now: Timestamp,
    ) -> Option<(Timestamp, Option<PublicId>)> {
        let Marker { key_id, set_at, predecessor, mac } = Marker::from_text(value)?;
        let ring = self.ring.load();
        let slot = ring.find(&key_id).filter(|slot| slot.may_open(&self.rotation, now))?;
        let expected = self.marker_mac(slot.key(), set_at, id, predecessor)?;
        constant_time_equal(&expected, &mac).then_some((set_at, predecessor))
    }

    fn marker_mac(
        &self,
        key: &Key,
        set_at: Timestamp,
        id: PublicId,
        predecessor: Option<PublicId>,
    ) -> Option<[u8; MAC_LENGTH]> {
        let covered = covered(set_at, id, predecessor, &self.cookie_name, &self.audience)?;
        hmac_sha256(key.marker_key(), &[&covered]).first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

    fn sealer(key: &Key, name: &str, audience: &str) -> Sealer {
        Sealer::builder(key.clone()).cookie_name(name).audience(audience).build().unwrap()
    }

    #[test]
    fn a_marker_is_good_for_its_session_name_audience_ring_and_predecessor_alone() {
        let (key, id, other) = (Key::generate().unwrap(), PublicId::from_bytes([7; 8]), PublicId::from_bytes([8; 8]));
        let here = sealer(&key, "session", "shop");
        for predecessor in [None, Some(other)] {
            let text = here.marker(id, predecessor, NOW).unwrap();
            assert_eq!(here.verify_marker(id, text.as_bytes(), NOW), Some((NOW, predecessor)));
            assert_eq!(here.verify_marker(other, text.as_bytes(), NOW), None);
            let others = [
                sealer(&key, "other", "shop"),
                sealer(&key, "session", "admin"),
                sealer(&Key::generate().unwrap(), "session", "shop"),
            ];
            for elsewhere in others {
                assert_eq!(elsewhere.verify_marker(id, text.as_bytes(), NOW), None);
            }
        }
    }

    #[test]
    fn a_marker_with_one_bit_changed_is_refused() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let (key, id) = (Key::generate().unwrap(), PublicId::from_bytes([7; 8]));
        let sealer = sealer(&key, "session", "shop");
        let bytes = URL_SAFE_NO_PAD.decode(sealer.marker(id, None, NOW).unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let text = URL_SAFE_NO_PAD.encode(&changed);
            assert_eq!(sealer.verify_marker(id, text.as_bytes(), NOW), None, "bit {bit}");
        }
    }
}
