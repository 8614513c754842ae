//! What the rules share: a store on a part of the engine that is theirs alone, a Redis of their own, and browsers.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, cmd};
use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::store::{Record, RecordId};
use sealed_session::testing::ManualClock;
use sealed_session::{Key, Placement, SessionManager, SessionManagerBuilder, Timestamp};
use sealed_session_engine_tests::{Browser, Engine, PrivateEngine, unique_name};
use sealed_session_redis::RedisStore;

pub(crate) type Store = RedisStore<ConnectionManager>;

pub(crate) const NOW_UNIX_SECONDS: u64 = 1_795_000_000;

/// A connection that connects again by itself, and gives up soon, as these tests have their engine at hand.
pub(crate) async fn connect(url: &str) -> ConnectionManager {
    let settings = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(Duration::from_secs(10)))
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(20));
    ConnectionManager::new_with_config(Client::open(url).unwrap(), settings).await.unwrap()
}

/// One engine, and a key prefix on it that is this test's alone.
pub(crate) struct Site {
    pub(crate) connection: ConnectionManager,
    pub(crate) key_prefix: String,
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    key: Key,
}

impl Site {
    /// On the engine that was started for all tests.
    pub(crate) async fn new() -> Self {
        Self::at(&Engine::Redis.url()).await
    }

    pub(crate) async fn at(url: &str) -> Self {
        let (connection, key_prefix) = (connect(url).await, unique_name("sessions") + ":");
        let clock = ManualClock::at_unix_seconds(NOW_UNIX_SECONDS);
        let builder = RedisStore::builder(connection.clone()).key_prefix(key_prefix.as_str());
        let store = builder.clock(clock.clone()).build();
        Self { connection, key_prefix, clock, store, key: Key::generate().unwrap() }
    }

    pub(crate) fn key_of(&self, id: &RecordId) -> String {
        format!("{}{}", self.key_prefix, id.to_hex())
    }

    /// A record of this version that ends so many seconds from now.
    pub(crate) fn record(&self, version: u64, seconds: u64) -> Record {
        Record::new(version, self.after(seconds), format!("sealed bytes of version {version}").into_bytes())
    }

    pub(crate) fn after(&self, seconds: u64) -> Timestamp {
        use sealed_session::Clock as _;
        self.clock.now().saturating_add_seconds(seconds)
    }

    /// Sessions that are kept on the engine.
    pub(crate) fn sessions(&self) -> SessionManagerBuilder {
        self.sessions_where_they_fit().placement(Placement::StoreOnly)
    }

    /// Sessions that are kept in their cookies while they fit.
    pub(crate) fn sessions_where_they_fit(&self) -> SessionManagerBuilder {
        SessionManager::builder(self.key.clone())
            .audience("shop/test")
            .clock(self.clock.clone())
            .timer(TokioTimer)
            .store_timeout(Duration::from_secs(30))
            .store(self.store.clone())
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.clock)
    }

    /// Every key of this test, and its value.
    pub(crate) async fn values(&self) -> Vec<(String, Vec<u8>)> {
        let mut connection = self.connection.clone();
        let pattern = format!("{}*", self.key_prefix);
        let keys: Vec<String> = cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
        let mut values = Vec::new();
        for key in keys {
            let value = cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
            values.push((key, value));
        }
        values
    }
}

/// A Redis of one test.
pub(crate) fn own_redis(options: &[&str]) -> PrivateEngine {
    PrivateEngine::start(Engine::Redis, &[&["--save", ""], options].concat())
}
