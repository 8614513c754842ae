//! The payload of a session: the application's members, and beside them the crate's own under `"~"`. Wire format,
//! section 3.1.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::data::Data;
use super::flash::{Bags, Flash};
use super::json::Text;
use super::parse_object;
use crate::error::Reason;
use crate::seal::sizes_of;
use crate::wipe::WipedBytes;

const RESERVED_MEMBER: &str = "~";
const FLASH: &str = "flash";
const ERRORS: &str = "errors";
const INPUT: &str = "input";
const SERVER_ONLY: &str = "server_only";

/// Taken for what was put, before its length is known.
const ROOM_BYTES: usize = 128;

/// What is sealed.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    pub(crate) data: Data,
    pub(crate) flash: Flash,
    /// The rest of the member `"~"`, where there is any.
    marks: Option<Box<Marks>>,
}

#[derive(Clone, Default)]
struct Marks {
    /// Top-level keys that must never travel in the cookie.
    server_only: BTreeSet<String>,
    /// Members under `"~"` that this version does not know are kept on rewriting.
    unknown: Map<String, Value>,
}

impl Payload {
    /// Wire format, section 4, step 10.
    pub(crate) fn parse(text: &Text) -> Result<Self, Reason> {
        let (data, reserved) = Data::opened(text, RESERVED_MEMBER).ok_or(Reason::Payload)?;
        let Some(reserved) = reserved.and_then(|reserved| text.get(reserved)) else {
            return Ok(Self { data, ..Self::default() });
        };
        let mut unknown = parse_object(reserved).map_err(|_| Reason::Payload)?;
        let flash = Bags {
            flash: take_object(&mut unknown, FLASH)?,
            errors: take_object(&mut unknown, ERRORS)?,
            input: take_object(&mut unknown, INPUT)?,
        };
        let server_only = match unknown.remove(SERVER_ONLY) {
            Some(keys) => serde_json::from_value(keys).map_err(|_| Reason::Payload)?,
            None => BTreeSet::new(),
        };
        let marks = Marks { server_only, unknown };
        let has_marks = !marks.server_only.is_empty() || !marks.unknown.is_empty();
        Ok(Self { data, flash: Flash::from(flash), marks: has_marks.then(|| Box::new(marks)) })
    }

    /// A session that begins anew, in the same request: what was marked before stays out of the cookie.
    pub(crate) fn emptied(&self) -> Self {
        let mut emptied = Self::default();
        emptied.keep_on_server(self.server_only().cloned());
        emptied
    }

    /// Top-level keys that must never travel in the cookie.
    pub(crate) fn server_only(&self) -> impl Iterator<Item = &String> {
        self.marks.iter().flat_map(|marks| &marks.server_only)
    }

    /// Marks more of them; whether one is new.
    pub(crate) fn keep_on_server(&mut self, keys: impl IntoIterator<Item = String>) -> bool {
        let mut is_new = false;
        for key in keys {
            is_new |= self.marks.get_or_insert_default().server_only.insert(key);
        }
        is_new
    }

    /// Nothing of the application's and nothing of the crate's.
    pub(crate) fn is_empty(&self) -> bool {
        let has_unknown = self.marks.as_ref().is_some_and(|marks| !marks.unknown.is_empty());
        self.data.is_empty() && !has_unknown && self.flash.left().is_empty()
    }

    /// Whether there is something that must never travel in the cookie.
    pub(crate) fn must_stay_on_server(&self) -> bool {
        self.server_only().any(|key| self.data.has_member(key))
    }

    /// The member `"~"`, absent parts left out.
    fn reserved(&self) -> Map<String, Value> {
        let Bags { flash, errors, input } = self.flash.left();
        let mut reserved = self.marks.as_ref().map(|marks| marks.unknown.clone()).unwrap_or_default();
        for (name, bag) in [(FLASH, flash), (ERRORS, errors), (INPUT, input)] {
            if !bag.is_empty() {
                reserved.insert(name.to_owned(), Value::Object(bag));
            }
        }
        let marks: Vec<_> = self.server_only().cloned().collect();
        if !marks.is_empty() {
            reserved.insert(SERVER_ONLY.to_owned(), Value::from(marks));
        }
        reserved
    }

    pub(crate) fn to_json(&self) -> Text {
        let is_plain = self.flash.is_blank() && self.marks.is_none();
        if let Some(written) = self.data.written().filter(|_| is_plain) {
            return Arc::clone(written);
        }
        let reserved = self.reserved();
        let mut json = WipedBytes::with_capacity(self.data.text_bytes().saturating_add(ROOM_BYTES));
        // Writing JSON values into memory cannot fail; a payload cut short would be refused when it is opened.
        let written = self.write(&reserved, &mut json);
        debug_assert!(written.is_ok());
        Arc::new(json)
    }

    fn write(&self, reserved: &Map<String, Value>, out: &mut impl Write) -> std::io::Result<()> {
        out.write_all(b"{")?;
        let count = self.data.write(out)?;
        if !reserved.is_empty() {
            out.write_all(if count > 0 { b",\"~\":" } else { b"\"~\":" })?;
            serde_json::to_writer(&mut *out, reserved)?;
        }
        out.write_all(b"}")
    }

    /// Bytes of JSON that each top-level member takes, its name included, the largest first.
    pub(crate) fn member_sizes(&self) -> Vec<(String, usize)> {
        let reserved = self.reserved();
        let mut members = self.data.all();
        if !reserved.is_empty() {
            members.insert(RESERVED_MEMBER.to_owned(), Value::Object(reserved));
        }
        sizes_of(members.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

/// Takes an object out of its parent; a missing one is empty.
fn take_object(parent: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Reason> {
    match parent.remove(name) {
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(Reason::Payload),
        None => Ok(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &[u8]) -> Result<Payload, Reason> {
        Payload::parse(&Arc::new(WipedBytes::from(json)))
    }

    fn rewritten(json: &str) -> Result<String, Reason> {
        parse(json.as_bytes()).map(|payload| String::from_utf8(payload.to_json().to_vec()).unwrap())
    }

    #[test]
    fn the_reserved_member_is_hidden_from_the_data_and_kept_on_rewriting() {
        let json = r#"{"user":42,"~":{"later":[1],"flash":{"notice":"saved"}}}"#;
        let payload = parse(json.as_bytes()).unwrap();
        assert_eq!(payload.data.all().keys().collect::<Vec<_>>(), ["user"]);
        let again: Value = serde_json::from_slice(&payload.to_json()).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn an_empty_reserved_member_is_left_out() {
        assert_eq!(rewritten(r#"{"~":{}}"#).unwrap(), "{}");
        assert!(parse(br#"{"~":{}}"#).unwrap().is_empty());
        assert!(parse(br#"{"~":{"flash":{},"server_only":[]}}"#).unwrap().is_empty());
        assert!(!parse(br#"{"~":{"later":{}}}"#).unwrap().is_empty());
    }

    #[test]
    fn of_repeated_names_the_last_counts() {
        assert_eq!(rewritten(r#"{"a":1,"a":2}"#).unwrap(), r#"{"a":2}"#);
    }

    #[test]
    fn what_is_no_object_or_has_a_reserved_member_of_another_kind_is_refused() {
        for json in [
            "",
            "[]",
            "1",
            "null",
            "{",
            r#"{"a":1}x"#,
            r#"{"~":1}"#,
            r#"{"~":null}"#,
            r#"{"~":{"flash":1}}"#,
            r#"{"~":{"server_only":1}}"#,
            "\u{feff}{}",
        ] {
            assert_eq!(rewritten(json), Err(Reason::Payload), "{json}");
        }
        assert_eq!(parse(b"{\"a\":\"\xff\"}").err(), Some(Reason::Payload));
    }

    #[test]
    fn nesting_beyond_the_depth_that_is_read_is_refused() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(rewritten(&nested(100)).is_ok());
        assert_eq!(rewritten(&nested(5000)), Err(Reason::Payload));
    }

    #[test]
    fn the_sizes_of_the_members_add_up_to_the_payload() {
        let payload = parse(br#"{"cart":[1,2,3],"u\"":42,"~":{"flash":{"a":true}}}"#).unwrap();
        let sizes = payload.member_sizes();
        let commas = sizes.len() - 1;
        assert_eq!(sizes.iter().map(|(_, bytes)| bytes).sum::<usize>() + commas + 2, payload.to_json().len());
        assert_eq!(sizes[0].0, "~");
    }
}
