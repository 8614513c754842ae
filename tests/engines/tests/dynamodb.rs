//! The DynamoDB store, on a program that speaks the service's protocol.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions alone"
)]

mod dynamodb {
    mod answers;
    mod cost;
    mod failures;
    pub(crate) mod place;
    mod privacy;
    mod retries;
    mod table;
}
mod shared;

use sealed_session::SystemClock;
use sealed_session::store::RecordStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::testing::ManualClock;

use self::dynamodb::place::Place;

/// The stand-in is a Python program: a request takes it milliseconds where the service's engine takes microseconds.
const EFFORT_DIVISOR: u32 = 25;

/// Contention takes it minutes where the engine takes seconds.
const TASKS: u64 = 8;
const TIMES: u64 = 25;

/// The service has room for 409,600 bytes in an item, the stand-in for 405,000: 50 are the names, the key and the numbers of
/// the suite's records. That the store itself refuses what the service would, `cost` and its own unit tests say.
const STAND_IN_RECORD_MAX_BYTES: usize = 405_000 - 50;

sealed_session::store_conformance!(contract, crate::with_store);

fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let (place, clock) = (Place::new(), ManualClock::at_unix_seconds(START_UNIX_SECONDS));
    let store = place.block_on(place.store(clock.clone()));
    let runner = Runner::new(|work| place.block_on(work)).effort_divisor(EFFORT_DIVISOR);
    rule(&store, &clock, &runner.largest_record_bytes(STAND_IN_RECORD_MAX_BYTES));
}

#[test]
fn no_increment_of_two_servers_is_lost() {
    let place = Place::new();
    place.block_on(async {
        let stores = [place.store(SystemClock).await, place.store(SystemClock).await];
        shared::sessions::no_increment_of_two_servers_is_lost(stores, TASKS, TIMES).await;
    });
}
