//! `sealed-session seal`

use std::io::Write as _;
use std::time::Duration;

use sealed_session::sealer::Sealer;
use sealed_session::{Clock as _, Key, Lifetimes, Reason, SystemClock};

use super::support::{KeyFile, assert_hides, end, run, start};

/// Bytes of JSON that a cookie of the name `__Host-session` carries: wire format, section 9.
const PAYLOAD_MAX_BYTES: usize = 2979;

fn seal_for(keys: &KeyFile, seconds: &str) -> String {
    run(["seal", "--keys", keys.path(), "--ttl", seconds], "{}").line().to_owned()
}

/// A JSON object of so many bytes.
fn object(bytes: usize) -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8))
}

#[test]
fn the_session_begins_now_and_ends_after_its_lifetime() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    for seconds in [1, 3600, 7200, 7201, 2_592_000] {
        let before = SystemClock.now().unix_seconds();
        let text = seal_for(&keys, &seconds.to_string());
        let after = SystemClock.now().unix_seconds();
        // With the library, whose clock stands still: a second may be over before the command has opened it.
        let key = Key::from_text(&std::fs::read_to_string(keys.path()).unwrap()).unwrap();
        let sealer = Sealer::builder(key).build().unwrap();
        let opened = sealer.open(&text, sealed_session::Timestamp::from_unix_seconds(before)).unwrap();
        assert!((before..=after).contains(&opened.created().unix_seconds()));
        assert_eq!(opened.issued(), opened.created());
        assert_eq!(opened.expires(), opened.issued().saturating_add_seconds(seconds));
        assert!(!opened.is_browser_session());
    }
}

#[test]
fn the_default_idle_timeout_follows_the_application_and_any_other_lifetime_is_the_sessions_own() {
    let key = Key::generate().unwrap();
    let keys = KeyFile::of(&[&key]);
    let lifetimes = Lifetimes::default().idle_timeout(Duration::from_secs(100));
    let application = Sealer::builder(key).lifetimes(lifetimes).build().unwrap();
    for (seconds, is_open_after_its_idle_timeout) in [("7199", true), ("7200", false), ("7201", true)] {
        let text = seal_for(&keys, seconds);
        let later = SystemClock.now().saturating_add_seconds(200);
        match application.open(&text, later) {
            Ok(_) => assert!(is_open_after_its_idle_timeout, "{seconds}"),
            Err(reason) => assert_eq!((reason, is_open_after_its_idle_timeout), (Reason::ExpiredIdle, false)),
        }
    }
}

#[test]
fn a_lifetime_is_from_one_second_to_thirty_days() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    for seconds in ["0", "2592001", "18446744073709551616", "-1", "1.5", "1h", " 1", ""] {
        let outcome = run(["seal", "--keys", keys.path(), &format!("--ttl={seconds}")], "{}");
        outcome.assert_failed(2);
        assert!(outcome.error.contains("--ttl"), "{}", outcome.error);
    }
}

#[test]
fn the_cookie_is_bound_to_the_default_name_and_the_empty_audience_unless_others_are_given() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let named = ["--cookie-name", "__Host-session", "--audience", ""];
    let text = keys.seal("{}");
    run(["open", "--keys", keys.path()].iter().chain(&named), &text).json();

    let given = ["--keys", keys.path(), "--cookie-name", "id", "--audience", "example-app/prod"];
    let text = run(["seal", "--ttl", "60"].iter().chain(&given), "{}").line().to_owned();
    run(["open"].iter().chain(&given), &text).json();
    keys.open(&text).assert_refused("unauthentic");
}

#[test]
fn the_first_key_of_the_file_seals() {
    let (new, old) = (Key::generate().unwrap(), Key::generate().unwrap());
    let keys = KeyFile::of(&[&new, &old]);
    assert_eq!(keys.open(keys.seal("{}")).json()["key_id"], new.id().to_string());
}

#[test]
fn numbers_at_the_ends_of_their_ranges_come_back_as_they_are_written() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    for number in ["18446744073709551615", "-9223372036854775808", "0", "-0.0", "0.1", "5e-324"] {
        let json = format!("{{\"n\":{number}}}");
        let opened = keys.open(keys.seal(&json));
        assert!(opened.line().contains(&format!("\"payload\":{json}")), "{}", opened.line());
    }
}

#[test]
fn a_number_that_would_be_rounded_is_not_sealed() {
    for number in ["18446744073709551616", "-9223372036854775809", "1e400", "[{\"m\":99999999999999999999}]"] {
        assert_not_sealed(format!("{{\"n\":{number}}}"), "number");
    }
}

#[test]
fn what_is_not_one_json_object_is_not_sealed() {
    for (input, problem) in [
        ("", "EOF"),
        ("\n", "EOF"),
        ("[]", "an array, not an object"),
        ("\"text\"", "a string, not an object"),
        ("null", "null, not an object"),
        ("{\"a\":1", "EOF"),
        ("{} {}", "trailing characters"),
        ("{'a':1}", "line 1 column 2"),
        ("{\"a\":NaN}", "line 1 column 6"),
        ("\u{feff}{}", "line 1 column 1"),
    ] {
        assert_not_sealed(input, problem);
    }
    assert_not_sealed(b"{\"a\":\"\xff\"}", "unicode");
    assert_not_sealed(format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)), "recursion limit");
}

#[test]
fn a_reserved_member_that_no_server_reads_is_not_sealed_however_it_is_written() {
    for input in [
        r#"{"~":[]}"#,
        r#"{"a":1,"\u007e":null}"#,
        r#"{"~":{"flash":1}}"#,
        r#"{"~":{"errors":[]}}"#,
        r#"{"~":{"input":""}}"#,
        r#"{"~":{"server_only":1}}"#,
        r#"{"~":{"server_only":[1]}}"#,
    ] {
        assert_not_sealed(input, "reserved");
    }
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    keys.open(keys.seal(r#"{"a":{"~":1},"~~":2}"#)).json();
}

#[test]
fn two_members_of_one_name_are_not_sealed_and_are_named() {
    for (input, path) in [
        (r#"{"role":1,"role":2}"#, "\"role\""),
        (r#"{"role":1,"\u0072ole":2}"#, "\"role\""),
        (r#"{"me":[{"role":1,"role":2}]}"#, "\"me.0.role\""),
        ("{\"a\\n\\u001b\":1,\"a\\n\\u001b\":2}", "\"a\\n\\u{1b}\""),
    ] {
        assert_not_sealed(input, &format!("{path}: two members have one name"));
    }
}

#[test]
fn what_was_opened_is_sealed_again_with_the_librarys_own_member() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let object = r#"{"user":42,"~":{"flash":{"notice":"saved"}}}"#;
    let opened = keys.open(keys.seal(object)).json();
    assert_eq!(keys.open(keys.seal(&opened["payload"].to_string())).json()["payload"], opened["payload"]);
    assert_eq!(opened["payload"]["~"]["flash"]["notice"], "saved");
}

#[test]
fn the_largest_payload_is_sealed_and_one_byte_more_is_not() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    assert_eq!(keys.seal(&object(PAYLOAD_MAX_BYTES)).len(), 4096 - "__Host-session".len());
    assert_not_sealed(object(PAYLOAD_MAX_BYTES + 1), "2980 bytes of JSON do not fit, 2979 are the most");
    assert_not_sealed(object(1024 * 1024), "1048576 bytes of JSON do not fit");
    assert_not_sealed(object(1024 * 1024 + 1), "more than 1048576 bytes");
    let help = run(["seal", "--help"], "").output;
    assert!(help.contains(&format!("carries up to {PAYLOAD_MAX_BYTES} bytes")), "{help}");
}

#[test]
fn white_space_that_is_not_sealed_does_not_count() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    keys.seal(&format!("{}{}{}", "\n".repeat(10_000), object(PAYLOAD_MAX_BYTES), " ".repeat(10_000)));
}

#[test]
fn input_without_an_end_is_not_read_to_its_end() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let mut child = start(["seal", "--keys", keys.path(), "--ttl", "60"]);
    let mut input = child.stdin.take().unwrap();
    // Ends when the command closes its side; 64 MiB are far beyond what it may read.
    let written = (0..1024).take_while(|_| input.write_all(&[b' '; 64 * 1024]).is_ok()).count();
    assert!(written < 1024);
    end(child).assert_failed(1);
}

#[test]
fn an_error_shows_nothing_of_the_input() {
    const SECRET: &str = "correct-horse-battery-staple";
    for input in [
        format!("\"{SECRET}\""),
        format!("{{\"{SECRET}\":{SECRET}}}"),
        format!("{{\"{SECRET}\":1e400}}"),
        format!("{{\"~\":\"{SECRET}\"}}"),
        format!("{{\"a\":\"{}\"}}", SECRET.repeat(1000)),
        SECRET.to_owned(),
    ] {
        let keys = KeyFile::of(&[&Key::generate().unwrap()]);
        let outcome = run(["seal", "--keys", keys.path(), "--ttl", "60"], input);
        outcome.assert_failed(1);
        assert_hides(&outcome.error, SECRET);
    }
}

#[track_caller]
fn assert_not_sealed(input: impl AsRef<[u8]>, problem: &str) {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let outcome = run(["seal", "--keys", keys.path(), "--ttl", "60"], input);
    outcome.assert_failed(1);
    assert!(outcome.error.starts_with("error: not sealed: ") && outcome.error.contains(problem), "{}", outcome.error);
    assert_eq!(outcome.error.lines().count(), 1, "{}", outcome.error);
}
