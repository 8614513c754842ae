//! Behaviour, section 4: messages, errors and old input, from the request that leaves them to the one that reads them.

use std::time::Duration;

use sealed_session::json::Value;
use sealed_session::{Path, Session, SessionError, SessionManager};
use serde_json::json;

use crate::browser::{Browser, Response};
use crate::support::{Site, removes_the_cookie};

/// A browser whose last response left what `leave` leaves.
pub(crate) fn left(leave: impl FnOnce(&Session)) -> (SessionManager, Browser) {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, leave);
    (store, browser)
}

/// The messages that the next request finds.
pub(crate) fn messages(browser: &mut Browser, store: &SessionManager) -> Value {
    Value::Object(browser.visit(store, |session| session.flash_messages().all().clone()).0)
}

pub(crate) fn handles(browser: &mut Browser, store: &SessionManager, handle: impl FnOnce(&Session)) -> Response {
    browser.visit(store, handle).1
}

#[test]
fn a_message_is_for_the_next_request_and_for_no_further_one() {
    let (store, mut browser) = left(|session| {
        session.flash("notice", "saved").unwrap();
        assert!(session.flash_messages().is_empty());
    });
    assert_eq!(messages(&mut browser, &store), json!({ "notice": "saved" }));
    assert_eq!(messages(&mut browser, &store), json!({}));
}

#[test]
fn a_message_waits_until_somebody_reads_messages() {
    let (store, mut browser) = left(|session| {
        session.put("user", &42).unwrap();
        session.flash("notice", "saved").unwrap();
    });
    for destination in ["image", "empty", "script"] {
        let request = browser.begin_in_background(&store, destination);
        assert_eq!(request.session().get("user").unwrap(), Some(42));
        assert!(request.session().has("user").unwrap());
        let response = request.commit();
        assert!(response.set_cookies.is_empty(), "{destination}");
        browser.receive(&response);
    }
    handles(&mut browser, &store, |session| session.put("user", &43).unwrap());
    handles(&mut browser, &store, |session| session.regenerate().unwrap());
    assert_eq!(messages(&mut browser, &store), json!({ "notice": "saved" }));
}

#[test]
fn each_way_to_read_uses_up_messages_errors_and_old_input() {
    let ways: [fn(&Session); 4] = [
        |session| assert!(session.flash_messages().has("notice")),
        |session| assert_eq!(session.errors("email"), ["too short"]),
        |session| assert_eq!(session.all_errors().len(), 1),
        |session| assert_eq!(session.old::<String>("name").unwrap().as_deref(), Some("Zoë")),
    ];
    for way in ways {
        let (store, mut browser) = left(|session| {
            session.flash("notice", "saved").unwrap();
            session.flash_errors(&json!({ "email": "too short" })).unwrap();
            session.flash_input(&json!({ "name": "Zoë" })).unwrap();
        });
        handles(&mut browser, &store, way);
        handles(&mut browser, &store, |session| {
            assert!(session.flash_messages().is_empty());
            assert!(session.all_errors().is_empty());
            assert_eq!(session.old::<Value>("name").unwrap(), None);
        });
    }
}

#[test]
fn all_reads_of_one_request_find_the_same() {
    let (store, mut browser) = left(|session| session.flash("notice", "saved").unwrap());
    handles(&mut browser, &store, |session| {
        for _ in 0..3 {
            assert!(session.flash_messages().has("notice"));
        }
    });
}

#[test]
fn falsy_messages_are_kept() {
    let falsy = json!({ "zero": 0, "no": false, "empty": "", "null": null, "list": [], "object": {} });
    let (store, mut browser) = left(|session| {
        for (key, value) in falsy.as_object().unwrap() {
            session.flash(key, value).unwrap();
        }
    });
    assert_eq!(messages(&mut browser, &store), falsy);
}

#[test]
fn flash_all_leaves_each_member_as_a_message() {
    let (store, mut browser) = left(|session| {
        session.flash("first", &1).unwrap();
        session.flash_all(&json!({ "second": 2, "third": [3] })).unwrap();
    });
    assert_eq!(messages(&mut browser, &store), json!({ "first": 1, "second": 2, "third": [3] }));
}

#[test]
fn messages_are_asked_for_by_key_by_path_and_as_a_whole() {
    let (store, mut browser) = left(|session| {
        session.flash("notice", &json!({ "kind": "success", "text": "sent" })).unwrap();
    });
    handles(&mut browser, &store, |session| {
        let messages = session.flash_messages();
        assert_eq!(messages.get::<String>("notice.kind").unwrap().as_deref(), Some("success"));
        assert_eq!(messages.get::<Value>("absent").unwrap(), None);
        assert!(matches!(messages.get::<u8>("notice"), Err(SessionError::Type { .. })));
        assert!(messages.has("notice") && !messages.has("absent") && !messages.is_empty());
        assert_eq!(messages.all().len(), 1);
    });
}

#[test]
fn a_key_with_a_dot_is_found_under_its_name() {
    let (store, mut browser) = left(|session| {
        session.flash("order.sent", &true).unwrap();
        session.flash_input(&json!({ "user.email": "zoe" })).unwrap();
        session.flash_errors(&json!({ "user.email": "too short" })).unwrap();
    });
    handles(&mut browser, &store, |session| {
        assert!(session.flash_messages().has("order.sent"));
        assert_eq!(session.flash_messages().get("order.sent").unwrap(), Some(true));
        assert_eq!(session.flash_messages().get(Path::from_segments(["order.sent"])).unwrap(), Some(true));
        assert_eq!(session.old::<String>("user.email").unwrap().as_deref(), Some("zoe"));
        assert_eq!(session.errors("user.email"), ["too short"]);
    });
}

#[test]
fn messages_called_input_or_errors_and_the_form_do_not_get_in_each_others_way() {
    let (store, mut browser) = left(|session| {
        for key in ["input", "errors", "flash", "~", "server_only"] {
            session.flash(key, "a message").unwrap();
        }
        session.flash_input(&json!({ "errors": "typed" })).unwrap();
        session.flash_errors(&json!({ "input": "wrong" })).unwrap();
        session.put("input", &1).unwrap();
        session.put("errors", &2).unwrap();
    });
    handles(&mut browser, &store, |session| {
        assert_eq!(session.flash_messages().all().len(), 5);
        assert_eq!(session.old::<String>("errors").unwrap().as_deref(), Some("typed"));
        assert_eq!(session.old::<Value>("input").unwrap(), None);
        assert_eq!(session.all_errors(), [("input".to_owned(), vec!["wrong".to_owned()])]);
        assert_eq!(session.get_or("input", 0).unwrap() + session.get_or("errors", 0).unwrap(), 3);
    });
}

#[test]
fn a_fresh_message_joins_those_that_nobody_has_read_yet() {
    let (store, mut browser) = left(|session| session.flash_all(&json!({ "a": 1, "b": 2 })).unwrap());
    handles(&mut browser, &store, |session| session.flash_all(&json!({ "b": "new", "c": 3 })).unwrap());
    assert_eq!(messages(&mut browser, &store), json!({ "a": 1, "b": "new", "c": 3 }));
}

#[test]
fn flash_that_ran_out_does_not_empty_a_session() {
    let also: [fn(&Session); 4] = [
        |_| (),
        |session| session.remember(Duration::from_secs(86_400)).unwrap(),
        |session| session.regenerate().unwrap(),
        |session| {
            session.put("step", &1).unwrap();
            session.forget("step").unwrap();
        },
    ];
    for handle in also {
        let (store, mut browser) = left(|session| session.flash("notice", "saved").unwrap());
        let response = handles(&mut browser, &store, |session| {
            assert!(session.flash_messages().has("notice"));
            handle(session);
        });
        assert!(!removes_the_cookie(&response));
        assert!(browser.cookie().is_some());
        let (is_new, _) = browser.visit(&store, Session::is_new);
        assert!(!is_new);
    }
}

#[test]
fn a_session_of_messages_alone_is_not_empty() {
    let (store, mut browser) = left(|session| session.flash("notice", "saved").unwrap());
    handles(&mut browser, &store, |session| {
        session.put("user", &42).unwrap();
        session.forget("user").unwrap();
    });
    assert_eq!(messages(&mut browser, &store), json!({ "notice": "saved" }));
}

#[test]
fn clear_keeps_fresh_flash_and_drops_what_earlier_requests_left() {
    for has_read in [false, true] {
        let (store, mut browser) = left(|session| {
            session.put("user", &42).unwrap();
            session.flash("earlier", &1).unwrap();
        });
        let response = handles(&mut browser, &store, |session| {
            if has_read {
                assert!(session.flash_messages().has("earlier"));
            }
            session.flash("fresh", &2).unwrap();
            session.clear().unwrap();
            assert!(!session.flash_messages().has("earlier"));
            session.reflash().unwrap();
        });
        assert!(!removes_the_cookie(&response));
        assert_eq!(messages(&mut browser, &store), json!({ "fresh": 2 }));
    }
}

#[test]
fn clear_ends_a_session_of_messages_alone_whether_they_were_read_or_not() {
    for has_read in [false, true] {
        let (store, mut browser) = left(|session| session.flash("notice", "saved").unwrap());
        let response = handles(&mut browser, &store, |session| {
            assert!(!has_read || session.flash_messages().has("notice"));
            session.clear().unwrap();
        });
        assert!(removes_the_cookie(&response), "read before: {has_read}");
    }
}

#[test]
fn invalidate_drops_what_earlier_requests_left_and_keeps_the_farewell() {
    let (store, mut browser) = left(|session| {
        session.flash("earlier", &1).unwrap();
        session.flash_errors(&json!({ "name": "missing" })).unwrap();
    });
    handles(&mut browser, &store, |session| {
        session.invalidate().unwrap();
        session.flash("farewell", "bye").unwrap();
        assert!(session.flash_messages().is_empty());
    });
    handles(&mut browser, &store, |session| {
        assert_eq!(*session.flash_messages().all(), *json!({ "farewell": "bye" }).as_object().unwrap());
        assert!(session.all_errors().is_empty());
    });
}

#[test]
fn a_value_that_json_does_not_hold_leaves_nothing() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (refused, response) = site.browser().visit(&store, |session| {
        [
            session.flash("big", &u128::MAX),
            session
                .flash_all(&[("ok", 1.0), ("nan", f64::NAN)].into_iter().collect::<std::collections::BTreeMap<_, _>>()),
            session.flash_all("no object"),
            session.flash_input(&[1]),
        ]
    });
    assert!(refused.iter().all(Result::is_err));
    assert!(response.set_cookies.is_empty());
}

#[test]
fn a_message_that_is_left_again_before_it_was_read_writes_nothing() {
    let (store, mut browser) = left(|session| session.flash("notice", "saved").unwrap());
    let response = handles(&mut browser, &store, |session| session.flash("notice", "saved").unwrap());
    assert!(response.set_cookies.is_empty());
    handles(&mut browser, &store, |session| {
        session.flash("notice", "saved").unwrap();
        assert!(session.flash_messages().has("notice"));
    });
    assert_eq!(messages(&mut browser, &store), json!({ "notice": "saved" }));
}

#[test]
fn messages_live_in_the_store_by_the_same_rules() {
    let site = Site::new();
    let store = site.with_records().placement(sealed_session::Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    handles(&mut browser, &store, |session| session.flash("notice", "saved").unwrap());
    browser.get(&store, "user");
    assert_eq!(messages(&mut browser, &store), json!({ "notice": "saved" }));
    assert_eq!(messages(&mut browser, &store), json!({}));
    assert!(browser.cookie().is_some());
}

#[test]
fn thousands_of_messages_are_written_and_read_one_by_one() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| {
        for number in 0..8000 {
            session.flash(format!("message{number}"), &number).unwrap();
        }
    });
    browser.visit(&store, |session| {
        for number in 0..8000 {
            assert!(session.errors(&format!("message{number}")).is_empty());
        }
        assert_eq!(session.flash_messages().all().len(), 8000);
    });
}
