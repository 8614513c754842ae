//! The calls, each as one command whose filter is what it asks of the record.

use mongodb::bson::doc;

use crate::MongoDbStore;
use crate::document::{EXPIRES_AT, ID, PURGE_AT, VERSION, binary, bits, document, purge_at, record, seconds, version};
use crate::failure::{is_duplicate_key, store_error};
use crate::limits::RETRIES_MAX;
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, StoreError, Updated};

pub(crate) async fn load(store: &MongoDbStore, id: &RecordId) -> Result<Option<Record>, StoreError> {
    let living = doc! { ID: binary(id), EXPIRES_AT: { "$gt": seconds(store.clock.now()) } };
    store.documents.find_one(living).await.map_err(store_error)?.map(record).transpose()
}

/// Replaces what has expired; a record that has not is not matched, and a document of its id cannot be inserted.
pub(crate) async fn create(store: &MongoDbStore, id: &RecordId, record: Record) -> Result<Created, StoreError> {
    let expired = doc! { ID: binary(id), EXPIRES_AT: { "$lte": seconds(store.clock.now()) } };
    match store.documents.replace_one(expired, document(id, record)).upsert(true).await {
        Ok(_) => Ok(Created::Created),
        Err(error) if is_duplicate_key(&error) => Ok(Created::Exists),
        Err(error) => Err(store_error(error)),
    }
}

/// A second command tells a conflict from a missing record, only where the first one found nothing to write.
pub(crate) async fn update(
    store: &MongoDbStore,
    id: &RecordId,
    record: Record,
    expected_version: u64,
) -> Result<Updated, StoreError> {
    let living = doc! { ID: binary(id), EXPIRES_AT: { "$gt": seconds(store.clock.now()) } };
    let mut expected = living.clone();
    expected.insert(VERSION, bits(expected_version));
    let replacement = document(id, record);
    for _ in 0..=RETRIES_MAX {
        let update = store.documents.replace_one(expected.clone(), &replacement).await.map_err(store_error)?;
        if update.matched_count > 0 {
            return Ok(Updated::Updated);
        }
        let standing = store.documents.find_one(living.clone()).projection(doc! { VERSION: 1 });
        match standing.await.map_err(store_error)? {
            None => return Ok(Updated::Missing),
            Some(standing) if version(&standing)? != expected_version => return Ok(Updated::Conflict),
            // The record came to be, in the expected version, between the two commands.
            Some(_) => {}
        }
    }
    Ok(Updated::Conflict)
}

pub(crate) async fn touch(store: &MongoDbStore, id: &RecordId, expires_at: Timestamp) -> Result<bool, StoreError> {
    let living = doc! { ID: binary(id), EXPIRES_AT: { "$gt": seconds(store.clock.now()) } };
    let later = doc! { "$max": { EXPIRES_AT: seconds(expires_at), PURGE_AT: purge_at(expires_at) } };
    let touch = store.documents.update_one(living, later).await.map_err(store_error)?;
    Ok(touch.matched_count > 0)
}

pub(crate) async fn destroy(store: &MongoDbStore, id: &RecordId) -> Result<(), StoreError> {
    store.documents.delete_one(doc! { ID: binary(id) }).await.map(|_| ()).map_err(store_error)
}
