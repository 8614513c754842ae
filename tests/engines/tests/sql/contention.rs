//! Statements that meet another one: what the engine gives up for it, and what a dropped call leaves behind.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, Updated};
use sealed_session::testing::ManualClock;
use sealed_session_sqlx::{SqlPool, SqlStore};
use sqlx::AssertSqlSafe;

use super::place::{Place, of_one_connection};
use super::schema::ID;
use super::statements;

const OTHER_ID: RecordId = RecordId::from_bytes([9; 16]);

fn record(version: u64, bytes: &[u8]) -> Record {
    Record::new(version, Timestamp::from_unix_seconds(1000 + version), bytes.to_vec())
}

async fn create(store: &SqlStore, id: &RecordId, record: Record) {
    assert_eq!(store.create(id, record).await.unwrap(), Created::Created);
}

/// With one connection, a left-over answer would be the next call's.
pub(crate) async fn a_call_that_is_dropped_midway_never_answers_another(place: &Place) {
    place.store(&ManualClock::default()).await;
    let pool = of_one_connection(&place.pool, Duration::from_secs(30)).await;
    let clock = ManualClock::default();
    let store = SqlStore::builder(pool).table(&place.table).clock(clock).build().unwrap();
    let (own, other) = (record(1, b"one's own"), record(2, b"another's"));
    create(&store, &ID, own).await;
    create(&store, &OTHER_ID, other.clone()).await;

    let mut version = 1;
    for polls in 0..60 {
        let mut load = store.load(&ID);
        let mut update = store.update(&ID, record(version + 1, b"one's own"), version);
        for _ in 0..polls {
            let ended = poll_fn(|context| {
                let loaded = load.as_mut().poll(context).is_ready();
                Poll::Ready(loaded || update.as_mut().poll(context).is_ready())
            });
            if ended.await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop((load, update));
        assert_eq!(store.load(&OTHER_ID).await.unwrap().as_ref(), Some(&other));
        let found = store.load(&ID).await.unwrap().unwrap();
        assert_eq!(found, record(found.version, b"one's own"));
        assert!(found.version == version || found.version == version + 1, "{found:?}");
        version = found.version;
    }
}

/// Waits until a statement on the place's table waits for a lock.
async fn somebody_waits(place: &Place, query: &str) {
    while place.number(query).await == 0 {
        // InnoDB shows who asks again within 100 ms what it showed before.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

pub(crate) async fn a_touch_that_cannot_be_serialized_is_made_again(place: &Place) {
    statements::listen();
    let (clock, SqlPool::Postgres(pool)) = (ManualClock::default(), &place.pool) else { panic!("{:?}", place.pool) };
    let strict = (*pool.connect_options()).clone().options([("default_transaction_isolation", "serializable")]);
    let strict = pool.options().clone().connect_with(strict).await.unwrap();
    create(&place.store(&clock).await, &ID, record(1, b"sealed")).await;
    let store = SqlStore::builder(strict).table(&place.table).clock(clock).build().unwrap();

    let table = place.quoted(&place.table);
    let mut transaction = pool.begin().await.unwrap();
    let write = format!("UPDATE {table} SET version = 5");
    sqlx::raw_sql(AssertSqlSafe(write)).execute(&mut *transaction).await.unwrap();
    statements::take(&place.table);
    let touch = tokio::spawn(async move { store.touch(&ID, Timestamp::from_unix_seconds(5000)).await });
    let waiting = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE%{}%'",
        place.table
    );
    somebody_waits(place, &waiting).await;
    transaction.commit().await.unwrap();

    assert!(touch.await.unwrap().unwrap());
    let touches = statements::take(&place.table).iter().filter(|statement| statement.contains("GREATEST")).count();
    assert_eq!(touches, 2);
    let found = place.store(&ManualClock::default()).await.load(&ID).await.unwrap();
    assert_eq!(found, Some(Record::new(5, Timestamp::from_unix_seconds(5000), b"sealed".to_vec())));
}

pub(crate) async fn a_sweep_that_a_deadlock_ended_is_made_again(place: &Place) {
    statements::listen();
    let (clock, SqlPool::MySql(pool)) = (ManualClock::default(), &place.pool) else { panic!("{:?}", place.pool) };
    let store = place.store(&clock).await;
    create(&store, &ID, record(1, b"first to be swept")).await;
    create(&store, &OTHER_ID, record(2, b"last to be swept")).await;
    let table = place.quoted(&place.table);
    clock.set_unix_seconds(2000);

    let mut transaction = pool.begin().await.unwrap();
    let run = async |transaction: &mut sqlx::Transaction<'_, sqlx::MySql>, sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **transaction).await.unwrap();
    };
    let write = |id: &RecordId| format!("UPDATE {table} SET version = 5 WHERE id = {}", place.literal(id.as_bytes()));
    // The engine gives up whoever has written less.
    let living: Vec<_> =
        (0..100_u128).map(|id| format!("({}, 1, 99999, '')", place.literal(&id.to_be_bytes()))).collect();
    run(&mut transaction, format!("INSERT INTO {table} VALUES {}", living.join(", "))).await;
    run(&mut transaction, write(&OTHER_ID)).await;
    let sweep = tokio::spawn(async move { store.sweep(10).await });
    let waiting = format!(
        "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE \
         'DELETE%{}%'",
        place.table
    );
    somebody_waits(place, &waiting).await;
    statements::take(&place.table);
    run(&mut transaction, write(&ID)).await;
    transaction.commit().await.unwrap();

    assert_eq!(sweep.await.unwrap().unwrap(), 2);
    let sweeps = statements::take(&place.table).iter().filter(|statement| statement.starts_with("DELETE")).count();
    assert_eq!(sweeps, 2);
}

pub(crate) async fn a_write_that_waits_too_long_for_another_is_unavailable(place: &Place) {
    let (clock, SqlPool::Sqlite(pool)) = (ManualClock::default(), &place.pool) else { panic!("{:?}", place.pool) };
    create(&place.store(&clock).await, &ID, record(1, b"sealed")).await;
    let impatient = (*pool.connect_options()).clone().busy_timeout(Duration::ZERO);
    let impatient = pool.options().clone().connect_with(impatient).await.unwrap();
    let store = SqlStore::builder(impatient).table(&place.table).clock(clock).build().unwrap();

    let writer = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    // Readers do not wait for a writer.
    assert_eq!(store.load(&ID).await.unwrap(), Some(record(1, b"sealed")));
    let error = store.update(&ID, record(2, b"sealed"), 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    writer.rollback().await.unwrap();
    assert_eq!(store.update(&ID, record(2, b"sealed"), 1).await.unwrap(), Updated::Updated);
}

pub(crate) async fn a_replica_is_unavailable_for_writes(place: &Place) {
    let (clock, SqlPool::Postgres(pool)) = (ManualClock::default(), &place.pool) else { panic!("{:?}", place.pool) };
    create(&place.store(&clock).await, &ID, record(1, b"sealed")).await;
    let replica = (*pool.connect_options()).clone().options([("default_transaction_read_only", "on")]);
    let replica = pool.options().clone().connect_with(replica).await.unwrap();
    let store = SqlStore::builder(replica).table(&place.table).clock(clock).build().unwrap();
    let error = store.update(&ID, record(2, b"sealed"), 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}
