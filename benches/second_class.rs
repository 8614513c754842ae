//! The store contract over the Redis store of `tower-sessions`, in one process: no measurement, and here because of its lock
//! file.
//!
//! ```sh
//! bash tests/lib/engines.sh run redis -- cargo test --release --manifest-path benches/Cargo.toml --test second_class
//! ```

use sealed_session::store::TowerSessionsStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::{ManualClock, RecordStore};
use sealed_session_benches::stores::{Server, redis_store};

fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    let engine = runtime.block_on(redis_store(&Server::from_environment()));
    let store = TowerSessionsStore::builder_over_core_0_14(engine).clock(clock.clone()).build();
    rule(&store, &clock, &Runner::new(|work| runtime.block_on(work)));
}

sealed_session::store_conformance!(redis_store_of_tower_sessions, crate::with_store);
