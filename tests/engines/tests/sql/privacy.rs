//! What a thief of the database finds, and what a log may show.

use super::place::Place;
use super::sessions::records;
use crate::shared::sessions;

pub(crate) async fn the_table_holds_neither_the_session_nor_its_ids(place: &Place) {
    let store = records(place).await;
    let dump = async || (place.dump().await, place.record_ids().await);
    sessions::a_dump_holds_neither_the_session_nor_its_ids(store, dump).await;
}

pub(crate) async fn the_debug_form_holds_no_address(place: &Place) {
    let builder = sealed_session_sqlx::SqlStore::builder(place.pool.clone()).table(&place.table);
    let shown = format!("{:?} {builder:?} {:?}", place.pool, builder.clone().build().unwrap());
    assert!(shown.contains(&place.table), "{shown}");
    for secret in ["127.0.0.1", "sessions.sqlite", "root", "test@"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
