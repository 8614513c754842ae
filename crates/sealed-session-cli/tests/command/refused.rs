//! `sealed-session open`: what it refuses. Times are not among it here, because the command reads the real clock.

use std::io::Write as _;

use sealed_session::Key;
use serde_json::Value;

use super::support::{KeyFile, end, run, start};

#[test]
fn another_audience_or_cookie_name_is_unauthentic() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = keys.seal("{}");
    for other in [["--audience", "example-app/prod"], ["--cookie-name", "session"]] {
        run(["open", "--keys", keys.path()].iter().chain(&other), &text).assert_refused("unauthentic");
    }
}

#[test]
fn a_cookie_that_was_tampered_with_is_unauthentic() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = keys.seal(r#"{"user":42}"#);
    // Nonce, ciphertext and tag; the version and the key id before them have reasons of their own.
    for position in [14, 44, 80, text.len() - 10] {
        let replacement = if &text[position..=position] == "A" { "B" } else { "A" };
        let mut tampered = text.clone();
        tampered.replace_range(position..=position, replacement);
        keys.open(tampered).assert_refused("unauthentic");
    }
}

#[test]
fn a_cookie_of_a_key_that_is_not_in_the_file_has_an_unknown_key() {
    let [key, other] = [(); 2].map(|()| KeyFile::of(&[&Key::generate().unwrap()]));
    key.open(other.seal("{}")).assert_refused("unknown_key");
}

#[test]
fn what_is_no_cookie_value_is_malformed() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    let text = keys.seal("{}");
    let (start, end) = text.split_at(50);
    for input in
        ["", "\n", "AQ", &text[..109], &format!("{start}\n{end}"), &format!("{text} {text}"), &format!("{text}=")]
    {
        keys.open(input).assert_refused("malformed");
    }
    keys.open([text.as_bytes(), b"\xff"].concat()).assert_refused("malformed");
    keys.open("A".repeat(5000)).assert_refused("malformed");
    keys.open(format!("__Host-session={text}")).assert_refused("malformed");
}

#[test]
fn input_beyond_64_kib_is_malformed_and_not_read_to_its_end() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    keys.open(format!("{}{}", keys.seal("{}"), " ".repeat(64 * 1024))).assert_refused("malformed");

    let mut child = start(["open", "--keys", keys.path()]);
    let mut input = child.stdin.take().unwrap();
    // Ends when the command closes its side.
    let written = (0..1024).take_while(|_| input.write_all(&[b'A'; 64 * 1024]).is_ok()).count();
    assert!(written < 1024);
    end(child).assert_refused("malformed");
}

#[test]
fn the_known_refusals_that_no_clock_decides_give_their_reason_codes() {
    const TIMELESS: [&str; 4] = ["malformed", "unknown_version", "unknown_key", "unauthentic"];

    let document: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/sealed_session_v1.json")).unwrap();
    let audience = document["audience"].as_str().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for suite in document["suites"].as_array().unwrap() {
        let keys = KeyFile::new(suite["key_text"].as_str().unwrap());
        for cookie in suite["refused"].as_array().unwrap() {
            let reason = cookie["reason"].as_str().unwrap();
            if TIMELESS.contains(&reason) {
                let arguments = ["open", "--keys", keys.path(), "--audience", audience];
                run(arguments, cookie["text"].as_str().unwrap()).assert_refused(reason);
                seen.insert(reason);
            }
        }
    }
    assert_eq!(seen.len(), TIMELESS.len());
}
