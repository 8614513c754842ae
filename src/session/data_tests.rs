//! Each rule of the data's calls, by example.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Data;
use crate::error::SessionError;
use crate::json::exact::{to_json, to_object};
use crate::json::number::Amount;
use crate::json::path::Path;
use crate::json::text::Json;
use crate::limits::DATA_DEPTH_MAX;

fn data(value: &Value) -> Data {
    Data::from(to_object(value).unwrap())
}

/// As the calls of a session read.
impl Data {
    pub(super) fn get<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, SessionError> {
        self.locate(path)?.read(path)
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        self.locate_all().read_whole()
    }

    pub(super) fn pull<T: DeserializeOwned>(&mut self, path: &Path) -> Result<(Option<T>, bool), SessionError> {
        let pulled = self.get(path)?;
        Ok((pulled, self.forget(path)?))
    }
}

fn json(value: &Value) -> Json {
    to_json(&at("value"), value).unwrap()
}

fn at(text: &str) -> Path {
    Path::from(text)
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

/// Puts into `before` and holds what is there afterwards, and that exactly a difference is reported.
#[track_caller]
fn put(before: Value, path: &str, value: Value, after: &Value) {
    let mut data = data(&before);
    assert_eq!(data.put(&at(path), &json(&value)).unwrap(), before != *after);
    assert_eq!(&data.read::<Value>().unwrap(), after);
}

#[track_caller]
fn unchanged<T>(before: &Value, call: impl FnOnce(&mut Data) -> Result<T, SessionError>) -> String {
    let mut data = data(before);
    let Err(error) = call(&mut data) else { panic!("this should have been refused") };
    assert_eq!(&data.read::<Value>().unwrap(), before);
    error.to_string()
}

#[test]
fn get_is_none_for_what_is_absent_or_null() {
    let data = data(&json!({"null": null, "list": [1], "text": "x"}));
    for path in [
        "absent",
        "null",
        "absent.below",
        "null.below",
        "text.below",
        "text.0",
        "list.1",
        "list.x",
        "list.00",
        "list.-1",
    ] {
        assert_eq!(data.get::<Value>(&at(path)).unwrap(), None, "{path}");
    }
}

#[test]
fn zero_false_and_empty_text_are_values() {
    let data = data(&json!({"zero": 0, "false": false, "empty": ""}));
    assert_eq!(data.get::<u8>(&at("zero")).unwrap(), Some(0));
    assert_eq!(data.get::<bool>(&at("false")).unwrap(), Some(false));
    assert_eq!(data.get::<String>(&at("empty")).unwrap(), Some(String::new()));
    assert!(data.has(&at("zero")).unwrap() && data.has(&at("false")).unwrap() && data.has(&at("empty")).unwrap());
}

#[test]
fn get_reads_members_elements_and_own_types() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        price: u32,
    }
    let data = data(&json!({"cart": {"items": [{"price": 7}]}}));
    assert_eq!(data.get::<u32>(&at("cart.items.0.price")).unwrap(), Some(7));
    assert_eq!(data.get::<Vec<Item>>(&at("cart.items")).unwrap(), Some(vec![Item { price: 7 }]));
}

#[test]
fn get_of_another_type_is_an_error_that_names_the_path() {
    let error = unchanged(&json!({"user": {"age": "hunter2"}}), |data| data.get::<u8>(&at("user.age")));
    assert_eq!(error, "the session has a string at \"user.age\": it does not read as `u8`");
}

#[test]
fn has_is_false_for_null_and_contains_is_true() {
    let data = data(&json!({"null": null, "a": {"b": [null]}}));
    for (path, has, contains) in [
        ("null", false, true),
        ("a.b.0", false, true),
        ("a.b", true, true),
        ("a.b.1", false, false),
        ("x", false, false),
    ] {
        assert_eq!((data.has(&at(path)).unwrap(), data.contains(&at(path)).unwrap()), (has, contains), "{path}");
    }
}

#[test]
fn a_numeric_segment_below_an_object_is_a_key() {
    put(json!({"a": {}}), "a.0", json!(1), &json!({"a": {"0": 1}}));
    put(json!({}), "a.0", json!(1), &json!({"a": {"0": 1}}));
}

#[test]
fn put_makes_missing_parents_as_objects() {
    put(json!({}), "a.b.c", json!(1), &json!({"a": {"b": {"c": 1}}}));
    put(json!({"a": {"x": 0}}), "a.b.c", json!(1), &json!({"a": {"x": 0, "b": {"c": 1}}}));
}

#[test]
fn put_replaces_a_scalar_or_null_in_the_way_by_an_object() {
    for in_the_way in [json!(null), json!(1), json!(false), json!("text")] {
        put(json!({"a": in_the_way}), "a.b.c", json!(1), &json!({"a": {"b": {"c": 1}}}));
        put(json!({"a": [in_the_way]}), "a.0.b", json!(1), &json!({"a": [{"b": 1}]}));
    }
}

#[test]
fn put_into_an_array_replaces_or_appends() {
    put(json!({"a": [1, 2]}), "a.0", json!(3), &json!({"a": [3, 2]}));
    put(json!({"a": [1, 2]}), "a.2", json!(3), &json!({"a": [1, 2, 3]}));
    put(json!({"a": []}), "a.0.b", json!(3), &json!({"a": [{"b": 3}]}));
}

#[test]
fn put_into_an_array_elsewhere_is_refused() {
    for path in ["a.b.3", "a.b.x", "a.b.+1", "a.b.01", "a.b.-1", "a.b.3.c", "a.b.18446744073709551616"] {
        let error = unchanged(&json!({"a": {"b": [1, 2]}}), |data| data.put(&at(path), &json(&json!(1))));
        assert!(error.starts_with("the session has an array at \"a.b\": it has 2 elements"), "{error}");
    }
}

#[test]
fn putting_an_equal_value_is_no_change() {
    let value = json!({"a": {"b": [1, null, 1.5, -0.0, "x", {}]}});
    put(value.clone(), "a", value["a"].clone(), &value);
    put(value.clone(), "a.b.1", json!(null), &value);
}

#[test]
fn an_integer_and_a_float_are_different_values() {
    put(json!({"a": 1}), "a", json!(1.0), &json!({"a": 1.0}));
    let mut data = data(&json!({"a": 0.0}));
    assert!(data.put(&at("a"), &json(&json!(-0.0))).unwrap());
    assert_eq!(data.find(&at("a")).unwrap().unwrap().to_string(), "-0.0");
}

#[test]
fn merge_puts_whole_members_under_their_literal_keys() {
    let mut merged = data(&json!({"a": {"x": 1}, "b": 2}));
    assert!(merged.merge(&to_object(&json!({"a": {"y": 1}, "a.x": 3})).unwrap()).unwrap());
    assert_eq!(merged.read::<Value>().unwrap(), json!({"a": {"y": 1}, "b": 2, "a.x": 3}));
    assert!(!merged.merge(&to_object(&json!({"b": 2})).unwrap()).unwrap());
    assert!(!merged.merge(&to_object(&json!({})).unwrap()).unwrap());
}

#[test]
fn merge_and_replace_refuse_the_reserved_key_and_too_deep_values() {
    let before = json!({"a": 1});
    for (members, problem) in
        [(json!({"a": 2, "~": {}}), "reserved"), (json!({"a": 2, "z": nested(DATA_DEPTH_MAX - 1)}), "\"z.0.")]
    {
        assert!(unchanged(&before, |data| data.merge(&to_object(&members)?)).contains(problem));
        assert!(unchanged(&before, |data| data.replace(to_object(&members)?)).contains(problem));
    }
}

#[test]
fn forget_removes_and_an_emptied_parent_stays() {
    let mut data = data(&json!({"a": {"b": null}, "c": [1, 2, 3]}));
    assert!(data.forget(&at("a.b")).unwrap());
    assert!(data.forget(&at("c.1")).unwrap());
    assert_eq!(data.read::<Value>().unwrap(), json!({"a": {}, "c": [1, 3]}));
}

#[test]
fn forgetting_what_is_missing_is_no_change() {
    let mut data = data(&json!({"a": {"b": 1}, "c": [1]}));
    for path in ["x", "a.x", "a.b.x", "c.1", "c.x", "c.+0", "c.0.x", "x.y"] {
        assert!(!data.forget(&at(path)).unwrap(), "{path}");
    }
    assert_eq!(data.read::<Value>().unwrap(), json!({"a": {"b": 1}, "c": [1]}));
}

#[test]
fn pull_gets_and_forgets() {
    let mut data = data(&json!({"a": 1, "null": null}));
    assert_eq!(data.pull::<u8>(&at("a")).unwrap(), (Some(1), true));
    assert_eq!(data.pull::<u8>(&at("a")).unwrap(), (None, false));
    assert_eq!(data.pull::<u8>(&at("null")).unwrap(), (None, true));
    assert!(data.is_empty());
}

#[test]
fn pull_of_another_type_leaves_the_value() {
    let error = unchanged(&json!({"a": "x"}), |data| data.pull::<u8>(&at("a")));
    assert!(error.contains("does not read as `u8`"), "{error}");
}

#[test]
fn increment_counts_what_is_missing_or_null_as_zero() {
    let mut data = data(&json!({"null": null}));
    for (path, amount, sum) in
        [("null", Amount::from(1), "1"), ("a.b", Amount::from(0), "0"), ("c", Amount::from(0.5), "0.5")]
    {
        let (number, changed) = data.increment(&at(path), amount).unwrap();
        assert_eq!((number.to_string().as_str(), changed), (sum, true), "{path}");
    }
    assert_eq!(data.read::<Value>().unwrap(), json!({"null": 1, "a": {"b": 0}, "c": 0.5}));
}

#[test]
fn increment_tells_the_sum_and_a_negative_amount_decrements() {
    let mut data = data(&json!({"a": [5]}));
    assert_eq!(data.increment(&at("a.0"), Amount::from(3)).unwrap(), (8.into(), true));
    assert_eq!(data.increment(&at("a.0"), -Amount::from(10)).unwrap(), ((-2).into(), true));
    assert_eq!(data.increment(&at("a.0"), Amount::from(0)).unwrap(), ((-2).into(), false));
}

#[test]
fn increment_of_another_value_is_refused() {
    for value in [json!("1"), json!(true), json!([]), json!({})] {
        let error = unchanged(&json!({"k": value}), |data| data.increment(&at("k"), Amount::from(1)));
        assert_eq!(error, "Cannot increment \"k\": existing value is not a number");
    }
}

#[test]
fn increment_beyond_64_bits_is_refused() {
    let error = unchanged(&json!({"k": u64::MAX}), |data| data.increment(&at("k"), Amount::from(1)));
    assert!(error.starts_with("cannot keep the value for \"k\": the sum does not fit 64 bits"), "{error}");
}

#[test]
fn push_appends_to_an_array_that_is_made_where_it_is_missing() {
    let mut data = data(&json!({"null": null}));
    for path in ["a.b", "a.b", "null"] {
        assert!(data.push(&at(path), &json(&json!(1))).unwrap());
    }
    assert_eq!(data.read::<Value>().unwrap(), json!({"a": {"b": [1, 1]}, "null": [1]}));
}

#[test]
fn push_on_another_value_is_refused() {
    let error = unchanged(&json!({"a": "x"}), |data| data.push(&at("a"), &json(&json!(1))));
    assert!(error.starts_with("the session has a string at \"a\": only an array"), "{error}");
}

#[test]
fn clear_is_a_change_where_there_was_something() {
    let mut data = data(&json!({"a": null}));
    assert!(data.clear());
    assert!(!data.clear());
    assert!(data.is_empty());
}

#[test]
fn replace_is_a_change_where_the_members_differ() {
    let mut data = data(&json!({"a": 1}));
    assert!(!data.replace(to_object(&json!({"a": 1})).unwrap()).unwrap());
    assert!(data.replace(to_object(&json!({"a": 1.0})).unwrap()).unwrap());
    assert!(data.replace(to_object(&json!({"b": 1})).unwrap()).unwrap());
    assert_eq!(Value::Object(data.all().clone()), json!({"b": 1}));
}

#[test]
fn what_would_be_nested_too_deep_is_refused() {
    let before = json!({"list": []});
    for error in [
        unchanged(&before, |data| data.put(&at("a.b"), &json(&nested(DATA_DEPTH_MAX - 2)))),
        unchanged(&before, |data| data.put(&at("list.0"), &json(&nested(DATA_DEPTH_MAX - 2)))),
        unchanged(&before, |data| data.push(&at("list"), &json(&nested(DATA_DEPTH_MAX - 2)))),
        unchanged(&before, |data| data.push(&at("x"), &json(&nested(DATA_DEPTH_MAX - 2)))),
    ] {
        assert!(error.ends_with("it would be nested deeper than 128 levels; nest less"), "{error}");
    }
    let mut data = data(&before);
    assert!(data.put(&at("a.b"), &json(&nested(DATA_DEPTH_MAX - 3))).unwrap());
    assert!(data.push(&at("list"), &json(&nested(DATA_DEPTH_MAX - 3))).unwrap());
}

#[test]
fn a_path_that_names_nothing_is_refused_by_every_call() {
    let before = json!({"a": 1});
    for path in [at(""), at("~"), at("~.flash"), at("a..b"), Path::from_segments(["a"; DATA_DEPTH_MAX])] {
        for error in [
            unchanged(&before, |data| data.get::<Value>(&path)),
            unchanged(&before, |data| data.has(&path)),
            unchanged(&before, |data| data.contains(&path)),
            unchanged(&before, |data| data.put(&path, &json(&json!(1)))),
            unchanged(&before, |data| data.forget(&path)),
            unchanged(&before, |data| data.pull::<Value>(&path)),
            unchanged(&before, |data| data.increment(&path, Amount::from(1))),
            unchanged(&before, |data| data.push(&path, &json(&json!(1)))),
        ] {
            assert!(error.starts_with(&format!("cannot use the path \"{path}\": ")), "{error}");
        }
    }
}

#[test]
fn debug_shows_nothing_of_the_data() {
    assert_eq!(format!("{:?}", data(&json!({"secret": "hunter2"}))), "Data(1 members)");
}
