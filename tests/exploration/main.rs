//! Exhaustive exploration of the real code: requests of one browser, every call to the store and every delivery of a response
//! in every order, with at most one fault, against what a user may rely on.
//!
//! ```text
//! cargo test --profile explore --test exploration -- --nocapture
//! EXPLORE=full cargo test --profile explore --test exploration -- --nocapture
//! EXPLORE_ONLY='spill/stored/put+login,store/blank' …      the cases whose names begin so, or so
//! EXPLORE_ONLY='spill/stored/put+login/still/calm:0.1.0' …   one schedule, step by step
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "a rule fails loudly, its numbers are small, and clippy knows test functions, but not what they call"
)]

mod aftermath;
mod api;
mod case;
mod model;
mod operation;
mod read_back;
mod report;
mod schedule;
mod search;
mod site;
mod store;
mod view;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::aftermath::Aftermath;
use crate::case::{BESIDE_SAVES, Case};
use crate::operation::Operation;
use crate::report::Report;
use crate::schedule::{Action, Schedule, Step};
use crate::site::{Origin, Site};
use crate::store::{Ending, REQUESTS_MAX};

use sealed_session::Placement;

/// Of the pairs, one in so many is explored with faults unless the whole space is asked for.
const FAULTS_ONE_IN: usize = 12;

/// And of the threes one in so many.
const FAULTY_TRIPLES_ONE_IN: usize = 6;

#[test]
#[expect(clippy::print_stdout, reason = "the counts are for whoever runs it with --nocapture")]
fn promises_hold_in_every_schedule() {
    let only = std::env::var("EXPLORE_ONLY").unwrap_or_default();
    if let Some((name, choices)) = only.split_once(':') {
        println!("{}", replay(name, choices));
        return;
    }
    let is_full = std::env::var("EXPLORE").is_ok_and(|value| value == "full");
    let is_asked_for = |case: &Case| only.split(',').any(|only| case.name().starts_with(only));
    let cases: Vec<_> = cases(is_full || !only.is_empty()).into_iter().filter(is_asked_for).collect();
    let report = explore_all(&cases);
    println!("{}", report.print());
    assert!(report.broken.is_empty(), "broken promises: {:?}", report.broken.keys());
}

/// A session that its application has emptied, and that goes on for a token's sake, never meets again what was in it; and one
/// that was in its cookie before it was to be kept in the store alone meets nothing older than that.
#[test]
#[expect(clippy::print_stdout, reason = "the counts are for whoever runs it with --nocapture")]
fn what_a_cookie_has_left_behind_stays_behind() {
    let report = explore_all(&left_behind());
    println!("{}", report.print());
    assert!(report.broken.is_empty(), "broken promises: {:?}", report.broken.keys());
}

fn left_behind() -> Vec<Case> {
    let calm = [Case::clears(), Case::migrated()].concat();
    let all =
        |case: Case| [case.clone().with_faults(), case.clone().with_faults().ticking(), case.clone().ticking(), case];
    calm.into_iter().flat_map(all).collect()
}

/// The whole space; or what fits a few minutes: every pair without faults, and a part of the rest. The largest come first, so
/// that no thread is left alone with one.
fn cases(is_full: bool) -> Vec<Case> {
    let pairs = Case::pairs();
    let triples = Case::triples();
    let few = |index: usize, one_in: usize| is_full || index.is_multiple_of(one_in);
    let mut cases = Vec::new();
    let with_faults = triples.iter().enumerate().filter(|(index, _)| few(*index, FAULTY_TRIPLES_ONE_IN));
    cases.extend(with_faults.map(|(_, case)| case.clone().with_faults()));
    let beside = if is_full {
        [Operation::ALL.as_slice(), &[Operation::SaveBeside, Operation::CommitAgain, Operation::LoginByPullAgain]]
            .concat()
    } else {
        BESIDE_SAVES.to_vec()
    };
    cases.extend(Case::interrupted(&beside).into_iter().map(Case::with_faults));
    let with_faults = pairs.iter().enumerate().filter(|(index, _)| few(*index, FAULTS_ONE_IN));
    cases.extend(with_faults.flat_map(|(index, case)| {
        let case = case.clone().with_faults();
        match (is_full, index / FAULTS_ONE_IN % 2) {
            (true, _) => vec![case.clone(), case.ticking()],
            (false, 0) => vec![case],
            (false, _) => vec![case.ticking()],
        }
    }));
    cases.extend(triples.iter().cloned().map(Case::ticking));
    if is_full {
        cases.extend(triples);
    }
    let calm = [pairs, Case::interrupted(&BESIDE_SAVES)].concat();
    cases.extend(calm.iter().cloned().map(Case::ticking));
    cases.extend(calm);
    cases
}

/// Eight other writes push what a request wrote out of what a record remembers of its last writes. Whether that write
/// happened is not known any more, and it must not be made twice.
#[test]
#[expect(clippy::print_stdout, reason = "the counts are for whoever runs it with --nocapture")]
fn a_write_that_others_have_pushed_out_is_not_made_twice() {
    let origins = [(Placement::Spill, Origin::Stored), (Placement::StoreOnly, Origin::Stored)];
    let endings = [Ending::TimeoutBefore, Ending::TimeoutAfter, Ending::CutBefore, Ending::CutAfter];
    let mut report = Report::default();
    for (placement, origin) in origins {
        for ending in endings {
            for others in 0..REQUESTS_MAX {
                report.schedules += 1;
                pushed_out(placement, origin, ending, others, &mut report);
            }
        }
    }
    println!("{}", report.print());
    assert!(report.broken.is_empty(), "broken promises: {:?}", report.broken.keys());
}

/// A request whose `save()` ends so, and which waits for so many others before it commits.
fn pushed_out(placement: Placement, origin: Origin, ending: Ending, others: usize, report: &mut Report) {
    let mut operations = vec![Operation::SaveThenPut];
    operations.resize(1 + others, Operation::Increment);
    let case = Case { placement, origin, operations, is_ticking: false, with_faults: true };
    let site = Site::new(placement);
    let start = site.start(origin, case.contents(), false);
    let mut schedule = Schedule::new(&site, &start, &case.operations, case.is_ticking);
    let first = |action| Step { request: 0, action };
    schedule.apply(first(Action::Begin));
    schedule.apply(first(Action::Call(Ending::Answer)));
    schedule.apply(first(Action::Call(ending)));
    for request in (1..=others).chain([0]) {
        while let Some(step) = schedule.options(false).into_iter().find(|step| step.request == request) {
            schedule.apply(step);
        }
    }
    schedule.finish();
    let after = Aftermath::of(&schedule);
    let violations = model::judge(&schedule, &after);
    if !violations.is_empty() {
        report.add(&case, &[], &schedule, &after, violations);
    }
}

fn explore_all(cases: &[Case]) -> Report {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut report = Report::default();
    thread::scope(|scope| {
        let work = || {
            let mut report = Report::default();
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                explore(case, &mut report);
            }
            report
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            report.merge(worker.join().unwrap());
        }
    });
    report
}

fn explore(case: &Case, report: &mut Report) {
    let site = Site::new(case.placement);
    let start = site.start(case.origin, case.contents(), case.is_aged());
    let begin = || Schedule::new(&site, &start, &case.operations, case.is_ticking);
    report.cases += 1;
    report.schedules += search::explore(begin, case.with_faults, |schedule, choices| {
        let after = Aftermath::of(schedule);
        let violations = model::judge(schedule, &after);
        if !violations.is_empty() {
            report.add(case, choices, schedule, &after, violations);
        }
    });
}

/// One schedule, step by step, and what is broken in it.
fn replay(name: &str, choices: &str) -> String {
    let case = [cases(true), left_behind()].concat().into_iter().find(|case| case.name() == name).unwrap();
    let choices: Vec<usize> = choices.split('.').filter_map(|choice| choice.parse().ok()).collect();
    let site = Site::new(case.placement);
    let start = site.start(case.origin, case.contents(), case.is_aged());
    let mut schedule = Schedule::new(&site, &start, &case.operations, case.is_ticking);
    search::replay(&mut schedule, &choices, case.with_faults);
    let after = Aftermath::of(&schedule);
    let violations = model::judge(&schedule, &after);
    format!("{}{after:#?}\n{violations:#?}", report::trace(&schedule))
}
