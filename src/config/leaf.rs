//! What one setting is: a switch, a number, a duration, a text, one of several names.

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::duration;
use super::node::Node;
use super::table::At;
use crate::clock::Timestamp;
use crate::cookie::SameSite;
use crate::error::ConfigError;
use crate::key::may_hold_a_key;

/// How a value is written, which decides how the text of a variable is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Switch,
    Number,
    Text,
    List,
    Table,
}

impl Form {
    /// As [`Node::kind`] says it.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Switch => "`true` or `false`",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Table => "a table",
        }
    }
}

/// A value that stands by itself.
pub(super) trait Leaf: Sized + 'static {
    const FORM: Form = Form::Text;
    /// Whether it can be left out. Then it is written as [`Node::Nothing`].
    const IS_OPTIONAL: bool = false;
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError>;
    fn write(&self) -> Node;
}

impl<T: Leaf> Leaf for Option<T> {
    const FORM: Form = T::FORM;
    const IS_OPTIONAL: bool = true;

    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        if let Node::Nothing = node { Ok(None) } else { T::read(node, at).map(Some) }
    }

    fn write(&self) -> Node {
        self.as_ref().map_or(Node::Nothing, T::write)
    }
}

impl Leaf for bool {
    const FORM: Form = Form::Switch;

    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        if let Node::Switch(value) = node { Ok(*value) } else { Err(at.unlike(Self::FORM.kind(), Self::FORM, node)) }
    }

    fn write(&self) -> Node {
        Node::Switch(*self)
    }
}

/// A number of bytes.
impl Leaf for usize {
    const FORM: Form = Form::Number;

    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let number = if let Node::Number(number) = node { Self::try_from(*number).ok() } else { None };
        number.ok_or_else(|| at.unlike("a whole number of bytes", Self::FORM, node))
    }

    fn write(&self) -> Node {
        Node::Number(u64::try_from(*self).unwrap_or(u64::MAX))
    }
}

impl Leaf for Duration {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let read = if let Node::Text(text) = node { duration::read(text) } else { None };
        read.ok_or_else(|| at.unlike("a duration with its unit, such as `90s`, `2h` or `30d`", Form::Text, node))
    }

    fn write(&self) -> Node {
        Node::text(duration::write(*self))
    }
}

impl Leaf for String {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let Node::Text(text) = node else {
            return Err(at.unlike("a text", Form::Text, node));
        };
        // Security: what stands here may be shown later, by `Debug`, in a cookie's name, in the message of another error.
        if may_hold_a_key(text) {
            return Err(
                at.error("a key stands here; keys are named by `keys.source`. Take this one for known to others")
            );
        }
        Ok(text.as_str().to_owned())
    }

    fn write(&self) -> Node {
        Node::text(self.as_str())
    }
}

impl Leaf for PathBuf {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        match String::read(node, at) {
            Ok(text) if text.is_empty() => Err(at.error("expected a path")),
            text => text.map(Self::from),
        }
    }

    fn write(&self) -> Node {
        // Read from a text, so nothing is lost.
        Node::text(self.to_string_lossy())
    }
}

impl Leaf for Timestamp {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let text = match node {
            Node::Text(text) => text.as_str(),
            Node::Date(text) => text.as_str(),
            _ => "",
        };
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .filter(|date| date.nanosecond() == 0)
            .and_then(|date| u64::try_from(date.unix_timestamp()).ok())
            .map(Self::from_unix_seconds)
            .ok_or_else(|| at.unlike("an instant with its offset, such as `2026-12-01T00:00:00Z`", Form::Text, node))
    }

    fn write(&self) -> Node {
        Node::text(self.to_date_time().format(&Rfc3339).unwrap_or_default())
    }
}

/// A value with a name from a short list.
pub(super) trait Choice: Copy + PartialEq + 'static {
    const ALL: &'static [(Self, &'static str)];
}

impl<T: Choice> Leaf for T {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let Node::Text(text) = node else {
            return Err(at.unlike(&names::<T>(), Form::Text, node));
        };
        let found = T::ALL.iter().find(|(_, name)| *name == text.as_str());
        found.map(|(value, _)| *value).ok_or_else(|| at.unlike(&names::<T>(), Form::Text, node))
    }

    fn write(&self) -> Node {
        Node::text(T::ALL.iter().find(|(value, _)| value == self).map_or("", |(_, name)| name))
    }
}

fn names<T: Choice>() -> String {
    let mut names: Vec<_> = T::ALL.iter().map(|(_, name)| format!("`{name}`")).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

impl Choice for SameSite {
    const ALL: &'static [(Self, &'static str)] = &[(Self::Strict, "strict"), (Self::Lax, "lax"), (Self::None, "none")];
}
