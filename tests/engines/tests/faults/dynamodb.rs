//! DynamoDB, by a program that speaks its protocol. The program keeps everything in memory, so that it cannot be killed and
//! started again: what is cut off and comes back is the connection to it.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use sealed_session::store::RecordStore;
use sealed_session::testing::ManualClock;
use sealed_session_dynamodb::DynamoDbStore;
use sealed_session_engine_tests::Engine;

use crate::site::{Kind, Served};

pub(crate) struct DynamoDb;

/// A client as an application may make it, with three tries for each request.
fn client(url: &str) -> Client {
    let settings = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(Builder::new().build_http())
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test-access-key-id", "test-secret-access-key", None, None, "test"))
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1)));
    Client::from_conf(settings.build())
}

fn store(url: &str, name: &str, clock: &ManualClock) -> DynamoDbStore {
    DynamoDbStore::builder(client(url)).table(name).clock(clock.clone()).build().unwrap()
}

impl Kind for DynamoDb {
    const PARALLEL_REQUESTS: usize = 8;

    type Backup = Vec<std::collections::HashMap<String, AttributeValue>>;

    fn address() -> String {
        Engine::DynamoDb.url()
    }

    async fn prepare(url: &str, name: &str) {
        store(url, name, &ManualClock::default()).create_table().await.unwrap();
    }

    async fn connect(url: &str, name: &str, clock: &ManualClock) -> Arc<dyn RecordStore> {
        Arc::new(store(url, name, clock))
    }

    async fn back_up(url: &str, name: &str) -> Self::Backup {
        let scan = client(url).scan().table_name(name).consistent_read(true).send().await.unwrap();
        assert!(scan.last_evaluated_key().is_none(), "there is more than one page");
        scan.items.unwrap_or_default()
    }

    async fn restore(url: &str, name: &str, backup: &Self::Backup) {
        let client = client(url);
        for item in Self::back_up(url, name).await {
            client.delete_item().table_name(name).key("id", item["id"].clone()).send().await.unwrap();
        }
        for item in backup {
            client.put_item().table_name(name).set_item(Some(item.clone())).send().await.unwrap();
        }
    }

    async fn clean_up(url: &str, name: &str) {
        let _ = client(url).delete_table().table_name(name).send().await;
    }
}

impl Served for DynamoDb {
    const ENGINE: Engine = Engine::DynamoDb;
}
