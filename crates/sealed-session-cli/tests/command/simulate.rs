//! `sealed-session simulate`: what stands on its command line and what it prints. What it finds is tested beside it.

use sealed_session::{Key, Timestamp};
use serde_json::{Value, json};

use super::support::{KeyFile, Outcome, assert_hides, run};

const START: &str = "2026-11-23T09:00:00Z";
const FAILED: &str = "error: somebody would be logged out; standard output says who, why, and what to change\n";

/// The old key, and the new one that begins to seal at this time.
struct Rotation {
    old: Key,
    new: Key,
    current: KeyFile,
    planned: KeyFile,
}

impl Rotation {
    fn new(marks_of_old: &str, marks_of_new: &str) -> Self {
        let [old, new] = [(); 2].map(|()| Key::generate().unwrap());
        let lines = format!("{} {marks_of_old}\n{} {marks_of_new}\n", *old.to_secret_text(), *new.to_secret_text());
        Self { current: KeyFile::of(&[&old]), planned: KeyFile::new(lines), old, new }
    }

    fn simulate(&self, more: &[&str]) -> Outcome {
        // Short lifetimes and few clocks: the tests here are about the command.
        let settings = ["--idle", "10m", "--absolute", "1day", "--skew", "0s", "--start", START];
        let files = ["simulate", "--keys", self.planned.path(), "--from", self.current.path()];
        run(files.iter().chain(&settings).chain(more), "")
    }
}

fn seconds(text: &str) -> u64 {
    Timestamp::from_rfc3339(text).unwrap().unix_seconds()
}

#[test]
fn a_safe_plan_exits_with_0_and_tells_what_happens_when() {
    let rotation = Rotation::new("", "seal-from=2026-11-23T10:00:00Z");
    let answer = rotation.simulate(&["--json"]).json();
    assert_eq!(answer["nobody_is_logged_out"], true);
    assert_eq!((&answer["logged_out"], &answer["ended_by_not_before"]), (&json!([]), &json!([])));
    assert_eq!(answer["no_sealing_key"], Value::Null);
    assert_eq!(answer["start"], seconds(START));
    assert_eq!(answer["rolled_out"], seconds(START) + 600);
    assert!(answer["users"].as_u64().unwrap() > 20);
    let [old, new] = [&rotation.old, &rotation.new].map(|key| key.id().to_string());
    let event = |at: u64, event: &str, key_id: Option<&str>| json!({ "at": at, "event": event, "key_id": key_id });
    let start = seconds(START);
    let expected = json!([
        event(start, "first_server_loads", None),
        event(start, "key_added", Some(&new)),
        event(start + 600, "last_server_loads", None),
        event(start + 3600, "key_seals_from", Some(&new)),
        event(start + 3601, "key_seals_no_more", Some(&old)),
        event(start + 7201, "key_window_ends", Some(&old)),
        event(start + 7200 + 86_400, "key_opens_no_more", Some(&old)),
    ]);
    assert_eq!(answer["events"], expected);

    let shown = rotation.simulate(&[]);
    assert_eq!((shown.code, shown.error.as_str()), (0, ""));
    for part in [
        "  2026-11-23T09:00:00Z  the first server loads the planned ring\n",
        &format!("  2026-11-23T10:00:00Z  {new} seals from here on\n"),
        "nobody is logged out, of ",
    ] {
        assert!(shown.output.contains(part), "{}", shown.output);
    }
}

#[test]
fn a_plan_that_logs_somebody_out_exits_with_1_and_tells_whom_why_and_the_mend() {
    let rotation = Rotation::new("", "seal-from=2026-11-23T09:05:00Z");
    let answer = rotation.simulate(&["--json"]).json_of_failure(FAILED);
    assert_eq!(answer["nobody_is_logged_out"], false);
    let [finding] = answer["logged_out"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    let (start, key_id) = (seconds(START), rotation.new.id().to_string());
    for (member, expected) in [
        ("key_id", json!(key_id)),
        ("reason", json!("unknown_key")),
        ("cause", json!("not_loaded")),
        ("sealed_from", json!(start + 300)),
        ("sealed_until", json!(start + 599)),
        ("refused_from", json!(start + 300)),
        ("refused_until", json!(start + 600)),
        ("habits", json!(["every_few_minutes", "once_a_day", "before_idle_timeout", "end_of_longest_lifetime"])),
    ] {
        assert_eq!(finding[member], expected, "{member}");
    }
    assert!(finding["mend"].as_str().unwrap().contains("`seal-from=2026-11-23T09:10:00Z` or later"), "{finding}");

    let shown = rotation.simulate(&[]);
    assert_eq!((shown.code, shown.error.as_str()), (1, FAILED));
    for part in [
        "refused  2026-11-23T09:05:00Z to 2026-11-23T09:10:00Z (unknown_key)\n",
        &format!(
            "why      {key_id} seals from 2026-11-23T09:05:00Z on, and the last server loads it at 2026-11-23T09:10:00Z\n"
        ),
        "mend     give ",
    ] {
        assert!(shown.output.contains(part), "{}", shown.output);
    }
    rotation.simulate(&["--rollout", "5m", "--json"]).json();
}

#[test]
fn each_setting_takes_part() {
    let rotation = Rotation::new("open-until=2026-11-23T12:00:00Z", "seal-from=2026-11-23T10:00:00Z");
    // What is remembered for a day outlives the key, what lives for an hour and a half does not.
    rotation.simulate(&["--json"]).json_of_failure(FAILED);
    rotation.simulate(&["--json", "--remember-max", "90m"]).json();
    rotation.simulate(&["--json", "--until", "2026-11-23T12:00:00Z"]).json();
    // Two minutes between two clocks are more than is tolerated between two servers.
    let files = ["simulate", "--json", "--keys", rotation.planned.path(), "--from", rotation.current.path()];
    let settings = ["--idle", "10m", "--absolute", "90m", "--start", START, "--skew", "2m"];
    let answer = run(files.iter().chain(&settings), "").json_of_failure(FAILED);
    assert!(answer["logged_out"].as_array().unwrap().iter().all(|finding| finding["cause"] == "clocks"), "{answer}");
}

#[test]
fn without_the_file_of_now_the_keys_to_come_are_what_is_new() {
    let rotation = Rotation::new("", "seal-from=2026-11-23T09:05:00Z");
    let settings = ["--idle", "10m", "--absolute", "1day", "--skew", "0s", "--start", START, "--json"];
    let answer = run(["simulate", "--keys", rotation.planned.path()].iter().chain(&settings), "");
    let given = rotation.simulate(&["--json"]);
    assert_eq!((answer.code, &answer.output), (1, &given.output));
}

#[test]
fn a_rotation_after_a_leak_lists_what_it_is_meant_to_end() {
    let [leaked, new] = [(); 2].map(|()| Key::generate().unwrap());
    let lines = format!("not-before=2026-11-23T09:12:00Z\n{}\n", *new.to_secret_text());
    let rotation = Rotation { current: KeyFile::of(&[&leaked]), planned: KeyFile::new(lines), old: leaked, new };
    let answer = rotation.simulate(&["--json"]).json();
    let ended = answer["ended_by_not_before"].as_array().unwrap();
    assert!(ended.iter().any(|finding| finding["reason"] == "revoked"), "{answer}");
    assert!(ended.iter().any(|finding| finding["key_id"] == rotation.old.id().to_string()), "{answer}");
    let shown = rotation.simulate(&[]);
    assert!(shown.output.contains("\nended by `not-before`, as is meant\n"), "{}", shown.output);
    assert!(!shown.output.contains("mend"), "{}", shown.output);
}

#[test]
fn a_time_without_a_sealing_key_exits_with_1() {
    let rotation = Rotation::new("seal-until=2026-11-23T10:00:00Z", "seal-from=2026-11-23T11:00:00Z");
    let answer = rotation.simulate(&["--json"]).json_of_failure(FAILED);
    let expected = json!({ "from": seconds("2026-11-23T10:00:01Z"), "until": seconds("2026-11-23T11:00:00Z") });
    assert_eq!(answer["no_sealing_key"], expected);
    assert!(rotation.simulate(&[]).output.contains("no key seals from 2026-11-23T10:00:01Z on, until 2026-11-23T11"));
}

#[test]
fn a_ring_that_a_server_would_not_load_is_wrong_usage() {
    let rotation = Rotation::new("seal-until=2026-11-22T00:00:00Z", "seal-from=2026-11-24T00:00:00Z");
    let outcome = rotation.simulate(&[]);
    outcome.assert_failed(2);
    assert!(outcome.error.contains("a server would refuse to load"), "{}", outcome.error);
    let outcome = Rotation { current: KeyFile::new(""), ..rotation }.simulate(&[]);
    outcome.assert_failed(2);
    assert!(outcome.error.contains("at least one key"), "{}", outcome.error);
}

#[test]
fn a_time_or_a_duration_that_cannot_be_read_is_wrong_usage_that_says_how_to_write_it() {
    let rotation = Rotation::new("", "seal-from=2026-11-23T10:00:00Z");
    let keys = rotation.planned.path();
    for (arguments, problem) in [
        (&["--start", "tomorrow"][..], "such as 2026-11-23T09:00:00Z"),
        (&["--until", "2026-11-23"], "such as 2026-11-23T09:00:00Z"),
        (&["--rollout", "600"], "such as 90s, 10m, 2h or 30days"),
        (&["--skew", "1500ms"], "such as 90s, 10m, 2h or 30days"),
        (&["--start", START, "--until", START], "--until is not after the start"),
        (&["--absolute", "never"], "such as 90s, 10m, 2h or 30days"),
        (&["--absolute", "none"], "remember_max"),
    ] {
        let outcome = run(["simulate", "--keys", keys].iter().chain(arguments), "");
        outcome.assert_failed(2);
        assert!(outcome.error.contains(problem), "{}", outcome.error);
    }
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    for marks in ["seal-from=2026-11-23T10:00:00Z", "seal-from=2026-11-23T09:05:00Z", "seal-from=soon"] {
        let rotation = Rotation::new("", marks);
        for more in [&[][..], &["--json"]] {
            let outcome = rotation.simulate(more);
            for key in [&rotation.old, &rotation.new] {
                let secret = key.to_secret_text().rsplit('.').next().unwrap().to_owned();
                assert_hides(&outcome.output, &secret);
                assert_hides(&outcome.error, &secret);
            }
        }
    }
}
