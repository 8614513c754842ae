//! What `list`, `check` and the help say.

use sealed_session::Key;
use serde_json::{Value, json};

use super::super::support::run;
use super::support::{Ring, days};

#[test]
fn every_help_explains_its_exit_codes_and_shows_an_example() {
    for command in ["list", "add", "promote", "retire", "remove", "revoke-before", "check"] {
        let help = run(["keys", command, "--help"], "");
        assert_eq!((help.code, help.error.as_str()), (0, ""));
        let example = format!("sealed-session keys {command} session.keys");
        for part in ["Example", &example, "Exit codes:\n  0  ", "\n  1  ", "\n  2  wrong usage"] {
            assert!(help.output.contains(part), "{part}: {}", help.output);
        }
        assert_eq!(run(["keys", command, "-h"], "").output, help.output);
    }
    let help = run(["keys", "--help"], "");
    for part in ["list", "add", "promote", "retire", "remove", "revoke-before", "check", "A rotation:", "Exit codes:"] {
        assert!(help.output.contains(part), "{}", help.output);
    }
}

#[test]
fn the_list_has_a_line_for_each_key_and_for_each_change() {
    let [began, ahead] = [days(-3), days(3)];
    let marks = [
        format!("seal-until={began}"),
        format!("seal-from={began} seal-until={ahead}"),
        format!("seal-from={ahead}"),
        "open-only".to_owned(),
    ];
    let (ring, keys) = Ring::of(marks.each_ref().map(String::as_str));
    let listed = ring.run("list", &[]);
    assert_eq!((listed.code, listed.error.as_str()), (0, ""));
    let [opening, sealing, pending, open_only] = keys.each_ref().map(|key: &Key| key.id().to_string());
    for (key_id, state, words) in [
        (&opening, "opening", format!("sealed until {began} (")),
        (&sealing, "sealing", format!("since {began} (")),
        (&pending, "pending", format!("seals from {ahead} (in ")),
        (&open_only, "opening", "opens without an end".to_owned()),
    ] {
        let line = listed.output.lines().find(|line| line.starts_with(key_id.as_str())).unwrap();
        assert!(line.contains(state) && line.contains(&words), "{line}");
    }
    let (_, next) = listed.output.split_once("Next, if the file stays as it is:\n").unwrap();
    let next: Vec<_> = next.lines().collect();
    assert!(next[0].starts_with(&ahead) && next[0].ends_with(&format!("{pending} seals")), "{next:?}");
    assert_eq!(next.len(), 4);
}

#[test]
fn the_list_for_scripts_has_every_time_in_rfc_3339() {
    let [began, ahead, leak] = [days(-3), days(3), days(5)];
    let marks = [format!("seal-from={began}"), format!("seal-from={ahead}")];
    let (ring, [sealing, pending]) = Ring::of(marks.each_ref().map(String::as_str));
    ring.edit("revoke-before", &["--at", &leak]);
    let listed = ring.run("list", &["--json", "--absolute", "10d", "--grace", "0s"]).json();
    let ends: String = days(13);
    let key = |key: &Key, state: &str, from: &str, until: Value, open_until: Value, next: &str| {
        json!({
            "key_id": key.id().to_string(),
            "suite": key.suite().name(),
            "state": state,
            "open_only": false,
            "seal_from": from,
            "seal_until": until,
            "seal_until_is_written": false,
            "open_until": open_until,
            "next_change": next,
        })
    };
    assert_eq!(listed["not_before"], leak);
    assert_eq!(listed["keys"][0], key(&pending, "pending", &ahead, Value::Null, Value::Null, &ahead));
    // The end may be a second later than the one above, where the clock has gone on between the two.
    let open_until = listed["keys"][1]["open_until"].clone();
    assert_eq!(open_until.as_str().unwrap()[..14], ends[..14]);
    assert_eq!(listed["keys"][1], key(&sealing, "sealing", &began, ahead.clone().into(), open_until, &ahead));
    let events: Vec<_> = listed["next"].as_array().unwrap().iter().map(|change| &change["event"]).collect();
    assert_eq!(events, ["seals", "opens", "older_sessions_end", "expired"]);
}

#[test]
fn a_ring_in_order_is_checked_with_0_and_notes_are_no_warnings() {
    let (ring, _) = Ring::of([""]);
    assert_eq!(ring.run("check", &[]).line(), "nothing found");
    assert_eq!(ring.run("check", &["--json"]).json(), json!({ "findings": [] }));

    let ended = days(-60);
    let (ring, [old, _]) = Ring::of([&format!("seal-until={ended}"), &format!("seal-from={ended}")]);
    let checked = ring.run("check", &["--json"]).json();
    let found = &checked["findings"][0];
    let old = Value::from(old.id().to_string());
    assert_eq!([&found["level"], &found["code"], &found["key_id"]], [&"note".into(), &"expired".into(), &old]);
}

#[test]
fn a_warning_is_told_with_its_key_and_exit_code_1() {
    let ahead = days(3);
    let (ring, [_, old]) = Ring::of([&format!("seal-until={ahead}"), "open-only"]);
    let checked = ring.run("check", &["--json"]);
    assert_eq!((checked.code, checked.error.as_str()), (1, ""));
    let answer: Value = serde_json::from_str(&checked.output).unwrap();
    let findings = answer["findings"].as_array().unwrap();
    let codes: Vec<_> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["nothing_seals", "open_only_without_end"]);
    assert_eq!(findings[1]["key_id"], old.id().to_string());
    let lines = ring.run("check", &[]);
    assert!(lines.output.starts_with("warning: nothing_seals: no key seals from "), "{lines:?}");
}
