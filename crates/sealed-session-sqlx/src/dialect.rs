//! The table, in each engine's words.

use crate::table::{Quote, TableName};
use sealed_session::ConfigError;

/// Which engine's SQL: for migrations of an application's own.
///
/// ```
/// use sealed_session_sqlx::SqlDialect;
///
/// let migration = SqlDialect::Postgres.migration("app.sessions")?;
/// assert!(migration.starts_with(r#"CREATE TABLE IF NOT EXISTS "app"."sessions" ("#));
/// # Ok::<(), sealed_session::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlDialect {
    /// SQLite from 3.37 on.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl SqlDialect {
    /// The statements that make the table and its index, for a migration; nothing happens where they stand already.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the table's name is not one: see [`SqlStoreBuilder::table`](crate::SqlStoreBuilder::table).
    pub fn migration(self, table: &str) -> Result<String, ConfigError> {
        Ok(self.script(&TableName::parse(table)?))
    }

    pub(crate) fn script(self, table: &TableName) -> String {
        self.definition(table).iter().map(|statement| format!("{statement};\n")).collect()
    }

    /// The same, a statement each.
    pub(crate) fn definition(self, table: &TableName) -> Vec<String> {
        let name = table.qualified(self.quote());
        match self {
            Self::Sqlite => vec![
                format!(
                    "CREATE TABLE IF NOT EXISTS {name} (\n    id BLOB NOT NULL PRIMARY KEY,\n    version INTEGER NOT \
                     NULL,\n    expires_at INTEGER NOT NULL,\n    data BLOB NOT NULL\n) STRICT"
                ),
                // In SQLite the schema stands at the index, and never at the table that is indexed.
                format!(
                    "CREATE INDEX IF NOT EXISTS {} ON {} (expires_at)",
                    table.qualified_index(self.quote()),
                    table.name(self.quote()),
                ),
            ],
            Self::Postgres => vec![
                format!(
                    "CREATE TABLE IF NOT EXISTS {name} (\n    id BYTEA NOT NULL PRIMARY KEY,\n    version BIGINT NOT \
                     NULL,\n    expires_at BIGINT NOT NULL,\n    data BYTEA NOT NULL\n)"
                ),
                // In PostgreSQL an index stands in the schema of its table.
                format!("CREATE INDEX IF NOT EXISTS {} ON {name} (expires_at)", table.index(self.quote())),
            ],
            // LONGBLOB: outside of strict mode a shorter type would cut a record off without an error.
            Self::MySql => vec![format!(
                "CREATE TABLE IF NOT EXISTS {name} (\n    id BINARY(16) NOT NULL PRIMARY KEY,\n    version BIGINT NOT \
                 NULL,\n    expires_at BIGINT NOT NULL,\n    data LONGBLOB NOT NULL,\n    INDEX {} \
                 (expires_at)\n) ENGINE = InnoDB",
                table.index(self.quote()),
            )],
        }
    }

    pub(crate) const fn quote(self) -> Quote {
        match self {
            Self::Sqlite | Self::Postgres => Quote::Double,
            Self::MySql => Quote::Backtick,
        }
    }
}
