//! What another task or thread of a request does while its commit is under way is in the commit, or is an error to that task: no
//! success keeps nothing, and a conflict has kept nothing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use pollster::block_on;
use sealed_session::{Commit, FailedCommit, PendingSession, Placement, RequestFacts, ResponseFacts, Session};

use super::draws::Draws;
use super::interrupted::{Interrupted, in_turns, poll_times};
use super::{in_record, inline, later, regenerates, returned};
use crate::browser::{Browser, Request};
use crate::support::{Handler, LARGE, Site, ignore, text};

/// The commit is polled so many times before the other task begins: each of its calls to the store takes some of them.
const HEAD_STARTS: std::ops::Range<usize> = 0..7;

fn receives(browser: &mut Browser, outcome: &Result<Commit, FailedCommit>) {
    browser.receive(outcome.as_ref().unwrap_or_else(|failed| &failed.commit));
}

#[test]
fn a_conflict_keeps_nothing_although_the_session_is_read_again_meanwhile() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for head_start in HEAD_STARTS {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
            let mut browser = in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            session.increment("n", 1).unwrap();
            store.go_slow(true);
            let facts = ResponseFacts::new(200);
            let mut commit = Box::pin(request.0.commit(&facts));
            let early = poll_times(commit.as_mut(), head_start);
            let outcome = early.unwrap_or_else(|| in_turns(commit, session.reload()).0);
            store.go_slow(false);
            receives(&mut browser, &outcome);
            let expected = outcome.map_or(None, |_| Some(1));
            assert_eq!(browser.get(&manager, "n"), expected, "{placement:?}, {head_start} polls before");
        }
    }
}

/// What a handler does before its request is committed twice at once.
const ACTS: [Handler; 5] = [
    |_| (),
    |session| session.put("photo", &text(LARGE)).unwrap(),
    regenerates,
    |session| session.forget("cart").unwrap(),
    |session| {
        session.invalidate().unwrap();
        session.put("user", &42).unwrap();
    },
];

/// The outcomes of two commits, of which one begins some polls earlier.
fn commits_twice(request: &Request, head_start: usize) -> [Result<Commit, FailedCommit>; 2] {
    let facts = ResponseFacts::new(200);
    let mut one = Box::pin(request.0.commit(&facts));
    match poll_times(one.as_mut(), head_start) {
        Some(early) => [early, block_on(request.0.commit(&facts))],
        None => in_turns(one, request.0.commit(&facts)).into(),
    }
}

#[test]
fn two_commits_of_one_request_keep_everything_once() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for begin in [inline, in_record, returned] {
            for (act, head_start) in ACTS.iter().flat_map(|act| HEAD_STARTS.map(move |start| (act, start))) {
                let site = Site::new();
                let store = Interrupted::new(&site);
                let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
                let browser = begin(&site, &manager);
                let request = browser.begin(&manager);
                act(&request.session());
                request.session().increment("n", 1).unwrap();
                store.go_slow(true);
                let outcomes = commits_twice(&request, head_start);
                store.go_slow(false);
                later(&site);
                for reverses in [false, true] {
                    let mut browser = browser.clone();
                    let mut responses: Vec<_> = outcomes.iter().flatten().collect();
                    if reverses {
                        responses.reverse();
                    }
                    responses.iter().for_each(|response| browser.receive(response));
                    let found = (browser.get(&manager, "user"), browser.get(&manager, "n"));
                    assert_eq!(found, (Some(42), (!responses.is_empty()).then_some(1)), "{placement:?}, {head_start}");
                }
            }
        }
    }
}

/// Where the other thread has no core now, nobody waits longer for it.
const PATIENCE: usize = 2000;

/// Does something with each request, one after the other, while another thread commits the one that has just begun. Nobody has
/// asked for its session before. `act` says whether it was a success. Gives that for each request that was committed.
fn at_each_commit(
    requests: &[PendingSession],
    act: impl Fn(&PendingSession) -> bool + Sync,
) -> Vec<(bool, Result<Commit, FailedCommit>)> {
    let [begun, committed] = [(); 2].map(|()| AtomicUsize::new(0));
    let successes: Vec<_> = requests.iter().map(|_| AtomicBool::new(false)).collect();
    let acts = || {
        for (number, (request, success)) in requests.iter().zip(&successes).enumerate() {
            begun.store(number + 1, Ordering::SeqCst);
            success.store(act(request), Ordering::SeqCst);
            let waits = || committed.load(Ordering::SeqCst) <= number;
            (0..PATIENCE).take_while(|_| waits()).for_each(|_| std::hint::spin_loop());
        }
    };
    let (mut commits, mut last, mut delay) = (Vec::new(), 0, 0_usize);
    thread::scope(|scope| {
        let other = scope.spawn(acts);
        loop {
            let newest = begun.load(Ordering::SeqCst);
            if newest == last {
                if other.is_finished() {
                    break;
                }
                thread::yield_now();
                continue;
            }
            // It takes a while to make a session. The commit comes when that is done, or nearly.
            (0..delay).for_each(|_| std::hint::spin_loop());
            let commit = requests[newest - 1].commit_now(&ResponseFacts::new(200));
            let is_late = commit.as_ref().is_ok_and(|commit| !commit.set_cookies.is_empty());
            delay = if is_late { delay.saturating_sub(4) } else { delay + 4 };
            commits.push((newest - 1, commit));
            last = newest;
            committed.store(last, Ordering::SeqCst);
        }
    });
    commits.into_iter().map(|(number, commit)| (successes[number].load(Ordering::SeqCst), commit)).collect()
}

/// A commit that leaves a session out which appears at that moment failed this in 8 of 20 runs, on two cores that had other work.
#[test]
fn a_first_write_beside_a_commit_is_kept_or_an_error() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let requests: Vec<_> = (0..12_000).map(|_| manager.begin(&RequestFacts::new())).collect();
    let write = |pending: &PendingSession| pending.session_now().is_ok_and(|session| session.put("user", &42).is_ok());
    for (is_written, commit) in at_each_commit(&requests, write) {
        assert!(!is_written || !commit.unwrap().set_cookies.is_empty(), "a success kept nothing");
    }
}

/// A logout that does not ask what the commit has made of its session failed this in 10 of 10 runs.
#[test]
fn a_first_logout_beside_a_commit_is_carried_out_or_an_error() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let browser = inline(&site, &manager);
    let requests: Vec<_> = (0..4000).map(|_| browser.begin(&manager).0).collect();
    for (has_ended, commit) in at_each_commit(&requests, |pending| pending.end().is_ok()) {
        assert!(!has_ended || !commit.unwrap().set_cookies.is_empty(), "a logout left its cookie");
    }
}

/// What one thread counts while another saves, writes and commits.
fn counts_beside_a_commit(request: &Request, key: &str, seed: u64) -> (u64, Result<Commit, FailedCommit>) {
    let session = request.session();
    thread::scope(|scope| {
        let counts = scope.spawn(|| (0..60).map(|_| u64::from(session.increment(key, 1).is_ok())).sum());
        let mut draws = Draws::of(seed);
        for _ in 0..draws.below(6) {
            acts_at_random(&session, &mut draws);
        }
        let outcome = block_on(request.0.commit(&ResponseFacts::new(200)));
        (counts.join().unwrap(), outcome)
    })
}

fn acts_at_random(session: &Session, draws: &mut Draws) {
    match draws.below(6) {
        0 | 1 => ignore(block_on(session.save())),
        2 => ignore(session.put("half", &text(2000))),
        3 => ignore(session.forget("half")),
        4 if session.has("alone").unwrap() => ignore(session.regenerate()),
        _ => thread::yield_now(),
    }
}

#[test]
fn what_threads_count_beside_saves_and_commits_counts_once() {
    let mut draws = Draws::of(99);
    for round in 0..60 {
        let site = Site::new();
        let placement = [Placement::Spill, Placement::StoreOnly][round % 2];
        let manager = site.with_records().placement(placement).build().unwrap();
        // Two requests with one cookie know nothing of each other; with one record, both are kept.
        let is_alone = round % 3 == 0;
        let mut browser = if is_alone { inline(&site, &manager) } else { in_record(&site, &manager) };
        if is_alone {
            browser.put(&manager, "alone", true);
            later(&site);
        }
        let keys = &["one", "other"][..if is_alone { 1 } else { 2 }];
        let requests: Vec<_> = keys.iter().map(|key| (key, browser.begin(&manager), draws.below(1 << 30))).collect();
        let outcomes: Vec<_> = thread::scope(|scope| {
            let counts = |(key, request, seed): &(&&'static str, Request, usize)| {
                counts_beside_a_commit(request, key, u64::try_from(*seed).unwrap())
            };
            let spawned: Vec<_> = requests.iter().map(|request| scope.spawn(move || counts(request))).collect();
            spawned.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        outcomes.iter().for_each(|(_, outcome)| receives(&mut browser, outcome));
        later(&site);
        for (key, (counted, outcome)) in keys.iter().zip(outcomes) {
            let found = browser.get(&manager, key).unwrap_or(0);
            assert!(found == counted || (outcome.is_err() && found < counted), "{found} of {counted}, round {round}");
        }
    }
}
