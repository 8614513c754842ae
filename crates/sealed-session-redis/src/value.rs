//! A record as one string.
//!
//! ```text
//! format[1] = 1 ‖ version u64 ‖ expires_at u64, seconds since 1970 ‖ bytes        numbers big-endian
//! ```

use crate::STORE;
use sealed_session::Timestamp;
use sealed_session::limits::CLOCK_SKEW_SECONDS;
use sealed_session::store::{Record, StoreError};

pub(crate) const FORMAT: u8 = 1;
pub(crate) const HEADER_LENGTH: usize = 1 + 8 + 8;

pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_LENGTH + record.bytes.len());
    value.push(FORMAT);
    value.extend_from_slice(&record.version.to_be_bytes());
    value.extend_from_slice(&seconds(record.expires_at));
    value.extend_from_slice(&record.bytes);
    value
}

/// The record in a string; `None` for an empty one, which the scripts cannot tell from no string either.
pub(crate) fn decode(mut value: Vec<u8>) -> Result<Option<Record>, StoreError> {
    if value.is_empty() {
        return Ok(None);
    }
    let header = value.first_chunk::<HEADER_LENGTH>().ok_or_else(not_ours)?;
    let [FORMAT, v0, v1, v2, v3, v4, v5, v6, v7, expires_at @ ..] = *header else { return Err(not_ours()) };
    let version = u64::from_be_bytes([v0, v1, v2, v3, v4, v5, v6, v7]);
    let expires_at = Timestamp::from_unix_seconds(u64::from_be_bytes(expires_at));
    value.drain(..HEADER_LENGTH);
    Ok(Some(Record::new(version, expires_at, value)))
}

/// An instant as the string holds it.
pub(crate) fn seconds(instant: Timestamp) -> [u8; 8] {
    instant.unix_seconds().to_be_bytes()
}

/// After how many milliseconds the engine removes a record.
///
/// From now on, not at an instant: the engine's clock may be another. And later than the record ends, by as much as the
/// clocks of two servers may differ: to one of them it may still exist when to the writer it does not.
pub(crate) fn life_milliseconds(expires_at: Timestamp, now: Timestamp) -> u64 {
    (expires_at.saturating_seconds_since(now) + CLOCK_SKEW_SECONDS) * 1000
}

pub(crate) fn not_ours() -> StoreError {
    StoreError::Corrupt {
        store: STORE,
        problem: "the key holds something else; give the sessions a key prefix that nothing else uses".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u64, expires_at: Timestamp) -> Record {
        Record::new(version, expires_at, b"sealed".to_vec())
    }

    #[test]
    fn a_record_is_written_as_stated() {
        let value = encode(&record(0x0102_0304_0506_0708, Timestamp::from_unix_seconds(0x0a_0b0c_0d0e)));
        assert_eq!(value, b"\x01\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x0a\x0b\x0c\x0d\x0esealed");
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        for version in [0, 1, (1 << 53) + 1, 1 << 63, u64::MAX] {
            for expires_at in [Timestamp::default(), Timestamp::MAX] {
                let given = record(version, expires_at);
                assert_eq!(decode(encode(&given)).unwrap(), Some(given));
            }
        }
        let empty = Record::new(1, Timestamp::MAX, Vec::new());
        assert_eq!(decode(encode(&empty)).unwrap(), Some(empty));
    }

    #[test]
    fn what_is_no_record_is_refused_without_its_bytes() {
        let mut other_format = encode(&record(1, Timestamp::MAX));
        other_format[0] = 2;
        let too_short = encode(&record(1, Timestamp::MAX))[..HEADER_LENGTH - 1].to_vec();
        for value in [b"secret".to_vec(), b"\x01".to_vec(), too_short, other_format] {
            let error = decode(value).unwrap_err();
            assert!(matches!(&error, StoreError::Corrupt { problem, .. } if !problem.contains("secret")), "{error:?}");
        }
        assert_eq!(decode(Vec::new()).unwrap(), None);
    }

    #[test]
    fn the_engine_removes_a_record_after_its_end_and_never_before() {
        let at = Timestamp::from_unix_seconds;
        assert_eq!(life_milliseconds(at(160), at(100)), 120_000);
        assert_eq!(life_milliseconds(at(100), at(100)), 60_000);
        assert_eq!(life_milliseconds(at(0), at(100)), 60_000);
        // Redis counts milliseconds since 1970 in 63 bits.
        assert!(life_milliseconds(Timestamp::MAX, at(0)) < 1 << 51);
    }
}
