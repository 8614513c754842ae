//! What parses as a key or a ring is written back to a text that parses to the same, a ring's text is edited and keeps what
//! the edit is not about, and no error shows a secret.

#![no_main]

use std::cmp::Reverse;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealed_session::operator::{RingMarks, RingText};
use sealed_session::{Key, KeyError, KeyId, KeyRing, RingEntry, Timestamp};

/// Characters in a row that no error may share with a secret.
const WINDOW: usize = 6;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Key::from_text(text) {
        Ok(key) => key_is_written_back(text, &key),
        Err(error) => shows_no_secret(&error, text),
    }
    match KeyRing::from_text(text) {
        Ok(ring) => {
            ring_is_written_back(text, &ring);
            ring_is_edited(text, &ring);
        }
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

/// An entry as the words of a ring's text name it.
struct Named {
    key: Key,
    marks: RingMarks,
}

/// Reads a text that is known to be a ring, by another way than the crate does.
fn named(text: &str) -> (Vec<Named>, Option<Timestamp>) {
    let time = |text: &str| Some(Timestamp::from_rfc3339(text).expect("all times of a ring are read"));
    let mut entries = Vec::<Named>::new();
    let mut not_before = None;
    for word in text.lines().flat_map(words) {
        if let Some(instant) = word.strip_prefix("not-before=") {
            not_before = time(instant);
        } else if let Ok(key) = Key::from_text(word) {
            entries.push(Named { key, marks: RingMarks::default() });
        } else {
            let marks = &mut entries.last_mut().expect("a mark stands behind a key").marks;
            match word.split_once('=') {
                Some(("seal-from", instant)) => marks.seal_from = time(instant),
                Some(("seal-until", instant)) => marks.seal_until = time(instant),
                Some(("open-until", instant)) => marks.open_until = time(instant),
                _ => marks.open_only = word == "open-only" || panic!("all words of a ring are keys or marks: {word}"),
            }
        }
    }
    let has_times = |entry: &Named| {
        entry.marks.seal_from.is_some() || entry.marks.seal_until.is_some() || entry.marks.open_until.is_some()
    };
    if !entries.iter().any(has_times) {
        entries
            .iter_mut()
            .filter(|entry| !entry.marks.open_only)
            .skip(1)
            .for_each(|entry| entry.marks.open_only = true);
    }
    (entries, not_before)
}

fn ring_is_written_back(text: &str, ring: &KeyRing) {
    let (mut entries, not_before) = named(text);
    // Those that seal, the newest first; then those that only open.
    entries.sort_by_key(|Named { key, marks }| (marks.open_only, Reverse(marks.seal_from), key.id()));
    let ids: Vec<_> = ring.key_ids().collect();
    assert_eq!(ids, entries.iter().map(|entry| entry.key.id()).collect::<Vec<_>>());
    for (position, id) in ids.iter().enumerate() {
        assert!(!ids[..position].contains(id), "a key stands twice");
    }
    assert_eq!(ring.not_before(), not_before);

    let times = entries.iter().flat_map(|Named { marks, .. }| [marks.seal_from, marks.seal_until]).flatten();
    for now in times.flat_map(|time| [Some(time), time.unix_seconds().checked_sub(1).map(Timestamp::from_unix_seconds)])
    {
        let now = now.unwrap_or_default();
        // The newest that has begun and has not ended, before the next one begins.
        let begun = entries
            .iter()
            .find(|Named { marks, .. }| !marks.open_only && marks.seal_from.is_none_or(|from| from <= now));
        let seals = begun.filter(|Named { marks, .. }| marks.seal_until.is_none_or(|until| now <= until));
        assert_eq!(ring.sealing_key_id(now), seals.map(|entry| entry.key.id()), "at {now}");
        assert_eq!(ring.check(now).is_ok(), seals.is_some());
    }

    let again = entries.iter().map(|entry| RingEntry::new(entry.key.clone()).with_marks(entry.marks));
    let again = KeyRing::from_entries(again).expect("what was read goes together");
    assert_eq!(*ring, not_before.map_or(again.clone(), |instant| again.with_not_before(instant)));
}

/// Edits of a ring's text keep to what they are about, and read as what they say.
fn ring_is_edited(text: &str, ring: &KeyRing) {
    let original = RingText::parse(text).expect("what is a ring can be edited");
    assert_eq!(original.ring(), ring);
    assert_eq!(*original.to_secret_text(), text);
    assert!(!format!("{original:?}").contains('#'), "a comment is shown");

    let entries: Vec<_> = original.entries().map(|entry| (entry.key_id(), *entry.marks())).collect();
    for (key_id, marks) in &entries {
        let mut same = original.clone();
        same.set_marks([(*key_id, *marks)]).expect("what is so can be said");
        assert_eq!(*same.to_secret_text(), text);

        let mut ended = *marks;
        ended.seal_until = Some(END);
        edit(
            &original,
            key_id,
            |text| text.set_marks([(*key_id, ended)]),
            |entries| {
                entries.iter_mut().filter(|(known, _)| known == key_id).for_each(|(_, marks)| *marks = ended);
            },
        );
        edit(&original, key_id, |text| text.remove(key_id), |entries| entries.retain(|(known, _)| known != key_id));
    }
    let new = RingEntry::new(NEW.clone()).seal_from(END);
    let added = (new.key_id(), *new.marks());
    edit(&original, &added.0, |text| text.push(new.clone(), Some("a\nb")), |entries| entries.push(added));

    let mut dated = original.clone();
    if dated.set_not_before(Some(END)).is_ok() {
        assert_eq!(KeyRing::from_text(&dated.to_secret_text()), Ok(ring.clone().with_not_before(END)));
        dated.set_not_before(None).expect("it is taken out");
        assert_eq!(dated.ring().not_before(), None);
    }
}

/// Makes an edit, which may be refused, and says with `expected` what it does to the entries.
fn edit(
    original: &RingText,
    about: &KeyId,
    change: impl FnOnce(&mut RingText) -> Result<(), KeyError>,
    expected: impl FnOnce(&mut Vec<(KeyId, RingMarks)>),
) {
    let mut edited = original.clone();
    let before = original.to_secret_text();
    if change(&mut edited).is_err() {
        assert_eq!(*edited.to_secret_text(), *before, "an edit that is refused changes nothing");
        return;
    }
    let mut entries: Vec<_> = original.entries().map(|entry| (entry.key_id(), *entry.marks())).collect();
    expected(&mut entries);
    let after = edited.to_secret_text();
    assert_eq!(edited.entries().map(|entry| (entry.key_id(), *entry.marks())).collect::<Vec<_>>(), entries);
    assert_eq!(KeyRing::from_text(&after).as_ref(), Ok(edited.ring()));

    // Of a text that says by marks what it means, every line without the key stays, comments and order included.
    if original.is_plain_list() {
        return;
    }
    let others = |text: &str| -> Vec<String> {
        let has_it = |line: &str| words(line).any(|word| Key::from_text(word).is_ok_and(|key| key.id() == *about));
        // A carriage return at the very end is a part of the line break once a line follows.
        text.lines().filter(|line| !has_it(line)).map(|line| line.trim_end_matches('\r').to_owned()).collect()
    };
    let (before, after) = (others(&before), others(&after));
    let mut rest = after.iter();
    for line in before {
        assert!(rest.any(|kept| *kept == line), "a line was lost");
    }
}

/// The end of what is written into a text, behind most times that a fuzzer finds.
const END: Timestamp = Timestamp::from_unix_seconds(32_503_680_000);

static NEW: LazyLock<Key> = LazyLock::new(|| Key::generate().expect("random bytes"));

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
    let other = "ssk1.xchacha.egT1Xm8jmSo.H14Wj47fcCPtOiVkHL4_hcK27y80v5CNsh3UfEBfFW4";
    let (early, late) = ("1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z");
    let of_rings = [
        "",
        "?",
        "?=",
        "open-only",
        "hex:",
        &format!("not-before={early}\nnot-before={early}"),
        &format!("not-before={early} {key}"),
        &format!("{key} open-only"),
        &format!("{key} open-only open-only"),
        &format!("{key} seal-from=?"),
        &format!("{key} seal-from={late} seal-until={early}"),
        &format!("{key} seal-until={late} open-until={early}"),
        &format!("{key}\n{key}"),
        &format!("{key}\n{other}\n{key} seal-from={late}"),
        &format!("{key} seal-until={late}\n{other}"),
        &format!("{key} seal-from={late}\n{other} seal-from={late}"),
    ]
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
