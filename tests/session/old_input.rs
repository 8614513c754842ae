//! Behaviour, section 4: the form that comes back, filled in and with its errors.

use sealed_session::json::Value;
use sealed_session::{Session, SessionError};
use serde_json::json;

use crate::flash::{handles, left};

const SECRET_FIELDS: [&str; 6] = ["_csrf", "csrf_token", "csrf-token", "_method", "password", "password_confirmation"];

#[test]
fn secrets_are_no_old_input_at_any_depth() {
    for field in SECRET_FIELDS {
        let form = json!({
            field: "secret", "name": "Zoë",
            "inner": { field: "secret", "list": [{ field: "secret", "kept": 1 }, [{ field: "secret" }]] },
        });
        for leave in [
            (|session, form| session.flash_input(form)) as fn(&Session, &Value) -> Result<(), SessionError>,
            |session, form| session.flash_except(form, &["other"]),
            |session, form| session.flash_only(form, &["name", "inner"]),
        ] {
            let (store, mut browser) = left(|session| leave(session, &form).unwrap());
            handles(&mut browser, &store, |session| {
                assert_eq!(session.old::<Value>(field).unwrap(), None);
                assert_eq!(session.old::<String>("name").unwrap().as_deref(), Some("Zoë"));
                assert_eq!(session.old::<Value>("inner").unwrap(), Some(json!({ "list": [{ "kept": 1 }, [{}]] })));
            });
        }
    }
}

#[test]
fn a_secret_that_flash_only_names_is_kept() {
    for field in SECRET_FIELDS {
        let (store, mut browser) = left(|session| session.flash_only(&json!({ field: "typed" }), &[field]).unwrap());
        let (kept, _) = browser.visit(&store, |session| session.old::<String>(field).unwrap());
        assert_eq!(kept.as_deref(), Some("typed"));
    }
}

#[test]
fn flash_only_and_flash_except_choose_fields_and_several_calls_add_up() {
    let form = json!({ "name": "Zoë", "email": "z", "note": "n", "card": "c" });
    let (store, mut browser) = left(|session| {
        session.flash_only(&form, &["name", "absent"]).unwrap();
        session.flash_only(&form, &["email"]).unwrap();
        session.flash_except(&form, &["name", "email", "card"]).unwrap();
    });
    handles(&mut browser, &store, |session| {
        let kept = ["name", "email", "note", "card", "absent"].map(|field| session.old::<Value>(field).unwrap());
        assert_eq!(kept, [Some(json!("Zoë")), Some(json!("z")), Some(json!("n")), None, None]);
    });
}

#[test]
fn old_input_is_asked_for_by_path_and_type() {
    let (store, mut browser) = left(|session| {
        session.flash_input(&json!({ "user": { "age": 30 }, "tags": ["a", "b"], "none": null })).unwrap();
    });
    handles(&mut browser, &store, |session| {
        assert_eq!(session.old("user.age").unwrap(), Some(30));
        assert_eq!(session.old::<String>("tags.1").unwrap().as_deref(), Some("b"));
        assert_eq!(session.old::<Value>("none").unwrap(), None);
        assert!(matches!(session.old::<u8>("tags"), Err(SessionError::Type { .. })));
    });
}

#[test]
fn errors_are_texts_or_lists_of_texts_by_field() {
    let (store, mut browser) = left(|session| {
        session.flash_errors(&json!({ "email": ["too short", "no @"], "name": "missing", "right": [] })).unwrap();
        for wrong in [json!(1), json!(null), json!({}), json!(["a", 1])] {
            let refused = session.flash_errors(&json!({ "other": wrong }));
            assert!(matches!(refused, Err(SessionError::Value { path, .. }) if path == "other"));
        }
        assert!(session.flash_errors(&json!("no object")).is_err());
    });
    handles(&mut browser, &store, |session| {
        assert_eq!(session.errors("email"), ["too short", "no @"]);
        assert_eq!(session.errors("name"), ["missing"]);
        assert!(session.errors("other").is_empty() && session.errors("right").is_empty());
        let fields: Vec<_> = session.all_errors().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["email", "name"]);
    });
}
