//! What the three SQL engines share.

use std::sync::Arc;

use sealed_session::store::RecordStore;
use sealed_session::testing::ManualClock;
use sealed_session_sqlx::{SqlDialect, SqlPool, SqlStore};
use sqlx::{AssertSqlSafe, Row as _};

/// An id, its numbers and its bytes.
pub(crate) type Rows = Vec<(Vec<u8>, i64, i64, Vec<u8>)>;

macro_rules! with_pool {
    ($pool:expr, $name:ident => $work:expr) => {
        match $pool {
            SqlPool::Sqlite($name) => $work,
            SqlPool::Postgres($name) => $work,
            SqlPool::MySql($name) => $work,
            other => panic!("an engine that these tests do not know: {other:?}"),
        }
    };
}

pub(crate) async fn prepare(url: &str, name: &str) {
    store(url, name, &ManualClock::default()).await.create_table().await.unwrap();
}

pub(crate) async fn connect(url: &str, name: &str, clock: &ManualClock) -> Arc<dyn RecordStore> {
    Arc::new(store(url, name, clock).await)
}

async fn store(url: &str, name: &str, clock: &ManualClock) -> SqlStore {
    let pool = SqlPool::connect(url).await.unwrap();
    SqlStore::builder(pool).table(name).clock(clock.clone()).build().unwrap()
}

pub(crate) async fn back_up(url: &str, name: &str) -> Rows {
    let select = format!("SELECT id, version, expires_at, data FROM {name}");
    with_pool!(&SqlPool::connect(url).await.unwrap(), pool => {
        let rows = sqlx::query(AssertSqlSafe(select)).fetch_all(pool).await.unwrap();
        pool.close().await;
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    })
}

pub(crate) async fn restore(url: &str, name: &str, rows: &Rows) {
    let pool = SqlPool::connect(url).await.unwrap();
    let is_postgres = pool.dialect() == SqlDialect::Postgres;
    let bytes = |bytes: &[u8]| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if is_postgres { format!("'\\x{hex}'") } else { format!("X'{hex}'") }
    };
    let mut sql = format!("DELETE FROM {name};");
    for (id, version, expires_at, data) in rows {
        sql += &format!("INSERT INTO {name} VALUES ({}, {version}, {expires_at}, {});", bytes(id), bytes(data));
    }
    with_pool!(&pool, pool => {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(|_| ()).unwrap();
        pool.close().await;
    });
}

pub(crate) async fn clean_up(url: &str, name: &str) {
    let Ok(pool) = SqlPool::connect(url).await else { return };
    with_pool!(&pool, pool => {
        let _ = sqlx::raw_sql(AssertSqlSafe(format!("DROP TABLE IF EXISTS {name}"))).execute(pool).await;
        pool.close().await;
    });
}

/// The engine's own word on whether its file is whole.
pub(crate) async fn assert_whole(url: &str) {
    let SqlPool::Sqlite(pool) = SqlPool::connect(url).await.unwrap() else { panic!("{url} is no SQLite") };
    let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&pool).await.unwrap();
    assert_eq!(found, ["ok"]);
    pool.close().await;
}

/// A store whose process writes its log back into the database after every few pages, and not after a thousand.
pub(crate) async fn open_with_checkpoints(url: &str, name: &str, clock: &ManualClock) -> Arc<dyn RecordStore> {
    let SqlPool::Sqlite(pool) = SqlPool::connect(url).await.unwrap() else { panic!("{url} is no SQLite") };
    let eager = (*pool.connect_options()).clone().pragma("wal_autocheckpoint", "8");
    let pool = pool.options().clone().connect_with(eager).await.unwrap();
    Arc::new(SqlStore::builder(pool).table(name).clock(clock.clone()).build().unwrap())
}

/// Somebody who writes to SQLite, and takes his time.
pub(crate) struct Writer(sqlx::Transaction<'static, sqlx::Sqlite>);

impl Writer {
    pub(crate) async fn begin(url: &str) -> Self {
        let SqlPool::Sqlite(pool) = SqlPool::connect(url).await.unwrap() else { panic!("{url} is no SQLite") };
        Self(pool.begin_with("BEGIN IMMEDIATE").await.unwrap())
    }

    pub(crate) async fn end(self) {
        self.0.rollback().await.unwrap();
    }
}

/// The methods of a kind whose engine is reached by an SQL URL.
macro_rules! sql_kind {
    ($kind:ty, $address:expr, $clean_up:path) => {
        impl crate::site::Kind for $kind {
            const PARALLEL_REQUESTS: usize = 16;

            type Backup = crate::sql::Rows;

            fn address() -> String {
                $address
            }

            async fn prepare(url: &str, name: &str) {
                crate::sql::prepare(url, name).await;
            }

            async fn connect(
                url: &str,
                name: &str,
                clock: &sealed_session::testing::ManualClock,
            ) -> std::sync::Arc<dyn sealed_session::store::RecordStore> {
                crate::sql::connect(url, name, clock).await
            }

            async fn back_up(url: &str, name: &str) -> crate::sql::Rows {
                crate::sql::back_up(url, name).await
            }

            async fn restore(url: &str, name: &str, rows: &crate::sql::Rows) {
                crate::sql::restore(url, name, rows).await;
            }

            async fn clean_up(url: &str, name: &str) {
                $clean_up(url, name).await;
            }
        }
    };
}
pub(crate) use sql_kind;
