//! What a configuration says, of whatever format: a tree that takes every value without judging it.
//!
//! Security: a type that expects something lets `serde` quote what it found instead, and a key that was pasted into the
//! wrong place would stand in the error. This one expects nothing, and wipes its texts when it is dropped.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use zeroize::Zeroizing;

use crate::error::ConfigError;

/// How the `toml` crate hands out a date: as a table with this one name.
const TOML_DATE: &str = "$__toml_private_datetime";
/// How `serde_json` hands out a number when some crate turns on its feature `arbitrary_precision`.
const JSON_NUMBER: &str = "$serde_json::private::Number";

pub(super) const SWITCH: &str = "`true` or `false`";
pub(super) const NUMBER: &str = "a number";
pub(super) const TEXT: &str = "a text";
pub(super) const LIST: &str = "a list";
pub(super) const TABLE: &str = "a table";

/// A value, or a table of values. Has no `Debug`: it may hold a key.
pub(super) enum Node {
    /// `null` of JSON.
    Nothing,
    Switch(bool),
    Number(u64),
    Text(Zeroizing<String>),
    /// What an environment variable says, for a setting of any kind.
    Variable(Zeroizing<String>),
    /// A date of TOML, as text.
    Date(String),
    List(Vec<Node>),
    /// In the order of the text, with repeated names, which the reader refuses.
    Table(Vec<(Zeroizing<String>, Node)>),
    /// Nothing that a setting is made of.
    Other(&'static str),
}

impl Node {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    // Security: both parsers quote the text in their messages, and a text may hold keys: only the position is told.

    pub(super) fn from_toml(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let mend = "write `name = value` lines, texts in quotes, and each name and section once";
            refused("TOML", position(text, error.span().map_or(0, |span| span.start)), mend)
        })
    }

    pub(super) fn from_json(text: &str) -> Result<Self, ConfigError> {
        serde_json::from_str(text)
            .map_err(|error| refused("JSON", (error.line(), error.column()), "write one object, without comments"))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// What it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Switch(_) => SWITCH,
            Self::Number(_) => NUMBER,
            Self::Text(_) | Self::Variable(_) => TEXT,
            Self::Date(_) => "a date",
            Self::List(_) => LIST,
            Self::Table(_) => TABLE,
            Self::Other(kind) => kind,
        }
    }

    /// A table, or the value that a format hides in one.
    fn from_entries(mut entries: Vec<(Zeroizing<String>, Self)>) -> Self {
        if let [(name, Self::Text(text))] = entries.as_mut_slice() {
            match name.as_str() {
                TOML_DATE => return Self::Date(std::mem::take(&mut **text)),
                JSON_NUMBER => return text.parse().map_or(Self::Other("another number"), Self::Number),
                _ => {}
            }
        }
        Self::Table(entries)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

fn refused(format: &str, (line, column): (usize, usize), mend: &str) -> ConfigError {
    ConfigError::new("", format!("line {line}, column {column} is not {format}; {mend}"))
}

/// Line and column of a byte, the first ones are 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count().saturating_add(1), last_line.chars().count().saturating_add(1))
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Switch(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(u64::try_from(value).map_or(Node::Other("a number below zero"), Node::Number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Other("another number"))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Other("another number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other("a number with a point"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::text(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::text(text))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::Other("bytes"))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, value)) = members.next_entry::<Node, Node>()? {
            // A name that is no text is none of ours: it becomes one that no setting has.
            let name = if let Node::Text(name) = name { name } else { Zeroizing::default() };
            entries.push((name, value));
        }
        Ok(Node::from_entries(entries))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing | Self::Other(_) => serializer.serialize_unit(),
            Self::Switch(value) => serializer.serialize_bool(*value),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) | Self::Variable(text) => serializer.serialize_str(text),
            Self::Date(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Table(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (name, value) in entries {
                    map.serialize_entry(name.as_str(), value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(json: &str) -> &'static str {
        serde_json::from_str::<Node>(json).unwrap().kind()
    }

    #[test]
    fn every_value_is_taken_without_being_judged() {
        for (json, expected) in [
            ("null", "nothing"),
            ("true", "`true` or `false`"),
            ("5", "a number"),
            ("-5", "a number below zero"),
            ("5.5", "a number with a point"),
            (r#""5""#, "a text"),
            ("[1,[2]]", "a list"),
            (r#"{"a":{"b":null}}"#, "a table"),
        ] {
            assert_eq!(kind(json), expected, "{json}");
        }
    }

    #[test]
    fn a_date_of_toml_and_a_number_of_arbitrary_precision_are_what_they_mean() {
        assert_eq!(kind(&format!(r#"{{"{TOML_DATE}":"2026-12-01T00:00:00Z"}}"#)), "a date");
        assert_eq!(kind(&format!(r#"{{"{JSON_NUMBER}":"5"}}"#)), "a number");
        assert_eq!(kind(&format!(r#"{{"{JSON_NUMBER}":"5.5"}}"#)), "another number");
        let Node::Table(entries) = toml::from_str::<Node>("a = 2026-12-01T00:00:00Z").unwrap() else {
            panic!("no table")
        };
        assert_eq!(entries[0].1.kind(), "a date");
    }

    #[test]
    fn a_repeated_name_stays_for_the_reader_to_refuse() {
        let Node::Table(entries) = serde_json::from_str::<Node>(r#"{"a":1,"a":2}"#).unwrap() else {
            panic!("no table")
        };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn a_mistake_is_told_by_its_position_alone() {
        for (text, place) in [
            ("a = 1\nb = hidden", "line 2, column 5 is not TOML"),
            ("a = 1\nkey = \"hidden", "line 2, column 14 is not TOML"),
            ("hidden = 1\nhidden = 2", "line 2, column 1 is not TOML"),
            ("hidden", "line 1, column 7 is not TOML"),
        ] {
            let error = Node::from_toml(text).err().unwrap();
            assert!(error.to_string().starts_with(place), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
        for (text, place) in
            [("{\"a\":\n hidden}", "line 2, column 2 is not JSON"), ("{\"hidden\":1} hidden", "line 1, column 14 is")]
        {
            let error = Node::from_json(text).err().unwrap();
            assert!(error.to_string().starts_with(place), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(Node::from_json(&"[".repeat(100_000)).is_err());
        assert!(Node::from_toml(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
