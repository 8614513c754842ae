//! The deletion of what has expired.

use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc};

use crate::document::{EXPIRES_AT, ID, PURGE_AT, purge_at, seconds};
use crate::failure::store_error;
use crate::limits::SWEEP_BATCH_DOCUMENTS;
use sealed_session::Timestamp;
use sealed_session::store::StoreError;

pub(crate) async fn sweep(documents: &Collection<Document>, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let mut removed = 0_usize;
    while removed < limit {
        let batch = SWEEP_BATCH_DOCUMENTS.min(limit.saturating_sub(removed));
        let ids = expired(documents, now, batch).await?;
        let found = ids.len();
        if found > 0 {
            // One of them may have been replaced meanwhile.
            let expired = doc! { ID: { "$in": ids }, EXPIRES_AT: { "$lte": seconds(now) } };
            let deleted = documents.delete_many(expired).await.map_err(store_error)?.deleted_count;
            removed = removed.saturating_add(usize::try_from(deleted).unwrap_or(usize::MAX));
        }
        if found < batch {
            break;
        }
    }
    Ok(removed)
}

/// The first condition is for the index, the second one is exact for every expiry.
async fn expired(documents: &Collection<Document>, now: Timestamp, most: usize) -> Result<Vec<Bson>, StoreError> {
    let expired = doc! { PURGE_AT: { "$lte": purge_at(now) }, EXPIRES_AT: { "$lte": seconds(now) } };
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let batch = u32::try_from(most).unwrap_or(u32::MAX);
    let find = documents.find(expired).projection(doc! { ID: 1 }).limit(limit).batch_size(batch);
    let mut cursor = find.await.map_err(store_error)?;
    let mut ids = Vec::new();
    while cursor.advance().await.map_err(store_error)? {
        let mut document = cursor.deserialize_current().map_err(store_error)?;
        ids.extend(document.remove(ID));
    }
    Ok(ids)
}
