//! The MongoDB store, on a program that speaks its protocol.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions alone"
)]

mod mongodb {
    mod cost;
    mod documents;
    mod durability;
    mod failures;
    pub(crate) mod place;
    mod privacy;
    mod sweeping;
}
mod shared;

use sealed_session::SystemClock;
use sealed_session::store::RecordStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::testing::ManualClock;

use self::mongodb::place::Place;

/// The stand-in is a Python program: a command takes it milliseconds where the server takes microseconds.
const EFFORT_DIVISOR: u32 = 25;

/// Contention takes it minutes where the engine takes seconds.
const TASKS: u64 = 8;
const TIMES: u64 = 25;

sealed_session::store_conformance!(contract, crate::with_store);

fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let (place, clock) = (Place::new(), ManualClock::at_unix_seconds(START_UNIX_SECONDS));
    let store = place.block_on(place.store(clock.clone()));
    rule(&store, &clock, &Runner::new(|work| place.block_on(work)).effort_divisor(EFFORT_DIVISOR));
}

#[test]
fn no_increment_of_two_servers_is_lost() {
    let place = Place::new();
    place.block_on(async {
        let stores = [place.store(SystemClock).await, place.store(SystemClock).await];
        shared::sessions::no_increment_of_two_servers_is_lost(stores, TASKS, TIMES).await;
    });
}
