//! A store in which one call meets something: its time limit, a request that is dropped, another request.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pollster::block_on;
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
    /// The same, and the engine carries the call out after all, as soon as so many more have come.
    Late { calls: usize },
    /// The connection is cut.
    Cut { happened: bool },
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

/// What a call does after all.
type Late = Box<dyn FnOnce() + Send>;

struct Inner {
    records: FaultyStore,
    next: Mutex<Option<(Meant, Meets)>>,
    /// What the engine carries out when so many more calls have come.
    late: Mutex<Vec<(usize, Late)>>,
    /// Other tasks run before each call takes effect, and after it.
    is_slow: AtomicBool,
    /// A call waits for an answer that comes too late.
    is_stuck: AtomicBool,
}

impl Interrupted {
    pub(super) fn new(site: &Site) -> Self {
        Self(Arc::new(Inner {
            records: site.records.clone(),
            next: Mutex::default(),
            late: Mutex::default(),
            is_slow: AtomicBool::default(),
            is_stuck: AtomicBool::default(),
        }))
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

    /// From now on other tasks run before each call takes effect, and after it; or no longer.
    pub(super) fn go_slow(&self, is_slow: bool) {
        self.0.is_slow.store(is_slow, Ordering::SeqCst);
    }

    /// The engine carries out all that is late.
    pub(super) fn catch_up(&self) {
        self.let_late_happen(usize::MAX);
    }

    fn let_late_happen(&self, calls: usize) {
        let due: Vec<_> = {
            let mut late = self.0.late.lock().unwrap();
            late.iter_mut().for_each(|(left, _)| *left = left.saturating_sub(calls));
            late.extract_if(.., |(left, _)| *left == 0).collect()
        };
        due.into_iter().for_each(|(_, act)| act());
    }

    fn answer<'a, T: Send + 'static>(
        &'a self,
        call: Call,
        act: impl FnOnce(FaultyStore) -> StoreFuture<'static, T> + Send + 'static,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let inner = &*self.0;
            inner.is_stuck.store(false, Ordering::SeqCst);
            let meets = inner.next.lock().unwrap().take_if(|(is_meant, _)| is_meant(call)).map(|(_, meets)| meets);
            self.moment().await;
            self.let_late_happen(1);
            let records = inner.records.clone();
            match meets {
                None => {
                    let answer = act(records).await;
                    self.moment().await;
                    answer
                }
                Some(Meets::Meanwhile(first)) => {
                    first();
                    act(records).await
                }
                Some(Meets::Corrupt) => {
                    Err(StoreError::Corrupt { store: "interrupted", problem: "damaged on demand".to_owned() })
                }
                Some(Meets::Late { calls }) => {
                    let act = move || drop(block_on(act(records)));
                    inner.late.lock().unwrap().push((calls, Box::new(act)));
                    Err(timeout())
                }
                Some(Meets::EngineTimeout { happened }) => {
                    if happened {
                        act(records).await?;
                    }
                    Err(timeout())
                }
                Some(Meets::Cut { happened }) => {
                    if happened {
                        act(records).await?;
                    }
                    Err(StoreError::unavailable("interrupted", "cut on demand"))
                }
                Some(Meets::TimeLimit { happened }) => {
                    if happened {
                        act(records).await?;
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
                        act(records).await?;
                    }
                    pending().await
                }
            }
        })
    }

    /// Lets other tasks run, where the store is slow.
    async fn moment(&self) {
        let mut waits = self.0.is_slow.load(Ordering::SeqCst);
        poll_fn(|context| {
            if std::mem::take(&mut waits) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

fn timeout() -> StoreError {
    StoreError::Timeout { store: "interrupted", waited_milliseconds: 2000 }
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
        let id = *id;
        self.answer(Call::Load, move |records| Box::pin(async move { records.load(&id).await }))
    }
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        let id = *id;
        self.answer(Call::Create, move |records| Box::pin(async move { records.create(&id, record).await }))
    }
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
        let id = *id;
        self.answer(Call::Update, move |records| Box::pin(async move { records.update(&id, record, expected).await }))
    }
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        let id = *id;
        self.answer(Call::Touch, move |records| Box::pin(async move { records.touch(&id, expires_at).await }))
    }
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        let id = *id;
        self.answer(Call::Destroy, move |records| Box::pin(async move { records.destroy(&id).await }))
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

/// Polls a future so many times; `None` while it has not finished.
pub(super) fn poll_times<F: Future>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    })
}

/// Polls two futures in turns until both have finished.
#[track_caller]
pub(super) fn in_turns<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    const TURNS_MAX: usize = 10_000;
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    for _ in 0..TURNS_MAX {
        first = first.or_else(|| poll_times(one.as_mut(), 1));
        second = second.or_else(|| poll_times(other.as_mut(), 1));
        if first.is_some() && second.is_some() {
            break;
        }
    }
    (first.unwrap(), second.unwrap())
}
