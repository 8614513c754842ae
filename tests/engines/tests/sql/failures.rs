//! What the application is told when the engine cannot answer.

use std::time::Duration;

use sealed_session::Timestamp;
use sealed_session::store::{RecordStore, StoreError};
use sealed_session::testing::ManualClock;
use sealed_session_sqlx::{SqlDialect, SqlStore};

use super::place::{Place, of_one_connection, with_pool};
use super::schema::ID;

pub(crate) async fn a_missing_table_is_an_error_that_names_the_mend(place: &Place) {
    let error = place.store_without_table(&ManualClock::default()).load(&ID).await.unwrap_err();
    assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
    for part in [&place.table, "SqlStore::create_table", "SqlStore::migration"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// The engine's type of bytes that may be a key.
fn bytes(place: &Place) -> &'static str {
    match place.dialect {
        SqlDialect::Sqlite => "BLOB",
        SqlDialect::Postgres => "BYTEA",
        _ => "BINARY(16)",
    }
}

pub(crate) async fn another_table_of_that_name_is_corrupt(place: &Place) {
    let (table, bytes) = (place.quoted(&place.table), bytes(place));
    let store = place.store_without_table(&ManualClock::default());

    place.run(&format!("CREATE TABLE {table} (id {bytes} NOT NULL PRIMARY KEY, name VARCHAR(9))")).await;
    let error = store.load(&ID).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");

    place.run(&format!("DROP TABLE {table}")).await;
    let columns = format!("id {bytes} NOT NULL PRIMARY KEY, version VARCHAR(9), expires_at BIGINT, data {bytes}");
    place.run(&format!("CREATE TABLE {table} ({columns})")).await;
    let (id, now) = (place.literal(ID.as_bytes()), i64::from(u32::MAX));
    place.run(&format!("INSERT INTO {table} VALUES ({id}, 'one', {now}, {id})")).await;
    let error = store.load(&ID).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

pub(crate) async fn an_expiry_beyond_40_bits_is_corrupt(place: &Place) {
    let store = place.store(&ManualClock::default()).await;
    let (table, id) = (place.quoted(&place.table), place.literal(ID.as_bytes()));
    place.run(&format!("INSERT INTO {table} VALUES ({id}, 1, {}, {id})", 1_u64 << 40)).await;
    let error = store.load(&ID).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("`expires_at` is 1099511627776"), "{error}");
}

pub(crate) async fn a_closed_pool_is_unavailable(place: &Place) {
    let store = place.store(&ManualClock::default()).await;
    let pool = of_one_connection(&place.pool, Duration::from_millis(50)).await;
    let closed = SqlStore::builder(pool.clone()).table(&place.table).build().unwrap();
    assert_eq!(closed.load(&ID).await.unwrap(), None);
    with_pool!(&pool, pool => pool.close().await);
    assert!(matches!(closed.load(&ID).await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(closed.touch(&ID, Timestamp::MAX).await, Err(StoreError::Unavailable { .. })));
    assert_eq!(store.load(&ID).await.unwrap(), None);
}

pub(crate) async fn a_pool_without_a_free_connection_is_a_timeout(place: &Place) {
    place.store(&ManualClock::default()).await;
    let pool = of_one_connection(&place.pool, Duration::from_millis(50)).await;
    let store = SqlStore::builder(pool.clone()).table(&place.table).build().unwrap();
    with_pool!(&pool, pool => {
        let held = pool.acquire().await.unwrap();
        let error = store.load(&ID).await.unwrap_err();
        assert!(matches!(error, StoreError::Timeout { waited_milliseconds: 50, .. }), "{error:?}");
        held.close().await.unwrap();
        assert_eq!(store.load(&ID).await.unwrap(), None);
    });
}
