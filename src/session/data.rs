use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::number::{self, Amount};
use super::path::Path;
use super::tree::{self, NotAnIndex};
use super::value;
use crate::error::SessionError;

/// What an application keeps in a session: a JSON object, without the crate's own member `"~"`.
///
/// Values come in as JSON, made by [`super::to_json`] and [`super::to_object`]. Every call that writes tells whether the
/// data are different afterwards, compared as JSON values: `1` and `1.0` are written differently and so differ, the order
/// of members does not count. A call that fails leaves the data as they were.
#[derive(Clone, Default)]
pub(crate) struct Data {
    members: Map<String, Value>,
}

impl From<Map<String, Value>> for Data {
    /// The members of a payload, from which the reserved one has been taken out.
    fn from(members: Map<String, Value>) -> Self {
        Self { members }
    }
}

impl Data {
    /// The value as a `T`; `None` where it is absent or null.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] where it does not read as a `T`; as all calls, [`SessionError::Path`].
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, SessionError> {
        match self.find(path)? {
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
        Ok(tree::find(&self.members, first, rest))
    }

    /// All members.
    pub(crate) fn all(&self) -> &Map<String, Value> {
        &self.members
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
        value::from_object(&self.members)
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
        tree::place(&mut self.members, first, rest, value).map_err(|refused| not_an_index(path, &refused))
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
        Ok(tree::remove(&mut self.members, first, rest).is_some())
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
        match tree::find_mut(&mut self.members, first, rest) {
            None | Some(Value::Null) => self.put(path, Value::Array(vec![element])),
            Some(Value::Array(elements)) => {
                elements.push(element);
                Ok(true)
            }
            Some(other) => Err(SessionError::Type {
                path: path.to_string(),
                found: value::kind(other),
                problem: String::from("only an array takes another element; put an array there first"),
            }),
        }
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
        let changed = !tree::identical_members(&self.members, &members);
        if changed {
            self.members = members;
        }
        Ok(changed)
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
