//! The data's calls once more, in the most naive way: every call copies the whole, and nothing is shared with the crate.

use serde_json::{Number, Value};

/// JSON as the model keeps it: nothing of `serde_json`, members in the order of their first insertion.
#[derive(Clone, Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

use Json::{List, Object};

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Json {
    /// A text that differs exactly where the values do: members are sorted, floats are their bits.
    fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => format!("f{:x}", value.to_bits()),
            Self::Text(value) => format!("{value:?}"),
            List(elements) => format!("[{}]", elements.iter().map(Self::text).collect::<Vec<_>>().join(",")),
            Object(members) => {
                let mut texts: Vec<_> =
                    members.iter().map(|(key, value)| format!("{key:?}:{}", value.text())).collect();
                texts.sort();
                format!("{{{}}}", texts.join(","))
            }
        }
    }

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Self::Integer(integer.into()),
                (None, Some(integer)) => Self::Integer(integer.into()),
                (None, None) => Self::Float(number.as_f64().unwrap()),
            },
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(elements) => List(elements.iter().map(Self::of).collect()),
            Value::Object(members) => {
                Object(members.iter().map(|(key, value)| (key.clone(), Self::of(value))).collect())
            }
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => match i64::try_from(*value) {
                Ok(integer) => Value::Number(integer.into()),
                Err(_) => Value::Number(u64::try_from(*value).unwrap().into()),
            },
            Self::Float(value) => Value::Number(Number::from_f64(*value).unwrap()),
            Self::Text(text) => Value::String(text.clone()),
            List(elements) => Value::Array(elements.iter().map(Self::value).collect()),
            Object(members) => Value::Object(members.iter().map(|(key, value)| (key.clone(), value.value())).collect()),
        }
    }

    /// Which of its values a segment names: `Ok` one that it has, `Err` the one that would come next, `None` none at all.
    fn position(&self, segment: &str) -> Option<Result<usize, usize>> {
        match self {
            Object(members) => Some(members.iter().position(|(key, _)| key == segment).ok_or(members.len())),
            List(elements) => {
                let found = (0..=elements.len()).find(|index| index.to_string() == segment)?;
                Some(if found < elements.len() { Ok(found) } else { Err(found) })
            }
            _ => None,
        }
    }

    fn child(&mut self, position: usize) -> &mut Self {
        match self {
            Object(members) => &mut members[position].1,
            List(elements) => &mut elements[position],
            _ => unreachable!("only these have positions"),
        }
    }

    fn get(&self, path: &[&str]) -> Option<Self> {
        let Some((segment, rest)) = path.split_first() else {
            return Some(self.clone());
        };
        let position = self.position(segment)?.ok()?;
        self.clone().child(position).get(rest)
    }

    /// The whole with the value put there; `None` where that is refused.
    pub(super) fn put(&self, path: &[&str], value: Self) -> Option<Self> {
        let Some((segment, rest)) = path.split_first() else {
            return Some(value);
        };
        let mut whole = match self {
            List(_) | Object(_) => self.clone(),
            _ => Object(Vec::new()),
        };
        match whole.position(segment)? {
            Ok(position) => *whole.child(position) = whole.child(position).put(rest, value)?,
            Err(_) => {
                let inner = Self::Null.put(rest, value)?;
                match &mut whole {
                    Object(members) => members.push(((*segment).to_owned(), inner)),
                    List(elements) => elements.push(inner),
                    _ => unreachable!("made a container above"),
                }
            }
        }
        Some(whole)
    }

    pub(super) fn forget(&self, path: &[&str]) -> Self {
        let mut whole = self.clone();
        let Some((segment, rest)) = path.split_first() else { return whole };
        let Some(Ok(position)) = whole.position(segment) else { return whole };
        if !rest.is_empty() {
            *whole.child(position) = whole.child(position).forget(rest);
            return whole;
        }
        match &mut whole {
            Object(members) => drop(members.remove(position)),
            List(elements) => drop(elements.remove(position)),
            _ => unreachable!("only these have positions"),
        }
        whole
    }

    pub(super) fn increment(&self, path: &[&str], amount: Step) -> Option<Self> {
        let sum = match (self.get(path).unwrap_or(Self::Null), amount) {
            (Self::Null, Step::Integer(amount)) => Self::Integer(amount.into()),
            (Self::Null, Step::Float(amount)) => Self::Float(0.0 + amount),
            (Self::Integer(number), Step::Integer(amount)) => Self::Integer(number + i128::from(amount)),
            (Self::Integer(number), Step::Float(amount)) => Self::Float(number as f64 + amount),
            (Self::Float(number), Step::Integer(amount)) => Self::Float(number + amount as f64),
            (Self::Float(number), Step::Float(amount)) => Self::Float(number + amount),
            _ => return None,
        };
        let is_kept = match sum {
            Self::Integer(sum) => (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&sum),
            Self::Float(sum) => sum.is_finite(),
            _ => false,
        };
        if is_kept { self.put(path, sum) } else { None }
    }

    pub(super) fn push(&self, path: &[&str], element: Self) -> Option<Self> {
        match self.get(path) {
            None | Some(Self::Null) => self.put(path, List(vec![element])),
            Some(List(mut elements)) => {
                elements.push(element);
                self.put(path, List(elements))
            }
            Some(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Integer(i64),
    Float(f64),
}
