//! Plans that are safe, and plans that each break one rule.

use std::collections::BTreeSet;
use std::time::Duration;

use sealed_session::sealer::Sealer;
use sealed_session::{Key, KeyRing, Lifetimes, RingEntry, Timestamp};

use super::findings::{Finding, Outcome};
use super::plan::{Plan, Settings};
use super::population::Habit;
use super::refusals::Cause;
use super::{mend, rehearse};

pub(super) const START: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

pub(super) const DAY: u64 = 24 * 60 * 60;

pub(super) fn at(seconds: u64) -> Timestamp {
    START.saturating_add_seconds(seconds)
}

pub(super) fn settings(idle: u64, absolute: u64, grace: u64) -> Settings {
    let [idle, absolute, grace] = [idle, absolute, grace].map(Duration::from_secs);
    let lifetimes = Lifetimes::default().idle_timeout(idle).absolute_timeout(Some(absolute));
    let sealer = Sealer::builder(Key::generate().unwrap()).lifetimes(lifetimes).key_grace(grace).build().unwrap();
    Settings { lifetimes, rotation: *sealer.rotation_settings(), grace, idle, longest_own: absolute }
}

/// A roll-out of ten minutes, with the default settings.
pub(super) fn plan(current: KeyRing, planned: impl IntoIterator<Item = RingEntry>) -> Plan {
    Plan {
        current,
        planned: KeyRing::from_entries(planned).unwrap(),
        start: START,
        rolled_out: at(600),
        skew_seconds: 60,
        until: Timestamp::MAX,
        settings: settings(7200, 30 * DAY, 3600),
    }
}

fn keys() -> (Key, Key) {
    (Key::generate().unwrap(), Key::generate().unwrap())
}

/// The old key, and the new one that begins to seal so long after the start.
fn staged(old: &Key, new: &Key, seconds: u64) -> Plan {
    plan(KeyRing::new(old.clone()), [RingEntry::new(old.clone()), RingEntry::new(new.clone()).seal_from(at(seconds))])
}

fn outcome(plan: &Plan) -> Outcome {
    rehearse(plan).unwrap()
}

/// The one finding of a plan.
#[track_caller]
fn only(plan: &Plan) -> Finding {
    let mut outcome = outcome(plan);
    assert_eq!((outcome.logged_out.len(), outcome.unsealed), (1, None), "{outcome:?}");
    outcome.logged_out.remove(0)
}

#[track_caller]
fn assert_safe(plan: &Plan) {
    let outcome = outcome(plan);
    assert!(outcome.nobody_is_logged_out(), "{outcome:?}");
    assert!(outcome.users > 50, "{}", outcome.users);
}

#[test]
fn a_key_that_begins_when_every_server_has_it_logs_nobody_out() {
    let (old, new) = keys();
    for seconds in [660, 3600, 10 * DAY] {
        assert_safe(&staged(&old, &new, seconds));
    }
    assert_safe(&plan(KeyRing::new(old.clone()), [RingEntry::new(old)]));
}

#[test]
fn a_key_that_begins_before_the_roll_out_ends_is_unknown_to_the_last_server() {
    let (old, new) = keys();
    let plan = staged(&old, &new, 300);
    let finding = only(&plan);
    assert_eq!((finding.key_id, finding.cause), (new.id(), Cause::NotLoaded));
    // The fast clock is half a minute ahead.
    assert_eq!(finding.sealed, (at(270), at(599)));
    assert_eq!(finding.refused, (at(270), at(600)));
    assert_eq!(finding.habits, BTreeSet::from(Habit::ALL));
    let words = mend::cause(&plan, &finding);
    assert!(words.contains(&format!("the last server loads it at {}", at(600).to_rfc3339())), "{words}");
    let words = mend::mend(&plan, &finding);
    assert!(words.contains(&format!("`seal-from={}` or later", at(660).to_rfc3339())), "{words}");
}

#[test]
fn the_first_instant_at_which_a_key_may_begin_is_the_one_that_the_fastest_clock_allows() {
    let (old, new) = keys();
    assert_safe(&staged(&old, &new, 630));
    let finding = only(&staged(&old, &new, 629));
    assert_eq!((finding.cause, finding.refused), (Cause::NotLoaded, (at(599), at(600))));
}

#[test]
fn a_plain_list_with_a_new_first_key_is_unknown_to_the_servers_that_have_not_loaded_it() {
    let (old, new) = keys();
    let list = [RingEntry::new(new.clone()), RingEntry::new(old.clone()).open_only()];
    let finding = only(&plan(KeyRing::new(old), list));
    assert_eq!((finding.key_id, finding.cause, finding.refused), (new.id(), Cause::NotLoaded, (START, at(600))));
}

#[test]
fn a_key_that_is_taken_out_too_early_ends_what_it_sealed() {
    let (old, new) = keys();
    let current =
        KeyRing::from_entries([RingEntry::new(old.clone()), RingEntry::new(new.clone()).seal_from(at(0))]).unwrap();
    let mut plan = plan(current, [RingEntry::new(new).seal_from(at(0))]);
    // Ten days later; what is remembered for longer is lost.
    (plan.start, plan.rolled_out) = (at(10 * DAY), at(10 * DAY + 600));
    let finding = only(&plan);
    assert_eq!((finding.key_id, finding.cause), (old.id(), Cause::TakenOut));
    assert_eq!(finding.habits, BTreeSet::from([Habit::AtTheEndOfTheLongestLifetime]));
    // The slow clock still sealed with it half a minute after the next key began.
    assert_eq!(finding.sealed.1, at(29));
    assert_eq!(finding.refused, (plan.start, at(30 * DAY + 29)));
    let words = mend::mend(&plan, &finding);
    assert!(words.contains(&finding.refused.1.to_rfc3339()), "{words}");

    (plan.start, plan.rolled_out) = (at(30 * DAY + 3660), at(30 * DAY + 4260));
    assert_safe(&plan);
}

#[test]
fn an_end_of_opening_before_the_longest_lifetime_ends_what_is_still_valid() {
    let (old, new) = keys();
    let plan_with = |open_until: u64| {
        plan(
            KeyRing::new(old.clone()),
            [RingEntry::new(old.clone()).open_until(at(open_until)), RingEntry::new(new.clone()).seal_from(at(3600))],
        )
    };
    let finding = only(&plan_with(3600 + 2 * DAY));
    assert_eq!((finding.key_id, finding.cause), (old.id(), Cause::Expired { has_loaded: true }));
    assert_eq!(finding.refused.0, at(3600 + 2 * DAY - 30));
    assert_eq!(finding.habits, BTreeSet::from([Habit::AtTheEndOfTheLongestLifetime]));
    // The mend is one: set to where the refusals end.
    let mended = finding.refused.1.saturating_seconds_since(START) + 30;
    assert_safe(&plan_with(mended));
}

#[test]
fn a_grace_that_is_shorter_than_the_roll_out_refuses_what_late_servers_seal() {
    let (old, new) = keys();
    let mut plan = staged(&old, &new, 660);
    plan.rolled_out = at(660 + 7200);
    assert_eq!(
        outcome(&plan).logged_out.iter().map(|finding| (finding.key_id, finding.cause)).collect::<BTreeSet<_>>(),
        BTreeSet::from([(new.id(), Cause::NotLoaded), (old.id(), Cause::SealedTooLate { has_loaded: true })])
    );
    // Where every server has the new key already, to open with it, the grace alone decides.
    let current = KeyRing::new(old.clone()).with_open_only(new.clone()).unwrap();
    let entries = [RingEntry::new(old.clone()), RingEntry::new(new).seal_from(at(0))];
    let mut plan = super::plans::plan(current, entries);
    assert_safe(&plan);
    plan.settings = settings(7200, 30 * DAY, 300);
    let finding = only(&plan);
    assert_eq!((finding.key_id, finding.cause), (old.id(), Cause::SealedTooLate { has_loaded: true }));
    // The last server seals with the old key to the end of the roll-out, and the fast clock says more.
    assert_eq!((finding.sealed.1, finding.last_issued), (at(599), at(629)));
    let words = mend::mend(&plan, &finding);
    assert!(words.contains("a grace of 629s or more"), "{words}");
    plan.settings = settings(7200, 30 * DAY, 628);
    assert_eq!(only(&plan).sealed, (at(599), at(599)));
    plan.settings = settings(7200, 30 * DAY, 629);
    assert_safe(&plan);
}

#[test]
fn a_beginning_that_is_moved_behind_what_was_sealed_refuses_it() {
    let (old, new) = keys();
    let entries = |from: u64| [RingEntry::new(old.clone()), RingEntry::new(new.clone()).seal_from(at(from))];
    let mut plan = plan(KeyRing::from_entries(entries(0)).unwrap(), entries(5 * DAY));
    (plan.start, plan.rolled_out) = (at(DAY), at(DAY + 600));
    let outcome = outcome(&plan);
    let causes: BTreeSet<_> = outcome.logged_out.iter().map(|finding| (finding.key_id, finding.cause)).collect();
    assert!(causes.contains(&(new.id(), Cause::SealedTooEarly { has_loaded: true })), "{causes:?}");
}

#[test]
fn a_beginning_that_is_moved_forward_is_no_use_before_every_server_knows_of_it() {
    let (old, new) = keys();
    let entries = |from: u64| [RingEntry::new(old.clone()), RingEntry::new(new.clone()).seal_from(at(from))];
    let current = KeyRing::from_entries(entries(DAY)).unwrap();
    let plan_with = |from: u64| plan(current.clone(), entries(from));
    let plan = plan_with(0);
    let finding = only(&plan);
    assert_eq!((finding.key_id, finding.cause), (new.id(), Cause::SealedTooEarly { has_loaded: false }));
    let words = mend::mend(&plan, &finding);
    assert!(words.contains(&format!("`seal-from={}` or later", at(660).to_rfc3339())), "{words}");
    assert_safe(&plan_with(660));
}

#[test]
fn a_time_in_which_no_key_seals_is_told() {
    let (old, new) = keys();
    let entries = |until: u64| {
        [RingEntry::new(old.clone()).seal_until(at(until)), RingEntry::new(new.clone()).seal_from(at(7200))]
    };
    let outcome = outcome(&plan(KeyRing::new(old.clone()), entries(3600)));
    let unsealed = outcome.unsealed.unwrap();
    assert_eq!(unsealed.from, at(3601 - 30));
    assert_eq!(unsealed.until, Some(at(7200 - 30)));
    assert_safe(&plan(KeyRing::new(old.clone()), entries(7200)));
}

#[test]
fn what_not_before_ends_is_intended_and_nothing_else_is() {
    let (old, new) = keys();
    let mut plan = plan(KeyRing::new(old.clone()), [RingEntry::new(new.clone())]);
    assert!(!outcome(&plan).nobody_is_logged_out());
    plan.planned = plan.planned.with_not_before(at(600 + 120));
    let ended = outcome(&plan);
    assert!(ended.nobody_is_logged_out(), "{ended:?}");
    let causes: BTreeSet<_> = ended.intended.iter().map(|finding| (finding.key_id, finding.cause)).collect();
    assert!(causes.contains(&(old.id(), Cause::TakenOut)) && causes.contains(&(new.id(), Cause::NotBefore)));
    // Sessions that the old key goes on sealing on late servers are not meant.
    plan.planned = plan.planned.with_not_before(at(300));
    let causes: BTreeSet<_> = outcome(&plan).logged_out.iter().map(|finding| (finding.key_id, finding.cause)).collect();
    assert!(causes.contains(&(old.id(), Cause::TakenOut)), "{causes:?}");
}

#[test]
fn clocks_that_differ_by_more_than_is_tolerated_are_found() {
    let (old, new) = keys();
    let mut plan = staged(&old, &new, 3600);
    plan.skew_seconds = 61;
    assert!(outcome(&plan).logged_out.iter().all(|finding| finding.cause == Cause::Clocks));
    assert!(!outcome(&plan).logged_out.is_empty());
    plan.skew_seconds = 0;
    assert_safe(&plan);
}

#[test]
fn nothing_is_looked_at_beyond_the_end() {
    let (old, new) = keys();
    let planned = [RingEntry::new(old.clone()).open_until(at(DAY)), RingEntry::new(new).seal_from(at(3600))];
    let mut plan = plan(KeyRing::new(old), planned);
    assert!(!outcome(&plan).nobody_is_logged_out());
    plan.until = at(DAY - 30);
    assert_safe(&plan);
}

#[test]
fn the_same_plan_gives_the_same_outcome() {
    let (old, new) = keys();
    let plan = staged(&old, &new, 300);
    assert_eq!(outcome(&plan).logged_out, outcome(&plan).logged_out);
}
