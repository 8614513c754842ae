//! What the engine reads for a call: the plans of the statements that the driver says it has run.

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordStore, Updated};
use sealed_session::testing::ManualClock;
use sealed_session_sqlx::SqlDialect;
use sqlx::{AssertSqlSafe, Row as _};

use super::place::{Place, with_pool};
use super::schema::ID;
use super::statements;

/// An argument of a statement.
enum Argument {
    Number(i64),
    Bytes(Vec<u8>),
}

/// The engine's plan for a statement, as text.
async fn plan(place: &Place, statement: &str, arguments: &[Argument]) -> String {
    let (explain, column) = match place.dialect {
        SqlDialect::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
        SqlDialect::Postgres => ("EXPLAIN", "QUERY PLAN"),
        _ => ("EXPLAIN", "key"),
    };
    with_pool!(&place.pool, pool => {
        let mut query = sqlx::query(AssertSqlSafe(format!("{explain} {statement}")));
        for argument in arguments {
            query = match argument {
                Argument::Number(number) => query.bind(*number),
                Argument::Bytes(bytes) => query.bind(bytes.as_slice()),
            };
        }
        let rows = query.fetch_all(pool).await.unwrap();
        let lines: Vec<_> = rows.iter().map(|row| row.get::<Option<String>, _>(column).unwrap_or_default()).collect();
        lines.join("\n")
    })
}

/// Rows of which one expires in each of the first 3000 seconds.
async fn fill(place: &Place) {
    let row = |id: u128| format!("({}, 1, {}, {})", place.literal(&id.to_be_bytes()), id + 1, place.literal(&[7; 100]));
    let rows: Vec<_> = (0..3000).map(row).collect();
    let table = place.quoted(&place.table);
    place.run(&format!("INSERT INTO {table} VALUES {}", rows.join(", "))).await;
    let analyze = if place.dialect == SqlDialect::MySql { "ANALYZE TABLE" } else { "ANALYZE" };
    place.run(&format!("{analyze} {table}")).await;
}

pub(crate) async fn the_sweep_reads_the_index_on_the_expiry(place: &Place) {
    statements::listen();
    let store = place.store(&ManualClock::at_unix_seconds(0)).await;
    fill(place).await;
    statements::take(&place.table);
    assert_eq!(store.sweep(10).await.unwrap(), 0);
    let sweep = statements::take(&place.table).remove(0);

    let plan = plan(place, &sweep, &[Argument::Number(20), Argument::Number(10)]).await;
    assert!(plan.contains(&format!("{}_expires_at", place.table)), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN"), "{plan}");
}

/// An update that came over the expiry would lock rows of others.
pub(crate) async fn a_record_is_found_by_its_key_even_when_few_are_alive(place: &Place) {
    statements::listen();
    let store = place.store(&ManualClock::at_unix_seconds(2999)).await;
    fill(place).await;
    let expiry = Timestamp::from_unix_seconds(5000);
    let record = |version| Record::new(version, expiry, vec![7; 100]);
    assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
    statements::take(&place.table);
    assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
    assert_eq!(store.update(&ID, record(2), 1).await.unwrap(), Updated::Updated);
    assert_eq!(store.update(&ID, record(2), 1).await.unwrap(), Updated::Conflict);
    assert!(store.touch(&ID, expiry).await.unwrap());
    let mut statements = statements::take(&place.table);
    // Both updates are one statement.
    statements.remove(2);

    let (number, id) = (Argument::Number, || Argument::Bytes(ID.as_bytes().to_vec()));
    let arguments = [
        vec![id(), number(2999)],
        vec![number(2), number(5000), Argument::Bytes(vec![7; 100]), number(2), id(), number(2999)],
        vec![id(), number(2999)],
        vec![number(5000), id(), number(2999)],
    ];
    assert_eq!(statements.len(), arguments.len(), "{statements:?}");
    let key = match place.dialect {
        SqlDialect::Sqlite => format!("sqlite_autoindex_{}_1", place.table),
        SqlDialect::Postgres => format!("{}_pkey", place.table),
        _ => "PRIMARY".to_owned(),
    };
    for (statement, arguments) in statements.iter().zip(&arguments) {
        let plan = plan(place, statement, arguments).await;
        assert!(plan.contains(&key) && !plan.contains("_expires_at"), "{statement}: {plan}");
    }
}
