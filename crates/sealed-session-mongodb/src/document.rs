//! A record as a document.

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};

use crate::STORE;
use crate::limits::DATE_MAX_SECONDS;
use sealed_session::Timestamp;
use sealed_session::store::{Record, RecordId, StoreError};

pub(crate) const ID: &str = "_id";
pub(crate) const VERSION: &str = "version";
pub(crate) const EXPIRES_AT: &str = "expires_at";
pub(crate) const PURGE_AT: &str = "purge_at";
const DATA: &str = "data";

pub(crate) fn document(id: &RecordId, record: Record) -> Document {
    doc! {
        ID: binary(id),
        VERSION: bits(record.version),
        EXPIRES_AT: seconds(record.expires_at),
        PURGE_AT: purge_at(record.expires_at),
        DATA: Binary { subtype: BinarySubtype::Generic, bytes: record.bytes },
    }
}

pub(crate) fn record(mut document: Document) -> Result<Record, StoreError> {
    let (version, expires_at) = (version(&document)?, expires_at(&document)?);
    match document.remove(DATA) {
        Some(Bson::Binary(Binary { bytes, .. })) => Ok(Record::new(version, expires_at, bytes)),
        _ => Err(corrupt(format!("it has no binary field `{DATA}`"))),
    }
}

pub(crate) fn version(document: &Document) -> Result<u64, StoreError> {
    number(document, VERSION).map(i64::cast_unsigned)
}

fn expires_at(document: &Document) -> Result<Timestamp, StoreError> {
    let seconds = number(document, EXPIRES_AT)?;
    let instant = Timestamp::from_unix_seconds(seconds.cast_unsigned());
    if instant.unix_seconds() != seconds.cast_unsigned() {
        return Err(corrupt(format!("`{EXPIRES_AT}` is {seconds}, and no second of 40 bits")));
    }
    Ok(instant)
}

fn number(document: &Document, name: &str) -> Result<i64, StoreError> {
    match document.get(name) {
        Some(Bson::Int64(number)) => Ok(*number),
        _ => Err(corrupt(format!("it has no 64-bit number `{name}`"))),
    }
}

pub(crate) fn binary(id: &RecordId) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: id.as_bytes().to_vec() })
}

/// Numbers have a sign; the same 64 bits are compared for equality alone.
pub(crate) fn bits(version: u64) -> i64 {
    version.cast_signed()
}

/// 40 bits have room below the sign.
pub(crate) fn seconds(instant: Timestamp) -> i64 {
    instant.unix_seconds().cast_signed()
}

/// For the server's own deletion. Where its dates end for most readers of them, ours stop, and are deleted by `sweep`.
pub(crate) fn purge_at(instant: Timestamp) -> DateTime {
    let seconds = instant.unix_seconds().min(DATE_MAX_SECONDS);
    DateTime::from_millis(seconds.cast_signed().saturating_mul(1000))
}

fn corrupt(problem: String) -> StoreError {
    StoreError::Corrupt { store: STORE, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN_ID: RecordId = RecordId::from_bytes([7; 16]);

    fn given(version: u64, expires_at: Timestamp) -> Document {
        document(&GIVEN_ID, Record::new(version, expires_at, b"sealed".to_vec()))
    }

    fn problem(document: Document) -> String {
        match record(document) {
            Err(StoreError::Corrupt { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was_given() {
        for (version, seconds) in [(0, 0), (1 << 63, 1_795_000_000), (u64::MAX, Timestamp::MAX.unix_seconds())] {
            let expires_at = Timestamp::from_unix_seconds(seconds);
            let expected = Record::new(version, expires_at, b"sealed".to_vec());
            assert_eq!(record(given(version, expires_at)).unwrap(), expected);
        }
    }

    #[test]
    fn a_document_without_one_of_the_fields_is_corrupt() {
        for missing in [VERSION, EXPIRES_AT, DATA] {
            let mut document = given(1, Timestamp::MAX);
            document.remove(missing);
            assert!(problem(document).contains(missing));
        }
    }

    #[test]
    fn a_field_of_another_type_is_corrupt() {
        for other in [VERSION, EXPIRES_AT, DATA] {
            for value in [Bson::Double(1.0), Bson::Int32(1), Bson::String("1".to_owned())] {
                let mut document = given(1, Timestamp::MAX);
                document.insert(other, value);
                assert!(problem(document).contains(other));
            }
        }
    }

    #[test]
    fn an_expiry_beyond_40_bits_is_corrupt() {
        for seconds in [1_i64 << 40, -1, i64::MIN] {
            let mut document = given(1, Timestamp::MAX);
            document.insert(EXPIRES_AT, seconds);
            assert!(problem(document).contains(&seconds.to_string()));
        }
    }

    #[test]
    fn the_date_is_that_of_the_expiry_until_the_year_9999() {
        let date = |seconds| purge_at(Timestamp::from_unix_seconds(seconds)).timestamp_millis();
        assert_eq!(date(0), 0);
        assert_eq!(date(1_795_000_000), 1_795_000_000_000);
        assert_eq!(purge_at(Timestamp::MAX).try_to_rfc3339_string().unwrap(), "9999-12-31T23:59:59Z");
    }
}
