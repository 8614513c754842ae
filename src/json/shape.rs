//! JSON as a sealer sees it, without building it: the shape of a payload (wire format, section 3.1 and section 4, step 10), what
//! stands in its text, and how long it is.

use std::{fmt, io};

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer as _, Serialize};
use serde_json::{Map, Value};

use crate::limits::DATA_DEPTH_MAX;

const RESERVED_MEMBER: &str = "~";

/// The members of the reserved one that a session manager reads, each with what it must be.
const KNOWN: [(&str, Kind); 4] =
    [("flash", Kind::Object), ("errors", Kind::Object), ("input", Kind::Object), ("server_only", Kind::Texts)];

/// What a JSON object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An object whose reserved member, if there is one, is an object, and each member of that of its kind.
    Payload,
    /// An object whose reserved member is something else, or has a member that is.
    ReservedMember,
}

/// Looks at a JSON text; an error when it is no object, or nested deeper than a reader takes.
pub(crate) fn shape(json: &[u8]) -> Result<Shape, serde_json::Error> {
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

// What stands in a JSON text, seen where it stands: a copy would be allocated, and not be wiped. Every text here is
// well-formed: it has been parsed, or looked at by `shape`.

/// Whether a number stands in a JSON text that 64 bits do not hold: an integer that a reader rounds, or a number beyond the
/// floats.
pub(crate) fn has_number_beyond_64_bits(json: &[u8]) -> bool {
    Tokens::of(json).any(|token| match token {
        Token::Number(digits) if digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
            !parses::<f64>(digits, |float| float.is_finite())
        }
        Token::Number(digits) => !parses::<i64>(digits, |_| true) && !parses::<u64>(digits, |_| true),
        _ => false,
    })
}

fn parses<N: std::str::FromStr>(digits: &[u8], is_good: impl FnOnce(&N) -> bool) -> bool {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).is_some_and(|number| is_good(&number))
}

/// The first name that its object has twice, between its quotes as it is written.
// Looked for without a set of names, which would have to be allocated: for each name, through the rest of its object. A
// cookie's payload is short.
pub(crate) fn repeated_name(json: &[u8]) -> Option<&[u8]> {
    let mut tokens = Tokens::of(json);
    while let Some(token) = tokens.next() {
        if let Token::Name(name) = token
            && is_repeated(name, tokens.clone())
        {
            return Some(name);
        }
    }
    None
}

/// With names that begin so, `serde_json` marks values of its own: where its feature for raw JSON or for numbers as text is on,
/// a reader takes the text under such a name for JSON.
pub(crate) const SERDE_JSON_PRIVATE: &str = "$serde_json::private::";

/// Whether a name begins so, however it is escaped.
pub(crate) fn has_private_name(json: &[u8]) -> bool {
    let is_private = |name: &[u8]| {
        let name = std::str::from_utf8(name).unwrap_or_default();
        units(name).take(SERDE_JSON_PRIVATE.len()).eq(SERDE_JSON_PRIVATE.encode_utf16())
    };
    Tokens::of(json).any(|token| matches!(token, Token::Name(name) if is_private(name)))
}

/// Whether the object whose tokens go on after a name has the name again.
fn is_repeated(name: &[u8], rest: Tokens<'_>) -> bool {
    let mut depth = 0_usize;
    for token in rest {
        match token {
            Token::Open => depth = depth.saturating_add(1),
            Token::Close if depth == 0 => return false,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Name(other) if depth == 0 && are_alike(name, other) => return true,
            Token::Name(_) | Token::Number(_) => {}
        }
    }
    false
}

/// Whether two names are one, however each is escaped: raw JSON is taken as it was written.
fn are_alike(left: &[u8], right: &[u8]) -> bool {
    if !left.contains(&b'\\') && !right.contains(&b'\\') {
        return left == right;
    }
    match (std::str::from_utf8(left), std::str::from_utf8(right)) {
        (Ok(left), Ok(right)) => units(left).eq(units(right)),
        _ => false,
    }
}

/// A text's UTF-16, which is what JSON's escapes are written in.
fn units(escaped: &str) -> impl Iterator<Item = u16> {
    let mut units = escaped.encode_utf16();
    std::iter::from_fn(move || match units.next()? {
        BACKSLASH => match u8::try_from(units.next()?).ok()? {
            b'b' => Some(0x08),
            b'f' => Some(0x0c),
            b'n' => Some(0x0a),
            b'r' => Some(0x0d),
            b't' => Some(0x09),
            b'u' => (0..4).try_fold(0_u16, |unit, _| {
                let digit = char::from(u8::try_from(units.next()?).ok()?).to_digit(16)?;
                unit.checked_mul(16)?.checked_add(u16::try_from(digit).ok()?)
            }),
            other => Some(u16::from(other)),
        },
        unit => Some(unit),
    })
}

const BACKSLASH: u16 = 0x5c;

/// A part of a JSON text; the values that are no numbers are left out.
enum Token<'t> {
    /// Of an array or an object.
    Open,
    Close,
    /// The name of a member, between its quotes.
    Name(&'t [u8]),
    Number(&'t [u8]),
}

#[derive(Clone)]
struct Tokens<'t> {
    rest: &'t [u8],
}

impl<'t> Tokens<'t> {
    const fn of(json: &'t [u8]) -> Self {
        Self { rest: json }
    }

    /// Takes what stands before the first byte of this kind.
    fn take_until(&mut self, is_end: impl Fn(u8) -> bool) -> &'t [u8] {
        let length = self.rest.iter().position(|byte| is_end(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes a string, its opening quote taken already, and its closing one.
    fn take_string(&mut self) -> &'t [u8] {
        let mut is_escaped = false;
        let length = self.rest.iter().position(|byte| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        });
        let (taken, rest) = length.and_then(|length| self.rest.split_at_checked(length)).unwrap_or((self.rest, &[]));
        self.rest = rest.split_first().map_or(rest, |(_, rest)| rest);
        taken
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            let here = self.rest;
            let (first, rest) = here.split_first()?;
            self.rest = rest;
            match first {
                b'{' | b'[' => return Some(Token::Open),
                b'}' | b']' => return Some(Token::Close),
                b'"' => {
                    let text = self.take_string();
                    if self.rest.trim_ascii_start().starts_with(b":") {
                        return Some(Token::Name(text));
                    }
                }
                b'-' | b'0'..=b'9' => {
                    self.rest = here;
                    let is_of_number = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                    return Some(Token::Number(self.take_until(|byte| !is_of_number(byte))));
                }
                _ => {}
            }
        }
    }
}

/// Bytes of JSON that each member of an object takes, its quoted name and the colon included, the largest first.
///
/// Together with a comma between any two of them and the two braces they are the object's JSON.
///
/// ```
/// use sealed_session::json::object_from_json;
/// use sealed_session::operator::member_sizes;
///
/// let object = object_from_json(br#"{"user":42,"cart":["book","pen"]}"#)?;
/// assert_eq!(member_sizes(&object), [("cart".to_owned(), 21), ("user".to_owned(), 9)]);
/// # Ok::<(), sealed_session::SessionError>(())
/// ```
#[must_use]
pub fn member_sizes(object: &Map<String, Value>) -> Vec<(String, usize)> {
    sizes_of(object.iter().map(|(name, value)| (name.as_str(), value)))
}

pub(crate) fn sizes_of<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>) -> Vec<(String, usize)> {
    let size = |(name, value): (&str, &Value)| {
        // Quoted name, colon, value.
        let bytes = json_length(name).saturating_add(1).saturating_add(json_length(value));
        (name.to_owned(), bytes)
    };
    let mut sizes: Vec<_> = members.map(size).collect();
    sizes.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    sizes
}

fn json_length<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut counted = Counted::default();
    // Writing JSON values into memory cannot fail.
    let _ = value.serialize(&mut serde_json::Serializer::new(&mut counted));
    counted.0
}

/// Counts the bytes that are written and keeps none: how long a JSON text would be.
#[derive(Default)]
pub(crate) struct Counted(pub(crate) usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

#[cfg(test)]
mod json_text_tests {
    use super::*;

    #[test]
    fn numbers_beyond_64_bits_are_found_in_text() {
        for json in [
            "{\"a\":18446744073709551616}",
            "[1,-9223372036854775809]",
            "{\"\\\"\":[100000000000000000000 ]}",
            "[1e400]",
        ] {
            assert!(has_number_beyond_64_bits(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_beyond_64_bits_is_left_alone() {
        for json in [
            "{\"a\":18446744073709551615}",
            "[-9223372036854775808, -0, 0]",
            "[18446744073709551616.0, 1e300, 18446744073709551616E+2]",
            "{\"18446744073709551616\":\"18446744073709551616\"}",
            "{\"\\\"18446744073709551616\":\"\\\\\"}",
        ] {
            assert!(!has_number_beyond_64_bits(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn a_name_is_repeated_in_its_own_object_alone() {
        for (json, expected) in [
            (r#"{"a":1,"b":[{"a":1},{"a":[]}],"a":2}"#, Some("a")),
            (r#"{"b":{"c\"":{"a":1},"d":"x","c\"" : 2}}"#, Some(r#"c\""#)),
            (r#"[{"a\\":"a","a\\":1}]"#, Some(r"a\\")),
            (r#"{"":1,"":2}"#, Some("")),
            (r#"{"a/\n":1,"\u0061\/\u000A":2}"#, Some(r"a/\n")),
            (r#"{"\ud83d\ude00":1,"😀":2}"#, Some(r"\ud83d\ude00")),
            (r#"{"\u0061":1,"u0061":2,"\\u0061":3,"\"":4,"\\":5}"#, None),
            (r#"{"a":{"a":["a","a",{"a":"\"a\":1"}]},"b":"a","A":{}}"#, None),
            (r#"{"a":"}","b":"\\","c":1}"#, None),
            ("{}", None),
        ] {
            assert_eq!(repeated_name(json.as_bytes()), expected.map(str::as_bytes), "{json}");
        }
    }

    #[test]
    fn no_text_makes_it_go_on_for_ever_or_panic() {
        for text in ["\"", "\"\\", "{\"a\"", "-", "1e", "{{{", "}}", "\"a\" :", "é\"é"] {
            assert!(!has_number_beyond_64_bits(text.as_bytes()) || matches!(text, "-" | "1e"), "{text}");
            assert_eq!(repeated_name(text.as_bytes()), None, "{text}");
        }
    }
}
