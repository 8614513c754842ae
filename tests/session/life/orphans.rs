//! A record is merged with the session of a cookie only if it descends from that cookie: a session never goes back, and
//! nothing counts twice.

use std::sync::{Arc, Mutex};

use sealed_session::testing::ManualClock;
use sealed_session::{Key, KeyRing, Placement, Session};

use super::interrupted::{Interrupted, Meets, creates};
use super::{after, inline, later};
use crate::support::{COOKIE, LARGE, Site, ignore, text};

const ADMIN: u64 = 1;
const USER: u64 = 2;

fn spills(session: &Session) {
    session.put("cart", &text(LARGE)).unwrap();
}

#[test]
fn a_record_that_the_browser_never_took_over_brings_nothing_back() {
    for spills_first in [true, false] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = after(&site, &manager, |session| session.put("role", &ADMIN).unwrap());
        let spilling = browser.begin(&manager);
        spills(&spilling.session());
        let degrading = browser.begin(&manager);
        degrading.session().put("role", &USER).unwrap();
        let (spilled, degraded);
        if spills_first {
            spilled = spilling.commit();
            later(&site);
            degraded = degrading.commit();
        } else {
            degraded = degrading.commit();
            later(&site);
            spilled = spilling.commit();
        }
        browser.receive(&spilled);
        browser.receive(&degraded);
        later(&site);
        assert_eq!(browser.get(&manager, "role"), Some(USER));
        browser.put(&manager, "other", text(LARGE));
        assert_eq!(browser.get(&manager, "role"), Some(USER), "{spills_first}");
    }
}

#[test]
fn a_record_whose_response_was_lost_brings_nothing_back() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("role", &ADMIN).unwrap());
    let lost = browser.begin(&manager);
    spills(&lost.session());
    lost.commit();
    later(&site);
    browser.put(&manager, "role", USER);
    later(&site);
    browser.put(&manager, "other", text(LARGE));
    assert_eq!(browser.get(&manager, "role"), Some(USER));
}

#[test]
fn a_login_takes_nothing_over_from_a_record_whose_response_was_lost() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("role", &ADMIN).unwrap());
    let lost = browser.begin(&manager);
    spills(&lost.session());
    lost.commit();
    later(&site);
    browser.put(&manager, "role", USER);
    later(&site);
    browser.visit(&manager, |session| {
        session.regenerate().unwrap();
        session.put("other", &text(LARGE)).unwrap();
    });
    assert_eq!(browser.get(&manager, "role"), Some(USER));
}

#[test]
fn what_went_into_a_record_whose_response_was_lost_counts_no_second_time() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let counts = |session: &Session| ignore(session.increment("n", 1).unwrap());
    let mut browser = after(&site, &manager, counts);
    let lost = browser.begin(&manager);
    counts(&lost.session());
    spills(&lost.session());
    lost.commit();
    later(&site);
    browser.visit(&manager, counts);
    later(&site);
    browser.visit(&manager, |session| {
        counts(session);
        session.put("other", &text(LARGE)).unwrap();
    });
    assert_eq!(browser.get(&manager, "n"), Some(3));
}

#[test]
fn an_upload_that_is_repeated_after_a_lost_response_goes_into_the_same_record() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("n", &1).unwrap());
    let lost = browser.begin(&manager);
    lost.session().increment("n", 1).unwrap();
    spills(&lost.session());
    lost.commit();
    later(&site);
    browser.visit(&manager, |session| {
        session.increment("n", 1).unwrap();
        session.put("other", &text(LARGE)).unwrap();
    });
    assert_eq!(browser.get(&manager, "n"), Some(3), "each of the two uploads once");
    assert!(browser.visit(&manager, |session| session.has("cart").unwrap() && session.has("other").unwrap()).0);
}

#[test]
fn a_slow_upload_from_before_the_session_spilled_is_added_to_what_is_there() {
    for writes_since in [0, 12] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = after(&site, &manager, |session| session.put("n", &1).unwrap());
        let slow = browser.begin(&manager);
        slow.session().increment("n", 100).unwrap();
        slow.session().put("slow", &text(LARGE)).unwrap();
        browser.put(&manager, "user", 42);
        later(&site);
        browser.visit(&manager, spills);
        for _ in 0..writes_since {
            later(&site);
            browser.visit(&manager, |session| session.increment("n", 1).unwrap());
        }
        later(&site);
        browser.receive(&slow.commit());
        assert_eq!(browser.get(&manager, "user"), Some(42));
        assert_eq!(browser.get(&manager, "n"), Some(101 + writes_since));
        assert!(browser.visit(&manager, |session| session.has("cart").unwrap() && session.has("slow").unwrap()).0);
    }
}

#[test]
fn two_uploads_of_one_page_count_and_are_kept_in_either_order_of_their_responses() {
    for delivers_first_last in [true, false] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = after(&site, &manager, |session| session.put("n", &1).unwrap());
        let uploads = ["first", "second"].map(|name| {
            let request = browser.begin(&manager);
            request.session().increment("n", 1).unwrap();
            request.session().put(name, &text(LARGE)).unwrap();
            request
        });
        later(&site);
        let mut responses = uploads.map(|request| request.commit());
        if delivers_first_last {
            responses.reverse();
        }
        responses.iter().for_each(|response| browser.receive(response));
        later(&site);
        assert_eq!(browser.get(&manager, "n"), Some(3));
        assert!(browser.visit(&manager, |session| session.has("first").unwrap() && session.has("second").unwrap()).0);
    }
}

#[test]
fn an_old_and_empty_cookie_does_not_set_back_what_is_kept_in_the_store_alone() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = after(&site, &manager, |session| drop(session.csrf_token().unwrap()));
    let mut old = browser.clone();
    for _ in 0..2 {
        browser.visit(&manager, |session| session.increment("n", 1).unwrap());
        later(&site);
    }
    old.visit(&manager, |session| session.increment("n", 1).unwrap());
    assert_eq!((old.get(&manager, "n"), browser.get(&manager, "n")), (Some(3), Some(3)));
}

#[test]
fn where_the_order_of_two_cookies_cannot_be_told_a_session_still_does_not_go_back() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("role", &ADMIN).unwrap());
    let lost = browser.begin(&manager);
    spills(&lost.session());
    lost.commit();
    // Within the same second.
    browser.put(&manager, "role", USER);
    let request = browser.begin(&manager);
    request.session().put("other", &text(LARGE)).unwrap();
    match request.try_commit() {
        Ok(response) => browser.receive(&response),
        Err(failed) => assert_eq!(failed.status_code(), 409),
    }
    assert_eq!(browser.get(&manager, "role"), Some(USER));
    // And once time has passed, the session can spill.
    later(&site);
    browser.put(&manager, "step", 1);
    later(&site);
    browser.put(&manager, "other", text(LARGE));
    assert_eq!((browser.get(&manager, "role"), browser.get(&manager, "step")), (Some(USER), Some(1)));
}

#[test]
fn a_record_of_a_server_whose_clock_is_ahead_sets_nothing_back() {
    let cases = [1, 2, 5, 20, 50].into_iter().flat_map(|ahead| [1, 3, 10, 30].map(|pause| (ahead, pause)));
    for (ahead_seconds, pause_seconds) in cases {
        for ends_ahead in [false, true] {
            let site = Site::new();
            let clock = ManualClock::at_unix_seconds(site.now().unix_seconds() + ahead_seconds);
            let advance = |seconds| [&site.clock, &clock].iter().for_each(|clock| clock.advance_seconds(seconds));
            let ahead = site.with_records().clock(clock.clone()).build().unwrap();
            let manager = site.with_records().build().unwrap();
            let mut browser = site.browser();
            browser.put(&ahead, "role", ADMIN);
            advance(pause_seconds);
            let lost = browser.begin(&ahead);
            spills(&lost.session());
            lost.commit();
            advance(pause_seconds);
            browser.put(&manager, "role", USER);
            advance(pause_seconds);
            let request = browser.begin(if ends_ahead { &ahead } else { &manager });
            spills(&request.session());
            match request.try_commit() {
                Ok(response) => browser.receive(&response),
                Err(failed) => assert_eq!(failed.status_code(), 409),
            }
            advance(60);
            assert_eq!(browser.get(&manager, "role"), Some(USER), "{ahead_seconds} s ahead, {pause_seconds} s between");
        }
    }
}

#[test]
fn a_session_that_returned_and_was_written_within_the_same_second_can_spill_again() {
    for spills_before in [1, 7, 9] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = after(&site, &manager, |session| session.put("role", &USER).unwrap());
        for _ in 0..spills_before {
            browser.visit(&manager, |session| {
                spills(session);
                session.increment("n", 1).unwrap();
            });
            later(&site);
        }
        browser.visit(&manager, |session| session.forget("cart").unwrap());
        browser.put(&manager, "step", 1);
        later(&site);
        browser.visit(&manager, spills);
        assert_eq!((browser.get(&manager, "step"), browser.get(&manager, "n")), (Some(1), Some(spills_before)));
        assert!(site.opened(&manager, &browser).is_reference());
    }
}

#[test]
fn a_session_that_spills_and_returns_again_and_again_never_goes_back() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("n", &0).unwrap());
    let mut count = 0;
    for loses in [false, true, false, true, true, false] {
        for handle in [spills as fn(&Session), |session| session.forget("cart").unwrap()] {
            let request = browser.begin(&manager);
            let session = request.session();
            handle(&session);
            session.increment("n", 1).unwrap();
            let was_reference = browser.cookie().is_some() && site.opened(&manager, &browser).is_reference();
            let response = request.commit();
            // What the browser's next cookie builds on is all that counts: a lost spill is forgotten by a later inline write.
            if !loses || was_reference {
                browser.receive(&response);
                count += 1;
                assert_eq!(browser.get(&manager, "n"), Some(count));
            }
            later(&site);
            if loses && !was_reference {
                browser.visit(&manager, |session| session.increment("n", 1).unwrap());
                count += 1;
                later(&site);
            }
            assert_eq!(browser.get(&manager, "n"), Some(count), "loses: {loses}");
        }
    }
}

#[test]
fn a_record_that_nobody_can_read_any_more_does_not_keep_a_session_from_spilling() {
    let site = Site::new();
    let before = site.with_records().build().unwrap();
    let mut browser = after(&site, &before, |session| session.put("user", &42).unwrap());
    let lost = browser.begin(&before);
    spills(&lost.session());
    lost.commit();
    later(&site);

    let new = Key::generate().unwrap();
    let rotated = KeyRing::new(new.clone()).with_open_only(site.key.clone()).unwrap();
    let manager = site.over(rotated).store(site.records.clone()).build().unwrap();
    assert_eq!(browser.get(&manager, "user"), Some(42));
    later(&site);
    let retired = site.over(new).store(site.records.clone()).build().unwrap();
    assert_eq!(browser.get(&retired, "user"), Some(42));
    browser.visit(&retired, spills);
    assert_eq!(browser.get(&retired, "user"), Some(42));
    assert!(site.opened(&retired, &browser).is_reference());
}

#[test]
fn of_two_records_that_servers_of_two_audiences_made_at_once_a_browser_keeps_to_its_own() {
    let site = Site::new();
    let store = Interrupted::new(&site);
    let build = |own: &str, earlier: &str| {
        store.under(site.with_records()).audience(own).also_read(COOKIE, earlier).build().unwrap()
    };
    let (one, other) = (build("shop/one", "shop/other"), build("shop/other", "shop/one"));
    let mut browser = inline(&site, &other);
    let slow = browser.begin(&other);
    slow.session().put("slow", &text(LARGE)).unwrap();
    browser.put(&one, "step", 1);
    let upload = browser.begin(&one);
    upload.session().put("upload", &text(LARGE)).unwrap();
    // Both have looked, and found no record at either audience.
    let last = Arc::new(Mutex::new(None));
    let answer = Arc::clone(&last);
    store.at_next(creates, Meets::Meanwhile(Box::new(move || *answer.lock().unwrap() = Some(upload.commit()))));
    browser.receive(&slow.commit());
    browser.receive(last.lock().unwrap().as_ref().unwrap());
    for _ in 0..3 {
        for manager in [&other, &one] {
            later(&site);
            let visited = browser.visit(manager, |session| session.has("upload").unwrap()).0;
            assert!(visited, "the last response said that the upload was kept");
        }
    }
}
