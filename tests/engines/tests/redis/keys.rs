//! Where records lie: under the prefix, and nowhere else.

use redis::cmd;
use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::store::{Created, Record, RecordId, RecordStore as _};
use sealed_session::{Key, KeyRing, SessionManager, Timestamp};
use sealed_session_engine_tests::{Engine, Runner, unique_name};
use sealed_session_redis::RedisStore;

use crate::support::Site;

#[test]
fn a_record_is_one_string_under_the_prefix_and_its_id() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let id = RecordId::from_bytes([0xab; 16]);
        assert_eq!(site.store.create(&id, site.record(1, 100)).await.unwrap(), Created::Created);
        let values = site.values().await;
        let [(key, value)] = &values[..] else { panic!("{} keys", values.len()) };
        assert_eq!(*key, format!("{}{}", site.key_prefix, "ab".repeat(16)));
        assert!(value.ends_with(b"sealed bytes of version 1"));
        let kind: String = cmd("TYPE").arg(key).query_async(&mut site.connection.clone()).await.unwrap();
        assert_eq!(kind, "string");
    });
}

#[test]
fn a_destroyed_record_leaves_no_key() {
    Runner::new().block_on(async {
        let (site, id) = (Site::new().await, RecordId::from_bytes([7; 16]));
        assert_eq!(site.store.create(&id, site.record(1, 100)).await.unwrap(), Created::Created);
        site.store.destroy(&id).await.unwrap();
        assert_eq!(site.values().await, []);
    });
}

#[test]
fn stores_of_two_prefixes_share_nothing_and_of_one_prefix_everything() {
    Runner::new().block_on(async {
        let (site, id) = (Site::new().await, RecordId::from_bytes([7; 16]));
        let over = |key_prefix: &str| {
            let builder = RedisStore::builder(site.connection.clone()).key_prefix(key_prefix);
            builder.clock(site.clock.clone()).build()
        };
        let (same, other) = (over(&site.key_prefix), over(&format!("{}other:", site.key_prefix)));
        assert_eq!(site.store.create(&id, site.record(1, 100)).await.unwrap(), Created::Created);
        assert_eq!(same.load(&id).await.unwrap(), Some(site.record(1, 100)));
        assert_eq!(other.load(&id).await.unwrap(), None);
    });
}

#[test]
fn without_a_prefix_of_ones_own_it_names_the_crate() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let (store, id) = (RedisStore::new(site.connection.clone()), RecordId::from_bytes(fresh_id()));
        // On the system's clock: alive until the end of time.
        let record = Record::new(1, Timestamp::MAX, b"sealed".to_vec());
        assert_eq!(store.create(&id, record).await.unwrap(), Created::Created);
        let key = format!("sealed-session:{}", id.to_hex());
        let found: i64 = cmd("EXISTS").arg(key).query_async(&mut site.connection.clone()).await.unwrap();
        assert_eq!(found, 1);
        store.destroy(&id).await.unwrap();
    });
}

/// An id that no earlier run on the same engine has left.
fn fresh_id() -> [u8; 16] {
    let name = unique_name("");
    std::array::from_fn(|at| name.as_bytes()[1 + at])
}

#[test]
fn the_guides_first_lines_work() {
    async fn sessions(keys: KeyRing) -> Result<SessionManager, Box<dyn std::error::Error>> {
        let client = redis::Client::open(Engine::Redis.url())?;
        let store = RedisStore::builder(client.get_connection_manager().await?).key_prefix("shop:session:").build();
        Ok(SessionManager::builder(keys).audience("shop/prod").store(store).timer(TokioTimer).build()?)
    }
    Runner::new().block_on(async {
        let sessions = sessions(KeyRing::new(Key::generate().unwrap())).await.unwrap();
        assert!(sessions.health().await.is_ready());
    });
}

#[test]
fn neither_the_store_nor_its_builder_shows_the_connection() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let builder = RedisStore::builder(site.connection.clone()).key_prefix("shop:");
        assert_eq!(format!("{builder:?}"), "RedisStoreBuilder { key_prefix: \"shop:\", .. }");
        assert_eq!(format!("{:?}", builder.build()), "RedisStore { key_prefix: \"shop:\", .. }");
    });
}
