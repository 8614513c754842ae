//! What holds after any sequence of edits, forced ones too, while the time goes on.

#![cfg(test)]

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use sealed_session::operator::{KeyState, RingText, RotationSettings};
use sealed_session::{Key, KeyId, RingEntry, Timestamp};

use super::add::add;
use super::edit::Edit;
use super::promote::promote;
use super::remove::remove;
use super::retire::retire;
use crate::failure::Failure;

const ROLLOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
enum Step {
    Add { ahead: u64 },
    Promote { which: usize, ahead: u64 },
    Retire { which: usize, off: Option<i64> },
    Remove { which: usize },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (which, ahead) = (0..6_usize, 0..60_u64);
    prop_oneof![
        ahead.clone().prop_map(|ahead| Step::Add { ahead }),
        (which.clone(), ahead).prop_map(|(which, ahead)| Step::Promote { which, ahead }),
        (which.clone(), proptest::option::of(-40..60_i64)).prop_map(|(which, off)| Step::Retire { which, off }),
        which.prop_map(|which| Step::Remove { which }),
        (0..40_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// Makes a step as the command would: what is refused leaves the ring as it was.
fn take(edit: &mut Edit, step: &Step) -> Result<(), Failure> {
    let before = edit.text.clone();
    let key_ids: Vec<_> = edit.text.ring().key_ids().collect();
    let nth = |which: usize| key_ids[which % key_ids.len()].to_string();
    let now = edit.now;
    let after = |seconds| now.saturating_add_seconds(seconds);
    let outcome = match *step {
        Step::Add { ahead } => {
            let seal_from = after(ahead);
            add(edit, Key::generate().unwrap(), Some(seal_from), ROLLOUT, None)
        }
        Step::Promote { which, ahead } => {
            let (key_id, seal_from) = (nth(which), after(ahead));
            promote(edit, &key_id, Some(seal_from), ROLLOUT)
        }
        Step::Retire { which, off } => {
            let second = |off| now.unix_seconds().checked_add_signed(off).unwrap();
            let end = off.map(|off| Timestamp::from_unix_seconds(second(off)));
            let key_id = nth(which);
            retire(edit, &key_id, end)
        }
        Step::Remove { which } => {
            let key_id = nth(which);
            remove(edit, &key_id, ROLLOUT)
        }
        Step::Wait { seconds } => {
            edit.now = after(seconds);
            Ok(())
        }
    };
    let outcome = outcome.and_then(|()| edit.checked_against(before.ring()).map(|_| ()));
    if outcome.is_err() {
        edit.text = before;
    }
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn some_key_always_seals_and_none_seals_again(
        start in 0..3_u8,
        force in any::<bool>(),
        steps in vec(step(), 1..30),
    ) {
        let now = Timestamp::from_unix_seconds(1_000_000);
        let [first, second, third] = std::array::from_fn(|_| Key::generate().unwrap());
        let mut text = RingText::new(RingEntry::new(first), None).unwrap();
        match start {
            0 => {}
            1 => text.push(RingEntry::new(second).open_only(), None).unwrap(),
            // As written by hand: no key says when its sealing ended.
            _ => {
                text.push(RingEntry::new(second).seal_from(Timestamp::from_unix_seconds(999_900)), None).unwrap();
                text.push(RingEntry::new(third).seal_from(Timestamp::from_unix_seconds(999_950)), None).unwrap();
            }
        }
        let settings = RotationSettings::default().grace(ROLLOUT).longest_lifetime(Duration::from_secs(50));
        let mut edit = Edit { text, settings, now, force, key_id: None, done: Vec::new(), warnings: Vec::new() };
        // The keys that have ended, with the end that they had then.
        let mut ended = BTreeMap::<KeyId, Timestamp>::new();
        for step in steps {
            let _ = take(&mut edit, &step);
            prop_assert!(edit.text.ring().check(edit.now).is_ok(), "nothing seals after {step:?}");
            for status in edit.text.ring().statuses(&edit.settings, edit.now) {
                let can_seal = matches!(status.state, KeyState::Pending | KeyState::Sealing);
                if let Some(end) = ended.get(&status.key_id) {
                    prop_assert!(!can_seal, "{status:?} seals again after {step:?}");
                    prop_assert!(status.seal_until.is_some_and(|until| until <= *end), "{status:?} after {step:?}");
                }
                if let Some(end) = status.seal_until.filter(|_| !can_seal) {
                    ended.insert(status.key_id, end);
                }
            }
        }
    }
}
