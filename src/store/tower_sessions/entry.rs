//! A record as a session of `tower-sessions`: four members, each of them text.
//!
//! Text, because these engines write sessions in formats of their own, and not each of them keeps 64 bits of a number.
//!
//! ```text
//! record_id    32 hexadecimal digits
//! version      decimal digits
//! expires_at   seconds since 1970, decimal digits
//! sealed       base64url without padding
//! ```

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::OffsetDateTime;

use super::STORE;
use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::id::RecordId;
use crate::limits::CLOCK_SKEW_SECONDS;
use crate::store::Record;

const RECORD_ID: &str = "record_id";
const VERSION: &str = "version";
const EXPIRES_AT: &str = "expires_at";
const SEALED: &str = "sealed";

/// The members of a session's data.
pub(super) type Members = HashMap<String, Value>;

/// A session as both versions of the traits have it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: i128,
    pub(super) members: Members,
    pub(super) expiry_date: OffsetDateTime,
}

/// The engine's id of a record.
///
/// Security: all 128 bits of the record's id in another notation, and nothing of them cut off, so two records never share
/// one. It was derived one way from the session's secret id: unlike an id that `tower-sessions` draws, it is in no cookie, and
/// whoever reads it in the engine can present it to nobody.
pub(super) fn engine_id(id: &RecordId) -> i128 {
    // Little-endian, as these stores print it: an engine's key is the base64url form of the record's id.
    i128::from_le_bytes(*id.as_bytes())
}

pub(super) fn members(id: &RecordId, record: &Record) -> Members {
    let texts = [
        (RECORD_ID, id.to_hex()),
        (VERSION, record.version.to_string()),
        (EXPIRES_AT, record.expires_at.unix_seconds().to_string()),
        (SEALED, URL_SAFE_NO_PAD.encode(&record.bytes)),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text))).collect()
}

/// The record in a session's data.
pub(super) fn record(id: &RecordId, members: &Members) -> Result<Record, StoreError> {
    // Security: what stands under our id was written for it. An engine that mixes up ids, or sessions of an application in
    // the same place, are an error and never somebody else's session.
    if text(members, RECORD_ID)? != id.to_hex() {
        return Err(corrupt(format!("its `{RECORD_ID}` is that of another record")));
    }
    let expires_at = Timestamp::from_unix_seconds(number(members, EXPIRES_AT)?);
    let bytes = URL_SAFE_NO_PAD.decode(text(members, SEALED)?);
    let bytes = bytes.map_err(|_| corrupt(format!("its `{SEALED}` is no base64url")))?;
    Ok(Record::new(number(members, VERSION)?, expires_at, bytes))
}

/// From when on the engine may remove a record, by its own clock.
///
/// Later than the record ends, by as much as the clocks of two servers may differ. And counted from the system's time, which
/// these engines go by, as far ahead as the record ends by the clock that decides.
pub(super) fn expiry_date(expires_at: Timestamp, now: Timestamp, system_now: Timestamp) -> OffsetDateTime {
    let life_seconds = expires_at.saturating_seconds_since(now).saturating_add(CLOCK_SKEW_SECONDS);
    system_now.saturating_add_seconds(life_seconds).to_date_time()
}

fn text<'a>(members: &'a Members, name: &str) -> Result<&'a str, StoreError> {
    members.get(name).and_then(Value::as_str).ok_or_else(|| {
        corrupt(format!("it has no text `{name}`; give the sessions a place that nothing else writes to"))
    })
}

fn number(members: &Members, name: &str) -> Result<u64, StoreError> {
    text(members, name)?.parse().map_err(|_| corrupt(format!("its `{name}` is no number of 64 bits")))
}

fn corrupt(problem: String) -> StoreError {
    StoreError::Corrupt { store: STORE, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: RecordId = RecordId::from_bytes([7; 16]);

    fn given() -> Record {
        Record::new(u64::MAX, Timestamp::MAX, vec![0, 255, 7])
    }

    fn problem(members: &Members) -> String {
        match record(&ID, members) {
            Err(StoreError::Corrupt { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_is_written_as_stated() {
        let members = members(&ID, &given());
        let text = |name: &str| members[name].as_str().unwrap();
        assert_eq!(members.len(), 4);
        assert_eq!(text("record_id"), "07070707070707070707070707070707");
        assert_eq!(text("version"), "18446744073709551615");
        assert_eq!(text("expires_at"), "1099511627775");
        assert_eq!(text("sealed"), "AP8H");
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        for bytes in [Vec::new(), vec![0], (0..=u8::MAX).collect()] {
            let given = Record { bytes, ..given() };
            assert_eq!(record(&ID, &members(&ID, &given)).unwrap(), given);
        }
    }

    #[test]
    fn the_record_of_another_id_is_refused() {
        let other = RecordId::from_bytes([8; 16]);
        assert!(problem(&members(&other, &given())).contains("another record"));
    }

    #[test]
    fn a_member_that_is_missing_or_no_text_is_refused_by_its_name() {
        for name in [RECORD_ID, VERSION, EXPIRES_AT, SEALED] {
            let mut without = members(&ID, &given());
            without.remove(name);
            assert!(problem(&without).contains(name));
            without.insert(name.to_owned(), Value::from(7));
            assert!(problem(&without).contains(name));
        }
    }

    #[test]
    fn a_text_that_is_no_number_or_no_base64url_is_refused_without_the_text() {
        for (name, value) in
            [(VERSION, "secret"), (VERSION, "-1"), (EXPIRES_AT, "18446744073709551616"), (SEALED, "=secret")]
        {
            let mut other = members(&ID, &given());
            other.insert(name.to_owned(), value.into());
            let problem = problem(&other);
            assert!(problem.contains(name) && !problem.contains(value), "{problem}");
        }
    }

    #[test]
    fn ids_that_differ_in_one_bit_are_different_ids_of_the_engine() {
        let zero = engine_id(&RecordId::from_bytes([0; 16]));
        let ids = (0..128).map(|bit| engine_id(&RecordId::from_bytes((1_u128 << bit).to_le_bytes())));
        let mut ids: Vec<_> = ids.chain([zero]).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 129);
    }

    #[test]
    fn the_engine_keeps_a_record_a_minute_longer_on_the_systems_clock() {
        let at = Timestamp::from_unix_seconds;
        let date = |expires_at, now| expiry_date(expires_at, now, at(1_795_000_000)).unix_timestamp();
        assert_eq!(date(at(160), at(100)), 1_795_000_120);
        assert_eq!(date(at(100), at(100)), 1_795_000_060);
        assert_eq!(date(at(0), at(100)), 1_795_000_060);
        assert_eq!(date(Timestamp::MAX, at(100)), 253_402_300_799, "the end of the year 9999");
    }
}
