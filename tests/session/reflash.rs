//! Behaviour, section 4: messages that live for one request more.

use sealed_session::json::Value;
use sealed_session::{Session, SessionManager};
use serde_json::json;

use crate::browser::Browser;
use crate::flash::{handles, left, messages};

type Handler = fn(&Session);

/// After a request that found the messages a, b and c, an error and old input, and did this.
fn after(handle: Handler) -> (SessionManager, Browser) {
    let (store, mut browser) = left(|session| {
        session.flash_all(&json!({ "a": 1, "b": 2, "c": 3 })).unwrap();
        session.flash_errors(&json!({ "name": "missing" })).unwrap();
        session.flash_input(&json!({ "name": "" })).unwrap();
    });
    handles(&mut browser, &store, |session| {
        assert_eq!(session.flash_messages().all().len(), 3);
        handle(session);
    });
    (store, browser)
}

#[test]
fn reflash_keeps_messages_errors_and_old_input_for_one_request_more() {
    let (store, mut browser) = after(|session| session.reflash().unwrap());
    handles(&mut browser, &store, |session| {
        assert_eq!(session.flash_messages().all().len(), 3);
        assert_eq!(session.errors("name"), ["missing"]);
        assert_eq!(session.old::<String>("name").unwrap().as_deref(), Some(""));
    });
    assert_eq!(messages(&mut browser, &store), json!({}));
}

#[test]
fn reflash_only_and_reflash_except_choose_messages_and_several_calls_add_up() {
    let cases: [(Handler, Value); 4] = [
        (|session| session.reflash_only(&["a", "absent"]).unwrap(), json!({ "a": 1 })),
        (|session| session.reflash_except(&["a"]).unwrap(), json!({ "b": 2, "c": 3 })),
        (
            |session| {
                session.reflash_only(&["a"]).unwrap();
                session.reflash_only(&["b"]).unwrap();
            },
            json!({ "a": 1, "b": 2 }),
        ),
        (
            |session| {
                session.reflash_except(&["a", "b"]).unwrap();
                session.reflash_except(&["b", "c"]).unwrap();
            },
            json!({ "a": 1, "c": 3 }),
        ),
    ];
    for (handle, expected) in cases {
        let (store, mut browser) = after(handle);
        assert_eq!(messages(&mut browser, &store), expected);
    }
}

#[test]
fn a_fresh_message_wins_over_one_that_is_kept() {
    let orders: [Handler; 2] = [
        |session| {
            session.flash("a", "fresh").unwrap();
            session.reflash().unwrap();
        },
        |session| {
            session.reflash().unwrap();
            session.flash("a", "fresh").unwrap();
        },
    ];
    for handle in orders {
        let (store, mut browser) = after(handle);
        assert_eq!(messages(&mut browser, &store), json!({ "a": "fresh", "b": 2, "c": 3 }));
    }
}
