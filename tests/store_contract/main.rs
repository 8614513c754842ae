//! The stores of this crate under the exported suite, and each one's own rules.

use sealed_session::store::conformance::reference::ReferenceStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::{ManualClock, RecordStore, store_conformance};

#[cfg(feature = "memory")]
mod memory;

store_conformance!(contract_of_the_reference_store, crate::with_reference_store);

#[cfg(feature = "memory")]
store_conformance!(contract_of_the_memory_store, crate::memory::with_store);

fn with_reference_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    rule(&ReferenceStore::new(clock.clone()), &clock, &Runner::new(|work| pollster::block_on(work)));
}
