//! Whole sessions: what the store is for.

use sealed_session_sqlx::SqlStore;

use super::place::Place;
use crate::shared::sessions;

const TASKS: u64 = 64;
const TIMES: u64 = 200;

/// The test's table as one of the servers has it that share it, on the system's clock as sessions are.
pub(crate) async fn records(place: &Place) -> SqlStore {
    let store = SqlStore::builder(place.pool.clone()).table(&place.table).build().unwrap();
    store.create_table().await.unwrap();
    store
}

pub(crate) async fn no_increment_of_two_servers_is_lost(place: &Place) {
    let stores = [records(place).await, records(place).await];
    sessions::no_increment_of_two_servers_is_lost(stores, TASKS, TIMES).await;
}
