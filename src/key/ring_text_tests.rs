//! What an edit of a ring's text changes, and what it leaves.

use super::*;
use crate::clock::Timestamp;
use crate::error::KeyError;

fn key() -> Key {
    Key::generate().unwrap()
}

fn text(key: &Key) -> String {
    key.to_secret_text().to_string()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn until(seconds: u64) -> RingMarks {
    RingMarks { seal_until: Some(at(seconds)), ..RingMarks::default() }
}

fn open_only() -> RingMarks {
    RingMarks { open_only: true, ..RingMarks::default() }
}

/// That the text reads as the ring that the editor says it is, and gives that text.
#[track_caller]
fn assert_text(edited: &RingText, expected: &str) {
    assert_eq!(*edited.to_secret_text(), expected);
    assert_eq!(KeyRing::from_text(expected).as_ref(), Ok(edited.ring()));
}

#[test]
fn what_was_read_is_written_byte_for_byte() {
    let (one, other) = (text(&key()), text(&key()));
    for read in [
        one.clone(),
        format!("{one}\n"),
        format!("\r\n# ring \t\r\n  {one},\t{other} # both\r\n\r\n"),
        format!(
            "\n\n{one} seal-from=2026-11-23T10:00:00+01:00 ,, open-only\n{other}#\n\tnot-before=2026-11-23T09:00:00Z"
        ),
    ] {
        assert_text(&RingText::parse(&read).unwrap(), &read);
    }
}

#[test]
fn what_is_no_ring_cannot_be_edited() {
    for read in ["", "# nothing\n", "secret", "ssk1.xaes"] {
        assert_eq!(RingText::parse(read).unwrap_err(), KeyRing::from_text(read).unwrap_err());
    }
}

#[test]
fn a_ring_begins_with_one_entry() {
    let key = key();
    let entry = || RingEntry::new(key.clone());
    assert_text(&RingText::new(entry(), None).unwrap(), &format!("{}\n", text(&key)));
    let commented = RingText::new(entry().seal_until(at(10)), Some("a\nb")).unwrap();
    assert_text(&commented, &format!("{} seal-until=1970-01-01T00:00:10Z # a b\n", text(&key)));
    assert_eq!(RingText::new(entry().open_only(), None).unwrap_err(), KeyError::NoSealingKey);
}

#[test]
fn an_entry_is_added_behind_the_last_line_whether_that_has_an_end_or_not() {
    let (old, new) = (key(), key());
    for (before, line_break) in [("\n# end", "\n"), ("\n# end\n", "\n"), ("\r\n# end", "\r\n"), ("", "\n")] {
        let read = format!("{}{before}", text(&old));
        let mut edited = RingText::parse(&read).unwrap();
        edited.push(RingEntry::new(new.clone()).seal_from(at(10)), Some("new")).unwrap();
        let read = read.trim_end();
        let added = format!("{} seal-from=1970-01-01T00:00:10Z # new", text(&new));
        assert_text(&edited, &format!("{read}{line_break}{added}{line_break}"));
    }
}

#[test]
fn a_mark_is_set_and_taken_off_on_its_line_alone() {
    let (old, new) = (key(), key());
    let untouched = format!("\t{} seal-from=1970-01-01T01:00:10+01:00,  # new ", text(&new));
    let mut edited = RingText::parse(&format!(" {}  # old\n{untouched}\n", text(&old))).unwrap();
    edited.set_marks([(old.id(), until(10))]).unwrap();
    assert_text(&edited, &format!("{} seal-until=1970-01-01T00:00:10Z  # old\n{untouched}\n", text(&old)));
    edited.set_marks([(old.id(), RingMarks::default())]).unwrap();
    assert_text(&edited, &format!("{}  # old\n{untouched}\n", text(&old)));
}

#[test]
fn marks_that_are_there_already_change_nothing() {
    let old = key();
    let read = format!("  {}  seal-until=1970-01-01T01:00:10+01:00", text(&old));
    let mut edited = RingText::parse(&read).unwrap();
    edited.set_marks([(old.id(), until(10))]).unwrap();
    assert_text(&edited, &read);
}

#[test]
fn the_first_time_in_a_plain_list_marks_those_that_only_opened_by_their_place() {
    let keys = [key(), key(), key()];
    let [first, second, third] = keys.each_ref().map(text);
    let mut edited = RingText::parse(&format!("{first} # 1\n{second} # 2\n\t{third}  open-only\n")).unwrap();
    assert!(edited.is_plain_list());
    edited.set_marks([(keys[0].id(), until(10))]).unwrap();
    assert!(!edited.is_plain_list());
    let expected =
        format!("{first} seal-until=1970-01-01T00:00:10Z # 1\n{second} open-only # 2\n\t{third}  open-only\n");
    assert_text(&edited, &expected);
}

#[test]
fn several_keys_on_a_line_stand_on_their_own_once_one_is_edited() {
    let keys = [key(), key(), key()];
    let [first, second, third] = keys.each_ref().map(text);
    let list = RingText::parse(&format!("{first},{second} {third} # all\r\n# end")).unwrap();

    let mut edited = list.clone();
    edited.set_marks([(keys[0].id(), until(10))]).unwrap();
    let expected =
        format!("# all\r\n{first} seal-until=1970-01-01T00:00:10Z\r\n{second} open-only\r\n{third} open-only\r\n# end");
    assert_text(&edited, &expected);

    let mut edited = list;
    edited.remove(&keys[1].id()).unwrap();
    assert_text(&edited, &format!("# all\r\n{first}\r\n{third} open-only\r\n# end"));
}

#[test]
fn another_key_of_a_plain_list_seals_only_when_the_marks_say_so() {
    let keys = [key(), key(), key()];
    let [first, second, third] = keys.each_ref().map(text);
    let mut edited = RingText::parse(&format!("{first}\n{second}\n{third}\n")).unwrap();
    edited.set_marks([(keys[0].id(), open_only()), (keys[2].id(), RingMarks::default())]).unwrap();
    assert_text(&edited, &format!("{first} open-only\n{second} open-only\n{third}\n"));
}

#[test]
fn the_key_that_seals_in_a_plain_list_is_not_taken_out() {
    let (sealing, old) = (key(), key());
    let read = format!("{}\n{}\n", text(&sealing), text(&old));
    let mut edited = RingText::parse(&read).unwrap();
    assert_eq!(edited.remove(&sealing.id()).unwrap_err(), KeyError::NoSealingKey);
    assert_text(&edited, &read);
    edited.remove(&old.id()).unwrap();
    assert_text(&edited, &format!("{}\n", text(&sealing)));
}

#[test]
fn a_key_is_taken_out_with_the_comment_on_its_line_and_no_other() {
    let (sealing, old) = (key(), key());
    let mut edited =
        RingText::parse(&format!("# ring\n{} # mine\n\n# above\n{} # old\n# below\n", text(&sealing), text(&old)))
            .unwrap();
    edited.remove(&old.id()).unwrap();
    assert_text(&edited, &format!("# ring\n{} # mine\n\n# above\n# below\n", text(&sealing)));
}

#[test]
fn the_rings_not_before_is_set_on_its_line_or_on_a_new_one_and_taken_out() {
    let key = text(&key());
    let mut edited = RingText::parse(&key).unwrap();
    edited.set_not_before(Some(at(10))).unwrap();
    assert_text(&edited, &format!("{key}\nnot-before=1970-01-01T00:00:10Z\n"));
    edited.set_not_before(None).unwrap();
    assert_text(&edited, &format!("{key}\n"));

    let mut edited = RingText::parse(&format!("not-before=1970-01-01T00:00:10Z  # leak\n{key}")).unwrap();
    edited.set_not_before(Some(at(20))).unwrap();
    assert_text(&edited, &format!("not-before=1970-01-01T00:00:20Z  # leak\n{key}\n"));
}

#[test]
fn an_edit_that_is_refused_changes_nothing() {
    let (old, new) = (key(), key());
    let read = format!("{} # old\n", text(&old));
    let mut edited = RingText::parse(&read).unwrap();
    let after_9999 = at(300_000_000_000);
    let from_the_end_of_time = RingMarks { seal_from: Some(after_9999), ..RingMarks::default() };
    let not_in_ring = KeyError::NotInRing { key_id: new.id().to_string() };
    for (outcome, expected) in [
        (edited.push(RingEntry::new(new.clone()).seal_from(after_9999), None), KeyError::NoTextForm),
        (edited.set_marks([(old.id(), from_the_end_of_time)]), KeyError::NoTextForm),
        (edited.set_not_before(Some(after_9999)), KeyError::NoTextForm),
        (edited.push(RingEntry::new(old.clone()), None), KeyError::DuplicateKeyId { key_id: old.id().to_string() }),
        (edited.set_marks([(old.id(), open_only())]), KeyError::NoSealingKey),
        (edited.set_marks([(old.id(), until(5)), (new.id(), until(5))]), not_in_ring.clone()),
        (edited.remove(&old.id()), KeyError::EmptyRing),
        (edited.remove(&new.id()), not_in_ring),
    ] {
        assert_eq!(outcome.unwrap_err(), expected);
    }
    assert!(matches!(edited.push(RingEntry::new(new), None), Err(KeyError::EqualSealFrom { .. })));
    assert_text(&edited, &read);
}

#[test]
fn debug_shows_neither_keys_nor_comments() {
    let key = key();
    let shown = format!("{:?}", RingText::parse(&format!("{} # {}", text(&key), "comment")).unwrap());
    assert!(shown.contains(&key.id().to_string()));
    assert!(!shown.contains("comment") && !shown.contains(text(&key).rsplit('.').next().unwrap()));
}
