//! The header of a record's plaintext: wire format, section 6.
//!
//! ```text
//! offset 0     1        9        14       19       24
//!        ├─────┼────────┼────────┼────────┼────────┤
//!        kind   version  created  updated  expires
//! ```

use super::{from_u40, u40};
use crate::clock::Timestamp;
use crate::error::Reason;

/// Bytes of a header.
pub(crate) const LENGTH: usize = 24;

const OPEN: u8 = 0x02;
const CLOSED: u8 = 0x12;

/// What stands before a record's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// The session has left this record: readable until `expires` by requests in flight, and never written again.
    pub(crate) closed: bool,
    /// Grows with every write, over the whole life of the session.
    pub(crate) version: u64,
    /// Birth of the session, as in its cookie.
    pub(crate) created: Timestamp,
    /// This write.
    pub(crate) updated: Timestamp,
    /// End of a closed record. In an open one the cookie's times govern: a renewal moves the store's expiry alone.
    pub(crate) expires: Timestamp,
}

impl RecordHeader {
    pub(crate) fn write(&self, out: &mut [u8; LENGTH]) {
        let [created, updated, expires] =
            [self.created, self.updated, self.expires].map(|time| u40(time.unix_seconds()));
        let version = self.version.to_be_bytes();
        let kind = [if self.closed { CLOSED } else { OPEN }];
        let parts = [kind.as_slice(), &version, &created, &updated, &expires];
        for (slot, byte) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
    }

    pub(crate) fn read(bytes: &[u8; LENGTH]) -> Result<Self, Reason> {
        let [kind, v0, v1, v2, v3, v4, v5, v6, v7, c0, c1, c2, c3, c4, u0, u1, u2, u3, u4, e0, e1, e2, e3, e4] = *bytes;
        let closed = match kind {
            OPEN => false,
            CLOSED => true,
            _ => return Err(Reason::Malformed),
        };
        let [created, updated, expires] = [[c0, c1, c2, c3, c4], [u0, u1, u2, u3, u4], [e0, e1, e2, e3, e4]]
            .map(|time| Timestamp::from_unix_seconds(from_u40(time)));
        Ok(Self { closed, version: u64::from_be_bytes([v0, v1, v2, v3, v4, v5, v6, v7]), created, updated, expires })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let at = Timestamp::from_unix_seconds;
        for closed in [false, true] {
            let header = RecordHeader { closed, version: u64::MAX - 5, created: at(1), updated: at(2), expires: at(3) };
            let mut bytes = [0xff; LENGTH];
            header.write(&mut bytes);
            assert_eq!(RecordHeader::read(&bytes), Ok(header));
        }
    }

    #[test]
    fn every_other_first_byte_is_malformed() {
        for first in (0..=255).filter(|first| ![OPEN, CLOSED].contains(first)) {
            let mut bytes = [0; LENGTH];
            bytes[0] = first;
            assert_eq!(RecordHeader::read(&bytes), Err(Reason::Malformed));
        }
    }
}
