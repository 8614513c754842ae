//! MongoDB, by a program that speaks its protocol over the same storage engine. That it keeps what it has acknowledged when it
//! is killed says something of the driver and of this crate, and of MongoDB itself nothing.

use std::sync::Arc;

use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection};
use sealed_session::store::RecordStore;
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::Engine;
use sealed_session_mongodb::MongoDbStore;

use crate::site::{Kind, Served};

pub(crate) struct MongoDb;

async fn documents(url: &str, name: &str) -> Collection<Document> {
    Client::with_uri_str(url).await.unwrap().database("sealed").collection(name)
}

impl Kind for MongoDb {
    const PARALLEL_REQUESTS: usize = 8;

    type Backup = Vec<Document>;

    fn address() -> String {
        Engine::MongoDb.url()
    }

    async fn prepare(_: &str, _: &str) {}

    async fn connect(url: &str, name: &str, clock: &ManualClock) -> Arc<dyn RecordStore> {
        let database = Client::with_uri_str(url).await.unwrap().database("sealed");
        Arc::new(MongoDbStore::builder(&database).collection(name).clock(clock.clone()).build().unwrap())
    }

    async fn back_up(url: &str, name: &str) -> Self::Backup {
        let mut found = documents(url, name).await.find(doc! {}).await.unwrap();
        let mut backup = Vec::new();
        while found.advance().await.unwrap() {
            backup.push(found.deserialize_current().unwrap());
        }
        backup
    }

    async fn restore(url: &str, name: &str, backup: &Self::Backup) {
        let documents = documents(url, name).await;
        documents.delete_many(doc! {}).await.unwrap();
        if !backup.is_empty() {
            documents.insert_many(backup).await.unwrap();
        }
    }

    async fn clean_up(url: &str, name: &str) {
        let _ = documents(url, name).await.drop().await;
    }
}

impl Served for MongoDb {
    const ENGINE: Engine = Engine::MongoDb;

    /// The driver asks after its server's health on connections of its own; so it does that by questions, and seldom.
    fn quiet(url: &str) -> String {
        format!("{url}&serverMonitoringMode=poll&heartbeatFrequencyMS=3600000")
    }
}
