//! The memory store's own rules: what it holds at most, what it evicts and refuses, and what its clones share.
#![expect(clippy::unwrap_used, reason = "a rule fails loudly; clippy knows test functions, but not what they call")]

use std::task::{Context, Waker};
use std::thread;

use pollster::block_on;
use sealed_session::store::conformance::support::{after, create, fresh_id, record};
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::store::{Created, MemoryStore, Record, RecordId, RecordStore, StoreError, Updated};
use sealed_session::testing::ManualClock;
use sealed_session::{Clock, SystemClock, Timestamp};

pub(crate) fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    let store = MemoryStore::builder().clock(YieldingClock(clock.clone())).build();
    rule(&store, &clock, &Runner::new(|work| block_on(work)));
}

/// Lets another thread run whenever it is read, which is in the middle of every call: what can interleave does.
struct YieldingClock(ManualClock);

impl Clock for YieldingClock {
    fn unix_milliseconds(&self) -> u64 {
        let now = self.0.unix_milliseconds();
        thread::yield_now();
        now
    }
}

/// As the documentation of `MemoryStore` states it.
const OVERHEAD_BYTES: u64 = 416;

/// A store of room for `records` records of 100 bytes.
fn room_for(records: u64) -> (MemoryStore, ManualClock) {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    let capacity_bytes = records * (OVERHEAD_BYTES + 100);
    (MemoryStore::builder().capacity_bytes(capacity_bytes).clock(clock.clone()).build(), clock)
}

fn sized(clock: &ManualClock, version: u64, bytes: usize) -> Record {
    Record::new(version, after(clock, 60), vec![7; bytes])
}

fn loads(store: &MemoryStore, id: &RecordId) -> bool {
    block_on(store.load(id)).unwrap().is_some()
}

#[test]
fn the_capacity_is_never_exceeded() {
    let (store, clock) = room_for(50);
    for round in 0_usize..500 {
        let id = fresh_id();
        block_on(create(&store, &id, &sized(&clock, 1, round % 200)));
        assert!(store.held_bytes() <= 50 * 516, "after create: {store:?}");
        let grown = store.update(&id, sized(&clock, 2, 200 + round % 4000), 1);
        assert_eq!(block_on(grown).unwrap(), Updated::Updated);
        assert!(store.held_bytes() <= 50 * 516, "after update: {store:?}");
    }
}

#[test]
fn a_full_store_takes_the_newest_record_and_holds_as_many_as_fit() {
    let (store, clock) = room_for(50);
    for round in 1..=500 {
        let id = fresh_id();
        block_on(create(&store, &id, &sized(&clock, 1, 100)));
        assert!(loads(&store, &id), "the newest record was turned away");
        assert_eq!(store.record_count(), round.min(50));
    }
}

#[test]
fn a_record_that_other_ids_were_preferred_to_is_still_taken() {
    let (store, clock) = room_for(2);
    let popular = [fresh_id(), fresh_id()];
    for id in &popular {
        block_on(create(&store, id, &sized(&clock, 1, 100)));
        assert!((0..1000).all(|_| loads(&store, id)));
    }
    let newcomer = fresh_id();
    block_on(create(&store, &newcomer, &sized(&clock, 1, 100)));
    assert!(loads(&store, &newcomer));
}

#[test]
fn the_record_not_used_for_longest_is_evicted_first() {
    let (store, clock) = room_for(3);
    let [read, touched, updated, idle] = [fresh_id(), fresh_id(), fresh_id(), fresh_id()];
    for id in [&read, &touched, &updated] {
        block_on(create(&store, id, &sized(&clock, 1, 100)));
    }
    assert!(loads(&store, &read));
    assert!(block_on(store.touch(&touched, after(&clock, 90))).unwrap());
    assert_eq!(block_on(store.update(&updated, sized(&clock, 2, 100), 1)).unwrap(), Updated::Updated);
    block_on(create(&store, &idle, &sized(&clock, 1, 100)));
    let left = [read, touched, updated, idle].map(|id| loads(&store, &id));
    assert_eq!(left, [false, true, true, true]);
}

#[test]
fn a_record_fits_up_to_the_capacity_to_the_byte() {
    let (store, clock) = room_for(1);
    let id = fresh_id();
    block_on(create(&store, &id, &sized(&clock, 1, 100)));
    assert!(loads(&store, &id));
    assert!(matches!(block_on(store.create(&fresh_id(), sized(&clock, 1, 101))), Err(StoreError::Other { .. })));
}

#[test]
fn a_record_over_the_capacity_is_refused_with_the_mend_and_changes_nothing() {
    let (store, clock) = room_for(2);
    let (kept, refused, given) = (fresh_id(), fresh_id(), sized(&clock, 1, 100));
    block_on(create(&store, &kept, &given));

    let error = block_on(store.create(&refused, sized(&clock, 1, 5000))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "memory: a record of 5000 bytes, and 416 for its bookkeeping, is larger than the 1032 bytes that the store may \
         hold: raise `MemoryStoreBuilder::capacity_bytes`"
    );
    assert!(!loads(&store, &refused));
    assert!(block_on(store.update(&kept, sized(&clock, 2, 5000), 1)).is_err());
    assert_eq!(block_on(store.load(&kept)).unwrap(), Some(given));
}

#[test]
fn a_store_without_capacity_refuses_every_record() {
    let store = MemoryStore::builder().capacity_bytes(0).build();
    assert!(block_on(store.create(&fresh_id(), Record::new(1, Timestamp::MAX, Vec::new()))).is_err());
}

#[test]
fn clones_share_their_content() {
    let (store, clock) = room_for(2);
    let (other, id) = (store.clone(), fresh_id());
    block_on(create(&store, &id, &record(&clock, 1, 60)));
    assert_eq!(block_on(other.load(&id)).unwrap(), Some(record(&clock, 1, 60)));
    block_on(other.destroy(&id)).unwrap();
    assert_eq!(block_on(store.load(&id)).unwrap(), None);
}

#[test]
fn two_stores_share_nothing() {
    let ((first, clock), (second, _)) = (room_for(2), room_for(2));
    let id = fresh_id();
    block_on(create(&first, &id, &record(&clock, 1, 60)));
    assert_eq!(block_on(second.load(&id)).unwrap(), None);
}

#[test]
fn an_evicted_record_is_not_swept_a_second_time() {
    let (store, clock) = room_for(50);
    for _ in 0..500 {
        block_on(create(&store, &fresh_id(), &sized(&clock, 1, 100)));
    }
    clock.advance_seconds(60);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 50);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 0);
}

#[test]
fn a_record_that_moved_its_expiry_is_swept_at_the_last_one_alone() {
    let (store, clock) = room_for(50);
    let id = fresh_id();
    block_on(create(&store, &id, &sized(&clock, 1, 100)));
    assert!(block_on(store.touch(&id, after(&clock, 90))).unwrap());
    clock.advance_seconds(60);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 0);
    assert!(loads(&store, &id));
    clock.advance_seconds(30);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 1);
}

#[test]
fn a_sweep_removes_exactly_what_has_expired_and_frees_its_memory() {
    let (store, clock) = room_for(100);
    for seconds in [60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 61, 61] {
        block_on(create(&store, &fresh_id(), &record(&clock, 1, seconds)));
    }
    clock.advance_seconds(60);
    assert_eq!(store.record_count(), 12);
    let swept = [4, 0, 4, 4, 4].map(|limit| block_on(store.sweep(limit)).unwrap());
    assert_eq!(swept, [4, 0, 4, 2, 0]);
    assert_eq!(store.record_count(), 2);
    clock.advance_seconds(1);
    assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 2);
    assert_eq!((store.record_count(), store.held_bytes()), (0, 0));
}

#[test]
fn a_long_sweep_lets_other_tasks_run_and_reaches_every_record() {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    let store = MemoryStore::builder().clock(clock.clone()).build();
    for _ in 0..5000 {
        block_on(create(&store, &fresh_id(), &sized(&clock, 1, 1)));
    }
    clock.advance_seconds(60);
    let mut sweep = store.sweep(usize::MAX);
    assert!(sweep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(block_on(sweep).unwrap(), 5000);
}

#[test]
fn a_clock_that_ran_ahead_and_was_set_back_has_dropped_nothing() {
    let (store, clock) = room_for(2);
    let (id, given) = (fresh_id(), record(&clock, 1, 60));
    block_on(create(&store, &id, &given));
    clock.advance_seconds(1_000_000);
    assert!(!loads(&store, &id));
    clock.set_unix_seconds(START_UNIX_SECONDS);
    assert_eq!(block_on(store.load(&id)).unwrap(), Some(given));
}

#[test]
fn the_count_is_exact_after_parallel_writes_and_evictions() {
    let (store, clock) = room_for(20);
    let ids: Vec<_> = (0..40).map(|_| fresh_id()).collect();
    thread::scope(|scope| {
        for seed in 0..4 {
            let (store, clock, ids) = (&store, &clock, &ids);
            scope.spawn(move || {
                for round in 0..1000 {
                    let id = &ids[(round * 7 + seed * 11) % ids.len()];
                    match round % 7 {
                        0 => block_on(store.destroy(id)).unwrap(),
                        1 => drop(block_on(store.touch(id, after(clock, 90))).unwrap()),
                        2 | 3 => drop(block_on(store.update(id, sized(clock, 1, round), 1)).unwrap()),
                        4 => drop(block_on(store.load(id)).unwrap()),
                        _ => drop(block_on(store.create(id, sized(clock, 1, round))).unwrap()),
                    }
                }
            });
        }
    });
    let living: Vec<_> = ids.iter().filter_map(|id| block_on(store.load(id)).unwrap()).collect();
    let bytes: u64 = living.iter().map(|record| record.bytes.len() as u64 + OVERHEAD_BYTES).sum();
    assert_eq!((store.record_count(), store.held_bytes()), (living.len() as u64, bytes));
    assert!(bytes <= 20 * 516);
}

#[test]
fn a_new_store_lives_by_the_systems_clock() {
    let (store, now) = (MemoryStore::new(), SystemClock.now());
    let (past, coming) = (fresh_id(), fresh_id());
    for (id, expires_at) in [(past, now), (coming, now.saturating_add_seconds(3600))] {
        let record = Record::new(1, expires_at, Vec::new());
        assert_eq!(block_on(store.create(&id, record)).unwrap(), Created::Created);
    }
    assert_eq!((loads(&store, &past), loads(&store, &coming)), (false, true));
}

#[test]
fn debug_shows_counts_alone() {
    let store = MemoryStore::default();
    block_on(create(&store, &fresh_id(), &Record::new(1, Timestamp::MAX, vec![7; 10])));
    let counts = "MemoryStore { record_count: 1, held_bytes: 426, capacity_bytes: 67108864 }";
    assert_eq!(format!("{store:?}"), counts);
    assert_eq!(format!("{:?}", MemoryStore::builder()), "MemoryStoreBuilder { capacity_bytes: 67108864, .. }");
}
