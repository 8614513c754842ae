//! `sealed-session open`: what it says of a cookie that is good.

use sealed_session::{Key, SessionManager};
use serde_json::{Value, json};

use super::support::{KeyFile, SUITES, seconds, sent_by};

fn member_names(answer: &Value) -> Vec<&str> {
    answer.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn an_inline_cookie_says_its_times_its_ids_and_its_payload() {
    for suite in SUITES {
        let key = Key::generate_with(suite).unwrap();
        let keys = KeyFile::of(&[&key]);
        let answer = keys.open(keys.seal(r#"{"user":42,"role":"admin"}"#)).json();
        assert_eq!(
            member_names(&answer),
            ["browser_session", "created", "expires", "issued", "key_id", "kind", "payload", "public_id"]
        );
        assert_eq!(answer["kind"], "inline");
        assert_eq!(answer["browser_session"], false);
        assert_eq!(answer["issued"], answer["created"]);
        assert_eq!(seconds(&answer["expires"]), seconds(&answer["issued"]) + 3600);
        assert_eq!(answer["key_id"], key.id().to_string());
        assert_eq!(answer["payload"], json!({ "user": 42, "role": "admin" }));
        let public_id = answer["public_id"].as_str().unwrap();
        assert!(public_id.len() == 16 && public_id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')));
    }
}

#[test]
fn each_sealing_is_a_session_of_its_own() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let [one, other] = [(); 2].map(|()| keys.open(keys.seal("{}")).json()["public_id"].clone());
    assert_ne!(one, other);
}

#[test]
fn white_space_around_the_cookie_is_dropped() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = keys.seal("{}");
    for input in [text.clone(), format!("{text}\n"), format!("{text}\r\n"), format!(" \t\n{text} \n\n")] {
        keys.open(input).json();
    }
}

#[test]
fn a_key_that_was_rotated_out_of_the_first_line_still_opens() {
    let [new, old] = [(); 2].map(|()| Key::generate().unwrap());
    let text = KeyFile::of(&[&old]).seal("{}");
    let keys = KeyFile::new(format!("# rotated\n{}\n{} open-only\n", *new.to_secret_text(), *old.to_secret_text()));
    assert_eq!(keys.open(text).json()["key_id"], old.id().to_string());
}

#[test]
fn a_cookie_that_ends_with_the_browser_says_so() {
    let key = Key::generate().unwrap();
    let application = SessionManager::builder(key.clone()).clear_with_browser(true);
    let answer = KeyFile::of(&[&key]).open(sent_by(application, |session| session.put("a", &1).unwrap())).json();
    assert_eq!(answer["browser_session"], true);
    assert_eq!(answer["payload"], json!({ "a": 1 }));
}

#[test]
fn a_reference_says_the_least_version_of_its_record_and_has_no_payload() {
    use sealed_session::Placement;
    use sealed_session::store::MemoryStore;

    let key = Key::generate().unwrap();
    let application = SessionManager::builder(key.clone()).store(MemoryStore::new()).placement(Placement::StoreOnly);
    let answer = KeyFile::of(&[&key]).open(sent_by(application, |session| session.put("a", &1).unwrap())).json();
    assert_eq!(answer["kind"], "reference");
    assert_eq!(answer["payload"], Value::Null);
    assert!(member_names(&answer).contains(&"payload"));
    assert!(answer["least_version"].as_u64().unwrap() > 0);
}
