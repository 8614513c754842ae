//! The life of a session: each operation applies once, whatever is lost, timed out or dropped, and what was saved is sent.

use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use pollster::block_on;
use sealed_session::events::{Event, Observer};
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::testing::FaultyStore;
use sealed_session::{CommitError, Placement, ResponseFacts, Session, Timestamp};

use crate::faulty_store::Call;
use crate::support::{LARGE, Site, line, text};

/// Times out once, at its next write.
#[derive(Clone)]
struct TimesOut(FaultyStore, Arc<AtomicU8>);

const NEVER: u8 = 0;
const BEFORE: u8 = 1;
const AFTER: u8 = 2;

impl TimesOut {
    fn write<'a, T: Send + 'a>(&'a self, write: impl FnOnce() -> StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        let timeout = || StoreError::Timeout { store: "test", waited_milliseconds: 1 };
        match self.1.swap(NEVER, Ordering::SeqCst) {
            NEVER => write(),
            BEFORE => Box::pin(async move { Err(timeout()) }),
            _ => {
                let written = write();
                Box::pin(async move {
                    drop(written.await);
                    Err(timeout())
                })
            }
        }
    }
}

impl RecordStore for TimesOut {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.0.load(id)
    }
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.write(|| self.0.create(id, record))
    }
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
        self.write(|| self.0.update(id, record, expected))
    }
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.0.touch(id, expires_at)
    }
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.0.destroy(id)
    }
    fn is_local(&self) -> bool {
        true
    }
    fn sweep(&self, most: usize) -> StoreFuture<'_, usize> {
        self.0.sweep(most)
    }
}

/// What may be done before the session is counted up.
const CHANGES: [fn(&Session); 3] =
    [|_| (), |session| session.regenerate().unwrap(), |session| session.put("cart", &text(LARGE)).unwrap()];

#[test]
fn a_write_that_timed_out_counts_once_when_it_is_tried_again() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (number, change) in CHANGES.into_iter().enumerate() {
            for (cart, when) in [(1, BEFORE), (1, AFTER), (LARGE, BEFORE), (LARGE, AFTER)] {
                let site = Site::new();
                let slow = TimesOut(site.records.clone(), Arc::default());
                let store = site.cookie_only().store(slow.clone()).placement(placement).build().unwrap();
                let mut browser = site.browser();
                browser.put(&store, "cart", text(cart));
                let request = browser.begin(&store);
                let session = request.session();
                change(&session);
                session.increment("visits", 1).unwrap();
                slow.1.store(when, Ordering::SeqCst);
                site.records.take_calls();
                let saved = block_on(session.save());
                let named = format!("{placement:?}, change {number}, cart {cart}, timeout {when}");
                if let Err(error) = saved {
                    assert_eq!(error.status_code(), 503, "{named}");
                    let writes = site.records.take_calls().into_iter().filter(|call| *call != Call::Load).count();
                    assert!(writes <= 1, "a store in trouble is not asked again: {named}");
                }
                browser.receive(&request.commit());
                assert_eq!(browser.get(&store, "visits"), Some(1), "{named}");
                assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0, "{named}");
            }
        }
    }
}

#[test]
fn a_commit_that_timed_out_can_be_called_again() {
    for when in [BEFORE, AFTER] {
        let site = Site::new();
        let slow = TimesOut(site.records.clone(), Arc::default());
        let store = site.cookie_only().store(slow.clone()).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "cart", text(LARGE));
        let request = browser.begin(&store);
        request.session().increment("visits", 1).unwrap();
        slow.1.store(when, Ordering::SeqCst);
        assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
        browser.receive(&request.commit());
        assert_eq!(browser.get(&store, "visits"), Some(1));
        // And after a success there is nothing left to send.
        assert!(request.commit().set_cookies.is_empty());
    }
}

#[test]
fn a_write_that_others_have_followed_counts_once_or_is_a_conflict() {
    for when in [BEFORE, AFTER] {
        for others in [1, 7, 8, 9, 20] {
            let site = Site::new();
            let slow = TimesOut(site.records.clone(), Arc::default());
            let store = site.cookie_only().store(slow.clone()).build().unwrap();
            let mut browser = site.browser();
            browser.put(&store, "cart", text(LARGE));
            let request = browser.begin(&store);
            request.session().increment("visits", 1).unwrap();
            slow.1.store(when, Ordering::SeqCst);
            assert_eq!(block_on(request.session().save()).unwrap_err().status_code(), 503);
            for other in 0..others {
                browser.put(&store, "other", other);
            }
            let named = format!("timeout {when}, {others} others");
            match request.try_commit() {
                Ok(_) => assert_eq!(browser.get(&store, "visits"), Some(1), "{named}"),
                // The record remembers eight writes: whether this one was among the older ones cannot be told.
                Err(failed) => {
                    assert!(matches!(failed.status_code(), 409 | 503), "{named}");
                    assert!(others >= 8, "{named}");
                    assert!(browser.get(&store, "visits").unwrap_or_default() <= 1, "{named}");
                }
            }
        }
    }
}

#[test]
fn a_login_that_timed_out_anywhere_destroys_nothing() {
    for when in [BEFORE, AFTER] {
        // At the first of its two writes, and at the second.
        for calls in [1, 2] {
            let site = Site::new();
            let store = site.with_records().build().unwrap();
            let mut browser = site.browser();
            browser.put(&store, "user", 42);
            browser.put(&store, "cart", text(LARGE));
            let request = browser.begin(&store);
            request.session().regenerate().unwrap();
            site.records.go_down_after(if when == BEFORE { calls - 1 } else { calls });
            if when == AFTER {
                site.records.lose_answers_to(if calls == 1 { Call::Create } else { Call::Update });
            }
            let outcome = request.try_commit();
            site.records.come_up();
            let response = outcome.unwrap_or_else(|_| request.commit());
            browser.receive(&response);
            site.clock.advance_seconds(60);
            assert_eq!(browser.get(&store, "user"), Some(42), "{when}, {calls}");
        }
    }
}

#[test]
fn a_save_that_is_dropped_at_any_moment_counts_once() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (number, change) in CHANGES.into_iter().enumerate() {
            for (cart, polls) in [(1, 1), (1, 2), (1, 3), (LARGE, 1), (LARGE, 2), (LARGE, 3), (LARGE, 4)] {
                let site = Site::new();
                let store = site.with_records().placement(placement).build().unwrap();
                let mut browser = site.browser();
                browser.put(&store, "cart", text(cart));
                site.records.go_slow();
                let request = browser.begin(&store);
                let session = request.session();
                change(&session);
                session.increment("visits", 1).unwrap();
                {
                    let mut save = pin!(session.save());
                    for _ in 0..polls {
                        if save.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                            break;
                        }
                    }
                }
                site.records.take_calls();
                browser.receive(&request.commit());
                assert!(site.records.take_calls().len() <= 6);
                let named = format!("{placement:?}, change {number}, cart {cart}, after {polls} polls");
                assert_eq!(browser.get(&store, "visits"), Some(1), "{named}");
            }
        }
    }
}

#[test]
fn a_save_that_meets_the_commit_of_its_own_request_counts_once() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", 1);
    site.records.go_slow();
    let request = browser.begin(&store);
    let session = request.session();
    session.increment("visits", 1).unwrap();
    let mut save = pin!(session.save());
    assert!(save.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    browser.receive(&request.commit());
    // The commit has written it: whatever the save says, nothing happens twice.
    drop(block_on(save));
    assert_eq!(browser.get(&store, "visits"), Some(1));
}

#[test]
fn a_commit_over_a_store_that_has_to_wait_can_be_waited_for_afterwards() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    site.records.go_slow();
    let request = browser.begin(&store);
    request.session().put("cart", &text(LARGE)).unwrap();
    request.session().increment("visits", 1).unwrap();
    assert!(request.0.commit_now(&ResponseFacts::new(200)).is_err());
    let response = request.commit();
    assert!(line(&response).contains("Max-Age=7200"));
    browser.receive(&response);
    assert_eq!(browser.get(&store, "visits"), Some(1));
    assert_eq!(site.records.snapshot().len(), 1);
}

#[test]
fn a_saved_cookie_goes_out_with_the_error_of_a_commit_that_failed() {
    let site = Site::new();
    let store = site.with_records().record_limit_bytes(20_000).build().unwrap();
    for (is_down, status) in [(true, 503), (false, 500)] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(LARGE));
        let request = browser.begin(&store);
        let session = request.session();
        session.regenerate_and_reset_lifetime().unwrap();
        session.put("user", &42).unwrap();
        block_on(session.save()).unwrap();
        session.put("more", &text(if is_down { 1 } else { 30_000 })).unwrap();
        if is_down {
            site.records.go_down();
        }
        let failed = request.try_commit().unwrap_err();
        site.records.come_up();
        assert_eq!(failed.status_code(), status);
        assert_eq!(failed.commit.cache_control.as_deref(), Some("private, no-cache"));
        assert!(failed.commit.add_vary_cookie);
        browser.receive(&failed.commit);
        site.clock.advance_seconds(60);
        assert_eq!(browser.get(&store, "user"), Some(42), "{status}");
    }
}

#[test]
fn a_save_after_a_commit_that_failed_is_no_success() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    let session = request.session();
    session.put("user", &42).unwrap();
    site.records.go_down();
    assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
    assert!(block_on(session.save()).is_err());
    site.records.come_up();
    // The response has gone out as an error.
    assert!(matches!(block_on(session.save()), Err(CommitError::Abandoned)));
    assert_eq!(browser.get(&store, "user"), None);
}

/// Panics when a session gets a new id.
struct Panics(Mutex<bool>);

impl Observer for Panics {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::Migrated { .. }) && !std::mem::replace(&mut *self.0.lock().unwrap(), true) {
            std::panic::resume_unwind(Box::new("an observer that panics"));
        }
    }
}

#[test]
fn an_observer_that_panics_loses_no_session() {
    let site = Site::new();
    let store = site.with_records().observer(Panics(Mutex::new(false))).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    request.session().regenerate().unwrap();
    let commit = std::panic::AssertUnwindSafe(|| request.try_commit());
    // Caught above us, as servers do, or by the commit itself.
    let response = std::panic::catch_unwind(commit).unwrap_or_else(|_| request.try_commit()).unwrap();
    browser.receive(&response);
    site.clock.advance_seconds(60);
    assert_eq!(browser.get(&store, "user"), Some(42));
}
