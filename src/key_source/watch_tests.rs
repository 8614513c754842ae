//! When a watched ring is replaced, and when it is not: each reading by itself, without the thread.

use std::sync::{Arc, Mutex};

use super::watch::Reloader;
use super::*;
use crate::clock::{ManualClock, Timestamp};
use crate::events::{Event, Observer};
use crate::key::{Key, RingEntry, RingHandle};

const NOW: u64 = 1_795_000_000;

/// A ring and its source, read when the test says so.
struct Watched {
    ring: RingHandle,
    reloader: Reloader,
    source: Arc<Mutex<Result<KeyRing, &'static str>>>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Watched {
    fn new(ring: KeyRing) -> Self {
        let source = Arc::new(Mutex::new(Ok(ring.clone())));
        let events = Arc::new(Mutex::new(Vec::new()));
        let (read, told) = (Arc::clone(&source), Arc::clone(&events));
        let watch = KeyWatch::new(ClosureSource::new("the test", move || {
            let held = read.lock().unwrap().clone();
            assert!(!matches!(held, Err("panic")), "a source that panics");
            held.map_err(Into::into)
        }));
        let watch = watch.clock(ManualClock::at_unix_seconds(NOW)).observer(Told(told));
        Self { ring: ring.into(), reloader: Reloader::new(watch), source, events }
    }

    /// The source holds this from now on.
    fn hold(&self, held: Result<&KeyRing, &'static str>) {
        *self.source.lock().unwrap() = held.cloned();
    }

    /// One reading, and what it told.
    fn read(&mut self) -> Vec<Event> {
        self.reloader.poll(&self.ring);
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn has(&self, ring: &KeyRing) -> bool {
        *self.ring.current() == *ring
    }
}

/// Keeps what it is told.
struct Told(Arc<Mutex<Vec<Event>>>);

impl Observer for Told {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct Panicking;

impl Observer for Panicking {
    fn observe(&self, _: &Event) {
        panic!("an observer that panics");
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn ring() -> KeyRing {
    KeyRing::new(Key::generate().unwrap())
}

fn replaced(ring: &KeyRing) -> Event {
    Event::RingReplaced { key_ids: ring.key_ids().collect() }
}

fn failed(problem: &str) -> Event {
    Event::RingReloadFailed { problem: problem.to_owned() }
}

#[test]
fn a_ring_that_has_not_changed_tells_nothing() {
    let first = ring();
    let mut watched = Watched::new(first.clone());
    for _ in 0..3 {
        assert_eq!(watched.read(), []);
    }
    assert!(watched.has(&first) && watched.ring.reload_problem().is_none());
}

#[test]
fn a_new_ring_is_put_in_force_by_the_second_reading_that_finds_it() {
    let [first, second] = [ring(), ring()];
    let mut watched = Watched::new(first.clone());
    watched.hold(Ok(&second));
    assert_eq!(watched.read(), []);
    assert!(watched.has(&first));
    assert_eq!(watched.read(), [replaced(&second)]);
    assert!(watched.has(&second));
    assert_eq!(watched.read(), []);
}

#[test]
fn two_readings_that_differ_or_are_not_in_a_row_put_nothing_in_force() {
    let [first, second, third] = [ring(), ring(), ring()];
    let mut watched = Watched::new(first.clone());
    let broken = Err("not whole");
    for held in [Ok(&second), Ok(&third), Ok(&second), Ok(&first), Ok(&second), broken, Ok(&second)] {
        watched.hold(held);
        watched.read();
        assert!(watched.has(&first), "{held:?}");
    }
    assert_eq!(watched.read(), [replaced(&second)]);
}

#[test]
fn a_source_that_fails_leaves_the_ring_and_is_told_once_for_each_problem() {
    let first = ring();
    let mut watched = Watched::new(first.clone());
    watched.hold(Err("no answer"));
    assert_eq!(watched.read(), [failed("the test: no answer")]);
    assert_eq!(watched.read(), []);
    watched.hold(Err("no permission"));
    assert_eq!(watched.read(), [failed("the test: no permission")]);
    assert_eq!(watched.ring.reload_problem().as_deref(), Some("the test: no permission"));
    assert!(watched.has(&first));

    watched.hold(Ok(&first));
    assert_eq!(watched.read(), []);
    assert_eq!(watched.ring.reload_problem(), None);
    watched.hold(Err("no permission"));
    assert_eq!(watched.read(), [failed("the test: no permission")]);
}

#[test]
fn a_ring_in_which_nothing_seals_now_is_refused_and_told_once_for_as_long_as_it_is_there() {
    let first = ring();
    let mut watched = Watched::new(first.clone());
    let later = RingEntry::new(Key::generate().unwrap()).seal_from(at(NOW + 1));
    watched.hold(Ok(&KeyRing::from_entries([later]).unwrap()));
    let mut told = Vec::new();
    for _ in 0..6 {
        told.extend(watched.read());
        assert!(watched.has(&first) && watched.ring.reload_problem().is_some());
    }
    assert!(matches!(told.as_slice(), [Event::RingReloadFailed { .. }]), "{told:?}");
}

#[test]
fn a_source_that_panics_is_a_problem_and_not_the_end_of_the_watch() {
    let [first, second] = [ring(), ring()];
    let mut watched = Watched::new(first.clone());
    watched.hold(Err("panic"));
    assert_eq!(watched.read(), [failed("the source of the keys panicked")]);
    assert_eq!(watched.read(), []);
    assert!(watched.ring.reload_problem().is_some_and(|problem| problem.contains("panicked")));
    assert!(watched.has(&first));
    watched.hold(Ok(&second));
    watched.read();
    assert_eq!(watched.read(), [replaced(&second)]);
    assert_eq!(watched.ring.reload_problem(), None);
}

#[test]
fn an_observer_that_panics_is_no_problem_of_the_watch() {
    let [first, second] = [ring(), ring()];
    let held = Arc::new(Mutex::new(first.clone()));
    let read = Arc::clone(&held);
    let source = ClosureSource::new("the test", move || Ok(read.lock().unwrap().clone()));
    let watch = KeyWatch::new(source).clock(ManualClock::at_unix_seconds(NOW));
    let mut reloader = Reloader::new(watch.observer(Panicking));
    let handle = RingHandle::from(first);
    *held.lock().unwrap() = second.clone();
    reloader.poll(&handle);
    reloader.poll(&handle);
    assert!(*handle.current() == second);
    assert_eq!(handle.reload_problem(), None);
}

#[test]
fn what_a_key_was_used_for_is_counted_on_in_the_ring_that_is_put_in_force() {
    let old = Key::generate().unwrap();
    let mut watched = Watched::new(KeyRing::new(old.clone()));
    watched.ring.begin_counting(at(NOW - 100));
    watched.ring.current().find(&old.id()).unwrap().counts().sealed();
    watched.hold(Ok(&ring().with_open_only(old).unwrap()));
    watched.read();
    watched.read();
    let reports = watched.ring.reports(&crate::key::RotationSettings::default(), at(NOW));
    let counts: Vec<_> = reports.iter().map(|report| (report.sealed, report.counted_since)).collect();
    assert_eq!(counts, [(0, Some(at(NOW))), (1, Some(at(NOW - 100)))]);
}

#[test]
fn a_ring_that_changes_with_every_reading_is_read_soon_once_and_then_as_often_as_ever() {
    let first = ring();
    let mut watched = Watched::new(first.clone());
    watched.hold(Ok(&ring()));
    watched.read();
    assert!(watched.reloader.is_settling);
    for _ in 0..3 {
        watched.hold(Ok(&ring()));
        watched.read();
        assert!(!watched.reloader.is_settling);
    }
    // What stays is then put in force all the same.
    assert_eq!(watched.read().len(), 1);
    assert!(!watched.has(&first));
}
