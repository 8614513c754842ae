//! The values of settings: switches, numbers, durations, texts, and names from a short list.

use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::duration;
use super::node::{NUMBER, Node, SWITCH, TEXT};
use super::setting::Value;
use crate::clock::Timestamp;
use crate::cookie::SameSite;
use crate::settings::{Placement, Renewal, StoreFailure, TooLarge};

impl Value for bool {
    const KIND: &'static str = SWITCH;
    const EXPECTED: &'static str = SWITCH;

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_node(node: &Node) -> Option<Self> {
        if let Node::Switch(value) = node { Some(*value) } else { None }
    }

    fn to_node(&self) -> Node {
        Node::Switch(*self)
    }
}

impl Value for usize {
    const KIND: &'static str = NUMBER;
    const EXPECTED: &'static str = "a whole number of bytes";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn from_node(node: &Node) -> Option<Self> {
        if let Node::Number(number) = node { Self::try_from(*number).ok() } else { None }
    }

    fn to_node(&self) -> Node {
        Node::Number(u64::try_from(*self).unwrap_or(u64::MAX))
    }
}

impl Value for Duration {
    const EXPECTED: &'static str = "a duration with its unit, such as `90s`, `2h` or `30d`";

    fn from_text(text: &str) -> Option<Self> {
        duration::read(text)
    }

    fn to_node(&self) -> Node {
        Node::text(duration::write(*self))
    }
}

/// A duration, or the word `none`.
pub(super) struct OrNone(pub(super) Option<Duration>);

impl Value for OrNone {
    const EXPECTED: &'static str = "a duration with its unit, such as `30d`, or `none`";

    fn from_text(text: &str) -> Option<Self> {
        if text == "none" { Some(Self(None)) } else { duration::read(text).map(|read| Self(Some(read))) }
    }

    fn to_node(&self) -> Node {
        Node::text(self.0.map_or_else(|| "none".to_owned(), duration::write))
    }
}

impl Value for String {
    const EXPECTED: &'static str = TEXT;

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn to_node(&self) -> Node {
        Node::text(self.as_str())
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() { None } else { Some(Self::from(text)) }
    }

    fn to_node(&self) -> Node {
        // Read from a text, so nothing is lost.
        Node::text(self.to_string_lossy())
    }
}

impl Value for Timestamp {
    const EXPECTED: &'static str = "an instant with its offset, such as `2026-12-01T00:00:00Z`";

    fn from_text(text: &str) -> Option<Self> {
        let date = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|date| date.nanosecond() == 0)?;
        u64::try_from(date.unix_timestamp()).ok().map(Self::from_unix_seconds)
    }

    fn from_node(node: &Node) -> Option<Self> {
        Self::from_text(if let Node::Date(text) = node { text } else { node.as_text()? })
    }

    fn to_node(&self) -> Node {
        Node::text(self.to_date_time().format(&Rfc3339).unwrap_or_default())
    }
}

/// A value with a name from a short list.
macro_rules! choices {
    (
        $type:ident: $first:ident = $first_name:literal
        $(, $other:ident = $other_name:literal)* or $last:ident = $last_name:literal
    ) => {
        impl $crate::config::setting::Value for $type {
            const EXPECTED: &'static str =
                concat!("`", $first_name, "`", $(", `", $other_name, "`",)* " or `", $last_name, "`");

            fn from_text(text: &str) -> Option<Self> {
                match text {
                    $first_name => Some(Self::$first),
                    $($other_name => Some(Self::$other),)*
                    $last_name => Some(Self::$last),
                    _ => None,
                }
            }

            fn to_node(&self) -> Node {
                Node::text(match self {
                    Self::$first => $first_name,
                    $(Self::$other => $other_name,)*
                    Self::$last => $last_name,
                })
            }
        }
    };
}
pub(super) use choices;

choices!(Placement: Spill = "spill", CookieOnly = "cookie_only" or StoreOnly = "store_only");
choices!(Renewal: HalfLife = "half_life", EveryResponse = "every_response" or OnWrite = "on_write");
choices!(TooLarge: TrimFlash = "trim_flash" or Fail = "fail");
choices!(StoreFailure: FailClosed = "fail_closed" or Ephemeral = "ephemeral");
choices!(SameSite: Strict = "strict", Lax = "lax" or None = "none");
