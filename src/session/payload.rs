//! The payload of a session: the application's members, and beside them the crate's own under `"~"`. Wire format,
//! section 3.1.

use serde::ser::{SerializeMap as _, Serializer as _};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Data, parse_object};
use crate::error::Reason;

const RESERVED_MEMBER: &str = "~";

/// What is sealed.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    pub(crate) data: Data,
    /// Members that this version does not know are kept on rewriting.
    reserved: Map<String, Value>,
}

impl Payload {
    /// Wire format, section 4, step 10.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Reason> {
        let mut members = parse_object(json).map_err(|_| Reason::Payload)?;
        let reserved = match members.remove(RESERVED_MEMBER) {
            Some(Value::Object(reserved)) => reserved,
            Some(_) => return Err(Reason::Payload),
            None => Map::new(),
        };
        Ok(Self { data: Data::from(members), reserved })
    }

    /// Nothing of the application's and nothing of the crate's.
    pub(crate) fn is_empty(&self) -> bool {
        self.data.is_empty() && self.reserved.is_empty()
    }

    pub(crate) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // One allocation of the whole length: growing would leave copies of the data behind that nobody wipes.
        let mut counted = Counted(0);
        self.write(&mut counted);
        let mut json = Zeroizing::new(Vec::with_capacity(counted.0));
        self.write(&mut *json);
        json
    }

    fn write(&self, out: impl std::io::Write) {
        let mut writer = serde_json::Serializer::new(out);
        // Writing JSON values into memory cannot fail; a payload cut short would be refused when it is opened.
        let written = writer.serialize_map(None).and_then(|mut object| {
            for (name, value) in self.data.all() {
                object.serialize_entry(name, value)?;
            }
            if !self.reserved.is_empty() {
                object.serialize_entry(RESERVED_MEMBER, &self.reserved)?;
            }
            object.end()
        });
        debug_assert!(written.is_ok());
    }

    /// Bytes of JSON that each top-level member takes, its name included, the largest first.
    pub(crate) fn member_sizes(&self) -> Vec<(String, usize)> {
        let reserved = (!self.reserved.is_empty()).then(|| (RESERVED_MEMBER.to_owned(), json_length(&self.reserved)));
        let mut sizes: Vec<_> = self
            .data
            .all()
            .iter()
            .map(|(name, value)| (name.clone(), json_length(value)))
            .chain(reserved)
            // Quoted name, colon, value.
            .map(|(name, value)| {
                let bytes = json_length(&name).saturating_add(1).saturating_add(value);
                (name, bytes)
            })
            .collect();
        sizes.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        sizes
    }
}

fn json_length(value: &impl serde::Serialize) -> usize {
    let mut counted = Counted(0);
    let _ = value.serialize(&mut serde_json::Serializer::new(&mut counted));
    counted.0
}

/// Counts bytes and keeps none.
struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(json: &str) -> Result<String, Reason> {
        Payload::parse(json.as_bytes()).map(|payload| String::from_utf8(payload.to_json().to_vec()).unwrap())
    }

    #[test]
    fn the_reserved_member_is_hidden_from_the_data_and_kept_on_rewriting() {
        let json = r#"{"user":42,"~":{"later":[1],"flash":{"notice":"saved"}}}"#;
        let payload = Payload::parse(json.as_bytes()).unwrap();
        assert_eq!(payload.data.all().keys().collect::<Vec<_>>(), ["user"]);
        let again: Value = serde_json::from_slice(&payload.to_json()).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn an_empty_reserved_member_is_left_out() {
        assert_eq!(rewritten(r#"{"~":{}}"#).unwrap(), "{}");
        assert!(Payload::parse(br#"{"~":{}}"#).unwrap().is_empty());
        assert!(!Payload::parse(br#"{"~":{"flash":{}}}"#).unwrap().is_empty());
    }

    #[test]
    fn of_repeated_names_the_last_counts() {
        assert_eq!(rewritten(r#"{"a":1,"a":2}"#).unwrap(), r#"{"a":2}"#);
    }

    #[test]
    fn what_is_no_object_or_has_a_reserved_member_of_another_kind_is_refused() {
        for json in ["", "[]", "1", "null", "{", r#"{"a":1}x"#, r#"{"~":1}"#, r#"{"~":null}"#, "\u{feff}{}"] {
            assert_eq!(rewritten(json), Err(Reason::Payload), "{json}");
        }
        assert_eq!(Payload::parse(b"{\"a\":\"\xff\"}").err(), Some(Reason::Payload));
    }

    #[test]
    fn nesting_beyond_the_depth_that_is_read_is_refused() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(rewritten(&nested(100)).is_ok());
        assert_eq!(rewritten(&nested(5000)), Err(Reason::Payload));
    }

    #[test]
    fn the_sizes_of_the_members_add_up_to_the_payload() {
        let payload = Payload::parse(br#"{"cart":[1,2,3],"u\"":42,"~":{"flash":{"a":true}}}"#).unwrap();
        let sizes = payload.member_sizes();
        let commas = sizes.len() - 1;
        assert_eq!(sizes.iter().map(|(_, bytes)| bytes).sum::<usize>() + commas + 2, payload.to_json().len());
        assert_eq!(sizes[0].0, "~");
    }
}
