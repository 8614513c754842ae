//! Records in this process's memory, over `moka`'s concurrent cache.
//!
//! What exists is decided by the injected [`Clock`] alone, read at every call. `moka` is given no expiry of its own:
//! its timer follows another clock, which runs on while ours stands still or is set back, and would drop a session that
//! is alive. An expired record therefore stays until it is swept, replaced or destroyed, but never beyond the capacity;
//! and as nothing reads it, it is among the first to be evicted.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::pause::pause;
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
/// written: the records' bytes and 416 bytes of bookkeeping for each (409 measured with moka 0.12.16, the rest for the
/// allocator's rounding). When a new record does not fit, those that were not used for longest are evicted, expired or
/// alive. Their sessions end with [`Reason::RecordMissing`](crate::Reason::RecordMissing): their users are logged out.
/// Where the record marked a session as revoked, a copy of its cookie may open again. A record that is larger than the
/// whole capacity is refused with an error and evicts nothing.
///
/// Security: whoever can make the application keep large sessions can push others out. Choose the capacity above what
/// all sessions of one idle timeout need, and watch [`held_bytes`](Self::held_bytes).
///
/// ```
/// use sealed_session::store::{Created, MemoryStore, Record, RecordId, RecordStore};
/// use sealed_session::testing::ManualClock;
/// use sealed_session::Timestamp;
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
/// # Ok::<(), sealed_session::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    records: Cache<RecordId, Held>,
    turn: Arc<Mutex<Expiries>>,
    /// Records that were evicted and are still in the order of expiry.
    evicted: Arc<Mutex<Vec<(Timestamp, RecordId)>>>,
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
    /// use sealed_session::store::{MemoryStore, Record, RecordId, RecordStore};
    /// use sealed_session::Timestamp;
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::new();
    /// let _ = store.create(&RecordId::from_bytes([7; 16]), Record::new(1, Timestamp::MAX, Vec::new())).await?;
    /// assert_eq!(store.record_count(), 1);
    /// # Ok::<(), sealed_session::store::StoreError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn record_count(&self) -> u64 {
        self.records.entry_count()
    }

    /// Bytes held, as they count against the capacity; exact while no call is under way.
    ///
    /// ```
    /// use sealed_session::store::{MemoryStore, Record, RecordId, RecordStore};
    /// use sealed_session::Timestamp;
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::new();
    /// let _ = store.create(&RecordId::from_bytes([7; 16]), Record::new(1, Timestamp::MAX, vec![0; 584])).await?;
    /// assert_eq!(store.held_bytes(), 1000);
    /// # Ok::<(), sealed_session::store::StoreError>(())
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
/// use sealed_session::store::MemoryStore;
/// use sealed_session::testing::ManualClock;
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
    /// Most bytes that the store holds, 416 bytes of bookkeeping for each record included.
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
        let evicted = Arc::<Mutex<Vec<_>>>::default();
        let gone = Arc::clone(&evicted);
        let records = Cache::builder()
            .max_capacity(self.capacity_bytes)
            .eviction_listener(move |id: Arc<RecordId>, held: Held, cause| {
                // The listener runs inside of calls that hold the turn, and of loads that do not: whoever writes next
                // takes these out of the order.
                if cause == RemovalCause::Size {
                    gone.lock().unwrap_or_else(PoisonError::into_inner).push((held.expires_at, *id));
                }
            })
            .weigher(|_, held: &Held| u32::try_from(weight_bytes(held.bytes.len())).unwrap_or(u32::MAX))
            // Security: the default policy compares frequencies and may turn the newcomer away, which would log out
            // exactly the user who has just logged in.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        let (clock, capacity_bytes) = (self.clock, self.capacity_bytes);
        MemoryStore { records, turn: Arc::default(), evicted, clock, capacity_bytes }
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
            let mut turn = self.turn_to_write();
            if self.living(id).is_some() {
                return Ok(Created::Exists);
            }
            self.put(&mut turn, id, new);
            Ok(Created::Created)
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let new = self.admit(record)?;
            let mut turn = self.turn_to_write();
            match self.living(id) {
                None => return Ok(Updated::Missing),
                Some(current) if current.version != expected_version => return Ok(Updated::Conflict),
                Some(_) => self.put(&mut turn, id, new),
            }
            Ok(Updated::Updated)
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut turn = self.turn_to_write();
            let Some(current) = self.living(id) else { return Ok(false) };
            if current.expires_at < expires_at {
                self.put(&mut turn, id, Held { expires_at, ..current });
            }
            Ok(true)
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut turn = self.turn_to_write();
            self.remove(&mut turn, id);
            Ok(())
        })
    }

    fn is_local(&self) -> bool {
        true
    }

    /// Takes the records in the order of their expiry, and lets other tasks run in between.
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let mut removed: usize = 0;
            while removed < limit {
                let wanted = limit.saturating_sub(removed).min(RECORDS_BETWEEN_PAUSES);
                let found = self.remove_expired(wanted);
                removed = removed.saturating_add(found);
                if found < wanted {
                    break;
                }
                pause().await;
            }
            Ok(removed)
        })
    }
}

/// What a record costs beside its bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 416;

/// About a millisecond of sweeping, for which the turn to write is held.
const RECORDS_BETWEEN_PAUSES: usize = 512;

/// The records held, by their expiry: a sweep looks at what has expired and at nothing else.
type Expiries = BTreeSet<(Timestamp, RecordId)>;

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
    fn turn_to_write(&self) -> MutexGuard<'_, Expiries> {
        // Nothing panics while it holds the turn; an order that a panic left behind would cost a sweep, and no session.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn living(&self, id: &RecordId) -> Option<Held> {
        self.records.get(id).filter(|held| held.is_alive_at(self.clock.now()))
    }

    fn put(&self, order: &mut Expiries, id: &RecordId, held: Held) {
        if let Some(before) = self.records.get(id) {
            order.remove(&(before.expires_at, *id));
        }
        order.insert((held.expires_at, *id));
        self.records.insert(*id, held);
        self.tidy_up(order);
    }

    fn remove(&self, order: &mut Expiries, id: &RecordId) {
        if let Some(before) = self.records.remove(id) {
            order.remove(&(before.expires_at, *id));
        }
        self.tidy_up(order);
    }

    /// Left to itself moka evicts after some dozens of writes, each of which may have been as large as the capacity.
    fn tidy_up(&self, order: &mut Expiries) {
        self.records.run_pending_tasks();
        for gone in self.evicted.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            order.remove(&gone);
        }
    }

    /// Removes up to so many records that have expired, the oldest first, and returns how many there were.
    fn remove_expired(&self, most: usize) -> usize {
        let mut order = self.turn_to_write();
        let now = self.clock.now();
        let mut removed: usize = 0;
        while removed < most
            && let Some((expires_at, id)) = order.first().copied()
            && expires_at <= now
        {
            order.pop_first();
            self.records.invalidate(&id);
            removed = removed.saturating_add(1);
        }
        self.tidy_up(&mut order);
        removed
    }
}

/// What a record of so many bytes counts against the capacity.
fn weight_bytes(record_bytes: usize) -> u64 {
    u64::try_from(record_bytes).unwrap_or(u64::MAX).saturating_add(ENTRY_OVERHEAD_BYTES)
}
