//! JSON values: read exactly or not at all, found and placed by a path, and read as an application's types.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::number::{canonical, could_be_rounded, identical_numbers};
use super::shape::SERDE_JSON_PRIVATE;
use super::shape::has_number_beyond_64_bits;
use crate::error::SessionError;

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

/// The value at a path as a `T`.
///
/// # Errors
///
/// [`SessionError::Type`] where it does not read as one.
pub(crate) fn from_json<T: DeserializeOwned>(path: impl fmt::Display, value: &Value) -> Result<T, SessionError> {
    T::deserialize(value).map_err(|error| not_a::<T>(path.to_string(), kind(value), &error))
}

/// The object in a payload: wire format, section 3.1. Of repeated names the last counts.
///
/// # Errors
///
/// What is not one JSON object in UTF-8, is nested deeper than 127 arrays and objects, or holds a number that the reader
/// would round: an integer beyond 64 bits, which [`to_json`](super::exact::to_json) never writes, or a number beyond the floats.
pub(crate) fn parse_object(payload: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    match parse(payload)? {
        Value::Object(members) => Ok(members),
        other => Err(serde_json::Error::custom(format_args!("the payload is {}, not an object", kind(&other)))),
    }
}

/// The value in a JSON text, under the same rules.
pub(crate) fn parse(json: &[u8]) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::from_slice(json)?;
    let mut may_be_rounded = false;
    let is_held = settle(&mut value, &mut may_be_rounded);
    // Only a float of 2^63 or more can hide a rounded integer, so other payloads are not gone through a second time.
    if !is_held || (may_be_rounded && has_number_beyond_64_bits(json)) {
        return Err(serde_json::Error::custom("a number does not fit 64 bits; keep it as text"));
    }
    Ok(value)
}

/// What a value is, for messages; never the value itself.
pub(crate) const fn kind(value: &Value) -> &'static str {
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
        Value::Number(number) => match canonical(number) {
            Some(canonical) => {
                *may_be_rounded |= could_be_rounded(&canonical);
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

/// The place that a segment would have in an array does not exist and does not follow its last element.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotAnIndex {
    /// The segments of the path from the refused one on.
    pub(crate) segments_left: usize,
    /// Elements of the array.
    pub(crate) length: usize,
}

/// The value at the end of the path below this one, if there is one.
pub(crate) fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get(segment),
        Value::Array(elements) => elements.get(index(segment)?),
        _ => None,
    })
}

/// The same, to be changed.
pub(crate) fn find_mut<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get_mut(segment),
        Value::Array(elements) => elements.get_mut(index(segment)?),
        _ => None,
    })
}

/// Takes out the value at the end of the path. Later elements of an array move up; an emptied parent stays.
pub(crate) fn remove_below(value: &mut Value, path: &[String]) -> Option<Value> {
    let (last, between) = path.split_last()?;
    match find_mut(value, between)? {
        Value::Object(members) => members.remove(last),
        Value::Array(elements) => {
            let index = index(last).filter(|index| *index < elements.len())?;
            Some(elements.remove(index))
        }
        _ => None,
    }
}

/// Whether both are the same JSON value, written alike but for the order of members: `1` and `1.0` differ.
pub(crate) fn identical(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => identical_numbers(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| identical(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| identical(left, right)))
        }
        (left, right) => left == right,
    }
}

/// Arrays and objects inside one another, the value itself included.
pub(crate) fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    below.unwrap_or(0).saturating_add(1)
}

/// Puts the value at the end of the path below this one, making the objects that are missing; tells whether anything changed.
///
/// Nothing is changed before the whole way is known to be open: below what is missing, nothing can be in the way.
pub(crate) fn place_below(slot: &mut Value, path: &[String], value: Value) -> Result<bool, NotAnIndex> {
    let Some((segment, rest)) = path.split_first() else {
        let changed = !identical(slot, &value);
        if changed {
            *slot = value;
        }
        return Ok(changed);
    };
    match slot {
        Value::Object(members) => {
            if let Some(slot) = members.get_mut(segment) {
                return place_below(slot, rest, value);
            }
            members.insert(segment.clone(), wrapped(rest, value));
            Ok(true)
        }
        Value::Array(elements) => {
            let length = elements.len();
            let index = index(segment).filter(|index| *index <= length);
            let index = index.ok_or(NotAnIndex { segments_left: path.len(), length })?;
            if let Some(slot) = elements.get_mut(index) {
                return place_below(slot, rest, value);
            }
            elements.push(wrapped(rest, value));
            Ok(true)
        }
        scalar => {
            *scalar = wrapped(path, value);
            Ok(true)
        }
    }
}

/// The value inside new objects, one for each segment.
pub(crate) fn wrapped(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, segment| Value::Object(Map::from_iter([(segment.clone(), inner)])))
}

/// The element that a segment counts to. One text per index: no sign, no leading zero.
fn index(segment: &str) -> Option<usize> {
    let is_canonical =
        segment.bytes().all(|byte| byte.is_ascii_digit()) && (segment == "0" || !segment.starts_with('0'));
    if is_canonical { segment.parse().ok() } else { None }
}

// Numbers: 64-bit integers exactly, 64-bit floating point, and nothing else, whatever `serde_json` is built with.

// Names in a JSON text that readers take differently. Of two members of one name each keeps one, and not each the same.

pub(crate) const REPEATED: &str = "two members have one name, and a reader would keep one of them; keep or rename one";

pub(crate) const PRIVATE: &str = "no key may start with \"$serde_json::private::\"; choose another key";

/// The keys and indices that lead to the first name that a reader would take for something else, and why: one that its object
/// has twice, or one with which `serde_json` marks values of its own.
pub(crate) fn bad_name(json: &[u8]) -> Option<(Vec<String>, &'static str)> {
    let (mut path, mut problem) = (Vec::new(), None);
    // Depth is bounded by the reader, as it is everywhere. What is no JSON is the parser's to refuse.
    let walk = Walk { path: &mut path, problem: &mut problem };
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_slice(json));
    problem.map(|problem| (path, problem))
}

/// Goes through a value. Where it fails, the path leads to the name at fault.
struct Walk<'p> {
    path: &'p mut Vec<String>,
    problem: &'p mut Option<&'static str>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

macro_rules! visit_scalar {
    ($($method:ident($scalar:ty)),*) => {$(
        fn $method<E>(self, _: $scalar) -> Result<(), E> {
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    visit_scalar!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.path.push(index.to_string());
            if elements.next_element_seed(Walk { path: self.path, problem: self.problem })?.is_none() {
                break;
            }
            self.path.pop();
        }
        self.path.pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.path.push(name.clone());
            let is_private = name.starts_with(SERDE_JSON_PRIVATE);
            if is_private || !names.insert(name) {
                let problem = if is_private { PRIVATE } else { REPEATED };
                *self.problem = Some(problem);
                return Err(A::Error::custom(problem));
            }
            members.next_value_seed(Walk { path: self.path, problem: self.problem })?;
            self.path.pop();
        }
        Ok(())
    }
}

// Dates as text: RFC 3339, a profile of ISO 8601.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::super::path::{Path, check_depth};
    use super::*;
    use crate::json::exact::{to_json, to_object};
    use crate::limits::DATA_DEPTH_MAX;

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

#[cfg(test)]
mod tree_tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_index_has_one_text() {
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("10"), Some(10));
        for text in ["", "+1", "-1", "01", "00", "1.0", " 1", "1 ", "x", "١", "99999999999999999999999"] {
            assert_eq!(index(text), None, "{text:?}");
        }
    }

    #[test]
    fn depth_counts_arrays_and_objects() {
        for (value, expected) in [(json!(1), 0), (json!([]), 1), (json!({}), 1), (json!([1, {"a": [2]}, []]), 3)] {
            assert_eq!(depth(&value), expected, "{value}");
        }
    }

    #[test]
    fn identical_values_may_differ_in_the_order_of_members_alone() {
        let left: Value = serde_json::from_str(r#"{"a":1,"b":[true,null]}"#).unwrap();
        assert!(identical(&left, &serde_json::from_str(r#"{"b":[true,null],"a":1}"#).unwrap()));
        for other in
            [json!({"a": 1}), json!({"a": 1.0, "b": [true, null]}), json!({"a": 1, "b": [null, true]}), json!(1)]
        {
            assert!(!identical(&left, &other), "{other}");
        }
        assert!(!identical(&json!({"a": null}), &json!({"b": null})));
        assert!(!identical(&json!([1]), &json!([1, 2])));
    }
}
