//! The table as the store sees it: names, and a record as an item.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::STORE;
use crate::limits::{ATTRIBUTE_NAME_MAX_BYTES, RECORD_MAX_BYTES};
use sealed_session::store::{Record, RecordId, StoreError};
use sealed_session::{ConfigError, Timestamp};

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const VERSION: &str = "version";
pub(crate) const DATA: &str = "data";

/// The names of the table and of those attributes that the application may name.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    table: String,
    key: String,
    expiry: String,
}

impl Layout {
    pub(crate) fn new(table: String, key: String, expiry: String) -> Result<Self, ConfigError> {
        check_table(&table)?;
        check_attribute("key_attribute", &key)?;
        check_attribute("expiry_attribute", &expiry)?;
        if key == expiry {
            return Err(ConfigError::new("expiry_attribute", "is the key attribute, too: name another one"));
        }
        Ok(Self { table, key, expiry })
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn expiry(&self) -> &str {
        &self.expiry
    }

    /// The record of an item, whether or not it has expired.
    pub(crate) fn record(&self, mut item: Item) -> Result<Record, StoreError> {
        let version = number_in(&item, VERSION)?;
        let seconds = number_in(&item, &self.expiry)?;
        let expires_at = Timestamp::from_unix_seconds(seconds);
        if expires_at.unix_seconds() != seconds {
            return Err(corrupt(format!("`{}` is {seconds}, and no second of 40 bits", self.expiry)));
        }
        match item.remove(DATA) {
            Some(AttributeValue::B(bytes)) => Ok(Record::new(version, expires_at, bytes.into_inner())),
            _ => Err(corrupt(format!("it has no binary attribute `{DATA}`"))),
        }
    }
}

/// A record's bytes as an attribute, when an item has room for them.
pub(crate) fn data(bytes: Vec<u8>) -> Result<AttributeValue, StoreError> {
    if bytes.len() > RECORD_MAX_BYTES {
        return Err(StoreError::other(
            STORE,
            format!(
                "a record of {} bytes is larger than an item can be, which has room for {RECORD_MAX_BYTES}: \
                 keep less in the session, and set `record_limit_bytes` below that to be told what is large in it",
                bytes.len()
            ),
        ));
    }
    Ok(AttributeValue::B(Blob::new(bytes)))
}

pub(crate) fn binary(id: &RecordId) -> AttributeValue {
    AttributeValue::B(Blob::new(id.as_bytes().as_slice()))
}

/// Exact: a number has 38 digits, 64 bits have 20.
pub(crate) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn seconds(instant: Timestamp) -> AttributeValue {
    number(instant.unix_seconds())
}

fn number_in(item: &Item, name: &str) -> Result<u64, StoreError> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| corrupt(format!("it has no attribute `{name}` that is a whole number of 64 bits")))
}

fn corrupt(problem: String) -> StoreError {
    StoreError::Corrupt { store: STORE, problem }
}

fn check_table(name: &str) -> Result<(), ConfigError> {
    let named = (3..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if named || (name.starts_with("arn:") && name.len() <= 1024) {
        return Ok(());
    }
    Err(ConfigError::new(
        "table",
        "is no table's name: it has 3 to 255 ASCII letters, digits, `_`, `-` and `.`, or is the table's whole ARN",
    ))
}

fn check_attribute(setting: &'static str, name: &str) -> Result<(), ConfigError> {
    if !(1..=ATTRIBUTE_NAME_MAX_BYTES).contains(&name.len()) {
        let problem = format!("is no attribute's name: it has 1 to {ATTRIBUTE_NAME_MAX_BYTES} bytes");
        return Err(ConfigError::new(setting, problem));
    }
    if [VERSION, DATA].contains(&name) {
        let problem = format!("names another attribute of the store's: `{VERSION}` and `{DATA}` are taken");
        return Err(ConfigError::new(setting, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::new("sessions".to_owned(), "id".to_owned(), "expires_at".to_owned()).unwrap()
    }

    fn named(table: &str, key: &str, expiry: &str) -> Result<Layout, ConfigError> {
        Layout::new(table.to_owned(), key.to_owned(), expiry.to_owned())
    }

    fn item(version: &str, expires_at: &str) -> Item {
        let numbers = [(VERSION, version), ("expires_at", expires_at)];
        let numbers = numbers.map(|(name, digits)| (name.to_owned(), AttributeValue::N(digits.to_owned())));
        numbers.into_iter().chain([(DATA.to_owned(), AttributeValue::B(Blob::new(b"sealed")))]).collect()
    }

    fn problem(result: Result<Record, StoreError>) -> String {
        match result {
            Err(StoreError::Corrupt { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_largest_numbers_are_read_exactly() {
        let record = layout().record(item("18446744073709551615", "1099511627775")).unwrap();
        assert_eq!(record, Record::new(u64::MAX, Timestamp::MAX, b"sealed".to_vec()));
    }

    #[test]
    fn an_item_without_one_of_the_attributes_is_corrupt() {
        for missing in [VERSION, "expires_at", DATA] {
            let mut item = item("1", "2");
            item.remove(missing);
            assert!(problem(layout().record(item)).contains(missing));
        }
    }

    #[test]
    fn an_attribute_of_another_type_is_corrupt() {
        for other in [VERSION, "expires_at", DATA] {
            let mut item = item("1", "2");
            item.insert(other.to_owned(), AttributeValue::S("1".to_owned()));
            assert!(problem(layout().record(item)).contains(other));
        }
    }

    #[test]
    fn a_number_that_is_no_whole_one_of_its_bits_is_corrupt() {
        for digits in ["18446744073709551616", "-1", "1.5", "1E+2", ""] {
            assert!(problem(layout().record(item(digits, "2"))).contains(VERSION), "{digits}");
        }
        assert!(problem(layout().record(item("1", "1099511627776"))).contains("1099511627776"));
    }

    #[test]
    fn what_has_room_is_taken_and_a_byte_more_is_refused_with_the_mend() {
        assert!(data(vec![0; RECORD_MAX_BYTES]).is_ok());
        let error = data(vec![0; RECORD_MAX_BYTES + 1]).unwrap_err().to_string();
        assert!(error.contains("408577") && error.contains("record_limit_bytes"), "{error}");
    }

    #[test]
    fn the_largest_record_leaves_room_for_the_longest_names_and_numbers() {
        let names = 2 * ATTRIBUTE_NAME_MAX_BYTES + VERSION.len() + DATA.len();
        // A number of 38 digits has 21 bytes.
        assert!(RECORD_MAX_BYTES + names + 16 + 2 * 21 <= 400 * 1024);
    }

    #[test]
    fn names_that_the_service_takes_are_taken() {
        let longest = "a".repeat(255);
        for table in ["abc", "App-1.sessions_2", &longest, "arn:aws:dynamodb:eu-central-1:123456789012:table/app"] {
            assert!(named(table, "pk", "ttl").is_ok(), "{table}");
        }
        assert!(named("sessions", &longest, "läuft ab").is_ok());
    }

    #[test]
    fn names_that_it_would_refuse_are_refused_and_not_repeated() {
        let long = "secret".repeat(50);
        for table in ["", "ab", "a b", "tische/ä", &long] {
            let error = named(table, "id", "expires_at").unwrap_err();
            assert_eq!(error.setting(), "table");
            assert!(!error.to_string().contains("secret"));
        }
        for name in ["", VERSION, DATA, &long] {
            assert_eq!(named("sessions", name, "expires_at").unwrap_err().setting(), "key_attribute");
            assert_eq!(named("sessions", "id", name).unwrap_err().setting(), "expiry_attribute");
        }
        assert_eq!(named("sessions", "same", "same").unwrap_err().setting(), "expiry_attribute");
    }
}
