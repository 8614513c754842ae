use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use zeroize::Zeroizing;

use super::number::{self, Amount};
use super::outline::{Part, outline};
use super::path::Path;
use super::tree::{self, NotAnIndex};
use super::value;
use crate::error::SessionError;

/// The JSON of a session as it was opened.
pub(crate) type Text = Arc<Zeroizing<Vec<u8>>>;

/// What an application keeps in a session: a JSON object, without the crate's own member `"~"`.
///
/// A session that was opened is the text that was opened: where its members stand is known, and a member becomes a JSON
/// value when a call needs it as one. A member that nobody changed is written as it stood.
///
/// Values come in as JSON, made by [`super::to_json`] and [`super::to_object`]. Every call that writes tells whether the
/// data are different afterwards, compared as JSON values: `1` and `1.0` are written differently and so differ, the order
/// of members does not count. A call that fails leaves the data as they were.
#[derive(Clone, Default)]
pub(crate) struct Data {
    text: Text,
    /// How many members the text has, where it has no other than these.
    written_count: Option<usize>,
    /// Sorted by their names, each of which is there once.
    members: Vec<Member>,
}

#[derive(Clone)]
struct Member {
    name: Name,
    /// Where its value stands in the text, and whether every number there has one form; `None` once it was changed.
    written: Option<(Range<usize>, bool)>,
    /// The value, once somebody needed it.
    value: OnceCell<Value>,
}

#[derive(Clone)]
enum Name {
    /// In the text, between its quotes.
    Written(Range<usize>),
    Owned(String),
}

impl From<Map<String, Value>> for Data {
    /// The members of a payload, from which the reserved one has been taken out.
    fn from(members: Map<String, Value>) -> Self {
        let mut data = Self::default();
        data.set_all(members);
        data
    }
}

/// With the feature `arbitrary_precision`, which another crate may turn on, `serde_json` keeps numbers as text and gives them
/// to a type in a way that differs between a text and a value.
const KEEPS_NUMBERS_AS_TEXT: bool = size_of::<Number>() >= size_of::<String>();

impl Data {
    /// The members of a payload, and the text of the reserved one if it is there.
    ///
    /// `None` for what is not one JSON object in UTF-8, is nested deeper than 127 arrays and objects, or holds a number that a
    /// reader would round. Of repeated names the last counts.
    pub(super) fn opened(text: &Text, reserved: &str) -> Option<(Self, Option<Range<usize>>)> {
        let json = std::str::from_utf8(text).ok()?;
        let mut reserved_member = None;
        let parts = outline(json)?;
        let count = parts.len();
        let mut members = Vec::with_capacity(count);
        for Part { name, name_is_escaped, value, is_plain } in parts {
            let name = if name_is_escaped {
                let quoted = json.get(name.start.checked_sub(1)?..=name.end)?;
                Name::Owned(serde_json::from_str(quoted).ok()?)
            } else {
                Name::Written(name)
            };
            if name.of(text) == reserved.as_bytes() {
                reserved_member = Some(value);
                continue;
            }
            let written = Some((value, is_plain && !KEEPS_NUMBERS_AS_TEXT));
            members.push(Member { name, written, value: OnceCell::new() });
        }
        // The last of repeated names comes first, and stays.
        members.reverse();
        members.sort_by(|left: &Member, right: &Member| left.name.of(text).cmp(right.name.of(text)));
        members.dedup_by(|later, first| later.name.of(text) == first.name.of(text));
        let is_whole = reserved_member.is_none() && members.len() == count;
        Some((Self { text: Arc::clone(text), written_count: is_whole.then_some(count), members }, reserved_member))
    }

    /// The value as a `T`; `None` where it is absent or null.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] where it does not read as a `T`; as all calls, [`SessionError::Path`].
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, SessionError> {
        let (first, rest) = path.checked()?;
        let Some(member) = self.member(first) else { return Ok(None) };
        if let Some(text) = self.plain_text(member).filter(|_| rest.is_empty()) {
            if text == b"null" {
                return Ok(None);
            }
            // What fails is read through a value, which knows the last of repeated names and names what it found.
            if let Ok(found) = serde_json::from_slice(text) {
                return Ok(Some(found));
            }
        }
        match tree::find(self.value(member), rest) {
            None | Some(Value::Null) => Ok(None),
            Some(found) => value::from_json(path, found).map(Some),
        }
    }

    /// Whether a value other than null is there.
    pub(crate) fn has(&self, path: &Path) -> Result<bool, SessionError> {
        Ok(self.find(path)?.is_some_and(|found| !found.is_null()))
    }

    /// Whether a value is there, null included.
    pub(crate) fn contains(&self, path: &Path) -> Result<bool, SessionError> {
        Ok(self.find(path)?.is_some())
    }

    /// The value as it stands, null included.
    pub(crate) fn find(&self, path: &Path) -> Result<Option<&Value>, SessionError> {
        let (first, rest) = path.checked()?;
        Ok(self.member(first).and_then(|member| tree::find(self.value(member), rest)))
    }

    /// The path of the outermost array's element that a path goes through, if it goes through one.
    pub(super) fn outermost_element(&self, path: &Path) -> Option<Path> {
        let (first, rest) = path.checked().ok()?;
        let mut value = self.value(self.member(first)?);
        for (position, segment) in rest.iter().enumerate() {
            if value.is_array() {
                return Some(path.first(position.saturating_add(2)));
            }
            value = tree::find(value, std::slice::from_ref(segment))?;
        }
        None
    }

    /// A copy of all members.
    pub(crate) fn all(&self) -> Map<String, Value> {
        self.values().map(|(name, value)| (name.into_owned(), value.clone())).collect()
    }

    /// All members, each as a value.
    pub(super) fn values(&self) -> impl Iterator<Item = (Cow<'_, str>, &Value)> {
        self.members.iter().map(|member| (String::from_utf8_lossy(member.name.of(&self.text)), self.value(member)))
    }

    /// Whether there is a member of this name.
    pub(crate) fn has_member(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Writes the members as they go into an object, with commas between them; how many there are.
    pub(super) fn write(&self, out: &mut impl Write) -> std::io::Result<usize> {
        for (position, member) in self.members.iter().enumerate() {
            if position > 0 {
                out.write_all(b",")?;
            }
            match &member.name {
                Name::Written(name) => {
                    out.write_all(b"\"")?;
                    out.write_all(self.text.get(name.clone()).unwrap_or_default())?;
                    out.write_all(b"\"")?;
                }
                Name::Owned(name) => serde_json::to_writer(&mut *out, name)?,
            }
            out.write_all(b":")?;
            match &member.written {
                Some((written, _)) => out.write_all(self.text.get(written.clone()).unwrap_or_default())?,
                None => serde_json::to_writer(&mut *out, self.value(member))?,
            }
        }
        Ok(self.members.len())
    }

    /// Whether there is no member.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All members as one typed value.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] where they do not read as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        let is_as_opened = |member: &Member| matches!(member.written, Some((_, true)));
        if self.written_count == Some(self.members.len())
            && self.members.iter().all(is_as_opened)
            && let Ok(whole) = serde_json::from_slice(&self.text)
        {
            return Ok(whole);
        }
        value::from_object(self.all())
    }

    /// Puts the value there, making missing parents as objects.
    ///
    /// A scalar or null in the way is replaced by an object. An array takes an index of its own, or the next one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] for any other segment below an array, [`SessionError::Value`] for a value that would be
    /// nested too deep there.
    pub(crate) fn put(&mut self, path: &Path, value: Value) -> Result<bool, SessionError> {
        let (first, rest) = path.checked()?;
        value::check_depth(path, path.segment_count(), &value)?;
        match self.position(first) {
            Ok(position) => self.change(position, |slot| {
                tree::place_below(slot, rest, value).map_err(|refused| not_an_index(path, &refused))
            }),
            Err(position) => {
                self.members.insert(position, Member::new(first.to_owned(), tree::wrapped(rest, value)));
                Ok(true)
            }
        }
    }

    /// Puts several members at once, each key as it is: dots do not split it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Path`] and [`SessionError::Value`], naming the key; then none is put.
    pub(crate) fn merge(&mut self, members: Map<String, Value>) -> Result<bool, SessionError> {
        value::check_members(&members)?;
        let mut changed = false;
        for (key, value) in members {
            changed |= self.put(&Path::from_segments([key]), value)?;
        }
        Ok(changed)
    }

    /// Removes the value. Later elements of an array move up; an emptied parent stays.
    pub(crate) fn forget(&mut self, path: &Path) -> Result<bool, SessionError> {
        let (first, rest) = path.checked()?;
        match self.position(first) {
            Err(_) => Ok(false),
            Ok(position) if rest.is_empty() => {
                self.members.remove(position);
                Ok(true)
            }
            Ok(position) => self.change(position, |value| Ok(tree::remove_below(value, rest).is_some())),
        }
    }

    /// Gets the value and removes it, null too.
    ///
    /// # Errors
    ///
    /// As [`Data::get`]; then it stays.
    pub(crate) fn pull<T: DeserializeOwned>(&mut self, path: &Path) -> Result<(Option<T>, bool), SessionError> {
        let pulled = self.get(path)?;
        Ok((pulled, self.forget(path)?))
    }

    /// Adds to a number and tells the sum. What is missing or null counts as 0. To decrement, add `-amount`.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotANumber`] for another value, [`SessionError::Value`] for a sum that is no 64-bit integer or no
    /// finite float; as [`Data::put`] where it is missing.
    pub(crate) fn increment(&mut self, path: &Path, amount: Amount) -> Result<(Number, bool), SessionError> {
        let zero = Number::from(0);
        let number = match self.find(path)? {
            None | Some(Value::Null) => &zero,
            Some(Value::Number(number)) => number,
            Some(_) => return Err(SessionError::NotANumber { path: path.to_string() }),
        };
        let sum = number::sum(number, amount)
            .map_err(|problem| SessionError::Value { path: path.to_string(), problem: problem.to_owned() })?;
        let changed = self.put(path, Value::Number(sum.clone()))?;
        Ok((sum, changed))
    }

    /// Appends to an array, which is made where it is missing or null. This always changes the data.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] for another value, [`SessionError::Value`] for an element that would be nested too deep; as
    /// [`Data::put`] where it is missing.
    pub(crate) fn push(&mut self, path: &Path, element: Value) -> Result<bool, SessionError> {
        let (first, rest) = path.checked()?;
        value::check_depth(path, path.segment_count().saturating_add(1), &element)?;
        let Ok(position) = self.position(first) else { return self.put(path, Value::Array(vec![element])) };
        let mut element = Some(element);
        let pushed = self.change(position, |value| match tree::find_mut(value, rest) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Array(elements)) => {
                elements.extend(element.take());
                Ok(true)
            }
            Some(other) => Err(SessionError::Type {
                path: path.to_string(),
                found: value::kind(other),
                problem: String::from("only an array takes another element; put an array there first"),
            }),
        })?;
        // Missing, or null: an array is made there.
        element.map_or(Ok(pushed), |element| self.put(path, Value::Array(vec![element])))
    }

    /// Removes all members.
    pub(crate) fn clear(&mut self) -> bool {
        let changed = !self.is_empty();
        self.members.clear();
        changed
    }

    /// Puts these members in the place of all.
    ///
    /// # Errors
    ///
    /// As [`Data::merge`].
    pub(crate) fn replace(&mut self, members: Map<String, Value>) -> Result<bool, SessionError> {
        value::check_members(&members)?;
        let is_identical = |(name, value): (Cow<'_, str>, &Value)| {
            members.get(&*name).is_some_and(|other| tree::identical(value, other))
        };
        let changed = self.members.len() != members.len() || !self.values().all(is_identical);
        if changed {
            self.set_all(members);
        }
        Ok(changed)
    }

    fn set_all(&mut self, members: Map<String, Value>) {
        self.members = members.into_iter().map(|(name, value)| Member::new(name, value)).collect();
        let Self { text, members, .. } = self;
        members.sort_by(|left, right| left.name.of(text).cmp(right.name.of(text)));
    }

    /// Where a member of this name is, or would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|member| member.name.of(&self.text).cmp(name.as_bytes()))
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(self.position(name).ok()?)
    }

    /// The text of a member that reads from it as from its value.
    fn plain_text(&self, member: &Member) -> Option<&[u8]> {
        let (written, _) = member.written.as_ref().filter(|(_, is_plain)| *is_plain)?;
        self.text.get(written.clone())
    }

    fn value<'d>(&'d self, member: &'d Member) -> &'d Value {
        member.value.get_or_init(|| {
            let written = member.written.as_ref().and_then(|(written, _)| self.text.get(written.clone()));
            // It was looked at when the text was opened.
            written.and_then(|json| value::parse(json).ok()).unwrap_or_default()
        })
    }

    /// Changes a member's value, where the change says so.
    fn change(
        &mut self,
        position: usize,
        change: impl FnOnce(&mut Value) -> Result<bool, SessionError>,
    ) -> Result<bool, SessionError> {
        if let Some(member) = self.members.get(position) {
            self.value(member);
        }
        let Some(member) = self.members.get_mut(position) else { return Ok(false) };
        let changed = change(member.value.get_mut().unwrap_or(&mut Value::Null))?;
        if changed {
            member.written = None;
        }
        Ok(changed)
    }
}

impl Member {
    fn new(name: String, value: Value) -> Self {
        Self { name: Name::Owned(name), written: None, value: OnceCell::from(value) }
    }
}

impl Name {
    fn of<'d>(&'d self, text: &'d Text) -> &'d [u8] {
        match self {
            Self::Written(name) => text.get(name.clone()).unwrap_or_default(),
            Self::Owned(name) => name.as_bytes(),
        }
    }
}

impl fmt::Debug for Data {
    /// Security: how many members there are, and nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} members)", self.members.len())
    }
}

fn not_an_index(path: &Path, refused: &NotAnIndex) -> SessionError {
    SessionError::Type {
        path: path.without_last(refused.segments_left),
        found: "an array",
        problem: format!(
            "it has {} elements; name one of them by its index from 0, or the next one to append",
            refused.length
        ),
    }
}
