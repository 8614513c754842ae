//! Records in any store that was written for `tower-sessions`: engines that this crate has no store for.
//!
//! Such a store loads, writes and deletes a session, and compares nothing. What the contract asks for beyond that is made
//! here, by letting the writes of this process to one record happen one after the other. Between processes nobody does.

mod calls;
mod engine;
mod entry;
mod turns;

use std::fmt;
use std::sync::Arc;

use self::engine::Engine;
use self::turns::Turns;
use super::{Created, Record, RecordStore, StoreFuture, Updated};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::id::RecordId;

/// Name of the store, in errors.
const STORE: &str = "tower-sessions";

/// Server store over one that was written for `tower-sessions`: second-class, for engines that this crate has no store for.
///
/// Such a store cannot write on a condition. Within one process this one makes up for it: its clones let the writes to a
/// record happen one after the other, and keep every rule of [`RecordStore`]. **Across processes two rules are lost.** Of two
/// writes at the same time the later one wins, and what the other changed is gone. And a write that meets a logout may bring
/// the destroyed record back, and with it the session of whoever kept its cookie: see the [stores
/// page](crate::guide::stores). Both may happen within the process to a write that ran into its time limit: its turn is over,
/// and the engine may carry it out later.
///
/// Make one per process, and clone it. Sessions of `tower-sessions` itself belong in another table, key prefix or database
/// than these records: its middleware takes any id that stands there for one of its own.
///
/// A record is a session with four members, `record_id`, `version`, `expires_at` and `sealed`, each of them text; the sealed
/// bytes take a third more room as base64url. A load asks the engine once. A write asks it twice, three times where it
/// replaces an expired record, and `touch` writes the whole record. The engine is told to remove a record 60 seconds after
/// it has expired.
#[derive(Clone)]
pub struct TowerSessionsStore {
    engine: Arc<dyn Engine>,
    turns: Arc<Turns>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for TowerSessionsStore {
    /// Without the engine, whose own `Debug` may show an address with a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerSessionsStore").finish_non_exhaustive()
    }
}

/// Settings of a [`TowerSessionsStore`]; from `TowerSessionsStore::builder_over_core_0_14` and `…_0_15`.
///
/// ```
/// # #[cfg(feature = "tower-sessions-core-0-14")] {
/// # use tower_sessions_memory_store_0_14 as tower_sessions;
/// use sealed_session::SystemClock;
/// use sealed_session::store::TowerSessionsStore;
/// use tower_sessions::MemoryStore;
///
/// let store = TowerSessionsStore::builder_over_core_0_14(MemoryStore::default()).clock(SystemClock).build();
/// # let _ = store;
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct TowerSessionsStoreBuilder {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
}

impl TowerSessionsStoreBuilder {
    fn over(engine: impl Engine + 'static) -> Self {
        Self { engine: Arc::new(engine), clock: Arc::new(SystemClock) }
    }

    /// The clock that decides which records exist. The engine removes them by the system's clock, later than they end.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The store. Nothing is asked of the engine yet.
    #[must_use]
    pub fn build(self) -> TowerSessionsStore {
        TowerSessionsStore { engine: self.engine, turns: Arc::new(Turns::new()), clock: self.clock }
    }
}

impl fmt::Debug for TowerSessionsStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerSessionsStoreBuilder").finish_non_exhaustive()
    }
}

impl RecordStore for TowerSessionsStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(calls::load(self, id))
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(async move {
            let _turn = self.turns.take(id).await;
            calls::create(self, id, &record).await
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let _turn = self.turns.take(id).await;
            calls::update(self, id, &record, expected_version).await
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let _turn = self.turns.take(id).await;
            calls::touch(self, id, expires_at).await
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let _turn = self.turns.take(id).await;
            calls::destroy(self, id).await
        })
    }

    /// Always `0`: the trait has no such call. An engine that does not remove by itself implements `ExpiredDeletion` beside
    /// it; call that before the engine is handed over, or on a clone of it.
    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(async { Ok(0) })
    }
}
