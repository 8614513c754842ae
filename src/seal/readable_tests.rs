//! What a sealer seals is what every session manager reads; what none would read is refused before it is sealed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Value, json};

use super::Sealer;
use crate::clock::Timestamp;
use crate::error::{Reason, SealError};
use crate::id::SessionId;
use crate::key::Key;
use crate::wire::{Header, Kind, Persistence};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

fn sealer() -> Sealer {
    Sealer::builder(Key::generate().unwrap()).build().unwrap()
}

/// Why a value is sealed by neither call.
#[track_caller]
fn refused<T: Serialize>(value: &T) -> SealError {
    let sealer = sealer();
    assert!(sealer.seal_for(value, Duration::from_secs(60), NOW).is_err());
    sealer.seal(value, NOW).unwrap_err()
}

/// Whether a cookie with this payload, whoever sealed it, is opened.
fn opened(payload: &str) -> Result<Option<serde_json::Map<String, Value>>, Reason> {
    let sealer = sealer();
    let (kind, persistence) = (Kind::Inline, Persistence::IdleTimeout);
    let expires = NOW.saturating_add_seconds(7200);
    let header = Header { kind, persistence, id: SessionId::from_bytes([5; 16]), created: NOW, issued: NOW, expires };
    let text = sealer.seal_inline(crate::seal::CookieNonce::draw().unwrap(), &header, payload.as_bytes()).unwrap();
    sealer.open(&text, NOW).map(|opened| opened.payload())
}

/// Members as they are listed, whatever their names.
struct Members<'a>(&'a [(&'a str, Value)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (name, value) in self.0 {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

#[test]
fn a_reserved_member_that_no_reader_takes_is_refused() {
    for reserved in [
        json!(1),
        json!({ "flash": 1 }),
        json!({ "errors": [] }),
        json!({ "input": null }),
        json!({ "server_only": 1 }),
        json!({ "server_only": ["a", 1] }),
    ] {
        assert!(matches!(refused(&json!({ "~": reserved })), SealError::ReservedMember), "{reserved}");
        assert_eq!(opened(&json!({ "~": reserved }).to_string()), Err(Reason::Payload), "{reserved}");
    }
    let whole =
        json!({ "a": 1, "~": { "flash": { "a": 1 }, "errors": {}, "input": {}, "server_only": ["a"], "x": 1 } });
    assert!(sealer().seal(&whole, NOW).is_ok());
}

#[test]
fn two_members_of_one_name_are_refused_and_named() {
    let cases: [(&[(&str, Value)], &str); 3] = [
        (&[("role", json!(1)), ("a", json!({ "role": 1 })), ("role", json!(2))], "\"role\""),
        (&[("\"\n", json!("{")), ("b", json!([])), ("\"\n", json!(2))], r#""\"\n""#),
        (&[("~", json!({})), ("~", json!({}))], "\"~\""),
    ];
    for (members, named) in cases {
        let members = Members(members);
        for error in [refused(&members), refused(&json_like("me", &members)), refused(&json_like("me", &[&members]))] {
            assert!(matches!(&error, SealError::Unreadable { .. }), "{error}");
            assert!(error.to_string().contains(&format!("two members have the name {named}")), "{error}");
        }
    }
    let alike = json!({ "a": { "a": ["a", "a"], "b": { "a": 1 } }, "b": [{ "a": 1 }, { "a": 1 }], "A": "\"a\":" });
    assert!(sealer().seal(&alike, NOW).is_ok());
}

/// An object with one member.
fn json_like<'a, T: Serialize>(name: &'a str, value: &'a T) -> BTreeMap<&'a str, &'a T> {
    BTreeMap::from([(name, value)])
}

#[test]
fn a_number_that_would_be_rounded_is_refused() {
    for beyond in [i128::from(u64::MAX) + 1, i128::from(i64::MIN) - 1] {
        let error = refused(&BTreeMap::from([("a", [beyond])]));
        assert!(matches!(&error, SealError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains("64 bits"), "{error}");
        assert_eq!(opened(&format!(r#"{{"a":[{beyond}]}}"#)), Err(Reason::Payload));
    }
    assert_eq!(opened(r#"{"a":1e400}"#), Err(Reason::Payload));
    for kept in [json!(u64::MAX), json!(i64::MIN), json!(1e300), json!(f64::MAX), json!("18446744073709551616")] {
        assert!(sealer().seal(&json!({ "a": kept, "18446744073709551616": 1 }), NOW).is_ok(), "{kept}");
    }
}

#[test]
fn what_is_nested_deeper_than_a_reader_takes_is_refused() {
    for depth in 100..=130 {
        let nested = (0..depth).fold(json!(1), |inner, _| json!([inner]));
        let sealer = sealer();
        match sealer.seal(&json!({ "a": nested }), NOW) {
            Ok(text) => assert_eq!(sealer.open(&text, NOW).unwrap().payload().unwrap()["a"], nested, "{depth}"),
            Err(_) => assert!(depth > 126, "{depth}"),
        }
    }
}

#[test]
fn another_writers_cookie_with_two_members_of_one_name_opens_and_the_last_counts() {
    for (payload, found) in [
        (r#"{"a":1,"a":2}"#, json!({ "a": 2 })),
        (r#"{"~":1,"~":{}}"#, json!({ "~": {} })),
        (r#"{"~":{"flash":1,"flash":{}}}"#, json!({ "~": { "flash": {} } })),
    ] {
        assert_eq!(opened(payload).unwrap().map(Value::Object), Some(found), "{payload}");
    }
}
