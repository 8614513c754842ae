//! What each edit does to a ring, at instants that a test chooses.

#![cfg(test)]

use std::time::Duration;

use sealed_session::operator::{KeyState, RingText, RotationSettings};
use sealed_session::{Key, KeyId, RingEntry, Timestamp};

use super::add::add;
use super::check::findings;
use super::edit::Edit;
use super::promote::promote;
use super::remove::remove;
use super::retire::retire;
use super::revoke_before::revoke_before;
use super::schedule::{self, Change, What};
use super::seal_windows::SealWindows;
use crate::failure::Failure;

const NOW: u64 = 1_000_000;
const GRACE: u64 = 600;
const LONGEST: u64 = 5000;
const ROLLOUT: Duration = Duration::from_secs(100);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn settings() -> RotationSettings {
    RotationSettings::default().grace(Duration::from_secs(GRACE)).longest_lifetime(Duration::from_secs(LONGEST))
}

/// An edit of a ring of new keys, each with these marks, and the keys' ids.
fn edit<const N: usize>(marks: [&str; N]) -> (Edit, [KeyId; N]) {
    let keys: [Key; N] = std::array::from_fn(|_| Key::generate().unwrap());
    let line = |(key, marks): (&Key, &str)| format!("{} {}\n", *key.to_secret_text(), seconds_to_times(marks));
    let text: String = keys.iter().zip(marks).map(line).collect();
    let edit = Edit {
        text: RingText::parse(&text).unwrap(),
        settings: settings(),
        now: at(NOW),
        force: false,
        key_id: None,
        done: Vec::new(),
        warnings: Vec::new(),
    };
    (edit, keys.each_ref().map(Key::id))
}

/// `seal-from=+5` means five seconds behind now.
fn seconds_to_times(marks: &str) -> String {
    let word = |word: &str| match word.split_once('=') {
        Some((name, seconds)) => {
            let instant = NOW.checked_add_signed(seconds.parse().unwrap()).unwrap();
            format!("{name}={}", at(instant).to_rfc3339())
        }
        None => word.to_owned(),
    };
    marks.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn forced((mut edit, ids): (Edit, [KeyId; 2])) -> (Edit, [KeyId; 2]) {
    edit.force = true;
    (edit, ids)
}

/// The key's marks, in seconds from now.
fn marks(edit: &Edit, key_id: KeyId) -> (Option<i64>, Option<i64>) {
    let marks = edit.text.marks(&key_id).unwrap();
    let relative = |time: Option<Timestamp>| time.map(|time| time.unix_seconds().cast_signed() - NOW.cast_signed());
    (relative(marks.seal_from), relative(marks.seal_until))
}

/// That an edit was refused with this in its message, and that the ring is what it was.
#[track_caller]
fn assert_refused(edit: &Edit, before: &RingText, outcome: Result<(), Failure>, problem: &str) {
    let Err(Failure::NotDone(message)) = outcome else { panic!("{outcome:?}") };
    assert!(message.contains(problem), "{message}");
    assert_eq!(*edit.text.to_secret_text(), *before.to_secret_text());
}

fn add_at(edit: &mut Edit, seconds: Option<u64>) -> Result<KeyId, Failure> {
    let key = Key::generate().unwrap();
    let key_id = key.id();
    add(edit, key, seconds.map(at), ROLLOUT, None).map(|()| key_id)
}

#[test]
fn a_key_is_staged_for_the_end_of_the_roll_out_and_ends_the_one_before_it() {
    let (mut edit, [old]) = edit([""]);
    let new = add_at(&mut edit, None).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(100)));
    assert_eq!(marks(&edit, new), (Some(100), None));
    assert!(edit.checked_against(edit.text.ring()).is_ok());
}

#[test]
fn one_server_without_a_roll_out_has_one_clock_and_a_key_may_seal_at_once() {
    let (mut edit, [_]) = edit([""]);
    let key = Key::generate().unwrap();
    let new = key.id();
    add(&mut edit, key, Some(at(NOW)), Duration::ZERO, None).unwrap();
    assert_eq!(edit.text.ring().sealing_key_id(at(NOW)), Some(new));
}

#[test]
fn a_key_that_is_added_to_a_plain_list_leaves_the_others_what_they_were() {
    let (mut edit, [sealing, old]) = edit(["", ""]);
    add_at(&mut edit, None).unwrap();
    assert_eq!(edit.text.ring().sealing_key_id(at(NOW)), Some(sealing));
    assert!(edit.text.marks(&old).unwrap().open_only);
    assert_eq!(marks(&edit, old), (None, None));
}

#[test]
fn keys_are_staged_behind_each_other_and_between_each_other() {
    let (mut edit, [first]) = edit([""]);
    let last = add_at(&mut edit, Some(NOW + 300)).unwrap();
    let between = add_at(&mut edit, Some(NOW + 200)).unwrap();
    assert_eq!(marks(&edit, first), (None, Some(200)));
    assert_eq!(marks(&edit, between), (Some(200), Some(300)));
    assert_eq!(marks(&edit, last), (Some(300), None));
}

#[test]
fn a_key_is_added_before_the_end_of_the_roll_out_by_force_alone_and_in_the_past_not_at_all() {
    let (mut edit, [_]) = edit([""]);
    let before = edit.text.clone();
    for early in [NOW, NOW + 99] {
        let outcome = add_at(&mut edit, Some(early)).map(|_| ());
        assert_refused(&edit, &before, outcome, "before the roll-out is over");
    }
    assert!(add_at(&mut edit.copy(), Some(NOW + 100)).is_ok());
    edit.force = true;
    let outcome = add_at(&mut edit, Some(NOW - 1)).map(|_| ());
    assert_refused(&edit, &before, outcome, "is past");
    let new = add_at(&mut edit, Some(NOW)).unwrap();
    assert_eq!(edit.text.ring().sealing_key_id(at(NOW)), Some(new));
    assert_eq!(edit.warnings.len(), 1);
}

#[test]
fn a_pending_key_is_moved_and_the_one_before_it_seals_until_then() {
    for target in [150, 900] {
        let (mut edit, [old, new]) = edit(["seal-until=500", "seal-from=500"]);
        promote(&mut edit, &new.to_string(), Some(at(NOW + target)), ROLLOUT).unwrap();
        let target = i64::try_from(target).unwrap();
        assert_eq!(marks(&edit, old), (None, Some(target)));
        assert_eq!(marks(&edit, new), (Some(target), None));
    }
}

#[test]
fn a_key_that_is_promoted_before_another_pending_one_is_followed_by_it() {
    let (mut edit, [first, second, third]) = edit(["seal-until=500", "seal-from=500 seal-until=800", "seal-from=800"]);
    promote(&mut edit, &third.to_string(), Some(at(NOW + 200)), ROLLOUT).unwrap();
    assert_eq!(marks(&edit, first), (None, Some(200)));
    assert_eq!(marks(&edit, third), (Some(200), Some(500)));
    assert_eq!(marks(&edit, second), (Some(500), None));
    assert!(edit.checked_against(edit.text.ring()).is_ok());
}

#[test]
fn an_end_of_its_own_stays_when_the_next_key_moves() {
    let (mut edit, [old, new]) = edit(["seal-until=900", "seal-from=500"]);
    promote(&mut edit, &new.to_string(), Some(at(NOW + 700)), ROLLOUT).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(700)));
    promote(&mut edit, &new.to_string(), Some(at(NOW + 200)), ROLLOUT).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(200)));
}

#[test]
fn a_promotion_that_servers_may_miss_needs_force() {
    let (mut edit, [_, new]) = edit(["", "seal-from=500"]);
    let before = edit.text.clone();
    let outcome = promote(&mut edit, &new.to_string(), Some(at(NOW + 99)), ROLLOUT);
    assert_refused(&edit, &before, outcome, "before the roll-out is over");
    // Later, though some servers will begin at the planned instant.
    let (mut edit, [_, new]) = super::edit_tests::edit(["", "seal-from=50"]);
    let before = edit.text.clone();
    let outcome = promote(&mut edit, &new.to_string(), Some(at(NOW + 500)), ROLLOUT);
    assert_refused(&edit, &before, outcome, "before the roll-out is over");
    edit.force = true;
    promote(&mut edit, &new.to_string(), Some(at(NOW)), ROLLOUT).unwrap();
    assert_eq!(edit.text.ring().sealing_key_id(at(NOW)), Some(new));
}

#[test]
fn only_a_pending_key_is_promoted() {
    let (mut edit, [old, sealing, open_only]) = edit(["seal-until=-10", "seal-from=-10", "open-only"]);
    edit.force = true;
    let before = edit.text.clone();
    for (key_id, problem) in
        [(old, "opening and never seals again"), (sealing, "seals already"), (open_only, "never seals again")]
    {
        let outcome = promote(&mut edit, &key_id.to_string(), Some(at(NOW + 500)), ROLLOUT);
        assert_refused(&edit, &before, outcome, problem);
    }
}

#[test]
fn a_superseded_key_gets_the_end_that_it_had() {
    let (mut edit, [old, _]) = edit(["", "seal-from=-10"]);
    retire(&mut edit, &old.to_string(), None).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(-10)));
}

#[test]
fn a_key_that_only_opens_ends_now_or_by_force_earlier() {
    let (mut edit, [_, old]) = edit(["", "open-only"]);
    let before = edit.text.clone();
    let outcome = retire(&mut edit, &old.to_string(), Some(at(NOW - 1)));
    assert_refused(&edit, &before, outcome, "sealed later than");
    retire(&mut edit, &old.to_string(), None).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(0)));
    assert_eq!(edit.status(old).unwrap().open_until, Some(at(NOW + GRACE + LONGEST)));
    edit.force = true;
    retire(&mut edit, &old.to_string(), Some(at(NOW - 1000))).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(-1000)));
}

#[test]
fn an_end_is_never_moved_later() {
    for kind in ["seal-until=-10", "seal-until=-10 open-only"] {
        let (mut edit, [old, _]) = forced(edit([kind, "seal-from=-10"]));
        let before = edit.text.clone();
        let outcome = retire(&mut edit, &old.to_string(), Some(at(NOW)));
        assert_refused(&edit, &before, outcome, "never moved later");
    }
}

#[test]
fn the_key_that_seals_is_not_retired_while_none_follows() {
    let (mut alone, [key]) = edit([""]);
    let before = alone.text.ring().clone();
    retire(&mut alone, &key.to_string(), Some(at(NOW + 50))).unwrap();
    assert!(alone.checked_against(&before).is_err());

    let (mut followed, [old, _]) = edit(["", "seal-from=50"]);
    let before = followed.text.ring().clone();
    retire(&mut followed, &old.to_string(), Some(at(NOW + 40))).unwrap();
    assert!(followed.checked_against(&before).is_err());
}

#[test]
fn a_pending_key_does_not_end_before_it_begins() {
    let (mut edit, [_, new]) = forced(edit(["", "seal-from=500"]));
    let before = edit.text.clone();
    let outcome = retire(&mut edit, &new.to_string(), Some(at(NOW + 499)));
    assert_refused(&edit, &before, outcome, "has not begun");
}

#[test]
fn an_expired_key_is_taken_out_without_more_words() {
    let expired = format!("seal-until=-{}", GRACE + LONGEST);
    let (mut edit, [old, _]) = edit([&expired, &format!("seal-from=-{}", GRACE + LONGEST)]);
    assert_eq!(edit.status(old).unwrap().state, KeyState::Expired);
    remove(&mut edit, &old.to_string(), ROLLOUT).unwrap();
    assert_eq!((edit.text.entries().count(), edit.warnings.len()), (1, 0));
}

#[test]
fn a_key_that_still_opens_is_taken_out_by_force_alone() {
    for kind in ["seal-until=-10", "open-only"] {
        let (mut edit, [old, _]) = edit([kind, "seal-from=-10"]);
        let before = edit.text.clone();
        let outcome = remove(&mut edit, &old.to_string(), ROLLOUT);
        assert_refused(&edit, &before, outcome, "is logged out");
        edit.force = true;
        remove(&mut edit, &old.to_string(), ROLLOUT).unwrap();
        assert!(edit.done.iter().any(|done| done.contains("revoke-before")));
        assert_eq!(edit.text.entries().count(), 1);
    }
}

#[test]
fn the_key_that_seals_is_never_taken_out() {
    let (mut edit, [_, sealing]) = forced(edit(["seal-until=-10", "seal-from=-10"]));
    let before = edit.text.clone();
    let outcome = remove(&mut edit, &sealing.to_string(), ROLLOUT);
    assert_refused(&edit, &before, outcome, "seals; add a key");
}

#[test]
fn no_key_is_taken_out_while_an_older_one_would_seal_again() {
    for first in ["", "seal-until=-5"] {
        let (mut edit, [old, middle, newest]) = edit([first, "seal-from=-10 seal-until=-3", "seal-from=-3"]);
        edit.force = true;
        let before = edit.text.clone();
        let outcome = remove(&mut edit, &middle.to_string(), ROLLOUT);
        assert_refused(&edit, &before, outcome, &format!("the line of {old} does not say"));
        retire(&mut edit, &old.to_string(), None).unwrap();
        remove(&mut edit, &middle.to_string(), ROLLOUT).unwrap();
        assert_eq!(marks(&edit, old), (None, Some(-10)));
        assert_eq!(edit.text.ring().sealing_key_id(at(NOW)), Some(newest));
    }
}

#[test]
fn a_pending_key_is_taken_out_and_the_one_before_it_seals_on() {
    let (mut edit, [old, new, last]) = edit(["seal-until=500", "seal-from=500 seal-until=900", "seal-from=900"]);
    remove(&mut edit, &new.to_string(), ROLLOUT).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(900)));
    remove(&mut edit, &last.to_string(), ROLLOUT).unwrap();
    assert_eq!(marks(&edit, old), (None, None));
}

#[test]
fn a_pending_key_that_some_servers_will_seal_under_is_taken_out_by_force_alone() {
    let (mut edit, [_, new]) = edit(["seal-until=50", "seal-from=50"]);
    let before = edit.text.clone();
    let outcome = remove(&mut edit, &new.to_string(), ROLLOUT);
    assert_refused(&edit, &before, outcome, "before the roll-out is over");
    edit.force = true;
    assert!(remove(&mut edit, &new.to_string(), ROLLOUT).is_ok());
}

#[test]
fn not_before_lies_a_minute_behind_the_last_reload_by_the_fastest_clock() {
    let (mut edit, [_]) = edit([""]);
    let before = edit.text.clone();
    for early in [NOW - 1, NOW, NOW + 159] {
        let outcome = revoke_before(&mut edit, at(early), ROLLOUT);
        assert_refused(&edit, &before, outcome, "two minutes");
    }
    revoke_before(&mut edit, at(NOW + 160), ROLLOUT).unwrap();
    assert_eq!(edit.text.ring().not_before(), Some(at(NOW + 160)));
    assert_eq!(
        schedule::changes(edit.text.ring(), &settings(), at(NOW)),
        [Change { at: at(NOW + 160), what: What::OlderSessionsEnd }]
    );
}

#[test]
fn not_before_is_moved_earlier_by_force_alone() {
    let (mut edit, [_]) = edit([""]);
    revoke_before(&mut edit, at(NOW + 1000), ROLLOUT).unwrap();
    let before = edit.text.clone();
    let outcome = revoke_before(&mut edit, at(NOW + 999), ROLLOUT);
    assert_refused(&edit, &before, outcome, "would be good again");
    edit.force = true;
    revoke_before(&mut edit, at(NOW + 999), ROLLOUT).unwrap();
    revoke_before(&mut edit, at(NOW + 2000), ROLLOUT).unwrap();
    assert_eq!(edit.text.ring().not_before(), Some(at(NOW + 2000)));
}

#[test]
fn the_schedule_tells_every_change_at_its_second() {
    let (edit, [old, new]) = edit(["seal-until=100", "seal-from=100 seal-until=300"]);
    let end = |until: u64| NOW + until + GRACE + LONGEST;
    let expected = [
        (NOW + 100, What::Seals(new)),
        (NOW + 100, What::Opens(old, Some(at(end(100))))),
        (NOW + 301, What::Opens(new, Some(at(end(300))))),
        (NOW + 301, What::NothingSeals),
        (end(100), What::Expires(old)),
        (end(300), What::Expires(new)),
    ];
    let changes = schedule::changes(edit.text.ring(), &settings(), at(NOW));
    assert_eq!(changes, expected.map(|(seconds, what)| Change { at: at(seconds), what }));
    assert_eq!(
        schedule::standing(edit.text.ring(), &settings(), at(NOW)),
        [Change { at: at(NOW), what: What::Seals(old) }]
    );
}

#[test]
fn a_ring_that_is_in_order_has_no_findings() {
    let (edit, _) = edit(["seal-until=-10", "seal-from=-10"]);
    assert_eq!(findings(&edit.text, &settings(), at(NOW)), []);
}

#[test]
fn each_finding_names_its_key() {
    let expired = format!("seal-until=-{}", GRACE + LONGEST);
    let began = format!("seal-from=-{}", GRACE + LONGEST);
    let (edit, ids) = edit([&expired, &began, "seal-from=-10 seal-until=50", "open-only"]);
    let found: Vec<_> = findings(&edit.text, &settings(), at(NOW))
        .into_iter()
        .map(|finding| (finding.is_warning, finding.code, finding.key_id))
        .collect();
    let expected = [
        (true, "nothing_seals", None),
        (true, "end_not_written", Some(ids[1])),
        (false, "expired", Some(ids[0])),
        (true, "open_only_without_end", Some(ids[3])),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_end_that_has_come_is_moved_by_no_edit() {
    let (mut edit, [old, middle, pending]) = edit(["seal-until=-20", "seal-from=-10", "seal-from=500"]);
    edit.force = true;
    let before = SealWindows::of(edit.text.ring());
    add_at(&mut edit, Some(NOW + 300)).unwrap();
    promote(&mut edit, &pending.to_string(), Some(at(NOW + 900)), ROLLOUT).unwrap();
    remove(&mut edit, &pending.to_string(), ROLLOUT).unwrap();
    assert_eq!(marks(&edit, old), (None, Some(-20)));
    assert_eq!(marks(&edit, middle), (Some(-10), Some(300)));
    assert_eq!(before.unwritten_ends(at(NOW)).count(), 0);
}

impl Edit {
    fn copy(&self) -> Self {
        let (done, warnings) = (self.done.clone(), self.warnings.clone());
        Self { text: self.text.clone(), done, warnings, ..*self }
    }
}

#[test]
fn the_same_key_is_not_added_twice() {
    let (mut edit, [_]) = edit([""]);
    let key = Key::generate().unwrap();
    edit.text.push(RingEntry::new(key.clone()).open_only(), None).unwrap();
    let before = edit.text.clone();
    let outcome = add(&mut edit, key, None, ROLLOUT, None);
    assert_refused(&edit, &before, outcome, "twice");
}

#[test]
fn an_end_that_has_come_stays_whatever_becomes_of_the_next_key() {
    for began in ["0", "-10"] {
        for own in [String::new(), format!("seal-until={began}")] {
            let (edit, [old, next]) = edit([own.as_str(), &format!("seal-from={began}")]);
            let before = SealWindows::of(edit.text.ring());
            let marks = before.clone().marks_after(before.without(next), at(NOW));
            assert_eq!(marks[0].0, old);
            let end = NOW.checked_add_signed(began.parse().unwrap()).unwrap();
            assert_eq!(marks[0].1.seal_until, Some(at(end)), "{own}");
        }
    }
}
