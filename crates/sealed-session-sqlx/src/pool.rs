//! The connections: a pool that the application made, or one from a URL.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{Connection as _, Database, Error};

use crate::calls::{EngineTable, Table};
use crate::dialect::SqlDialect;
use crate::limits::{ACQUIRE_TIMEOUT_MILLISECONDS, IDLE_BEFORE_PING_SECONDS};
use crate::table::TableName;
use sealed_session::Clock;
use sealed_session::store::StoreError;

/// Connections to an SQL database: a pool of `sqlx` that the application made, or one from a URL.
///
/// ```
/// use sealed_session_sqlx::SqlPool;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// # #[cfg(feature = "sqlite")]
/// # runtime.block_on(async {
/// let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// let pool = SqlPool::from(pool);
/// assert_eq!(pool.dialect(), sealed_session_sqlx::SqlDialect::Sqlite);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SqlPool {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

impl SqlPool {
    /// Connects to `sqlite:`, `postgres:`, `postgresql:`, `mysql:` or `mariadb:`, each with its feature; what may stand
    /// behind it is `sqlx`'s.
    ///
    /// A call takes one round trip: a connection is tried out before use only when it was idle for 5 seconds. An SQLite
    /// database is put into WAL mode, in which readers do not wait for writers; it is made only where the URL says
    /// `?mode=rwc`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the URL names no engine whose feature is on, or an SQLite database in memory, which each
    /// connection would have for itself; and when the engine is not reachable. The URL, which may hold a password, is not
    /// in the error.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => connect_to_sqlite(url).await.map(Self::Sqlite),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => connect_to("postgres", url).await.map(Self::Postgres),
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => connect_to("mysql", url).await.map(Self::MySql),
            // Security: not even the scheme is told; a secret pasted in the wrong place may have no colon.
            _ => Err(StoreError::other(
                "sql",
                "the URL names no engine of this build: it begins with `sqlite:`, `postgres:` or `mysql:`, and the \
                 feature of that name is on",
            )),
        }
    }

    /// The engine's SQL.
    #[must_use]
    pub const fn dialect(&self) -> SqlDialect {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => SqlDialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => SqlDialect::Postgres,
            #[cfg(feature = "mysql")]
            Self::MySql(_) => SqlDialect::MySql,
        }
    }

    pub(crate) fn into_table(self, name: &TableName, clock: Arc<dyn Clock>) -> Arc<dyn Table> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => Arc::new(EngineTable::new(pool, name, clock)),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Arc::new(EngineTable::new(pool, name, clock)),
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => Arc::new(EngineTable::new(pool, name, clock)),
        }
    }
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for SqlPool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::PgPool> for SqlPool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self::Postgres(pool)
    }
}

#[cfg(feature = "mysql")]
impl From<sqlx::MySqlPool> for SqlPool {
    fn from(pool: sqlx::MySqlPool) -> Self {
        Self::MySql(pool)
    }
}

#[cfg(feature = "sqlite")]
async fn connect_to_sqlite(url: &str) -> Result<sqlx::SqlitePool, StoreError> {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::other(
            "sqlite",
            "a database in memory ends with its connection, and the pool closes idle ones: name a file, or use \
             `MemoryStore`",
        ));
    }
    let file: SqliteConnectOptions = url.parse().map_err(|error| unreadable("sqlite", error))?;
    if file.get_filename().as_os_str().is_empty() {
        return Err(StoreError::other("sqlite", "the URL names no file: it is written `sqlite:folder/file`"));
    }
    let file = file.journal_mode(SqliteJournalMode::Wal);
    options().connect_with(file).await.map_err(|error| not_reachable("sqlite", error))
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
async fn connect_to<DB: Database>(store: &'static str, url: &str) -> Result<sqlx::Pool<DB>, StoreError> {
    let server = url.parse().map_err(|error| unreadable(store, error))?;
    options().connect_with(server).await.map_err(|error| not_reachable(store, error))
}

/// Security: `sqlx` repeats of a URL the part that it cannot read, in quotes, and that may be the end of a password whose `?`
/// was not encoded. What stands before the quote is shown.
fn unreadable(store: &'static str, error: Error) -> StoreError {
    let problem = match error {
        Error::Configuration(problem) => problem.to_string(),
        error => error.to_string(),
    };
    let told = problem.split(['`', '"', '\'']).next().unwrap_or_default().trim_end();
    StoreError::other(store, format!("the URL cannot be read: {told}"))
}

fn not_reachable(store: &'static str, error: Error) -> StoreError {
    match error {
        Error::Configuration(problem) => StoreError::other(store, problem),
        error => StoreError::unavailable(store, error),
    }
}

/// By default a pool tries a connection out before each use, which is a second round trip, and goes on trying to connect
/// to an engine that is away for half a minute.
fn options<DB: Database>() -> PoolOptions<DB> {
    let before_ping = Duration::from_secs(IDLE_BEFORE_PING_SECONDS);
    let patience = Duration::from_millis(ACQUIRE_TIMEOUT_MILLISECONDS);
    let options = PoolOptions::new().acquire_timeout(patience).test_before_acquire(false);
    options.before_acquire(move |connection: &mut DB::Connection, meta| {
        Box::pin(async move {
            if meta.idle_for >= before_ping {
                connection.ping().await?;
            }
            Ok(true)
        })
    })
}
