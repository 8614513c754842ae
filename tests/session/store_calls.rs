//! Behaviour, section 7: time limits, lost answers, pauses between tries, and the readiness probe.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sealed_session::events::Event;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreFuture, Updated};
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{KeyRing, RingEntry, SessionManager, SessionManagerBuilder, Timer, Timestamp, Wait};

use crate::browser::Browser;
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

#[test]
fn a_write_whose_answer_alone_was_lost_is_found_and_counts_once() {
    for (call, cart_bytes) in [(Call::Create, 1), (Call::Update, LARGE)] {
        let site = Site::new();
        let store = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "cart", text(cart_bytes));
        site.records.lose_answers_to(call);
        browser.visit(&store, |session| {
            session.put("cart", &text(LARGE)).unwrap();
            session.increment("visits", 1).unwrap();
        });
        site.records.come_up();
        assert_eq!(browser.get(&store, "visits"), Some(1));
    }
}

#[test]
fn a_store_that_answers_no_call_in_time_is_down() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", text(LARGE));
    site.records.go_slow();
    // The wait is over at once, and the answer comes later.
    struct Impatient;
    impl Timer for Impatient {
        fn wait(&self, _: Duration) -> Wait {
            Box::pin(std::future::ready(()))
        }
    }
    let store = site.with_records().timer(Impatient).store_timeout(Duration::from_millis(250)).build().unwrap();
    let error = browser.begin(&store).try_session().unwrap_err();
    assert_eq!(error.to_string(), "the session could not be loaded: store: no answer within 250 ms");
}

#[test]
fn a_store_without_a_timer_is_told_of_unless_it_is_local() {
    struct Remote(FaultyStore);
    impl RecordStore for Remote {
        fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
            self.0.load(id)
        }
        fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
            self.0.create(id, record)
        }
        fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
            self.0.update(id, record, expected)
        }
        fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
            self.0.touch(id, expires_at)
        }
        fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
            self.0.destroy(id)
        }
        fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
            self.0.sweep(limit)
        }
    }
    let site = Site::new();
    let told = |builder: SessionManagerBuilder| {
        site.events.take();
        builder.build().unwrap();
        site.events.take().iter().any(|event| matches!(event, Event::QuestionableSetting { setting: "timer", .. }))
    };
    assert!(told(site.cookie_only().store(Remote(site.records.clone()))));
    assert!(!told(site.with_records()));
}

#[test]
fn tries_that_meet_again_and_again_pause_and_end_after_two_seconds() {
    let site = Site::new();
    let mut browser = site.browser();
    let plain = site.with_records().build().unwrap();
    browser.put(&plain, "cart", text(LARGE));
    let overtaken = Overtaken { records: site.records.clone(), store: plain.clone(), other: browser.clone().into() };
    let timer = Arc::new(Pauses { clock: site.clock.clone(), pauses: Mutex::default() });
    let store = site.cookie_only().store(overtaken).timer(Arc::clone(&timer)).build().unwrap();
    let request = browser.begin(&store);
    request.session().put("mine", &1).unwrap();
    assert_eq!(request.try_commit().unwrap_err().status_code(), 409);
    let pauses = timer.pauses.lock().unwrap().clone();
    assert_eq!(pauses.len(), 4);
    assert!(pauses[0] <= Duration::from_millis(1) && pauses[1] <= Duration::from_millis(2), "{pauses:?}");
    assert_eq!(browser.get(&plain, "visits"), Some(5));
}

#[test]
fn what_is_written_during_a_pause_is_read_after_it_and_not_met_again() {
    struct WritesOnce {
        store: SessionManager,
        other: Mutex<Browser>,
    }
    impl Timer for WritesOnce {
        fn wait(&self, duration: Duration) -> Wait {
            if duration == LIMIT {
                return Box::pin(std::future::pending());
            }
            self.other.lock().unwrap().visit(&self.store, |session| session.increment("visits", 1).unwrap());
            Box::pin(std::future::ready(()))
        }
    }
    let site = Site::new();
    let mut browser = site.browser();
    let plain = site.with_records().build().unwrap();
    browser.put(&plain, "cart", text(LARGE));
    let timer = WritesOnce { store: plain.clone(), other: browser.clone().into() };
    let store = site.with_records().timer(timer).build().unwrap();
    let request = browser.begin(&store);
    request.session().increment("visits", 1).unwrap();
    browser.visit(&plain, |session| session.increment("visits", 1).unwrap());
    request.commit();
    // This request's, the one that it met, and one pause.
    assert_eq!(browser.get(&plain, "visits"), Some(3));
}

/// The time limit of a store call, told from a pause by its length.
const LIMIT: Duration = Duration::from_millis(2000);

/// Moves the clock instead of waiting.
struct Pauses {
    clock: ManualClock,
    pauses: Mutex<Vec<Duration>>,
}

impl Timer for Pauses {
    fn wait(&self, duration: Duration) -> Wait {
        if duration == LIMIT {
            return Box::pin(std::future::pending());
        }
        self.pauses.lock().unwrap().push(duration);
        self.clock.advance_seconds(1);
        Box::pin(std::future::ready(()))
    }
}

/// Has another request write before every update.
struct Overtaken {
    records: FaultyStore,
    store: SessionManager,
    other: Mutex<Browser>,
}

impl RecordStore for Overtaken {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.records.load(id)
    }
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.records.create(id, record)
    }
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
        self.other.lock().unwrap().visit(&self.store, |session| session.increment("visits", 1).unwrap());
        self.records.update(id, record, expected)
    }
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.records.touch(id, expires_at)
    }
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.records.destroy(id)
    }
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.records.sweep(limit)
    }
}

#[test]
fn health_tells_of_the_store_the_keys_and_nothing_else() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let health = pollster::block_on(store.health());
    assert!(health.is_ready() && health.reload_problem.is_none());
    site.records.go_down();
    let health = pollster::block_on(store.health());
    assert!(!health.is_ready() && health.store_problem.is_some() && health.has_sealing_key);

    let ends = RingEntry::new(site.key.clone()).seal_until(site.now());
    let store = site.over(KeyRing::from_entries([ends]).unwrap()).build().unwrap();
    assert!(pollster::block_on(store.health()).is_ready());
    site.clock.advance_seconds(1);
    assert!(!pollster::block_on(store.health()).is_ready());
}
