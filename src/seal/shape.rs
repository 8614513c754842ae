//! The shape of a payload, seen without building it: wire format, section 3.1 and section 4, step 10.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits::DATA_DEPTH_MAX;

const RESERVED_MEMBER: &str = "~";

/// What a JSON object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object whose reserved member, if there is one, is an object.
    Payload,
    /// An object whose reserved member is something else.
    ReservedMember,
}

/// Looks at a JSON text; an error when it is no object, or nested deeper than a reader takes.
pub(super) fn shape(json: &[u8]) -> Result<Shape, serde_json::Error> {
    // A whole text, so that invalid UTF-8 is found wherever it is.
    let text = std::str::from_utf8(json).map_err(Error::custom)?;
    if is_too_deep(json) {
        return Err(Error::custom("nested too deep"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let shape = reader.deserialize_map(Top)?;
    reader.end()?;
    Ok(shape)
}

struct Top;

impl<'de> Visitor<'de> for Top {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::Payload;
        while let Some(is_reserved) = members.next_key_seed(IsReserved)? {
            if !is_reserved {
                members.next_value::<IgnoredAny>()?;
            } else if !members.next_value_seed(IsObject)? {
                shape = Shape::ReservedMember;
            }
        }
        Ok(shape)
    }
}

/// Whether a name is the reserved one, seen where it stands: a copy would be allocated for each, and not be wiped.
struct IsReserved;

impl<'de> DeserializeSeed<'de> for IsReserved {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for IsReserved {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == RESERVED_MEMBER)
    }
}

/// Whether a value is an object. Every kind is visited, because an error of `serde` would quote what it found.
struct IsObject;

impl<'de> DeserializeSeed<'de> for IsObject {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IsObject {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<bool, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(true)
    }
}

/// Whether arrays and objects lie deeper inside one another than a reader takes. The text is not known to be JSON yet:
/// for any other the answer means nothing, and it is refused next.
// Security: `serde_json` bounds the depth of what it builds and not of what it skips.
fn is_too_deep(json: &[u8]) -> bool {
    // Most payloads have fewer brackets than levels are allowed, and counting those is several times as fast.
    if json.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() < DATA_DEPTH_MAX {
        return false;
    }
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth = depth.saturating_add(1),
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth >= DATA_DEPTH_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Option<Shape> {
        shape(json.as_bytes()).ok()
    }

    #[test]
    fn an_object_is_a_payload_whatever_is_in_it() {
        for json in ["{}", r#"{"a":[1,-2,3.5,"x",null,true,{"b":{}}],"~~":1,"c":{"~":1}}"#, r#"{"~":{"flash":{}}}"#] {
            assert_eq!(of(json), Some(Shape::Payload), "{json}");
        }
    }

    #[test]
    fn a_reserved_member_that_is_no_object_is_told_however_it_is_written() {
        for json in
            [r#"{"~":1}"#, r#"{"a":1,"\u007e":[1]}"#, r#"{"~":null}"#, r#"{"~":"x"}"#, r#"{"~":-1.5}"#, r#"{"~":true}"#]
        {
            assert_eq!(of(json), Some(Shape::ReservedMember), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_or_no_json_has_no_shape() {
        for json in ["", "[]", "1", "null", "\"{}\"", "{", "{}x", r#"{"a":}"#] {
            assert_eq!(of(json), None, "{json}");
        }
        assert!(shape(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_texts_do_not_count() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(of(&nested(126)), Some(Shape::Payload));
        assert_eq!(of(&nested(127)), None);
        assert_eq!(of(&nested(100_000)), None);
        assert_eq!(of(&format!(r#"{{"a\"{}":"\\{}"}}"#, "[".repeat(300), "{".repeat(300))), Some(Shape::Payload));
    }
}
