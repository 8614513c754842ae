use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::exact;
use super::json::{Found, Json, KEEPS_NUMBERS_AS_TEXT, Part, Text, differ_surely, outline, value_in};
use super::value::{self, Amount, NotAnIndex, Path};
use crate::error::SessionError;

/// What an application keeps in a session: a JSON object, without the crate's own member `"~"`.
///
/// It is text: what was opened, and what was put since. Where its members are is known, and a member becomes a JSON value
/// when a call needs it as one. A member that nobody changed is written as it was.
///
/// Values come in as [`Json`]. Every call that writes tells whether the data are different afterwards, compared as JSON
/// values: `1` and `1.0` are written differently and so differ, the order of members does not count. A call that fails
/// leaves the data as they were.
#[derive(Clone, Default)]
pub(crate) struct Data {
    text: Option<Text>,
    /// How many members the text has, where it has no other than these.
    written_count: Option<usize>,
    /// Sorted by their names, each of which is there once.
    members: Vec<Member>,
}

#[derive(Clone)]
struct Member {
    name: Name,
    source: Source,
    /// Every number there is an integer in its one form.
    is_plain: bool,
    /// The value, once somebody needed it. Behind a pointer: most are never needed, and members are moved.
    value: OnceCell<Box<Value>>,
}

#[derive(Clone)]
enum Name {
    /// In the text, between its quotes.
    Written(Range<usize>),
    Owned(String),
}

/// Where a member's value is.
#[derive(Clone)]
enum Source {
    /// In the data's text.
    Here(Range<usize>),
    /// In the text that was put.
    Put(Text, Range<usize>),
    /// In the member itself: a part of it was changed.
    Value,
}

impl From<Json> for Data {
    /// Of an object whose names were checked.
    fn from(json: Json) -> Self {
        let (text, parts) = json.into_parts();
        let written_count = Some(parts.len());
        let members = parts.into_iter().map(|part| Member::of(&text, part)).collect();
        let mut data = Self { text: Some(text), written_count, members };
        data.sort();
        data
    }
}

impl Data {
    /// The members of a payload, and the text of the reserved one if it is there.
    ///
    /// `None` for what is not one JSON object in UTF-8, is nested deeper than 127 arrays and objects, or holds a number that a
    /// reader would round. Of repeated names the last counts.
    pub(super) fn opened(text: &Text, reserved: &str) -> Option<(Self, Option<Range<usize>>)> {
        let (mut members, mut reserved_member, mut count) = (Vec::new(), None, 0_usize);
        outline(std::str::from_utf8(text).ok()?, |part| {
            count = count.saturating_add(1);
            let value = part.value.clone();
            let member = Member::of(text, part);
            if member.name.of(text) == reserved.as_bytes() {
                reserved_member = Some(value);
            } else {
                members.push(member);
            }
        })?;
        let mut data = Self { text: Some(Arc::clone(text)), written_count: None, members };
        data.sort();
        let is_whole = reserved_member.is_none() && data.members.len() == count;
        data.written_count = is_whole.then_some(count);
        Some((data, reserved_member))
    }

    /// Where the value is that a path names.
    ///
    /// # Errors
    ///
    /// [`SessionError::Path`], as for all calls.
    pub(crate) fn locate(&self, path: &Path) -> Result<Found, SessionError> {
        let (first, rest) = path.checked()?;
        let Some(member) = self.member(first) else { return Ok(Found::Nothing) };
        Ok(match &member.source {
            Source::Here(place) if rest.is_empty() => Found::text(self.text.as_ref(), place, member.is_plain),
            Source::Put(text, place) if rest.is_empty() => Found::text(Some(text), place, member.is_plain),
            _ => value::find(self.value(member), rest).map_or(Found::Nothing, |value| Found::Value(value.clone())),
        })
    }

    /// All members together.
    pub(crate) fn locate_all(&self) -> Found {
        match self.written() {
            Some(text) => Found::text(Some(text), &(0..text.len()), self.members.iter().all(|member| member.is_plain)),
            // A value and not a map, which reads as no newtype and no option.
            None => Found::Value(Value::Object(self.all())),
        }
    }

    /// The whole text, where it is all that there is.
    pub(super) fn written(&self) -> Option<&Text> {
        let is_here = |member: &Member| matches!(member.source, Source::Here(_));
        let is_whole = self.written_count == Some(self.members.len()) && self.members.iter().all(is_here);
        self.text.as_ref().filter(|_| is_whole)
    }

    /// Bytes of the texts that the members are in, at most.
    pub(super) fn text_bytes(&self) -> usize {
        let put = self.members.iter().map(|member| match &member.source {
            Source::Put(_, place) => place.len(),
            _ => 0,
        });
        put.fold(self.bytes().len(), usize::saturating_add)
    }

    fn bytes(&self) -> &[u8] {
        self.text.as_deref().map_or(&[], |text| text)
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
        Ok(self.member(first).and_then(|member| value::find(self.value(member), rest)))
    }

    /// The path of the outermost array's element that a path goes through, if it goes through one.
    pub(super) fn outermost_element(&self, path: &Path) -> Option<Path> {
        let (first, rest) = path.checked().ok()?;
        let mut value = self.value(self.member(first)?);
        for (position, segment) in rest.iter().enumerate() {
            if value.is_array() {
                return Some(path.first(position.saturating_add(2)));
            }
            value = value::find(value, std::slice::from_ref(segment))?;
        }
        None
    }

    /// A copy of all members.
    pub(crate) fn all(&self) -> Map<String, Value> {
        self.values().map(|(name, value)| (name.into_owned(), value.clone())).collect()
    }

    /// All members, each as a value.
    pub(super) fn values(&self) -> impl Iterator<Item = (Cow<'_, str>, &Value)> {
        self.members.iter().map(|member| (String::from_utf8_lossy(member.name.of(self.bytes())), self.value(member)))
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
                    out.write_all(self.bytes().get(name.clone()).unwrap_or_default())?;
                    out.write_all(b"\"")?;
                }
                Name::Owned(name) => serde_json::to_writer(&mut *out, name)?,
            }
            out.write_all(b":")?;
            match self.text_of(member) {
                Some(text) => out.write_all(text)?,
                None => serde_json::to_writer(&mut *out, self.value(member))?,
            }
        }
        Ok(self.members.len())
    }

    /// Whether there is no member.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Puts the value there, making missing parents as objects.
    ///
    /// A scalar or null in the way is replaced by an object. An array takes an index of its own, or the next one.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] for any other segment below an array, [`SessionError::Value`] for a value that would be
    /// nested too deep there.
    pub(crate) fn put(&mut self, path: &Path, json: &Json) -> Result<bool, SessionError> {
        let (first, rest) = path.checked()?;
        value::check_depth(path, path.segment_count(), json.depth())?;
        let place = 0..json.text().len();
        match (self.position(first), rest.is_empty()) {
            (Ok(position), true) => Ok(self.put_text(position, (json.text(), place), json.is_plain())),
            (Err(position), true) => {
                let source = Source::Put(Arc::clone(json.text()), place);
                let name = Name::Owned(first.to_owned());
                self.members
                    .insert(position, Member { name, source, is_plain: json.is_plain(), value: OnceCell::new() });
                Ok(true)
            }
            (Ok(position), false) => self.change(position, |slot| {
                value::place_below(slot, rest, json.value()).map_err(|refused| not_an_index(path, &refused))
            }),
            (Err(position), false) => {
                let value = OnceCell::from(Box::new(value::wrapped(rest, json.value())));
                let name = Name::Owned(first.to_owned());
                self.members.insert(position, Member { name, source: Source::Value, is_plain: false, value });
                Ok(true)
            }
        }
    }

    /// Puts a text in the place of a member's; whether its value is another one.
    fn put_text(&mut self, position: usize, (text, place): (&Text, Range<usize>), is_plain: bool) -> bool {
        let new = text.get(place.clone()).unwrap_or_default();
        let changed = self.members.get(position).is_some_and(|member| !self.is_identical(member, (new, is_plain)));
        if changed && let Some(member) = self.members.get_mut(position) {
            member.source = Source::Put(Arc::clone(text), place);
            member.is_plain = is_plain;
            member.value.take();
        }
        changed
    }

    fn is_identical(&self, member: &Member, (new, is_plain): (&[u8], bool)) -> bool {
        if let Some(old) = self.text_of(member) {
            if old == new {
                return true;
            }
            if differ_surely((old, member.is_plain), (new, is_plain)) {
                return false;
            }
        }
        value::identical(self.value(member), &value_in(new))
    }

    /// Puts several members at once, each key as it is: dots do not split it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Path`] and [`SessionError::Value`], naming the key; then none is put.
    pub(crate) fn merge(&mut self, object: &Json) -> Result<bool, SessionError> {
        check_names(object)?;
        let mut changed = false;
        for part in object.parts() {
            let member = Member::of(object.text(), part.clone());
            let Source::Here(place) = member.source else { continue };
            let name = String::from_utf8_lossy(member.name.of(object.text())).into_owned();
            match self.position(&name) {
                Ok(position) => changed |= self.put_text(position, (object.text(), place), part.is_plain),
                Err(position) => {
                    let (name, source) = (Name::Owned(name), Source::Put(Arc::clone(object.text()), place));
                    self.members.insert(position, Member { name, source, ..member });
                    changed = true;
                }
            }
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
            Ok(position) => self.change(position, |value| Ok(value::remove_below(value, rest).is_some())),
        }
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
        let sum = value::sum(number, amount)
            .map_err(|problem| SessionError::Value { path: path.to_string(), problem: problem.to_owned() })?;
        let json = exact::to_json(&sum, 0).map_err(|inexact| inexact.below(&path.to_string()))?;
        let changed = self.put(path, &json)?;
        Ok((sum, changed))
    }

    /// Appends to an array, which is made where it is missing or null. This always changes the data.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] for another value, [`SessionError::Value`] for an element that would be nested too deep; as
    /// [`Data::put`] where it is missing.
    pub(crate) fn push(&mut self, path: &Path, element: &Json) -> Result<bool, SessionError> {
        let (first, rest) = path.checked()?;
        value::check_depth(path, path.segment_count().saturating_add(1), element.depth())?;
        let mut element = Some(element.value());
        if let Ok(position) = self.position(first) {
            let pushed = self.change(position, |value| match value::find_mut(value, rest) {
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
            if element.is_none() {
                return Ok(pushed);
            }
        }
        // Missing, or null: an array is made there.
        let array = Value::from_iter(element);
        self.put(path, &exact::to_json(&array, 0).map_err(|inexact| inexact.below(&path.to_string()))?)
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
    pub(crate) fn replace(&mut self, object: Json) -> Result<bool, SessionError> {
        check_names(&object)?;
        let new = Self::from(object);
        let is_as_before = |member: &Member| {
            let old = self.member(&String::from_utf8_lossy(member.name.of(new.bytes())));
            let text = new.text_of(member).unwrap_or_default();
            old.is_some_and(|old| self.is_identical(old, (text, member.is_plain)))
        };
        let changed = self.members.len() != new.members.len() || !new.members.iter().all(is_as_before);
        if changed {
            *self = new;
        }
        Ok(changed)
    }

    /// Sorts the members. Of repeated names the last stays.
    fn sort(&mut self) {
        let Self { text, members, .. } = self;
        let text = text.as_deref().map_or(&[][..], |text| text);
        let is_before = |left: &Member, right: &Member| left.name.of(text) < right.name.of(text);
        if members.iter().zip(members.iter().skip(1)).all(|(left, right)| is_before(left, right)) {
            return;
        }
        members.reverse();
        members.sort_by(|left, right| left.name.of(text).cmp(right.name.of(text)));
        members.dedup_by(|later, first| later.name.of(text) == first.name.of(text));
    }

    /// Where a member of this name is, or would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|member| member.name.of(self.bytes()).cmp(name.as_bytes()))
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(self.position(name).ok()?)
    }

    fn text_of<'d>(&'d self, member: &'d Member) -> Option<&'d [u8]> {
        match &member.source {
            Source::Here(place) => self.bytes().get(place.clone()),
            Source::Put(text, place) => text.get(place.clone()),
            Source::Value => None,
        }
    }

    fn value<'d>(&'d self, member: &'d Member) -> &'d Value {
        member.value.get_or_init(|| Box::new(self.text_of(member).map(value_in).unwrap_or_default()))
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
        let changed = change(member.value.get_mut().map_or(&mut Value::Null, |value| value))?;
        if changed {
            member.source = Source::Value;
        }
        Ok(changed)
    }
}

impl Member {
    fn of(text: &Text, Part { name, name_is_escaped, value, is_plain }: Part) -> Self {
        let quoted = name.start.saturating_sub(1)..name.end.saturating_add(1);
        let unescaped =
            name_is_escaped.then(|| serde_json::from_slice(text.get(quoted).unwrap_or_default()).unwrap_or_default());
        Self {
            name: unescaped.map_or(Name::Written(name), Name::Owned),
            source: Source::Here(value),
            is_plain: is_plain && !KEEPS_NUMBERS_AS_TEXT,
            value: OnceCell::new(),
        }
    }
}

impl Name {
    fn of<'d>(&'d self, text: &'d [u8]) -> &'d [u8] {
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

/// Refuses members that a session cannot have at the top.
fn check_names(object: &Json) -> Result<(), SessionError> {
    object.parts().iter().try_for_each(|part| {
        let name = object.text().get(part.name.clone()).unwrap_or_default();
        // Nothing else in a name is special.
        if name.first() != Some(&b'~') {
            return Ok(());
        }
        Path::from_segments([String::from_utf8_lossy(name)]).checked().map(drop)
    })
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
