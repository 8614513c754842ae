//! What the exact serializer refuses, and where, by example.

use std::collections::{BTreeMap, HashMap};

use serde::ser::{self, Serialize, Serializer};
use serde_json::{Value, json};

use super::exact::Inexact;
use super::exact::write;
use crate::error::SessionError;
use crate::limits::DATA_DEPTH_MAX;

fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Inexact> {
    write(value, 0).map(|json| json.value())
}

fn problem<T: Serialize + ?Sized>(value: &T) -> (String, String) {
    match to_value(value).unwrap_err().below("") {
        SessionError::Value { path, problem } => (path, problem),
        other => panic!("{other}"),
    }
}

#[derive(serde::Serialize)]
struct Record<T> {
    field: T,
}

#[derive(serde::Serialize)]
struct Wrapper<T>(T);

#[derive(serde::Serialize)]
struct Pair<T>(u8, T);

#[derive(serde::Serialize)]
struct Unit;

#[derive(serde::Serialize)]
enum Variant<T> {
    Unit,
    Newtype(T),
    Tuple(u8, T),
    Struct { field: T },
}

/// The value in every position that a type can have, each with the path that leads to it.
fn everywhere<T: Serialize + Clone>(value: &T) -> Vec<(&'static str, Result<Value, Inexact>)> {
    let own = || value.clone();
    vec![
        ("", to_value(value)),
        ("", to_value(&Some(own()))),
        ("", to_value(&Wrapper(own()))),
        ("1", to_value(&(0, own()))),
        ("0", to_value(&[own()])),
        ("1", to_value(&Pair(0, own()))),
        ("field", to_value(&Record { field: own() })),
        ("k", to_value(&BTreeMap::from([("k", own())]))),
        ("Newtype", to_value(&Variant::Newtype(own()))),
        ("Tuple.1", to_value(&Variant::Tuple(0, own()))),
        ("Struct.field", to_value(&Variant::Struct { field: own() })),
        ("field.0.k", to_value(&Record { field: [BTreeMap::from([("k", own())])] })),
    ]
}

#[track_caller]
fn refused_everywhere<T: Serialize + Clone>(value: &T, expected: &str) {
    for (expected_path, result) in everywhere(value) {
        let error = result.unwrap_err().below("at");
        let SessionError::Value { path, problem } = &error else { panic!("{error}") };
        let suffix = if expected_path.is_empty() { String::new() } else { format!(".{expected_path}") };
        assert_eq!(path, &format!("at{suffix}"));
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn nan_and_infinities_are_refused_anywhere() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        refused_everywhere(&float, "JSON has no NaN");
    }
    for float in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused_everywhere(&float, "JSON has no NaN");
    }
}

#[test]
fn integers_beyond_64_bits_are_refused_anywhere() {
    refused_everywhere(&(u128::from(u64::MAX) + 1), "beyond 64 bits");
    refused_everywhere(&(i128::from(u64::MAX) + 1), "beyond 64 bits");
    refused_everywhere(&(i128::from(i64::MIN) - 1), "beyond 64 bits");
}

#[test]
fn integers_of_64_bits_are_kept_whatever_their_type() {
    for (value, expected) in [
        (to_value(&i128::from(i64::MIN)), json!(i64::MIN)),
        (to_value(&i128::from(u64::MAX)), json!(u64::MAX)),
        (to_value(&u128::from(u64::MAX)), json!(u64::MAX)),
        (to_value(&i64::MIN), json!(i64::MIN)),
        (to_value(&u64::MAX), json!(u64::MAX)),
    ] {
        assert_eq!(value.unwrap(), expected);
    }
}

#[test]
fn an_f32_is_kept_as_the_f64_of_the_same_value() {
    assert_eq!(to_value(&0.1_f32).unwrap(), json!(f64::from(0.1_f32)));
}

#[test]
fn everything_else_is_written_as_serde_json_writes_it() {
    #[track_caller]
    fn same<T: Serialize + ?Sized>(value: &T) {
        assert_eq!(to_value(value).unwrap(), serde_json::to_value(value).unwrap());
    }
    same(&(true, 'ß', "text", (), Unit, None::<u8>, Some(1_i8), [0_u8; 3]));
    same(&(1_i16, 1_i32, 1_u16, 1_u32, -1.5_f64, &b"bytes"[..]));
    same(&[Variant::Unit, Variant::Newtype(1), Variant::Tuple(1, 2), Variant::Struct { field: 3 }]);
    same(&Record { field: Wrapper(Pair(1, BTreeMap::from([(1_u8, false)]))) });
    same(&HashMap::from([(true, json!({"a": [null, 1.0, {"": -1}]}))]));
    same(&BTreeMap::from([(u128::MAX, std::net::Ipv4Addr::LOCALHOST)]));
    same(&BTreeMap::from([('k', std::time::Duration::from_millis(1))]));
}

#[test]
fn keys_that_have_no_text_are_refused() {
    let refused = problem(&BTreeMap::from([(vec![1], 1)]));
    assert_eq!(refused, (String::new(), "key must be a string".to_owned()));
    assert!(to_value(&BTreeMap::from([(None::<u8>, 1)])).is_err());
}

#[test]
fn keys_that_serde_json_takes_for_its_own_are_refused() {
    for key in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
        let (path, problem) = problem(&json!({"form": {key: "1"}}));
        assert_eq!(path, format!("form.{key}"));
        assert!(problem.contains("choose another key"), "{problem}");
    }
    #[derive(serde::Serialize)]
    enum Private {
        #[serde(rename = "$serde_json::private::RawValue")]
        Struct { a: u8 },
        #[serde(rename = "$serde_json::private::Number")]
        Newtype(u8),
        #[serde(rename = "$serde_json::private::X")]
        Tuple(u8, u8),
    }
    for private in [Private::Struct { a: 1 }, Private::Newtype(1), Private::Tuple(1, 2)] {
        let (path, problem) = problem(&[private]);
        assert!(path.starts_with("0.$serde_json") && problem.contains("choose another key"), "{path} {problem}");
    }
}

#[test]
fn two_members_of_one_name_are_refused_anywhere() {
    #[derive(Clone, serde::Serialize)]
    struct Twice {
        role: u8,
        #[serde(rename = "role")]
        other: u8,
    }
    #[derive(Clone, serde::Serialize)]
    struct Flattened {
        #[serde(flatten)]
        outer: BTreeMap<&'static str, u8>,
        #[serde(flatten)]
        inner: BTreeMap<&'static str, u8>,
    }
    /// Its two keys have one text.
    struct Keys;
    impl Serialize for Keys {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use ser::SerializeMap as _;
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry(&1, &1)?;
            map.serialize_entry("1", &1)?;
            map.end()
        }
    }
    #[derive(serde::Serialize)]
    #[serde(tag = "field")]
    enum Tagged {
        Known(Record<u8>),
    }
    let members = BTreeMap::from([("role", 1)]);
    let flattened = Flattened { outer: members.clone(), inner: members };
    for (path, result) in everywhere(&flattened) {
        let error = result.unwrap_err().below("at").to_string();
        let expected = ["at", path, "role"].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        assert!(error.contains(&format!("\"{expected}\": two members have one name")), "{error}");
    }
    assert_eq!(problem(&Twice { role: 1, other: 2 }).0, "role");
    assert_eq!(problem(&Keys).0, "1");
    assert_eq!(problem(&Tagged::Known(Record { field: 2 })).0, "field");
}

#[test]
fn numbers_of_arbitrary_precision_and_raw_json_are_held_to_the_same_rules() {
    // As they serialize where those features are on.
    #[derive(serde::Serialize)]
    #[serde(rename = "$serde_json::private::Number")]
    struct Text {
        #[serde(rename = "$serde_json::private::Number")]
        text: &'static str,
    }
    assert_eq!(to_value(&Text { text: "18446744073709551615" }).unwrap(), json!(u64::MAX));
    assert_eq!(to_value(&[Text { text: "1.50" }]).unwrap().to_string(), "[1.5]");
    #[derive(serde::Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw {
        #[serde(rename = "$serde_json::private::RawValue")]
        text: &'static str,
    }
    assert_eq!(to_value(&Raw { text: "{\"a\": [1E1]}" }).unwrap().to_string(), "{\"a\":[10.0]}");
    assert!(to_value(&Raw { text: "[18446744073709551616]" }).is_err());
    let (path, problem) = problem(&[Raw { text: r#"{"me":[{"role":1,"\u0072ole":2}]}"# }]);
    assert_eq!(path, "0.me.0.role");
    assert!(problem.contains("two members have one name"), "{problem}");
    for text in ["18446744073709551616", "-9223372036854775809", "1e400", "x", ""] {
        assert!(to_value(&[Text { text }]).is_err(), "{text}");
    }
}

#[test]
fn a_type_without_end_is_refused_before_the_stack_ends() {
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            [Self].serialize(serializer)
        }
    }
    let (path, problem) = problem(&Endless);
    assert!(problem.contains("nested deeper than 128 levels"), "{problem}");
    assert_eq!(path.split('.').count(), DATA_DEPTH_MAX - 1);
}

#[test]
fn the_deepest_value_is_the_deepest_that_serde_json_reads() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let deepest = DATA_DEPTH_MAX - 1;
    assert!(to_value(&nested(deepest)).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(deepest).to_string()).is_ok());
    assert!(to_value(&nested(deepest + 1)).is_err());
    assert!(serde_json::from_str::<Value>(&nested(deepest + 1).to_string()).is_err());
    // The variant's name is a key, and so one level more.
    assert!(to_value(&Variant::Newtype(nested(deepest - 1))).is_ok());
    assert!(to_value(&Variant::Newtype(nested(deepest))).is_err());
    assert!(to_value(&Variant::Tuple(0, nested(deepest - 2))).is_ok());
    assert!(to_value(&Variant::Tuple(0, nested(deepest - 1))).is_err());
    assert!(to_value(&Variant::Struct { field: nested(deepest - 2) }).is_ok());
    assert!(to_value(&Variant::Struct { field: nested(deepest - 1) }).is_err());
}

#[test]
fn what_a_type_says_of_its_own_failure_is_kept() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(ser::Error::custom("the lock is poisoned"))
        }
    }
    assert_eq!(problem(&[Failing]), ("0".to_owned(), "the lock is poisoned".to_owned()));
}

#[test]
fn a_type_that_goes_on_after_a_part_of_it_failed_is_refused() {
    struct Careless(&'static str);
    impl Serialize for Careless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use ser::{SerializeMap as _, SerializeSeq as _};
            if self.0 == "element" {
                let mut elements = serializer.serialize_seq(None)?;
                let _ = elements.serialize_element(&f64::NAN);
                return elements.end();
            }
            let mut map = serializer.serialize_map(None)?;
            let _ = match self.0 {
                "value" => map.serialize_entry("a", &f64::NAN),
                "key" => map.serialize_key(&[1]),
                "private" => map.serialize_entry("$serde_json::private::Number", "1"),
                "no value" => map.serialize_key("a"),
                "two keys" => map.serialize_key("a").and_then(|()| map.serialize_key("b")),
                _ => map.serialize_value("a"),
            };
            map.end()
        }
    }
    for what in ["element", "value", "key", "private", "no value", "two keys", "no key"] {
        assert!(to_value(&Careless(what)).is_err(), "{what}");
        assert!(to_value(&[json!(1), json!(2)].map(|_| Careless(what))).is_err(), "{what}");
    }
}
