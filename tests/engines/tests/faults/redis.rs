//! Redis, which keeps what it has acknowledged where it is told to write each command to the disk.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, cmd};
use sealed_session::store::RecordStore;
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::Engine;
use sealed_session_redis::RedisStore;

use crate::site::{Kind, Served};

pub(crate) struct Redis;

/// A connection that connects again by itself, and gives up soon, as these tests have their engine at hand.
async fn connection(url: &str) -> ConnectionManager {
    let settings = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(Duration::from_secs(10)))
        .set_number_of_retries(1)
        .set_max_delay(Duration::from_millis(20));
    ConnectionManager::new_with_config(Client::open(url).unwrap(), settings).await.unwrap()
}

async fn keys(connection: &mut ConnectionManager, name: &str) -> Vec<String> {
    cmd("KEYS").arg(format!("{name}:*")).query_async(connection).await.unwrap()
}

impl Kind for Redis {
    const PARALLEL_REQUESTS: usize = 64;

    /// Keys, and what `DUMP` says of them.
    type Backup = Vec<(String, Vec<u8>)>;

    fn address() -> String {
        Engine::Redis.url()
    }

    async fn prepare(_: &str, _: &str) {}

    async fn connect(url: &str, name: &str, clock: &ManualClock) -> Arc<dyn RecordStore> {
        let store = RedisStore::builder(connection(url).await).key_prefix(format!("{name}:"));
        Arc::new(store.clock(clock.clone()).build())
    }

    async fn back_up(url: &str, name: &str) -> Self::Backup {
        let mut connection = connection(url).await;
        let mut backup = Vec::new();
        for key in keys(&mut connection, name).await {
            let value = cmd("DUMP").arg(&key).query_async(&mut connection).await.unwrap();
            backup.push((key, value));
        }
        backup
    }

    async fn restore(url: &str, name: &str, backup: &Self::Backup) {
        let mut connection = connection(url).await;
        for key in keys(&mut connection, name).await {
            cmd("DEL").arg(&key).exec_async(&mut connection).await.unwrap();
        }
        for (key, value) in backup {
            cmd("RESTORE").arg(key).arg(0).arg(value).exec_async(&mut connection).await.unwrap();
        }
    }

    async fn clean_up(url: &str, name: &str) {
        Self::restore(url, name, &Vec::new()).await;
    }
}

impl Served for Redis {
    const ENGINE: Engine = Engine::Redis;

    /// `always`: what was acknowledged is on the disk.
    const DURABLE: &'static [&'static str] = &["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
}
