//! A server store that fails, lags and forgets on demand.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use sealed_session::store::{Created, StoreFuture, Updated};
use sealed_session::{Clock as _, ManualClock, Record, RecordId, RecordStore, StoreError, Timestamp};

/// Everything that the store holds.
pub(crate) type Records = BTreeMap<RecordId, Record>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Create,
    Update,
    Touch,
    Destroy,
}

/// Clones share their content.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    held: Arc<Mutex<Held>>,
    clock: ManualClock,
}

#[derive(Default)]
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
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self { held: Arc::default(), clock }
    }

    /// The calls since this was asked last, failed ones included.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.held().calls)
    }

    /// Every call fails from now on.
    pub(crate) fn go_down(&self) {
        self.go_down_after(0);
    }

    /// Every call fails once so many were answered.
    pub(crate) fn go_down_after(&self, answers: usize) {
        self.held().answers_left = Some(answers);
    }

    /// Calls of this kind are carried out, and their answers lost.
    pub(crate) fn lose_answers_to(&self, call: Call) {
        self.held().deaf_to = Some(call);
    }

    /// Every answer lets other tasks run before it comes.
    pub(crate) fn go_slow(&self) {
        self.held().is_slow = true;
    }

    pub(crate) fn come_up(&self) {
        let mut held = self.held();
        held.answers_left = None;
        held.deaf_to = None;
    }

    /// What exists now.
    pub(crate) fn snapshot(&self) -> Records {
        let now = self.clock.now();
        self.held()
            .records
            .iter()
            .filter(|(_, record)| now < record.expires_at)
            .map(|(id, r)| (*id, r.clone()))
            .collect()
    }

    /// A backup takes the place of everything.
    pub(crate) fn restore(&self, backup: Records) {
        self.held().records = backup;
    }

    /// The next load is answered by a replica that is behind.
    pub(crate) fn lag_once(&self, older: Records) {
        self.held().lagging.push(older);
    }

    /// Somebody writes to the engine past the crate.
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut Records)) {
        change(&mut self.held().records);
    }

    /// The only record.
    pub(crate) fn only(&self) -> (RecordId, Record) {
        let records = self.snapshot();
        assert_eq!(records.len(), 1, "records in the store");
        records.into_iter().next().unwrap()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    fn answer<T: Send + 'static>(&self, call: Call, act: impl FnOnce(&mut Held) -> T) -> StoreFuture<'_, T> {
        let now = self.clock.now();
        let mut held = self.held();
        held.calls.push(call);
        let down = || Err(StoreError::unavailable("faulty", "down on demand"));
        let answer = match held.answers_left {
            Some(0) => down(),
            left => {
                held.answers_left = left.map(|left| left - 1);
                held.records.retain(|_, record| now < record.expires_at);
                let answer = act(&mut held);
                if held.deaf_to == Some(call) { down() } else { Ok(answer) }
            }
        };
        let mut waits = usize::from(held.is_slow);
        let mut answer = Some(answer);
        Box::pin(poll_fn(move |context| {
            if waits > 0 {
                waits -= 1;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(answer.take().unwrap())
        }))
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

    /// Every call removes what has expired.
    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(std::future::ready(Ok(0)))
    }
}
