//! Calls that are answered on another thread.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::BlockingCall;
use crate::error::StoreError;

/// The application's way to threads that may wait.
#[derive(Clone)]
pub(super) struct Offload(Arc<dyn Fn(BlockingCall) + Send + Sync>);

impl Offload {
    pub(super) fn new(offload: impl Fn(BlockingCall) + Send + Sync + 'static) -> Self {
        Self(Arc::new(offload))
    }

    /// Hands the work over and waits for its answer.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let slot = Arc::new(Mutex::new(Slot { answer: None, is_abandoned: false, waker: None }));
        let answering = Answering(Arc::clone(&slot));
        (self.0)(Box::new(move || answering.give(work())));
        let answer = poll_fn(|context| {
            let mut slot = lock(&slot);
            if slot.answer.is_some() || slot.is_abandoned {
                return Poll::Ready(slot.answer.take());
            }
            slot.waker = Some(context.waker().clone());
            Poll::Pending
        });
        answer.await.unwrap_or_else(|| {
            let problem = "a call was dropped before it was answered: its threads have ended, or it panicked";
            Err(StoreError::unavailable("file", problem))
        })
    }
}

struct Slot<T> {
    answer: Option<T>,
    is_abandoned: bool,
    waker: Option<Waker>,
}

/// Held by the work: when it is dropped without an answer, there will be none.
struct Answering<T>(Arc<Mutex<Slot<T>>>);

impl<T> Answering<T> {
    fn give(self, answer: T) {
        lock(&self.0).answer = Some(answer);
    }
}

impl<T> Drop for Answering<T> {
    fn drop(&mut self) {
        let waker = {
            let mut slot = lock(&self.0);
            slot.is_abandoned = true;
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn lock<T>(slot: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    // No code of others runs under the lock, so nothing can be left half-written by a panic.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
