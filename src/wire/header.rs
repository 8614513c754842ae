//! The header of a cookie's plaintext: wire format, section 3.
//!
//! ```text
//! offset 0           1           17       22       27        32
//!        ├───────────┼───────────┼────────┼────────┼─────────┤
//!        kind, flags  session id  created  issued   expires
//! bits   7 6 = 0 │ 5 own lifetime │ 4 browser session │ 3…0 kind
//! ```

use super::{from_u40, u40};
use crate::clock::Timestamp;
use crate::error::Reason;
use crate::id::SessionId;

/// Bytes of a header.
pub(crate) const LENGTH: usize = 32;

const KIND_BITS: u8 = 0b0000_1111;
const BROWSER_SESSION: u8 = 0b0001_0000;
const OWN_LIFETIME: u8 = 0b0010_0000;

/// Where the data of a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the cookie, behind the header.
    Inline,
    /// In a record of the server store.
    Reference,
}

/// How long a session lives beyond its last sealing, and whether it outlives the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// For the configured idle timeout.
    #[default]
    IdleTimeout,
    /// For the configured idle timeout, and no longer than the browser runs: no `Max-Age`.
    BrowserSession,
    /// For a duration of its own, asked for with `remember`.
    OwnLifetime,
}

/// What stands before the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) persistence: Persistence,
    pub(crate) id: SessionId,
    /// Birth of the session: the absolute lifetime counts from here.
    pub(crate) created: Timestamp,
    /// This sealing.
    pub(crate) issued: Timestamp,
    /// End of the idle lifetime.
    pub(crate) expires: Timestamp,
}

impl Header {
    pub(crate) fn write(&self, out: &mut [u8; LENGTH]) {
        let kind = match self.kind {
            Kind::Inline => 0,
            Kind::Reference => 1,
        };
        let flags = match self.persistence {
            Persistence::IdleTimeout => 0,
            Persistence::BrowserSession => BROWSER_SESSION,
            Persistence::OwnLifetime => OWN_LIFETIME,
        };
        let [created, issued, expires] = [self.created, self.issued, self.expires].map(|time| u40(time.unix_seconds()));
        let mut rest = out.as_mut_slice();
        for part in [&[kind | flags], self.id.as_bytes().as_slice(), &created, &issued, &expires] {
            // They fill it exactly.
            let Some((slot, after)) = rest.split_at_mut_checked(part.len()) else { return };
            slot.copy_from_slice(part);
            rest = after;
        }
    }

    /// Wire format, section 4, step 8. Unknown kinds and flags are refused, never skipped.
    pub(crate) fn read(bytes: &[u8; LENGTH]) -> Result<Self, Reason> {
        let ([first], rest) = split::<1>(bytes)?;
        let (id, rest) = split::<{ SessionId::LENGTH }>(rest)?;
        let (created, rest) = split::<5>(rest)?;
        let (issued, rest) = split::<5>(rest)?;
        let (expires, _) = split::<5>(rest)?;
        let kind = match first & KIND_BITS {
            0 => Kind::Inline,
            1 => Kind::Reference,
            _ => return Err(Reason::Malformed),
        };
        let persistence = match first & !KIND_BITS {
            0 => Persistence::IdleTimeout,
            BROWSER_SESSION => Persistence::BrowserSession,
            OWN_LIFETIME => Persistence::OwnLifetime,
            _ => return Err(Reason::Malformed),
        };
        let [created, issued, expires] =
            [created, issued, expires].map(|time| Timestamp::from_unix_seconds(from_u40(time)));
        Ok(Self { kind, persistence, id: SessionId::from_bytes(id), created, issued, expires })
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Reason> {
    bytes.split_first_chunk().map(|(first, rest)| (*first, rest)).ok_or(Reason::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: Kind, persistence: Persistence) -> Header {
        let at = Timestamp::from_unix_seconds;
        let (created, issued, expires) = (at(1), at(0x01_02_03_04_05), Timestamp::MAX);
        Header { kind, persistence, id: SessionId::from_bytes([7; 16]), created, issued, expires }
    }

    #[test]
    fn every_kind_and_flag_is_read_as_it_was_written() {
        for kind in [Kind::Inline, Kind::Reference] {
            for persistence in [Persistence::IdleTimeout, Persistence::BrowserSession, Persistence::OwnLifetime] {
                let mut bytes = [0xff; LENGTH];
                header(kind, persistence).write(&mut bytes);
                assert_eq!(Header::read(&bytes), Ok(header(kind, persistence)));
            }
        }
    }

    #[test]
    fn the_fields_stand_where_the_format_puts_them() {
        let mut bytes = [0; LENGTH];
        header(Kind::Reference, Persistence::OwnLifetime).write(&mut bytes);
        let expected = [&[0x21], [7; 16].as_slice(), &[0, 0, 0, 0, 1], &[1, 2, 3, 4, 5], &[0xff; 5]].concat();
        assert_eq!(bytes.as_slice(), expected);
    }

    #[test]
    fn every_other_first_byte_is_malformed() {
        let known = [0x00, 0x01, 0x10, 0x11, 0x20, 0x21];
        for first in 0..=255 {
            let mut bytes = [0; LENGTH];
            bytes[0] = first;
            let expected = if known.contains(&first) { None } else { Some(Reason::Malformed) };
            assert_eq!(Header::read(&bytes).err(), expected, "{first:#04x}");
        }
    }
}
