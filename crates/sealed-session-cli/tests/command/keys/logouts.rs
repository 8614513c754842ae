//! `keys check --from`: what it prints. What it finds is tested next to it.

use sealed_session::{Key, KeyRing, Timestamp};
use serde_json::{Value, json};

use super::super::support::{KeyFile, Outcome, assert_hides, run, seconds};
use super::support::{Ring, days};

/// A file of these lines that takes the place of one that has the old key alone.
struct Edit {
    old: Key,
    new: Key,
    before: KeyFile,
    after: Ring,
}

impl Edit {
    fn of(lines: impl FnOnce(&str, &str) -> String) -> Self {
        let [old, new] = [(); 2].map(|()| Key::generate().unwrap());
        let after = Ring::new(lines(&old.to_secret_text(), &new.to_secret_text()));
        Self { before: KeyFile::of(&[&old]), after, old, new }
    }

    fn check(&self, more: &[&str]) -> Outcome {
        self.after.run("check", &[&["--from", self.before.path()], more].concat())
    }

    /// The findings, of an edit that logs somebody out.
    fn found(&self, more: &[&str]) -> Vec<Value> {
        let answer = self.check(&[&["--json"], more].concat()).json_of_failure("");
        answer["findings"].as_array().unwrap().clone()
    }
}

#[test]
fn an_edit_that_logs_nobody_out_is_checked_with_0() {
    let ahead = days(1);
    let edit = Edit::of(|old, new| format!("{old} seal-until={ahead}\n{new} seal-from={ahead}\n"));
    assert_eq!(edit.check(&[]).line(), "the edit logs nobody out");
    assert_eq!(edit.check(&["--json"]).json(), json!({ "findings": [] }));
    // Where it takes longer until the last server knows the new key, its first cookies come too early.
    let codes: Vec<_> = edit.found(&["--rollout", "2d"]).iter().map(|found| found["code"].clone()).collect();
    assert_eq!(codes, ["not_loaded", "ends_too_early"].map(|code| json!(code)));
}

#[test]
fn a_key_that_servers_do_not_know_is_told_with_its_times_and_with_what_avoids_it() {
    let edit = Edit::of(|old, new| format!("{new}\n{old}\n"));
    let found = edit.found(&["--rollout", "10m"]);
    let found = found.iter().find(|found| found["code"] == "not_loaded").unwrap();
    assert_eq!([&found["level"], &found["key_id"]], [&json!("warning"), &json!(edit.new.id().to_string())]);
    let logged_out = &found["logged_out"];
    assert_eq!([&logged_out["reason"], &logged_out["is_remembered"]], [&json!("unknown_key"), &json!(false)]);
    let time = |member: &str| seconds(&logged_out[member]);
    assert_eq!(time("refused_until") - time("refused_from"), 600);
    assert_eq!([time("sealed_from"), time("sealed_until") + 1], [time("refused_from"), time("refused_until")]);
    let seal_from = Timestamp::from_unix_seconds(time("refused_until") + 60).to_rfc3339();
    let avoid = format!("set `seal-from={seal_from}` or later on {}, and leave {}", edit.new.id(), edit.old.id());
    assert!(logged_out["avoid"].as_str().unwrap().starts_with(&avoid), "{found}");
    let shown = edit.check(&["--rollout", "10m"]);
    for part in [
        "warning: not_loaded: whoever came last",
        " is logged out (unknown_key), because servers with the old file",
        "\n  to avoid it: set",
    ] {
        assert!(shown.output.contains(part), "{}", shown.output);
    }
}

#[test]
fn each_setting_takes_part() {
    let (began, ahead) = (days(-40), days(1));
    let edit = Edit::of(|old, new| format!("{old} open-until={ahead}\n{new} seal-from={began}\n"));
    let before = KeyFile::new(edit.after.content().replace(&format!("open-until={ahead}"), ""));
    let edit = Edit { before, ..edit };
    // Sealed 40 days ago, and opened until tomorrow.
    assert_eq!(edit.check(&[]).code, 1);
    assert!(!edit.check(&[]).output.contains("logged out"));
    let codes = |more: &[&str]| edit.found(more).iter().map(|found| found["code"].clone()).collect::<Vec<_>>();
    assert_eq!(codes(&["--absolute", "60d"]), ["end_not_written", "opens_too_short"]);
    assert_eq!(codes(&["--absolute", "60d", "--remember-max", "30d"]), ["end_not_written"]);
    assert_eq!(codes(&["--skew", "2m"]), ["end_not_written", "clocks_differ"]);
    let found = edit.found(&["--absolute", "60d"]);
    // Whoever uses the site without `remember` was gone long ago.
    assert_eq!(found[1]["logged_out"]["is_remembered"], true);
}

#[test]
fn sessions_that_not_before_is_there_to_end_are_a_note() {
    let instant = days(1);
    let edit = Edit::of(|_, new| format!("not-before={instant}\n{new}\n"));
    let answer = edit.check(&["--json"]).json();
    let findings = answer["findings"].as_array().unwrap();
    assert!(findings.iter().all(|found| found["level"] == "note"), "{answer}");
    assert!(findings.iter().any(|found| found["code"] == "taken_out"), "{answer}");
    let shown = edit.check(&[]);
    assert!(
        shown.output.ends_with("\nthe edit logs nobody out, but for whom not-before is there to\n"),
        "{}",
        shown.output
    );
    assert!(!shown.output.contains("to avoid it"), "{}", shown.output);
}

#[test]
fn the_file_of_before_is_read_as_every_key_file_and_nothing_shows_a_key() {
    let edit = Edit::of(|old, new| format!("{new}\n{old}\n"));
    for more in [&[][..], &["--json"]] {
        let outcome = edit.check(more);
        for key in [&edit.old, &edit.new] {
            let secret = key.to_secret_text().rsplit('.').next().unwrap().to_owned();
            assert_hides(&outcome.output, &secret);
            assert_hides(&outcome.error, &secret);
        }
    }
    let broken = KeyFile::new("soon");
    let outcome = edit.after.run("check", &["--from", broken.path()]);
    outcome.assert_failed(2);
    assert!(outcome.error.contains(broken.path()), "{}", outcome.error);
}

#[test]
fn what_is_said_to_avoid_it_does() {
    let edit = Edit::of(|old, new| format!("{new}\n{old}\n"));
    let found = edit.found(&[]);
    let found = found.iter().find(|found| found["code"] == "not_loaded").unwrap();
    let avoid = found["logged_out"]["avoid"].as_str().unwrap();
    let mark = avoid.split('`').nth(1).unwrap();
    let [old, new] = [&edit.old, &edit.new].map(Key::to_secret_text);
    let better = Ring::new(format!("{} {mark}\n{}\n", *new, *old));
    assert!(KeyRing::from_text(&better.content()).is_ok());
    assert_eq!(
        run(["keys", "check", better.path(), "--from", edit.before.path()], "").line(),
        "the edit logs nobody out"
    );
}
