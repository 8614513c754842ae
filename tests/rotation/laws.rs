//! The laws of a rotation, each tried on many schedules.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use sealed_session::sealer::Sealer;

use crate::fleet::{AUDIENCE, Fleet, RollOut, SERVERS, at, lifetimes};
use crate::operator::ROLL_OUT;
use crate::schedule::{BROWSERS, Step, ahead, honest_steps, steps_with_a_leak, steps_with_a_thief};
use crate::spec::{Kept, SKEW, Sealed};
use crate::visits::{Browser, Tally};

/// Schedules that each law is tried on.
fn cases() -> u32 {
    const CASES: u32 = 700;
    std::env::var("ROTATION_CASES").map_or(CASES, |cases| cases.parse().unwrap())
}

fn run(roll_out: RollOut, with_records: bool, steps: impl Strategy<Value = Vec<Step>>) -> (u32, Tally) {
    let config = Config {
        cases: cases(),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/rotation/regressions.txt"))),
        source_file: Some(file!()),
        ..Config::default()
    };
    let total = RefCell::new(Tally::default());
    let clocks: [_; SERVERS + 1] = std::array::from_fn(|_| ahead());
    let outcome = TestRunner::new(config).run(&(clocks, steps), |(clocks, steps)| {
        let mut fleet = Fleet::new(roll_out, with_records, clocks);
        let mut browsers: [Browser; BROWSERS] = std::array::from_fn(|_| Browser::default());
        let mut thief = Browser { stolen_key: Some(0), ..Browser::default() };
        steps.into_iter().for_each(|step| take(&mut fleet, &mut browsers, &mut thief, step));
        total.borrow_mut().add(fleet.tally);
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    (cases(), total.into_inner())
}

fn take(fleet: &mut Fleet, browsers: &mut [Browser; BROWSERS], thief: &mut Browser, step: Step) {
    match step {
        Step::Visit { browser, visit } => fleet.visit(&mut browsers[browser], visit),
        Step::Wait { seconds } => fleet.wait(seconds),
        Step::Approach { which, early_seconds } => {
            if let Some(instant) = fleet.instants().get(which) {
                fleet.wait((instant + 2).saturating_sub(early_seconds + fleet.now));
            }
        }
        Step::Outlive { browser, early_seconds } => {
            if let Some(kept) = &browsers[browser].kept {
                fleet.wait(kept.end().saturating_sub(early_seconds + fleet.now));
            }
        }
        Step::Reload { server } => fleet.reload(server),
        Step::SetClock { server, ahead } => fleet.set_clock(server, ahead),
        Step::AddKey { suite, later } => fleet.add_key(suite, later),
        Step::WriteEnds => fleet.write_ends(),
        Step::RemoveKeys => fleet.remove_keys(),
        Step::Mint { key, clock, own_lifetime } => *thief = mint(fleet, key, clock, own_lifetime),
        Step::MintAhead { key, ahead } => {
            // What was sealed again under a key that stays is worth more to him than anything that he makes.
            let is_laundered = thief.kept.as_ref().is_some_and(|kept| kept.cookie.key != key);
            if key < fleet.keys.len() && !(fleet.is_leaked && is_laundered) {
                *thief = seal(fleet, key, fleet.now + ahead, None);
            }
        }
        Step::Use { visit } => fleet.visit(thief, visit),
        Step::Leak { key, by_its_end } => {
            if key < fleet.keys.len() {
                fleet.take_out(key, ROLL_OUT + 2 * SKEW, by_its_end);
            }
        }
    }
}

/// What a thief makes of a key that he copied, with his clock around its end.
fn mint(fleet: &Fleet, key: usize, clock: u64, own_lifetime: Option<u64>) -> Browser {
    let key = key % fleet.keys.len();
    let issued = fleet.begins.get(key + 1).copied().unwrap_or(fleet.now) + clock;
    seal(fleet, key, issued, own_lifetime)
}

/// A session that begins then, under this key, without any server.
pub(crate) fn seal(fleet: &Fleet, key: usize, issued: u64, own_lifetime: Option<u64>) -> Browser {
    let sealer = Sealer::builder(fleet.keys[key].clone()).audience(AUDIENCE).lifetimes(lifetimes()).build().unwrap();
    let data = serde_json::json!({ "user": 0 });
    let sealed = match own_lifetime {
        Some(seconds) => sealer.seal_for(&data, std::time::Duration::from_secs(seconds), at(issued)),
        None => sealer.seal(&data, at(issued)),
    };
    let kept = Kept { cookie: Sealed { key, issued }, record: None, created: issued, own_lifetime, user: 0 };
    Browser { cookie: Some(sealed.unwrap()), kept: Some(kept), stolen_key: Some(key) }
}

/// That a law was tried on what it is about, once in so many schedules.
fn assert_common((schedules, tally): (u32, Tally), counts: fn(&Tally) -> u64, in_schedules: u64) {
    assert!(counts(&tally) >= u64::from(schedules) / in_schedules, "too rare to mean something: {tally:?}");
}

#[test]
fn no_valid_session_in_its_cookie_is_refused_and_none_is_found_behind_its_limits() {
    let tried = run(RollOut::InTime, false, honest_steps());
    assert_common(tried, |tally| tally.under_a_superseded_key, 2);
    assert_common(tried, |tally| tally.under_a_pending_key, 50);
    assert_common(tried, |tally| tally.resealed, 5);
    assert_common(tried, |tally| tally.outlived, 2);
    assert_common(tried, |tally| tally.removed_keys, 20);
}

#[test]
fn no_valid_session_in_the_store_is_refused_and_none_is_found_behind_its_limits() {
    let tried = run(RollOut::InTime, true, honest_steps());
    assert_common(tried, |tally| tally.under_a_superseded_key, 2);
    assert_common(tried, |tally| tally.resealed, 5);
}

#[test]
fn servers_that_load_a_key_late_refuse_what_it_sealed_until_then_and_nothing_else() {
    for with_records in [false, true] {
        let tried = run(RollOut::Late, with_records, honest_steps());
        assert_common(tried, |tally| tally.not_known_yet, 20);
        assert_common(tried, |tally| tally.under_a_superseded_key, 2);
    }
}

#[test]
fn what_a_thief_of_a_retired_key_makes_is_dated_in_its_window_or_refused() {
    let tried = run(RollOut::InTime, false, steps_with_a_thief());
    assert_common(tried, |tally| tally.stolen, 2);
    assert_common(tried, |tally| tally.refused_by_window, 10);
}

#[test]
fn nothing_that_a_thief_made_is_found_once_not_before_has_come() {
    let tried = run(RollOut::InTime, false, steps_with_a_leak());
    assert_common(tried, |tally| tally.stolen_and_not_ended_yet, 3);
    assert_common(tried, |tally| tally.stolen_and_ended, 8);
}
