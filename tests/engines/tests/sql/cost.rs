//! What a call costs: statements and round trips, and what the engine reads for them.

use std::time::Duration;

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore, Updated};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::Proxy;
use sealed_session_sqlx::{SqlPool, SqlStore};

use super::place::{Place, of_one_connection, settled};
use super::schema::ID;
use super::statements;

const OTHER_ID: RecordId = RecordId::from_bytes([9; 16]);

fn record(version: u64) -> Record {
    Record::new(version, Timestamp::from_unix_seconds(1000), b"sealed".to_vec())
}

/// Each of the six calls once, where it finds what it wants; what was spent on each is asked of `spent`.
async fn each_call<T>(store: &impl RecordStore, clock: &ManualClock, mut spent: impl AsyncFnMut() -> T) -> [T; 6] {
    clock.set_unix_seconds(0);
    assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
    let create = spent().await;
    assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
    let load = spent().await;
    assert_eq!(store.update(&ID, record(2), 1).await.unwrap(), Updated::Updated);
    let update = spent().await;
    assert!(store.touch(&ID, Timestamp::from_unix_seconds(2000)).await.unwrap());
    let touch = spent().await;
    store.destroy(&ID).await.unwrap();
    let destroy = spent().await;
    assert_eq!(store.create(&OTHER_ID, record(1)).await.unwrap(), Created::Created);
    spent().await;
    clock.set_unix_seconds(1000);
    assert_eq!(store.sweep(10).await.unwrap(), 1);
    [create, load, update, touch, destroy, spent().await]
}

pub(crate) async fn a_call_that_succeeds_is_one_statement(place: &Place) {
    statements::listen();
    let clock = ManualClock::default();
    let store = place.store(&clock).await;
    assert_ne!(statements::take(&place.table), [] as [String; 0], "nothing was heard");
    let spent = each_call(&store, &clock, async || statements::take(&place.table)).await;
    let verbs = ["INSERT", "SELECT", "UPDATE", "UPDATE", "DELETE", "DELETE"];
    for (statements, verb) in spent.iter().zip(verbs) {
        assert!(matches!(statements.as_slice(), [one] if one.starts_with(verb)), "{verb}: {statements:?}");
    }
}

pub(crate) async fn what_was_not_written_is_asked_for_once_more(place: &Place) {
    statements::listen();
    let store = place.store(&ManualClock::default()).await;
    statements::take(&place.table);
    assert_eq!(store.update(&ID, record(2), 1).await.unwrap(), Updated::Missing);
    assert_eq!(statements::take(&place.table).len(), 2);
    assert_eq!(store.create(&ID, record(5)).await.unwrap(), Created::Created);
    statements::take(&place.table);
    assert_eq!(store.update(&ID, record(2), 1).await.unwrap(), Updated::Conflict);
    assert_eq!(statements::take(&place.table).len(), 2);
}

/// On one thread, where the pool's own work waits until the test does.
pub(crate) fn a_call_waits_for_one_round_trip(place: &Place) {
    let (proxy, url) = Proxy::before(&place.url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = of_one_connection(&SqlPool::connect(&url).await.unwrap(), Duration::from_secs(30)).await;
        let clock = ManualClock::default();
        let store = SqlStore::builder(pool.clone()).table(&place.table).clock(clock.clone()).build().unwrap();
        store.create_table().await.unwrap();
        let spent = async || {
            let waited_for = proxy.take_round_trips();
            settled(&pool).await;
            // The pool's own look at the connection.
            assert!(proxy.take_round_trips() <= 1);
            waited_for
        };
        spent().await;
        let connections = proxy.connections();
        // A connection learns each statement once.
        each_call(&store, &clock, &spent).await;
        assert_eq!(each_call(&store, &clock, &spent).await, [1; 6]);
        assert_eq!(proxy.connections(), connections);
    });
}
