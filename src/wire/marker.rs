//! Markers of sessions that a browser has left: wire format, section 12.
//!
//! ```text
//! offset 0   1    9        14          22    38
//!        ├───┼────┼────────┼───────────┼─────┤        base64url: 51 characters
//!        ver  kid   set at   predecessor   mac
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::VERSION;
use super::{from_u40, u40};
use crate::clock::Timestamp;
use crate::id::{KeyId, PublicId};

/// Bytes of a MAC: HMAC-SHA256, cut.
pub(crate) const MAC_LENGTH: usize = 16;

const LENGTH: usize = 1 + KeyId::LENGTH + 5 + PublicId::LENGTH + MAC_LENGTH;
const CONTEXT: &[u8] = b"\x18sealed-session/v1 marker";

/// A marker's value, taken apart and not yet verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) key_id: KeyId,
    pub(crate) set_at: Timestamp,
    /// The session that took the place of the one that was left; `None` where that has ended.
    pub(crate) predecessor: Option<PublicId>,
    pub(crate) mac: [u8; MAC_LENGTH],
}

impl Marker {
    pub(crate) fn to_text(self) -> String {
        let set_at = u40(self.set_at.unix_seconds());
        let predecessor = predecessor_bytes(self.predecessor);
        let parts = [&[VERSION], self.key_id.as_bytes().as_slice(), &set_at, &predecessor, &self.mac];
        let mut bytes = [0; LENGTH];
        for (slot, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything that is not the text of a marker of this version.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let bytes: &[u8; LENGTH] = bytes.get(..length)?.try_into().ok()?;
        let ([VERSION], rest) = bytes.split_first_chunk::<1>()? else { return None };
        let (key_id, rest) = rest.split_first_chunk()?;
        let (set_at, rest) = rest.split_first_chunk()?;
        let (predecessor, mac) = rest.split_first_chunk()?;
        let set_at = Timestamp::from_unix_seconds(from_u40(*set_at));
        let predecessor = (*predecessor != NONE).then_some(PublicId::from_bytes(*predecessor));
        Some(Self { key_id: KeyId::from_bytes(*key_id), set_at, predecessor, mac: mac.try_into().ok()? })
    }
}

/// Where there is no predecessor. No session has this public id but by a chance of one in 2⁶⁴.
const NONE: [u8; PublicId::LENGTH] = [0; PublicId::LENGTH];

fn predecessor_bytes(predecessor: Option<PublicId>) -> [u8; PublicId::LENGTH] {
    predecessor.map_or(NONE, |predecessor| *predecessor.as_bytes())
}

/// What the MAC covers, in one piece: `lp8(CTX ‖ " marker") ‖ u40(set at) ‖ public id ‖ predecessor ‖ lp16(cookie name) ‖
/// lp16(audience)`.
pub(crate) fn covered(
    set_at: Timestamp,
    id: PublicId,
    predecessor: Option<PublicId>,
    cookie_name: &str,
    audience: &str,
) -> Option<Vec<u8>> {
    let lengths = [cookie_name, audience].map(|text| u16::try_from(text.len()).ok().map(u16::to_be_bytes));
    let [Some(name_length), Some(audience_length)] = lengths else { return None };
    let set_at = u40(set_at.unix_seconds());
    let predecessor = predecessor_bytes(predecessor);
    let head = [CONTEXT, &set_at, id.as_bytes(), &predecessor];
    let names = [&name_length, cookie_name.as_bytes(), &audience_length, audience.as_bytes()];
    Some(head.into_iter().chain(names).flatten().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        let set_at = Timestamp::from_unix_seconds(1_795_000_000);
        for predecessor in [None, Some(PublicId::from_bytes([9; 8]))] {
            let marker = Marker { key_id: KeyId::from_bytes([3; 8]), set_at, predecessor, mac: [7; MAC_LENGTH] };
            let text = marker.to_text();
            assert_eq!(text.len(), 51);
            assert_eq!(Marker::from_text(text.as_bytes()), Some(marker));
        }
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        let (key_id, mac) = (KeyId::from_bytes([3; 8]), [7; MAC_LENGTH]);
        let good = Marker { key_id, set_at: Timestamp::MAX, predecessor: None, mac }.to_text();
        for text in [String::new(), "A".repeat(51), good[1..].to_owned(), format!("{good}A"), good.replace('A', "=")] {
            assert_eq!(Marker::from_text(text.as_bytes()), None, "{text}");
        }
    }
}
