//! MySQL and MariaDB.

use sqlx::MySql;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlDatabaseError, MySqlQueryResult};

use crate::dialect::SqlDialect;
use crate::engine::{Engine, ErrorClass, Statements, Wording};
use crate::table::TableName;

impl Engine for MySql {
    const STORE: &'static str = "mysql";
    const DIALECT: SqlDialect = SqlDialect::MySql;
    const NOWS_IN_CREATE: usize = 3;

    fn statements(table: &TableName) -> Statements {
        let name = table.qualified(Self::DIALECT.quote());
        let wording = Wording {
            greatest: "GREATEST",
            // Assignments run from left to right, so the expiry, which the others ask, comes last. Where a living record
            // stands, `LAST_INSERT_ID(1)` sends word of it along with the answer: the count of rows is one then, as for
            // a record that was written. `VALUES()` is the one spelling that MariaDB and MySQL share.
            create: format!(
                "INSERT INTO {name} (id, version, expires_at, data) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE version \
                 = IF(expires_at <= ?, VALUES(version), version), data = IF(expires_at <= ?, VALUES(data), data), \
                 expires_at = IF(expires_at <= ?, VALUES(expires_at), expires_at + 0 * LAST_INSERT_ID(1))"
            ),
            sweep: format!("DELETE FROM {name} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"),
            placeholders: |text| text,
        };
        Statements::new(Self::DIALECT, table, wording)
    }

    /// `sqlx` asks the server for the rows found, not for those changed.
    fn rows(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    fn has_created(result: &MySqlQueryResult) -> bool {
        result.last_insert_id() == 0
    }

    fn class(error: &dyn DatabaseError) -> ErrorClass {
        match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
            // Deadlock, and MariaDB's word for a row that changed under a transaction (snapshot isolation).
            Some(1213 | 1020) => ErrorClass::TryAgain,
            Some(1146) => ErrorClass::NoTable,
            Some(1054 | 1366) => ErrorClass::Corrupt,
            // Too many connections, shutting down, waited too long for a lock, read-only, disk full, killed.
            Some(1040 | 1053 | 1203 | 1205 | 1290 | 1836 | 1021 | 1927) => ErrorClass::Unavailable,
            _ => ErrorClass::Other,
        }
    }
}
