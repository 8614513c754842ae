//! Records in this process's memory, over `moka`'s concurrent cache.
//!
//! What exists is decided by the injected [`Clock`] alone, read at every call. `moka` is given no expiry of its own:
//! its timer follows another clock, which runs on while ours stands still or is set back, and would drop a session that
//! is alive. An expired record therefore stays until it is swept, replaced or destroyed, but never beyond the capacity;
//! and as nothing reads it, it is among the first to be evicted.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Created, Record, RecordStore, StoreFuture, Updated};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::StoreError;
use crate::id::RecordId;
use crate::limits::MEMORY_STORE_CAPACITY_BYTES;

/// Server store in the memory of one process: it forgets every session when that process ends, and a second process
/// does not see them. For development, tests, and services that run as one process and may log everybody out.
///
/// Clones share their content. Calls are answered at once, without waiting for anything but a short lock.
///
/// # Capacity
///
/// The store holds at most [`capacity_bytes`](MemoryStoreBuilder::capacity_bytes), and the record that is just being
/// written: the records' bytes and 320 bytes of bookkeeping for each (278 measured with moka 0.12.16, the rest for the
/// allocator's rounding). When a new record does not fit, those that were not used for longest are evicted, expired or
/// alive. Their sessions end with [`Reason::RecordMissing`](crate::Reason::RecordMissing): their users are logged out.
/// Where the record marked a session as revoked, a copy of its cookie may open again. A record that is larger than the
/// whole capacity is refused with an error and evicts nothing.
///
/// Security: whoever can make the application keep large sessions can push others out. Choose the capacity above what
/// all sessions of one idle timeout need, and watch [`held_bytes`](Self::held_bytes).
///
/// ```
/// use sealed_session::store::{Created, MemoryStore};
/// use sealed_session::{ManualClock, Record, RecordId, RecordStore, Timestamp};
///
/// # pollster::block_on(async {
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// let store = MemoryStore::builder().capacity_bytes(16 * 1024 * 1024).clock(clock.clone()).build();
///
/// let id = RecordId::from_bytes([7; 16]);
/// let record = Record::new(1, Timestamp::from_unix_seconds(1_795_000_060), b"sealed".to_vec());
/// assert_eq!(store.create(&id, record.clone()).await?, Created::Created);
/// assert_eq!(store.load(&id).await?, Some(record));
///
/// clock.advance_seconds(60);
/// assert_eq!(store.load(&id).await?, None);
/// # Ok::<(), sealed_session::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    records: Cache<RecordId, Held>,
    turn: Arc<Mutex<()>>,
    clock: Arc<dyn Clock>,
    capacity_bytes: u64,
}

impl MemoryStore {
    /// An empty store of 64 MiB, [`MEMORY_STORE_CAPACITY_BYTES`], on the system's clock.
    ///
    /// ```
    /// use sealed_session::store::MemoryStore;
    ///
    /// assert_eq!(MemoryStore::new().record_count(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A store of another capacity, or on another clock.
    ///
    /// ```
    /// use sealed_session::store::MemoryStore;
    ///
    /// let store = MemoryStore::builder().capacity_bytes(256 * 1024 * 1024).build();
    /// assert_eq!(store.held_bytes(), 0);
    /// ```
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder { capacity_bytes: MEMORY_STORE_CAPACITY_BYTES, clock: Arc::new(SystemClock) }
    }

    /// Records held, with the expired ones that were not swept yet; exact while no call is under way.
    ///
    /// ```
    /// use sealed_session::store::MemoryStore;
    /// use sealed_session::{Record, RecordId, RecordStore, Timestamp};
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::new();
    /// let _ = store.create(&RecordId::from_bytes([7; 16]), Record::new(1, Timestamp::MAX, Vec::new())).await?;
    /// assert_eq!(store.record_count(), 1);
    /// # Ok::<(), sealed_session::StoreError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn record_count(&self) -> u64 {
        self.records.entry_count()
    }

    /// Bytes held, as they count against the capacity; exact while no call is under way.
    ///
    /// ```
    /// use sealed_session::store::MemoryStore;
    /// use sealed_session::{Record, RecordId, RecordStore, Timestamp};
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::new();
    /// let _ = store.create(&RecordId::from_bytes([7; 16]), Record::new(1, Timestamp::MAX, vec![0; 680])).await?;
    /// assert_eq!(store.held_bytes(), 1000);
    /// # Ok::<(), sealed_session::StoreError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.records.weighted_size()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    /// Counts alone: record ids belong in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("record_count", &self.record_count())
            .field("held_bytes", &self.held_bytes())
            .field("capacity_bytes", &self.capacity_bytes)
            .finish()
    }
}

/// Settings of a [`MemoryStore`]; from [`MemoryStore::builder`].
///
/// ```
/// use sealed_session::ManualClock;
/// use sealed_session::store::MemoryStore;
///
/// let store = MemoryStore::builder().clock(ManualClock::at_unix_seconds(1_795_000_000)).build();
/// assert_eq!(store.record_count(), 0);
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct MemoryStoreBuilder {
    capacity_bytes: u64,
    clock: Arc<dyn Clock>,
}

impl MemoryStoreBuilder {
    /// Most bytes that the store holds, 320 bytes of bookkeeping for each record included.
    pub fn capacity_bytes(self, capacity_bytes: u64) -> Self {
        Self { capacity_bytes, ..self }
    }

    /// The clock that decides which records exist.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// An empty store with these settings.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        let records = Cache::builder()
            .max_capacity(self.capacity_bytes)
            .weigher(|_, held: &Held| u32::try_from(weight_bytes(held.bytes.len())).unwrap_or(u32::MAX))
            // Security: the default policy compares frequencies and may turn the newcomer away, which would log out
            // exactly the user who has just logged in.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        MemoryStore { records, turn: Arc::default(), clock: self.clock, capacity_bytes: self.capacity_bytes }
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder").field("capacity_bytes", &self.capacity_bytes).finish_non_exhaustive()
    }
}

impl RecordStore for MemoryStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let living = self.living(id);
            Ok(living.map(|held| Record::new(held.version, held.expires_at, held.bytes.to_vec())))
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(async move {
            let new = self.admit(record)?;
            let _turn = self.turn_to_write();
            if self.living(id).is_some() {
                return Ok(Created::Exists);
            }
            self.put(id, new);
            Ok(Created::Created)
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let new = self.admit(record)?;
            let _turn = self.turn_to_write();
            match self.living(id) {
                None => return Ok(Updated::Missing),
                Some(current) if current.version != expected_version => return Ok(Updated::Conflict),
                Some(_) => self.put(id, new),
            }
            Ok(Updated::Updated)
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let _turn = self.turn_to_write();
            let Some(current) = self.living(id) else { return Ok(false) };
            if current.expires_at < expires_at {
                self.put(id, Held { expires_at, ..current });
            }
            Ok(true)
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let _turn = self.turn_to_write();
            self.remove(id);
            Ok(())
        })
    }

    /// Looks at every record held until `limit` are removed, and lets other tasks run in between.
    fn is_local(&self) -> bool {
        true
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let mut removed = 0;
            let mut records = self.records.iter().zip(1_usize..);
            while removed < limit
                && let Some(((id, held), seen)) = records.next()
            {
                if !held.is_alive_at(self.clock.now()) && self.remove_expired(&id) {
                    removed = removed.saturating_add(1);
                }
                if seen % RECORDS_BETWEEN_PAUSES == 0 {
                    pause().await;
                }
            }
            Ok(removed)
        })
    }
}

/// What a record costs beside its bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 320;

/// About half a millisecond of sweeping.
const RECORDS_BETWEEN_PAUSES: usize = 1024;

/// A record as it is kept: its bytes are shared, so that moka's copies of it, and `touch`, do not copy them.
#[derive(Clone)]
struct Held {
    version: u64,
    expires_at: Timestamp,
    bytes: Arc<[u8]>,
}

impl Held {
    fn is_alive_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

impl MemoryStore {
    /// The record in the form that is kept, unless it could never be held.
    fn admit(&self, record: Record) -> Result<Held, StoreError> {
        // moka counts a weight in 32 bits, and would drop a record over the capacity without a word.
        let most = self.capacity_bytes.min(u64::from(u32::MAX));
        if weight_bytes(record.bytes.len()) > most {
            let problem = format!(
                "a record of {} bytes, and {ENTRY_OVERHEAD_BYTES} for its bookkeeping, is larger than the {most} bytes \
                 that the store may hold: raise `MemoryStoreBuilder::capacity_bytes`",
                record.bytes.len(),
            );
            return Err(StoreError::other("memory", problem));
        }
        Ok(Held { version: record.version, expires_at: record.expires_at, bytes: record.bytes.into() })
    }

    /// Until the guard is dropped, nobody else writes.
    ///
    /// Security: removal takes its turn too. Between the read and the write of an update it would be undone, and a
    /// destroyed session would come back. One turn for all ids, and not moka's own for each: moka 0.12.16 loses count
    /// where an entry changes its size while another thread evicts, and the capacity would drift (20 of 200 runs).
    fn turn_to_write(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data, so none can have been left half-written by a panic.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn living(&self, id: &RecordId) -> Option<Held> {
        self.records.get(id).filter(|held| held.is_alive_at(self.clock.now()))
    }

    fn put(&self, id: &RecordId, held: Held) {
        self.records.insert(*id, held);
        // Left to itself moka evicts after some dozens of writes, each of which may have been as large as the capacity.
        self.records.run_pending_tasks();
    }

    fn remove(&self, id: &RecordId) {
        self.records.invalidate(id);
        self.records.run_pending_tasks();
    }

    /// Removes the record unless it was replaced since it was seen; whether it was there.
    fn remove_expired(&self, id: &RecordId) -> bool {
        let _turn = self.turn_to_write();
        let expired = self.records.get(id).is_some_and(|held| !held.is_alive_at(self.clock.now()));
        if expired {
            self.remove(id);
        }
        expired
    }
}

/// What a record of so many bytes counts against the capacity.
fn weight_bytes(record_bytes: usize) -> u64 {
    u64::try_from(record_bytes).unwrap_or(u64::MAX).saturating_add(ENTRY_OVERHEAD_BYTES)
}

/// Gives the executor's other tasks their turn.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
