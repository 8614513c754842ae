//! What a call takes is what the next request finds; what would not come back is refused by the call.

use std::collections::BTreeMap;

use sealed_session::json::Value;
use sealed_session::{Path, Session, SessionError};
use serde::Serialize;
use serde_json::{Map, json};

use crate::browser::Browser;
use crate::support::Site;

type Write = fn(&Session, &Value) -> Result<(), SessionError>;
type Read = fn(&Session) -> Option<Value>;

/// A call, where it names what it is given, the deepest value that it takes, and how that is found again.
struct Call {
    name: &'static str,
    path: &'static str,
    deepest: usize,
    write: Write,
    read: Read,
}

const CALLS: &[Call] = &[
    Call { name: "put", path: "k", deepest: 126, write: |session, value| session.put("k", value), read: at_k },
    Call {
        name: "put below a path",
        path: "k.a.b",
        deepest: 124,
        write: |session, value| session.put("k.a.b", value),
        read: |session| session.get("k.a.b").unwrap(),
    },
    Call {
        name: "put below a long path",
        path: "",
        deepest: 27,
        write: |session, value| session.put(long_path(), value),
        read: |session| session.get(long_path()).unwrap(),
    },
    Call {
        name: "put into an array",
        path: "list.0",
        deepest: 125,
        write: |session, value| {
            session.put("list", &json!([null]))?;
            session.put("list.0", value)
        },
        read: |session| session.get("list.0").unwrap(),
    },
    Call {
        name: "push",
        path: "k",
        deepest: 125,
        write: |session, value| session.push("k", value),
        read: |session| session.get("k.0").unwrap(),
    },
    Call {
        name: "merge",
        path: "k",
        deepest: 126,
        write: |session, value| session.merge(&json!({ "k": value })),
        read: at_k,
    },
    Call {
        name: "replace",
        path: "k",
        deepest: 126,
        write: |session, value| session.replace(&json!({ "k": value })),
        read: at_k,
    },
    Call { name: "flash", path: "k", deepest: 124, write: |session, value| session.flash("k", value), read: message },
    Call {
        name: "flash_all",
        path: "k",
        deepest: 124,
        write: |session, value| session.flash_all(&json!({ "a": 1, "k": value })),
        read: message,
    },
    Call {
        name: "flash_input",
        path: "k",
        deepest: 124,
        write: |session, value| session.flash_input(&json!({ "a": 1, "k": value })),
        read: typed_in,
    },
    Call {
        name: "flash_only",
        path: "k",
        deepest: 124,
        write: |session, value| session.flash_only(&json!({ "a": 1, "k": value }), &["k"]),
        read: typed_in,
    },
    Call {
        name: "flash_except",
        path: "k",
        deepest: 124,
        write: |session, value| session.flash_except(&json!({ "a": 1, "k": value }), &["a"]),
        read: typed_in,
    },
];

fn long_path() -> Path {
    Path::from_segments(vec!["k"; 100])
}

fn at_k(session: &Session) -> Option<Value> {
    session.get("k").unwrap()
}

fn message(session: &Session) -> Option<Value> {
    session.flash_messages().get("k").unwrap()
}

fn typed_in(session: &Session) -> Option<Value> {
    session.old("k").unwrap()
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

/// A browser with a session that holds a user, and where it is kept.
fn visitor(site: &Site, in_store: bool) -> (sealed_session::SessionManager, Browser) {
    let builder =
        if in_store { site.with_records().placement(sealed_session::Placement::StoreOnly) } else { site.cookie_only() };
    let store = builder.build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    (store, browser)
}

#[test]
fn every_depth_that_a_call_takes_is_read_back_and_the_next_one_is_refused() {
    for call in CALLS {
        for in_store in [false, true] {
            let site = Site::new();
            for depth in (100..=130).chain(call.deepest - 1..=call.deepest + 2) {
                let ((store, mut browser), value) = (visitor(&site, in_store), nested(depth));
                let what = format!("{} of {depth}", call.name);
                let (written, _) = browser.visit(&store, |session| (call.write)(session, &value));
                assert_eq!(written.is_ok(), depth <= call.deepest, "{what}: {written:?}");
                let (found, _) = browser.visit(&store, |session| (session.is_new(), (call.read)(session)));
                match written {
                    Ok(()) => assert_eq!(found, (false, Some(value)), "{what}"),
                    Err(SessionError::Value { path, problem }) => {
                        assert!(path.starts_with(call.path) && problem.contains("128 levels"), "{what}: {path}");
                        assert!(!found.0 && found.1 != Some(value), "{what}");
                    }
                    Err(other) => panic!("{what}: {other}"),
                }
            }
        }
    }
}

#[test]
fn validation_errors_of_any_depth_are_read_back_or_refused() {
    for depth in (0..=2).chain(100..=130) {
        let site = Site::new();
        let (store, mut browser) = visitor(&site, false);
        let messages = (0..depth).fold(json!("too short"), |inner, _| json!([inner]));
        let (written, _) = browser.visit(&store, |session| session.flash_errors(&json!({ "k": messages })));
        assert_eq!(written.is_ok(), depth <= 1, "{depth}");
        let expected = if depth <= 1 { vec!["too short"] } else { vec![] };
        assert_eq!(browser.visit(&store, |session| session.errors("k")).0, expected, "{depth}");
        assert_eq!(browser.get(&store, "user"), Some(42), "{depth}");
    }
}

#[test]
fn what_is_left_out_of_old_input_may_be_as_deep_as_it_likes() {
    let site = Site::new();
    let (store, mut browser) = visitor(&site, false);
    let form = json!({ "name": "Zoë", "password": nested(125), "k": { "password": nested(125) } });
    browser.visit(&store, |session| {
        session.flash_input(&form).unwrap();
        session.flash_only(&json!({ "a": 1, "deep": nested(125) }), &["a"]).unwrap();
        session.flash_except(&json!({ "b": 1, "deep": nested(125) }), &["deep"]).unwrap();
    });
    let (found, _) = browser.visit(&store, |session| session.old::<Value>("k").unwrap());
    assert_eq!(found, Some(json!({})));
}

#[test]
fn a_refused_flash_leaves_nothing_and_takes_nothing_away() {
    let site = Site::new();
    let (store, mut browser) = visitor(&site, false);
    browser.visit(&store, |session| session.flash("before", "kept").unwrap());
    browser.visit(&store, |session| {
        session.flash("notice", "saved").unwrap();
        assert!(session.flash_all(&json!({ "good": 1, "deep": nested(125) })).is_err());
        assert!(session.flash("notice", &nested(125)).is_err());
    });
    let (found, _) = browser.visit(&store, |session| session.flash_messages().all().clone());
    assert_eq!(Value::Object(found), json!({ "before": "kept", "notice": "saved" }));
}

#[test]
fn a_message_has_no_key_that_serde_json_takes_for_its_own() {
    let site = Site::new();
    let (store, mut browser) = visitor(&site, false);
    let key = "$serde_json::private::Number";
    let calls: [Write; 3] = [
        |session, key| session.flash(key.as_str().unwrap(), "1"),
        |session, key| session.flash_all(&Map::from_iter([(key.as_str().unwrap().to_owned(), json!("1"))])),
        |session, key| session.flash_input(&Map::from_iter([(key.as_str().unwrap().to_owned(), json!("1"))])),
    ];
    for call in calls {
        let (refused, _) = browser.visit(&store, |session| call(session, &json!(key)));
        assert!(refused.unwrap_err().to_string().contains(key));
    }
}

#[derive(Serialize)]
struct Profile {
    role: &'static str,
    #[serde(flatten)]
    extra: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
enum Account {
    Known {
        role: &'static str,
        #[serde(flatten)]
        extra: BTreeMap<&'static str, &'static str>,
    },
}

#[test]
fn two_members_of_one_name_are_refused_wherever_they_stand() {
    let extra = BTreeMap::from([("role", "admin")]);
    let profile = || Profile { role: "user", extra: extra.clone() };
    let variant = || Account::Known { role: "user", extra: extra.clone() };
    let session = |write: &dyn Fn(&Session) -> Result<(), SessionError>| {
        let site = Site::new();
        let (store, mut browser) = visitor(&site, false);
        let (refused, _) = browser.visit(&store, write);
        assert_eq!(browser.get(&store, "user"), Some(42));
        match refused {
            Err(SessionError::Value { path, problem }) => {
                assert!(problem.contains("two members have one name"), "{problem}");
                path
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(session(&|session| session.put("me", &profile())), "me.role");
    assert_eq!(session(&|session| session.put("me", &variant())), "me.Known.role");
    assert_eq!(session(&|session| session.put("me", &[[profile()]])), "me.0.0.role");
    assert_eq!(session(&|session| session.push("list", &profile())), "list.role");
    assert_eq!(session(&|session| session.merge(&profile())), "role");
    assert_eq!(session(&|session| session.replace(&profile())), "role");
    assert_eq!(session(&|session| session.replace(&BTreeMap::from([("me", profile())]))), "me.role");
    assert_eq!(session(&|session| session.flash("me", &profile())), "me.role");
    assert_eq!(session(&|session| session.flash_all(&profile())), "role");
    assert_eq!(session(&|session| session.flash_input(&profile())), "role");
    assert_eq!(session(&|session| session.flash_only(&profile(), &["role"])), "role");
    assert_eq!(session(&|session| session.flash_except(&profile(), &["a"])), "role");
    assert_eq!(session(&|session| session.flash_errors(&profile())), "role");
}
