//! What parses as a key or a ring is written back to a text that parses to the same, and no error shows a secret.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealed_session::{Key, KeyError, KeyRing};

/// Characters in a row that no error may share with a secret.
const WINDOW: usize = 6;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Key::from_text(text) {
        Ok(key) => key_is_written_back(text, &key),
        Err(error) => shows_no_secret(&error, text),
    }
    match KeyRing::from_text(text) {
        Ok(ring) => ring_is_written_back(text, &ring),
        Err(error) => shows_no_secret(&error, text),
    }
});

fn key_is_written_back(text: &str, key: &Key) {
    let written = key.to_secret_text();
    let again = Key::from_text(&written).expect("what was written is read");
    assert_eq!(&again, key);
    assert_eq!((again.id(), again.suite()), (key.id(), key.suite()));

    // One text per key, but for the case of hexadecimal digits.
    let trimmed = text.trim_ascii();
    let secret = secret_of(&written);
    if let Some(raw) = trimmed.strip_prefix("base64url:") {
        assert_eq!(raw, secret);
    } else if let Some(raw) = trimmed.strip_prefix("base64:") {
        assert_eq!(raw.replace('+', "-").replace('/', "_").trim_end_matches('='), secret);
    } else if !trimmed.starts_with("hex:") {
        assert_eq!(trimmed, *written);
    }

    // Eight: millions of random keys make one that shares six characters with its own id.
    let shown = format!("{key:?}");
    assert!(!windows(secret, 8).any(|window| shown.contains(window)), "{shown}");
}

fn ring_is_written_back(text: &str, ring: &KeyRing) {
    let mut lines = Vec::new();
    for word in text.lines().flat_map(words) {
        match (word, lines.last_mut()) {
            ("open-only", Some((_, open_only))) => *open_only = true,
            _ => lines.push((Key::from_text(word).expect("all words of a ring are keys or marks"), false)),
        }
    }
    // The first that is not marked seals, and stands first.
    let sealing = lines.iter().position(|(_, open_only)| !open_only).expect("a ring has a key that seals");
    let first = lines.remove(sealing);
    lines.insert(0, first);

    let ids: Vec<_> = ring.key_ids().collect();
    assert_eq!(ids, lines.iter().map(|(key, _)| key.id()).collect::<Vec<_>>());
    assert_eq!(ring.sealing_key_id(), ids[0]);
    for (position, id) in ids.iter().enumerate() {
        assert!(!ids[..position].contains(id), "a key stands twice");
    }

    let written: String = lines.iter().map(|(key, _)| format!("{}\n", *key.to_secret_text())).collect();
    let again = KeyRing::from_text(&written).expect("what was written is read");
    assert_eq!(again.key_ids().collect::<Vec<_>>(), ids);
}

fn shows_no_secret(error: &KeyError, text: &str) {
    let shown = without_numbers(&format!("{error} {error:?}"));
    for secret in text.lines().flat_map(words).map(secret_of) {
        for window in windows(secret, WINDOW) {
            assert!(
                !shown.contains(window) || MESSAGES.contains(window),
                "{window:?} of the text stands in the error: {shown}"
            );
        }
    }
}

/// The texts of the errors themselves. An error of each kind, from texts that hold no secret.
static MESSAGES: LazyLock<String> = LazyLock::new(|| {
    let key = "ssk1.xaes.5_Q10xxuTqY.H14Wj47fcCPtOiVkHL4_hcK27y80v5CNsh3UfEBfFW4";
    let of_keys = [
        "",
        "ssk1.",
        "ssk1.?..",
        "ssk1.xaes..",
        "hex:",
        "base64:",
        "base64url:",
        &format!("hex:{}", "?".repeat(64)),
        &format!("base64:{}", "?".repeat(44)),
        &format!("base64url:{}", "?".repeat(43)),
        &format!("hex:{}", "00".repeat(32)),
        &format!("hex:{}", "41".repeat(31) + "42"),
        &format!("hex:{}", "00".repeat(31) + "01"),
        &key.replacen("5_Q", "AAA", 1),
        &key.replacen("5_Q10xxuTqY", &"?".repeat(11), 1),
    ]
    .map(|text| Key::from_text(text).map(|_| ()));
    let of_rings = ["", "?", "?=", "open-only", "hex:", &format!("{key} open-only"), &format!("{key}\n{key}")]
        .map(|text| KeyRing::from_text(text).map(|_| ()));
    let errors = of_keys.into_iter().chain(of_rings).filter_map(Result::err);
    errors.map(|error| without_numbers(&format!("{error} {error:?} "))).collect()
});

/// Numbers count characters, lines and bytes, or stand in a key id; none is long enough to be a secret of digits.
fn without_numbers(shown: &str) -> String {
    let digits = shown.split(|character: char| !character.is_ascii_digit()).map(str::len).max();
    assert!(digits <= Some(11), "a long number: {shown}");
    shown.replace(|character: char| character.is_ascii_digit(), "#")
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let without_comment = line.split('#').next().unwrap_or_default();
    without_comment.split([' ', '\t', '\r', ',']).filter(|word| !word.is_empty())
}

/// What follows the prefix, suite and key id; all of it where there is none.
fn secret_of(word: &str) -> &str {
    word.rsplit(['.', ':']).next().unwrap_or_default()
}

fn windows(text: &str, length: usize) -> impl Iterator<Item = &str> {
    text.char_indices().filter_map(move |(start, _)| {
        let rest = &text[start..];
        let end = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(length)?;
        rest.get(..end)
    })
}
