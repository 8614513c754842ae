//! The stores of this crate under the exported suite, and each one's own rules.

use sealed_session::store::RecordStore;
use sealed_session::store::conformance::reference::ReferenceStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::store_conformance;
use sealed_session::testing::ManualClock;

#[cfg(feature = "file")]
mod alternating;
mod broken;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "memory")]
mod memory;

store_conformance!(contract_of_the_reference_store, crate::with_reference_store);

#[cfg(feature = "memory")]
store_conformance!(contract_of_the_memory_store, crate::memory::with_store);

#[cfg(feature = "file")]
store_conformance!(contract_of_the_file_store, crate::file::with_store);
#[cfg(feature = "file")]
store_conformance!(contract_of_the_file_store_on_disk, crate::file::with_store_on_disk);
#[cfg(feature = "file")]
store_conformance!(contract_of_file_stores_that_share_a_directory, crate::file::with_stores_that_share_a_directory);

fn with_reference_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    rule(&ReferenceStore::new(clock.clone()), &clock, &Runner::new(|work| pollster::block_on(work)));
}
