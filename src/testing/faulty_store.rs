use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::error::StoreError;
use crate::id::RecordId;
use crate::store::{Created, Record, RecordStore, StoreFuture, Updated};

/// Everything that a store holds.
pub type Records = BTreeMap<RecordId, Record>;

/// A kind of call to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// [`RecordStore::load`].
    Load,
    /// [`RecordStore::create`].
    Create,
    /// [`RecordStore::update`].
    Update,
    /// [`RecordStore::touch`].
    Touch,
    /// [`RecordStore::destroy`].
    Destroy,
}

/// A server store in memory that fails, lags and forgets on demand, and counts its calls. Clones share their content.
///
/// ```
/// use sealed_session::testing::{FaultyStore, ManualClock};
/// use sealed_session::{SessionManager, Key, Placement};
///
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// let records = FaultyStore::new(clock.clone());
/// let manager = SessionManager::builder(Key::generate()?)
///     .store(records.clone())
///     .placement(Placement::StoreOnly)
///     .clock(clock)
///     .build()?;
/// // The second call and all after it fail.
/// records.go_down_after(1);
/// # let _ = manager;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FaultyStore {
    held: Arc<Mutex<Held>>,
    clock: ManualClock,
}

#[derive(Debug, Default)]
struct Held {
    records: Records,
    calls: Vec<Call>,
    /// So many calls are answered before the store goes down.
    answers_left: Option<usize>,
    /// The next calls of this kind are carried out, and their answers lost.
    deaf_to: Option<Call>,
    /// Answers come a moment later, and other tasks run in between.
    is_slow: bool,
    /// So many loads are answered from an older state.
    lagging: Vec<Records>,
}

impl FaultyStore {
    /// An empty store that answers; records expire by this clock.
    #[must_use]
    pub fn new(clock: ManualClock) -> Self {
        Self { held: Arc::default(), clock }
    }

    /// The calls since this was asked last, failed ones included.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.held().calls)
    }

    /// Every call fails from now on.
    pub fn go_down(&self) {
        self.go_down_after(0);
    }

    /// Every call fails once so many were answered.
    pub fn go_down_after(&self, answers: usize) {
        self.held().answers_left = Some(answers);
    }

    /// Calls of this kind are carried out, and their answers lost.
    pub fn lose_answers_to(&self, call: Call) {
        self.held().deaf_to = Some(call);
    }

    /// Every answer lets other tasks run before it comes.
    pub fn go_slow(&self) {
        self.held().is_slow = true;
    }

    /// Every call is answered again.
    pub fn come_up(&self) {
        let mut held = self.held();
        held.answers_left = None;
        held.deaf_to = None;
    }

    /// What exists now.
    pub fn snapshot(&self) -> Records {
        let now = self.clock.now();
        self.held()
            .records
            .iter()
            .filter(|(_, record)| now < record.expires_at)
            .map(|(id, r)| (*id, r.clone()))
            .collect()
    }

    /// A backup takes the place of everything.
    pub fn restore(&self, backup: Records) {
        self.held().records = backup;
    }

    /// The next load is answered by a replica that is behind.
    pub fn lag_once(&self, older: Records) {
        self.held().lagging.push(older);
    }

    /// Somebody writes to the engine past the crate.
    pub fn tamper(&self, change: impl FnOnce(&mut Records)) {
        change(&mut self.held().records);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T: Send + 'static>(&self, call: Call, act: impl FnOnce(&mut Held) -> T) -> StoreFuture<'_, T> {
        let now = self.clock.now();
        let mut held = self.held();
        held.calls.push(call);
        let down = || Err(StoreError::unavailable("faulty", "down on demand"));
        let answer = match held.answers_left {
            Some(0) => down(),
            left => {
                held.answers_left = left.map(|left| left.saturating_sub(1));
                held.records.retain(|_, record| now < record.expires_at);
                let answer = act(&mut held);
                if held.deaf_to == Some(call) { down() } else { Ok(answer) }
            }
        };
        let mut waits = usize::from(held.is_slow);
        Box::pin(async move {
            poll_fn(|context| {
                if waits > 0 {
                    waits = waits.saturating_sub(1);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            answer
        })
    }
}

impl RecordStore for FaultyStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.answer(Call::Load, |held| match held.lagging.pop() {
            Some(older) => older.get(id).cloned(),
            None => held.records.get(id).cloned(),
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.answer(Call::Create, |held| {
            if held.records.contains_key(id) {
                return Created::Exists;
            }
            held.records.insert(*id, record);
            Created::Created
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        self.answer(Call::Update, |held| match held.records.get_mut(id) {
            None => Updated::Missing,
            Some(current) if current.version != expected_version => Updated::Conflict,
            Some(current) => {
                *current = record;
                Updated::Updated
            }
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.answer(Call::Touch, |held| {
            let current = held.records.get_mut(id);
            current.map(|current| current.expires_at = current.expires_at.max(expires_at)).is_some()
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.answer(Call::Destroy, |held| {
            held.records.remove(id);
        })
    }

    fn is_local(&self) -> bool {
        true
    }

    /// Every call removes what has expired.
    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(std::future::ready(Ok(0)))
    }
}
