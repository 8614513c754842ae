//! Behaviour, section 3: what each call leaves behind for the next request, in the cookie and in the store alike.

use sealed_session::{Path, Session, SessionError, SessionManager};
use serde_json::json;

use crate::support::{LARGE, Site, ignore, text};

/// Begins a session with these data, lets `write` change it, and compares with what the next request finds.
#[track_caller]
fn leaves(before: &serde_json::Value, write: fn(&Session), after: &serde_json::Value) {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for ballast in [1, LARGE] {
        let mut browser = site.browser();
        browser.visit(&store, |session| {
            session.merge(before).unwrap();
            session.put("ballast", &text(ballast)).unwrap();
        });
        let (_, response) = browser.visit(&store, write);
        assert_eq!(response.set_cookies.is_empty(), before == after, "a change sets the cookie, and nothing else does");
        let (mut found, _) = browser.visit(&store, Session::all);
        found.remove("ballast");
        assert_eq!(serde_json::Value::from(found), *after);
    }
}

#[test]
fn every_writing_call_is_kept() {
    leaves(&json!({}), |session| session.put("user.name", "Zoë").unwrap(), &json!({ "user": { "name": "Zoë" } }));
    leaves(&json!({ "a": 1 }), |session| session.merge(&json!({ "a.b": 2 })).unwrap(), &json!({ "a": 1, "a.b": 2 }));
    leaves(&json!({ "a": 1, "b": 2 }), |session| session.forget("a").unwrap(), &json!({ "b": 2 }));
    leaves(&json!({ "a": [1, 2] }), |session| session.forget("a.0").unwrap(), &json!({ "a": [2] }));
    leaves(&json!({ "a": 1 }), |session| assert_eq!(session.pull("a").unwrap(), Some(1)), &json!({}));
    leaves(&json!({}), |session| ignore(session.increment("n", 2).unwrap()), &json!({ "n": 2 }));
    leaves(&json!({ "n": 5 }), |session| ignore(session.decrement("n", 7).unwrap()), &json!({ "n": -2 }));
    leaves(&json!({}), |session| session.push("list", &1).unwrap(), &json!({ "list": [1] }));
    leaves(&json!({ "a": 1 }), |session| session.put("a", &None::<u8>).unwrap(), &json!({ "a": null }));
    let host = |session: &Session| session.put(Path::from_segments(["example.com", "visits"]), &1).unwrap();
    leaves(&json!({}), host, &json!({ "example.com": { "visits": 1 } }));
    let date = |session: &Session| session.put_time("at", sealed_session::Timestamp::default().to_date_time()).unwrap();
    leaves(&json!({}), date, &json!({ "at": "1970-01-01T00:00:00Z" }));
}

#[test]
fn calls_that_change_nothing_set_no_cookie() {
    let same = json!({ "a": 1, "list": [1], "none": null });
    leaves(&same, |session| session.put("a", &1).unwrap(), &same);
    leaves(&same, |session| session.forget("missing").unwrap(), &same);
    leaves(&same, |session| assert_eq!(session.pull::<u8>("missing").unwrap(), None), &same);
    leaves(&same, |session| session.merge(&json!({ "a": 1, "list": [1] })).unwrap(), &same);
    leaves(&same, |session| ignore(session.increment("a", 0).unwrap()), &same);
}

#[test]
fn calls_that_fail_change_nothing() {
    let same = json!({ "text": "x", "list": [1], "n": u64::MAX });
    leaves(&same, |session| assert!(session.increment("text", 1).is_err()), &same);
    leaves(&same, |session| assert!(session.increment("n", 1).is_err()), &same);
    leaves(&same, |session| assert!(session.push("text", &1).is_err()), &same);
    leaves(&same, |session| assert!(session.put("list.7", &1).is_err()), &same);
    leaves(&same, |session| assert!(session.put("share", &f64::INFINITY).is_err()), &same);
    leaves(&same, |session| assert!(session.merge(&json!({ "a": 1, "~": 2 })).is_err()), &same);
    leaves(&same, |session| assert!(session.replace(&[1]).is_err()), &same);
    leaves(&same, |session| assert!(session.pull::<u8>("text").is_err()), &same);
}

#[test]
fn falsy_values_are_values_and_null_is_absent() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        session.merge(&json!({ "zero": 0, "no": false, "empty": "", "none": null })).unwrap();
    });
    browser.visit(&store, |session| {
        for key in ["zero", "no", "empty"] {
            assert!(session.has(key).unwrap() && session.contains(key).unwrap(), "{key}");
        }
        assert!(!session.has("none").unwrap() && session.contains("none").unwrap());
        assert!(!session.contains("missing").unwrap());
        assert_eq!(session.get_or("zero", 7).unwrap(), 0);
        assert_eq!(session.get_or("none", 7).unwrap(), 7);
        assert_eq!(session.get_or("missing", 7).unwrap(), 7);
    });
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_the_path_and_not_the_value() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", json!({ "name": "hunter2" }));
    let error = browser.visit(&store, |session| session.get::<u64>("user.name").unwrap_err()).0;
    assert!(matches!(&error, SessionError::Type { path, found: "a string", .. } if path == "user.name"));
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_typed_session_is_written_and_read_as_a_whole() {
    #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(default)]
    struct Account {
        user: Option<u64>,
        roles: Vec<String>,
    }
    let site = Site::new();
    let store: SessionManager = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    assert_eq!(browser.visit(&store, |session| session.read::<Account>().unwrap()).0, Account::default());
    let account = || Account { user: Some(42), roles: vec!["admin".to_owned()] };
    browser.visit(&store, |session| session.replace(&account()).unwrap());
    assert_eq!(browser.visit(&store, |session| session.read::<Account>().unwrap()).0, account());
}
