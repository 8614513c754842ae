//! Rules of what a record may hold: any bytes, any version.

use super::Runner;
use super::support::{after, create, fresh_id, record};
use crate::clock::ManualClock;
use crate::store::{Created, Record, RecordStore, Updated};

/// Written by `create` and again by `update`, the bytes come back as they were given.
async fn come_back(store: &dyn RecordStore, clock: &ManualClock, bytes: Vec<u8>) {
    let (id, first) = (fresh_id(), Record::new(1, after(clock, 60), bytes.clone()));
    create(store, &id, &first).await;
    assert!(store.load(&id).await.unwrap() == Some(first), "created bytes came back changed");

    let (id, second) = (fresh_id(), Record::new(2, after(clock, 60), bytes));
    create(store, &id, &record(clock, 1, 60)).await;
    assert_eq!(store.update(&id, second.clone(), 1).await.unwrap(), Updated::Updated);
    assert!(store.load(&id).await.unwrap() == Some(second), "updated bytes came back changed");
}

pub async fn every_byte_value_is_kept(store: &dyn RecordStore, clock: &ManualClock) {
    come_back(store, clock, (0..=u8::MAX).collect()).await;
    // At either end, where engines trim and terminate.
    for byte in 0..=u8::MAX {
        come_back(store, clock, vec![byte; 3]).await;
    }
}

pub async fn no_bytes_at_all_are_kept(store: &dyn RecordStore, clock: &ManualClock) {
    come_back(store, clock, Vec::new()).await;
}

/// 251 is prime: no block of an engine looks like the one before it.
fn sized(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

pub fn sizes_around_the_limits_of_engines_are_kept(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    // A byte, a page, the lengths of 8 and 16 bits, and 400 KB, where columns and items of common engines end.
    for length in [1, 255, 256, 4096, 65_535, 65_536, 400_000, 409_600] {
        runner.block_on(come_back(store, clock, sized(length.min(runner.kept_bytes()))));
    }
}

pub fn the_largest_record_is_kept(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    runner.block_on(come_back(store, clock, sized(runner.kept_bytes())));
}

/// Where the engine holds what the contract asks for, it may hold more.
pub fn a_larger_record_is_kept_or_refused_and_never_cut(
    store: &dyn RecordStore,
    clock: &ManualClock,
    runner: &Runner<'_>,
) {
    let (created, updated, first) = (fresh_id(), fresh_id(), record(clock, 1, 60));
    let larger = Record::new(2, after(clock, 60), sized(runner.kept_bytes() + 1));
    runner.block_on(async {
        let kept = match store.create(&created, larger.clone()).await {
            Ok(outcome) => {
                assert_eq!(outcome, Created::Created);
                Some(larger.clone())
            }
            Err(_) => None,
        };
        assert!(store.load(&created).await.unwrap() == kept, "create answered one thing and did another");

        create(store, &updated, &first).await;
        let stands = match store.update(&updated, larger.clone(), 1).await {
            Ok(outcome) => {
                assert_eq!(outcome, Updated::Updated);
                larger
            }
            Err(_) => first,
        };
        let kept_by = if kept.is_some() { "create" } else { "update" };
        let refused = kept.is_none() && stands.version == 1;
        assert!(store.load(&updated).await.unwrap() == Some(stands), "update answered one thing and did another");
        assert!(refused || !runner.holds_less(), "a byte more than `largest_record_bytes` was kept by {kept_by}");
    });
}

pub async fn versions_of_all_64_bits_are_kept_and_compared(store: &dyn RecordStore, clock: &ManualClock) {
    let id = fresh_id();
    // Two above 2⁵³ that are one as floating-point numbers, both sides of the largest signed number, and downwards.
    let versions = [1 << 53, (1 << 53) + 1, i64::MAX.unsigned_abs(), 1 << 63, u64::MAX, 0, 1];
    create(store, &id, &record(clock, 1 << 53, 60)).await;
    for pair in versions.windows(2) {
        let (current, next) = (pair[0], record(clock, pair[1], 60));
        assert_eq!(store.update(&id, next.clone(), pair[1]).await.unwrap(), Updated::Conflict);
        assert_eq!(store.update(&id, next.clone(), current).await.unwrap(), Updated::Updated);
        assert_eq!(store.load(&id).await.unwrap(), Some(next));
    }
}
