//! What a seal is bound to: purpose, version and key id, and the place where the envelope stands.
// Security: the values that Laravel, iron, h3 and others left out (2020) are what lets one cookie be replayed as another.

use super::envelope::PREFIX_LENGTH;
use crate::id::RecordId;
use crate::limits::{AUDIENCE_MAX_BYTES, COOKIE_NAME_MAX_BYTES};

const COOKIE: &[u8] = b"sealed-session/v1 cookie";
const RECORD: &[u8] = b"sealed-session/v1 record";

const CAPACITY: usize = 1 + COOKIE.len() + PREFIX_LENGTH + 2 + COOKIE_NAME_MAX_BYTES + 2 + AUDIENCE_MAX_BYTES;

/// Associated data on the stack: opening a forged cookie allocates nothing.
pub(crate) struct AssociatedData {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl AssociatedData {
    /// For a cookie: wire format, section 2. `None` when the name or the audience is over its limit.
    pub(crate) fn cookie(prefix: &[u8; PREFIX_LENGTH], name: &str, audience: &str) -> Option<Self> {
        let (name_length, audience_length) = (length16(name)?, length16(audience)?);
        Self::join([
            &length8(COOKIE),
            COOKIE,
            prefix,
            &name_length,
            name.as_bytes(),
            &audience_length,
            audience.as_bytes(),
        ])
    }

    /// For a record: wire format, section 6. `None` when the audience is over its limit.
    pub(crate) fn record(prefix: &[u8; PREFIX_LENGTH], id: &RecordId, audience: &str) -> Option<Self> {
        let audience_length = length16(audience)?;
        Self::join([&length8(RECORD), RECORD, prefix, id.as_bytes(), &audience_length, audience.as_bytes()])
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn join<const N: usize>(parts: [&[u8]; N]) -> Option<Self> {
        let mut bytes = [0; CAPACITY];
        let mut rest = bytes.as_mut_slice();
        for part in parts {
            let (slot, behind) = rest.split_at_mut_checked(part.len())?;
            slot.copy_from_slice(part);
            rest = behind;
        }
        let length = CAPACITY.checked_sub(rest.len())?;
        Some(Self { bytes, length })
    }
}

fn length8(constant: &'static [u8]) -> [u8; 1] {
    let [.., length] = constant.len().to_be_bytes();
    [length]
}

fn length16(text: &str) -> Option<[u8; 2]> {
    u16::try_from(text.len()).ok().map(u16::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_cookie_stand_behind_their_lengths() {
        let data = AssociatedData::cookie(&[1, 2, 3, 4, 5, 6, 7, 8, 9], "ab", "c").unwrap();
        let expected = b"\x18sealed-session/v1 cookie\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00\x02ab\x00\x01c";
        assert_eq!(data.as_bytes(), expected);
    }

    #[test]
    fn the_parts_of_a_record_stand_behind_their_lengths() {
        let data = AssociatedData::record(&[0; 9], &RecordId::from_bytes([7; 16]), "é").unwrap();
        let expected = [b"\x18sealed-session/v1 record".as_slice(), &[0; 9], &[7; 16], b"\x00\x02\xc3\xa9"].concat();
        assert_eq!(data.as_bytes(), expected);
    }

    #[test]
    fn the_longest_name_and_audience_fit_and_one_byte_more_is_refused() {
        let (name, audience) = ("n".repeat(COOKIE_NAME_MAX_BYTES), "a".repeat(AUDIENCE_MAX_BYTES));
        assert!(AssociatedData::cookie(&[0; 9], &name, &audience).is_some());
        assert!(AssociatedData::cookie(&[0; 9], &format!("{name}n"), &audience).is_none());
    }
}
