//! The check of the check: on small plans, every login in every second, shown to every server in every later second, gives
//! the same groups with the same ends.

use std::time::Duration;

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
    let mut plan = plan(current, planned.entries().cloned());
    plan.planned = planned;
    plan.rolled_out = at(6);
    plan.skew_seconds = 3;
    plan.settings = settings(IDLE, ABSOLUTE, 4);
    let servers = servers(&plan).unwrap();
    let last_change = plan.sealing_changes().into_iter().chain([plan.rolled_out]).max().unwrap();
    let expected = brute_force(&plan, &servers, last_change.saturating_add_seconds(3));
    let found = outcome(&plan, &servers, &users(&plan, &servers));
    // The brute force knows no habits, and follows nobody through several cookies.
    let bare = |findings: Vec<Finding>| -> Vec<_> {
        findings
            .into_iter()
            .map(|finding| (finding.key_id, finding.cause, finding.sealed, finding.refused, finding.last_issued))
            .collect()
    };
    let [logged_out, intended] = expected.map(bare);
    assert!(!logged_out.is_empty() || !intended.is_empty());
    assert_eq!(bare(found.logged_out), logged_out);
    assert_eq!(bare(found.intended), intended);
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
