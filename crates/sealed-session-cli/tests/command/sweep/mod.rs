//! `sealed-session sweep`

mod address;
mod engines;
mod file;
#[cfg(feature = "sqlite")]
mod sqlite;

use pollster::block_on;
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore};

/// Writes a record of this id.
async fn create(store: &impl RecordStore, id: u8, expires_at: Timestamp) -> RecordId {
    let id = RecordId::from_bytes([id; 16]);
    let record = Record::new(1, expires_at, b"sealed".to_vec());
    assert_eq!(store.create(&id, record).await.unwrap(), Created::Created);
    id
}

/// Writes so many records that have expired, and one that has not.
async fn fill(store: &impl RecordStore, expired: u8) -> RecordId {
    for id in 1..=expired {
        create(store, id, Timestamp::from_unix_seconds(1)).await;
    }
    create(store, 0, Timestamp::MAX).await
}

fn fill_now(store: &impl RecordStore, expired: u8) -> RecordId {
    block_on(fill(store, expired))
}
