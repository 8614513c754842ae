//! JSON as text.

use std::ops::Range;
use std::sync::Arc;

use memchr::memchr2;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::path::Path;
use super::value::{self, kind};
use crate::error::SessionError;
use crate::limits::DATA_DEPTH_MAX;
use crate::wipe::WipedBytes;

/// JSON text that several hold: of a whole session, or of a value.
pub(crate) type Text = Arc<WipedBytes>;

/// With the feature `arbitrary_precision`, which another crate may turn on, `serde_json` keeps numbers as text and gives them
/// to a type in a way that differs between a text and a value.
pub(crate) const KEEPS_NUMBERS_AS_TEXT: bool = size_of::<Number>() >= size_of::<String>();

/// A value of an application's, as text that reads back as that value.
#[derive(Clone, Debug)]
pub(crate) struct Json {
    text: Text,
    /// Of an object: its members.
    parts: Vec<Part>,
    depth: usize,
    is_plain: bool,
}

impl Json {
    pub(crate) const fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn into_parts(self) -> (Text, Vec<Part>) {
        (self.text, self.parts)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Every number in it is an integer.
    pub(crate) const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Arrays and objects inside one another, the value itself included.
    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn is_object(&self) -> bool {
        self.text.starts_with(b"{")
    }

    pub(crate) fn value(&self) -> Value {
        value_in(&self.text)
    }

    /// Its members as values; none for what is no object.
    pub(crate) fn members(&self) -> Map<String, Value> {
        match self.value() {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        kind(&self.value())
    }
}

/// A [`Json`] that is being written.
pub(crate) struct Writer {
    pub(crate) json: WipedBytes,
    /// The members of the outermost object that have been written.
    parts: Vec<Part>,
    /// Where the names of those objects are that have not ended yet.
    pub(crate) names: Vec<Range<usize>>,
    /// Most arrays and objects inside one another.
    pub(crate) deepest: usize,
    /// Every number since the last member of the outermost object began is an integer.
    pub(crate) is_plain: bool,
    /// Where the value of that member begins.
    value_begin: usize,
    /// A part of it could not be written, and the text is none.
    pub(crate) is_broken: bool,
}

impl Writer {
    pub(crate) fn new(capacity_bytes: usize) -> Self {
        let json = WipedBytes::with_capacity(capacity_bytes);
        let (parts, names) = (Vec::new(), Vec::new());
        Self { json, parts, names, deepest: 0, is_plain: true, value_begin: 0, is_broken: false }
    }

    pub(crate) fn finish(self) -> Json {
        let Self { json, parts, deepest: depth, is_plain, .. } = self;
        let is_plain = if parts.is_empty() { is_plain } else { parts.iter().all(|part| part.is_plain) };
        Json { text: Arc::new(json), parts, depth, is_plain: is_plain && !KEEPS_NUMBERS_AS_TEXT }
    }

    /// A string. Most have nothing to escape, and are copied as they are.
    #[inline]
    pub(crate) fn write_str(&mut self, text: &str) -> Result<(), serde_json::Error> {
        if needs_escapes(text.as_bytes()) {
            return self.write(text);
        }
        self.json.extend_quoted(text.as_bytes());
        Ok(())
    }

    /// What `serde_json` writes exactly.
    pub(crate) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.json, value)
    }

    /// The value of a member of an object at this depth begins.
    #[inline]
    pub(crate) fn begin_value(&mut self, depth: usize) {
        self.json.push(b':');
        if depth == 1 {
            self.is_plain = true;
            self.value_begin = self.json.len();
        }
    }

    /// It has ended.
    #[inline]
    pub(crate) fn end_value(&mut self, depth: usize, name: &Range<usize>) {
        if depth == 1 {
            let name_is_escaped = self.text(name).contains(&b'\\');
            let value = self.value_begin..self.json.len();
            self.parts.push(Part { name: name.clone(), name_is_escaped, value, is_plain: self.is_plain });
        }
    }

    #[inline]
    pub(crate) fn text(&self, range: &Range<usize>) -> &[u8] {
        self.json.get(range.clone()).unwrap_or_default()
    }

    /// A name as its application knows it, for messages.
    pub(crate) fn name(&self, range: &Range<usize>) -> String {
        let quoted = range.start.saturating_sub(1)..range.end.saturating_add(1);
        serde_json::from_slice(self.text(&quoted)).unwrap_or_default()
    }

    /// The first of the names from this one on that is there twice.
    // Security: a reader keeps one of them, and not every reader the same: a flattened map could give a user a role.
    pub(crate) fn repeated(&self, first: usize) -> Option<&Range<usize>> {
        const FEW: usize = 8;
        let names = self.names.get(first..).unwrap_or_default();
        if names.len() <= FEW {
            let mut rest = names.iter();
            while let Some(name) = rest.next() {
                let is_alike = |other: &Range<usize>| other.len() == name.len() && self.text(other) == self.text(name);
                if rest.as_slice().iter().any(is_alike) {
                    return Some(name);
                }
            }
            return None;
        }
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable_by_key(|name| self.text(name));
        sorted.iter().zip(sorted.iter().skip(1)).find(|(a, b)| self.text(a) == self.text(b)).map(|(name, _)| *name)
    }
}

/// Whether JSON escapes something in a string. Without a branch for each byte, so that many are compared at once.
fn needs_escapes(text: &[u8]) -> bool {
    text.iter().fold(false, |found, byte| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
}

/// The value in a text that was looked at when it was opened or written.
pub(crate) fn value_in(text: &[u8]) -> Value {
    value::parse(text).unwrap_or_default()
}

/// Whether two texts of one value each are surely different values. Scalars have one text each, but for floats and for
/// strings with escapes.
pub(crate) fn differ_surely((left, left_is_plain): (&[u8], bool), (right, right_is_plain): (&[u8], bool)) -> bool {
    let has_one_text = |text: &[u8], is_plain: bool| match text.first() {
        Some(b'"') => !text.contains(&b'\\'),
        Some(b'{' | b'[') | None => false,
        _ => is_plain,
    };
    has_one_text(left, left_is_plain) && has_one_text(right, right_is_plain) && left != right
}

/// What a call found, to be read once the session is not held any more: a type's `Deserialize` may call it.
#[derive(Clone)]
pub(crate) enum Found {
    Nothing,
    Text { text: Text, place: Range<usize>, is_plain: bool },
    Value(Value),
}

impl Found {
    pub(crate) fn text(text: Option<&Text>, place: &Range<usize>, is_plain: bool) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text { text: Arc::clone(text), place: place.clone(), is_plain })
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Value(value), Self::Value(other)) => value == other,
            (Self::Text { text, place, .. }, Self::Text { text: other, place: there, .. }) => {
                text.get(place.clone()) == other.get(there.clone())
            }
            _ => false,
        }
    }

    /// As a `T`; `None` for nothing and for null.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] where it does not read as one.
    pub(crate) fn read<T: DeserializeOwned>(self, path: &Path) -> Result<Option<T>, SessionError> {
        match self.parse() {
            Ok(read) => Ok(Some(read)),
            Err(Value::Null) => Ok(None),
            Err(value) => value::from_json(path, &value).map(Some),
        }
    }

    /// The whole session as a `T`.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] with an empty path, where it does not read as one.
    pub(crate) fn read_whole<T: DeserializeOwned>(self) -> Result<T, SessionError> {
        match self.parse() {
            Ok(read) => Ok(read),
            Err(value) => value::from_json("", &value),
        }
    }

    /// As a `T` where its text reads as one, and as a value otherwise: a value knows the last of repeated names, and errors
    /// say what it is.
    fn parse<T: DeserializeOwned>(self) -> Result<T, Value> {
        match self {
            Self::Nothing => Err(Value::Null),
            Self::Value(value) => Err(value),
            Self::Text { text, place, is_plain } => {
                let text = text.get(place).unwrap_or_default();
                let is_direct = is_plain && text != b"null";
                is_direct.then(|| serde_json::from_slice(text).ok()).flatten().ok_or_else(|| value_in(text))
            }
        }
    }
}

// One pass over a JSON text: whether it is an object that a reader takes, and where each of its members is.

/// A member of the object, by its places in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Between the quotes, as it is written.
    pub(crate) name: Range<usize>,
    pub(crate) name_is_escaped: bool,
    pub(crate) value: Range<usize>,
    /// Every number in the value is an integer that has one form. Others have several, and are read through a JSON value.
    pub(crate) is_plain: bool,
}

/// Hands over the members in the order of the text, repeated names included. `None` for what is no object, is nested deeper than
/// [`DATA_DEPTH_MAX`] arrays and objects, or holds a number that a reader would round: the same texts that
/// [`super::value::parse_object`] refuses (RFC 8259).
pub(crate) fn outline(json: &str, mut take: impl FnMut(Part)) -> Option<()> {
    let mut scan = Scan { bytes: json.as_bytes(), at: 0, depth: 1, is_plain: true };
    scan.skip_space();
    scan.expect(b'{')?;
    scan.skip_space();
    if scan.peek() == Some(b'}') {
        scan.at = scan.at.checked_add(1)?;
    } else {
        loop {
            scan.skip_space();
            scan.expect(b'"')?;
            let begin = scan.at;
            let name_is_escaped = scan.string()?;
            let name = begin..scan.at.checked_sub(1)?;
            scan.skip_space();
            scan.expect(b':')?;
            scan.skip_space();
            let begin = scan.at;
            scan.is_plain = true;
            scan.value()?;
            take(Part { name, name_is_escaped, value: begin..scan.at, is_plain: scan.is_plain });
            scan.skip_space();
            match scan.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
    }
    scan.skip_space();
    (scan.at == scan.bytes.len()).then_some(())
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Arrays and objects around this place.
    depth: usize,
    is_plain: bool,
}

/// What is open around a place, one bit each: an object is a one.
type Containers = u128;

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at = self.at.wrapping_add(1);
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at = self.at.wrapping_add(1);
        }
    }

    /// A value. Without recursion, so that no text runs the stack out.
    fn value(&mut self) -> Option<()> {
        let (outside, mut containers): (usize, Containers) = (self.depth, 0);
        loop {
            self.skip_space();
            let opened = match self.next()? {
                b'"' => self.string().map(|_| None)?,
                b'{' => Some(1),
                b'[' => Some(0),
                b't' => self.word(b"rue").map(|()| None)?,
                b'f' => self.word(b"alse").map(|()| None)?,
                b'n' => self.word(b"ull").map(|()| None)?,
                first @ (b'-' | b'0'..=b'9') => self.number(first).map(|()| None)?,
                _ => return None,
            };
            if let Some(is_object) = opened {
                self.depth = self.depth.checked_add(1).filter(|depth| *depth < DATA_DEPTH_MAX)?;
                containers = (containers << 1) | is_object;
                self.skip_space();
                match (self.peek()?, is_object) {
                    (b'}', 1) | (b']', 0) => {}
                    (_, 1) => {
                        self.name()?;
                        continue;
                    }
                    _ => continue,
                }
            }
            // A value has ended, or an empty container stands before its end.
            loop {
                if self.depth == outside {
                    return Some(());
                }
                self.skip_space();
                let is_object = containers & 1 == 1;
                match (self.next()?, is_object) {
                    (b',', true) => {
                        self.skip_space();
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => {
                        self.depth = self.depth.checked_sub(1)?;
                        containers >>= 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.string()?;
        self.skip_space();
        self.expect(b':')
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        let is_there = self.bytes.get(self.at..)?.starts_with(rest);
        self.at = self.at.checked_add(rest.len())?;
        is_there.then_some(())
    }

    /// The rest of a string, its opening quote taken already; whether something in it is escaped.
    fn string(&mut self) -> Option<bool> {
        let mut is_escaped = false;
        loop {
            let rest = self.bytes.get(self.at..)?;
            // Most strings end within the next eight bytes, or sixteen.
            if let Some((word, _)) = rest.split_first_chunk() {
                let special = special_bytes(u64::from_le_bytes(*word));
                let length = usize::try_from(special.trailing_zeros() / 8).ok()?;
                if special != 0 && word.get(length) == Some(&b'"') {
                    self.at = self.at.checked_add(length)?.checked_add(1)?;
                    return Some(is_escaped);
                }
            }
            let length = plain_length(rest)?;
            self.at = self.at.checked_add(length)?;
            match self.next()? {
                b'"' => return Some(is_escaped),
                b'\\' => {
                    is_escaped = true;
                    match self.next()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => match self.unit()? {
                            // A surrogate stands for something together with its other half alone.
                            0xd800..=0xdbff => {
                                self.word(b"\\u")?;
                                if !matches!(self.unit()?, 0xdc00..=0xdfff) {
                                    return None;
                                }
                            }
                            0xdc00..=0xdfff => return None,
                            _ => {}
                        },
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit: u32, _| Some((unit << 4) | char::from(self.next()?).to_digit(16)?))
    }

    /// A number, its first byte taken already.
    fn number(&mut self, first: u8) -> Option<()> {
        let begin = self.at.checked_sub(1)?;
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' if matches!(self.peek(), Some(b'0'..=b'9')) => return None,
            b'0'..=b'9' => self.digits(),
            _ => return None,
        }
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            is_float = true;
            self.at = self.at.wrapping_add(1);
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_float = true;
            self.at = self.at.wrapping_add(1);
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at = self.at.wrapping_add(1);
            }
            self.some_digits()?;
        }
        let text = self.bytes.get(begin..self.at)?;
        self.is_plain &= !is_float && text != b"-0";
        if !is_float && text.len() <= 18 {
            return Some(());
        }
        let text = std::str::from_utf8(text).ok()?;
        let is_held = if is_float {
            text.parse::<f64>().is_ok_and(f64::is_finite)
        } else {
            text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
        };
        is_held.then_some(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at = self.at.wrapping_add(1);
        }
    }

    fn some_digits(&mut self) -> Option<()> {
        let begin = self.at;
        self.digits();
        (self.at > begin).then_some(())
    }
}

/// How many bytes come before a quote, a backslash or a control character; `None` where a string does not end.
fn plain_length(text: &[u8]) -> Option<usize> {
    /// Most strings are shorter; a long one is searched at the speed of memory.
    const SHORT: usize = 32;
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    let (short, long) = text.split_at_checked(SHORT).unwrap_or((text, &[]));
    let mut words = short.chunks_exact(8);
    let mut length = 0_usize;
    for word in &mut words {
        let special = special_bytes(u64::from_le_bytes(word.try_into().ok()?));
        if special != 0 {
            return length.checked_add(usize::try_from(special.trailing_zeros() / 8).ok()?);
        }
        length = length.checked_add(8)?;
    }
    if let Some(position) = words.remainder().iter().position(is_special) {
        return length.checked_add(position);
    }
    let length = memchr2(b'"', b'\\', long)?;
    // Without a branch for each byte, so that many are compared at once.
    let has_control = long.get(..length)?.iter().fold(false, |found, byte| found | (*byte < 0x20));
    if has_control { text.iter().position(is_special) } else { SHORT.checked_add(length) }
}

/// A word whose lowest set bit is in the first byte of this one that ends a plain piece of a string: eight bytes at once, by the
/// test for a zero byte of Mycroft (1987), which is exact for the first.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & (ONES << 7)
    }
    let quote = zero_bytes(word ^ (ONES * 0x22));
    let backslash = zero_bytes(word ^ (ONES * 0x5c));
    // Control characters have none of the three high bits.
    let control = zero_bytes(word & (ONES * 0xe0));
    quote | backslash | control
}

#[cfg(test)]
mod outline_tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::value::parse_object;
    use super::*;
    use crate::json::shape::has_number_beyond_64_bits;

    /// Both readers take a text, or neither does; and the parts are its members.
    fn agrees(json: &str) -> Result<(), TestCaseError> {
        let mut parts = Vec::new();
        let parts = outline(json, |part| parts.push(part)).map(|()| parts);
        // A value that the parser gives up for a later one of the same name may have had such a number.
        let whole = parse_object(json.as_bytes()).ok().filter(|_| !has_number_beyond_64_bits(json.as_bytes()));
        prop_assert_eq!(parts.is_some(), whole.is_some(), "{}", json);
        let (Some(parts), Some(whole)) = (parts, whole) else { return Ok(()) };
        let mut members = Map::new();
        for part in parts {
            let quoted = &json[part.name.start - 1..=part.name.end];
            prop_assert_eq!(part.name_is_escaped, quoted.contains('\\'));
            let name: String = serde_json::from_str(quoted).unwrap();
            let value = super::super::value::parse(json[part.value.clone()].as_bytes()).unwrap();
            members.insert(name, value);
        }
        prop_assert_eq!(Value::Object(members), Value::Object(whole));
        Ok(())
    }

    #[test]
    fn the_end_of_a_plain_piece_is_found_wherever_it_is() {
        for length in 0..100 {
            for last in 0..=u8::MAX {
                let text = [vec![b'x'; length], vec![last], vec![b'"'; 3]].concat();
                let expected = if matches!(last, b'"' | b'\\' | 0..=0x1f) { length } else { length + 1 };
                assert_eq!(plain_length(&text), Some(expected), "{length} {last:#04x}");
            }
            assert_eq!(plain_length(&vec![0xff; length]), None);
        }
    }

    #[test]
    fn texts_at_the_edges_of_what_is_read() {
        let nested =
            |open: &str, close: &str, depth: usize| format!("{{\"a\":{}1{}}}", open.repeat(depth), close.repeat(depth));
        let depths = [1, 125, 126, 127, 128, 200].into_iter();
        let deep = depths
            .flat_map(|depth| [nested("[", "]", depth), nested("{\"a\":", "}", depth), nested("[ ", " ]", depth)]);
        let plain = [
            "",
            " ",
            "{}",
            " { } ",
            "{}x",
            "{} {}",
            "{",
            "}",
            "[]",
            "1",
            "null",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1,\"a\":2}",
            "{\"\":[]}",
            "{\"a\":[1,]}",
            "{\"a\":[,1]}",
            "{\"a\":{\"b\":1,}}",
            "{\"a\":[}",
            "{\"a\":{]}",
            "{\"a\":[1 2]}",
            "{\"a\":tru}",
            "{\"a\":true}",
            "{\"a\":truex}",
            "{\"a\":nul",
            "{\"a\":01}",
            "{\"a\":-}",
            "{\"a\":-0}",
            "{\"a\":-01}",
            "{\"a\":1.}",
            "{\"a\":.1}",
            "{\"a\":1.0}",
            "{\"a\":1e}",
            "{\"a\":1e+}",
            "{\"a\":1E-2}",
            "{\"a\":1e400}",
            "{\"a\":-1e400}",
            "{\"a\":+1}",
            "{\"a\":18446744073709551615}",
            "{\"a\":18446744073709551616}",
            "{\"a\":-9223372036854775808}",
            "{\"a\":-9223372036854775809}",
            "{\"a\":18446744073709551616.0}",
            "{\"a\":100000000000000000000}",
            "{\"a\":0x1}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":\"\\u0000\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"\\ud83d\\ude00\"}",
            "{\"a\":\"\\ud83dx\"}",
            "{\"a\":\"\\ud83d\\u0041\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\",
            "{\"a\":\"\t\"}",
            "{\"a\":\"\u{7f}\u{e9}\"}",
            "{\"\\u0061\":1,\"a\":2}",
            "\u{feff}{}",
            "{\"a\":1}\u{0}",
            "{\u{a0}}",
            "{\"a\" : [ { \"b\" : [ ] } , { } ] }",
        ];
        for json in plain.into_iter().map(str::to_owned).chain(deep) {
            agrees(&json).unwrap();
        }
    }

    fn json_text() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("-0".to_owned()),
            Just("1.50".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|float| float.to_string()),
            ".{0,6}".prop_map(|text| Value::String(text).to_string()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
                prop::collection::vec((".{0,3}", inner), 0..4).prop_map(|members| {
                    let members =
                        members.iter().map(|(name, value)| format!("{}:{value}", Value::String(name.clone())));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_takes_what_the_parser_takes(value in json_text()) {
            agrees(&format!("{{\"a\":{value}}}"))?;
            agrees(&value)?;
        }

        #[test]
        fn it_refuses_what_the_parser_refuses(value in json_text(), at in any::<prop::sample::Index>(), byte in "[\\]\\[{}\",:0-9.eE+\\- \\\\utfn\\x00-\\x7f]") {
            let mut json = format!("{{\"a\":{value}}}");
            let at = at.index(json.len());
            if json.is_char_boundary(at) && json.is_char_boundary(at + 1) {
                json.replace_range(at..=at, &byte);
            }
            agrees(&json)?;
        }
    }
}
