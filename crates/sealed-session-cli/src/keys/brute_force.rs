//! The check of the check: on small plans, whatever a server seals in every second, shown to every server in every later
//! second, ends as the closed form says.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::{collection, option};
use sealed_session::sealer::Sealer;
use sealed_session::{Key, KeyId, KeyRing, Lifetimes, Reason, RingEntry, Suite, Timestamp};

use super::logouts::{Cause, Logout, RollOut};

const START: u64 = 1_000_000;
const IDLE: u64 = 6;
const LONGEST: u64 = 14;
/// What a server tolerates of a clock that differs.
const TOLERATED: u64 = 60;

/// Seconds of a small plan.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    rollout: u64,
    skew: u64,
    grace: u64,
}

/// Sealed and refused, from the first second to the last, by the true time; whether sessions of the idle timeout are among them.
type Times = BTreeMap<(bool, KeyId, Cause), (u64, u64, u64, u64, bool)>;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

/// Real sealers with one of the two rings.
struct Site {
    ring: KeyRing,
    sealer: Sealer,
}

impl Site {
    fn new(ring: &KeyRing, grace: u64) -> Self {
        let [idle, absolute] = [IDLE, LONGEST].map(Duration::from_secs);
        let lifetimes = Lifetimes::default().idle_timeout(idle).absolute_timeout(Some(absolute));
        let sealer = Sealer::builder(ring.clone()).lifetimes(lifetimes).key_grace(Duration::from_secs(grace));
        Self { ring: ring.clone(), sealer: sealer.build().unwrap() }
    }

    /// The cookie that a server seals by this clock, and its key.
    fn seal(&self, clock: u64) -> Option<(KeyId, String)> {
        let key_id = self.ring.sealing_key_id(at(clock))?;
        Some((key_id, self.sealer.seal_for(&serde_json::json!({}), Duration::from_secs(LONGEST), at(clock)).unwrap()))
    }

    fn refuses(&self, clock: u64, cookie: &str) -> Option<Reason> {
        self.sealer.open(cookie, at(clock)).err()
    }

    /// Which end of its key's windows refuses a cookie that was issued then.
    fn cause(&self, is_old: bool, reason: Reason, key_id: KeyId, issued: u64, grace: u64) -> Cause {
        let mut statuses = self.ring.statuses(self.sealer.rotation_settings(), at(START));
        let status = statuses.find(|status| status.key_id == key_id);
        let begins = status.as_ref().and_then(|status| status.seal_from);
        let ends = status.as_ref().and_then(|status| status.seal_until);
        let (is_early, is_late) = (
            begins.is_some_and(|from| issued + TOLERATED < from.unix_seconds()),
            ends.is_some_and(|until| issued > until.unix_seconds() + grace),
        );
        match (reason, is_old) {
            (Reason::UnknownKey, true) => Cause::NotLoaded,
            (Reason::UnknownKey, false) => Cause::TakenOut,
            (Reason::KeyRetired, true) if is_early => Cause::BeginsTooEarly,
            (Reason::KeyRetired, true) => Cause::EndsTooLate,
            (Reason::KeyRetired, false) if is_early => Cause::BeginsTooLate,
            (Reason::KeyRetired, false) if is_late => Cause::EndsTooEarly,
            (Reason::KeyRetired, false) => Cause::OpensTooShort,
            other => panic!("no rotation causes {other:?}"),
        }
    }
}

/// Every server at every second, with every clock: the ring before the end of the roll-out and the ring since its start.
fn brute_force(old: &KeyRing, new: &KeyRing, clocks: Clocks, until: u64) -> Times {
    let Clocks { rollout, skew, grace } = clocks;
    let sites = [old, new].map(|ring| Site::new(ring, grace));
    let in_use = [0..START + rollout, START..until + LONGEST + 2 * skew];
    let shown = |instant: u64| instant - skew / 2..=instant + skew.div_ceil(2);
    let mut cookies = BTreeMap::<(u64, KeyId), (String, BTreeSet<u64>)>::new();
    let mut add = |key_id, text, instant, clock| {
        cookies.entry((clock, key_id)).or_insert((text, BTreeSet::new())).1.insert(instant);
    };
    for instant in START - LONGEST - 2 * skew..until {
        for clock in shown(instant) {
            for (site, _) in sites.iter().zip(&in_use).filter(|(_, seconds)| seconds.contains(&instant)) {
                site.seal(clock).into_iter().for_each(|(key_id, text)| add(key_id, text, instant, clock));
            }
            // What a key sealed that only opens now: no ring says when.
            for entry in old.entries().filter(|entry| entry.marks().open_only && instant < START && clock < START) {
                let (marks, mut alone) = (entry.marks(), *entry.marks());
                (alone.open_only, alone.open_until) = (false, None);
                let ring = KeyRing::from_entries([entry.clone().with_marks(alone)]).unwrap();
                let is_in = marks.seal_until.is_none_or(|until| at(clock) <= until);
                let sealed = Site::new(&ring, grace).seal(clock).filter(|_| is_in);
                sealed.into_iter().for_each(|(key_id, text)| add(key_id, text, instant, clock));
            }
        }
    }
    let not_before = old.not_before().max(new.not_before()).unwrap_or_default();
    let mut found = Times::new();
    for ((issued, key_id), (text, sealed)) in &cookies {
        let is_meant = at(*issued) < not_before;
        if is_meant && new.not_before() <= old.not_before() {
            continue;
        }
        let without_edit = old.sealing_key_id(at(*issued)) == Some(*key_id)
            || old.entries().any(|entry| {
                let from_on = entry.marks().seal_from.is_none_or(|from| from <= at(*issued));
                let until = entry.marks().seal_until.is_none_or(|until| at(*issued) <= until);
                entry.key_id() == *key_id && entry.marks().open_only && from_on && until && *issued < START
            });
        for (site, is_old) in sites.iter().zip([true, false]) {
            for clock in issued - skew..issued + LONGEST {
                let Some(reason) = site.refuses(clock, text) else { continue };
                // A session that is meant to end is looked at as if that were not so.
                let reason = if reason == Reason::Revoked { continue } else { reason };
                if without_edit && sites[0].refuses(clock, text).is_some_and(|reason| reason != Reason::Revoked) {
                    continue;
                }
                let cause = site.cause(is_old, reason, *key_id, *issued, grace);
                let seconds = &in_use[usize::from(!is_old)];
                let instants = START.max(clock - skew.div_ceil(2))..=clock + skew / 2;
                for instant in instants.filter(|instant| seconds.contains(instant)) {
                    for sealed in sealed.range(..=instant) {
                        let is_idle = clock < issued + IDLE;
                        let new = (*sealed, *sealed, instant, instant, is_idle);
                        let times = found.entry((is_meant, *key_id, cause)).or_insert(new);
                        times.0 = times.0.min(*sealed);
                        times.1 = times.1.max(*sealed);
                        times.2 = times.2.min(instant);
                        times.3 = times.3.max(instant);
                        times.4 |= is_idle;
                    }
                }
            }
        }
    }
    found
}

fn roll_out<'a>(old: &'a KeyRing, new: &'a KeyRing, clocks: Clocks) -> RollOut<'a> {
    let [grace, idle, longest_cookie] = [clocks.grace, IDLE, LONGEST].map(Duration::from_secs);
    RollOut {
        old,
        new,
        start: at(START),
        end: at(START + clocks.rollout),
        skew_seconds: clocks.skew,
        rotation: *Site::new(new, clocks.grace).sealer.rotation_settings(),
        grace,
        idle,
        longest_cookie,
    }
}

/// That both say the same; which groups there are, and whether they are meant to be.
#[track_caller]
fn agreed(old: &KeyRing, new: &KeyRing, clocks: Clocks) -> BTreeSet<(bool, Cause)> {
    let changes = [old, new].into_iter().flat_map(KeyRing::entries).flat_map(|entry| {
        let marks = entry.marks();
        [marks.seal_from, marks.seal_until, marks.open_until].into_iter().flatten()
    });
    let last = changes.map(Timestamp::unix_seconds).max().unwrap_or(START).max(START + clocks.rollout);
    let expected = brute_force(old, new, clocks, last + clocks.grace + 2 * clocks.skew + 2);
    let times = |logout: Logout| {
        let [sealed, until, refused, last] =
            [logout.sealed.first, logout.sealed.last, logout.refused.first, logout.refused.last]
                .map(Timestamp::unix_seconds);
        let group = (logout.is_intended, logout.key_id, logout.cause);
        (group, (sealed, until, refused, last, !logout.is_remembered))
    };
    let found: Times = roll_out(old, new, clocks).logouts().into_iter().map(times).collect();
    assert_eq!(found, expected, "{old:?}\n{new:?}\n{clocks:?}");
    found.into_keys().map(|(is_meant, _, cause)| (is_meant, cause)).collect()
}

#[test]
fn what_the_old_ring_refuses_anyway_is_not_laid_to_the_edit() {
    let keys = keys();
    let ring = |marks: [_; 3]| ring_of(&keys, &marks, None).unwrap();
    let too_short = Some((None, Some(17), Some(20), false));
    let (old, new) = (ring([too_short, from(17), None]), ring([too_short, from(17), from(40)]));
    assert_eq!(agreed(&old, &new, CLOCKS), BTreeSet::new());
    // Who sealed with a key that only opens now, and when, no ring says: any time before.
    let (old, new) = (ring([SEALS, OPENS, None]), ring([SEALS, None, None]));
    assert_eq!(agreed(&old, &new, CLOCKS), BTreeSet::from([(false, Cause::TakenOut)]));
}

#[test]
fn a_group_is_of_remembered_sessions_alone_where_all_of_it_is() {
    let keys = keys();
    let ring = |marks: [_; 3]| ring_of(&keys, &marks, None).unwrap();
    let clocks = Clocks { rollout: 12, skew: 0, grace: 1 };
    // Servers with the old ring take what was sealed in the grace until the end of opening, and nothing of later.
    let old = ring([Some((None, Some(16), Some(24), false)), from(16), None]);
    let new = ring([until(40), from(40), None]);
    assert!(agreed(&old, &new, clocks).contains(&(false, Cause::EndsTooLate)));
}

/// Seconds around the start, and the marks of a key.
type Marks = (Option<u64>, Option<u64>, Option<u64>, bool);

fn marks() -> impl Strategy<Value = Marks> {
    // Further away than servers tolerate, too.
    let from = prop_oneof![8 => 0..30_u64, 1 => 72..90_u64];
    (option::of(from), option::of(10..40_u64), option::weighted(0.3, 20..50_u64), prop::bool::weighted(0.2))
}

/// The ring of these marks, where it is one that a server would load.
fn ring_of(keys: &[Key; 3], marks: &[Option<Marks>], not_before: Option<u64>) -> Option<KeyRing> {
    let around = |seconds: u64| at(START - 15 + seconds);
    let entries = keys.iter().zip(marks).filter_map(|(key, marks)| {
        let (seal_from, seal_until, open_until, open_only) = (*marks)?;
        let entry = RingEntry::new(key.clone());
        let entry = seal_from.map_or(entry.clone(), |seconds| entry.seal_from(around(seconds)));
        let entry = seal_until.map_or(entry.clone(), |seconds| entry.seal_until(around(seconds)));
        let entry = open_until.map_or(entry.clone(), |seconds| entry.open_until(around(seconds)));
        Some(if open_only { entry.open_only() } else { entry })
    });
    let ring = KeyRing::from_entries(entries).ok().filter(|ring| ring.check(at(START)).is_ok())?;
    Some(not_before.map_or(ring.clone(), |seconds| ring.with_not_before(around(seconds))))
}

/// A plan that has one cause, and the new ring that is made of it by what is said to avoid that.
struct Plan {
    cause: Cause,
    clocks: Clocks,
    old: [Option<Marks>; 3],
    new: [Option<Marks>; 3],
    avoided: fn(&Logout, Clocks) -> [Option<Marks>; 3],
}

const SEALS: Option<Marks> = Some((None, None, None, false));
const OPENS: Option<Marks> = Some((None, None, None, true));
const CLOCKS: Clocks = Clocks { rollout: 6, skew: 3, grace: 4 };

const fn from(seconds: u64) -> Option<Marks> {
    Some((Some(seconds), None, None, false))
}

const fn until(seconds: u64) -> Option<Marks> {
    Some((None, Some(seconds), None, false))
}

/// As marks are written here.
fn around(instant: Timestamp) -> u64 {
    instant.unix_seconds() + 15 - START
}

const fn loaded(clocks: Clocks) -> u64 {
    15 + clocks.rollout + clocks.skew
}

const PLANS: [Plan; 7] = [
    Plan {
        cause: Cause::NotLoaded,
        clocks: CLOCKS,
        old: [SEALS, None, None],
        new: [SEALS, from(18), None],
        avoided: |_, clocks| [SEALS, from(loaded(clocks)), None],
    },
    Plan {
        cause: Cause::BeginsTooEarly,
        clocks: Clocks { grace: 9, ..CLOCKS },
        old: [SEALS, from(95), None],
        new: [SEALS, from(16), None],
        avoided: |_, clocks| [SEALS, from(loaded(clocks)), None],
    },
    Plan {
        cause: Cause::EndsTooLate,
        clocks: Clocks { grace: 0, ..CLOCKS },
        old: [until(16), from(16), None],
        new: [until(40), from(40), None],
        avoided: |_, _| [until(16), from(16), None],
    },
    Plan {
        cause: Cause::TakenOut,
        clocks: CLOCKS,
        old: [SEALS, from(10), None],
        new: [None, from(10), None],
        avoided: |logout, _| [Some((None, Some(around(logout.last_issued)), None, true)), from(10), None],
    },
    Plan {
        cause: Cause::BeginsTooLate,
        clocks: CLOCKS,
        old: [SEALS, from(5), None],
        new: [SEALS, from(95), None],
        avoided: |_, _| [SEALS, from(5), None],
    },
    Plan {
        cause: Cause::EndsTooEarly,
        clocks: Clocks { grace: 1, ..CLOCKS },
        old: [SEALS, OPENS, None],
        new: [SEALS, from(15), None],
        avoided: |logout, _| [SEALS, from(around(logout.last_issued)), None],
    },
    Plan {
        cause: Cause::OpensTooShort,
        clocks: CLOCKS,
        old: [SEALS, OPENS, None],
        new: [Some((None, None, Some(24), false)), from(24), None],
        avoided: |logout, _| [Some((None, None, Some(around(logout.refused.end())), false)), from(24), None],
    },
];

fn keys() -> [Key; 3] {
    [(); 3].map(|()| Key::generate_with(Suite::XChaCha).unwrap())
}

#[test]
fn brute_force_agrees_on_each_cause_and_what_avoids_it_does() {
    for Plan { cause, clocks, old, new, avoided } in PLANS {
        let keys = keys();
        let ring = |marks: &[_; 3]| ring_of(&keys, marks, None).unwrap();
        let (old, new) = (ring(&old), ring(&new));
        assert!(agreed(&old, &new, clocks).contains(&(false, cause)), "{cause:?}");
        let logouts = roll_out(&old, &new, clocks).logouts();
        let logout = logouts.iter().find(|logout| logout.cause == cause).unwrap();
        let better = ring(&avoided(logout, clocks));
        for harmless in [&better, &old] {
            assert_eq!(roll_out(&old, harmless, clocks).logouts(), [], "{cause:?}");
        }
    }
}

#[test]
fn brute_force_agrees_on_sessions_that_are_meant_to_end() {
    let keys = keys();
    let ring = |marks: [_; 3], not_before| ring_of(&keys, &marks, not_before).unwrap();
    let (old, taken_out) = (ring([SEALS, None, None], None), [None, SEALS, None]);
    let unwanted = [Cause::NotLoaded, Cause::TakenOut].map(|cause| (false, cause));
    assert_eq!(agreed(&old, &ring(taken_out, None), CLOCKS), BTreeSet::from(unwanted));
    let intended = [Cause::NotLoaded, Cause::TakenOut].map(|cause| (true, cause));
    assert_eq!(agreed(&old, &ring(taken_out, Some(loaded(CLOCKS))), CLOCKS), BTreeSet::from(intended));
    // What servers go on sealing after that instant, nobody wants to end.
    let both: BTreeSet<_> = unwanted.into_iter().chain(intended).collect();
    assert_eq!(agreed(&old, &ring(taken_out, Some(17)), CLOCKS), both);
}

proptest! {
    // The same plans each time, because a case takes a while; more of them are for whoever changes this.
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(8),
        max_shrink_iters: 200,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn brute_force_agrees_on_whatever_edit(
        old in collection::vec(option::weighted(0.7, marks()), 3),
        new in collection::vec(option::weighted(0.7, marks()), 3),
        kept in collection::vec(any::<bool>(), 3),
        not_before in [option::weighted(0.1, 5..30_u64), option::weighted(0.2, 5..30_u64)],
        (rollout, skew, grace) in (0..8_u64, 0..5_u64, 0..8_u64),
    ) {
        let keys = keys();
        let new: Vec<_> = old.iter().zip(&new).zip(kept).map(|((old, new), kept)| if kept { *old } else { *new }).collect();
        let (old, new) = (ring_of(&keys, &old, not_before[0]), ring_of(&keys, &new, not_before[1]));
        prop_assume!(old.is_some() && new.is_some());
        agreed(&old.unwrap(), &new.unwrap(), Clocks { rollout, skew, grace });
    }
}
