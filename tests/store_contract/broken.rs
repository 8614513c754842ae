//! The suite finds what is broken: a store with one fault fails the rule that forbids it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread;

use sealed_session::Timestamp;
use sealed_session::store::conformance::reference::ReferenceStore;
use sealed_session::store::conformance::{
    Runner, START_UNIX_SECONDS, create, destroy, expiry, model, parallel, sweep, touch, update, values,
};
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::testing::ManualClock;

/// One thing that an engine may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    ExpiresASecondLate,
    CreateReplaces,
    UpdateIgnoresTheVersion,
    UpdateIsNotAtomic,
    UpdateRevives,
    TouchMovesEarlier,
    TouchSaysYes,
    SecondDestroyFails,
    LoadMixesTwoRecords,
    CutsTrailingZeros,
    CutsAt64KiB,
    KeepsVersionsAsFloats,
    KeepsVersionsSigned,
    ComparesHalfTheId,
    SweepsMoreThanTheLimit,
    SweepsTheLiving,
}

struct Broken {
    inner: ReferenceStore,
    fault: Fault,
    first_id: OnceLock<RecordId>,
}

impl Broken {
    fn id(&self, id: &RecordId) -> RecordId {
        let mut bytes = *id.as_bytes();
        if self.fault == Fault::ComparesHalfTheId {
            bytes[8..].fill(0);
        }
        RecordId::from_bytes(bytes)
    }

    /// The record as the engine keeps it.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "this is the fault"
    )]
    fn kept(&self, mut record: Record) -> Record {
        match self.fault {
            Fault::ExpiresASecondLate => record.expires_at = record.expires_at.saturating_add_seconds(1),
            Fault::CutsTrailingZeros => {
                let end = record.bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                record.bytes.truncate(end);
            }
            Fault::CutsAt64KiB => record.bytes.truncate(65_535),
            Fault::KeepsVersionsAsFloats => record.version = record.version as f64 as u64,
            Fault::KeepsVersionsSigned => record.version = record.version.min(i64::MAX.unsigned_abs()),
            _ => {}
        }
        record
    }

    async fn written(&self, id: RecordId, record: Record, expected: u64) -> Result<Updated, StoreError> {
        let record = self.kept(record);
        match self.fault {
            Fault::UpdateIsNotAtomic => {
                match self.inner.load(&id).await? {
                    None => return Ok(Updated::Missing),
                    Some(current) if current.version != expected => return Ok(Updated::Conflict),
                    Some(_) => thread::yield_now(),
                }
                self.overwritten(id, record).await
            }
            Fault::UpdateIgnoresTheVersion => self.overwritten(id, record).await,
            Fault::UpdateRevives => {
                let updated = self.inner.update(&id, record.clone(), expected).await?;
                if updated == Updated::Missing {
                    let _ = self.inner.create(&id, record).await?;
                }
                Ok(updated)
            }
            _ => self.inner.update(&id, record, expected).await,
        }
    }

    async fn overwritten(&self, id: RecordId, record: Record) -> Result<Updated, StoreError> {
        while let Some(current) = self.inner.load(&id).await? {
            if self.inner.update(&id, record.clone(), current.version).await? == Updated::Updated {
                return Ok(Updated::Updated);
            }
        }
        Ok(Updated::Missing)
    }
}

impl RecordStore for Broken {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let id = self.id(id);
            let mut record = self.inner.load(&id).await?;
            match (self.fault, &mut record) {
                (Fault::ExpiresASecondLate, Some(record)) => {
                    let shown = record.expires_at.unix_seconds().saturating_sub(1);
                    record.expires_at = Timestamp::from_unix_seconds(shown);
                }
                (Fault::LoadMixesTwoRecords, Some(record)) => {
                    thread::yield_now();
                    if let Some(other) = self.inner.load(&id).await? {
                        record.bytes = other.bytes;
                    }
                }
                _ => {}
            }
            Ok(record)
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(async move {
            let (id, record) = (self.id(id), self.kept(record));
            self.first_id.get_or_init(|| id);
            if self.fault == Fault::CreateReplaces {
                self.inner.destroy(&id).await?;
            }
            self.inner.create(&id, record).await
        })
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(self.written(self.id(id), record, expected_version))
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let id = self.id(id);
            match self.fault {
                Fault::TouchMovesEarlier => {
                    let Some(current) = self.inner.load(&id).await? else { return Ok(false) };
                    let moved = Record::new(current.version, expires_at, current.bytes);
                    Ok(self.inner.update(&id, moved, current.version).await? == Updated::Updated)
                }
                Fault::TouchSaysYes => self.inner.touch(&id, expires_at).await.map(|_| true),
                _ => self.inner.touch(&id, expires_at).await,
            }
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let id = self.id(id);
            if self.fault == Fault::SecondDestroyFails && self.inner.load(&id).await?.is_none() {
                return Err(StoreError::other("broken", "there is no such record"));
            }
            self.inner.destroy(&id).await
        })
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            match (self.fault, self.first_id.get()) {
                (Fault::SweepsMoreThanTheLimit, _) => Ok(limit.saturating_add(1)),
                (Fault::SweepsTheLiving, Some(id)) => self.inner.destroy(id).await.map(|()| 1),
                _ => self.inner.sweep(limit).await,
            }
        })
    }
}

type Rule = fn(&dyn RecordStore, &ManualClock, &Runner<'_>);

/// A rule that calls one after the other, in the form of the others.
macro_rules! one_by_one {
    ($topic:ident :: $rule:ident) => {
        |store, clock, runner| runner.block_on($topic::$rule(store, clock))
    };
}

const FORBIDDEN_BY: [(Fault, Rule); 18] = [
    (Fault::ExpiresASecondLate, one_by_one!(expiry::a_record_exists_until_the_second_of_its_expiry)),
    (Fault::CreateReplaces, one_by_one!(create::a_taken_id_is_refused_and_its_record_left_alone)),
    (Fault::CreateReplaces, parallel::one_of_many_creates_wins),
    (
        Fault::UpdateIgnoresTheVersion,
        one_by_one!(update::another_version_than_expected_is_a_conflict_and_changes_nothing),
    ),
    (Fault::UpdateIsNotAtomic, parallel::no_increment_is_lost),
    (Fault::UpdateRevives, one_by_one!(update::a_destroyed_record_is_missing_and_stays_absent)),
    (Fault::TouchMovesEarlier, one_by_one!(touch::the_expiry_never_moves_earlier)),
    (Fault::TouchMovesEarlier, model::any_sequence_of_calls_answers_as_a_map_would),
    (Fault::TouchSaysYes, one_by_one!(touch::a_destroyed_record_is_not_touched_back)),
    (Fault::SecondDestroyFails, one_by_one!(destroy::a_second_destroy_is_no_error)),
    (Fault::LoadMixesTwoRecords, parallel::a_load_never_sees_a_record_that_nobody_wrote),
    (Fault::CutsTrailingZeros, one_by_one!(values::every_byte_value_is_kept)),
    (Fault::CutsAt64KiB, values::sizes_around_the_limits_of_engines_are_kept),
    (Fault::KeepsVersionsAsFloats, one_by_one!(values::versions_of_all_64_bits_are_kept_and_compared)),
    (Fault::KeepsVersionsSigned, one_by_one!(values::versions_of_all_64_bits_are_kept_and_compared)),
    (Fault::ComparesHalfTheId, one_by_one!(create::ids_that_differ_in_one_bit_name_different_records)),
    (Fault::SweepsMoreThanTheLimit, one_by_one!(sweep::at_most_the_limit_is_removed)),
    (Fault::SweepsTheLiving, one_by_one!(sweep::a_living_record_is_never_removed)),
];

#[test]
fn every_fault_fails_the_rule_that_forbids_it() {
    for (fault, rule) in FORBIDDEN_BY {
        let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
        let store = Broken { inner: ReferenceStore::new(clock.clone()), fault, first_id: OnceLock::new() };
        let runner = Runner::new(|work| pollster::block_on(work));
        let outcome = catch_unwind(AssertUnwindSafe(|| rule(&store, &clock, &runner)));
        assert!(outcome.is_err(), "{fault:?} was not found");
    }
}
