//! A store in which one call meets something: its time limit, a request that is dropped, another request.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::testing::{Call, FaultyStore};
use sealed_session::{SessionManagerBuilder, Timer, Timestamp, Wait};

use crate::support::Site;

/// The time limit of a manager, told from a pause by its length.
const LIMIT: Duration = Duration::from_millis(2000);

/// What a call meets.
pub(super) enum Meets {
    /// It gets no answer, and the manager's time limit ends the wait.
    TimeLimit { happened: bool },
    /// It gets no answer for so long that the request is dropped before.
    NoAnswer { happened: bool },
    /// The engine's own time limit.
    EngineTimeout { happened: bool },
    /// What the engine holds is no record.
    Corrupt,
    /// This comes first.
    Meanwhile(Box<dyn FnOnce() + Send>),
}

/// Both kinds of time limits, each before and after the effect of the call.
pub(super) fn time_limits() -> [(fn() -> Meets, bool); 4] {
    [
        (|| Meets::TimeLimit { happened: false }, false),
        (|| Meets::TimeLimit { happened: true }, true),
        (|| Meets::EngineTimeout { happened: false }, false),
        (|| Meets::EngineTimeout { happened: true }, true),
    ]
}

#[derive(Clone)]
pub(super) struct Interrupted(Arc<Inner>);

/// Which calls are meant.
pub(super) type Meant = fn(Call) -> bool;

struct Inner {
    records: FaultyStore,
    next: Mutex<Option<(Meant, Meets)>>,
    /// A call waits for an answer that comes too late.
    is_stuck: AtomicBool,
}

impl Interrupted {
    pub(super) fn new(site: &Site) -> Self {
        Self(Arc::new(Inner { records: site.records.clone(), next: Mutex::default(), is_stuck: AtomicBool::default() }))
    }

    /// Over this store, with the time limit of two seconds that every manager has.
    pub(super) fn under(&self, builder: SessionManagerBuilder) -> SessionManagerBuilder {
        builder.store(self.clone()).timer(self.clone()).store_timeout(LIMIT)
    }

    /// The next call for which `is_meant` holds meets this, and no other call.
    pub(super) fn at_next(&self, is_meant: Meant, meets: Meets) {
        *self.0.next.lock().unwrap() = Some((is_meant, meets));
    }

    /// Whether what was planned has come.
    pub(super) fn has_met(&self) -> bool {
        self.0.next.lock().unwrap().is_none()
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        act: impl FnOnce(&'a FaultyStore) -> StoreFuture<'a, T> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let inner = &*self.0;
            inner.is_stuck.store(false, Ordering::SeqCst);
            let meets = inner.next.lock().unwrap().take_if(|(is_meant, _)| is_meant(call)).map(|(_, meets)| meets);
            match meets {
                None => act(&inner.records).await,
                Some(Meets::Meanwhile(first)) => {
                    first();
                    act(&inner.records).await
                }
                Some(Meets::Corrupt) => {
                    Err(StoreError::Corrupt { store: "interrupted", problem: "damaged on demand".to_owned() })
                }
                Some(Meets::EngineTimeout { happened }) => {
                    if happened {
                        act(&inner.records).await?;
                    }
                    Err(StoreError::Timeout { store: "interrupted", waited_milliseconds: 2000 })
                }
                Some(Meets::TimeLimit { happened }) => {
                    if happened {
                        act(&inner.records).await?;
                    }
                    inner.is_stuck.store(true, Ordering::SeqCst);
                    poll_fn(|context| {
                        context.waker().wake_by_ref();
                        Poll::Pending
                    })
                    .await
                }
                Some(Meets::NoAnswer { happened }) => {
                    if happened {
                        act(&inner.records).await?;
                    }
                    pending().await
                }
            }
        })
    }
}

/// Every call that changes what is stored.
pub(super) fn writes(call: Call) -> bool {
    !matches!(call, Call::Load)
}

pub(super) fn creates(call: Call) -> bool {
    call == Call::Create
}

pub(super) fn updates(call: Call) -> bool {
    call == Call::Update
}

/// The time is up as soon as a call gets no answer, and a pause is over at once.
impl Timer for Interrupted {
    fn wait(&self, duration: Duration) -> Wait {
        let inner = Arc::clone(&self.0);
        Box::pin(poll_fn(move |_| {
            if duration < LIMIT || inner.is_stuck.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}

impl RecordStore for Interrupted {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.answer(Call::Load, move |records| records.load(id))
    }
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.answer(Call::Create, move |records| records.create(id, record))
    }
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
        self.answer(Call::Update, move |records| records.update(id, record, expected))
    }
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.answer(Call::Touch, move |records| records.touch(id, expires_at))
    }
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.answer(Call::Destroy, move |records| records.destroy(id))
    }
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.0.records.sweep(limit)
    }
}

/// Polls a future once and drops it, as a server does with a request whose client has left.
#[track_caller]
pub(super) fn give_up(future: impl Future) {
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it has finished");
}
