//! Wire format, section 6: a record that its session has left, and the requests that still hold its reference.

use sealed_session::{Event, Reason, Session, SessionManager};

use crate::browser::Browser;
use crate::support::{LARGE, Site, removes_the_cookie, text};

const REGENERATE_GRACE_SECONDS: u64 = 10;
const RETURN_GRACE_SECONDS: u64 = 60;

/// A browser whose session has just left its record in this way, and a copy from before.
fn left(site: &Site, store: &SessionManager, leave: fn(&Session)) -> (Browser, Browser) {
    let mut browser = site.browser();
    browser.put(store, "user", 42);
    browser.put(store, "cart", text(LARGE));
    let copy = browser.clone();
    browser.visit(store, leave);
    site.events.take();
    (browser, copy)
}

fn regenerates(session: &Session) {
    session.regenerate().unwrap();
    session.put("role", "admin").unwrap();
}

fn returns(session: &Session) {
    session.forget("cart").unwrap();
}

#[test]
fn a_regenerated_record_is_readable_for_ten_seconds() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, mut copy) = left(&site, &store, regenerates);
    site.clock.advance_seconds(REGENERATE_GRACE_SECONDS - 1);
    assert_eq!(copy.get(&store, "user"), Some(42));
    site.clock.advance_seconds(1);
    assert_eq!(copy.get(&store, "user"), None);
    assert_eq!(site.events.take_reasons(), [Reason::RecordMissing]);
}

#[test]
fn a_record_whose_session_returned_to_its_cookie_is_readable_for_a_minute() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, mut copy) = left(&site, &store, returns);
    site.clock.advance_seconds(RETURN_GRACE_SECONDS - 1);
    assert_eq!(copy.get(&store, "user"), Some(42));
    site.clock.advance_seconds(1);
    assert_eq!(copy.get(&store, "user"), None);
}

#[test]
fn a_request_with_the_old_id_gains_nothing_of_the_new_session() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, mut copy) = left(&site, &store, regenerates);
    copy.visit(&store, |session| {
        assert!(!session.has("role").unwrap());
        assert!(session.has("cart").unwrap());
    });
}

#[test]
fn a_request_with_the_old_reference_reads_what_is_in_the_cookie_now() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, mut copy) = left(&site, &store, returns);
    assert!(!copy.visit(&store, |session| session.has("cart").unwrap()).0);
}

#[test]
fn every_write_to_a_closed_record_is_dropped_with_an_event_and_without_a_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let writes: [fn(&Session); 5] = [
        |session| session.put("user", &1).unwrap(),
        |session| session.clear().unwrap(),
        |session| session.regenerate().unwrap(),
        |session| session.regenerate_and_reset_lifetime().unwrap(),
        |session| session.remember(std::time::Duration::from_secs(60)).unwrap(),
    ];
    for leave in [regenerates, returns] {
        for write in writes {
            let (mut browser, mut copy) = left(&site, &store, leave);
            let before = site.records.snapshot();
            let (_, response) = copy.visit(&store, write);
            assert!(response.set_cookies.is_empty());
            assert!(site.events.take().iter().any(|event| matches!(event, Event::WritesDropped { .. })));
            assert_eq!(site.records.snapshot(), before);
            assert_eq!(browser.get(&store, "user"), Some(42));
        }
    }
}

#[test]
fn no_renewal_prolongs_a_closed_record() {
    use sealed_session::Renewal;
    let site = Site::new();
    let store = site.with_records().renewal(Renewal::EveryResponse).build().unwrap();
    let (_, mut copy) = left(&site, &store, regenerates);
    site.clock.advance_seconds(REGENERATE_GRACE_SECONDS - 1);
    assert!(copy.visit(&store, |session| assert!(!session.is_empty())).1.set_cookies.is_empty());
    site.clock.advance_seconds(1);
    assert_eq!(copy.get(&store, "user"), None);
}

#[test]
fn a_touch_by_a_request_that_read_it_open_does_not_prolong_a_closed_record() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, mut copy) = left(&site, &store, regenerates);
    let far = site.now().saturating_add_seconds(100_000);
    site.records.tamper(|records| records.values_mut().for_each(|record| record.expires_at = far));
    site.clock.advance_seconds(REGENERATE_GRACE_SECONDS);
    assert_eq!(copy.get(&store, "user"), None);
}

#[test]
fn a_logout_through_a_closed_record_still_logs_out() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for leave in [regenerates, returns] {
        for log_out in
            [|session: &Session| session.destroy().unwrap(), |session: &Session| session.invalidate().unwrap()]
        {
            let (_, mut copy) = left(&site, &store, leave);
            assert!(removes_the_cookie(&copy.visit(&store, log_out).1));
            assert_eq!(copy.cookie(), None);
        }
    }
}

#[test]
fn tokens_of_the_old_id_verify_while_its_record_is_readable() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    let mut copy = browser.clone();
    browser.visit(&store, regenerates);
    assert!(copy.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_ok());
    assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_err());
}
