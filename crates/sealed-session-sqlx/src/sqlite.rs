//! SQLite.

use sqlx::Sqlite;
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteQueryResult;

use crate::dialect::SqlDialect;
use crate::engine::{Engine, ErrorClass, Statements, Wording, insert_unless_living};
use crate::table::TableName;

impl Engine for Sqlite {
    const STORE: &'static str = "sqlite";
    const DIALECT: SqlDialect = SqlDialect::Sqlite;
    const NOWS_IN_CREATE: usize = 1;

    fn statements(table: &TableName) -> Statements {
        let name = table.qualified(Self::DIALECT.quote());
        let wording = Wording {
            greatest: "MAX",
            create: insert_unless_living(&name),
            // One statement has one writer: what was found expired cannot have been replaced before it is deleted.
            sweep: format!("DELETE FROM {name} WHERE id IN (SELECT id FROM {name} WHERE expires_at <= ? LIMIT ?)"),
            placeholders: |text| text,
        };
        Statements::new(Self::DIALECT, table, wording)
    }

    fn rows(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    /// Nothing is tried again here: the driver has waited for the lock already, as long as its `busy_timeout` says.
    fn class(error: &dyn DatabaseError) -> ErrorClass {
        // Names of <https://www.sqlite.org/rescode.html>; the upper bits say more about the same.
        const ERROR: u32 = 1;
        const BUSY: u32 = 5;
        const LOCKED: u32 = 6;
        const CORRUPT: u32 = 11;
        const FULL: u32 = 13;
        const CANTOPEN: u32 = 14;
        const NOTADB: u32 = 26;
        match error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
            Some(BUSY | LOCKED | FULL | CANTOPEN) => ErrorClass::Unavailable,
            Some(CORRUPT | NOTADB) => ErrorClass::Corrupt,
            // Its other problems with a statement have no code.
            Some(ERROR) if error.message().starts_with("no such table") => ErrorClass::NoTable,
            Some(ERROR) if error.message().contains("no such column") => ErrorClass::Corrupt,
            _ => ErrorClass::Other,
        }
    }
}
