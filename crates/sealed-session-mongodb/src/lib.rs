#![doc = include_str!("../README.md")]
//!
//! # How it works
//!
//! Each write is one command on one document, whose filter says what it asks of the record: the server changes a document
//! as one step, and a filter that no longer matches changes nothing.

mod calls;
mod document;
mod failure;
mod limits;
mod sweep;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::{CollectionOptions, IndexOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern};
use mongodb::{Collection, Database, IndexModel};

use document::PURGE_AT;
use failure::store_error;

use crate::limits::COLLECTION_NAME_MAX_BYTES;
use sealed_session::limits::CLOCK_SKEW_SECONDS;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::{Clock, ConfigError, SystemClock, Timestamp};

/// Name of the store, in errors.
const STORE: &str = "mongodb";

/// Server store in a collection of MongoDB. Clones share their client.
///
/// The database's handle comes from the application's client, with its addresses, credentials, TLS and pool. The
/// collection has a document for each record: `_id` (16 bytes, binary), `version` (the 64 bits as a signed number),
/// `expires_at` (seconds, as a number), `data` (sealed bytes, binary), and the date `purge_at`, which is `expires_at` for the
/// index that lets the server delete expired documents: see [`create_index`](Self::create_index).
///
/// Whatever the handle's own settings are, writes wait for a majority of the replica set, so that no fail-over takes back
/// what was acknowledged, and reads go to the primary, with read concern `local`: they see what was written last. Each
/// call waits for one command, and so does an update that writes; one that does not write asks once more why.
///
/// ```no_run
/// use sealed_session_mongodb::MongoDbStore;
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let client = mongodb::Client::with_uri_str("mongodb://localhost").await?;
/// let store = MongoDbStore::builder(&client.database("app")).collection("app_sessions").build()?;
/// store.create_index().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MongoDbStore {
    documents: Collection<Document>,
    clock: Arc<dyn Clock>,
}

impl MongoDbStore {
    /// A store in the collection `sealed_sessions`, on the system's clock, unless the builder is told otherwise.
    ///
    /// ```no_run
    /// # fn build(database: &mongodb::Database) -> Result<(), sealed_session::ConfigError> {
    /// let store = sealed_session_mongodb::MongoDbStore::builder(database).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(database: &Database) -> MongoDbStoreBuilder {
        MongoDbStoreBuilder {
            database: database.clone(),
            collection: "sealed_sessions".to_owned(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Makes the index by which the server itself deletes what expired a minute ago, and [`sweep`](RecordStore::sweep)
    /// finds what has expired; nothing happens where it stands. The minute is for a server whose clock is ahead of the
    /// application's. Without the index every record works alike, and stays until it is swept.
    ///
    /// ```no_run
    /// # async fn prepare(database: &mongodb::Database) -> Result<(), Box<dyn std::error::Error>> {
    /// let store = sealed_session_mongodb::MongoDbStore::builder(database).build()?;
    /// store.create_index().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the server does not answer, or refuses.
    pub async fn create_index(&self) -> Result<(), StoreError> {
        let after = Duration::from_secs(CLOCK_SKEW_SECONDS);
        let options = IndexOptions::builder().expire_after(after).build();
        let index = IndexModel::builder().keys(doc! { PURGE_AT: 1 }).options(options).build();
        self.documents.create_index(index).await.map(|_| ()).map_err(store_error)
    }
}

impl fmt::Debug for MongoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbStore").field("collection", &self.documents.namespace()).finish_non_exhaustive()
    }
}

/// Settings of a [`MongoDbStore`]; from [`MongoDbStore::builder`].
///
/// ```no_run
/// use sealed_session::SystemClock;
/// use sealed_session_mongodb::MongoDbStore;
///
/// # fn build(database: &mongodb::Database) -> Result<(), sealed_session::ConfigError> {
/// let store = MongoDbStore::builder(database).collection("app_sessions").clock(SystemClock).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct MongoDbStoreBuilder {
    database: Database,
    collection: String,
    clock: Arc<dyn Clock>,
}

impl MongoDbStoreBuilder {
    /// The collection: 1 to 120 bytes without `$` and NUL, and not beginning with `system.`.
    pub fn collection(self, name: impl Into<String>) -> Self {
        Self { collection: name.into(), ..self }
    }

    /// The clock that decides which records exist. Every server that shares the collection should show the same time.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The store. Nothing is asked of the server yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the collection's name is not one.
    pub fn build(self) -> Result<MongoDbStore, ConfigError> {
        let name = self.collection.as_str();
        if !(1..=COLLECTION_NAME_MAX_BYTES).contains(&name.len())
            || name.contains(['$', '\0'])
            || name.starts_with("system.")
        {
            let problem = format!(
                "is no collection's name: it has 1 to {COLLECTION_NAME_MAX_BYTES} bytes, no `$` and no NUL, and \
                 does not begin with `system.`"
            );
            return Err(ConfigError::new("collection", problem));
        }
        // Security: an acknowledged `destroy` that a fail-over takes back would undo a logout.
        let options = CollectionOptions::builder()
            .write_concern(WriteConcern::majority())
            .read_concern(ReadConcern::local())
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        Ok(MongoDbStore { documents: self.database.collection_with_options(name, options), clock: self.clock })
    }
}

impl fmt::Debug for MongoDbStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbStoreBuilder").field("collection", &self.collection).finish_non_exhaustive()
    }
}

impl RecordStore for MongoDbStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(calls::load(self, id))
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(calls::create(self, id, record))
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(calls::update(self, id, record, expected_version))
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(calls::touch(self, id, expires_at))
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(calls::destroy(self, id))
    }

    /// Deletes what the server has not deleted yet, or does not delete where the index is missing, in batches of a
    /// thousand documents: a query and a command for each.
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(sweep::sweep(&self.documents, self.clock.now(), limit))
    }
}
