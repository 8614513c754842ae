use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use super::RecordStore;
use crate::clock::Timer;
use crate::error::StoreError;
use crate::events::{Event, Observer, Observers};
use crate::limits;

/// Removes expired records from a store again and again: for the stores whose engine does not do so by itself, which are the
/// memory store, the file store and the SQL store among this crate's own.
///
/// An expired record exists for no call, swept or not; what sweeping frees is its room. Several processes may sweep one
/// store. A sweep that fails is told to the observers, and the next one comes at its time.
///
/// On a thread of its own, without any runtime:
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use std::time::Duration;
/// use sealed_session::store::{MemoryStore, Sweeper};
/// use sealed_session::{SessionManager, Key};
///
/// let records = MemoryStore::new();
/// let manager = SessionManager::builder(Key::generate()?).store(records.clone()).build()?;
/// let sweeper = Sweeper::new(records).interval(Duration::from_secs(60)).start()?;
/// // The service runs.
/// drop(sweeper);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A store whose driver needs its runtime is swept on that: see [`run`](Self::run).
#[must_use = "a sweeper does nothing until `start` or `run`"]
pub struct Sweeper {
    store: Arc<dyn RecordStore>,
    interval: Duration,
    limit: usize,
    observers: Observers,
}

impl Sweeper {
    /// A sweeper of this store, every ten minutes ([`SWEEP_INTERVAL_SECONDS`](limits::SWEEP_INTERVAL_SECONDS)).
    pub fn new(store: impl RecordStore) -> Self {
        Self {
            store: Arc::new(store),
            interval: Duration::from_secs(limits::SWEEP_INTERVAL_SECONDS),
            limit: limits::SWEEP_RECORDS_MAX,
            observers: Observers::default(),
        }
    }

    /// How long it waits between two sweeps; one millisecond at least.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_millis(1)), ..self }
    }

    /// Most records that one call removes; one at least, 10,000 by default
    /// ([`SWEEP_RECORDS_MAX`](limits::SWEEP_RECORDS_MAX)). A sweep makes as many calls as it takes.
    pub fn limit(self, limit: usize) -> Self {
        Self { limit: limit.max(1), ..self }
    }

    /// Is told of sweeps, [`Event::Swept`] and [`Event::SweepFailed`], on the sweeping thread. Several are told in the order
    /// in which they were added.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.add(Arc::new(observer));
        self
    }

    /// Sweeps now and at each interval, on a thread of its own that ends with the handle.
    ///
    /// The thread has no runtime. A store that needs one panics there, which is [`Event::SweepFailed`], or waits for ever: use
    /// [`run`](Self::run) with it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Other`] when there is no thread to be had.
    pub fn start(self) -> Result<SweeperHandle, StoreError> {
        let (alive, ended) = channel::<Infallible>();
        let sweep = move || {
            loop {
                block_on(self.sweep());
                if let Err(RecvTimeoutError::Disconnected) = ended.recv_timeout(self.interval) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("session-sweeper".to_owned()).spawn(sweep);
        thread.map(|_| SweeperHandle { _alive: alive }).map_err(|error| StoreError::other("sweeper", error))
    }

    /// Sweeps now and at each interval, as a task of the application's runtime; ends only with its task.
    ///
    /// With tokio: `tokio::spawn(Sweeper::new(store).run(TokioTimer))`.
    ///
    /// ```
    /// use sealed_session::store::{RecordStore, Sweeper};
    /// use sealed_session::Timer;
    ///
    /// fn spawn_sweeper<S: RecordStore>(store: S, timer: impl Timer, spawn: impl FnOnce(sealed_session::Wait)) {
    ///     spawn(Box::pin(async { drop(Sweeper::new(store).run(timer).await) }));
    /// }
    /// ```
    pub async fn run(self, timer: impl Timer) -> Infallible {
        loop {
            self.sweep().await;
            timer.wait(self.interval).await;
        }
    }

    /// One call. An application's own store may panic, and the next sweep is made all the same.
    async fn call(&self) -> Result<usize, StoreError> {
        let mut call = pin!(async { self.store.sweep(self.limit).await });
        let poll = |context: &mut Context<'_>| {
            catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context)))
                .unwrap_or_else(|_| Poll::Ready(Err(StoreError::other("sweeper", "the store panicked"))))
        };
        poll_fn(poll).await
    }

    /// One sweep: calls until one finds less than it may remove.
    async fn sweep(&self) {
        let mut removed = 0_usize;
        let problem = loop {
            match self.call().await {
                Err(error) => break Some(error.to_string()),
                Ok(count) => {
                    removed = removed.saturating_add(count);
                    if count < self.limit {
                        break None;
                    }
                }
            }
        };
        if removed > 0 {
            self.observers.tell(&Event::Swept { removed });
        }
        if let Some(problem) = problem {
            self.observers.tell(&Event::SweepFailed { problem });
        }
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper").field("interval", &self.interval).field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Keeps the thread of a [`Sweeper`] going; from [`Sweeper::start`].
///
/// When it is dropped the thread ends, behind the sweep that it may be at; nobody waits for that.
#[must_use = "sweeping ends when the handle is dropped"]
pub struct SweeperHandle {
    _alive: Sender<Infallible>,
}

impl fmt::Debug for SweeperHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SweeperHandle").finish_non_exhaustive()
    }
}

/// Waits for the future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            // A wake that came before is not lost: `park` then returns at once.
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests;
