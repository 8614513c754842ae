//! A server store whose calls wait for the scheduler: each is answered, or fails, when and how that decides.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use sealed_session::store::{Created, StoreFuture, Updated};
use sealed_session::{Clock as _, ManualClock, Record, RecordId, RecordStore, StoreError, Timestamp};

/// Of one schedule; more than a record remembers writes.
pub(crate) const REQUESTS_MAX: usize = 12;

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
    /// The store answers nobody from here on.
    Down,
}

impl Ending {
    pub(crate) const FAULTS: [Self; 7] = [
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::CutBefore,
        Self::CutAfter,
        Self::DropBefore,
        Self::DropAfter,
        Self::Down,
    ];

    /// Whether the engine carries out the call.
    const fn takes_effect(self) -> bool {
        matches!(self, Self::Answer | Self::TimeoutAfter | Self::CutAfter | Self::DropAfter)
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
    /// The request whose future is polled; `None` while every call is answered at once.
    polled: Option<usize>,
    step: usize,
    is_down: bool,
    waiting: [Option<Waiting>; REQUESTS_MAX],
    granted: [Option<Ending>; REQUESTS_MAX],
    log: Vec<Ended>,
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
        held.waiting = [None; REQUESTS_MAX];
        held.granted = [None; REQUESTS_MAX];
        held.log.clear();
    }

    /// Calls of this request wait, from now until the next.
    pub(crate) fn poll_for(&self, request: usize, step: usize) {
        let mut held = self.held();
        held.polled = Some(request);
        held.step = step;
    }

    pub(crate) fn answer_at_once(&self) {
        let mut held = self.held();
        held.polled = None;
        held.is_down = false;
    }

    pub(crate) fn grant(&self, request: usize, ending: Ending) {
        self.held().granted[request] = Some(ending);
    }

    /// The request is gone, and with it the call that it waited for.
    pub(crate) fn forget(&self, request: usize) {
        let mut held = self.held();
        held.waiting[request] = None;
        held.granted[request] = None;
    }

    pub(crate) fn waiting(&self, request: usize) -> Option<Waiting> {
        self.held().waiting[request]
    }

    pub(crate) fn take_log(&self) -> Vec<Ended> {
        std::mem::take(&mut self.held().log)
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
            let Some(request) = held.polled else {
                held.records.retain(|(_, record)| now < record.expires_at);
                let act = act.take().unwrap();
                return Poll::Ready(Ok(act(&mut held).0));
            };
            if held.is_down {
                held.waiting[request] = None;
                held.granted[request] = None;
                return Poll::Ready(Err(unavailable()));
            }
            let Some(ending) = held.granted[request].take() else {
                held.waiting[request] = Some(Waiting { kind, id: *id });
                return Poll::Pending;
            };
            held.waiting[request] = None;
            held.records.retain(|(_, record)| now < record.expires_at);
            let outcome = if ending.takes_effect() { Some(act.take().unwrap()(&mut held)) } else { None };
            let effect = outcome.as_ref().map_or(Effect::Nothing, |(_, effect)| *effect);
            let step = held.step;
            held.log.push(Ended { step, request, kind, id: *id, effect });
            match (ending, outcome) {
                (Ending::Answer, Some((answer, _))) => Poll::Ready(Ok(answer)),
                (Ending::TimeoutBefore | Ending::TimeoutAfter, _) => {
                    Poll::Ready(Err(StoreError::Timeout { store: "scheduled", waited_milliseconds: 2000 }))
                }
                (Ending::DropBefore | Ending::DropAfter, _) => Poll::Pending,
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
        self.call(Kind::Create, id, move |held| {
            if held.record(id).is_some() {
                return (Created::Exists, Effect::Refused);
            }
            held.records.push((*id, record));
            (Created::Created, Effect::Wrote)
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
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
