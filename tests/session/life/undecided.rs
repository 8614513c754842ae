//! Where nobody can tell whether a record descends from a cookie, a write is a conflict. "Repeat the request" is its advice, so
//! the conflict must end: ten seconds later nothing of the record's last write is on its way, and the session of the cookie goes on
//! under a new id. The record stays as it is.

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
    // The browser goes on with what its cookie shows. The record may be another one's, and is left alone.
    assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "n")), (Some(42), None));
}

/// Whoever has a reference to the record loses nothing to a copy of an older cookie.
#[test]
fn a_copy_of_an_older_cookie_takes_nothing_from_a_record() {
    for gap_seconds in [0, 1, 3] {
        for writes in [0_u64, 5, 8, 12] {
            for wait_seconds in [1, SETTLED_SECONDS, 600] {
                let site = Site::new();
                let manager = site.with_records().build().unwrap();
                let mut browser = site.browser();
                browser.put(&manager, "user", 42);
                let mut copy = browser.clone();
                site.clock.advance_seconds(gap_seconds);
                browser.put(&manager, "step", 1);
                later(&site);
                uploads(&mut browser, &manager);
                for number in 0..writes {
                    later(&site);
                    browser.put(&manager, "n", number);
                }
                site.clock.advance_seconds(wait_seconds);
                uploads(&mut copy, &manager);
                later(&site);
                let case = format!("{gap_seconds} s between, {writes} writes, {wait_seconds} s later");
                assert!(has_photo(&mut browser, &manager), "{case}");
                let found = (browser.get(&manager, "step"), browser.get(&manager, "n"));
                assert_eq!(found, (Some(1), writes.checked_sub(1)), "{case}");
            }
        }
    }
}

/// What a user has read does not go, however many writes of the record the cookie comes after.
#[test]
fn a_record_is_not_merged_with_a_late_cookie_that_it_does_not_descend_from() {
    for writes in [0, 6, 7, 12] {
        for wait_seconds in [3, SETTLED_SECONDS, 60] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = site.browser();
            browser.put(&manager, "user", 42);
            later(&site);
            let [small, upload] = small_and_upload(&browser, &manager, &manager);
            let (upload, small) = (upload.commit(), small.commit());
            browser.receive(&upload);
            for number in 0..writes {
                later(&site);
                browser.put(&manager, "n", number);
            }
            browser.receive(&small);
            site.clock.advance_seconds(wait_seconds);
            uploads(&mut browser, &manager);
            later(&site);
            assert_eq!(browser.get(&manager, "step"), Some(1), "{writes} writes, {wait_seconds} s later");
        }
    }
}

/// Its key has left the ring, or has not come yet.
#[test]
fn a_conflict_ends_over_a_record_that_cannot_be_read() {
    let until = Timestamp::from_unix_seconds(1_895_000_000);
    for store_only in [false, true] {
        let site = Site::new();
        let first = site.with_records().build().unwrap();
        let rotated = site.over(site.rotated()).store(site.records.clone()).build().unwrap();
        let back = match store_only {
            true => site.with_records().placement(Placement::StoreOnly).accept_inline_until(until),
            false => site.with_records(),
        };
        let back = back.build().unwrap();
        let mut browser = site.browser();
        browser.put(&first, "user", 42);
        let lost = browser.begin(&rotated);
        lost.session().put("cart", &text(LARGE)).unwrap();
        lost.commit();
        later(&site);
        assert_eq!(uploads(&mut browser, &back), 409);
        site.clock.advance_seconds(SETTLED_SECONDS);
        assert_eq!(uploads(&mut browser, &back), 200, "{store_only}");
        assert_eq!(browser.get(&back, "user"), Some(42));
    }
}

/// What was taken in the record may be what this request takes.
#[test]
fn a_value_that_is_taken_out_is_a_conflict_for_good() {
    let until = Timestamp::from_unix_seconds(1_895_000_000);
    let site = Site::new();
    let before = site.with_records().build().unwrap();
    let after = site.with_records().placement(Placement::StoreOnly).accept_inline_until(until).build().unwrap();
    let mut browser = site.browser();
    browser.visit(&before, |session| {
        session.put("user", &42).unwrap();
        session.put("otp", &7).unwrap();
    });
    let copy = browser.clone();
    browser.put(&before, "step", 1);
    later(&site);
    browser.put(&after, "n", 1);
    assert_eq!(browser.visit(&after, |session| session.pull::<u64>("otp").unwrap()).0, Some(7));
    site.clock.advance_seconds(SETTLED_SECONDS);
    let request = copy.begin(&after);
    assert_eq!(request.session().pull::<u64>("otp").unwrap(), Some(7));
    assert_eq!(request.try_commit().unwrap_err().status_code(), 409);
}
