//! Dates as text.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::{Iso8601, Rfc3339};

use super::path::Path;
use super::value::kind;
use crate::error::SessionError;

/// The date in the form of RFC 3339 §5.6, nanoseconds and offset included.
///
/// # Errors
///
/// [`SessionError::Value`] for a year outside of 0 to 9999, or an offset that is not whole minutes: the form has no
/// room for them.
pub(crate) fn time_to_text(path: &Path, time: OffsetDateTime) -> Result<String, SessionError> {
    time.format(&Rfc3339).map_err(|error| SessionError::Value {
        path: path.to_string(),
        problem: format!("RFC 3339 has no text for this date: {error}; convert it to UTC, in the years 0 to 9999"),
    })
}

/// The date in a text of ISO 8601 with an offset: RFC 3339, or as `time::serde::iso8601` writes it.
///
/// # Errors
///
/// [`SessionError::Type`] where it is not such a text.
pub(crate) fn json_to_time(path: &Path, value: &Value) -> Result<OffsetDateTime, SessionError> {
    value.as_str().and_then(|text| OffsetDateTime::parse(text, &Iso8601::PARSING).ok()).ok_or_else(|| {
        SessionError::Type {
            path: path.to_string(),
            found: kind(value),
            problem: String::from(
                "it does not read as a date of ISO 8601 with an offset, such as `2026-11-18T11:16:40Z`",
            ),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn path() -> Path {
        Path::from("seen")
    }

    fn read(text: &str) -> Result<OffsetDateTime, SessionError> {
        json_to_time(&path(), &json!(text))
    }

    #[test]
    fn a_date_is_written_as_rfc_3339() {
        let time = OffsetDateTime::from_unix_timestamp(1_795_000_600).unwrap();
        assert_eq!(time_to_text(&path(), time).unwrap(), "2026-11-18T11:16:40Z");
    }

    #[test]
    fn other_forms_of_iso_8601_are_read() {
        let expected = OffsetDateTime::from_unix_timestamp(1_795_000_600).unwrap();
        for text in [
            "2026-11-18T11:16:40Z",
            "2026-11-18T12:16:40.000+01:00",
            "20261118T111640Z",
            "+002026-11-18T11:16:40.000000000Z",
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_with_an_offset_is_refused_without_showing_it() {
        for value in [
            json!("2026-11-18"),
            json!("2026-11-18T11:16:40"),
            json!("hunter2"),
            json!(""),
            json!(1_795_000_600),
            json!(null),
        ] {
            let error = json_to_time(&path(), &value).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the session has {} at \"seen\": ", kind(&value))), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_date_without_a_text_in_rfc_3339_is_refused() {
        let offset = time::UtcOffset::from_whole_seconds(30).unwrap();
        let before_year_0 = OffsetDateTime::from_unix_timestamp(-62_200_000_000).unwrap();
        for time in [OffsetDateTime::UNIX_EPOCH.to_offset(offset), before_year_0] {
            assert!(matches!(time_to_text(&path(), time), Err(SessionError::Value { .. })), "{time}");
        }
    }

    proptest! {
        #[test]
        fn a_date_survives_to_the_nanosecond(
            seconds in -62_167_132_800_i64..253_402_200_000,
            nanoseconds in 0_u32..1_000_000_000,
            offset_minutes in -1439_i32..=1439,
        ) {
            let offset = time::UtcOffset::from_whole_seconds(offset_minutes * 60).unwrap();
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanoseconds).unwrap();
            let Some(time) = time.checked_to_offset(offset).filter(|time| (0..=9999).contains(&time.year())) else {
                return Ok(());
            };
            let read = json_to_time(&path(), &json!(time_to_text(&path(), time).unwrap())).unwrap();
            prop_assert_eq!((read, read.offset()), (time, offset));
        }
    }
}
