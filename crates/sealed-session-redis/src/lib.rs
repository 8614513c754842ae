#![doc = include_str!("../README.md")]
//!
//! # How a record is kept
//!
//! A record is one string under one key, so that every call is one command on one key: atomic by itself, and good on any
//! node of a cluster. What exists is decided by the injected [`Clock`] alone; the engine's own expiry only removes what
//! nobody can see any more.

mod failure;
mod script;
mod value;

use std::fmt;
use std::sync::Arc;

use redis::aio::ConnectionLike;
use redis::{Cmd, FromRedisValue, cmd};
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::{Clock, SystemClock, Timestamp};

const STORE: &str = "redis";

/// Server store in Redis 7, over a connection that the application made: TLS, credentials, pools, clusters and sentinels
/// are its own affair. Valkey speaks the same protocol.
///
/// The connection is anything that implements `ConnectionLike` of the crate `redis`, version 1, and clones cheaply:
/// `ConnectionManager`, which connects again by itself, `MultiplexedConnection`, which does not, or `ClusterConnection`.
/// How long it waits for an answer is set there too.
///
/// Each call is one round trip: a record is the string under the key prefix and 32 hexadecimal digits of its id, and every
/// write is a script of a few lines that compares and writes it. The engine removes a record 60 seconds after it has
/// expired, so nothing needs to be swept.
///
/// ```
/// use redis::aio::ConnectionLike;
/// use sealed_session_redis::RedisStore;
/// use sealed_session::{SessionManager, Key};
///
/// fn manager<C>(connection: C) -> Result<SessionManager, Box<dyn std::error::Error>>
/// where
///     C: ConnectionLike + Clone + Send + Sync + 'static,
/// {
///     let store = RedisStore::builder(connection).key_prefix("shop:session:").build();
///     Ok(SessionManager::builder(Key::generate()?).audience("shop/prod").store(store).build()?)
/// }
/// ```
#[derive(Clone)]
pub struct RedisStore<C> {
    connection: C,
    key_prefix: Arc<str>,
    clock: Arc<dyn Clock>,
}

impl<C> RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// A store over this connection, under the key prefix `sealed-session:`, on the system's clock.
    ///
    /// ```
    /// use redis::aio::ConnectionLike;
    /// use sealed_session_redis::RedisStore;
    ///
    /// fn store<C: ConnectionLike + Clone + Send + Sync + 'static>(connection: C) -> RedisStore<C> {
    ///     RedisStore::new(connection)
    /// }
    /// ```
    #[must_use]
    pub fn new(connection: C) -> Self {
        Self::builder(connection).build()
    }

    /// A store with other settings.
    ///
    /// ```
    /// use redis::aio::ConnectionLike;
    /// use sealed_session_redis::RedisStore;
    ///
    /// fn store<C: ConnectionLike + Clone + Send + Sync + 'static>(connection: C) -> RedisStore<C> {
    ///     RedisStore::builder(connection).key_prefix("shop:session:").build()
    /// }
    /// ```
    pub fn builder(connection: C) -> RedisStoreBuilder<C> {
        RedisStoreBuilder { connection, key_prefix: KEY_PREFIX.into(), clock: Arc::new(SystemClock) }
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    /// Without the connection, whose address may carry a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

/// Settings of a [`RedisStore`]; from [`RedisStore::builder`].
///
/// ```
/// use redis::aio::ConnectionLike;
/// use sealed_session::testing::ManualClock;
/// use sealed_session_redis::RedisStore;
///
/// fn store<C: ConnectionLike + Clone + Send + Sync + 'static>(connection: C) -> RedisStore<C> {
///     RedisStore::builder(connection).clock(ManualClock::at_unix_seconds(1_795_000_000)).build()
/// }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct RedisStoreBuilder<C> {
    connection: C,
    key_prefix: Arc<str>,
    clock: Arc<dyn Clock>,
}

impl<C> RedisStoreBuilder<C> {
    /// What stands before the 32 hexadecimal digits of every key, `sealed-session:` by default.
    ///
    /// Nothing but this store may write keys with this prefix. A part in braces is a hash tag: a cluster then keeps every
    /// session on one node.
    pub fn key_prefix(self, key_prefix: impl Into<Arc<str>>) -> Self {
        Self { key_prefix: key_prefix.into(), ..self }
    }

    /// The clock that decides which records exist.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// A store with these settings. It asks the engine nothing yet.
    #[must_use]
    pub fn build(self) -> RedisStore<C> {
        RedisStore { connection: self.connection, key_prefix: self.key_prefix, clock: self.clock }
    }
}

impl<C> fmt::Debug for RedisStoreBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder").field("key_prefix", &self.key_prefix).finish_non_exhaustive()
    }
}

impl<C> RecordStore for RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let found: Option<Vec<u8>> = self.ask(cmd("GET").arg(self.key(id))).await?;
            let record = found.map(value::decode).transpose()?.flatten();
            Ok(record.filter(|record| self.clock.now() < record.expires_at))
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(async move {
            let now = self.clock.now();
            let command = script::create(&self.key(id), &record, now);
            match self.ask(&command).await? {
                script::DONE => Ok(Created::Created),
                script::REFUSED => Ok(Created::Exists),
                answer => Err(script::unexpected(answer)),
            }
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let now = self.clock.now();
            let command = script::update(&self.key(id), &record, expected_version, now);
            match self.ask(&command).await? {
                script::DONE => Ok(Updated::Updated),
                script::REFUSED => Ok(Updated::Conflict),
                script::MISSING => Ok(Updated::Missing),
                answer => Err(script::unexpected(answer)),
            }
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let now = self.clock.now();
            let command = script::touch(&self.key(id), expires_at, now);
            match self.ask(&command).await? {
                script::DONE => Ok(true),
                script::MISSING => Ok(false),
                answer => Err(script::unexpected(answer)),
            }
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.ask(cmd("DEL").arg(self.key(id))).await })
    }

    /// Always `0`: the engine removes what has expired.
    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(async { Ok(0) })
    }
}

const KEY_PREFIX: &str = "sealed-session:";

impl<C> RedisStore<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn key(&self, id: &RecordId) -> String {
        format!("{}{}", self.key_prefix, id.to_hex())
    }

    /// One command, one round trip.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let asked_at = self.clock.unix_milliseconds();
        let answer = command.query_async(&mut self.connection.clone()).await;
        answer.map_err(|error| failure::store_error(error, self.clock.unix_milliseconds().saturating_sub(asked_at)))
    }
}
