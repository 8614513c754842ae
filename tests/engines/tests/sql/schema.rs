//! The table and its name.

use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::unique_name;
use sealed_session_sqlx::SqlDialect;

use super::place::Place;

pub(crate) const ID: RecordId = RecordId::from_bytes([7; 16]);

fn record(version: u64) -> Record {
    Record::new(version, Timestamp::MAX, b"sealed".to_vec())
}

async fn assert_keeps_records(store: &impl RecordStore) {
    assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
    assert_eq!(store.create(&ID, record(2)).await.unwrap(), Created::Exists);
    assert!(store.touch(&ID, Timestamp::MAX).await.unwrap());
    assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
    store.sweep(10).await.unwrap();
    store.destroy(&ID).await.unwrap();
    assert_eq!(store.load(&ID).await.unwrap(), None);
}

/// The table, its columns and its indexes, as the engine's catalogue has them, under the name `T`.
async fn described(place: &Place, table: &str) -> Vec<String> {
    let queries: &[&str] = match place.dialect {
        SqlDialect::Sqlite => &["SELECT sql FROM sqlite_schema WHERE tbl_name = 'T' AND sql IS NOT NULL ORDER BY name"],
        SqlDialect::Postgres => &[
            "SELECT column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE \
             table_name = 'T' ORDER BY ordinal_position",
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'T' ORDER BY indexname",
        ],
        _ => &[
            "SELECT CONCAT(column_name, ' ', column_type, ' ', is_nullable, ' ', column_key) FROM \
             information_schema.columns WHERE table_name = 'T' ORDER BY ordinal_position",
            "SELECT CONCAT(index_name, ' ', column_name) FROM information_schema.statistics WHERE table_name = 'T' ORDER \
             BY index_name",
            "SELECT engine FROM information_schema.tables WHERE table_name = 'T'",
        ],
    };
    let mut found = Vec::new();
    for query in queries {
        found.extend(place.texts(&query.replace("'T'", &format!("'{table}'"))).await);
    }
    let mut found: Vec<_> = found.into_iter().map(|line| line.replace(table, "T")).collect();
    found.sort_unstable();
    found
}

pub(crate) async fn the_migration_makes_the_table_that_create_table_makes(place: &Place) {
    let clock = ManualClock::default();
    place.store(&clock).await;
    let made = described(place, &place.table).await;
    assert!(made.len() >= 2, "{made:?}");

    let migrated = unique_name("migrated");
    let store = place.store_named(&migrated, &clock);
    place.run(&store.migration()).await;
    assert_eq!(described(place, &migrated).await, made);
    assert_keeps_records(&store).await;
    place.run(&format!("DROP TABLE {}", place.quoted(&migrated))).await;
}

pub(crate) async fn the_dialects_own_migration_is_the_same(place: &Place) {
    let store = place.store_without_table(&ManualClock::default());
    assert_eq!(place.pool.dialect(), place.dialect);
    assert_eq!(place.dialect.migration(&place.table).unwrap(), store.migration());
    assert_eq!(place.dialect.migration("a b").unwrap_err().setting(), "table");
}

pub(crate) async fn create_table_changes_nothing_where_the_table_stands(place: &Place) {
    let store = place.store(&ManualClock::default()).await;
    assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
    store.create_table().await.unwrap();
    assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
}

pub(crate) async fn servers_that_start_at_once_create_one_table(place: &Place) {
    let starts = [0; 8].map(|_| {
        let store = place.store_without_table(&ManualClock::default());
        tokio::spawn(async move { store.create_table().await.map_err(|error| error.to_string()) })
    });
    for start in starts {
        assert_eq!(start.await.unwrap(), Ok(()));
    }
    assert_keeps_records(&place.store_without_table(&ManualClock::default())).await;
}

pub(crate) async fn a_word_of_sql_may_name_the_table(place: &Place) {
    let store = place.store_named("Select", &ManualClock::default());
    store.create_table().await.unwrap();
    assert_keeps_records(&store).await;
    place.run(&format!("DROP TABLE {}", place.quoted("Select"))).await;
}

pub(crate) async fn a_table_may_stand_in_a_schema(place: &Place) {
    let schema = if place.dialect == SqlDialect::Sqlite { "main".to_owned() } else { unique_name("Schema") };
    let kind = if place.dialect == SqlDialect::MySql { "DATABASE" } else { "SCHEMA" };
    let quoted = place.quoted(&schema);
    if place.dialect != SqlDialect::Sqlite {
        place.run(&format!("CREATE {kind} {quoted}")).await;
    }
    let store = place.store_named(&format!("{schema}.{}", place.table), &ManualClock::default());
    for _ in 0..2 {
        store.create_table().await.unwrap();
    }
    assert_keeps_records(&store).await;
    place.run(&format!("DROP TABLE {quoted}.{}", place.quoted(&place.table))).await;
    if place.dialect != SqlDialect::Sqlite {
        place.run(&format!("DROP {kind} {quoted}")).await;
    }
}

pub(crate) async fn two_tables_share_nothing(place: &Place) {
    let (clock, other) = (ManualClock::default(), unique_name("other"));
    let stores = [place.store(&clock).await, place.store_named(&other, &clock)];
    stores[1].create_table().await.unwrap();
    assert_eq!(stores[0].create(&ID, record(1)).await.unwrap(), Created::Created);
    assert_eq!(stores[1].load(&ID).await.unwrap(), None);
    place.run(&format!("DROP TABLE {}", place.quoted(&other))).await;
}
