//! PostgreSQL.

use sqlx::Postgres;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgQueryResult;

use crate::dialect::SqlDialect;
use crate::engine::{Engine, ErrorClass, Statements, Wording, insert_unless_living};
use crate::table::TableName;

impl Engine for Postgres {
    const STORE: &'static str = "postgres";
    const DIALECT: SqlDialect = SqlDialect::Postgres;
    const NOWS_IN_CREATE: usize = 1;

    fn statements(table: &TableName) -> Statements {
        let name = table.qualified(Self::DIALECT.quote());
        let wording = Wording {
            greatest: "GREATEST",
            create: insert_unless_living(&name),
            // A row is locked, and its expiry looked at again, before its id counts. `ARRAY` is worked out once, where
            // `IN` may be planned as a join that runs the subquery, and its limit, many times. Two sweeps at once, or a
            // sweep and a request, do not wait for each other.
            sweep: format!(
                "DELETE FROM {name} WHERE id = ANY(ARRAY(SELECT id FROM {name} WHERE expires_at <= ? LIMIT ? FOR \
                 UPDATE SKIP LOCKED))"
            ),
            placeholders: numbered,
        };
        Statements::new(Self::DIALECT, table, wording)
    }

    fn rows(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    /// By the codes of the manual's appendix A.
    fn class(error: &dyn DatabaseError) -> ErrorClass {
        let code = error.code().unwrap_or_default();
        match &*code {
            // Serialization failure, deadlock, and two tables created at once (`create` itself never meets a taken id).
            // `IF NOT EXISTS` looks first and makes afterwards: another server may have made the table, its type or its index
            // in between.
            "40001" | "40P01" | "23505" | "42710" | "42P07" => ErrorClass::TryAgain,
            "42P01" => ErrorClass::NoTable,
            "42703" | "42804" | "42883" | "XX001" | "XX002" => ErrorClass::Corrupt,
            // A replica, or a primary that has become one.
            "25006" => ErrorClass::Unavailable,
            // Connection exceptions, insufficient resources, operator intervention.
            _ if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => ErrorClass::Unavailable,
            _ => ErrorClass::Other,
        }
    }
}

/// `$1`, `$2` and so on in place of each `?`; our statements have no other.
fn numbered(text: String) -> String {
    let mut parts = text.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (part, number) in parts.zip(1..) {
        numbered.push_str(&format!("${number}{part}"));
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_in_order() {
        assert_eq!(numbered("a = ? AND b > ?".to_owned()), "a = $1 AND b > $2");
        assert_eq!(numbered("a".to_owned()), "a");
    }
}
