//! The sweep, counted: the store contract counts nothing, for engines that remove by themselves.

use sealed_session::Clock as _;
use sealed_session::store::{Created, Record, RecordId, RecordStore};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::sweep_by_command;
use sealed_session_sqlx::SqlDialect;

use super::place::Place;

/// Writes so many records that expire after so many seconds.
async fn fill(store: &impl RecordStore, clock: &ManualClock, first_id: u128, count: u128, seconds: u64) {
    for id in first_id..first_id + count {
        let record = Record::new(1, clock.now().saturating_add_seconds(seconds), b"sealed".to_vec());
        let created = store.create(&RecordId::from_bytes(id.to_be_bytes()), record).await.unwrap();
        assert_eq!(created, Created::Created);
    }
}

pub(crate) async fn exactly_what_has_expired_is_removed_up_to_the_limit(place: &Place) {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let store = place.store(&clock).await;
    fill(&store, &clock, 0, 10, 60).await;
    fill(&store, &clock, 10, 2, 61).await;
    assert_eq!(store.sweep(usize::MAX).await.unwrap(), 0);
    clock.advance_seconds(60);
    assert_eq!(place.row_count().await, 12);
    for (limit, swept) in [(4, 4), (0, 0), (4, 4), (4, 2), (4, 0)] {
        assert_eq!(store.sweep(limit).await.unwrap(), swept);
    }
    assert_eq!(place.row_count().await, 2);
    clock.advance_seconds(1);
    assert_eq!(store.sweep(usize::MAX).await.unwrap(), 2);
    assert_eq!(place.row_count().await, 0);
}

pub(crate) async fn more_than_a_batch_is_removed_in_one_call(place: &Place) {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let store = place.store(&clock).await;
    fill(&store, &clock, 0, 2300, 60).await;
    fill(&store, &clock, 9000, 1, 61).await;
    clock.advance_seconds(60);
    assert_eq!(store.sweep(1200).await.unwrap(), 1200);
    assert_eq!(store.sweep(usize::MAX).await.unwrap(), 1100);
    assert_eq!(place.row_count().await, 1);
}

pub(crate) async fn two_sweeps_at_once_remove_each_row_once(place: &Place) {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let store = place.store(&clock).await;
    fill(&store, &clock, 0, 1500, 60).await;
    clock.advance_seconds(60);
    let sweeps = [0, 1].map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.sweep(usize::MAX).await.unwrap() })
    });
    let mut removed = 0;
    for sweep in sweeps {
        removed += sweep.await.unwrap();
    }
    // One may pass over rows that the other has locked, and stop: what is left comes next time.
    removed += store.sweep(usize::MAX).await.unwrap();
    assert_eq!(removed, 1500);
    assert_eq!(place.row_count().await, 0);
}

pub(crate) async fn the_command_removes_what_has_expired(place: &Place) {
    // The command goes by the system's clock: the first of them ended in 1970.
    let clock = ManualClock::at_unix_seconds(1000);
    let store = place.store(&clock).await;
    fill(&store, &clock, 0, 1200, 60).await;
    fill(&store, &clock, 9000, 2, 1 << 38).await;
    let name = match place.dialect {
        SqlDialect::Sqlite => "sqlite",
        SqlDialect::Postgres => "postgres",
        SqlDialect::MySql => "mysql",
        other => panic!("an engine that these tests do not know: {other:?}"),
    };
    assert_eq!(sweep_by_command(name, &place.url, &place.table), "removed 1200 expired records\n");
    assert_eq!(place.row_count().await, 2);
    assert_eq!(sweep_by_command(name, &place.url, &place.table), "removed 0 expired records\n");
}
