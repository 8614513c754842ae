use std::collections::VecDeque;
use std::future::{pending, ready};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use super::*;
use crate::clock::{Timestamp, Wait};
use crate::id::RecordId;
use crate::store::{Created, Record, StoreFuture, Updated};

/// Answers sweeps from a script, and with 0 when that has ended; each call tells its limit.
struct Script {
    answers: Mutex<VecDeque<Result<usize, StoreError>>>,
    calls: std::sync::mpsc::SyncSender<usize>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<usize, StoreError>>) -> (Self, Receiver<usize>) {
        let (calls, called) = sync_channel(0x1000);
        (Self { answers: Mutex::new(answers.into_iter().collect()), calls }, called)
    }
}

impl RecordStore for Script {
    fn load<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        unreachable!("a sweeper only sweeps")
    }
    fn create<'a>(&'a self, _: &'a RecordId, _: Record) -> StoreFuture<'a, Created> {
        unreachable!("a sweeper only sweeps")
    }
    fn update<'a>(&'a self, _: &'a RecordId, _: Record, _: u64) -> StoreFuture<'a, Updated> {
        unreachable!("a sweeper only sweeps")
    }
    fn touch<'a>(&'a self, _: &'a RecordId, _: Timestamp) -> StoreFuture<'a, bool> {
        unreachable!("a sweeper only sweeps")
    }
    fn destroy<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, ()> {
        unreachable!("a sweeper only sweeps")
    }
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        // Whoever listened may have gone.
        let _ = self.calls.try_send(limit);
        let answer = self.answers.lock().unwrap().pop_front();
        if matches!(answer, Some(Err(StoreError::Timeout { .. }))) {
            panic!("a store that panics");
        }
        Box::pin(ready(answer.unwrap_or(Ok(0))))
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Observer for Told {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// What one sweep calls and tells.
fn one_sweep(answers: impl IntoIterator<Item = Result<usize, StoreError>>) -> (Vec<usize>, Vec<Event>) {
    let ((store, called), told) = (Script::new(answers), Told::default());
    block_on(Sweeper::new(store).limit(10).observer(told.clone()).sweep());
    (called.try_iter().collect(), told.0.lock().unwrap().clone())
}

#[test]
fn a_backlog_is_removed_in_calls_of_the_limit() {
    assert_eq!(one_sweep([Ok(10), Ok(10), Ok(3)]), (vec![10; 3], vec![Event::Swept { removed: 23 }]));
    assert_eq!(one_sweep([Ok(10), Ok(0)]), (vec![10; 2], vec![Event::Swept { removed: 10 }]));
    assert_eq!(one_sweep([Ok(9)]), (vec![10], vec![Event::Swept { removed: 9 }]));
}

#[test]
fn a_sweep_that_removes_nothing_tells_nothing() {
    assert_eq!(one_sweep([Ok(0)]), (vec![10], vec![]));
}

#[test]
fn a_sweep_that_fails_tells_what_it_removed_before_and_the_problem() {
    let failed = Event::SweepFailed { problem: "script: not reachable: cut".to_owned() };
    let cut = || Err(StoreError::unavailable("script", "cut"));
    assert_eq!(one_sweep([cut()]), (vec![10], vec![failed.clone()]));
    assert_eq!(one_sweep([Ok(10), cut(), Ok(5)]), (vec![10; 2], vec![Event::Swept { removed: 10 }, failed]));
}

#[test]
fn a_limit_of_nothing_is_one_and_an_interval_of_nothing_a_millisecond() {
    let (store, called) = Script::new([Ok(0)]);
    let sweeper = Sweeper::new(store).limit(0).interval(Duration::ZERO);
    assert_eq!(sweeper.interval, Duration::from_millis(1));
    block_on(sweeper.sweep());
    assert_eq!(called.try_iter().collect::<Vec<_>>(), [1]);
}

#[test]
fn the_thread_sweeps_at_once_and_at_each_interval_also_behind_a_failure() {
    let (store, called) = Script::new([Err(StoreError::unavailable("script", "cut"))]);
    let handle = Sweeper::new(store).interval(Duration::from_millis(1)).start().unwrap();
    assert_eq!(called.iter().take(4).count(), 4);
    drop(handle);
}

#[test]
fn the_thread_ends_with_its_handle() {
    let (store, called) = Script::new([]);
    // An interval that nobody waits for: to drop the handle wakes the thread.
    let handle = Sweeper::new(store).interval(Duration::from_secs(1_000_000)).start().unwrap();
    assert!(called.recv().is_ok());
    drop(handle);
    // The thread holds the store, and that the other end of this channel.
    assert!(called.recv().is_err());
}

#[test]
fn a_task_sweeps_before_each_wait_of_the_interval() {
    /// Two waits that are over at once, and one that never is.
    #[derive(Clone, Default)]
    struct ThreeWaits(Arc<Mutex<Vec<Duration>>>);
    impl Timer for ThreeWaits {
        fn wait(&self, duration: Duration) -> Wait {
            let mut waits = self.0.lock().unwrap();
            waits.push(duration);
            if waits.len() < 3 { Box::pin(ready(())) } else { Box::pin(pending()) }
        }
    }
    let ((store, called), timer) = (Script::new([]), ThreeWaits::default());
    let mut running = Box::pin(Sweeper::new(store).interval(Duration::from_secs(7)).run(timer.clone()));
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(called.try_iter().count(), 3);
    assert_eq!(*timer.0.lock().unwrap(), [Duration::from_secs(7); 3]);
}

#[test]
fn a_store_that_answers_from_another_thread_is_waited_for() {
    let (waker, wakers) = sync_channel::<Waker>(1);
    let other = thread::spawn(move || wakers.recv().unwrap().wake());
    let mut has_waited = false;
    let answer = block_on(poll_fn(|context| {
        if has_waited {
            return Poll::Ready(7);
        }
        has_waited = true;
        waker.send(context.waker().clone()).unwrap();
        Poll::Pending
    }));
    assert_eq!(answer, 7);
    other.join().unwrap();
}

#[test]
fn a_store_that_panics_is_a_sweep_that_failed_and_not_the_end_of_the_thread() {
    let panics = || Err(StoreError::Timeout { store: "script", waited_milliseconds: 0 });
    let (store, called) = Script::new([panics(), panics(), Ok(1)]);
    let told = Told::default();
    let sweeper = Sweeper::new(store).interval(Duration::from_millis(1)).observer(told.clone()).start().unwrap();
    for _ in 0..4 {
        called.recv().unwrap();
    }
    drop(sweeper);
    let told = told.0.lock().unwrap();
    let failed =
        |event: &Event| matches!(event, Event::SweepFailed { problem } if problem.contains("the store panicked"));
    assert!(told.iter().take(2).all(failed), "{told:?}");
    assert_eq!(told.get(2), Some(&Event::Swept { removed: 1 }));
}
