//! The store contract, every rule of it.

use sealed_session::store::RecordStore;
use sealed_session::store::conformance::{Runner as Rules, START_UNIX_SECONDS};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::{Engine, Runner, unique_name};
use sealed_session_redis::RedisStore;

use crate::support::connect;

fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Rules<'_>)) {
    let runner = Runner::new();
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    let connection = runner.block_on(connect(&Engine::Redis.url()));
    let store = RedisStore::builder(connection).key_prefix(unique_name("contract")).clock(clock.clone()).build();
    rule(&store, &clock, &Rules::new(|work| runner.block_on(work)));
}

sealed_session::store_conformance!(redis, crate::contract::with_store);
