//! What an engine has to say for itself; the rest of the store is the same for all.

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Database, SqlSafeStr as _, SqlStr};

use crate::dialect::SqlDialect;
use crate::table::TableName;

/// One engine behind `sqlx`.
pub(crate) trait Engine: Database {
    /// As errors name the store.
    const STORE: &'static str;
    const DIALECT: SqlDialect;
    /// How often [`Statements::create`] asks for the present second, behind its other arguments.
    const NOWS_IN_CREATE: usize;

    fn statements(table: &TableName) -> Statements;

    /// Rows that a statement found and wrote, whether or not it changed them.
    fn rows(result: &Self::QueryResult) -> u64;

    /// Whether [`Statements::create`] wrote its record.
    fn has_created(result: &Self::QueryResult) -> bool {
        Self::rows(result) > 0
    }

    fn class(error: &dyn DatabaseError) -> ErrorClass;
}

/// What an error of the engine means to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// The statement did nothing, because of another one beside it.
    TryAgain,
    /// The engine is not ready to serve.
    Unavailable,
    /// The table was not made yet.
    NoTable,
    /// The table has other columns than ours, or the database is damaged.
    Corrupt,
    Other,
}

/// The statements of each call; their arguments stand in the order of the text.
pub(crate) struct Statements {
    /// id, now → version, expiry, bytes
    pub(crate) load: SqlStr,
    /// id, now → version
    pub(crate) version: SqlStr,
    /// id, version, expiry, bytes, now as often as the engine asks
    pub(crate) create: SqlStr,
    /// version, expiry, bytes, expected version, id, now
    pub(crate) update: SqlStr,
    /// expiry, id, now
    pub(crate) touch: SqlStr,
    /// id
    pub(crate) destroy: SqlStr,
    /// now, limit
    pub(crate) sweep: SqlStr,
    /// one by one
    pub(crate) create_table: Vec<SqlStr>,
}

/// Where engines differ in their statements.
pub(crate) struct Wording {
    /// The larger of two numbers.
    pub(crate) greatest: &'static str,
    /// [`Statements::create`]
    pub(crate) create: String,
    /// [`Statements::sweep`]
    pub(crate) sweep: String,
    /// Turns `?` into the engine's own placeholders.
    pub(crate) placeholders: fn(String) -> String,
}

impl Statements {
    /// Security: nothing but constant text and the checked, quoted table goes in; every value is bound.
    pub(crate) fn new(dialect: SqlDialect, table: &TableName, wording: Wording) -> Self {
        let Wording { greatest, create, sweep, placeholders } = wording;
        let name = table.qualified(dialect.quote());
        let statement = |text| AssertSqlSafe(placeholders(text)).into_sql_str();
        // `+ 0` keeps the index on the expiry out of the plan. While most rows have expired it looks as good as the key; a
        // plan that was made then goes on walking every living row, and in MySQL an update locks them all on its way.
        let living = "id = ? AND expires_at + 0 > ?";
        Self {
            load: statement(format!("SELECT version, expires_at, data FROM {name} WHERE {living}")),
            version: statement(format!("SELECT version FROM {name} WHERE {living}")),
            create: statement(create),
            update: statement(format!(
                "UPDATE {name} SET version = ?, expires_at = ?, data = ? WHERE version = ? AND {living}"
            )),
            touch: statement(format!("UPDATE {name} SET expires_at = {greatest}(expires_at, ?) WHERE {living}")),
            destroy: statement(format!("DELETE FROM {name} WHERE id = ?")),
            sweep: statement(sweep),
            create_table: dialect
                .definition(table)
                .into_iter()
                .map(|text| AssertSqlSafe(text).into_sql_str())
                .collect(),
        }
    }
}

/// `INSERT` as SQLite and PostgreSQL have it: an expired record gives way, a living one stays.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn insert_unless_living(name: &str) -> String {
    format!(
        "INSERT INTO {name} AS held (id, version, expires_at, data) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET \
         version = excluded.version, expires_at = excluded.expires_at, data = excluded.data WHERE held.expires_at <= ?"
    )
}
