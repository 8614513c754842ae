//! The thread that watches a source: when it reads, and when it ends. It tells the tests by channels, so that they wait for
//! what is to happen and not for a time to pass.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::clock::Timestamp;
use crate::events::{Event, Observer};
use crate::key::{Key, RingHandle};
use crate::seal::Sealer;

/// Longer than a test may last: no regular reading comes.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
/// Until then what is to happen has happened on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells of each reading, and by its end that it was dropped.
struct Told {
    ring: Arc<Mutex<KeyRing>>,
    readings: Mutex<Sender<()>>,
}

impl KeySource for Told {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        // The test may look away by now.
        let _ = self.readings.lock().unwrap().send(());
        Ok(self.ring.lock().unwrap().clone())
    }
}

struct Replaced(Mutex<Sender<()>>);

impl Observer for Replaced {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::RingReplaced { .. }) {
            let _ = self.0.lock().unwrap().send(());
        }
    }
}

struct Watched {
    handle: RingHandle,
    source: Arc<Mutex<KeyRing>>,
    readings: Receiver<()>,
    replaced: Receiver<()>,
}

impl Watched {
    fn start(interval: Duration) -> Self {
        let source = Arc::new(Mutex::new(ring()));
        let ((reading, readings), (replacing, replaced)) = (channel(), channel());
        let told = Told { ring: Arc::clone(&source), readings: Mutex::new(reading) };
        let handle = KeyWatch::new(told).interval(interval).observer(Replaced(Mutex::new(replacing))).start().unwrap();
        readings.recv_timeout(PATIENCE).unwrap();
        Self { handle, source, readings, replaced }
    }

    /// A cookie of a key that the ring does not have.
    fn meet_an_unknown_key(&self) {
        let now = Timestamp::from_unix_seconds(1_795_000_000);
        let text =
            Sealer::builder(Key::generate().unwrap()).build().unwrap().seal(&serde_json::json!({}), now).unwrap();
        let sealer = Sealer::builder(self.handle.clone()).build().unwrap();
        for _ in 0..500 {
            assert_eq!(sealer.open(&text, now).unwrap_err(), crate::error::Reason::UnknownKey);
        }
    }

    /// Drops the handle, and counts the readings that nobody has waited for when the source is dropped, too.
    fn end(self) -> usize {
        drop(self.handle);
        let mut readings = 0;
        loop {
            match self.readings.recv_timeout(PATIENCE) {
                Ok(()) => readings += 1,
                Err(error) => {
                    assert_eq!(error, std::sync::mpsc::RecvTimeoutError::Disconnected, "the thread goes on");
                    return readings;
                }
            }
        }
    }
}

fn ring() -> KeyRing {
    KeyRing::new(Key::generate().unwrap())
}

#[test]
fn a_ring_that_changes_is_put_in_force_without_anybody_asking() {
    let watched = Watched::start(Duration::ZERO);
    let next = ring();
    *watched.source.lock().unwrap() = next.clone();
    watched.replaced.recv_timeout(PATIENCE).unwrap();
    assert!(*watched.handle.current() == next);
}

#[test]
fn the_thread_ends_with_the_last_handle_and_lets_go_of_its_source() {
    let watched = Watched::start(NEVER);
    drop(watched.handle.clone());
    assert!(watched.readings.try_recv().is_err_and(|error| error == std::sync::mpsc::TryRecvError::Empty));
    assert_eq!(watched.end(), 0);
}

#[test]
fn a_cookie_of_an_unknown_key_brings_the_next_reading_forward() {
    let watched = Watched::start(NEVER);
    let next = ring();
    *watched.source.lock().unwrap() = next.clone();
    watched.meet_an_unknown_key();
    watched.replaced.recv_timeout(PATIENCE).unwrap();
    assert!(*watched.handle.current() == next);
}

#[test]
fn a_flood_of_unknown_keys_is_one_reading_between_two_regular_ones() {
    let watched = Watched::start(NEVER);
    watched.meet_an_unknown_key();
    watched.readings.recv_timeout(PATIENCE).unwrap();
    assert!(watched.handle.has_asked(), "the next one would be passed on");
    watched.meet_an_unknown_key();
    assert_eq!(watched.end(), 0);
}

#[test]
fn behind_a_regular_reading_an_unknown_key_is_passed_on_again() {
    let watched = Watched::start(Duration::ZERO);
    watched.meet_an_unknown_key();
    while watched.readings.try_recv().is_ok() {}
    // One that was under way, one that is early, and a regular one behind it.
    (0..3).for_each(|_| watched.readings.recv_timeout(PATIENCE).unwrap());
    assert!(!watched.handle.has_asked());
}

#[test]
fn a_ring_that_was_read_early_and_once_more_opens_no_door_to_a_second_early_reading() {
    let watched = Watched::start(NEVER);
    *watched.source.lock().unwrap() = ring();
    watched.meet_an_unknown_key();
    watched.replaced.recv_timeout(PATIENCE).unwrap();
    assert!(watched.handle.has_asked(), "the next one would be passed on");
    watched.meet_an_unknown_key();
    // The early reading, and the one that confirmed it.
    assert_eq!(watched.end(), 2);
}

#[test]
fn what_never_changes_is_not_watched() {
    let value = Key::generate().unwrap().to_secret_text().to_string();
    let dropped = Arc::new(());
    let held = Arc::clone(&dropped);
    let source = EnvironmentSource::with_look_up("APP_KEYS", move |_| {
        let _ = &held;
        Some(value.clone().into())
    });
    let _handle = KeyWatch::new(source).start().unwrap();
    assert_eq!(Arc::strong_count(&dropped), 1);
}

#[test]
fn a_watch_does_not_start_without_a_ring_that_seals_now() {
    assert!(matches!(
        KeyWatch::new(ClosureSource::new("nowhere", || Err("no".into()))).start(),
        Err(KeySourceError::Other { .. })
    ));
    let later = crate::key::RingEntry::new(Key::generate().unwrap()).seal_from(Timestamp::MAX);
    let ring = KeyRing::from_entries([later]).unwrap();
    let source = ClosureSource::new("the test", move || Ok(ring.clone()));
    assert!(matches!(KeyWatch::new(source).start(), Err(KeySourceError::Ring { .. })));
}
