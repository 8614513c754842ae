//! Where nobody can tell whether a record descends from a cookie, a write is a conflict. "Repeat the request" is its advice, so
//! the conflict must end: ten seconds later nothing of the record's last write is on its way, and the cookie is what the browser
//! has ended up with.

use sealed_session::testing::ManualClock;
use sealed_session::{Placement, SessionManager, Timestamp};

use super::{inline, later};
use crate::browser::{Browser, Request};
use crate::support::{LARGE, Site, text};

/// Longer than what a write leaves is on its way.
const SETTLED_SECONDS: u64 = 11;

/// A request that writes something small, and one that uploads.
fn small_and_upload(browser: &Browser, small_at: &SessionManager, upload_at: &SessionManager) -> [Request; 2] {
    let [small, upload] = [small_at, upload_at].map(|manager| browser.begin(manager));
    small.session().put("step", &1).unwrap();
    upload.session().put("cart", &text(LARGE)).unwrap();
    [small, upload]
}

/// Uploads with the cookie that the browser has. The status of the response.
fn uploads(browser: &mut Browser, manager: &SessionManager) -> u16 {
    let request = browser.begin(manager);
    request.session().put("photo", &text(LARGE)).unwrap();
    match request.try_commit() {
        Ok(response) => {
            browser.receive(&response);
            200
        }
        Err(failed) => {
            browser.receive(&failed.commit);
            failed.status_code()
        }
    }
}

#[track_caller]
fn has_photo(browser: &mut Browser, manager: &SessionManager) -> bool {
    browser.visit(manager, |session| session.has("photo").unwrap()).0
}

#[test]
fn of_two_cookies_of_one_second_the_last_counts_once_the_record_has_settled() {
    for upload_is_lost in [false, true] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&manager, "user", 42);
        let [small, upload] = small_and_upload(&browser, &manager, &manager);
        let (upload, small) = (upload.commit(), small.commit());
        if !upload_is_lost {
            browser.receive(&upload);
        }
        browser.receive(&small);
        later(&site);
        assert_eq!(uploads(&mut browser, &manager), 409, "an upload that is on its way may still be the last");
        site.clock.advance_seconds(SETTLED_SECONDS);
        for _ in 0..3 {
            assert_eq!(uploads(&mut browser, &manager), 200, "lost: {upload_is_lost}");
            later(&site);
        }
        assert!(has_photo(&mut browser, &manager));
        // Of two cookies the last response counts.
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
        assert!(!browser.visit(&manager, |session| session.has("cart").unwrap()).0);
    }
}

#[test]
fn a_conflict_ends_where_servers_move_sessions_to_the_store() {
    let site = Site::new();
    let until = Timestamp::from_unix_seconds(1_895_000_000);
    let before = site.with_records().build().unwrap();
    let after = site.with_records().placement(Placement::StoreOnly).accept_inline_until(until).build().unwrap();
    let mut browser = site.browser();
    browser.put(&before, "user", 42);
    // Both are small: under `StoreOnly` the one makes a record, and the other stays in its cookie.
    let [at_old, at_new] = [&before, &after].map(|manager| browser.begin(manager));
    at_old.session().put("step", &1).unwrap();
    at_new.session().put("other", &1).unwrap();
    browser.receive(&at_new.commit());
    browser.receive(&at_old.commit());
    site.clock.advance_seconds(SETTLED_SECONDS + 3);
    for _ in 0..3 {
        assert_eq!(uploads(&mut browser, &after), 200);
        later(&site);
    }
    assert!(has_photo(&mut browser, &after));
    assert_eq!((browser.get(&after, "user"), browser.get(&after, "step")), (Some(42), Some(1)));
}

/// What counts as one moment is as long as the clocks differ.
#[test]
fn a_conflict_ends_where_the_clocks_of_two_servers_differ() {
    for (ahead_seconds, pause_seconds) in [(5, 2), (5, 4), (20, 3), (20, 15)] {
        let site = Site::new();
        let clock = ManualClock::at_unix_seconds(site.now().unix_seconds() + ahead_seconds);
        let advance = |seconds| [&site.clock, &clock].iter().for_each(|clock| clock.advance_seconds(seconds));
        let ahead = site.with_records().clock(clock.clone()).build().unwrap();
        let manager = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&ahead, "user", 42);
        advance(pause_seconds);
        let [small, upload] = small_and_upload(&browser, &manager, &ahead);
        browser.receive(&upload.commit());
        browser.receive(&small.commit());
        advance(SETTLED_SECONDS + ahead_seconds);
        assert_eq!(uploads(&mut browser, &manager), 200, "{ahead_seconds} s ahead, {pause_seconds} s later");
        advance(3);
        assert!(has_photo(&mut browser, &manager));
        assert_eq!(browser.get(&manager, "user"), Some(42));
    }
}

/// Its record remembers eight writes, so that it can no longer tell the cookie for one of its own.
#[test]
fn a_conflict_ends_where_a_cookie_is_later_than_many_writes_of_its_record() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = inline(&site, &manager);
    let [small, upload] = small_and_upload(&browser, &manager, &manager);
    browser.receive(&upload.commit());
    later(&site);
    let late = small.commit();
    later(&site);
    for number in 0..9 {
        browser.put(&manager, "n", number);
        later(&site);
    }
    browser.receive(&late);
    site.clock.advance_seconds(SETTLED_SECONDS);
    for _ in 0..3 {
        assert_eq!(uploads(&mut browser, &manager), 200);
        later(&site);
    }
    assert!(has_photo(&mut browser, &manager));
    // The record goes on: it may well be the cookie's own.
    assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "n")), (Some(42), Some(8)));
}
