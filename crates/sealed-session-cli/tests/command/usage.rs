//! Help, wrong usage, key files that cannot be used, and output that nobody takes.

use std::io::Write as _;

use sealed_session::Key;

use super::support::{KeyFile, assert_hides, end, run, start};

fn key() -> Key {
    Key::generate().unwrap()
}

/// The secret part of a key's text form.
fn secret_of(key: &Key) -> String {
    key.to_secret_text().rsplit('.').next().unwrap().to_owned()
}

/// That no subcommand takes this key file, and that each of them names it and the problem.
#[track_caller]
fn assert_unusable(path: &str, problem: &str) {
    for command in [&["seal", "--ttl", "60"][..], &["open"], &["inspect"], &["size"]] {
        let outcome = run(command.iter().chain(&["--keys", path]), "{}");
        outcome.assert_failed(2);
        assert!(outcome.error.contains(path) && outcome.error.contains(problem), "{}", outcome.error);
    }
}

#[test]
fn each_help_explains_its_exit_codes_and_shows_an_example() {
    for (command, example) in [
        ("keygen", "sealed-session keygen > session.keys"),
        ("seal", "sealed-session seal --keys session.keys"),
        ("open", "sealed-session open --keys session.keys"),
        ("inspect", "sealed-session inspect --keys session.keys"),
        ("size", "| sealed-session size\n"),
        ("sweep", "sealed-session sweep --directory /var/lib/example-app/sessions"),
    ] {
        let help = run([command, "--help"], "");
        assert_eq!((help.code, help.error.as_str()), (0, ""));
        for part in ["Example:\n", example, "Exit codes:\n  0  done", "\n  1  ", "\n  2  wrong usage"] {
            assert!(help.output.contains(part), "{}", help.output);
        }
        assert_eq!(run(["help", command], "").output, help.output);
        assert_eq!(run([command, "-h"], "").output, help.output);
    }
    let help = run(["--help"], "");
    assert_eq!((help.code, help.error.as_str()), (0, ""));
    for part in ["keygen", "keys", "seal", "open", "inspect", "size", "sweep", "Exit codes:"] {
        assert!(help.output.contains(part), "{}", help.output);
    }
}

#[test]
fn the_version_is_the_crates() {
    assert_eq!(run(["--version"], "").line(), concat!("sealed-session ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_with_2_and_names_what_is_wrong() {
    let keys = KeyFile::of(&[&key()]);
    let path = keys.path();
    for (arguments, named) in [
        (&[][..], "Usage:"),
        (&["--frobnicate"], "--frobnicate"),
        (&["unseal"], "unseal"),
        (&["keygne"], "some similar subcommands exist: 'keys', 'keygen'"),
        (&["keys", "promot"], "a similar subcommand exists: 'promote'"),
        (&["keygen", "extra"], "extra"),
        (&["keygen", "--suite"], "--suite"),
        (&["seal"], "--keys"),
        (&["seal", "--keys", path], "--ttl"),
        (&["seal", "--ttl", "60"], "--keys"),
        (&["seal", "--keys", path, "--ttl", "60", "--ttl", "60"], "--ttl"),
        (&["seal", "--keys", path, "--ttl", "60", "--clock", "5"], "--clock"),
        (&["open"], "--keys"),
        (&["open", "--keys"], "--keys"),
        (&["open", "--keys", path, "--ttl", "60"], "--ttl"),
        (&["inspect", "--idle", "2"], "a duration is written as 90s"),
        (&["inspect", "--keys", path, "--idle", "0s"], "idle_timeout"),
        (&["inspect", "--keys", path, "--absolute", "none"], "remember_max"),
        (&["inspect", "--keys", path, "--remember-max", "31days"], "absolute_timeout"),
        (&["size", "--limit", "many"], "--limit"),
        (&["size", "--cookie-name", "a b"], "cannot stand in a cookie's name"),
        (&["sweep"], "--directory"),
        (&["sweep", "--directory", "records", "--store", "elsewhere"], "file"),
        (&["sweep", "--directory", "records", "--batch", "0"], "--batch"),
        (&["sweep", "--directory", "records", "--every", "0s"], "--every"),
        (&["sweep", "--directory", "records", "--table", "sessions"], "--table"),
        (&["sweep", "--directory", "records", "--url-from-env", "A"], "--url-from-env"),
        (&["sweep", "--store", "sqlite", "--directory", "records"], "--directory"),
    ] {
        let outcome = run(arguments, "{}");
        outcome.assert_failed(2);
        assert!(outcome.error.contains(named), "{}", outcome.error);
    }
}

#[test]
fn a_name_or_an_audience_that_cannot_be_sealed_is_wrong_usage() {
    let keys = KeyFile::of(&[&key()]);
    let long = "x".repeat(257);
    for (flag, value, setting) in [
        ("--cookie-name", "", "cookie_name"),
        ("--cookie-name", &long, "cookie_name"),
        ("--audience", &long, "audience"),
    ] {
        let outcome = run(["open", "--keys", keys.path(), flag, value], "");
        outcome.assert_failed(2);
        assert!(outcome.error.contains(setting), "{}", outcome.error);
    }
}

#[test]
fn a_key_file_that_cannot_be_read_is_wrong_usage() {
    assert_unusable(concat!(env!("CARGO_TARGET_TMPDIR"), "/none.keys"), "");
    assert_unusable(env!("CARGO_TARGET_TMPDIR"), "");
    assert_unusable(KeyFile::new(b"ssk1.\xff").path(), "not UTF-8");
    assert_unusable(KeyFile::new("# a comment\n".repeat(10_000)).path(), "more than 65536 bytes");
}

#[test]
fn a_key_file_that_breaks_a_rule_is_wrong_usage_that_names_the_line_and_the_rule() {
    let good = key().to_secret_text();
    for (content, problem) in [
        (String::new(), "at least one key"),
        ("# none yet\n\n".to_owned(), "at least one key"),
        (format!("\n# weak\nhex:{}\n", "07".repeat(32)), "line 3 of the ring: weak key"),
        (format!("{}\n{}\n", *good, *good), "line 2 of the ring"),
        (format!("{}\ncorrect horse battery staple\n", *good), "line 2 of the ring"),
        (format!("{} open-only\n", *good), "open-only"),
        (format!("{} seal-until=tomorrow\n", *good), "line 1 of the ring: a time as `2026-11-23T09:00:00Z`"),
        (good.replacen("ssk1", "ssk2", 1), "line 1 of the ring"),
        (good[..good.len() - 1].to_owned(), "line 1 of the ring"),
    ] {
        assert_unusable(KeyFile::new(content).path(), problem);
    }
}

#[test]
fn an_error_about_a_key_file_shows_no_key() {
    let key = key();
    let secret = secret_of(&key);
    for content in [
        format!("ssk1.xaes.AAAAAAAAAAA.{secret}"),
        format!("ssk1.xaes.{secret}"),
        format!("base64:{secret}"),
        secret.clone(),
        format!("{0}\n{0}", *key.to_secret_text()),
    ] {
        let outcome = run(["open", "--keys", KeyFile::new(content).path()], "");
        outcome.assert_failed(2);
        assert_hides(&outcome.error, &secret);
    }
}

#[test]
fn a_secret_that_is_given_as_an_argument_by_mistake_is_not_shown() {
    let key = key();
    let (key_text, secret) = (key.to_secret_text(), secret_of(&key));
    let raw = format!("base64url:{secret}");
    let keys = KeyFile::of(&[&key]);
    let flag = format!("--{}", *key_text);
    for arguments in [
        &["open", "--keys", &**key_text][..],
        &["open", "--keys", &raw],
        &["open", "--keys", keys.path(), &key_text],
        &["open", "--keys", keys.path(), &flag],
        &["keygen", "--suite", &key_text],
        &["seal", "--keys", keys.path(), "--ttl", &key_text],
        &["inspect", "--keys", &key_text],
        &["inspect", "--keys", keys.path(), "--idle", &key_text],
        &["size", "--limit", &key_text],
        &["keys", "check", keys.path(), "--from", &raw],
        &[&key_text],
        &["help", &key_text],
    ] {
        let outcome = run(arguments, "");
        outcome.assert_failed(2);
        assert_hides(&outcome.error, &secret);
    }
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_not_unicode_is_wrong_usage() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let keys = KeyFile::of(&[&key()]);
    let bytes = OsStr::from_bytes(b"\xff");
    let path = OsStr::new(keys.path());
    let [open, name, file] = ["open", "--cookie-name", "--keys"].map(OsStr::new);
    run([open, file, path, name, bytes], "").assert_failed(2);
    run([bytes], "").assert_failed(2);
    // A file's name may be any bytes; this one is not there.
    run([open, file, bytes], "").assert_failed(2);
}

#[test]
fn when_nobody_reads_the_output_the_command_ends_quietly_and_not_with_0() {
    let keys = KeyFile::of(&[&key()]);
    let text = keys.seal("{}");
    let mut child = start(["open", "--keys", keys.path()]);
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let outcome = end(child);
    outcome.assert_failed(1);
    assert_eq!(outcome.error, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_key_that_could_not_be_written_is_not_success() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut keygen = std::process::Command::new(env!("CARGO_BIN_EXE_sealed-session"));
    let output = keygen.args(["keygen", "--suite", "xaes"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: standard output cannot be written: "));
}
