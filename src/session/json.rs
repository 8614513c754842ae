//! JSON as text.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::outline::Part;
use super::path::Path;
use super::value::{self, kind};
use crate::error::SessionError;
use crate::wipe::WipedBytes;

/// JSON text that several hold: of a whole session, or of a value.
pub(crate) type Text = Arc<WipedBytes>;

/// With the feature `arbitrary_precision`, which another crate may turn on, `serde_json` keeps numbers as text and gives them
/// to a type in a way that differs between a text and a value.
pub(super) const KEEPS_NUMBERS_AS_TEXT: bool = size_of::<Number>() >= size_of::<String>();

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
    pub(super) const fn text(&self) -> &Text {
        &self.text
    }

    pub(super) fn into_parts(self) -> (Text, Vec<Part>) {
        (self.text, self.parts)
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Every number in it is an integer.
    pub(super) const fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Arrays and objects inside one another, the value itself included.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn is_object(&self) -> bool {
        self.text.starts_with(b"{")
    }

    pub(super) fn value(&self) -> Value {
        value_in(&self.text)
    }

    /// Its members as values; none for what is no object.
    pub(super) fn members(&self) -> Map<String, Value> {
        match self.value() {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        kind(&self.value())
    }
}

/// A [`Json`] that is being written.
pub(super) struct Writer {
    pub(super) json: WipedBytes,
    /// The members of the outermost object that have been written.
    parts: Vec<Part>,
    /// Where the names of those objects are that have not ended yet.
    pub(super) names: Vec<Range<usize>>,
    /// Most arrays and objects inside one another.
    pub(super) deepest: usize,
    /// Every number since the last member of the outermost object began is an integer.
    pub(super) is_plain: bool,
    /// Where the value of that member begins.
    value_begin: usize,
    /// A part of it could not be written, and the text is none.
    pub(super) is_broken: bool,
}

impl Writer {
    pub(super) fn new(capacity_bytes: usize) -> Self {
        let json = WipedBytes::with_capacity(capacity_bytes);
        let (parts, names) = (Vec::new(), Vec::new());
        Self { json, parts, names, deepest: 0, is_plain: true, value_begin: 0, is_broken: false }
    }

    pub(super) fn finish(self) -> Json {
        let Self { json, parts, deepest: depth, is_plain, .. } = self;
        let is_plain = if parts.is_empty() { is_plain } else { parts.iter().all(|part| part.is_plain) };
        Json { text: Arc::new(json), parts, depth, is_plain: is_plain && !KEEPS_NUMBERS_AS_TEXT }
    }

    /// A string. Most have nothing to escape, and are copied as they are.
    #[inline]
    pub(super) fn write_str(&mut self, text: &str) -> Result<(), serde_json::Error> {
        if needs_escapes(text.as_bytes()) {
            return self.write(text);
        }
        self.json.extend_quoted(text.as_bytes());
        Ok(())
    }

    /// What `serde_json` writes exactly.
    pub(super) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.json, value)
    }

    /// The value of a member of an object at this depth begins.
    #[inline]
    pub(super) fn begin_value(&mut self, depth: usize) {
        self.json.push(b':');
        if depth == 1 {
            self.is_plain = true;
            self.value_begin = self.json.len();
        }
    }

    /// It has ended.
    #[inline]
    pub(super) fn end_value(&mut self, depth: usize, name: &Range<usize>) {
        if depth == 1 {
            let name_is_escaped = self.text(name).contains(&b'\\');
            let value = self.value_begin..self.json.len();
            self.parts.push(Part { name: name.clone(), name_is_escaped, value, is_plain: self.is_plain });
        }
    }

    #[inline]
    pub(super) fn text(&self, range: &Range<usize>) -> &[u8] {
        self.json.get(range.clone()).unwrap_or_default()
    }

    /// A name as its application knows it, for messages.
    pub(super) fn name(&self, range: &Range<usize>) -> String {
        let quoted = range.start.saturating_sub(1)..range.end.saturating_add(1);
        serde_json::from_slice(self.text(&quoted)).unwrap_or_default()
    }

    /// The first of the names from this one on that is there twice.
    // Security: a reader keeps one of them, and not every reader the same: a flattened map could give a user a role.
    pub(super) fn repeated(&self, first: usize) -> Option<&Range<usize>> {
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
pub(super) fn value_in(text: &[u8]) -> Value {
    value::parse(text).unwrap_or_default()
}

/// Whether two texts of one value each are surely different values. Scalars have one text each, but for floats and for
/// strings with escapes.
pub(super) fn differ_surely((left, left_is_plain): (&[u8], bool), (right, right_is_plain): (&[u8], bool)) -> bool {
    let has_one_text = |text: &[u8], is_plain: bool| match text.first() {
        Some(b'"') => !text.contains(&b'\\'),
        Some(b'{' | b'[') | None => false,
        _ => is_plain,
    };
    has_one_text(left, left_is_plain) && has_one_text(right, right_is_plain) && left != right
}

/// What a call found, to be read once the session is not held any more: a type's `Deserialize` may call it.
pub(crate) enum Found {
    Nothing,
    Text { text: Text, place: Range<usize>, is_plain: bool },
    Value(Value),
}

impl Found {
    pub(super) fn text(text: Option<&Text>, place: &Range<usize>, is_plain: bool) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text { text: Arc::clone(text), place: place.clone(), is_plain })
    }

    /// As a `T`; `None` for nothing and for null.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] where it does not read as one.
    pub(super) fn read<T: DeserializeOwned>(self, path: &Path) -> Result<Option<T>, SessionError> {
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
    pub(super) fn read_whole<T: DeserializeOwned>(self) -> Result<T, SessionError> {
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
