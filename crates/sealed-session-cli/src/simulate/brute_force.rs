//! The check of the check: on small plans, every login in every second, shown to every server in every later second, gives
//! the same groups with the same ends.

#![cfg(test)]

use std::time::Duration;

use proptest::prelude::*;
use proptest::{collection, option};
use sealed_session::{Key, KeyRing, RingEntry, Timestamp};

use super::findings::{Finding, Groups, outcome};
use super::fleet::{Server, servers};
use super::plan::{Plan, earlier};
use super::plans::{START, at, plan, settings};
use super::population::users;
use super::refusals::{Refusal, cause};

const IDLE: u64 = 6;
const ABSOLUTE: u64 = 14;

/// Everybody who logs in until the last second in which anything changes.
fn brute_force(plan: &Plan, servers: &[Server], last_login: Timestamp) -> [Vec<Finding>; 2] {
    let (mut logged_out, mut intended) = (Groups::default(), Groups::default());
    let seconds = |from: Timestamp, until: Timestamp| {
        (from.unix_seconds()..until.unix_seconds()).map(Timestamp::from_unix_seconds)
    };
    for login in seconds(earlier(START, ABSOLUTE + 3), last_login) {
        let lifetimes = [None, Some(Duration::from_secs(ABSOLUTE))];
        for (home, lifetime) in servers.iter().flat_map(|server| lifetimes.map(|lifetime| (server, lifetime))) {
            let Some(cookie) = home.login(login, lifetime) else { continue };
            for server in servers {
                for now in seconds(login.max(START), server.true_time(cookie.ends)) {
                    let Some(cause) = cause(plan, server, now, &cookie) else { continue };
                    let is_intended = plan.planned.not_before().is_some_and(|instant| cookie.created < instant);
                    let groups = if is_intended { &mut intended } else { &mut logged_out };
                    let until = now.saturating_add_seconds(1);
                    let (key_id, issued) = (cookie.key_id, cookie.issued);
                    let refusal = Refusal { key_id, cause, sealed_at: login, issued, from: now, until, is_intended };
                    groups.add(&refusal, None);
                }
            }
        }
    }
    [logged_out, intended].map(Groups::into_findings)
}

/// That both see the same, and something.
#[track_caller]
fn assert_agrees(current: KeyRing, planned: KeyRing) {
    let clocks = Clocks { roll_out: 6, skew: 3, grace: 4 };
    assert!(agreed(current, planned, clocks) > 0);
}

/// Seconds of a small plan.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    roll_out: u64,
    skew: u64,
    grace: u64,
}

/// That both see the same; how many groups there are.
#[track_caller]
fn agreed(current: KeyRing, planned: KeyRing, clocks: Clocks) -> usize {
    let mut plan = plan(current, planned.entries().cloned());
    plan.planned = planned;
    plan.rolled_out = at(clocks.roll_out);
    plan.skew_seconds = clocks.skew;
    plan.settings = settings(IDLE, ABSOLUTE, clocks.grace);
    let servers = servers(&plan).unwrap();
    let changes = plan.sealing_changes().into_iter().chain([plan.rolled_out]);
    let expected = brute_force(&plan, &servers, changes.max().unwrap().saturating_add_seconds(clocks.skew + 1));
    let mut users = users(&plan, &servers);
    let found = outcome(&plan, &servers, &users);
    // The brute force follows nobody through several cookies: a session that began before `not-before` and was renewed
    // since it does not know.
    for user in &mut users {
        user.cookies.truncate(1);
        user.cookies.iter_mut().for_each(|held| held.replaced_at = None);
    }
    let found_in_first = outcome(&plan, &servers, &users);
    // Nor does it know habits.
    let bare = |findings: Vec<Finding>| -> Vec<_> {
        findings
            .into_iter()
            .map(|finding| (finding.key_id, finding.cause, finding.sealed, finding.refused, finding.last_issued))
            .collect()
    };
    let [logged_out, intended] = expected.map(bare);
    let groups = logged_out.len() + intended.len();
    assert_eq!(bare(found.logged_out), logged_out, "{plan:?}");
    assert_eq!(bare(found_in_first.logged_out), logged_out, "{plan:?}");
    assert_eq!(bare(found_in_first.intended), intended, "{plan:?}");
    groups
}

fn keys() -> [Key; 2] {
    [(); 2].map(|()| Key::generate().unwrap())
}

fn ring(entries: impl IntoIterator<Item = RingEntry>) -> KeyRing {
    KeyRing::from_entries(entries).unwrap()
}

#[test]
fn brute_force_agrees_on_a_key_that_begins_too_early() {
    let [old, new] = keys();
    let planned = ring([RingEntry::new(old.clone()), RingEntry::new(new).seal_from(at(3))]);
    assert_agrees(KeyRing::new(old), planned);
}

#[test]
fn brute_force_agrees_on_a_key_that_is_taken_out_too_early() {
    let [old, new] = keys();
    let current = ring([RingEntry::new(old), RingEntry::new(new.clone()).seal_from(earlier(START, 5))]);
    assert_agrees(current, KeyRing::new(new));
}

#[test]
fn brute_force_agrees_on_an_end_of_opening_that_comes_too_early() {
    let [old, new] = keys();
    let entries = [RingEntry::new(old.clone()).open_until(at(14)), RingEntry::new(new).seal_from(at(10))];
    assert_agrees(KeyRing::new(old), ring(entries));
}

#[test]
fn brute_force_agrees_on_a_grace_that_is_too_short() {
    let [old, new] = keys();
    let planned = ring([RingEntry::new(old.clone()), RingEntry::new(new).seal_from(earlier(START, 1))]);
    assert_agrees(KeyRing::new(old), planned);
}

#[test]
fn brute_force_agrees_on_sessions_that_are_meant_to_end() {
    let [old, new] = keys();
    assert_agrees(KeyRing::new(old), KeyRing::new(new).with_not_before(at(9)));
}

/// Seconds around the start, and the marks of a key.
type Marks = (Option<u64>, Option<u64>, Option<u64>, bool);

fn marks() -> impl Strategy<Value = Marks> {
    (option::of(0..30_u64), option::of(10..40_u64), option::weighted(0.3, 20..50_u64), prop::bool::weighted(0.2))
}

/// The ring of these marks, where it is one that a server would load.
fn ring_of(keys: &[Key; 3], marks: &[Option<Marks>], not_before: Option<u64>) -> Option<KeyRing> {
    let around = |seconds: u64| earlier(at(seconds), 15);
    let entries = keys.iter().zip(marks).filter_map(|(key, marks)| {
        let (seal_from, seal_until, open_until, open_only) = (*marks)?;
        let entry = RingEntry::new(key.clone());
        let entry = seal_from.map_or(entry.clone(), |seconds| entry.seal_from(around(seconds)));
        let entry = seal_until.map_or(entry.clone(), |seconds| entry.seal_until(around(seconds)));
        let entry = open_until.map_or(entry.clone(), |seconds| entry.open_until(around(seconds)));
        Some(if open_only { entry.open_only() } else { entry })
    });
    let ring = KeyRing::from_entries(entries).ok().filter(|ring| ring.check(START).is_ok())?;
    Some(not_before.map_or(ring.clone(), |seconds| ring.with_not_before(around(seconds))))
}

proptest! {
    // The same plans each time: a case takes a second, and more of them are for whoever changes this.
    #![proptest_config(ProptestConfig {
        cases: 4,
        max_shrink_iters: 20,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn brute_force_agrees_on_whatever_plan(
        current in collection::vec(option::weighted(0.7, marks()), 3),
        planned in collection::vec(option::weighted(0.7, marks()), 3),
        not_before in option::weighted(0.2, 5..30_u64),
        (roll_out, skew, grace) in (0..8_u64, 0..5_u64, 0..8_u64),
    ) {
        let keys = [(); 3].map(|()| Key::generate_with(sealed_session::Suite::XChaCha).unwrap());
        let (current, planned) = (ring_of(&keys, &current, None), ring_of(&keys, &planned, not_before));
        prop_assume!(current.is_some() && planned.is_some());
        agreed(current.unwrap(), planned.unwrap(), Clocks { roll_out, skew, grace });
    }
}
