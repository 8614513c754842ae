//! What is refused, and that it leaves the file as it was.

use std::fs;

use sealed_session::Key;

use super::super::support::{assert_hides, run};
use super::support::{Ring, days};

/// Every command, with arguments that would do something on a file of these two keys.
fn commands<'a>(sealing: &'a str, other: &'a str, time: &'a str) -> [(&'static str, Vec<&'a str>); 7] {
    [
        ("list", vec![]),
        ("check", vec![]),
        ("add", vec![]),
        ("promote", vec!["--at", time, "--force", "--", other]),
        ("retire", vec!["--at", time, "--force", "--", sealing]),
        ("remove", vec!["--force", "--", other]),
        ("revoke-before", vec!["--force", "--at", time]),
    ]
}

#[test]
fn a_file_that_is_no_ring_is_wrong_usage_for_every_command_and_stays() {
    let keys = [Key::generate().unwrap(), Key::generate().unwrap()];
    let [one, other] = keys.each_ref().map(Key::to_secret_text);
    let [sealing, old] = keys.each_ref().map(|key| key.id().to_string());
    let time = days(3);
    let weak = format!("hex:{}", "07".repeat(32));
    for (content, problem) in [
        (String::new(), "at least one key"),
        ("# nothing yet\n".to_owned(), "at least one key"),
        (format!("{}\n{}\n", *one, *one), "line 2 of the ring"),
        (format!("{}\n{weak}\n", *one), "line 2 of the ring: weak key"),
        (format!("{}\n{} seal-from=tomorrow\n", *one, *other), "line 2 of the ring"),
        (format!("{} open-only\n", *one), "open-only"),
        (format!("{} seal-from={time} seal-until={}\n{}\n", *one, days(1), *other), "stops sealing before it begins"),
        (format!("{} seal-from={time}\n{} seal-from={time}\n", *one, *other), "both seal from"),
    ] {
        let ring = Ring::new(content);
        for (command, arguments) in commands(&sealing, &old, &time) {
            ring.assert_refused(command, &arguments, 2, problem);
        }
    }
    let not_text = Ring::new(b"ssk1.\xff");
    let too_large = Ring::new("# a comment\n".repeat(10_000));
    for (command, arguments) in commands(&sealing, &old, &time) {
        not_text.assert_refused(command, &arguments, 2, "not UTF-8");
        too_large.assert_refused(command, &arguments, 2, "more than 65536 bytes");
        assert_eq!(Ring::none().run(command, &arguments).code, 2);
    }
}

#[test]
fn a_half_written_file_is_not_edited() {
    let keys = [Key::generate().unwrap(), Key::generate().unwrap()];
    let [one, other] = keys.each_ref().map(Key::to_secret_text);
    let time = days(3);
    let line = format!("{} seal-from={time}", *other);
    for cut in (1..line.len()).filter(|cut| *cut != other.len() && *cut != other.len() + 1) {
        let ring = Ring::new(format!("{}\n{}", *one, &line[..cut]));
        // Each fifth, because every cut runs the command.
        if cut % 5 == 0 {
            ring.assert_refused("add", &[], 2, "line 2 of the ring");
        }
    }
}

#[test]
fn a_ring_in_which_nothing_would_seal_is_not_written() {
    let time = days(3);
    let (ring, [key]) = Ring::of([""]);
    ring.assert_refused("retire", &["--at", &time, "--", &key.id().to_string()], 1, "nothing would seal from");
    ring.assert_refused("remove", &["--force", "--", &key.id().to_string()], 1, "seals; add a key");

    let (ended, _) = Ring::of([&format!("seal-until={}", days(-1))]);
    ended.assert_refused("add", &[], 1, "no key of the ring seals");
    ended.edit("add", &["--now", "--force"]);
}

#[test]
fn a_removal_that_would_open_an_older_window_again_is_refused_with_force_too() {
    let [began, ended] = [days(-9), days(-3)];
    let (ring, [old, middle, _]) =
        Ring::of(["", &format!("seal-from={began} seal-until={ended}"), &format!("seal-from={ended}")]);
    let (old, middle) = (old.id().to_string(), middle.id().to_string());
    ring.assert_refused("remove", &["--force", "--", &middle], 1, &format!("the line of {old} does not say"));
    ring.edit("retire", &["--", &old]);
    ring.edit("remove", &["--force", "--", &middle]);
}

#[test]
fn what_servers_may_not_know_in_time_needs_force() {
    let (ring, [_, new]) = Ring::of(["", &format!("seal-from={}", days(3))]);
    let new = new.id().to_string();
    let soon = ["--in", "59m"];
    ring.assert_refused("add", &soon, 1, "before the roll-out is over");
    ring.assert_refused("promote", &[&soon[..], &["--", &new]].concat(), 1, "before the roll-out is over");
    ring.assert_refused("remove", &["--rollout", "4d", "--", &new], 1, "before the roll-out is over");
    ring.assert_refused("revoke-before", &["--in", "61m"], 1, "two minutes");
    ring.assert_refused("add", &["--at", &days(-1), "--force"], 1, "is past");
}

#[test]
fn a_key_id_that_names_no_key_or_is_none_is_wrong_usage() {
    let (ring, [key]) = Ring::of([""]);
    let text = key.id().to_string();
    for command in ["promote", "retire", "remove"] {
        ring.assert_refused(command, &["--", &text[..3]], 2, "the first 4 or more");
        ring.assert_refused(command, &["--", "????"], 2, &format!("no key ????; it has {text}"));
        ring.assert_refused(command, &[], 2, "KEY_ID");
    }
}

#[test]
fn a_key_that_cannot_be_added_is_refused() {
    let (ring, [known]) = Ring::of([""]);
    let secret = known.to_secret_text();
    let before = ring.state();
    for (input, code, problem) in [
        (secret.to_string(), 1, "stands in the ring twice"),
        (format!("hex:{}", "07".repeat(32)), 2, "weak key"),
        ("correct horse battery staple".to_owned(), 2, "a key begins with"),
        (String::new(), 2, "a key begins with"),
        (secret[..secret.len() - 1].to_owned(), 2, "copy the whole key"),
    ] {
        let outcome = ring.run_with_input("add", &["--key-file", "-"], &input);
        outcome.assert_failed(code);
        assert!(outcome.error.contains(problem), "{}", outcome.error);
        assert_eq!(ring.state(), before);
    }
    let other = Key::generate_with(sealed_session::Suite::Xaes).unwrap().to_secret_text();
    let outcome = ring.run_with_input("add", &["--key-file", "-", "--suite", "xchacha"], &other);
    outcome.assert_failed(2);
    assert!(outcome.error.contains("of the suite xaes"), "{}", outcome.error);
}

#[test]
fn wrong_arguments_are_wrong_usage() {
    let (ring, _) = Ring::of([""]);
    for (command, arguments, named) in [
        ("add", &["--now", "--in", "1h"][..], "--in"),
        ("add", &["--create", "--now"], "--now"),
        ("add", &["--in", "soon"], "a duration is written as"),
        ("add", &["--in", "1500ms"], "a duration is written as"),
        ("add", &["--at", "2026-11-23"], "a time is written as"),
        ("revoke-before", &[], "--at or --in"),
        ("revoke-before", &["--at", "2026-11-23T09:00:00Z", "--in", "1h"], "--in"),
        ("list", &["--grace", "soon"], "--grace"),
        ("list", &["extra"], "extra"),
        ("check", &["--rollout", "1h"], "--from"),
        ("check", &["--skew", "5s"], "--from"),
    ] {
        ring.assert_refused(command, arguments, 2, named);
    }
    let missing = Ring::none();
    for command in ["add", "list"] {
        let outcome = missing.run(command, &[]);
        outcome.assert_failed(2);
        assert!(outcome.error.contains("`sealed-session keys add FILE --create` makes one"), "{}", outcome.error);
    }
    for arguments in [&["keys"][..], &["keys", "rotate"], &["keys", "list"]] {
        run(arguments, "").assert_failed(2);
    }
}

#[test]
fn a_secret_that_is_given_as_an_argument_by_mistake_is_not_shown() {
    let (ring, [key]) = Ring::of([""]);
    let text = key.to_secret_text();
    let secret = text.rsplit('.').next().unwrap();
    for arguments in [
        &["keys", "list", text.as_str()][..],
        &["keys", "add", text.as_str()],
        &["keys", "add", text.as_str(), "--create"],
        &["keys", "add", ring.path(), "--key-file", text.as_str()],
        &["keys", "add", ring.path(), "--at", text.as_str()],
        &["keys", "add", ring.path(), "--in", text.as_str()],
        &["keys", "promote", ring.path(), text.as_str()],
        &["keys", "retire", ring.path(), secret],
        &["keys", "remove", ring.path(), text.as_str()],
        &["keys", "revoke-before", ring.path(), "--at", text.as_str()],
        &["keys", text.as_str()],
    ] {
        let outcome = run(arguments, "");
        outcome.assert_failed(2);
        assert_hides(&outcome.error, secret);
    }
}

#[test]
fn no_command_prints_a_secret() {
    let time = days(3);
    let (ring, [sealing, pending]) = Ring::of(["", &format!("seal-from={time}")]);
    let (first, second) = (sealing.id().to_string(), pending.id().to_string());
    for (command, arguments) in commands(&first, &second, &time) {
        for json in [&["--json"][..], &[]] {
            let outcome = ring.run(command, &[json, &arguments].concat());
            let all = format!("{}{}", outcome.output, outcome.error);
            for key in [&sealing, &pending].map(Key::to_secret_text) {
                assert_hides(&all, key.rsplit('.').next().unwrap());
            }
            for key in ring.content().split_whitespace().filter(|word| word.starts_with("ssk1.")) {
                assert_hides(&all, key.rsplit('.').next().unwrap());
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_leaves_the_file_and_nothing_beside_it() {
    // No file may grow; the signal that would end the command is ignored, so that it sees the error.
    let script = r#"trap '' XFSZ; ulimit -f 0; exec "$@""#;
    let (ring, _) = Ring::of([""]);
    let before = ring.state();
    let run = |arguments: &[&str]| {
        let program = ["-c", script, "sh", env!("CARGO_BIN_EXE_sealed-session")];
        let output = std::process::Command::new("sh").args(program).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = run(&["keys", "add", ring.path()]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("stays as it was: File too large"), "{error}");
    assert_eq!((ring.state(), ring.names_beside()), (before, vec![]));

    let none = Ring::none();
    let (code, error) = run(&["keys", "add", none.path(), "--create"]);
    assert_eq!(code, 1, "{error}");
    assert_eq!(fs::read_dir(none.directory()).unwrap().count(), 0);
}
