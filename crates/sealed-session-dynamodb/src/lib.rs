#![doc = include_str!("../README.md")]
//!
//! # How it works
//!
//! Each call is one request. What it asks of the record is the request's condition, which the service checks and acts on
//! as one step; where the condition does not hold, the answer brings the item that stood in the way.

mod calls;
mod failure;
mod layout;
mod limits;
mod retry;
mod table;

pub use limits::RECORD_MAX_BYTES;

use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;

use layout::Layout;

use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::{Clock, ConfigError, SystemClock, Timestamp};

/// Name of the store, in errors.
const STORE: &str = "dynamodb";

/// Server store in a table of DynamoDB. Clones share their client.
///
/// The client comes from the application, with its region, credentials, TLS and time limits. Reads are consistent ones.
/// The table has an item for each record, of four attributes: the key `id` (16 bytes, binary), the numbers `version` and
/// `expires_at`, and `data` (sealed bytes, binary). `expires_at` is the table's time-to-live attribute: the service deletes
/// expired items some hours or days later, at no charge, and until then the store does not see them. The guide has
/// [the table's definition](sealed_session::guide::stores).
///
/// # Size
///
/// An item has 400 KiB at most, names and numbers counted. A record of more than 399 KiB of sealed bytes,
/// [`RECORD_MAX_BYTES`], is refused with an error before anything is
/// sent. Give the manager a limit below it, so that a session that grows that large is told what its largest keys are:
/// [`record_limit_bytes(400_000)`](sealed_session::SessionManagerBuilder::record_limit_bytes).
///
/// # Retries
///
/// The client repeats requests as the application set it up, except one: a write whose answer was lost. It may have been
/// done, its repetition would find its own work in the way and call it another's, and the session's changes would be made
/// twice. Such a write is an error here; the commit looks for what it wrote.
///
/// ```no_run
/// use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
/// use sealed_session_dynamodb::DynamoDbStore;
///
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// // Usually `aws_config::load_defaults(BehaviorVersion::latest()).await`.
/// let settings = aws_sdk_dynamodb::Config::builder()
///     .behavior_version(BehaviorVersion::v2026_01_12())
///     .region(Region::new("eu-central-1"))
///     .credentials_provider(Credentials::new("access key id", "secret access key", None, None, "example"))
///     .build();
/// let client = aws_sdk_dynamodb::Client::from_conf(settings);
///
/// let store = DynamoDbStore::builder(client).table("app_sessions").build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DynamoDbStore {
    client: Client,
    layout: Layout,
    clock: Arc<dyn Clock>,
}

impl DynamoDbStore {
    /// A store in the table `sealed_sessions`, on the system's clock, unless the builder is told otherwise.
    ///
    /// ```no_run
    /// # fn build(client: aws_sdk_dynamodb::Client) -> Result<(), sealed_session::ConfigError> {
    /// let store = sealed_session_dynamodb::DynamoDbStore::builder(client).key_attribute("session").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(client: Client) -> DynamoDbStoreBuilder {
        DynamoDbStoreBuilder {
            client,
            table: "sealed_sessions".to_owned(),
            key: "id".to_owned(),
            expiry: "expires_at".to_owned(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Makes the table where it is missing, waits until it serves, and turns its time-to-live on where it is off. For
    /// development and tests: it is billed by the request, encrypted with the service's own key, and without backups. An
    /// application that serves requests should not have the right to do this.
    ///
    /// ```no_run
    /// # async fn prepare(client: aws_sdk_dynamodb::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let store = sealed_session_dynamodb::DynamoDbStore::builder(client).table("test_sessions").build()?;
    /// store.create_table().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the service does not answer or refuses, when the table is not ready after a minute, and when
    /// another attribute is its time-to-live already.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        table::create(&self.client, &self.layout).await
    }
}

impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStore").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// Settings of a [`DynamoDbStore`]; from [`DynamoDbStore::builder`].
///
/// ```no_run
/// use sealed_session::SystemClock;
/// use sealed_session_dynamodb::DynamoDbStore;
///
/// # fn build(client: aws_sdk_dynamodb::Client) -> Result<(), sealed_session::ConfigError> {
/// let store = DynamoDbStore::builder(client)
///     .table("arn:aws:dynamodb:eu-central-1:123456789012:table/app_sessions")
///     .key_attribute("session")
///     .expiry_attribute("ends_at")
///     .clock(SystemClock)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct DynamoDbStoreBuilder {
    client: Client,
    table: String,
    key: String,
    expiry: String,
    clock: Arc<dyn Clock>,
}

impl DynamoDbStoreBuilder {
    /// The table, by its name (3 to 255 ASCII letters, digits, `_`, `-` and `.`) or by its whole ARN.
    pub fn table(self, name: impl Into<String>) -> Self {
        Self { table: name.into(), ..self }
    }

    /// The table's partition key, which is binary; `id` by default, 255 bytes at most. The table has no sort key.
    pub fn key_attribute(self, name: impl Into<String>) -> Self {
        Self { key: name.into(), ..self }
    }

    /// The table's time-to-live attribute; `expires_at` by default, 255 bytes at most.
    pub fn expiry_attribute(self, name: impl Into<String>) -> Self {
        Self { expiry: name.into(), ..self }
    }

    /// The clock that decides which records exist. Every server that shares the table should show the same time.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The store. Nothing is asked of the service yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a name is not one, or names two attributes.
    pub fn build(self) -> Result<DynamoDbStore, ConfigError> {
        let layout = Layout::new(self.table, self.key, self.expiry)?;
        Ok(DynamoDbStore { client: self.client, layout, clock: self.clock })
    }
}

impl fmt::Debug for DynamoDbStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStoreBuilder")
            .field("table", &self.table)
            .field("key", &self.key)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}

impl RecordStore for DynamoDbStore {
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

    /// Always `0`: the service deletes what has expired. To find it from here, the whole table would be read, and billed.
    fn sweep(&self, _limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(std::future::ready(Ok(0)))
    }
}
