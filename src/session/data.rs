use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::io::Write;
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::error::SessionError;
use crate::json::exact;
use crate::json::number::{self, Amount};
use crate::json::path::{self, Path};
use crate::json::text::{Found, Json, KEEPS_NUMBERS_AS_TEXT, Part, Text, differ_surely, outline, value_in};
use crate::json::value::{self, NotAnIndex};

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
    /// Each name is there once; more than [`FEW`] are sorted by their names.
    members: Vec<Member>,
}

/// So many members are not sorted: to look at all of them takes less.
const FEW: usize = 16;

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
        let (mut members, mut reserved_member, mut count) = (Vec::<Member>::new(), None, 0_usize);
        outline(std::str::from_utf8(text).ok()?, |part| {
            count = count.saturating_add(1);
            let value = part.value.clone();
            let member = Member::of(text, part);
            if member.name.of(text) == reserved.as_bytes() {
                reserved_member = Some(value);
                return;
            }
            let is_same = |other: &&mut Member| other.name.of(text) == member.name.of(text);
            match members.iter_mut().take(FEW).find(is_same) {
                Some(earlier) => *earlier = member,
                None => members.push(member),
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
        if rest.is_empty() {
            // A whole member is no element, and its value need not be built to know that.
            return None;
        }
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
        path::check_depth(path, path.segment_count(), json.depth())?;
        let place = 0..json.text().len();
        match (self.position(first), rest.is_empty()) {
            (Some(position), true) => Ok(self.put_text(position, (json.text(), place), json.is_plain())),
            (None, true) => {
                let source = Source::Put(Arc::clone(json.text()), place);
                let name = Name::Owned(first.to_owned());
                self.add(Member { name, source, is_plain: json.is_plain(), value: OnceCell::new() });
                Ok(true)
            }
            (Some(position), false) => self.change(position, |slot| {
                value::place_below(slot, rest, json.value()).map_err(|refused| not_an_index(path, &refused))
            }),
            (None, false) => {
                let value = OnceCell::from(Box::new(value::wrapped(rest, json.value())));
                let name = Name::Owned(first.to_owned());
                self.add(Member { name, source: Source::Value, is_plain: false, value });
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
                Some(position) => changed |= self.put_text(position, (object.text(), place), part.is_plain),
                None => {
                    let (name, source) = (Name::Owned(name), Source::Put(Arc::clone(object.text()), place));
                    self.add(Member { name, source, ..member });
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
            None => Ok(false),
            Some(position) if rest.is_empty() => {
                self.members.remove(position);
                Ok(true)
            }
            Some(position) => self.change(position, |value| Ok(value::remove_below(value, rest).is_some())),
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
        let sum = number::sum(number, amount)
            .map_err(|problem| SessionError::Value { path: path.to_string(), problem: problem.to_owned() })?;
        let json = exact::to_json(path, &sum)?;
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
        path::check_depth(path, path.segment_count().saturating_add(1), element.depth())?;
        let mut element = Some(element.value());
        if let Some(position) = self.position(first) {
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
        self.put(path, &exact::to_json(path, &array)?)
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

    /// Puts many members into the order of their names. Of repeated ones the last stays.
    fn sort(&mut self) {
        let Self { text, members, .. } = self;
        if members.len() <= FEW {
            return;
        }
        let text = text.as_deref().map_or(&[][..], |text| text);
        members.reverse();
        members.sort_by(|left, right| left.name.of(text).cmp(right.name.of(text)));
        members.dedup_by(|later, first| later.name.of(text) == first.name.of(text));
    }

    /// Adds a member whose name is not there yet.
    fn add(&mut self, member: Member) {
        if self.members.len() <= FEW {
            self.members.push(member);
            self.sort();
            return;
        }
        let is_before = |other: &Member| other.name.of(self.bytes()) < member.name.of(self.bytes());
        let position = self.members.partition_point(is_before);
        self.members.insert(position, member);
    }

    /// Where the member of this name is.
    fn position(&self, name: &str) -> Option<usize> {
        let (text, name) = (self.bytes(), name.as_bytes());
        if self.members.len() <= FEW {
            return self.members.iter().position(|member| member.name.of(text) == name);
        }
        self.members.binary_search_by(|member| member.name.of(text).cmp(name)).ok()
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(self.position(name)?)
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

// The changes of one request, remembered so that they can be made again on newer data.

/// One call that changed the data.
#[derive(Clone)]
pub(crate) enum Change {
    Put(Path, Json),
    Merge(Json),
    Forget(Path),
    /// A value that the handler took out and may have used up.
    Pull(Path),
    Increment(Path, Amount),
    Push(Path, Json),
    Clear,
    Replace(Json),
}

impl Change {
    /// Makes the change. Returns the sum of an increment, and whether the data differ afterwards.
    pub(super) fn make(self, data: &mut Data) -> Result<(Option<Number>, bool), SessionError> {
        let changed = match self {
            Self::Put(path, value) => data.put(&path, &value),
            Self::Merge(object) => data.merge(&object),
            Self::Forget(path) | Self::Pull(path) => data.forget(&path),
            Self::Increment(path, amount) => {
                return data.increment(&path, amount).map(|(sum, changed)| (Some(sum), changed));
            }
            Self::Push(path, element) => data.push(&path, &element),
            Self::Clear => Ok(data.clear()),
            Self::Replace(object) => data.replace(object),
        }?;
        Ok((None, changed))
    }

    /// The value that it changes, where that is one.
    const fn path(&self) -> Option<&Path> {
        match self {
            Self::Put(path, _)
            | Self::Forget(path)
            | Self::Pull(path)
            | Self::Increment(path, _)
            | Self::Push(path, _) => Some(path),
            Self::Merge(_) | Self::Clear | Self::Replace(_) => None,
        }
    }

    /// What must still be there for the change to mean the same; `None` when it means the same on any data.
    fn depends_on(&self, data: &Data) -> Option<Seen> {
        let path = match self {
            Self::Replace(_) => return Some(Seen::All(data.all())),
            Self::Merge(_) | Self::Clear => return None,
            Self::Pull(path) => path.clone(),
            // The element at an index is another one when something before it went.
            Self::Put(path, _) | Self::Forget(path) | Self::Increment(path, _) | Self::Push(path, _) => {
                data.outermost_element(path)?
            }
        };
        let seen = data.find(&path).ok().flatten().cloned();
        Some(Seen::At(path, seen))
    }
}

/// A part of the data as a change found it.
#[derive(Clone)]
enum Seen {
    At(Path, Option<Value>),
    All(Map<String, Value>),
}

impl Seen {
    fn is_unchanged_in(&self, data: &Data) -> bool {
        match self {
            Self::At(path, seen) => data.find(path).is_ok_and(|found| found == seen.as_ref()),
            Self::All(seen) => data.all() == *seen,
        }
    }
}

/// A change, and what it depends on.
#[derive(Clone)]
pub(crate) struct Remembered {
    /// Which change of the request it is.
    number: usize,
    change: Change,
    seen: Option<Seen>,
}

impl Remembered {
    /// Remembers a change that is about to be made.
    pub(super) fn before(change: &Change, data: &Data) -> Self {
        Self { number: 0, seen: change.depends_on(data), change: change.clone() }
    }
}

impl Remembered {
    /// Whether it is to be made again although it changed nothing here: on what another request has written, it may.
    pub(super) const fn counts_unchanged(&self) -> bool {
        matches!(self.change, Change::Put(..) | Change::Merge(_) | Change::Forget(_) | Change::Clear)
    }

    const fn is_pull(&self) -> bool {
        matches!(self.change, Change::Pull(_))
    }

    /// Whether nothing is left of the other one once this was made.
    fn replaces(&self, other: &Self) -> bool {
        let (Change::Put(path, _), Change::Put(before, _)) = (&self.change, &other.change) else { return false };
        path == before && self.seen.is_none() && other.seen.is_none()
    }
}

/// The changes of one request that are not saved yet, in their order.
#[derive(Default)]
pub(crate) struct Changes {
    /// How many there were in the whole request.
    made: usize,
    remembered: Vec<Remembered>,
    /// Those that were made before the application ended the session, where one of them took a value out.
    before_end: Vec<Remembered>,
    /// So many were saved in a cookie.
    saved: usize,
}

impl Changes {
    pub(super) fn remember(&mut self, change: Option<Remembered>) {
        let Some(change) = change else { return };
        let change = Remembered { number: self.made, ..change };
        self.made = self.made.saturating_add(1);
        match self.remembered.last_mut() {
            // A loop that puts one key a thousand times is remembered by its last value.
            Some(last) if change.replaces(last) && last.number >= self.saved => *last = change,
            _ => self.remembered.push(change),
        }
    }

    pub(super) const fn made(&self) -> usize {
        self.made
    }

    /// Forgets those of the first `made` that are still here.
    pub(super) fn forget_until(&mut self, made: usize) {
        self.remembered.retain(|change| change.number >= made);
        self.before_end.retain(|change| change.number >= made);
    }

    /// The first `made` are in a cookie that the browser does not hold yet.
    pub(super) const fn keep_saved(&mut self, made: usize) {
        self.saved = made;
    }

    /// Those that are in such a cookie, where the session was read again.
    pub(super) fn saved(mut self) -> Self {
        self.remembered.retain(|change| change.number < self.saved);
        self.before_end.clear();
        self
    }

    /// A session that began after an end is given up as well.
    pub(super) fn forget_new(&mut self) {
        self.remembered.clear();
    }

    /// The application has ended the session. A value that was taken out of it was used all the same, and another request may
    /// have taken it too.
    pub(super) fn end(&mut self) {
        let changes = mem::take(&mut self.remembered);
        if self.before_end.is_empty() && changes.iter().any(Remembered::is_pull) {
            self.before_end = changes;
        }
    }

    /// Whether a value was taken out before the session was ended.
    pub(super) fn ended_after_pulls(&self) -> bool {
        self.before_end.iter().any(Remembered::is_pull)
    }

    /// Whether every value that was taken out before the session was ended is still in these data.
    pub(super) fn pulls_hold(&self, data: &mut Data) -> bool {
        self.before_end.iter().all(|remembered| {
            let holds = !remembered.is_pull() || remembered.seen.as_ref().is_none_or(|seen| seen.is_unchanged_in(data));
            // Another change may not fit there. It is given up with the session.
            let _ = remembered.change.clone().make(data);
            holds
        })
    }

    /// Makes them again on other data; `false` when one of them does not mean there what it meant, and then the data are to
    /// be given up. To a login it does not matter what a replacement replaces, nor whether what is forgotten is there.
    pub(super) fn replay(&self, data: &mut Data, is_login: bool) -> bool {
        self.remembered.iter().all(|Remembered { change, seen, .. }| {
            let is_met = match seen {
                Some(seen) => seen.is_unchanged_in(data),
                // A name that is a number must not become the index of an element.
                None => change.path().is_none_or(|path| data.outermost_element(path).is_none()),
            };
            let needs_nothing = match (change, seen) {
                (Change::Replace(_), _) => is_login,
                (Change::Forget(_), Some(Seen::At(path, _))) => {
                    is_login && data.find(path).is_ok_and(|found| found.is_none())
                }
                _ => false,
            };
            (is_met || needs_nothing) && change.clone().make(data).is_ok()
        })
    }

    /// Whether a value was taken out.
    pub(super) fn have_pulls(&self) -> bool {
        self.remembered.iter().any(Remembered::is_pull)
    }

    /// Whether everything was removed.
    pub(super) fn have_clear(&self) -> bool {
        self.remembered.iter().any(|remembered| matches!(remembered.change, Change::Clear))
    }

    /// Makes those again that take something out. What does not fit any more is not there either.
    pub(super) fn remove_again(&self, data: &mut Data) {
        for Remembered { change, .. } in &self.remembered {
            let _ = match change {
                Change::Forget(path) | Change::Pull(path) => data.forget(path),
                Change::Clear | Change::Replace(_) => Ok(data.clear()),
                Change::Put(..) | Change::Merge(_) | Change::Increment(..) | Change::Push(..) => Ok(false),
            };
        }
    }
}

#[cfg(test)]
mod changes_tests {
    use serde_json::json;

    use super::*;
    use crate::json::exact::{to_json, to_object};

    fn value(json: &Value) -> Json {
        to_json(&path("a"), json).unwrap()
    }

    fn data(json: Value) -> Data {
        Data::from(to_object(&json).unwrap())
    }

    /// Makes changes on what a request loaded, and again on what another wrote meanwhile.
    fn replayed(loaded: Value, changes: &[Change], newest: Value) -> Option<Value> {
        let mut seen = data(loaded);
        let mut remembered = Changes::default();
        for change in changes {
            remembered.remember(Some(Remembered::before(change, &seen)));
            change.clone().make(&mut seen).unwrap();
        }
        let mut newest = data(newest);
        remembered.replay(&mut newest, false).then(|| Value::Object(newest.all()))
    }

    fn path(text: &str) -> Path {
        Path::from(text)
    }

    #[test]
    fn changes_of_other_keys_both_stay() {
        let put = [Change::Put(path("user.name"), value(&json!("Zoë")))];
        let merged = replayed(json!({}), &put, json!({ "cart": [1], "user": { "id": 7 } }));
        assert_eq!(merged, Some(json!({ "cart": [1], "user": { "id": 7, "name": "Zoë" } })));
    }

    #[test]
    fn two_increments_add_up_and_two_pushes_follow_one_another() {
        let changes = [Change::Increment(path("n"), Amount::from(2)), Change::Push(path("list"), value(&json!("b")))];
        let merged = replayed(json!({ "n": 1 }), &changes, json!({ "n": 10, "list": ["a"] }));
        assert_eq!(merged, Some(json!({ "n": 12, "list": ["a", "b"] })));
    }

    #[test]
    fn what_was_cleared_is_cleared_of_what_came_meanwhile_too() {
        let changes = [Change::Clear, Change::Put(path("a"), value(&json!(1)))];
        assert_eq!(replayed(json!({ "b": 1 }), &changes, json!({ "b": 2, "c": 3 })), Some(json!({ "a": 1 })));
    }

    #[test]
    fn a_change_that_does_not_fit_any_more_is_not_made() {
        let increment = [Change::Increment(path("n"), Amount::from(1))];
        assert_eq!(replayed(json!({ "n": 1 }), &increment, json!({ "n": "many" })), None);
    }

    #[test]
    fn a_change_through_an_index_is_made_where_the_element_is_the_same() {
        let put = [Change::Put(path("list.0"), value(&json!("x")))];
        assert_eq!(
            replayed(json!({ "list": [1, 2] }), &put, json!({ "list": [1, 2], "a": 1 })),
            Some(json!({ "list": ["x", 2], "a": 1 }))
        );
        assert_eq!(replayed(json!({ "list": [1, 2] }), &put, json!({ "list": [2] })), None);
        let forget = [Change::Forget(path("list.1"))];
        assert_eq!(replayed(json!({ "list": [1, 2] }), &forget, json!({ "list": [2] })), None);
    }

    #[test]
    fn of_puts_in_one_place_the_last_is_remembered_and_a_save_before_it_forgets_none_of_it() {
        let mut seen = data(json!({ "n": 1 }));
        let mut changes = Changes::default();
        let mut make = |changes: &mut Changes, change: Change| {
            changes.remember(Some(Remembered::before(&change, &seen)));
            change.make(&mut seen).unwrap();
        };
        make(&mut changes, Change::Increment(path("n"), Amount::from(1)));
        let written = changes.made();
        for number in 0..1000 {
            make(&mut changes, Change::Put(path("a"), value(&json!(number))));
        }
        assert_eq!((changes.remembered.len(), changes.made()), (2, 1001));
        changes.forget_until(written);
        let mut newest = data(json!({ "n": 2 }));
        assert!(changes.replay(&mut newest, false));
        assert_eq!(Value::Object(newest.all()), json!({ "n": 2, "a": 999 }));
    }

    #[test]
    fn what_was_pulled_is_pulled_once() {
        let pull = [Change::Pull(path("ticket"))];
        assert_eq!(replayed(json!({ "ticket": 7 }), &pull, json!({ "ticket": 7, "a": 1 })), Some(json!({ "a": 1 })));
        assert_eq!(replayed(json!({ "ticket": 7 }), &pull, json!({})), None);
        assert_eq!(replayed(json!({ "ticket": 7 }), &pull, json!({ "ticket": 8 })), None);
    }

    #[test]
    fn a_replacement_of_all_is_made_on_unchanged_data_alone() {
        let replace = [Change::Replace(value(&json!({ "a": 2 })))];
        assert_eq!(replayed(json!({ "a": 1 }), &replace, json!({ "a": 1 })), Some(json!({ "a": 2 })));
        assert_eq!(replayed(json!({ "a": 1 }), &replace, json!({ "a": 1, "b": 1 })), None);
    }
}
