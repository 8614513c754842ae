//! Rules of calls that meet: real threads, each waiting for calls of its own.

use std::future::poll_fn;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;

use super::support::{after, create, fresh_id, record};
use super::{Runner, Work};
use crate::clock::{ManualClock, Timestamp};
use crate::id::RecordId;
use crate::store::{Created, Record, RecordStore, Updated};

const THREADS: u16 = 8;

/// Runs the work of each number on a thread of its own, all at once.
fn at_once<'a>(runner: &Runner<'_>, threads: u16, work: impl Fn(u16) -> Work<'a> + Sync) {
    let start = Barrier::new(threads.into());
    thread::scope(|scope| {
        for number in 0..threads {
            let (work, start) = (&work, &start);
            scope.spawn(move || {
                start.wait();
                runner.block_on(work(number));
            });
        }
    });
}

/// All of this on one thread, each going on while the others wait.
async fn interleaved(mut works: Vec<Work<'_>>) {
    poll_fn(|context| {
        works.retain_mut(|work| work.as_mut().poll(context).is_pending());
        if works.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A record that counts.
async fn create_counter(store: &dyn RecordStore, clock: &ManualClock, id: &RecordId) {
    create(store, id, &Record::new(0, after(clock, 60), 0_u64.to_be_bytes().to_vec())).await;
}

/// Counts one up in the record's bytes, through as many conflicts as it takes.
async fn increment(store: &dyn RecordStore, id: &RecordId) {
    loop {
        let current = store.load(id).await.unwrap().unwrap();
        let count = u64::from_be_bytes(current.bytes.try_into().unwrap()) + 1;
        let next = Record::new(current.version + 1, current.expires_at, count.to_be_bytes().to_vec());
        match store.update(id, next, current.version).await.unwrap() {
            Updated::Updated => return,
            Updated::Conflict => {}
            Updated::Missing => panic!("the record was there, and nothing removes it"),
        }
    }
}

async fn assert_counted(store: &dyn RecordStore, id: &RecordId, total: u64) {
    let last = store.load(id).await.unwrap().unwrap();
    assert_eq!((last.version, last.bytes), (total, total.to_be_bytes().to_vec()));
}

pub fn no_increment_is_lost(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    let increments = runner.rounds(500);
    let id = fresh_id();
    runner.block_on(create_counter(store, clock, &id));
    at_once(runner, THREADS, |_| {
        Box::pin(async move {
            for _ in 0..increments {
                increment(store, &id).await;
            }
        })
    });
    runner.block_on(assert_counted(store, &id, u64::from(THREADS) * u64::from(increments)));
}

pub fn of_two_thousand_writers_none_is_lost(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    // Few enough to one record that their conflicts, which grow with the square, come to an end.
    let writers_to_a_record = 2;
    let ids: Vec<_> = (0..runner.rounds(125)).map(|_| fresh_id()).collect();
    runner.block_on(async {
        for id in &ids {
            create_counter(store, clock, id).await;
        }
    });
    at_once(runner, THREADS, |_| {
        let writers = ids.iter().cycle().take(ids.len() * writers_to_a_record);
        let writers = writers.map(|id| -> Work<'_> { Box::pin(increment(store, id)) });
        Box::pin(interleaved(writers.collect()))
    });
    runner.block_on(async {
        for id in &ids {
            assert_counted(store, id, u64::from(THREADS) * writers_to_a_record as u64).await;
        }
    });
}

/// Of creates on one id at once one wins, and its record is the one that stands; on each of these ids.
fn one_create_wins(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>, ids: &[RecordId]) {
    let winners: Vec<_> = ids.iter().map(|_| AtomicU64::new(0)).collect();
    at_once(runner, THREADS, |number| {
        let (winners, version) = (&winners, u64::from(number) + 1);
        Box::pin(async move {
            for (id, winner) in ids.iter().zip(winners) {
                if store.create(id, record(clock, version, 60)).await.unwrap() == Created::Created {
                    assert_eq!(winner.swap(version, Ordering::SeqCst), 0, "a second create won");
                }
            }
        })
    });
    runner.block_on(async move {
        for (id, winner) in ids.iter().zip(winners) {
            let winner = winner.into_inner();
            assert_ne!(winner, 0, "no create won");
            assert_eq!(store.load(id).await.unwrap(), Some(record(clock, winner, 60)));
        }
    });
}

pub fn one_of_many_creates_wins(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    let ids: Vec<_> = (0..runner.rounds(500)).map(|_| fresh_id()).collect();
    one_create_wins(store, clock, runner, &ids);
}

pub fn one_of_many_creates_over_an_expired_record_wins(
    store: &dyn RecordStore,
    clock: &ManualClock,
    runner: &Runner<'_>,
) {
    let ids: Vec<_> = (0..runner.rounds(500)).map(|_| fresh_id()).collect();
    runner.block_on(async {
        for id in &ids {
            create(store, id, &record(clock, 99, 60)).await;
        }
    });
    clock.advance_seconds(60);
    one_create_wins(store, clock, runner, &ids);
}

pub fn an_update_never_brings_back_what_is_destroyed(
    store: &dyn RecordStore,
    clock: &ManualClock,
    runner: &Runner<'_>,
) {
    for _ in 0..runner.rounds(500) {
        let id = fresh_id();
        runner.block_on(create(store, &id, &record(clock, 0, 60)));
        at_once(runner, 3, |number| {
            Box::pin(async move {
                if number == 0 {
                    // In the midst of the updates, not before the first.
                    while store.load(&id).await.unwrap().unwrap().version < 3 {}
                    return store.destroy(&id).await.unwrap();
                }
                for version in 0..10_000 {
                    let outcome = store.update(&id, record(clock, version + 1, 60), version).await.unwrap();
                    if outcome == Updated::Missing {
                        return;
                    }
                }
            })
        });
        runner.block_on(async { assert_eq!(store.load(&id).await.unwrap(), None) });
    }
}

pub fn a_touch_never_takes_back_an_update(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    let updates = u64::from(runner.rounds(2000));
    let id = fresh_id();
    runner.block_on(create(store, &id, &record(clock, 0, 60)));
    at_once(runner, 2, |number| {
        Box::pin(async move {
            for version in 0..updates {
                if number == 0 {
                    assert!(store.touch(&id, after(clock, 61 + version)).await.unwrap());
                } else {
                    let next = record(clock, version + 1, 60);
                    assert_eq!(store.update(&id, next, version).await.unwrap(), Updated::Updated);
                }
            }
        })
    });
    runner.block_on(async {
        let last = store.load(&id).await.unwrap().unwrap();
        assert_eq!((last.version, last.bytes), (updates, record(clock, updates, 60).bytes));
    });
}

/// A record whose version, expiry and bytes tell of each other; some of them of many pages.
fn consistent(version: u64) -> Record {
    let length = if version.is_multiple_of(2) { 20 } else { 40_000 };
    let bytes = version.to_be_bytes().into_iter().cycle().take(length).collect();
    Record::new(version, Timestamp::from_unix_seconds((1 << 39) + version), bytes)
}

pub fn a_load_never_sees_a_record_that_nobody_wrote(store: &dyn RecordStore, _: &ManualClock, runner: &Runner<'_>) {
    let updates = u64::from(runner.rounds(1000));
    let id = fresh_id();
    runner.block_on(create(store, &id, &consistent(0)));
    at_once(runner, 4, |number| {
        Box::pin(async move {
            if number == 0 {
                for version in 0..updates {
                    let outcome = store.update(&id, consistent(version + 1), version).await.unwrap();
                    assert_eq!(outcome, Updated::Updated);
                }
                return;
            }
            let mut newest = 0;
            while newest < updates {
                let seen = store.load(&id).await.unwrap().unwrap();
                assert!(seen == consistent(seen.version), "a mixture of records: {seen:?}");
                assert!(newest <= seen.version, "version {} was seen after {newest}", seen.version);
                newest = seen.version;
            }
        })
    });
}

pub fn a_sweep_never_removes_what_replaces_an_expired_record(
    store: &dyn RecordStore,
    clock: &ManualClock,
    runner: &Runner<'_>,
) {
    for _ in 0..runner.rounds(1000) {
        let id = fresh_id();
        runner.block_on(create(store, &id, &record(clock, 1, 60)));
        clock.advance_seconds(60);
        at_once(runner, 2, |number| {
            Box::pin(async move {
                if number == 0 {
                    store.sweep(usize::MAX).await.unwrap();
                } else {
                    create(store, &id, &record(clock, 2, 60)).await;
                }
            })
        });
        runner.block_on(async { assert_eq!(store.load(&id).await.unwrap(), Some(record(clock, 2, 60))) });
    }
}
