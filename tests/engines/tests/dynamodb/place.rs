//! Where a test's table stands: a client, and a name that nobody else has.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use sealed_session::Clock;
use sealed_session::store::RecordId;
use sealed_session_dynamodb::{DynamoDbStore, DynamoDbStoreBuilder};
use sealed_session_engine_tests::{Engine, Runner, unique_name};

/// Dropped with the table that the test made.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) table: String,
    pub(crate) client: Client,
    runner: Runner,
}

/// A client as an application may make it, with three tries for each request.
pub(crate) fn client(url: &str) -> Client {
    let settings = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(Builder::new().build_http())
        .endpoint_url(url)
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test-access-key-id", "test-secret-access-key", None, None, "test"))
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1)));
    Client::from_conf(settings.build())
}

impl Place {
    pub(crate) fn new() -> Self {
        let url = Engine::DynamoDb.url();
        let (client, runner) = (client(&url), Runner::new());
        Self { url, table: unique_name("sessions"), client, runner }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runner.block_on(work)
    }

    /// A store over the test's table, which is made where it is missing.
    pub(crate) async fn store(&self, clock: impl Clock) -> DynamoDbStore {
        let store = self.builder(&self.client).clock(clock).build().unwrap();
        store.create_table().await.unwrap();
        store
    }

    pub(crate) fn builder(&self, client: &Client) -> DynamoDbStoreBuilder {
        DynamoDbStore::builder(client.clone()).table(&self.table)
    }

    /// Every item, and every attribute of it, as the service hands them out.
    pub(crate) async fn items(&self) -> Vec<Vec<(String, AttributeValue)>> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true).send().await.unwrap();
        assert!(scan.last_evaluated_key().is_none(), "there is more than one page");
        scan.items.unwrap_or_default().into_iter().map(|item| item.into_iter().collect()).collect()
    }

    /// Writes an attribute of a record's item, past the store.
    pub(crate) async fn set(&self, id: &RecordId, attribute: &str, value: AttributeValue) {
        let id = AttributeValue::B(id.as_bytes().to_vec().into());
        let update = self.client.update_item().table_name(&self.table).key("id", id);
        let update =
            update.update_expression("SET #attribute = :value").expression_attribute_names("#attribute", attribute);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A failure here would hide that of the test.
        let _ = self.block_on(self.client.delete_table().table_name(&self.table).send());
    }
}
