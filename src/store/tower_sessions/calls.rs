//! The calls of the contract, made of those that the engine has. Whoever writes holds the record's turn.

use super::TowerSessionsStore;
use super::entry::{self, Entry, engine_id};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::error::StoreError;
use crate::id::RecordId;
use crate::store::{Created, Record, Updated};

pub(super) async fn load(store: &TowerSessionsStore, id: &RecordId) -> Result<Option<Record>, StoreError> {
    Ok(living(store, found(store, id).await?))
}

pub(super) async fn create(store: &TowerSessionsStore, id: &RecordId, record: &Record) -> Result<Created, StoreError> {
    let mut was_taken = false;
    loop {
        // Asked first, because the trait's own `create` writes over what is there.
        let found = found(store, id).await?;
        let is_expired = found.is_some();
        if living(store, found).is_some() {
            return Ok(Created::Exists);
        }
        // Expired by our clock; or by the engine's, which shows it no more and holds its place.
        if is_expired || was_taken {
            store.engine.delete(engine_id(id)).await?;
        }
        let written_as = store.engine.create(entry(store, id, record)).await?;
        if written_as == engine_id(id) {
            return Ok(Created::Created);
        }
        // The engine drew another id for it, under which nobody will look.
        store.engine.delete(written_as).await?;
        // Twice taken and never seen: another process writes there.
        if was_taken {
            return Ok(Created::Exists);
        }
        was_taken = true;
    }
}

pub(super) async fn update(
    store: &TowerSessionsStore,
    id: &RecordId,
    record: &Record,
    expected_version: u64,
) -> Result<Updated, StoreError> {
    match load(store, id).await? {
        None => Ok(Updated::Missing),
        Some(current) if current.version != expected_version => Ok(Updated::Conflict),
        Some(_) => store.engine.save(entry(store, id, record)).await.map(|()| Updated::Updated),
    }
}

pub(super) async fn touch(
    store: &TowerSessionsStore,
    id: &RecordId,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let Some(current) = load(store, id).await? else { return Ok(false) };
    if current.expires_at < expires_at {
        store.engine.save(entry(store, id, &Record { expires_at, ..current })).await?;
    }
    Ok(true)
}

pub(super) async fn destroy(store: &TowerSessionsStore, id: &RecordId) -> Result<(), StoreError> {
    store.engine.delete(engine_id(id)).await
}

/// What the engine holds, expired or not.
async fn found(store: &TowerSessionsStore, id: &RecordId) -> Result<Option<Record>, StoreError> {
    store.engine.load(engine_id(id)).await?.map(|members| entry::record(id, &members)).transpose()
}

fn living(store: &TowerSessionsStore, found: Option<Record>) -> Option<Record> {
    found.filter(|record| store.clock.now() < record.expires_at)
}

fn entry(store: &TowerSessionsStore, id: &RecordId, record: &Record) -> Entry {
    Entry {
        id: engine_id(id),
        members: entry::members(id, record),
        expiry_date: entry::expiry_date(record.expires_at, store.clock.now(), SystemClock.now()),
    }
}
