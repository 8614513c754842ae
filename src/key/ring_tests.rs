//! Which rings there are, and how they are written.

use super::*;
use crate::clock::Timestamp;
use crate::crypto::Suite;
use crate::error::KeyError;
use crate::id::KeyId;

fn key() -> Key {
    Key::generate().unwrap()
}

fn text(key: &Key) -> String {
    key.to_secret_text().to_string()
}

fn ids(ring: &KeyRing) -> Vec<KeyId> {
    ring.key_ids().collect()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn name(key: &Key) -> String {
    key.id().to_string()
}

#[test]
fn the_first_of_a_list_seals_and_the_rest_only_open() {
    let keys = [key(), key(), key()];
    let [first, second, third] = keys.each_ref().map(text);
    for list in [
        format!("{first} {second} {third}"),
        format!("{first},{second},{third}"),
        format!(" {first},\t{second}\r\n\r\n{third}\n"),
        format!("# ring\n{first} # seals\n{second}\n#{first}\n{third}"),
        format!("{first}\n{second}\n{third}\nnot-before=2026-11-23T09:00:00Z"),
    ] {
        let ring = KeyRing::from_text(&list).unwrap();
        assert_eq!(ring.sealing_key_id(at(0)), Some(keys[0].id()));
        assert_eq!(ring.sealing_key_id(Timestamp::MAX), Some(keys[0].id()));
        let settings = RotationSettings::default();
        let open_only: Vec<_> = ring.statuses(&settings, at(0)).map(|status| status.open_only).collect();
        assert_eq!(open_only, [false, true, true]);
    }
}

#[test]
fn a_key_marked_open_only_never_seals() {
    let (old, new) = (key(), key());
    let ring = KeyRing::from_text(&format!("{} open-only\n{}", text(&old), text(&new))).unwrap();
    assert_eq!(ids(&ring), [new.id(), old.id()]);
    assert_eq!(KeyRing::from_text(&format!("{} open-only", text(&old))).unwrap_err(), KeyError::NoSealingKey);
}

#[test]
fn one_time_makes_a_ring_of_windows_in_which_the_order_says_nothing() {
    let (old, new) = (key(), key());
    let lines = [text(&old), format!("{} seal-from=1970-01-01T00:01:40Z", text(&new))];
    for lines in [[&lines[0], &lines[1]], [&lines[1], &lines[0]]] {
        let ring = KeyRing::from_text(&format!("{}\n{}", lines[0], lines[1])).unwrap();
        assert_eq!(ring.sealing_key_id(at(99)), Some(old.id()));
        assert_eq!(ring.sealing_key_id(at(100)), Some(new.id()));
        assert_eq!(ids(&ring), [new.id(), old.id()]);
    }
}

#[test]
fn every_mark_is_read() {
    let key = key();
    let written = format!(
        "{} seal-from=1970-01-01T00:00:10Z seal-until=1970-01-01T00:00:20Z,open-until=1970-01-01T01:00:30+01:00 # why\n\
         not-before=1970-01-01T00:00:05Z",
        text(&key)
    );
    let entry = RingEntry::new(key).seal_from(at(10)).seal_until(at(20)).open_until(at(30));
    assert_eq!(KeyRing::from_text(&written), Ok(KeyRing::from_entries([entry]).unwrap().with_not_before(at(5))));
}

#[test]
fn raw_keys_with_padding_are_keys_and_no_marks() {
    let raw = "base64:H14Wj47fcCPtOiVkHL4/hcK27y80v5CNsh3UfEBfFW4=";
    let ring = KeyRing::from_text(raw).unwrap();
    assert_eq!(ring.sealing(at(0)).unwrap().key().suite(), Suite::Xaes);
}

#[test]
fn a_key_that_stands_twice_is_refused_with_its_line_and_id() {
    let twice = key();
    let duplicate = KeyError::DuplicateKeyId { key_id: name(&twice) };
    let error = KeyRing::from_text(&format!("{0}\n{0}", text(&twice))).unwrap_err();
    assert_eq!(error, KeyError::RingEntry { line: 2, source: Box::new(duplicate.clone()) });
    let entries = [RingEntry::new(twice.clone()), RingEntry::new(twice).seal_from(at(5))];
    assert_eq!(KeyRing::from_entries(entries).unwrap_err(), duplicate);
}

#[test]
fn a_broken_key_is_named_by_its_line() {
    let error = KeyRing::from_text(&format!("{}\n\nhex:00", text(&key()))).unwrap_err();
    assert!(matches!(error, KeyError::RingEntry { line: 3, .. }), "{error}");
}

#[test]
fn an_empty_ring_is_refused() {
    for empty in ["", "\n", " , ", "# nothing\n", "not-before=2026-11-23T09:00:00Z"] {
        assert_eq!(KeyRing::from_text(empty).unwrap_err(), KeyError::EmptyRing);
    }
    assert_eq!(KeyRing::from_entries([]).unwrap_err(), KeyError::EmptyRing);
}

#[test]
fn two_keys_that_seal_from_the_same_instant_on_are_refused_and_both_are_named() {
    let keys = [key(), key()];
    let both = |entry: fn(Key) -> RingEntry| KeyRing::from_entries(keys.clone().map(entry)).unwrap_err();
    for (error, expected) in [
        (both(RingEntry::new), None),
        (both(|key| RingEntry::new(key).seal_from(at(5))), Some("1970-01-01T00:00:05Z".to_owned())),
    ] {
        let KeyError::EqualSealFrom { mut key_ids, seal_from } = error else { panic!("{error}") };
        let mut expected_ids = Box::new(keys.each_ref().map(name));
        key_ids.sort();
        expected_ids.sort();
        assert_eq!((key_ids, seal_from), (expected_ids, expected));
    }
}

#[test]
fn keys_that_only_open_may_share_their_beginning() {
    let ring = KeyRing::from_entries([
        RingEntry::new(key()),
        RingEntry::new(key()).open_only(),
        RingEntry::new(key()).open_only(),
    ]);
    assert!(ring.is_ok());
}

#[test]
fn an_end_before_its_beginning_is_refused() {
    let key = key();
    let refused = |entry: RingEntry| KeyRing::from_entries([entry]).unwrap_err();
    let entry = || RingEntry::new(key.clone()).seal_from(at(10));
    assert_eq!(refused(entry().seal_until(at(9))), KeyError::SealUntilBeforeSealFrom { key_id: name(&key) });
    let early = KeyError::OpenUntilBeforeSealUntil { key_id: name(&key) };
    assert_eq!(refused(entry().seal_until(at(20)).open_until(at(19))), early);
    // Without an end it would seal behind its last opening.
    assert_eq!(refused(entry().open_until(at(1000))), early);
    assert!(KeyRing::from_entries([entry().seal_until(at(10)).open_until(at(10))]).is_ok());
}

#[test]
fn a_key_that_is_superseded_behind_its_last_opening_is_refused() {
    let (old, new) = (key(), key());
    let ring = |open_until| {
        let old = RingEntry::new(old.clone()).open_until(at(open_until));
        KeyRing::from_entries([old, RingEntry::new(new.clone()).seal_from(at(100))])
    };
    assert_eq!(ring(99).unwrap_err(), KeyError::OpenUntilBeforeSealUntil { key_id: name(&old) });
    assert!(ring(100).is_ok());
}

#[test]
fn a_mark_that_is_not_understood_is_refused_and_never_ignored() {
    let key = text(&key());
    for line in [
        format!("{key} sealing"),
        format!("{key} seal_until=2026-11-23T09:00:00Z"),
        format!("{key} seal-until=2026-11-23"),
        format!("{key} seal-until=2026-11-23T09:00:00.5Z"),
        format!("{key} seal-until="),
        format!("{key} open-only open-only"),
        format!("{key} seal-from=2026-11-23T09:00:00Z seal-from=2026-11-23T09:00:00Z"),
        format!("{key} not-before=2026-11-23T09:00:00Z"),
        format!("not-before=2026-11-23T09:00:00Z {key}"),
        format!("{key}\nnot-before=soon"),
        format!("{key}\nnot-before=2026-11-23T09:00:00Z\nnot-before=2026-11-23T09:00:00Z"),
        format!("{key}\nopen-only"),
        format!("{key}\nseal-from=2026-11-23T09:00:00Z"),
        "open-only".to_owned(),
        "secret".to_owned(),
    ] {
        let error = KeyRing::from_text(&line).unwrap_err();
        assert!(matches!(error, KeyError::RingSyntax { .. }), "{error}");
    }
}

#[test]
fn a_key_is_found_by_its_whole_id_alone() {
    let (sealing, old) = (key(), key());
    let ring = KeyRing::new(sealing).with_open_only(old.clone()).unwrap();
    assert_eq!(ring.find(&old.id()).map(Slot::key), Some(&old));
    for bit in 0..64 {
        let mut bytes = *old.id().as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(ring.find(&KeyId::from_bytes(bytes)).is_none());
    }
}

#[test]
fn a_ring_in_which_nothing_seals_names_the_key_that_will() {
    let key = key();
    let ring = KeyRing::from_entries([RingEntry::new(key.clone()).seal_from(at(10)).seal_until(at(20))]).unwrap();
    assert_eq!(ring.check(at(10)), Ok(()));
    assert_eq!(ring.check(at(20)), Ok(()));
    let nothing = |now: u64, next| KeyError::NothingSealsNow { now: at(now).to_rfc3339(), next };
    assert_eq!(ring.check(at(9)).unwrap_err(), nothing(9, Some(Box::new((name(&key), at(10).to_rfc3339())))));
    assert_eq!(ring.check(at(21)).unwrap_err(), nothing(21, None));
}

#[test]
fn a_handle_keeps_its_ring_when_nothing_of_the_new_one_seals_now() {
    let (old, new) = (key(), key());
    let handle = RingHandle::from(old.clone());
    let later = KeyRing::from_entries([RingEntry::new(new).seal_from(at(10))]).unwrap();
    assert!(handle.replace(later.clone(), at(9)).is_err());
    assert_eq!(*handle.current(), KeyRing::new(old));
    assert_eq!(handle.replace(later.clone(), at(10)), Ok(true));
    assert_eq!(handle.replace(later, at(10)), Ok(false));
}

#[test]
fn debug_shows_ids_and_times_and_no_secret() {
    let key = key();
    let ring = KeyRing::from_entries([RingEntry::new(key.clone()).seal_from(at(10))]).unwrap();
    let shown = format!("{ring:?} {:?}", RingHandle::from(ring.clone()));
    assert!(shown.contains(&name(&key)));
    let secret = text(&key);
    assert!(!shown.contains(secret.rsplit('.').next().unwrap()));
}
