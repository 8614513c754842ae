//! What the edits do.

use sealed_session::{Clock as _, Key, KeyId, Suite, SystemClock, Timestamp};

use super::super::support::{SUITES, run};
use super::support::{Ring, days};

fn key() -> Key {
    Key::generate().unwrap()
}

fn ids(ring: &Ring) -> Vec<KeyId> {
    ring.ring().key_ids().collect()
}

fn seal(ring: &Ring) -> String {
    run(["seal", "--keys", ring.path(), "--ttl", "3600"], "{}").line().to_owned()
}

#[test]
fn a_file_is_created_with_one_key_that_seals_at_once() {
    let ring = Ring::none();
    let answer = ring.edit("add", &["--create"]);
    let key_id = ids(&ring)[0].to_string();
    assert_eq!((&answer["key_id"], &answer["keys"][0]["state"]), (&key_id.into(), &"sealing".into()));
    seal(&ring);
    ring.assert_refused("add", &["--create"], 1, "leave out --create");
}

#[test]
fn a_key_is_staged_an_hour_and_a_minute_ahead_and_the_other_lines_stay() {
    let old = key();
    let content = format!("# example-app\n\n\t{}  # the first\n# end", *old.to_secret_text());
    let ring = Ring::new(&content);
    let before = SystemClock.now();
    let answer = ring.edit("add", &["--comment", "for the winter"]);

    let seal_from = Timestamp::from_rfc3339(answer["keys"][0]["seal_from"].as_str().unwrap()).unwrap();
    assert!((3660..3720).contains(&seal_from.saturating_seconds_since(before)));
    let time = seal_from.to_rfc3339();
    let written = ring.content();
    let lines: Vec<_> = written.lines().collect();
    assert_eq!(
        lines[..4],
        ["# example-app", "", &format!("{} seal-until={time}  # the first", *old.to_secret_text()), "# end"]
    );
    assert!(lines[4].ends_with(&format!(" seal-from={time} # for the winter")));
    assert_eq!(ring.ring().sealing_key_id(before), Some(old.id()));
    assert_eq!(ring.ring().sealing_key_id(seal_from), Some(ids(&ring)[0]));
}

#[test]
fn a_key_is_staged_for_the_instant_that_is_asked_for() {
    for (arguments, ahead) in [
        (vec!["--in".to_owned(), "2d".to_owned()], 2),
        (vec!["--at".to_owned(), days(5)], 5),
        (["--now", "--rollout", "0s"].map(str::to_owned).to_vec(), 0),
        (["--now", "--force"].map(str::to_owned).to_vec(), 0),
    ] {
        let (ring, _) = Ring::of([""]);
        let before = SystemClock.now();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let answer = ring.edit("add", &arguments);
        let seal_from = Timestamp::from_rfc3339(answer["keys"][0]["seal_from"].as_str().unwrap()).unwrap();
        let off = seal_from.unix_seconds().abs_diff(before.unix_seconds() + ahead * 24 * 60 * 60);
        assert!(off < 60, "{arguments:?}: {off}");
    }
}

#[test]
fn a_given_key_of_any_form_is_staged_and_written_in_its_self_checking_form() {
    for suite in SUITES {
        let given = Key::generate_with(suite).unwrap();
        let secret = given.to_secret_text();
        let raw = format!("base64url:{}\n", secret.rsplit('.').next().unwrap());
        for (input, arguments) in
            [(format!("{}\n", *secret), &["--key-file", "-"][..]), (raw, &["--key-file", "-", "--suite", suite.name()])]
        {
            let (ring, _) = Ring::of([""]);
            let outcome = ring.run_with_input("add", arguments, &input);
            assert_eq!(outcome.code, 0, "{outcome:?}");
            assert_eq!(ids(&ring)[0], given.id());
            assert!(ring.content().contains(secret.as_str()));
        }
    }
}

#[test]
fn a_key_of_the_suite_that_is_asked_for_is_made() {
    for suite in SUITES {
        let (ring, _) = Ring::of([""]);
        let answer = ring.edit("add", &["--suite", suite.name()]);
        assert_eq!(answer["keys"][0]["suite"], suite.name());
    }
    let (ring, _) = Ring::of([""]);
    assert_eq!(ring.edit("add", &[])["keys"][0]["suite"], Suite::fastest_here().name());
}

#[test]
fn a_list_on_one_line_becomes_a_key_a_line_and_keeps_its_meaning() {
    let keys = [key(), key(), key()];
    let [first, second, third] = keys.each_ref().map(Key::to_secret_text);
    let ring = Ring::new(format!("{},{} {} # all\n", *first, *second, *third));
    let cookie = seal(&ring);
    let answer = ring.edit("add", &[]);
    let time = answer["keys"][0]["seal_from"].as_str().unwrap();
    let content = ring.content();
    let lines: Vec<_> = content.lines().collect();
    let expected = [
        "# all".to_owned(),
        format!("{} seal-until={time}", *first),
        format!("{} open-only", *second),
        format!("{} open-only", *third),
    ];
    assert_eq!(lines[..4], expected);
    assert_eq!(run(["open", "--keys", ring.path()], cookie).json()["key_id"], keys[0].id().to_string());
}

#[test]
fn a_pending_key_is_promoted_by_the_beginning_of_its_id() {
    let (ring, [old, new]) = Ring::of([&format!("seal-until={}", days(5)), &format!("seal-from={}", days(5))]);
    let at = days(3);
    ring.edit("promote", &["--at", &at, "--", &new.id().to_string()[..4]]);
    assert_eq!(ring.marks_of(&old), format!("seal-until={at}"));
    assert_eq!(ring.marks_of(&new), format!("seal-from={at}"));
    ring.edit("promote", &["--now", "--force", "--", &new.id().to_string()]);
    assert_eq!(ring.ring().sealing_key_id(SystemClock.now()), Some(new.id()));
}

#[test]
fn a_superseded_key_is_retired_and_one_that_only_opens_gets_an_end() {
    let began = days(-3);
    let (ring, [old, _, open_only]) = Ring::of(["", &format!("seal-from={began}"), "open-only"]);
    ring.edit("retire", &["--", &old.id().to_string()]);
    assert_eq!(ring.marks_of(&old), format!("seal-until={began}"));
    let end = days(1);
    ring.edit("retire", &["--at", &end, "--", &open_only.id().to_string()]);
    assert_eq!(ring.marks_of(&open_only), format!("seal-until={end} open-only"));
}

#[test]
fn an_expired_key_is_removed_and_one_that_opens_by_force_alone() {
    let ends = [days(-60), days(-3)];
    let marks = [
        format!("seal-until={}", ends[0]),
        format!("seal-from={} seal-until={}", ends[0], ends[1]),
        format!("seal-from={}", ends[1]),
    ];
    let (ring, [expired, opening, sealing]) = Ring::of(marks.each_ref().map(String::as_str));
    ring.edit("remove", &["--", &expired.id().to_string()]);
    assert_eq!(ids(&ring), [sealing.id(), opening.id()]);
    let opening = opening.id().to_string();
    ring.assert_refused("remove", &["--", &opening], 1, "is logged out");
    let answer = ring.edit("remove", &["--force", "--", &opening]);
    assert!(answer["warnings"][0].as_str().unwrap().contains("is logged out"));
    assert_eq!(ids(&ring), [sealing.id()]);
}

#[test]
fn how_long_a_key_opens_follows_from_the_settings() {
    let end = days(-3);
    let (ring, [old, _]) = Ring::of([&format!("seal-until={end}"), &format!("seal-from={end}")]);
    let old = old.id().to_string();
    ring.assert_refused("remove", &["--", &old], 1, "is logged out");
    let short = ["--grace", "10m", "--absolute", "1d"];
    let remembered = ["--absolute", "none", "--remember-max", "90d"];
    ring.assert_refused("remove", &[&remembered[..], &["--", &old]].concat(), 1, "is logged out");
    ring.edit("remove", &[&short[..], &["--", &old]].concat());
}

#[test]
fn after_a_leak_neither_the_old_key_nor_older_sessions_are_good() {
    let (ring, [leaked]) = Ring::of([""]);
    let leaked_id = leaked.id().to_string();
    let stolen = seal(&ring);
    ring.edit("add", &["--now", "--force"]);
    let laundered = seal(&ring);
    let open = |cookie: &str| run(["open", "--keys", ring.path()], cookie);
    assert_eq!(open(&stolen).code, 0);

    ring.edit("remove", &["--force", "--", &leaked_id]);
    open(&stolen).assert_refused("unknown_key");
    assert_eq!(open(&laundered).code, 0);

    // By force in the past, so that it has come: the cookie of a moment ago began later still.
    let (past, ahead) = (days(-1), days(1));
    ring.edit("revoke-before", &["--at", &past, "--force"]);
    assert_eq!(open(&laundered).code, 0);
    let answer = ring.edit("revoke-before", &["--at", &ahead]);
    assert_eq!(
        (&answer["not_before"], &answer["next"][0]["event"]),
        (&ahead.clone().into(), &"older_sessions_end".into())
    );
    assert_eq!(ring.content().matches("not-before=").count(), 1);
    ring.assert_refused("revoke-before", &["--at", &past], 1, "would be good again");
}

#[test]
fn a_dry_run_tells_the_same_and_writes_nothing() {
    let (ring, [_, new]) = Ring::of(["", &format!("seal-from={}", days(5))]);
    let new = new.id().to_string();
    let at = days(3);
    let arguments = ["--at", &at, "--", &new];
    let before = ring.state();
    let dry = ring.run("promote", &[&["--dry-run"], &arguments[..]].concat());
    assert_eq!(ring.state(), before);
    let wet = ring.run("promote", &arguments);
    assert_ne!(ring.state(), before);
    // All but the lines with the instants of the two runs.
    let told = |output: &str| output.lines().filter(|line| line.contains("instead of")).count();
    assert_eq!((told(&dry.output), told(&wet.output)), (1, 1));
    assert!(dry.output.starts_with("Nothing is written."));

    let none = Ring::none();
    assert_eq!(none.run("add", &["--create", "--dry-run"]).code, 0);
    assert!(!std::path::Path::new(none.path()).exists());
}

#[test]
fn an_edit_that_changes_nothing_leaves_the_very_file() {
    let at = days(3);
    let (ring, [old, new]) = Ring::of([&format!("seal-until={at}"), &format!("seal-from={at}")]);
    let before = ring.state();
    for (command, key) in [("retire", old), ("promote", new)] {
        let answer = ring.edit(command, &["--at", &at, "--", &key.id().to_string()]);
        assert_eq!(answer["changed"], false);
    }
    assert_eq!(ring.state(), before);
}
