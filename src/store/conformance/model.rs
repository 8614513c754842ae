//! The law behind the rules: whatever is called in whatever order, the answers are those of a map.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Runner;
use super::reference::ReferenceStore;
use super::support::{after, fresh_id};
use crate::clock::ManualClock;
use crate::id::RecordId;
use crate::store::{Record, RecordStore};

/// One call, on one of a few ids; times are seconds from the moment of the call.
#[derive(Clone, Debug)]
enum Call {
    Create { id: usize, version: u64, seconds: u64, bytes: Vec<u8> },
    Update { id: usize, version: u64, seconds: u64, bytes: Vec<u8>, expected: u64 },
    Touch { id: usize, seconds: u64 },
    Destroy { id: usize },
    Sweep { limit: usize },
    Wait { seconds: u64 },
}

/// So few ids, versions and seconds that calls meet: conflicts, expiries and taken ids in every sequence.
fn call() -> impl Strategy<Value = Call> {
    let (id, version, seconds, bytes) = (0_usize..3, 0_u64..3, 0_u64..8, vec(any::<u8>(), 0..4));
    let written = (id.clone(), version.clone(), seconds.clone(), bytes);
    prop_oneof![
        3 => written.clone().prop_map(|(id, version, seconds, bytes)| Call::Create { id, version, seconds, bytes }),
        4 => (written, version).prop_map(|((id, version, seconds, bytes), expected)| {
            Call::Update { id, version, seconds, bytes, expected }
        }),
        2 => (id.clone(), seconds).prop_map(|(id, seconds)| Call::Touch { id, seconds }),
        1 => id.prop_map(|id| Call::Destroy { id }),
        1 => (0_usize..4).prop_map(|limit| Call::Sweep { limit }),
        2 => (0_u64..4).prop_map(|seconds| Call::Wait { seconds }),
    ]
}

/// What the store says to the call.
async fn answer(store: &dyn RecordStore, clock: &ManualClock, ids: &[RecordId], call: Call) -> String {
    match call {
        Call::Create { id, version, seconds, bytes } => {
            let record = Record::new(version, after(clock, seconds), bytes);
            format!("{:?}", store.create(&ids[id], record).await.unwrap())
        }
        Call::Update { id, version, seconds, bytes, expected } => {
            let record = Record::new(version, after(clock, seconds), bytes);
            format!("{:?}", store.update(&ids[id], record, expected).await.unwrap())
        }
        Call::Touch { id, seconds } => format!("{:?}", store.touch(&ids[id], after(clock, seconds)).await.unwrap()),
        Call::Destroy { id } => format!("{:?}", store.destroy(&ids[id]).await.unwrap()),
        // How many are left to sweep is the engine's own affair.
        Call::Sweep { limit } => format!("at most the limit: {}", store.sweep(limit).await.unwrap() <= limit),
        Call::Wait { .. } => "waited".to_owned(),
    }
}

async fn compare(store: &dyn RecordStore, clock: &ManualClock, calls: Vec<Call>) {
    let model = ReferenceStore::new(clock.clone());
    let ids = [fresh_id(), fresh_id(), fresh_id()];
    for call in calls {
        if let Call::Wait { seconds } = call {
            clock.advance_seconds(seconds);
        }
        let expected = answer(&model, clock, &ids, call.clone()).await;
        assert_eq!(answer(store, clock, &ids, call).await, expected);
        for id in &ids {
            assert!(store.load(id).await.unwrap() == model.load(id).await.unwrap(), "records differ");
        }
    }
}

pub fn any_sequence_of_calls_answers_as_a_map_would(store: &dyn RecordStore, clock: &ManualClock, runner: &Runner<'_>) {
    let mut cases =
        TestRunner::new(Config { cases: runner.rounds(256), failure_persistence: None, ..Config::default() });
    let outcome = cases.run(&vec(call(), 1..40), |calls| {
        runner.block_on(compare(store, clock, calls));
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}
