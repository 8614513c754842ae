//! Where a test's table stands: an engine, a pool, and a name that nobody else has.

use std::path::PathBuf;
use std::time::Duration;

use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::{Engine, Runner, unique_name};
use sealed_session_sqlx::{SqlDialect, SqlPool, SqlStore};
use sqlx::{AssertSqlSafe, Row as _};

/// Dropped with everything that the test made in the engine.
pub(crate) struct Place {
    pub(crate) dialect: SqlDialect,
    pub(crate) url: String,
    pub(crate) table: String,
    pub(crate) pool: SqlPool,
    folder: Option<PathBuf>,
    runner: Runner,
}

/// The same expression for each kind of pool.
macro_rules! with_pool {
    ($pool:expr, $name:ident => $work:expr) => {
        match $pool {
            sealed_session_sqlx::SqlPool::Sqlite($name) => $work,
            sealed_session_sqlx::SqlPool::Postgres($name) => $work,
            sealed_session_sqlx::SqlPool::MySql($name) => $work,
            other => panic!("an engine that these tests do not know: {other:?}"),
        }
    };
}
pub(crate) use with_pool;

/// A pool as an application may make it, to the same engine: one connection, for which others wait for so long.
pub(crate) async fn of_one_connection(pool: &SqlPool, patience: Duration) -> SqlPool {
    with_pool!(pool, pool => {
        let options = pool.options().clone().max_connections(1).acquire_timeout(patience);
        SqlPool::from(options.connect_with((*pool.connect_options()).clone()).await.unwrap())
    })
}

/// Waits until a connection is back in the pool, which looks after it first, while nobody waits for it.
pub(crate) async fn settled(pool: &SqlPool) {
    with_pool!(pool, pool => while pool.num_idle() == 0 { tokio::task::yield_now().await });
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(unique_name("sealed-session"));
        std::fs::create_dir(&folder).unwrap();
        let url = format!("sqlite:{}?mode=rwc", folder.join("sessions.sqlite").display());
        Self::at(SqlDialect::Sqlite, url, Some(folder))
    }

    pub(crate) fn postgres() -> Self {
        Self::at(SqlDialect::Postgres, Engine::Postgres.url(), None)
    }

    pub(crate) fn mysql() -> Self {
        Self::at(SqlDialect::MySql, Engine::MySql.url(), None)
    }

    fn at(dialect: SqlDialect, url: String, folder: Option<PathBuf>) -> Self {
        let runner = Runner::new();
        let pool = runner.block_on(SqlPool::connect(&url)).unwrap();
        Self { dialect, url, table: unique_name("sessions"), pool, folder, runner }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runner.block_on(work)
    }

    /// A store over the test's table, which is made where it is missing.
    pub(crate) async fn store(&self, clock: &ManualClock) -> SqlStore {
        let store = self.store_without_table(clock);
        store.create_table().await.unwrap();
        store
    }

    pub(crate) fn store_without_table(&self, clock: &ManualClock) -> SqlStore {
        self.store_named(&self.table, clock)
    }

    pub(crate) fn store_named(&self, table: &str, clock: &ManualClock) -> SqlStore {
        SqlStore::builder(self.pool.clone()).table(table).clock(clock.clone()).build().unwrap()
    }

    /// The name between this engine's quotes.
    pub(crate) fn quoted(&self, name: &str) -> String {
        if self.dialect == SqlDialect::MySql { format!("`{name}`") } else { format!("\"{name}\"") }
    }

    /// Runs statements of the test's own.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql);
        with_pool!(&self.pool, pool => { sqlx::raw_sql(sql).execute(pool).await.map(|_| ()).unwrap() });
    }

    /// The first column of each row, a text.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        with_pool!(&self.pool, pool => {
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
            rows.iter().map(|row| row.get::<String, _>(0)).collect()
        })
    }

    /// The first column of the only row, a number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        with_pool!(&self.pool, pool => {
            sqlx::query(AssertSqlSafe(sql)).fetch_one(pool).await.unwrap().get::<i64, _>(0)
        })
    }

    pub(crate) async fn row_count(&self) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {}", self.quoted(&self.table))).await
    }

    /// Every byte that the engine would hand to a thief of its data: the rows as they are, and SQLite's files.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let sql = format!("SELECT id, version, expires_at, data FROM {}", self.quoted(&self.table));
        let mut dump = Vec::new();
        with_pool!(&self.pool, pool => {
            for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap() {
                dump.extend(row.get::<Vec<u8>, _>(0));
                dump.extend(row.get::<i64, _>(1).to_be_bytes());
                dump.extend(row.get::<i64, _>(2).to_be_bytes());
                dump.extend(row.get::<Vec<u8>, _>(3));
            }
        });
        for file in self.folder.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
            dump.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        dump
    }

    pub(crate) async fn record_ids(&self) -> Vec<Vec<u8>> {
        let sql = format!("SELECT id FROM {}", self.quoted(&self.table));
        with_pool!(&self.pool, pool => {
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
            rows.iter().map(|row| row.get::<Vec<u8>, _>(0)).collect()
        })
    }

    /// These bytes in a statement of the test's own.
    pub(crate) fn literal(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.dialect == SqlDialect::Postgres { format!("'\\x{hex}'") } else { format!("X'{hex}'") }
    }

    async fn clean_up(&self) {
        let sql = format!("DROP TABLE IF EXISTS {}", self.quoted(&self.table));
        with_pool!(&self.pool, pool => {
            // A failure here would hide that of the test.
            let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await;
            pool.close().await;
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.block_on(self.clean_up());
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
