//! Behaviour, section 6: what is told, and in which order.

use sealed_session::events::Event;
use sealed_session::{Reason, ResponseFacts, Session};

use crate::support::{COOKIE, LARGE, Site, own_lines, text};

#[test]
fn a_first_write_is_told_as_initiated_refused_and_committed() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("user", &42).unwrap();
    request.commit_with(&ResponseFacts::new(200).cache_control(b"private"));
    let expected = [
        Event::Initiated { id: None },
        Event::Rejected { reason: Reason::Absent },
        Event::Committed { id: session.id().unwrap() },
    ];
    assert_eq!(site.events.take(), expected);
}

#[test]
fn a_login_that_migrates_spills_and_leaves_an_old_key_is_told_in_that_order() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", 1);
    let store = site.over(site.rotated()).store(site.records.clone()).build().unwrap();
    let from = site.opened(&store, &browser).public_id();
    let junk = format!("{COOKIE}=junk; {}", browser.cookie_header());
    site.events.take();
    let pending = store.begin(&sealed_session::RequestFacts::new().cookie_header(junk.as_bytes()));
    let session = pollster::block_on(pending.session()).unwrap();
    session.regenerate_and_reset_lifetime().unwrap();
    session.put("cart", &text(LARGE)).unwrap();
    let to = session.id().unwrap();
    let private = ResponseFacts::new(302).cache_control(b"private");
    assert_eq!(own_lines(&pollster::block_on(pending.commit(&private)).unwrap()).len(), 1);
    let expected = [
        Event::Initiated { id: Some(from) },
        Event::Rejected { reason: Reason::Malformed },
        Event::Migrated { from, to },
        Event::Spilled { id: to },
        Event::Resealed { id: to, from: site.key.id() },
        Event::Committed { id: to },
    ];
    assert_eq!(site.events.take(), expected);
}

/// The names of what is told of this request, after a session was begun with so large a cart.
fn told_of(cart_bytes: usize, wait_seconds: u64, handle: fn(&Session)) -> Vec<String> {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(cart_bytes));
    site.clock.advance_seconds(wait_seconds);
    site.events.take();
    let request = browser.begin(&store);
    handle(&request.session());
    request.commit_with(&ResponseFacts::new(200).cache_control(b"private"));
    site.events.take_names()
}

#[test]
fn each_way_through_a_request_is_told_once() {
    fn read(session: &Session) {
        assert!(!session.is_empty());
    }
    assert_eq!(told_of(1, 0, read), ["Initiated"]);
    assert_eq!(told_of(1, 5000, read), ["Initiated", "Renewed", "Committed"]);
    assert_eq!(told_of(LARGE, 5000, read), ["Initiated", "Renewed", "Committed"]);
    assert_eq!(told_of(1, 0, |session| session.put("a", &1).unwrap()), ["Initiated", "Committed"]);
    assert_eq!(told_of(LARGE, 0, |session| session.put("a", &1).unwrap()), ["Initiated", "Committed"]);
    assert_eq!(
        told_of(1, 0, |session| session.put("cart", &text(LARGE)).unwrap()),
        ["Initiated", "Spilled", "Committed"]
    );
    assert_eq!(told_of(LARGE, 0, |session| session.put("cart", &1).unwrap()), ["Initiated", "Returned", "Committed"]);
    assert_eq!(told_of(LARGE, 0, |session| session.regenerate().unwrap()), ["Initiated", "Migrated", "Committed"]);
    assert_eq!(told_of(LARGE, 0, |session| session.destroy().unwrap()), ["Initiated", "Destroyed", "Committed"]);
    assert_eq!(told_of(1, 0, |session| session.clear().unwrap()), ["Initiated", "Destroyed", "Committed"]);
}

#[test]
fn flash_old_input_and_lifetimes_are_told_as_writes() {
    assert_eq!(told_of(1, 0, |session| session.flash("notice", "saved").unwrap()), ["Initiated", "Committed"]);
    assert_eq!(told_of(LARGE, 0, |session| session.reflash().unwrap()), ["Initiated"]);
    assert_eq!(
        told_of(1, 0, |session| session.remember(std::time::Duration::from_secs(60)).unwrap()),
        ["Initiated", "Committed"]
    );
    assert_eq!(
        told_of(LARGE, 0, |session| {
            session.invalidate().unwrap();
            session.flash("farewell", "bye").unwrap();
        }),
        ["Initiated", "Destroyed", "Committed"]
    );
    assert_eq!(told_of(LARGE, 0, |session| session.invalidate().unwrap()), ["Initiated", "Destroyed", "Committed"]);
    assert_eq!(told_of(1, 0, |session| session.server_only("cart").unwrap()), ["Initiated", "Spilled", "Committed"]);
}

#[test]
fn several_observers_are_told_in_the_order_they_were_added() {
    use std::sync::{Arc, Mutex};
    let told: Arc<Mutex<Vec<u8>>> = Arc::default();
    struct Numbered(u8, Arc<Mutex<Vec<u8>>>);
    impl sealed_session::events::Observer for Numbered {
        fn observe(&self, _: &Event) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    let site = Site::new();
    let observers = |number| Numbered(number, Arc::clone(&told));
    let store = site.cookie_only().observer(observers(1)).observer(observers(2)).build().unwrap();
    site.browser().visit(&store, |_| ());
    assert_eq!(*told.lock().unwrap(), [1, 2, 1, 2]);
}

#[test]
fn an_observer_that_panics_breaks_no_request_and_keeps_nothing_from_the_others() {
    struct Panics;
    impl sealed_session::events::Observer for Panics {
        fn observe(&self, event: &Event) {
            if matches!(event, Event::Migrated { .. }) {
                panic!("an observer's mistake");
            }
        }
    }
    let site = Site::new();
    let heard_after = crate::support::Events::default();
    let store = site.with_records().observer(Panics).observer(heard_after.clone()).build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(cart));
        let from = site.opened(&store, &browser).public_id();
        site.events.take();
        heard_after.take();
        let (to, _) = browser.visit(&store, |session| {
            session.regenerate().unwrap();
            session.put("user", &42).unwrap();
            session.id().unwrap()
        });
        assert_ne!(from, to);
        let told = site.events.take();
        assert_eq!(heard_after.take(), told);
        assert!(
            told.contains(&Event::Migrated { from, to }) && told.contains(&Event::Committed { id: to }),
            "{told:?}"
        );
        assert_eq!(site.opened(&store, &browser).public_id(), to);
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}
