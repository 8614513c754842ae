//! What a key does when: wire format, section 7, second by second.

use std::time::Duration;

use super::*;
use crate::clock::Timestamp;
use crate::error::Reason;
use crate::id::KeyId;

const SKEW: u64 = 60;
const GRACE: u64 = 600;
const LONGEST: u64 = 5000;

fn settings() -> RotationSettings {
    RotationSettings::default().grace(Duration::from_secs(GRACE)).longest_lifetime(Duration::from_secs(LONGEST))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

/// Three keys, one after the other from 10,000 and 20,000 on, in every order of the entries.
fn rings() -> ([KeyId; 3], Vec<KeyRing>) {
    let keys: [Key; 3] = std::array::from_fn(|_| Key::generate().unwrap());
    let entry = |position: usize| match position {
        0 => RingEntry::new(keys[0].clone()),
        1 => RingEntry::new(keys[1].clone()).seal_from(at(10_000)),
        _ => RingEntry::new(keys[2].clone()).seal_from(at(20_000)),
    };
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let rings = orders.map(|order| KeyRing::from_entries(order.map(entry)).unwrap());
    (keys.each_ref().map(Key::id), rings.to_vec())
}

fn status(ring: &KeyRing, key_id: KeyId, now: u64) -> (KeyState, Option<u64>) {
    let status = ring.statuses(&settings(), at(now)).find(|status| status.key_id == key_id).unwrap();
    (status.state, status.next_change.map(Timestamp::unix_seconds))
}

#[test]
fn the_key_that_began_last_seals_whatever_the_order_of_the_entries() {
    let ([first, second, third], rings) = rings();
    for ring in &rings {
        assert_eq!(*ring, rings[0]);
        for (now, expected) in
            [(0, first), (9_999, first), (10_000, second), (19_999, second), (20_000, third), (99_999, third)]
        {
            assert_eq!(ring.sealing_key_id(at(now)), Some(expected), "at {now}");
        }
    }
}

#[test]
fn a_key_goes_through_its_states_at_the_seconds_that_were_announced() {
    let ([first, second, third], rings) = rings();
    let end = |superseded: u64| superseded + GRACE + LONGEST;
    for ring in &rings {
        assert_eq!(status(ring, second, 9_999), (KeyState::Pending, Some(10_000)));
        assert_eq!(status(ring, second, 10_000), (KeyState::Sealing, Some(20_000)));
        assert_eq!(status(ring, second, 20_000), (KeyState::Opening, Some(end(20_000))));
        assert_eq!(status(ring, second, end(20_000) - 1), (KeyState::Opening, Some(end(20_000))));
        assert_eq!(status(ring, second, end(20_000)), (KeyState::Expired, None));
        assert_eq!(status(ring, first, end(10_000)), (KeyState::Expired, None));
        assert_eq!(status(ring, third, u64::MAX), (KeyState::Sealing, None));
    }
}

#[test]
fn a_key_stops_sealing_at_its_own_end_and_no_older_one_takes_over() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let new_id = new.id();
    let ring =
        KeyRing::from_entries([RingEntry::new(old), RingEntry::new(new).seal_from(at(10_000)).seal_until(at(11_000))])
            .unwrap();
    assert_eq!(ring.sealing_key_id(at(11_000)), Some(new_id));
    assert_eq!(ring.sealing_key_id(at(11_001)), None);
    assert_eq!(status(&ring, new_id, 11_000), (KeyState::Sealing, Some(11_001)));
    assert_eq!(status(&ring, new_id, 11_001), (KeyState::Opening, Some(11_000 + GRACE + LONGEST)));
}

#[test]
fn an_end_that_was_written_stays_when_the_next_key_is_taken_out() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let old = RingEntry::new(old).seal_until(at(10_000));
    let with_next = KeyRing::from_entries([old.clone(), RingEntry::new(new).seal_from(at(10_000))]).unwrap();
    let alone = KeyRing::from_entries([old]).unwrap();
    for ring in [with_next, alone] {
        let old = ring.key_ids().last().unwrap();
        let slot = ring.find(&old).unwrap();
        assert!(slot.covers(&settings(), at(10_000 + GRACE)));
        assert!(!slot.covers(&settings(), at(10_001 + GRACE)));
    }
}

#[test]
fn what_a_key_opens_was_issued_in_its_window_both_ends_included() {
    let ([first, second, third], rings) = rings();
    let ring = &rings[0];
    let covers = |key_id, issued| ring.find(&key_id).unwrap().covers(&settings(), at(issued));
    assert!(!covers(second, 10_000 - SKEW - 1));
    assert!(covers(second, 10_000 - SKEW));
    assert!(covers(second, 20_000 + GRACE));
    assert!(!covers(second, 20_000 + GRACE + 1));
    assert!(covers(first, 0));
    assert!(!covers(first, 10_000 + GRACE + 1));
    assert!(covers(third, u64::MAX));
}

#[test]
fn a_key_that_only_opens_has_no_upper_end_but_one_that_is_written() {
    let entry = || RingEntry::new(Key::generate().unwrap()).open_only();
    let ring = |entry: RingEntry| KeyRing::new(Key::generate().unwrap()).with_entry(entry).unwrap();
    let [without, with] = [ring(entry()), ring(entry().seal_until(at(10_000)))];
    let covers = |ring: &KeyRing, issued| {
        let old = ring.key_ids().last().unwrap();
        ring.find(&old).unwrap().covers(&settings(), at(issued))
    };
    assert!(covers(&without, u64::MAX));
    assert!(covers(&with, 10_000 + GRACE));
    assert!(!covers(&with, 10_001 + GRACE));
}

#[test]
fn a_key_opens_until_its_own_end_or_until_nothing_it_sealed_is_valid() {
    let ([_, second, third], rings) = rings();
    let settings = settings();
    let end = 20_000 + GRACE + LONGEST;
    let slot = rings[0].find(&second).unwrap();
    assert!(slot.may_open(&settings, at(end - 1)));
    assert!(!slot.may_open(&settings, at(end)));
    assert!(rings[0].find(&third).unwrap().may_open(&settings, Timestamp::MAX));

    let key = Key::generate().unwrap();
    let ring = KeyRing::from_entries([RingEntry::new(key.clone()).seal_until(at(100)).open_until(at(200))]).unwrap();
    let slot = ring.find(&key.id()).unwrap();
    assert!(slot.may_open(&settings, at(199)));
    assert!(!slot.may_open(&settings, at(200)));
}

#[test]
fn a_key_is_superseded_by_newer_ones_alone() {
    let ([first, second, third], rings) = rings();
    for ring in &rings {
        assert!(ring.is_superseded(&first, at(15_000)));
        assert!(!ring.is_superseded(&second, at(15_000)));
        // Pending here, and sealing already on a server whose clock is ahead.
        assert!(!ring.is_superseded(&third, at(15_000)));
    }
}

#[test]
fn sessions_from_before_the_rings_not_before_end_when_it_has_come() {
    let ring = KeyRing::new(Key::generate().unwrap()).with_not_before(at(1000));
    assert!(!ring.is_ended(at(5), at(999)));
    assert!(ring.is_ended(at(5), at(1000)));
    assert!(ring.is_ended(at(999), at(1000)));
    assert!(!ring.is_ended(at(1000), at(1000)));
}

#[test]
fn a_key_is_safe_to_remove_when_nothing_used_it_for_the_longest_lifetime() {
    let ([_, second, third], rings) = rings();
    let ring = &rings[0];
    let settings = settings();
    let safe = |key_id: KeyId, now: u64| {
        let reports = KeyReport::of_ring(ring, &settings, at(now));
        reports.into_iter().find(|report| report.status.key_id == key_id).unwrap().is_safe_to_remove
    };
    let handle = RingHandle::from(ring.clone());
    // Nobody counts yet, so nothing is known of what is not used.
    assert!(!safe(second, 20_000 + LONGEST));
    handle.begin_counting(at(20_000));
    assert!(!safe(second, 20_000 + LONGEST - 1));
    assert!(safe(second, 20_000 + LONGEST));
    ring.find(&second).unwrap().counts().opened(&Ok::<(), Reason>(()), at(20_100));
    assert!(!safe(second, 20_100 + LONGEST - 1));
    assert!(safe(second, 20_100 + LONGEST));
    // What seals is needed, used or not.
    assert!(!safe(third, 99_999));
    // Refusals are no use: a thief cannot keep a key in the ring.
    ring.find(&second).unwrap().counts().opened(&Err::<(), _>(Reason::Unauthentic), at(25_000));
    assert!(safe(second, 20_100 + LONGEST));
}

#[test]
fn a_key_goes_on_being_counted_in_the_next_ring() {
    let (old, new) = (Key::generate().unwrap(), Key::generate().unwrap());
    let handle = RingHandle::from(old.clone());
    handle.begin_counting(at(10));
    handle.load().find(&old.id()).unwrap().counts().sealed();
    handle.replace(KeyRing::new(new.clone()).with_open_only(old.clone()).unwrap(), at(20)).unwrap();
    let report = |id| {
        let reports = handle.reports(&settings(), at(20));
        reports.into_iter().find(|report| report.status.key_id == id).unwrap()
    };
    assert_eq!((report(old.id()).sealed, report(old.id()).counted_since), (1, Some(at(10))));
    assert_eq!((report(new.id()).sealed, report(new.id()).counted_since), (0, Some(at(20))));
}
