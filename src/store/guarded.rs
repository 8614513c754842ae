//! A store that is asked with a time limit, and once more when its answer is lost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{Created, Record, RecordStore, StoreFuture, Updated};
use crate::clock::{Timer, Timestamp, within};
use crate::error::StoreError;
use crate::id::RecordId;

/// Any store, with a limit to each call's time.
///
/// A call whose answer is lost (the connection was cut) is repeated once, where that changes nothing: a write is first looked
/// for. One that is late is not repeated: the engine has enough to do.
#[derive(Clone)]
pub(crate) struct GuardedStore {
    store: Arc<dyn RecordStore>,
    limit: Option<(Arc<dyn Timer>, Duration)>,
}

impl GuardedStore {
    pub(crate) fn new(store: Arc<dyn RecordStore>, timer: Option<Arc<dyn Timer>>, timeout: Duration) -> Self {
        Self { store, limit: timer.map(|timer| (timer, timeout)) }
    }

    async fn limited<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let Some((timer, timeout)) = &self.limit else { return call.await };
        within(call, timer.wait(*timeout)).await.unwrap_or_else(|| {
            let waited_milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            Err(StoreError::Timeout { store: "store", waited_milliseconds })
        })
    }

    /// For calls that may be carried out twice.
    async fn repeated<'a, T>(&self, call: impl Fn() -> StoreFuture<'a, T>) -> Result<T, StoreError> {
        match self.limited(call()).await {
            Err(StoreError::Unavailable { .. }) => self.limited(call()).await,
            outcome => outcome,
        }
    }

    /// What stands where a write's answer was lost, as far as it can be told from what it was to write.
    async fn found(&self, id: &RecordId, written: &Record) -> Option<Standing> {
        Some(match self.limited(self.store.load(id)).await.ok()? {
            None => Standing::Nothing,
            Some(found) if found == *written => Standing::Written,
            Some(found) => Standing::Other { version: found.version },
        })
    }
}

/// What a look behind a lost answer shows.
enum Standing {
    Nothing,
    Written,
    Other { version: u64 },
}

impl RecordStore for GuardedStore {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(self.repeated(|| self.store.load(id)))
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(async move {
            let lost = match self.limited(self.store.create(id, record.clone())).await {
                Err(error @ StoreError::Unavailable { .. }) => error,
                outcome => return outcome,
            };
            match self.found(id, &record).await {
                Some(Standing::Written) => Ok(Created::Created),
                Some(Standing::Nothing) => self.limited(self.store.create(id, record)).await,
                // Another's record may stand on ours: whether ours was written is not known any more.
                Some(Standing::Other { .. }) | None => Err(lost),
            }
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let lost = match self.limited(self.store.update(id, record.clone(), expected_version)).await {
                Err(error @ StoreError::Unavailable { .. }) => error,
                outcome => return outcome,
            };
            match self.found(id, &record).await {
                Some(Standing::Written) => Ok(Updated::Updated),
                Some(Standing::Nothing) => Ok(Updated::Missing),
                Some(Standing::Other { version }) if version == expected_version => {
                    self.limited(self.store.update(id, record, expected_version)).await
                }
                // Said to be a conflict, the changes would be made again, on a record that may have them already.
                Some(Standing::Other { .. }) | None => Err(lost),
            }
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(self.repeated(move || self.store.touch(id, expires_at)))
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(self.repeated(|| self.store.destroy(id)))
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.store.sweep(limit)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use pollster::block_on;

    use super::*;

    const ID: RecordId = RecordId::from_bytes([7; 16]);

    /// Answers each call with the next line of a script.
    #[derive(Default)]
    struct Script {
        loads: Mutex<VecDeque<Option<Record>>>,
        creates: Mutex<VecDeque<Option<Created>>>,
        updates: Mutex<VecDeque<Option<Updated>>>,
        touches: Mutex<VecDeque<Option<bool>>>,
    }

    /// `None` in a script is an answer that is lost; a script that has ended is a store that is down.
    fn next<T: Send + 'static>(script: &Mutex<VecDeque<Option<T>>>) -> StoreFuture<'static, T> {
        let answer = script.lock().unwrap().pop_front().flatten();
        Box::pin(async move { answer.ok_or_else(|| StoreError::unavailable("script", "cut")) })
    }

    impl RecordStore for Script {
        fn load<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
            let answer = self.loads.lock().unwrap().pop_front();
            Box::pin(async move { answer.ok_or_else(|| StoreError::unavailable("script", "cut")) })
        }
        fn create<'a>(&'a self, _: &'a RecordId, _: Record) -> StoreFuture<'a, Created> {
            next(&self.creates)
        }
        fn update<'a>(&'a self, _: &'a RecordId, _: Record, _: u64) -> StoreFuture<'a, Updated> {
            next(&self.updates)
        }
        fn touch<'a>(&'a self, _: &'a RecordId, _: Timestamp) -> StoreFuture<'a, bool> {
            next(&self.touches)
        }
        fn destroy<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, ()> {
            Box::pin(async { Ok(()) })
        }
        fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
            Box::pin(async { Ok(0) })
        }
    }

    fn record(version: u64) -> Record {
        Record::new(version, Timestamp::MAX, vec![7])
    }

    fn guarded(script: Script) -> GuardedStore {
        GuardedStore::new(Arc::new(script), None, Duration::ZERO)
    }

    fn updated(loads: Vec<Option<Record>>, updates: Vec<Option<Updated>>) -> Result<Updated, StoreError> {
        let script =
            Script { loads: Mutex::new(loads.into()), updates: Mutex::new(updates.into()), ..Script::default() };
        block_on(guarded(script).update(&ID, record(2), 1))
    }

    fn created(loads: Vec<Option<Record>>, creates: Vec<Option<Created>>) -> Result<Created, StoreError> {
        let script =
            Script { loads: Mutex::new(loads.into()), creates: Mutex::new(creates.into()), ..Script::default() };
        block_on(guarded(script).create(&ID, record(2)))
    }

    #[test]
    fn a_call_that_changes_nothing_twice_is_repeated_once() {
        let touched = |answers: Vec<Option<bool>>| {
            let script = Script { touches: Mutex::new(answers.into()), ..Script::default() };
            block_on(guarded(script).touch(&ID, Timestamp::MAX))
        };
        assert!(touched(vec![None, Some(true)]).unwrap());
        assert!(touched(vec![None, None, Some(true)]).is_err());
    }

    #[test]
    fn a_write_whose_answer_was_lost_is_looked_for() {
        assert_eq!(updated(vec![Some(record(2))], vec![None]).unwrap(), Updated::Updated);
        assert_eq!(created(vec![Some(record(2))], vec![None]).unwrap(), Created::Created);
    }

    #[test]
    fn a_write_that_was_not_carried_out_is_repeated() {
        assert_eq!(updated(vec![Some(record(1))], vec![None, Some(Updated::Updated)]).unwrap(), Updated::Updated);
        assert_eq!(created(vec![None], vec![None, Some(Created::Created)]).unwrap(), Created::Created);
    }

    #[test]
    fn a_record_that_another_wrote_on_top_is_no_conflict_but_not_known() {
        // As a conflict, an increment would be made again on a record that may have it.
        assert!(updated(vec![Some(record(3))], vec![None, Some(Updated::Updated)]).is_err());
        assert!(created(vec![Some(record(3))], vec![None, Some(Created::Created)]).is_err());
        let other_bytes = Record::new(2, Timestamp::MAX, vec![8]);
        assert!(updated(vec![Some(other_bytes)], vec![None]).is_err());
    }

    #[test]
    fn a_record_that_is_gone_behind_a_lost_answer_stays_gone() {
        assert_eq!(updated(vec![None], vec![None, Some(Updated::Updated)]).unwrap(), Updated::Missing);
    }

    #[test]
    fn a_store_that_cannot_be_looked_at_is_down() {
        assert!(updated(vec![], vec![None, Some(Updated::Updated)]).is_err());
        assert!(created(vec![], vec![None, Some(Created::Created)]).is_err());
    }
}
