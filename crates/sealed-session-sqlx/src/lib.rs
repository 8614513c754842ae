#![doc = include_str!("../README.md")]
//!
//! # How it works
//!
//! Each call is one statement, and what it asks of the record stands in its `WHERE`: the engine's lock on the row is what
//! makes calls on one id happen one after the other, with no transaction held open between two round trips.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(
        dead_code,
        unused_imports,
        unused_variables,
        reason = "without an engine there is no table, only its definition"
    )
)]

mod calls;
mod dialect;
mod engine;
mod failure;
mod limits;
#[cfg(feature = "mysql")]
mod mysql;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod table;

pub use dialect::SqlDialect;
pub use pool::SqlPool;

use std::fmt;
use std::sync::Arc;

use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::{Clock, ConfigError, SystemClock, Timestamp};

use calls::Table;
use table::TableName;

/// Server store in a table of SQLite, PostgreSQL, MySQL or MariaDB. Clones share their pool.
///
/// The table has a row for each record, of four columns: `id` (16 bytes), `version` and `expires_at` (8 bytes each), and
/// `data` (sealed bytes). It is made by [`create_table`](Self::create_table), or by a migration of the application's own, with
/// what [`migration`](Self::migration) prints. Expired rows are deleted by [`sweep`](RecordStore::sweep), which somebody
/// has to call now and then; the guide has [more on the table](sealed_session::guide::stores).
///
/// Each call is one statement; an update that finds nothing to write asks once more why. The pool's runtime is tokio, which
/// has to be running where a call is awaited.
///
/// ```
/// use sealed_session::store::{Created, Record, RecordId, RecordStore};
/// use sealed_session::Timestamp;
/// use sealed_session_sqlx::SqlStore;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # #[cfg(feature = "sqlite")]
/// # runtime.block_on(async {
/// let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// let store = SqlStore::builder(pool).table("app_sessions").build()?;
/// store.create_table().await?;
///
/// let id = RecordId::from_bytes([7; 16]);
/// let record = Record::new(1, Timestamp::MAX, b"sealed".to_vec());
/// assert_eq!(store.create(&id, record.clone()).await?, Created::Created);
/// assert_eq!(store.load(&id).await?, Some(record));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct SqlStore {
    records: Arc<dyn Table>,
    dialect: SqlDialect,
    table: TableName,
}

impl SqlStore {
    /// A store in the table `sealed_sessions`, on the system's clock, unless the builder is told otherwise.
    ///
    /// ```no_run
    /// use sealed_session_sqlx::{SqlPool, SqlStore};
    ///
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = SqlPool::connect("postgres://app@localhost/app").await?;
    /// let store = SqlStore::builder(pool).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(pool: impl Into<SqlPool>) -> SqlStoreBuilder {
        SqlStoreBuilder { pool: pool.into(), table: "sealed_sessions".to_owned(), clock: Arc::new(SystemClock) }
    }

    /// Makes the table and its index where they are missing. It needs the right to do so, and an application that serves
    /// requests should not have it: see [`migration`](Self::migration).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the engine does not answer, or refuses.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        self.records.create_table().await
    }

    /// The statements of [`create_table`](Self::create_table) as text, to be run by whoever owns the schema.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # #[cfg(feature = "sqlite")]
    /// # runtime.block_on(async {
    /// # let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    /// let store = sealed_session_sqlx::SqlStore::builder(pool).build()?;
    /// assert!(store.migration().ends_with("ON \"sealed_sessions\" (expires_at);\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn migration(&self) -> String {
        self.dialect.script(&self.table)
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table.qualified(self.dialect.quote());
        f.debug_struct("SqlStore").field("dialect", &self.dialect).field("table", &table).finish_non_exhaustive()
    }
}

/// Settings of an [`SqlStore`]; from [`SqlStore::builder`].
///
/// ```
/// use sealed_session::testing::ManualClock;
/// use sealed_session_sqlx::SqlStore;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # #[cfg(feature = "sqlite")]
/// # runtime.block_on(async {
/// # let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// let builder = SqlStore::builder(pool).clock(ManualClock::at_unix_seconds(1_795_000_000));
/// let store = builder.clone().table("app.sessions").build()?;
/// assert_eq!(builder.table("app sessions").build().unwrap_err().setting(), "table");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct SqlStoreBuilder {
    pool: SqlPool,
    table: String,
    clock: Arc<dyn Clock>,
}

impl SqlStoreBuilder {
    /// The table: ASCII letters, digits and underscores, 48 at most and no digit first; or a schema, a dot and such a
    /// name. It is quoted, so that letters keep their case.
    pub fn table(self, name: impl Into<String>) -> Self {
        Self { table: name.into(), ..self }
    }

    /// The clock that decides which records exist. Every server that shares the table should show the same time.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The store. Nothing is asked of the engine yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the table's name is not one.
    pub fn build(self) -> Result<SqlStore, ConfigError> {
        let (table, dialect) = (TableName::parse(&self.table)?, self.pool.dialect());
        Ok(SqlStore { records: self.pool.into_table(&table, self.clock), dialect, table })
    }
}

impl fmt::Debug for SqlStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStoreBuilder").field("pool", &self.pool).field("table", &self.table).finish_non_exhaustive()
    }
}

impl RecordStore for SqlStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.records.load(id)
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.records.create(id, record)
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        self.records.update(id, record, expected_version)
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.records.touch(id, expires_at)
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.records.destroy(id)
    }

    /// Deletes in batches of a thousand rows, each a statement of its own.
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.records.sweep(limit)
    }
}
