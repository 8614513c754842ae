//! The shape of a payload, seen without building it: wire format, section 3.1 and section 4, step 10.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits::DATA_DEPTH_MAX;

const RESERVED_MEMBER: &str = "~";

/// The members of the reserved one that a session manager reads, each with what it must be.
const KNOWN: [(&str, Kind); 4] =
    [("flash", Kind::Object), ("errors", Kind::Object), ("input", Kind::Object), ("server_only", Kind::Texts)];

/// What a JSON object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object whose reserved member, if there is one, is an object, and each member of that of its kind.
    Payload,
    /// An object whose reserved member is something else, or has a member that is.
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
        while let Some(name) = members.next_key_seed(OneOf([RESERVED_MEMBER]))? {
            if name.is_none() {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            // Of repeated names the last counts.
            shape = match members.next_value_seed(Looked(Kind::ReservedMember))? {
                true => Shape::Payload,
                false => Shape::ReservedMember,
            };
        }
        Ok(shape)
    }
}

/// Which of these names one is, seen where it stands: a copy would be allocated for each, and not be wiped.
struct OneOf<const N: usize>([&'static str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for OneOf<N> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<Option<usize>, D::Error> {
        name.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for OneOf<N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }
}

/// What a reader needs a value to be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    Object,
    /// An object whose own members are of their kinds.
    ReservedMember,
}

/// Whether a value is of its kind. Every kind is visited, because an error of `serde` would quote what it found.
struct Looked(Kind);

impl<'de> DeserializeSeed<'de> for Looked {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

macro_rules! visit_other {
    ($($method:ident($other:ty)),*) => {$(
        fn $method<E>(self, _: $other) -> Result<bool, E> {
            Ok(false)
        }
    )*};
}

impl<'de> Visitor<'de> for Looked {
    type Value = bool;

    visit_other!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(matches!(self.0, Kind::Text))
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<bool, A::Error> {
        let mut is_good = matches!(self.0, Kind::Texts);
        if is_good {
            while let Some(is_text) = elements.next_element_seed(Looked(Kind::Text))? {
                is_good &= is_text;
            }
        } else {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(is_good)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        if !matches!(self.0, Kind::ReservedMember) {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(matches!(self.0, Kind::Object));
        }
        let mut are_good = [true; KNOWN.len()];
        while let Some(name) = members.next_key_seed(OneOf(KNOWN.map(|(name, _)| name)))? {
            let known = name.and_then(|index| KNOWN.get(index).zip(are_good.get_mut(index)));
            match known {
                None => _ = members.next_value::<IgnoredAny>()?,
                Some(((_, kind), is_good)) => *is_good = members.next_value_seed(Looked(*kind))?,
            }
        }
        Ok(are_good.iter().all(|is_good| *is_good))
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
    fn a_member_of_the_reserved_one_that_no_reader_takes_is_told() {
        for json in [
            r#"{"~":{"flash":1}}"#,
            r#"{"~":{"errors":[]}}"#,
            r#"{"~":{"input":null}}"#,
            r#"{"~":{"server_only":1}}"#,
            r#"{"~":{"server_only":{}}}"#,
            r#"{"~":{"server_only":null}}"#,
            r#"{"~":{"server_only":["a",1]}}"#,
            r#"{"~":{"later":1,"\u0066lash":"x"}}"#,
        ] {
            assert_eq!(of(json), Some(Shape::ReservedMember), "{json}");
        }
        for json in [
            r#"{"~":{"flash":{"a":[]},"errors":{},"input":{},"server_only":[]}}"#,
            r#"{"~":{"server_only":["a","b"],"later":1,"x":[{}]}}"#,
            r#"{"flash":1,"a":{"~":{"flash":1}}}"#,
        ] {
            assert_eq!(of(json), Some(Shape::Payload), "{json}");
        }
    }

    #[test]
    fn of_repeated_names_the_last_counts() {
        for json in [r#"{"~":1,"~":{}}"#, r#"{"~":{"flash":1,"flash":{}}}"#, r#"{"~":{"flash":1},"~":{}}"#] {
            assert_eq!(of(json), Some(Shape::Payload), "{json}");
        }
        for json in [r#"{"~":{},"~":1}"#, r#"{"~":{"flash":{},"flash":1}}"#, r#"{"~":{},"~":{"input":1}}"#] {
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
