//! JSON values: read exactly or not at all, found and placed by a path, added up, and read as an application's types.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Neg;

use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use time::OffsetDateTime;
use time::format_description::well_known::{Iso8601, Rfc3339};

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
/// would round: an integer beyond 64 bits, which [`to_json`](super::to_json) never writes, or a number beyond the floats.
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

/// The one top-level key that is the crate's own: wire format, section 3.1.
const RESERVED: &str = "~";

/// Prefix of the names with which `serde_json` marks values of its own.
pub(super) const SERDE_JSON_PRIVATE: &str = "$serde_json::private::";

/// Most segments of a path: the session itself is one level of the depth, the value another.
const SEGMENTS_MAX: usize = DATA_DEPTH_MAX - 1;

/// Names a value in a session: the keys that lead to it, from the outermost in.
///
/// Text is split at every dot: `"user.email"` is the member `email` of the object `user`. A segment that is a decimal
/// number without sign or leading zero counts the elements of an array from 0: `"items.0.price"`; below an object it is
/// a key like any other. [`Path::from_segments`] names keys that contain a dot, or are empty.
///
/// Every path can be made. One that can name nothing is refused by the call that it is given to, with
/// [`SessionError::Path`]: without any segment, with an empty segment in dotted text, with `"~"` as the first segment
/// (the crate's own key), with more than 127 segments, or with a segment that starts with `$serde_json::private::` (it
/// would not read back).
///
/// ```
/// use sealed_session::Path;
///
/// assert_eq!(Path::from("user.email"), Path::from_segments(["user", "email"]));
/// assert_ne!(Path::from("example.com.visits"), Path::from_segments(["example.com", "visits"]));
/// assert_eq!(Path::from_segments(["example.com", "visits"]).to_string(), "example.com.visits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Apart from the others: most paths have one segment, and need no list.
    first: Segment,
    rest: Vec<String>,
    problem: Option<&'static str>,
}

impl Path {
    /// A path of these keys, each taken as it is: dots do not split it, and it may be empty.
    ///
    /// ```
    /// use sealed_session::Path;
    ///
    /// let host = String::from("example.com");
    /// assert_eq!(Path::from_segments(["hosts", &host]).to_string(), "hosts.example.com");
    /// ```
    #[must_use]
    pub fn from_segments<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Self {
        let mut segments = segments.into_iter().map(Into::into);
        let first: Option<String> = segments.next();
        Self::of(first.as_deref(), segments.collect())
    }

    fn of(first: Option<&str>, rest: Vec<String>) -> Self {
        let problem = problem_of(first, &rest);
        Self { first: Segment::from(first.unwrap_or_default()), rest, problem }
    }

    /// The first segment and the rest of a path that can name a value.
    pub(super) fn checked(&self) -> Result<(&str, &[String]), SessionError> {
        match self.problem {
            None => Ok((self.first.as_str(), &self.rest)),
            Some(problem) => Err(SessionError::Path { path: self.to_string(), problem }),
        }
    }

    /// The path of its first segments.
    pub(super) fn first(&self, count: usize) -> Self {
        let rest = self.rest.iter().take(count.saturating_sub(1)).cloned().collect();
        Self { first: self.first.clone(), rest, problem: self.problem }
    }

    /// How many segments there are; so many arrays and objects lie around the value.
    pub(crate) fn segment_count(&self) -> usize {
        self.rest.len().saturating_add(1)
    }

    /// The path without its last `count` segments, for messages.
    pub(super) fn without_last(&self, count: usize) -> String {
        let kept = self.segment_count().saturating_sub(count);
        let rest = self.rest.iter().map(String::as_str);
        std::iter::once(self.first.as_str()).chain(rest).take(kept).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Path {
    /// The segments joined by dots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_last(0))
    }
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        let mut segments = text.split('.');
        let path = Self::of(segments.next(), segments.map(str::to_owned).collect());
        let dotted_problem = if text.is_empty() {
            Some(EMPTY)
        } else if path.first.as_str().is_empty() || path.rest.iter().any(String::is_empty) {
            Some("a segment is empty; name an empty key with `Path::from_segments`")
        } else {
            None
        };
        Self { problem: dotted_problem.or(path.problem), ..path }
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Path {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Self> for Path {
    fn from(path: &Self) -> Self {
        path.clone()
    }
}

/// The first key of a path. A short one, as most are, lies in the path and takes no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Segment {
    Short { bytes: [u8; Self::SHORT_BYTES], length: u8 },
    Long(Box<str>),
}

impl Segment {
    const SHORT_BYTES: usize = 22;

    fn as_str(&self) -> &str {
        match self {
            Self::Short { bytes, length } => {
                let text = bytes.get(..usize::from(*length)).unwrap_or_default();
                // It was text when it was copied.
                std::str::from_utf8(text).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }
}

impl From<&str> for Segment {
    fn from(text: &str) -> Self {
        let mut bytes = [0; Self::SHORT_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(text.as_bytes());
                Self::Short { bytes, length }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

const EMPTY: &str = "it is empty; name a key";

/// What keeps the segments from naming a value, however they were given.
fn problem_of(first: Option<&str>, rest: &[String]) -> Option<&'static str> {
    let Some(first) = first else { return Some(EMPTY) };
    let is_private = |segment: &str| segment.starts_with(SERDE_JSON_PRIVATE);
    if first == RESERVED {
        Some("the first segment \"~\" is reserved; choose another key")
    } else if rest.len() >= SEGMENTS_MAX {
        Some("it has more than 127 segments; nest less")
    } else if is_private(first) || rest.iter().any(|segment| is_private(segment)) {
        Some("no key may start with \"$serde_json::private::\"; choose another key")
    } else {
        None
    }
}

// Walks through JSON values by the segments of a path: find, place, remove, compare.

/// The place that a segment would have in an array does not exist and does not follow its last element.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAnIndex {
    /// The segments of the path from the refused one on.
    pub(super) segments_left: usize,
    /// Elements of the array.
    pub(super) length: usize,
}

/// The value at the end of the path below this one, if there is one.
pub(super) fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get(segment),
        Value::Array(elements) => elements.get(index(segment)?),
        _ => None,
    })
}

/// The same, to be changed.
pub(super) fn find_mut<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get_mut(segment),
        Value::Array(elements) => elements.get_mut(index(segment)?),
        _ => None,
    })
}

/// Takes out the value at the end of the path. Later elements of an array move up; an emptied parent stays.
pub(super) fn remove_below(value: &mut Value, path: &[String]) -> Option<Value> {
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
pub(super) fn identical(left: &Value, right: &Value) -> bool {
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
pub(super) fn depth(value: &Value) -> usize {
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
pub(super) fn place_below(slot: &mut Value, path: &[String], value: Value) -> Result<bool, NotAnIndex> {
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
pub(super) fn wrapped(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, segment| Value::Object(Map::from_iter([(segment.clone(), inner)])))
}

/// The element that a segment counts to. One text per index: no sign, no leading zero.
fn index(segment: &str) -> Option<usize> {
    let is_canonical =
        segment.bytes().all(|byte| byte.is_ascii_digit()) && (segment == "0" || !segment.starts_with('0'));
    if is_canonical { segment.parse().ok() } else { None }
}

// Numbers: 64-bit integers exactly, 64-bit floating point, and nothing else, whatever `serde_json` is built with.

/// What a number in a session is incremented by.
///
/// An integer on an integer gives an integer, and an error where the sum does not fit 64 bits (`i64` or `u64`). Where
/// either is a floating-point number, so is the sum.
///
/// ```
/// use sealed_session::Amount;
///
/// assert_eq!(Amount::from(3), Amount::from(3_u64));
/// assert_eq!(-Amount::from(0.5), Amount::from(-0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    // 128 bits, so that every 64-bit amount has a negative.
    Integer(i128),
    Float(f64),
}

macro_rules! amount_from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Amount {
            fn from(integer: $integer) -> Self {
                Self(Kind::Integer(i128::from(integer)))
            }
        }
    )*};
}

amount_from_integer!(i32, u32, i64, u64);

impl From<f64> for Amount {
    fn from(float: f64) -> Self {
        Self(Kind::Float(float))
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        match self.0 {
            Kind::Integer(integer) => Self(Kind::Integer(integer.saturating_neg())),
            Kind::Float(float) => Self(Kind::Float(-float)),
        }
    }
}

/// The number with the amount on top.
///
/// # Errors
///
/// What is wrong with the sum.
pub(super) fn sum(number: &Number, amount: Amount) -> Result<Number, &'static str> {
    let amount = match (amount.0, integer_of(number)) {
        (Kind::Integer(amount), Some(integer)) => {
            return integer
                .checked_add(amount)
                .and_then(from_integer)
                .ok_or("the sum does not fit 64 bits; keep it as text, or as a floating-point number");
        }
        #[expect(clippy::cast_precision_loss, reason = "a sum with a floating-point number is as wide as that")]
        (Kind::Integer(amount), None) => amount as f64,
        (Kind::Float(amount), _) => amount,
    };
    number
        .as_f64()
        .and_then(|float| Number::from_f64(float + amount))
        .ok_or("the sum is not finite, and JSON has no such number")
}

/// The integer as a JSON number, where 64 bits hold it.
pub(super) fn from_integer(integer: i128) -> Option<Number> {
    i64::try_from(integer).map(Number::from).or_else(|_| u64::try_from(integer).map(Number::from)).ok()
}

/// Whether both are written alike. `1` and `1.0` are not, nor are `0.0` and `-0.0`.
pub(super) fn identical_numbers(left: &Number, right: &Number) -> bool {
    left == right && left.as_f64().map(f64::to_bits) == right.as_f64().map(f64::to_bits)
}

/// The number in the one form that it has without `arbitrary_precision`, which keeps the text that was read.
///
/// `None` where neither a 64-bit integer nor a finite float holds it.
pub(super) fn canonical(number: &Number) -> Option<Number> {
    match (number.as_i64(), number.as_u64()) {
        // The text `-0`, which reads as the float elsewhere.
        (Some(0), None) => Number::from_f64(-0.0),
        (Some(integer), _) => Some(Number::from(integer)),
        (None, Some(integer)) => Some(Number::from(integer)),
        (None, None) if number.is_f64() => number.as_f64().and_then(Number::from_f64),
        (None, None) => None,
    }
}

/// Whether this may have been an integer beyond 64 bits in the text: `serde_json` rounds those to floats.
pub(super) fn could_be_rounded(number: &Number) -> bool {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= TWO_TO_63)
}

fn integer_of(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

// Names in a JSON text that readers take differently. Of two members of one name each keeps one, and not each the same.

pub(super) const REPEATED: &str = "two members have one name, and a reader would keep one of them; keep or rename one";

pub(super) const PRIVATE: &str = "no key may start with \"$serde_json::private::\"; choose another key";

/// The keys and indices that lead to the first name that a reader would take for something else, and why: one that its object
/// has twice, or one with which `serde_json` marks values of its own.
pub(super) fn bad_name(json: &[u8]) -> Option<(Vec<String>, &'static str)> {
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
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::session::{to_json, to_object};

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
mod path_tests {
    use super::*;

    fn segments(path: &Path) -> Vec<&str> {
        let (first, rest) = path.checked().unwrap();
        std::iter::once(first).chain(rest.iter().map(String::as_str)).collect()
    }

    fn refusal(path: impl Into<Path>) -> String {
        path.into().checked().unwrap_err().to_string()
    }

    #[test]
    fn text_is_split_at_dots() {
        assert_eq!(segments(&Path::from("user.email")), ["user", "email"]);
        assert_eq!(segments(&Path::from("user")), ["user"]);
        assert_eq!(segments(&Path::from(String::from("items.0"))), ["items", "0"]);
    }

    #[test]
    fn given_segments_are_not_split() {
        assert_eq!(segments(&Path::from_segments(["a.b", "c"])), ["a.b", "c"]);
    }

    #[test]
    fn every_form_of_the_same_path_is_equal() {
        let path = Path::from("a.b");
        assert_eq!(Path::from(&path), path);
        assert_eq!(Path::from(&String::from("a.b")), path);
        assert_eq!(Path::from_segments(["a", "b"]), path);
    }

    #[test]
    fn a_path_without_segments_is_refused() {
        assert_eq!(refusal(""), "cannot use the path \"\": it is empty; name a key");
        assert_eq!(refusal(Path::from_segments([""; 0])), refusal(""));
    }

    #[test]
    fn an_empty_segment_is_refused_in_text_and_is_a_key_when_given() {
        for text in ["a..b", ".a", "a.", "."] {
            assert!(refusal(text).contains("a segment is empty"), "{text}");
        }
        assert_eq!(segments(&Path::from_segments([""])), [""]);
        assert_eq!(segments(&Path::from_segments(["a", "", "b"])), ["a", "", "b"]);
    }

    #[test]
    fn the_reserved_key_is_refused_as_the_first_segment_alone() {
        assert!(refusal("~").contains("reserved"));
        assert!(refusal("~.flash").contains("reserved"));
        assert!(refusal(Path::from_segments(["~"])).contains("reserved"));
        assert_eq!(segments(&Path::from("home.~")), ["home", "~"]);
        assert_eq!(segments(&Path::from("~home")), ["~home"]);
    }

    #[test]
    fn keys_that_serde_json_takes_for_its_own_are_refused() {
        assert!(refusal(Path::from_segments(["a", "$serde_json::private::Number"])).contains("choose another key"));
    }

    #[test]
    fn a_path_has_at_most_127_segments() {
        assert_eq!(segments(&Path::from_segments(["a"; 127])).len(), 127);
        assert!(refusal(Path::from_segments(["a"; 128])).contains("more than 127 segments"));
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

#[cfg(test)]
mod number_tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::has_number_beyond_64_bits;

    fn text(sum: Result<Number, &'static str>) -> String {
        sum.unwrap().to_string()
    }

    fn float(float: f64) -> Number {
        Number::from_f64(float).unwrap()
    }

    #[test]
    fn integers_add_to_integers() {
        assert_eq!(text(sum(&Number::from(5), Amount::from(-7))), "-2");
        assert_eq!(text(sum(&Number::from(u64::MAX), Amount::from(i64::MIN))), "9223372036854775807");
        assert_eq!(text(sum(&Number::from(i64::MIN), Amount::from(u64::MAX))), "9223372036854775807");
    }

    #[test]
    fn one_float_makes_a_float() {
        assert_eq!(text(sum(&Number::from(1), Amount::from(1.0))), "2.0");
        assert_eq!(text(sum(&float(1.5), Amount::from(1))), "2.5");
        assert_eq!(text(sum(&float(1.5), Amount::from(-1.5))), "0.0");
    }

    #[test]
    fn an_integer_sum_beyond_64_bits_is_refused() {
        assert!(sum(&Number::from(u64::MAX), Amount::from(1)).unwrap_err().contains("64 bits"));
        assert!(sum(&Number::from(i64::MIN), Amount::from(-1)).unwrap_err().contains("64 bits"));
        assert!(sum(&Number::from(0), -Amount::from(u64::MAX)).unwrap_err().contains("64 bits"));
    }

    #[test]
    fn a_sum_that_is_not_finite_is_refused() {
        for amount in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            assert!(sum(&float(f64::MAX), Amount::from(amount)).unwrap_err().contains("not finite"), "{amount}");
        }
    }

    #[test]
    fn every_integer_amount_has_a_negative() {
        assert_eq!(text(sum(&Number::from(0), -Amount::from(i64::MIN))), "9223372036854775808");
    }

    #[test]
    fn numbers_that_are_written_differently_are_not_identical() {
        assert!(!identical_numbers(&Number::from(1), &float(1.0)));
        assert!(!identical_numbers(&float(0.0), &float(-0.0)));
        assert!(identical_numbers(&float(0.1), &float(0.1)));
        assert!(identical_numbers(&Number::from(u64::MAX), &Number::from(u64::MAX)));
    }

    proptest! {
        #[test]
        fn exactly_the_integers_that_64_bits_do_not_hold_are_found(integer in any::<i128>(), shift in 0_u32..128) {
            let integer = integer >> shift;
            let fits = from_integer(integer).is_some();
            prop_assert_eq!(has_number_beyond_64_bits(format!("[{integer}]").as_bytes()), !fits);
        }

        #[test]
        fn a_canonical_number_is_its_own_canonical_form(bits in any::<u64>()) {
            for number in [Number::from(bits), Number::from(bits.cast_signed())]
                .into_iter()
                .chain(Number::from_f64(f64::from_bits(bits)))
            {
                prop_assert!(canonical(&number).is_some_and(|form| identical_numbers(&form, &number)));
            }
        }
    }
}

#[cfg(test)]
mod date_tests {
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
