//! Between an application's types and JSON values, exactly or not at all.

use std::any::type_name;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};

use super::json::Json;
use super::path::Path;
use super::repeated::bad_name;
use super::{exact, number};
use crate::error::SessionError;
use crate::limits::DATA_DEPTH_MAX;
use crate::seal::has_number_beyond_64_bits;

/// The object in a JSON text, every integer exactly as it is written there.
///
/// For tools and jobs that have text in hand and seal it with a [`Sealer`](crate::sealer::Sealer): `serde_json` alone rounds
/// integers beyond 64 bits without a word, and keeps one of two members of the same name.
///
/// ```
/// use sealed_session::json::object_from_json;
///
/// let object = object_from_json(br#"{"user":18446744073709551615}"#)?;
/// assert_eq!(object["user"], u64::MAX);
///
/// assert!(object_from_json(br#"{"user":18446744073709551616}"#).is_err());
///
/// let error = object_from_json(br#"{"me":{"role":"user","role":"admin"}}"#).unwrap_err();
/// assert!(error.to_string().contains("\"me.role\""));
/// # Ok::<(), sealed_session::SessionError>(())
/// ```
///
/// # Errors
///
/// [`SessionError::Value`] with an empty path for what is not one JSON object in UTF-8, is nested deeper than 127 arrays
/// and objects, or holds an integer beyond 64 bits or a number beyond the floats. It shows nothing of the text.
///
/// [`SessionError::Value`] with the path of a name that its object has twice.
pub fn object_from_json(json: &[u8]) -> Result<Map<String, Value>, SessionError> {
    // Security: the parser's messages give a place in the text and none of its content.
    let object =
        parse_object(json).map_err(|error| SessionError::Value { path: String::new(), problem: error.to_string() })?;
    match bad_name(json) {
        None => Ok(object),
        Some((path, problem)) => Err(SessionError::Value { path: path.join("."), problem: problem.to_owned() }),
    }
}

/// Bytes that are taken for a value, and for a whole session, before their lengths are known.
const VALUE_BYTES: usize = 64;
const OBJECT_BYTES: usize = 512;

/// The JSON form of a value that is meant for a path, which errors name.
///
/// # Errors
///
/// [`SessionError::Value`], naming the part of the value at fault: NaN and infinities (JSON has none, and `serde_json`
/// writes null), integers beyond 64 bits (readers round them), keys that are not strings, keys that `serde_json` takes
/// for its own, two members of one name, more than 127 arrays and objects inside one another, or what the type itself says.
pub(crate) fn to_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Json, SessionError> {
    exact::to_json(value, VALUE_BYTES).map_err(|inexact| inexact.below(&path.to_string()))
}

/// The JSON form of a value that becomes a whole session, or several of its members.
///
/// # Errors
///
/// As [`to_json`], and for what is not an object.
pub(crate) fn to_object<T: Serialize + ?Sized>(value: &T) -> Result<Json, SessionError> {
    let json = exact::to_json(value, OBJECT_BYTES).map_err(|inexact| inexact.below(""))?;
    if json.is_object() {
        return Ok(json);
    }
    Err(SessionError::Value {
        path: String::new(),
        problem: format!("it is {}, and a session is an object; wrap it in a struct or a map", json.kind()),
    })
}

/// The value at a path as a `T`.
///
/// # Errors
///
/// [`SessionError::Type`] where it does not read as one.
pub(super) fn from_json<T: DeserializeOwned>(path: impl fmt::Display, value: &Value) -> Result<T, SessionError> {
    T::deserialize(value).map_err(|error| not_a::<T>(path.to_string(), kind(value), &error))
}

/// The object in a payload: wire format, section 3.1. Of repeated names the last counts.
///
/// # Errors
///
/// What is not one JSON object in UTF-8, is nested deeper than 127 arrays and objects, or holds a number that the reader
/// would round: an integer beyond 64 bits, which [`to_json`] never writes, or a number beyond the floats.
pub(crate) fn parse_object(payload: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    match parse(payload)? {
        Value::Object(members) => Ok(members),
        other => Err(serde_json::Error::custom(format_args!("the payload is {}, not an object", kind(&other)))),
    }
}

/// The value in a JSON text, under the same rules.
pub(super) fn parse(json: &[u8]) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::from_slice(json)?;
    let mut may_be_rounded = false;
    let is_held = settle(&mut value, &mut may_be_rounded);
    // Only a float of 2^63 or more can hide a rounded integer, so other payloads are not gone through a second time.
    if !is_held || (may_be_rounded && has_number_beyond_64_bits(json)) {
        return Err(serde_json::Error::custom("a number does not fit 64 bits; keep it as text"));
    }
    Ok(value)
}

/// Refuses a value that could not be read back from where it goes: inside `around` arrays and objects, of which a path
/// has one for each segment.
///
/// # Errors
///
/// [`SessionError::Value`] where more than 127 arrays and objects would lie inside one another.
pub(crate) fn check_depth(path: &Path, around: usize, depth: usize) -> Result<(), SessionError> {
    // `serde_json` refuses the 128th array or object inside one another.
    if around.saturating_add(depth) < DATA_DEPTH_MAX {
        return Ok(());
    }
    Err(SessionError::Value {
        path: path.to_string(),
        problem: format!("it would be nested deeper than {DATA_DEPTH_MAX} levels; nest less"),
    })
}

/// What a value is, for messages; never the value itself.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Brings every number into its canonical form; false where one has none.
fn settle(value: &mut Value, may_be_rounded: &mut bool) -> bool {
    match value {
        Value::Number(number) => match number::canonical(number) {
            Some(canonical) => {
                *may_be_rounded |= number::may_be_rounded(&canonical);
                *number = canonical;
                true
            }
            None => false,
        },
        Value::Array(elements) => elements.iter_mut().all(|element| settle(element, may_be_rounded)),
        Value::Object(members) => members.values_mut().all(|member| settle(member, may_be_rounded)),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn not_a<T>(path: String, found: &'static str, error: &serde_json::Error) -> SessionError {
    let mut problem = format!("it does not read as `{}`", type_name::<T>());
    // Security: serde's messages quote the value, which no error may show. A missing field is the exception: it names
    // only what the type has and the session has not.
    let message = error.to_string();
    if message.starts_with("missing field `") && message.ends_with('`') {
        problem.push_str(": ");
        problem.push_str(&message);
    }
    SessionError::Type { path, found, problem }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, _| json!([inner]))
    }

    fn at(text: &str) -> Path {
        Path::from(text)
    }

    #[test]
    fn an_error_names_the_part_of_the_value_at_fault() {
        let carts = BTreeMap::from([("items", vec![1.0, f64::NAN])]);
        let error = to_json(&at("user.cart"), &carts).unwrap_err();
        assert!(matches!(&error, SessionError::Value { path, .. } if path == "user.cart.items.1"), "{error}");
        let error = to_object(&carts).unwrap_err();
        assert!(matches!(&error, SessionError::Value { path, .. } if path == "items.1"), "{error}");
    }

    #[test]
    fn a_session_is_made_of_an_object_alone() {
        assert_eq!(to_object(&json!({"a": [1]})).unwrap().value(), json!({"a": [1]}));
        for other in [json!(null), json!([]), json!("a"), json!(1)] {
            let error = to_object(&other).unwrap_err().to_string();
            assert!(error.starts_with("cannot keep the value as the whole session: it is "), "{error}");
        }
    }

    #[test]
    fn a_type_error_names_the_path_the_kind_and_the_type_but_never_the_value() {
        let error = from_json::<u32>(&at("user.age"), &json!("hunter2, expected u32")).unwrap_err().to_string();
        assert_eq!(error, "the session has a string at \"user.age\": it does not read as `u32`");
    }

    #[test]
    fn a_type_error_names_a_missing_field() {
        #[derive(Debug, Deserialize)]
        struct User {
            #[expect(dead_code, reason = "only its absence counts")]
            theme: String,
        }
        let error = from_json::<User>(&at("user"), &json!({"name": "hunter2"})).unwrap_err().to_string();
        assert!(error.ends_with("User`: missing field `theme`") && !error.contains("hunter2"), "{error}");
        let error = from_json::<User>("", &json!({})).unwrap_err().to_string();
        assert!(error.starts_with("the session as a whole: ") && error.ends_with("missing field `theme`"), "{error}");
    }

    #[test]
    fn the_last_of_repeated_names_counts() {
        let members = parse_object(br#"{"a":1,"b":{"c":1,"c":2},"a":3}"#).unwrap();
        assert_eq!(Value::Object(members), json!({"a": 3, "b": {"c": 2}}));
    }

    #[test]
    fn what_is_not_one_json_object_is_no_payload() {
        for payload in
            ["", " ", "[]", "1", "null", "\"{}\"", "{", "{}x", "{} {}", "{\"a\":}", "{\"a\":NaN}", "\u{feff}{}"]
        {
            assert!(parse_object(payload.as_bytes()).is_err(), "{payload}");
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_number_that_would_be_rounded_is_no_payload() {
        for payload in [
            r#"{"a":18446744073709551616}"#,
            r#"{"a":[{"b":-9223372036854775809}]}"#,
            r#"{"a":1e19,"b":100000000000000000000000000}"#,
            r#"{"a":1e400}"#,
        ] {
            assert!(parse_object(payload.as_bytes()).is_err(), "{payload}");
        }
    }

    #[test]
    fn an_error_about_a_json_text_shows_nothing_of_it() {
        for json in [r#""hunter2""#, r#"{"hunter2":hunter2}"#, r#"{"hunter2":["hunter2",1e400]}"#, "hunter2"] {
            let error = object_from_json(json.as_bytes()).unwrap_err();
            assert!(matches!(&error, SessionError::Value { path, .. } if path.is_empty()), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_json_text_with_two_members_of_one_name_is_no_object_and_the_error_names_them() {
        for (json, expected) in [
            (r#"{"role":1,"role":2}"#, "role"),
            (r#"{"role":1,"a":[],"\u0072ole":{}}"#, "role"),
            (r#"{"me":[0,{"role":1,"role":1}]}"#, "me.1.role"),
            (r#"{"~":{"flash":{"a":1,"a":1}}}"#, "~.flash.a"),
            (r#"{"":1,"":2}"#, ""),
        ] {
            let error = object_from_json(json.as_bytes()).unwrap_err();
            let SessionError::Value { path, problem } = &error else { panic!("{error}") };
            assert!(path == expected && problem.contains("two members have one name"), "{error}");
        }
        let alike = r#"{"role":{"role":["role","role"]},"Role":1,"a":[{"role":1},{"role":1}]}"#;
        assert!(object_from_json(alike.as_bytes()).is_ok());
    }

    #[test]
    fn numbers_at_the_ends_of_their_ranges_are_read_as_they_are_written() {
        for text in [
            "18446744073709551615",
            "-9223372036854775808",
            "0",
            "-0.0",
            "1e+300",
            "1.7976931348623157e308",
            "18446744073709551616.0",
            "\"18446744073709551616\"",
        ] {
            let json = format!("{{\"a\":{text}}}");
            let members = parse_object(json.as_bytes()).unwrap();
            let expected: Map<String, Value> = serde_json::from_str(&json).unwrap();
            let [read, expected] = [members, expected].map(|members| members["a"].clone());
            assert_eq!((read.as_i64(), read.as_u64()), (expected.as_i64(), expected.as_u64()), "{text}");
            assert_eq!(read.as_f64().map(f64::to_bits), expected.as_f64().map(f64::to_bits), "{text}");
        }
    }

    #[test]
    fn a_number_has_one_form_however_it_was_written() {
        for (text, form) in [("1.50", "1.5"), ("-0", "-0.0"), ("1E2", "100.0"), ("12", "12")] {
            assert_eq!(parse(text.as_bytes()).unwrap().to_string(), form, "{text}");
        }
    }

    #[test]
    fn the_deepest_value_that_passes_is_the_deepest_that_is_read_back() {
        for segments in [1, 2, 60, 126, 127] {
            let path = Path::from_segments(vec!["a"; segments]);
            let as_payload = |depth: usize| {
                let value = (1..segments).fold(nested(depth), |inner, _| json!({"a": inner}));
                parse_object(json!({"a": value}).to_string().as_bytes())
            };
            let deepest = DATA_DEPTH_MAX - 1 - segments;
            assert!(check_depth(&path, segments, deepest).is_ok() && as_payload(deepest).is_ok(), "{segments}");
            assert!(
                check_depth(&path, segments, deepest + 1).is_err() && as_payload(deepest + 1).is_err(),
                "{segments}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_payload_is_read_or_refused_whatever_its_bytes(payload in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(members) = parse_object(&payload) {
                prop_assert_eq!(to_object(&members).unwrap().value(), Value::Object(members));
            }
        }
    }
}
