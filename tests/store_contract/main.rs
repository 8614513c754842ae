//! The stores of this crate under the exported suite, and each one's own rules.

use sealed_session::store::conformance::reference::ReferenceStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::{ManualClock, RecordStore, store_conformance};

#[cfg(any(feature = "file", feature = "tower-sessions-core-0-14", feature = "tower-sessions-core-0-15"))]
mod alternating;
mod broken;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "memory")]
mod memory;
#[cfg(any(feature = "tower-sessions-core-0-14", feature = "tower-sessions-core-0-15"))]
mod tower_sessions;

store_conformance!(contract_of_the_reference_store, crate::with_reference_store);

#[cfg(feature = "memory")]
store_conformance!(contract_of_the_memory_store, crate::memory::with_store);

#[cfg(feature = "file")]
store_conformance!(contract_of_the_file_store, crate::file::with_store);
#[cfg(feature = "file")]
store_conformance!(contract_of_the_file_store_on_disk, crate::file::with_store_on_disk);
#[cfg(feature = "file")]
store_conformance!(contract_of_file_stores_that_share_a_directory, crate::file::with_stores_that_share_a_directory);

#[cfg(feature = "tower-sessions-core-0-14")]
mod contract_over_core_0_14 {
    use sealed_session::store_conformance;

    store_conformance!(the_memory_store, crate::tower_sessions::core_0_14::with_the_memory_store);
    store_conformance!(
        one_that_saves_only_what_is_there,
        crate::tower_sessions::core_0_14::with_one_that_saves_only_what_is_there
    );
    store_conformance!(one_that_creates_by_default, crate::tower_sessions::core_0_14::with_one_that_creates_by_default);
}

#[cfg(feature = "tower-sessions-core-0-15")]
mod contract_over_core_0_15 {
    use sealed_session::store_conformance;

    store_conformance!(the_memory_store, crate::tower_sessions::core_0_15::with_the_memory_store);
    store_conformance!(
        one_that_saves_only_what_is_there,
        crate::tower_sessions::core_0_15::with_one_that_saves_only_what_is_there
    );
    store_conformance!(one_that_creates_by_default, crate::tower_sessions::core_0_15::with_one_that_creates_by_default);
}

fn with_reference_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    rule(&ReferenceStore::new(clock.clone()), &clock, &Runner::new(|work| pollster::block_on(work)));
}
