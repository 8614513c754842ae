//! From a URL to a pool, and what becomes of its connections.

use std::time::Duration;

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordStore, StoreError};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::{Proxy, free_port};
use sealed_session_sqlx::{SqlPool, SqlStore};

use super::place::{Place, of_one_connection, settled};
use super::schema::ID;

pub(crate) async fn what_names_no_database_is_refused_without_repeating_it() {
    for url in [
        "",
        "hunter2",
        "hunter2:",
        "redis://user:hunter2@localhost/",
        "postgres://user:hunter2@localhost:999999/",
        "postgres://user:hunter2@localhost/?sslmode=maybe",
        "postgres://user:1?hunter2&sslmode=hunter2@localhost/",
        "mysql://user:hunter2@localhost:999999/",
        "mysql://user:hunter2@localhost/?ssl-mode=maybe",
        "mysql://user:1?ssl-mode=hunter2@localhost/",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "sqlite:hunter2?mode=memory",
        "sqlite:hunter2?mode=maybe",
        "sqlite:sessions?mode=hunter2",
        "sqlite:sessions?hunter2=1",
    ] {
        let error = SqlPool::connect(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Other { .. }), "{url}: {error:?}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter"), "{url}: {shown}");
    }
}

pub(crate) async fn nobody_at_the_address_is_unavailable_or_too_late() {
    let (port, file) = (free_port(), "sqlite:/nowhere/sessions.sqlite?mode=rwc");
    for url in [format!("postgres://user:hunter2@127.0.0.1:{port}/"), format!("mysql://u:hunter2@127.0.0.1:{port}/")] {
        let error = SqlPool::connect(&url).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. } | StoreError::Timeout { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
    }
    assert!(matches!(SqlPool::connect(file).await, Err(StoreError::Unavailable { .. })));
}

pub(crate) async fn sqlite_is_put_into_wal_mode(place: &Place) {
    assert_eq!(place.texts("PRAGMA journal_mode").await, ["wal"]);
}

pub(crate) async fn an_engine_that_was_away_is_served_again(place: &Place) {
    place.store(&ManualClock::default()).await;
    let (mut proxy, url) = Proxy::before(&place.url);
    let pool = of_one_connection(&SqlPool::connect(&url).await.unwrap(), Duration::from_secs(1)).await;
    let store = SqlStore::builder(pool.clone()).table(&place.table).clock(ManualClock::default()).build().unwrap();
    let record = Record::new(1, Timestamp::MAX, b"sealed".to_vec());
    assert_eq!(store.create(&ID, record.clone()).await.unwrap(), Created::Created);
    settled(&pool).await;

    proxy.close();
    // The connection that the pool held, and then none.
    let error = store.load(&ID).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    let error = store.load(&ID).await.unwrap_err();
    assert!(matches!(error, StoreError::Timeout { waited_milliseconds: 1000, .. }), "{error:?}");
    proxy.reopen();
    assert_eq!(store.load(&ID).await.unwrap(), Some(record));
}
