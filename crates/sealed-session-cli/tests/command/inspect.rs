//! `sealed-session inspect`

use sealed_session::sealer::Sealer;
use sealed_session::{Key, Timestamp};
use serde_json::{Value, json};

use super::support::{KeyFile, UNAUTHENTIC, assert_hides, run, seconds};

fn inspect(keys: &KeyFile, more: &[&str], input: &str) -> super::support::Outcome {
    run(["inspect", "--json", "--keys", keys.path()].iter().chain(more), input)
}

/// A cookie of long ago.
fn old_cookie(key: &Key) -> String {
    let sealer = Sealer::builder(key.clone()).build().unwrap();
    sealer.seal(&json!({ "user": "correct-horse" }), Timestamp::from_unix_seconds(1_700_000_000)).unwrap()
}

#[test]
fn without_keys_it_says_what_everyone_can_read_and_nothing_else() {
    let key = Key::generate().unwrap();
    let keys = KeyFile::of(&[&key]);
    let text = keys.seal(r#"{"user":42}"#);
    let answer = run(["inspect", "--json"], &text).json();
    let key_id = key.id().to_string();
    let expected = json!({
        "version": 1, "key_id": key_id, "value_characters": text.len(), "envelope_bytes": 113, "plaintext_bytes": 64
    });
    assert_eq!(answer, expected);
    let shown = run(["inspect"], &text);
    assert_eq!((shown.code, shown.error.as_str()), (0, ""));
    for part in ["version    1\n", &format!("key id     {key_id}\n"), "151 characters, 113 bytes", "64 bytes"] {
        assert!(shown.output.contains(part), "{}", shown.output);
    }
}

#[test]
fn a_session_of_now_says_its_header_its_key_and_the_sizes_of_its_members() {
    let key = Key::generate().unwrap();
    let keys = KeyFile::of(&[&key]);
    let text = keys.seal(r#"{"user":42,"~":{"flash":{"notice":"correct-horse"}}}"#);
    let outcome = inspect(&keys, &[], &text);
    assert_hides(&outcome.output, "correct-horse");
    let answer = outcome.json();
    let opened = keys.open(&text).json();
    let inspection = &answer["inspection"];
    for member in ["kind", "created", "issued", "expires", "browser_session", "public_id"] {
        assert_eq!(inspection[member], opened[member], "{member}");
    }
    assert_eq!(inspection["refused"], Value::Null);
    assert_eq!(inspection["ends"], inspection["expires"]);
    assert_eq!((&inspection["own_lifetime"], &inspection["reseal_due"]), (&json!(true), &json!(false)));
    assert_eq!(inspection["key"]["state"], "sealing");
    assert_eq!(inspection["key"]["suite"], key.suite().name());
    assert_eq!(inspection["payload_bytes"], 52);
    assert_eq!(inspection["keys"], json!([{ "name": "~", "bytes": 40 }, { "name": "user", "bytes": 9 }]));
    assert_eq!(inspection["own_keys"], json!([{ "name": "flash", "bytes": 34 }]));
    assert_eq!(inspection["least_version"], Value::Null);
    assert!(inspection.get("payload").is_none());
}

#[test]
fn a_cookie_that_is_no_session_any_more_is_shown_and_the_reason_stands_on_standard_error() {
    let key = Key::generate().unwrap();
    let keys = KeyFile::of(&[&key]);
    let text = old_cookie(&key);
    let answer = inspect(&keys, &[], &text).json_of_failure("expired_idle\n");
    assert_eq!(answer["inspection"]["refused"], "expired_idle");
    assert_eq!(seconds(&answer["inspection"]["ends"]), 1_700_007_200);
    let shown = run(["inspect", "--keys", keys.path()], &text);
    assert_eq!((shown.code, shown.error.as_str()), (1, "expired_idle\n"));
    for part in ["refused now: expired_idle", "2023-11-14T22:13:20Z", "2023-11-15T00:13:20Z", "user"] {
        assert!(shown.output.contains(part), "{}", shown.output);
    }
    assert_hides(&shown.output, "correct-horse");
}

#[test]
fn the_timeouts_of_the_application_take_part_in_the_judgement() {
    let key = Key::generate().unwrap();
    let keys = KeyFile::of(&[&key]);
    let long = ["--idle", "36500days", "--absolute", "36500days"];
    let text = old_cookie(&key);
    // The shorter of what was sealed and what is configured today.
    inspect(&keys, &long, &text).json_of_failure("expired_idle\n");
    let text = keys.seal("{}");
    let answer = inspect(&keys, &["--remember-max", "10m"], &text).json();
    let inspection = &answer["inspection"];
    assert_eq!(seconds(&inspection["ends"]), seconds(&inspection["issued"]) + 600);
    inspect(&keys, &["--idle", "10m", "--absolute", "none", "--remember-max", "2h"], &text).json();
}

#[test]
fn the_window_of_a_rotated_key_is_shown_and_judged() {
    let [new, old] = [(); 2].map(|()| Key::generate().unwrap());
    let text = KeyFile::of(&[&old]).seal("{}");
    let [new, old] = [&new, &old].map(Key::to_secret_text);
    let retired = KeyFile::new(format!("{} seal-from=2001-09-09T01:46:40Z\n{}", *new, *old));
    let answer = inspect(&retired, &[], &text).json_of_failure("key_retired\n");
    let key = &answer["inspection"]["key"];
    assert_eq!((&key["state"], &key["seal_until"]), (&json!("expired"), &json!("2001-09-09T01:46:40Z")));
    assert_eq!(seconds(&key["open_until"]), 1_000_000_000 + 3600 + 30 * 86_400);

    let opening = KeyFile::new(format!("{}\n{} open-only", *new, *old));
    let answer = inspect(&opening, &[], &text).json();
    assert_eq!(answer["inspection"]["key"]["state"], "opening");
    assert_eq!(answer["inspection"]["reseal_due"], true);

    let ended = KeyFile::new(format!("not-before=2001-09-09T01:46:40Z\n{}", *old));
    assert_eq!(inspect(&ended, &[], &text).json()["inspection"]["refused"], Value::Null);
    assert_eq!(inspect(&ended, &["--grace", "10m"], &text).json()["inspection"]["refused"], Value::Null);
}

#[test]
fn what_cannot_be_believed_shows_its_outside_alone() {
    let [keys, other] = [(); 2].map(|()| KeyFile::of(&[&Key::generate().unwrap()]));
    let text = keys.seal("{}");
    let answer = inspect(&other, &[], &text).json_of_failure("unknown_key\n");
    assert_eq!((&answer["inspection"], &answer["version"]), (&Value::Null, &json!(1)));
    let answer = inspect(&keys, &["--audience", "example-app/prod"], &text).json_of_failure(UNAUTHENTIC);
    assert_eq!(answer["inspection"], Value::Null);
    for arguments in [&["inspect"][..], &["inspect", "--keys", keys.path()]] {
        run(arguments, "A".repeat(200).replace('A', "=")).assert_refused("absent");
        run(arguments, "A".repeat(20)).assert_refused("malformed");
        run(arguments, b"\xff\xff").assert_refused("malformed");
        run(arguments, "x".repeat(65_537)).assert_refused("malformed");
    }
}

#[test]
fn another_version_is_named_and_is_no_success() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = format!("Ag{}", "A".repeat(200));
    for arguments in [&["inspect", "--json"][..], &["inspect", "--json", "--keys", keys.path()]] {
        let answer = run(arguments, &text).json_of_failure("unknown_version\n");
        assert_eq!((&answer["version"], &answer["key_id"]), (&json!(2), &Value::Null));
    }
    let shown = run(["inspect"], &text);
    assert!(shown.output.contains("another version"), "{}", shown.output);
}

#[test]
fn a_line_of_a_browser_or_a_server_is_taken_as_it_is() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = keys.seal("{}");
    for line in [
        format!("__Host-session={text}"),
        format!("Cookie: theme=dark; __Host-session={text}\r\n"),
        format!("set-cookie: __Host-session={text}; Path=/; Secure; Max-Age=7200\n"),
    ] {
        inspect(&keys, &[], &line).json();
    }
    let line = format!("Cookie: session={text}");
    inspect(&keys, &[], &line).assert_refused("absent");
}

#[test]
fn a_reference_says_its_least_version_and_has_no_members() {
    use sealed_session::store::MemoryStore;
    use sealed_session::{Placement, SessionManager};

    let key = Key::generate().unwrap();
    let application = SessionManager::builder(key.clone()).store(MemoryStore::new()).placement(Placement::StoreOnly);
    let text = super::support::sent_by(application, |session| session.put("user", &1).unwrap());
    let answer = inspect(&KeyFile::of(&[&key]), &[], &text).json();
    let inspection = &answer["inspection"];
    assert_eq!((&inspection["kind"], &inspection["payload_bytes"]), (&json!("reference"), &Value::Null));
    assert!(inspection["least_version"].as_u64().unwrap() > 0);
    assert_eq!(inspection["keys"], json!([]));
    let outcome = run(["size", "--keys", KeyFile::of(&[&key]).path()], &text);
    outcome.assert_failed(1);
    assert!(outcome.error.contains("its data is in the server store"), "{}", outcome.error);
}

#[test]
fn a_name_from_a_cookie_cannot_write_to_the_terminal() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = keys.seal("{\"\\u001b[2J\\u202e\":1}");
    let shown = run(["inspect", "--keys", keys.path()], &text);
    assert_eq!(shown.code, 0);
    assert!(shown.output.contains(r"\u{1b}[2J\u{202e}"), "{}", shown.output);
    assert!(!shown.output.contains(['\u{1b}', '\u{202e}']));
}
