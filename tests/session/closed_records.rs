//! Wire format, section 6: a record that its session has left, and the requests that still hold its reference.

use sealed_session::{Reason, Session, SessionManager};

use crate::browser::Browser;
use crate::support::{LARGE, Site, removes_the_cookie, text};

const REGENERATE_GRACE_SECONDS: u64 = 10;

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
fn a_record_whose_session_returned_to_its_cookie_is_read_and_written_until_the_session_ends() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    // The response with the cookie was lost: the copy is all that the browser has.
    let (_, mut copy) = left(&site, &store, returns);
    site.clock.advance_seconds(3000);
    assert_eq!(copy.get(&store, "user"), Some(42));
    let (_, response) = copy.visit(&store, |session| session.put("step", &1).unwrap());
    assert_eq!(response.set_cookies.len(), 1);
    assert!(!site.opened(&store, &copy).is_reference(), "the answer repairs what was lost");
    assert_eq!((copy.get(&store, "user"), copy.get(&store, "step")), (Some(42), Some(1)));
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
fn a_write_to_a_record_that_a_login_has_left_is_a_conflict() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let writes: [fn(&Session); 3] = [
        |session| session.put("user", &1).unwrap(),
        |session| session.clear().unwrap(),
        |session| session.remember(std::time::Duration::from_secs(60)).unwrap(),
    ];
    for write in writes {
        let (mut browser, mut copy) = left(&site, &store, regenerates);
        let before = site.records.snapshot();
        assert_eq!(copy.visit_in_vain(&store, write).status_code(), 409);
        assert_eq!(site.records.snapshot(), before);
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}

#[test]
fn a_login_through_a_record_that_another_login_has_left_begins_a_session_of_its_own() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (mut first, mut second) = left(&site, &store, regenerates);
    second.visit(&store, |session| {
        session.regenerate_and_reset_lifetime().unwrap();
        session.put("second", &1).unwrap();
    });
    assert_eq!((second.get(&store, "user"), second.get(&store, "second")), (Some(42), Some(1)));
    assert!(!second.visit(&store, |session| session.has("role").unwrap()).0, "what the other login put");
    assert!(first.visit(&store, |session| session.has("role").unwrap()).0);
    assert_ne!(site.opened(&store, &first).public_id(), site.opened(&store, &second).public_id());
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
