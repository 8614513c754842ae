//! Rules of calls that meet: real threads, each waiting for calls of its own.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sealed_session::store::{Created, Updated};
use sealed_session::{ManualClock, Record, RecordId, RecordStore};

use crate::support::{BlockOn, Work, after, create, fresh_id, record};

const THREADS: u16 = 8;

/// Runs the work of each number on a thread of its own, all at once.
fn at_once<'a>(block_on: BlockOn<'_>, threads: u16, work: impl Fn(u16) -> Work<'a> + Sync) {
    let start = Barrier::new(threads.into());
    thread::scope(|scope| {
        for number in 0..threads {
            let (work, start) = (&work, &start);
            scope.spawn(move || {
                start.wait();
                block_on(work(number));
            });
        }
    });
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

pub(crate) fn no_increment_is_lost(store: &dyn RecordStore, clock: &ManualClock, block_on: BlockOn<'_>) {
    const INCREMENTS: u64 = 500;
    let id = fresh_id();
    let zero = Record::new(0, after(clock, 60), 0_u64.to_be_bytes().to_vec());
    block_on(Box::pin(create(store, &id, &zero)));
    at_once(block_on, THREADS, |_| {
        Box::pin(async move {
            for _ in 0..INCREMENTS {
                increment(store, &id).await;
            }
        })
    });
    block_on(Box::pin(async move {
        let last = store.load(&id).await.unwrap().unwrap();
        let total = u64::from(THREADS) * INCREMENTS;
        assert_eq!((last.version, last.bytes), (total, total.to_be_bytes().to_vec()));
    }));
}

/// Of creates on one id at once one wins, and its record is the one that stands; on each of these ids.
fn one_create_wins(store: &dyn RecordStore, clock: &ManualClock, block_on: BlockOn<'_>, ids: &[RecordId]) {
    let winners: Vec<_> = ids.iter().map(|_| AtomicU64::new(0)).collect();
    at_once(block_on, THREADS, |number| {
        let (winners, version) = (&winners, u64::from(number) + 1);
        Box::pin(async move {
            for (id, winner) in ids.iter().zip(winners) {
                if store.create(id, record(clock, version, 60)).await.unwrap() == Created::Created {
                    assert_eq!(winner.swap(version, Ordering::SeqCst), 0, "a second create won");
                }
            }
        })
    });
    block_on(Box::pin(async move {
        for (id, winner) in ids.iter().zip(winners) {
            let winner = winner.into_inner();
            assert_ne!(winner, 0, "no create won");
            assert_eq!(store.load(id).await.unwrap(), Some(record(clock, winner, 60)));
        }
    }));
}

pub(crate) fn one_of_many_creates_wins(store: &dyn RecordStore, clock: &ManualClock, block_on: BlockOn<'_>) {
    let ids: Vec<_> = (0..500).map(|_| fresh_id()).collect();
    one_create_wins(store, clock, block_on, &ids);
}

pub(crate) fn one_of_many_creates_over_an_expired_record_wins(
    store: &dyn RecordStore,
    clock: &ManualClock,
    block_on: BlockOn<'_>,
) {
    let ids: Vec<_> = (0..500).map(|_| fresh_id()).collect();
    block_on(Box::pin(async {
        for id in &ids {
            create(store, id, &record(clock, 99, 60)).await;
        }
    }));
    clock.advance_seconds(60);
    one_create_wins(store, clock, block_on, &ids);
}

pub(crate) fn an_update_never_brings_back_what_is_destroyed(
    store: &dyn RecordStore,
    clock: &ManualClock,
    block_on: BlockOn<'_>,
) {
    const ROUNDS: usize = 500;
    for _ in 0..ROUNDS {
        let id = fresh_id();
        block_on(Box::pin(create(store, &id, &record(clock, 0, 60))));
        at_once(block_on, 3, |number| {
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
        block_on(Box::pin(async move { assert_eq!(store.load(&id).await.unwrap(), None) }));
    }
}

pub(crate) fn a_touch_never_takes_back_an_update(store: &dyn RecordStore, clock: &ManualClock, block_on: BlockOn<'_>) {
    const UPDATES: u64 = 2000;
    let id = fresh_id();
    block_on(Box::pin(create(store, &id, &record(clock, 0, 60))));
    at_once(block_on, 2, |number| {
        Box::pin(async move {
            for version in 0..UPDATES {
                if number == 0 {
                    assert!(store.touch(&id, after(clock, 61 + version)).await.unwrap());
                } else {
                    let next = record(clock, version + 1, 60);
                    assert_eq!(store.update(&id, next, version).await.unwrap(), Updated::Updated);
                }
            }
        })
    });
    block_on(Box::pin(async move {
        let last = store.load(&id).await.unwrap().unwrap();
        assert_eq!((last.version, last.bytes), (UPDATES, record(clock, UPDATES, 60).bytes));
    }));
}

pub(crate) fn a_sweep_never_removes_what_replaces_an_expired_record(
    store: &dyn RecordStore,
    clock: &ManualClock,
    block_on: BlockOn<'_>,
) {
    const ROUNDS: usize = 1000;
    for _ in 0..ROUNDS {
        let id = fresh_id();
        block_on(Box::pin(create(store, &id, &record(clock, 1, 60))));
        clock.advance_seconds(60);
        at_once(block_on, 2, |number| {
            Box::pin(async move {
                if number == 0 {
                    store.sweep(usize::MAX).await.unwrap();
                } else {
                    create(store, &id, &record(clock, 2, 60)).await;
                }
            })
        });
        block_on(Box::pin(async move { assert_eq!(store.load(&id).await.unwrap(), Some(record(clock, 2, 60))) }));
    }
}
