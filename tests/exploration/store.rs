//! A server store whose calls wait for the scheduler: each is answered, or fails, when and how that decides.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::testing::ManualClock;
use sealed_session::{Clock as _, Timestamp};

/// Of one schedule; more than a record remembers writes.
pub(crate) const REQUESTS_MAX: usize = 12;

/// Each request, and the save that runs beside its commit, wait for calls of their own.
const WAITERS_MAX: usize = 2 * REQUESTS_MAX;

/// The waiter of the save that runs beside the commit of this request.
pub(crate) const fn beside(request: usize) -> usize {
    REQUESTS_MAX + request
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Load,
    Create,
    Update,
    Touch,
    Destroy,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Answer,
    TimeoutBefore,
    TimeoutAfter,
    CutBefore,
    CutAfter,
    /// The future of the whole request is dropped while it waits for this call.
    DropBefore,
    DropAfter,
    /// The future of a save or a commit alone is dropped while it waits for this call, and its handler goes on.
    LeaveBefore,
    LeaveAfter,
    /// The store answers nobody from here on.
    Down,
}

impl Ending {
    pub(crate) const FAULTS: [Self; 9] = [
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::CutBefore,
        Self::CutAfter,
        Self::DropBefore,
        Self::DropAfter,
        Self::LeaveBefore,
        Self::LeaveAfter,
        Self::Down,
    ];

    /// What a call of this kind cannot be told from its counterpart without an effect: a read leaves nothing behind.
    pub(crate) const fn repeats_another_of(self, kind: Kind) -> bool {
        matches!(kind, Kind::Load) && self.takes_effect() && !matches!(self, Self::Answer)
    }

    /// The future of a save or a commit is dropped, and not that of its request.
    pub(crate) const fn leaves(self) -> bool {
        matches!(self, Self::LeaveBefore | Self::LeaveAfter)
    }

    /// The whole future is dropped.
    pub(crate) const fn drops(self) -> bool {
        matches!(self, Self::DropBefore | Self::DropAfter)
    }

    /// Whether the engine carries out the call.
    const fn takes_effect(self) -> bool {
        matches!(self, Self::Answer | Self::TimeoutAfter | Self::CutAfter | Self::DropAfter | Self::LeaveAfter)
    }
}

/// A call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) kind: Kind,
    pub(crate) id: RecordId,
}

/// What a call did to the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Found,
    Missed,
    Wrote,
    Refused,
}

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) step: usize,
    pub(crate) request: usize,
    pub(crate) kind: Kind,
    pub(crate) id: RecordId,
    pub(crate) effect: Effect,
}

pub(crate) type Records = Vec<(RecordId, Record)>;

/// Clones share their content.
#[derive(Clone)]
pub(crate) struct ScheduledStore {
    held: Arc<Mutex<Held>>,
    clock: ManualClock,
}

#[derive(Default)]
struct Held {
    records: Records,
    /// Whose future is polled; `None` while every call is answered at once.
    polled: Option<usize>,
    step: usize,
    is_down: bool,
    waiting: [Option<Waiting>; WAITERS_MAX],
    granted: [Option<Ending>; WAITERS_MAX],
    log: Vec<Ended>,
    /// Of every record that was handed in.
    sealed: Vec<Seal>,
}

/// Where a nonce stands in what is sealed: behind the version and the key's id.
const NONCE: std::ops::Range<usize> = 9..33;

/// The nonce under which something was sealed, and its authentication tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) nonce: [u8; 24],
    pub(crate) tag: [u8; 16],
}

impl Seal {
    fn of(sealed: &[u8]) -> Self {
        Self { nonce: sealed[NONCE].try_into().unwrap(), tag: *sealed.last_chunk().unwrap() }
    }
}

impl Held {
    fn record(&mut self, id: &RecordId) -> Option<&mut Record> {
        self.records.iter_mut().find(|(found, _)| found == id).map(|(_, record)| record)
    }
}

impl ScheduledStore {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self { held: Arc::default(), clock }
    }

    /// What is kept now.
    pub(crate) fn snapshot(&self) -> Records {
        self.held().records.clone()
    }

    /// Begins again from what was kept; every call is answered at once.
    pub(crate) fn restore(&self, records: &Records) {
        let mut held = self.held();
        held.records.clone_from(records);
        held.polled = None;
        held.step = 0;
        held.is_down = false;
        held.waiting = [None; WAITERS_MAX];
        held.granted = [None; WAITERS_MAX];
        held.log.clear();
        held.sealed.clear();
    }

    /// Calls of this waiter wait, from now until the next.
    pub(crate) fn poll_for(&self, waiter: usize, step: usize) {
        let mut held = self.held();
        held.polled = Some(waiter);
        held.step = step;
    }

    pub(crate) fn answer_at_once(&self) {
        let mut held = self.held();
        held.polled = None;
        held.is_down = false;
    }

    pub(crate) fn grant(&self, waiter: usize, ending: Ending) {
        self.held().granted[waiter] = Some(ending);
    }

    /// The waiter is gone, and with it the call that it waited for.
    pub(crate) fn forget(&self, waiter: usize) {
        let mut held = self.held();
        held.waiting[waiter] = None;
        held.granted[waiter] = None;
    }

    pub(crate) fn waiting(&self, waiter: usize) -> Option<Waiting> {
        self.held().waiting[waiter]
    }

    pub(crate) fn take_sealed(&self) -> Vec<Seal> {
        std::mem::take(&mut self.held().sealed)
    }

    pub(crate) fn take_log(&self) -> Vec<Ended> {
        std::mem::take(&mut self.held().log)
    }

    fn note_seal(&self, record: &Record) {
        self.held().sealed.push(Seal::of(&record.bytes));
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    fn call<'a, T: 'a>(
        &'a self,
        kind: Kind,
        id: &'a RecordId,
        act: impl FnOnce(&mut Held) -> (T, Effect) + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let mut act = Some(act);
        Box::pin(poll_fn(move |_| {
            let mut held = self.held();
            let now = self.clock.now();
            let Some(waiter) = held.polled else {
                held.records.retain(|(_, record)| now < record.expires_at);
                let act = act.take().unwrap();
                return Poll::Ready(Ok(act(&mut held).0));
            };
            if held.is_down {
                held.waiting[waiter] = None;
                held.granted[waiter] = None;
                return Poll::Ready(Err(unavailable()));
            }
            let Some(ending) = held.granted[waiter].take() else {
                held.waiting[waiter] = Some(Waiting { kind, id: *id });
                return Poll::Pending;
            };
            held.waiting[waiter] = None;
            held.records.retain(|(_, record)| now < record.expires_at);
            let outcome = if ending.takes_effect() { Some(act.take().unwrap()(&mut held)) } else { None };
            let effect = outcome.as_ref().map_or(Effect::Nothing, |(_, effect)| *effect);
            let (step, request) = (held.step, waiter % REQUESTS_MAX);
            held.log.push(Ended { step, request, kind, id: *id, effect });
            match (ending, outcome) {
                (Ending::Answer, Some((answer, _))) => Poll::Ready(Ok(answer)),
                (Ending::TimeoutBefore | Ending::TimeoutAfter, _) => {
                    Poll::Ready(Err(StoreError::Timeout { store: "scheduled", waited_milliseconds: 2000 }))
                }
                (ending, _) if ending.drops() || ending.leaves() => Poll::Pending,
                (ending, _) => {
                    held.is_down = ending == Ending::Down;
                    Poll::Ready(Err(unavailable()))
                }
            }
        }))
    }
}

fn unavailable() -> StoreError {
    StoreError::unavailable("scheduled", "cut")
}

impl RecordStore for ScheduledStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.call(Kind::Load, id, |held| match held.record(id) {
            Some(record) => (Some(record.clone()), Effect::Found),
            None => (None, Effect::Missed),
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.note_seal(&record);
        self.call(Kind::Create, id, move |held| {
            if held.record(id).is_some() {
                return (Created::Exists, Effect::Refused);
            }
            held.records.push((*id, record));
            (Created::Created, Effect::Wrote)
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        self.note_seal(&record);
        self.call(Kind::Update, id, move |held| match held.record(id) {
            None => (Updated::Missing, Effect::Refused),
            Some(current) if current.version != expected_version => (Updated::Conflict, Effect::Refused),
            Some(current) => {
                *current = record;
                (Updated::Updated, Effect::Wrote)
            }
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.call(Kind::Touch, id, move |held| match held.record(id) {
            None => (false, Effect::Missed),
            Some(current) => {
                current.expires_at = current.expires_at.max(expires_at);
                (true, Effect::Found)
            }
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.call(Kind::Destroy, id, move |held| {
            held.records.retain(|(found, _)| found != id);
            ((), Effect::Wrote)
        })
    }

    fn is_local(&self) -> bool {
        true
    }

    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        Box::pin(std::future::ready(Ok(0)))
    }
}
