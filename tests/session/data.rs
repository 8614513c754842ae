//! Behaviour, section 3: what is put in one request is found in the next, call by call.

use std::collections::BTreeMap;

use sealed_session::json::Value;
use sealed_session::{Path, Session, SessionError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use crate::support::Site;

/// The data after a request that did this to a session with these data.
fn after(before: &Value, handle: impl FnOnce(&Session)) -> Value {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| session.replace(before).unwrap());
    browser.visit(&store, handle);
    Value::Object(browser.visit(&store, Session::all).0)
}

/// Whether a request that did this to a session with these data wrote it.
fn writes(before: &Value, handle: impl FnOnce(&Session)) -> bool {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| session.replace(before).unwrap());
    let (is_dirty, response) = browser.visit(&store, |session| {
        handle(session);
        session.is_dirty()
    });
    assert_eq!(is_dirty, !response.set_cookies.is_empty());
    is_dirty
}

#[test]
fn every_kind_of_json_value_comes_back() {
    let values = json!({
        "text": "Zoë \"quoted\"\n\u{0}", "integer": i64::MIN, "unsigned": u64::MAX, "float": 0.1, "yes": true,
        "null": null, "list": [1, "a", [null]], "object": { "a": { "b": [] } }, "": "empty key",
    });
    assert_eq!(after(&json!({ "old": 1 }), |session| session.merge(&values).unwrap())["object"], values["object"]);
    assert_eq!(after(&values, |session| session.put("list.0", &2).unwrap())["list"], json!([2, "a", [null]]));
    assert_eq!(after(&values, |_| ()), values);
}

#[test]
fn get_tells_absent_and_null_from_values_of_another_type() {
    after(&json!({ "user": { "email": "zoe" }, "null": null, "zero": 0, "no": false, "empty": "" }), |session| {
        assert_eq!(session.get::<String>("user.email").unwrap().as_deref(), Some("zoe"));
        assert_eq!(session.get::<u8>("user.name").unwrap(), None);
        assert_eq!(session.get::<u8>("null").unwrap(), None);
        assert!(
            matches!(session.get::<u8>("user.email"), Err(SessionError::Type { path, .. }) if path == "user.email")
        );
        assert_eq!(session.get_or("zero", 7).unwrap(), 0);
        assert!(!session.get_or("no", true).unwrap());
        assert_eq!(session.get_or("empty", "default".to_owned()).unwrap(), "");
        assert_eq!(session.get_or("null", 7).unwrap(), 7);
    });
}

#[test]
fn has_takes_falsy_values_for_present_and_contains_null_as_well() {
    after(&json!({ "zero": 0, "no": false, "empty": "", "null": null }), |session| {
        for key in ["zero", "no", "empty"] {
            assert!(session.has(key).unwrap());
        }
        assert!(!session.has("null").unwrap() && session.contains("null").unwrap());
        assert!(!session.has("absent").unwrap() && !session.contains("absent").unwrap());
    });
}

#[test]
fn put_makes_parents_replaces_what_is_in_the_way_and_appends_to_arrays() {
    let before = json!({ "user": "text", "items": [1] });
    let put = |path: &'static str| after(&before, move |session| session.put(path, &9).unwrap());
    assert_eq!(put("a.b.c")["a"], json!({ "b": { "c": 9 } }));
    assert_eq!(put("user.id")["user"], json!({ "id": 9 }));
    assert_eq!(put("items.1")["items"], json!([1, 9]));
    after(&before, |session| {
        for path in ["items.2", "items.name", "items.-1"] {
            assert!(matches!(session.put(path, &9), Err(SessionError::Type { .. })), "{path}");
        }
    });
}

#[test]
fn keys_with_dots_are_named_by_segments() {
    let path = Path::from_segments(["example.com", "visits"]);
    let data = after(&json!({ "a": 1 }), |session| session.put(path, &9).unwrap());
    assert_eq!(data["example.com"], json!({ "visits": 9 }));
}

#[test]
fn forget_and_pull_remove_and_what_is_missing_writes_nothing() {
    let before = json!({ "a": { "b": 1 }, "items": [1, 2, 3] });
    assert_eq!(after(&before, |session| session.forget("a.b").unwrap())["a"], json!({}));
    assert_eq!(after(&before, |session| session.forget("items.0").unwrap())["items"], json!([2, 3]));
    assert_eq!(after(&before, |session| assert_eq!(session.pull("a.b").unwrap(), Some(1)))["a"], json!({}));
    assert!(!writes(&before, |session| session.forget("absent.b").unwrap()));
    assert!(!writes(&before, |session| assert_eq!(session.pull::<u8>("absent").unwrap(), None)));
    assert!(!writes(&before, |session| assert!(session.pull::<u8>("items").is_err())));
}

#[test]
fn increment_and_decrement_count_from_zero_and_refuse_what_is_no_number() {
    let data = after(&json!({ "n": 1, "null": null, "half": 0.5, "text": "1" }), |session| {
        assert_eq!(session.increment("n", 4).unwrap().as_i64(), Some(5));
        assert_eq!(session.decrement("missing", 2).unwrap().as_i64(), Some(-2));
        session.increment("null", 1).unwrap();
        session.increment("half", 0.25).unwrap();
        let refused = session.increment("text", 1).unwrap_err();
        assert_eq!(refused.to_string(), "Cannot increment \"text\": existing value is not a number");
        session.put("most", &u64::MAX).unwrap();
        assert!(session.increment("most", 1).is_err());
    });
    assert_eq!(data, json!({ "n": 5, "missing": -2, "null": 1, "half": 0.75, "text": "1", "most": u64::MAX }));
}

#[test]
fn push_appends_and_makes_the_array() {
    let data = after(&json!({ "cart": ["a"] }), |session| {
        session.push("cart", "b").unwrap();
        session.push("new.list", &1).unwrap();
        assert!(matches!(session.push("cart.0", &1), Err(SessionError::Type { .. })));
    });
    assert_eq!(data, json!({ "cart": ["a", "b"], "new": { "list": [1] } }));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Typed {
    user: u64,
    names: Vec<String>,
}

#[test]
fn a_session_is_read_and_replaced_as_one_typed_value() {
    let typed = Typed { user: 42, names: vec!["Zoë".to_owned()] };
    let before = json!({ "old": 1 });
    let data = after(&before, |session| session.replace(&typed).unwrap());
    assert_eq!(data, serde_json::to_value(&typed).unwrap());
    after(&data, |session| assert_eq!(session.read::<Typed>().unwrap(), typed));
    after(&before, |session| assert!(matches!(session.read::<Typed>(), Err(SessionError::Type { .. }))));
    assert!(!writes(&data, |session| session.replace(&typed).unwrap()));
    assert!(!writes(&before, |session| assert!(session.replace(&[1]).is_err())));
}

#[test]
fn dates_come_back_to_the_nanosecond_and_are_text_inside() {
    let date = OffsetDateTime::from_unix_timestamp_nanos(1_795_000_000_123_456_789).unwrap();
    let data = after(&json!({ "a": 1 }), |session| session.put_time("seen.at", date).unwrap());
    assert!(data["seen"]["at"].as_str().unwrap().starts_with("2026-11-18T"));
    after(&data, |session| {
        assert_eq!(session.get_time("seen.at").unwrap(), Some(date));
        assert_eq!(session.get_time("absent").unwrap(), None);
        assert!(matches!(session.get_time("a"), Err(SessionError::Type { .. })));
    });
}

#[test]
fn numbers_that_json_cannot_hold_exactly_are_refused_by_every_writer_and_change_nothing() {
    let big = BTreeMap::from([("big", u128::MAX)]);
    assert!(!writes(&json!({ "a": [1] }), |session| {
        assert!(matches!(session.put("big", &u128::MAX), Err(SessionError::Value { path, .. }) if path == "big"));
        assert!(session.put("nan", &f64::NAN).is_err() && session.put("inf", &f64::INFINITY).is_err());
        assert!(session.push("a", &i128::MIN).is_err());
        assert!(session.merge(&big).is_err() && session.replace(&big).is_err());
    }));
}

#[test]
fn the_crates_own_key_is_refused() {
    assert!(!writes(&json!({ "a": 1 }), |session| {
        assert!(matches!(session.put("~", &1), Err(SessionError::Path { .. })));
        assert!(matches!(session.put("~.flash", &1), Err(SessionError::Path { .. })));
        assert!(session.merge(&json!({ "~": {} })).is_err());
        assert!(session.get::<Value>("~").is_err());
    }));
}

#[test]
fn a_value_nested_too_deep_to_be_read_again_is_refused() {
    let nested = (0..127).fold(json!(1), |inner, _| json!([inner]));
    assert!(!writes(&json!({ "a": 1 }), |session| assert!(session.put("deep", &nested).is_err())));
}

#[test]
fn is_new_and_the_times_tell_a_session_that_came_from_one_that_begins() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let born = site.now();
    browser.visit(&store, |session| {
        assert!(session.is_new() && session.id().is_none() && session.expires_at().is_none());
        assert_eq!(session.created_at(), born);
        session.put("user", &42).unwrap();
    });
    site.clock.advance_seconds(100);
    browser.visit(&store, |session| {
        assert!(!session.is_new() && session.id().is_some() && !session.is_dirty());
        assert_eq!(session.created_at(), born);
        assert_eq!(session.expires_at(), Some(born.saturating_add_seconds(7200)));
    });
}
