//! The header of a record's plaintext: wire format, section 6.
//!
//! ```text
//! offset 0     1        9        14       19       24        29    37           42       106
//!        ├─────┼────────┼────────┼────────┼────────┼─────────┼─────┼────────────┼────────┤
//!        kind   version  created  updated  expires  lifetime  base  base issued  lineage
//! bits   7 6 = persistence │ 5 4 = state │ 3…0 = 2
//! ```

use super::cookie::Persistence;
use super::cookie::{from_u40, u40};
use crate::clock::Timestamp;
use crate::error::Reason;

/// Bytes of a header.
pub(crate) const LENGTH: usize = 42 + 8 * Lineage::RECENT;

const KIND: u8 = 0b0000_0010;
const KIND_BITS: u8 = 0b0000_1111;
const STATE_BITS: u8 = 0b0011_0000;
const PERSISTENCE_BITS: u8 = 0b1100_0000;

/// Names one write: the first eight bytes of the nonce of the cookie that was sealed for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WriteId([u8; 8]);

impl WriteId {
    pub(crate) fn of_nonce(nonce: &[u8; 24]) -> Self {
        Self(nonce.first_chunk().copied().unwrap_or_default())
    }

    #[cfg(test)]
    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

/// What a record is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// The session is here.
    Open,
    /// The session went back into its cookie. Older references still read and write it here.
    Returned,
    /// The session goes on under another id. Until `expires` this shows what the old id showed before.
    Left,
    /// The session is over. The record holds no data and keeps a late write from reviving it.
    Ended,
}

/// Which writes led to a record. It answers two questions: whether a write happened whose answer was lost, and whether the
/// record descends from a cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// The cookie that the record was first made from.
    pub(crate) base: WriteId,
    pub(crate) base_issued: Timestamp,
    /// The newest first; zeros where there were fewer.
    recent: [WriteId; Lineage::RECENT],
}

impl Lineage {
    /// Writes that are remembered.
    pub(crate) const RECENT: usize = 8;

    /// Of a record that is made from this cookie.
    pub(crate) const fn from_base(base: WriteId, base_issued: Timestamp) -> Self {
        Self { base, base_issued, recent: [WriteId([0; 8]); Self::RECENT] }
    }

    /// The same with one more write.
    pub(crate) fn followed_by(mut self, write: WriteId) -> Self {
        if write != WriteId::default() && self.recent.first() != Some(&write) {
            self.recent.rotate_right(1);
            if let Some(first) = self.recent.first_mut() {
                *first = write;
            }
        }
        self
    }

    pub(crate) fn newest(&self) -> Option<WriteId> {
        self.recent.first().copied().filter(|write| *write != WriteId::default())
    }

    pub(crate) fn contains(&self, write: WriteId) -> bool {
        write != WriteId::default() && (write == self.base || self.recent.contains(&write))
    }

    /// Whether this write is among the last eight. The base is kept for ever, and says nothing about what was forgotten since.
    pub(crate) fn remembers(&self, write: WriteId) -> bool {
        write != WriteId::default() && self.recent.contains(&write)
    }

    /// Whether the session began in this record: no cookie with its data came before.
    pub(crate) fn has_no_ancestor(&self) -> bool {
        let written = self.recent.iter().rev().find(|write| **write != WriteId::default());
        self.is_complete() && written == Some(&self.base)
    }

    /// Whether no write has been forgotten yet.
    pub(crate) fn is_complete(&self) -> bool {
        self.recent.last() == Some(&WriteId::default())
    }
}

/// What stands before a record's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) state: RecordState,
    pub(crate) persistence: Persistence,
    /// Under [`Persistence::OwnLifetime`], in seconds; otherwise zero.
    pub(crate) lifetime_seconds: u64,
    /// Grows with every write, over the whole life of the session.
    pub(crate) version: u64,
    /// Birth of the session, as in its cookie.
    pub(crate) created: Timestamp,
    /// This write.
    pub(crate) updated: Timestamp,
    /// Until when a record that was left can be read. In the other states the cookie's times govern.
    pub(crate) expires: Timestamp,
    pub(crate) lineage: Lineage,
}

impl RecordHeader {
    pub(crate) fn write(&self, out: &mut [u8; LENGTH]) {
        let state = match self.state {
            RecordState::Open => 0x00,
            RecordState::Returned => 0x10,
            RecordState::Left => 0x20,
            RecordState::Ended => 0x30,
        };
        let persistence = match self.persistence {
            Persistence::IdleTimeout => 0x00,
            Persistence::BrowserSession => 0x40,
            Persistence::OwnLifetime => 0x80,
        };
        let [created, updated, expires, base_issued] =
            [self.created, self.updated, self.expires, self.lineage.base_issued].map(|time| u40(time.unix_seconds()));
        let lifetime = u40(self.lifetime_seconds);
        let (version, kind) = (self.version.to_be_bytes(), [KIND | state | persistence]);
        let parts = [kind.as_slice(), &version, &created, &updated, &expires, &lifetime];
        let base = [self.lineage.base.0.as_slice(), &base_issued];
        let recent = self.lineage.recent.iter().map(|write| write.0.as_slice());
        let bytes = parts.into_iter().chain(base).chain(recent).flatten();
        for (slot, byte) in out.iter_mut().zip(bytes) {
            *slot = *byte;
        }
    }

    /// Unknown kinds and flags are refused, never skipped.
    pub(crate) fn read(bytes: &[u8; LENGTH]) -> Result<Self, Reason> {
        let mut rest = bytes.as_slice();
        let [kind] = take(&mut rest)?;
        if kind & KIND_BITS != KIND {
            return Err(Reason::Malformed);
        }
        let state = match kind & STATE_BITS {
            0x00 => RecordState::Open,
            0x10 => RecordState::Returned,
            0x20 => RecordState::Left,
            _ => RecordState::Ended,
        };
        let persistence = match kind & PERSISTENCE_BITS {
            0x00 => Persistence::IdleTimeout,
            0x40 => Persistence::BrowserSession,
            0x80 => Persistence::OwnLifetime,
            _ => return Err(Reason::Malformed),
        };
        let version = u64::from_be_bytes(take(&mut rest)?);
        let mut number = || Ok(from_u40(take(&mut rest)?));
        let (created, updated, expires, lifetime_seconds) = (number()?, number()?, number()?, number()?);
        let base = WriteId(take(&mut rest)?);
        let base_issued = Timestamp::from_unix_seconds(from_u40(take(&mut rest)?));
        let mut recent = [WriteId::default(); Lineage::RECENT];
        for write in &mut recent {
            *write = WriteId(take(&mut rest)?);
        }
        let [created, updated, expires] = [created, updated, expires].map(Timestamp::from_unix_seconds);
        let lineage = Lineage { base, base_issued, recent };
        Ok(Self { state, persistence, lifetime_seconds, version, created, updated, expires, lineage })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Reason> {
    let (first, others) = rest.split_first_chunk().ok_or(Reason::Malformed)?;
    *rest = others;
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [RecordState; 4] = [RecordState::Open, RecordState::Returned, RecordState::Left, RecordState::Ended];

    fn lineage(writes: u8) -> Lineage {
        let base = Lineage::from_base(WriteId([0xff; 8]), Timestamp::from_unix_seconds(9));
        (1..=writes).fold(base, |lineage, write| lineage.followed_by(WriteId([write; 8])))
    }

    fn header(state: RecordState, persistence: Persistence) -> RecordHeader {
        let [created, updated, expires] = [1, 2, 3].map(Timestamp::from_unix_seconds);
        let (version, lifetime_seconds) = (u64::MAX - 5, 0x01_02_03_04_05);
        RecordHeader { state, persistence, lifetime_seconds, version, created, updated, expires, lineage: lineage(3) }
    }

    #[test]
    fn every_state_and_persistence_is_read_as_it_was_written() {
        for state in STATES {
            for persistence in [Persistence::IdleTimeout, Persistence::BrowserSession, Persistence::OwnLifetime] {
                let mut bytes = [0xff; LENGTH];
                header(state, persistence).write(&mut bytes);
                assert_eq!(RecordHeader::read(&bytes), Ok(header(state, persistence)));
            }
        }
    }

    #[test]
    fn the_fields_stand_where_the_format_puts_them() {
        let mut bytes = [0; LENGTH];
        header(RecordState::Left, Persistence::OwnLifetime).write(&mut bytes);
        let expected = [
            [0xa2].as_slice(),
            &(u64::MAX - 5).to_be_bytes(),
            &[0, 0, 0, 0, 1],
            &[0, 0, 0, 0, 2],
            &[0, 0, 0, 0, 3],
            &[1, 2, 3, 4, 5],
            &[0xff; 8],
            &[0, 0, 0, 0, 9],
            &[3; 8],
            &[2; 8],
            &[1; 8],
            &[0; 40],
        ]
        .concat();
        assert_eq!(bytes.as_slice(), expected);
    }

    #[test]
    fn every_other_first_byte_is_malformed() {
        for first in 0..=255 {
            let mut bytes = [0; LENGTH];
            bytes[0] = first;
            let is_known = first & KIND_BITS == KIND && first & PERSISTENCE_BITS != PERSISTENCE_BITS;
            assert_eq!(RecordHeader::read(&bytes).is_ok(), is_known, "{first:#04x}");
        }
    }

    #[test]
    fn a_lineage_remembers_its_base_and_the_last_eight_writes() {
        let lineage = lineage(9);
        assert!(lineage.contains(WriteId([0xff; 8])));
        assert!(!lineage.contains(WriteId([1; 8])), "evicted");
        assert!((2..=9).all(|write| lineage.contains(WriteId([write; 8]))));
        assert_eq!(lineage.newest(), Some(WriteId([9; 8])));
        assert!(!lineage.contains(WriteId::default()));
    }

    #[test]
    fn a_lineage_of_eight_writes_may_have_forgotten_one() {
        assert!(lineage(7).is_complete());
        assert!(!lineage(8).is_complete());
    }
}
