//! The turns that writes of this process take, in place of the compare-and-set that the engine has not.

use std::array;

use async_lock::{Mutex, MutexGuard};

use crate::id::RecordId;

/// One lock for each 256th of the records. It is held while the engine is asked, and needs no runtime.
pub(super) struct Turns {
    first: Mutex<()>,
    others: [Mutex<()>; 255],
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { first: Mutex::new(()), others: array::from_fn(|_| Mutex::new(())) }
    }

    /// Waits until nobody else of this process writes the record, or one that shares its lock. A call that is given up gives
    /// its turn back.
    pub(super) async fn take(&self, id: &RecordId) -> MutexGuard<'_, ()> {
        // Ids are derived by a hash: any byte of them spreads the records evenly.
        let [byte, ..] = *id.as_bytes();
        // The 256th byte value is the one that has no place among the 255.
        self.others.get(usize::from(byte)).unwrap_or(&self.first).lock().await
    }
}
