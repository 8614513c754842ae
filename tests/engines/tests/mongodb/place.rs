//! Where a test's collection stands: a client, and a name that nobody else has.

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::{Client, Collection, Database};
use sealed_session::Clock;
use sealed_session_engine_tests::{Engine, Runner, unique_name};
use sealed_session_mongodb::{MongoDbStore, MongoDbStoreBuilder};

/// Dropped with the collection that the test made.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) collection: String,
    pub(crate) database: Database,
    runner: Runner,
}

pub(crate) async fn database(url: &str) -> Database {
    Client::with_uri_str(url).await.unwrap().database("sealed")
}

impl Place {
    pub(crate) fn new() -> Self {
        let (url, runner) = (Engine::MongoDb.url(), Runner::new());
        let database = runner.block_on(database(&url));
        Self { url, collection: unique_name("sessions"), database, runner }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runner.block_on(work)
    }

    /// A store over the test's collection, with its index.
    pub(crate) async fn store(&self, clock: impl Clock) -> MongoDbStore {
        let store = self.builder(&self.database).clock(clock).build().unwrap();
        store.create_index().await.unwrap();
        store
    }

    pub(crate) fn builder(&self, database: &Database) -> MongoDbStoreBuilder {
        MongoDbStore::builder(database).collection(&self.collection)
    }

    pub(crate) fn documents(&self) -> Collection<Document> {
        self.database.collection(&self.collection)
    }

    /// Every document, with every byte of it.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let documents = self.database.collection::<RawDocumentBuf>(&self.collection);
        let mut cursor = documents.find(doc! {}).await.unwrap();
        let mut dump = Vec::new();
        while cursor.advance().await.unwrap() {
            dump.extend_from_slice(cursor.current().as_bytes());
        }
        dump
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A failure here would hide that of the test.
        let _ = self.block_on(async { self.documents().drop().await });
    }
}
