//! Sweeps, one or many.

use std::num::NonZeroUsize;
use std::time::Duration;

use sealed_session::Timer;
use sealed_session::store::RecordStore;

use crate::failure::Failure;

/// Sweeps once, or again and again with these pauses, until `tell` fails. A failure of the first sweep is the command's own;
/// later ones are told, because what was away comes back.
pub(super) async fn run(
    store: &dyn RecordStore,
    batch: NonZeroUsize,
    every: Option<Duration>,
    timer: &dyn Timer,
    mut tell: impl FnMut(Result<usize, Failure>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    tell(Ok(sweep(store, batch).await?))?;
    let Some(pause) = every else { return Ok(()) };
    loop {
        timer.wait(pause).await;
        tell(sweep(store, batch).await)?;
    }
}

/// Calls until one finds less than it may remove.
async fn sweep(store: &dyn RecordStore, batch: NonZeroUsize) -> Result<usize, Failure> {
    let mut removed = 0_usize;
    loop {
        match store.sweep(batch.get()).await {
            Err(error) if removed == 0 => return Err(Failure::NotDone(error.to_string())),
            Err(error) => {
                return Err(Failure::NotDone(format!("removed {removed} expired records, and not all: {error}")));
            }
            Ok(count) => {
                removed = removed.saturating_add(count);
                if count < batch.get() {
                    return Ok(removed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::ready;
    use std::sync::Mutex;

    use pollster::block_on;
    use sealed_session::store::{Created, Record, RecordId, StoreError, StoreFuture, Updated};
    use sealed_session::{Timestamp, Wait};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(600);

    /// A store that has these answers to sweeps, in their order; `None` is an outage.
    struct Answers(Mutex<VecDeque<Option<usize>>>);

    impl Answers {
        fn of(answers: impl IntoIterator<Item = Option<usize>>) -> Self {
            Self(Mutex::new(answers.into_iter().collect()))
        }
    }

    fn away<'a, T>() -> StoreFuture<'a, T> {
        Box::pin(async { Err(StoreError::unavailable("answers", "away")) })
    }

    impl RecordStore for Answers {
        fn load<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
            away()
        }

        fn create<'a>(&'a self, _: &'a RecordId, _: Record) -> StoreFuture<'a, Created> {
            away()
        }

        fn update<'a>(&'a self, _: &'a RecordId, _: Record, _: u64) -> StoreFuture<'a, Updated> {
            away()
        }

        fn touch<'a>(&'a self, _: &'a RecordId, _: Timestamp) -> StoreFuture<'a, bool> {
            away()
        }

        fn destroy<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, ()> {
            away()
        }

        fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
            let removed = self.0.lock().unwrap().pop_front().unwrap();
            assert!(removed.is_none_or(|removed| removed <= limit));
            removed.map_or_else(away, |removed| Box::pin(ready(Ok(removed))))
        }
    }

    /// Counts the pauses, and waits for none.
    #[derive(Default)]
    struct Pauses(Mutex<Vec<Duration>>);

    impl Timer for Pauses {
        fn wait(&self, duration: Duration) -> Wait {
            self.0.lock().unwrap().push(duration);
            Box::pin(ready(()))
        }
    }

    /// What is told of sweeps in batches of ten, until so much was told; and the outcome.
    fn told_of(
        answers: &[Option<usize>],
        every: Option<Duration>,
        enough: usize,
    ) -> (Vec<Result<usize, String>>, Result<(), String>, usize) {
        let (store, pauses, mut told) = (Answers::of(answers.to_vec()), Pauses::default(), Vec::new());
        let tell = |outcome: Result<usize, Failure>| {
            told.push(outcome.map_err(|failure| failure.problem()));
            if told.len() < enough { Ok(()) } else { Err(Failure::ReaderGone) }
        };
        let batch = NonZeroUsize::new(10).unwrap();
        let outcome = block_on(run(&store, batch, every, &pauses, tell)).map_err(|failure| failure.problem());
        assert!(store.0.lock().unwrap().is_empty(), "it did not ask as often as it should");
        let pauses = pauses.0.into_inner().unwrap();
        assert!(pauses.iter().all(|pause| Some(*pause) == every));
        (told, outcome, pauses.len())
    }

    #[test]
    fn without_a_pause_there_is_one_sweep() {
        assert_eq!(told_of(&[Some(3)], None, 9), (vec![Ok(3)], Ok(()), 0));
    }

    #[test]
    fn a_sweep_goes_on_while_its_batches_are_full() {
        assert_eq!(told_of(&[Some(10), Some(10), Some(0)], None, 9), (vec![Ok(20)], Ok(()), 0));
    }

    #[test]
    fn with_a_pause_it_sweeps_until_nobody_is_told() {
        let (told, outcome, pauses) = told_of(&[Some(3), Some(10), Some(1), Some(0)], Some(PAUSE), 3);
        assert_eq!((told, pauses), (vec![Ok(3), Ok(11), Ok(0)], 2));
        assert!(outcome.is_err());
    }

    #[test]
    fn a_first_sweep_that_fails_ends_the_command() {
        for every in [None, Some(PAUSE)] {
            let (told, outcome, pauses) = told_of(&[None], every, 9);
            assert_eq!((told, pauses), (Vec::new(), 0));
            assert!(outcome.unwrap_err().contains("away"));
        }
    }

    #[test]
    fn a_later_sweep_that_fails_is_told_and_the_next_one_comes() {
        let (told, _, pauses) = told_of(&[Some(3), None, Some(4)], Some(PAUSE), 3);
        assert!(matches!(&told[..], [Ok(3), Err(problem), Ok(4)] if problem.contains("away")), "{told:?}");
        assert_eq!(pauses, 2);
    }

    #[test]
    fn what_was_removed_before_a_failure_is_told() {
        let (told, outcome, _) = told_of(&[Some(10), Some(10), None], None, 9);
        assert_eq!(told, []);
        let problem = outcome.unwrap_err();
        assert!(problem.contains("removed 20 expired records, and not all: ") && problem.contains("away"), "{problem}");
    }
}
