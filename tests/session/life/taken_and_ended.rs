//! A value is taken out of a session, and then the session is ended: somebody else must not have taken it too, and a request is
//! no stranger to its own writes.

use pollster::block_on;
use sealed_session::{Key, Placement, ResponseFacts, Session, SessionManager};

use super::interrupted::{Interrupted, Meets, give_up, updates};
use super::{after, inline, later};
use crate::browser::Browser;
use crate::support::{LARGE, Site, text};

/// What follows a value that was taken: a login that begins anew, or a logout.
const ENDS: [fn(&Session); 2] = [
    |session| {
        session.invalidate().unwrap();
        session.put("user", &42).unwrap();
    },
    |session| session.destroy().unwrap(),
];

const PLACEMENTS: [Placement; 2] = [Placement::Spill, Placement::StoreOnly];

/// A session in its record with a one-time password.
fn with_otp(site: &Site, manager: &SessionManager) -> Browser {
    after(site, manager, |session| {
        session.put("otp", &7).unwrap();
        session.put("cart", &text(LARGE)).unwrap();
    })
}

fn takes(session: &Session) {
    assert_eq!(session.pull::<u64>("otp").unwrap(), Some(7));
}

/// Every placement that has a store, and every end.
fn each(check: impl Fn(Placement, fn(&Session))) {
    PLACEMENTS.iter().for_each(|placement| ENDS.iter().for_each(|end| check(*placement, *end)));
}

#[test]
fn an_end_whose_answer_was_lost_is_known_again_by_the_next_try() {
    each(|placement, end| {
        for meets in [|| Meets::TimeLimit { happened: true }, || Meets::EngineTimeout { happened: true }] {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.with_records().placement(placement)).build().unwrap();
            let request = with_otp(&site, &manager).begin(&manager);
            takes(&request.session());
            end(&request.session());
            store.at_next(updates, meets());
            request.try_commit().unwrap_err();
            assert!(request.try_commit().is_ok(), "{placement:?}: nobody else was there");
        }
    });
}

#[test]
fn an_end_that_was_given_up_is_known_again_by_the_next_try() {
    each(|placement, end| {
        let site = Site::new();
        let store = Interrupted::new(&site);
        let manager = store.under(site.with_records().placement(placement)).build().unwrap();
        let request = with_otp(&site, &manager).begin(&manager);
        takes(&request.session());
        end(&request.session());
        store.at_next(updates, Meets::NoAnswer { happened: true });
        give_up(request.0.commit(&ResponseFacts::new(200)));
        assert!(request.try_commit().is_ok(), "{placement:?}: nobody else was there");
    });
}

#[test]
fn a_save_that_kept_what_was_taken_is_not_taken_for_anothers() {
    each(|placement, end| {
        let site = Site::new();
        let store = Interrupted::new(&site);
        let manager = store.under(site.with_records().placement(placement)).build().unwrap();
        let request = with_otp(&site, &manager).begin(&manager);
        let session = request.session();
        takes(&session);
        store.at_next(updates, Meets::NoAnswer { happened: true });
        give_up(session.save());
        end(&session);
        assert!(request.try_commit().is_ok(), "{placement:?}: nobody else was there");
    });
}

#[test]
fn what_came_after_a_session_returned_is_taken_although_its_old_record_lacks_it() {
    for end in ENDS {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = after(&site, &manager, |session| session.put("cart", &text(LARGE)).unwrap());
        browser.put(&manager, "cart", 1);
        later(&site);
        browser.put(&manager, "otp", 7);
        later(&site);
        let request = browser.begin(&manager);
        takes(&request.session());
        end(&request.session());
        assert!(request.try_commit().is_ok());
    }
}

#[test]
fn what_may_have_been_taken_behind_a_login_is_not_taken_again() {
    each(|placement, end| {
        for loads_first in [false, true] {
            let site = Site::new();
            let manager = site.with_records().placement(placement).build().unwrap();
            let mut browser = with_otp(&site, &manager);
            let second = browser.begin(&manager);
            if loads_first {
                second.session();
            }
            browser.visit(&manager, |session| session.regenerate().unwrap());
            browser.visit(&manager, takes);
            takes(&second.session());
            end(&second.session());
            assert_eq!(
                second.try_commit().unwrap_err().status_code(),
                409,
                "{placement:?}, loads first: {loads_first}"
            );
        }
    });
}

#[test]
fn a_login_whose_value_was_taken_stays_a_conflict_and_its_session_is_over() {
    each(|placement, end| {
        let site = Site::new();
        let manager = site.with_records().placement(placement).build().unwrap();
        let mut browser = with_otp(&site, &manager);
        let (first, second) = (browser.begin(&manager), browser.begin(&manager));
        takes(&first.session());
        takes(&second.session());
        end(&second.session());
        first.commit();
        for _ in 0..2 {
            let failed = second.try_commit().unwrap_err();
            assert_eq!(failed.status_code(), 409, "{placement:?}");
            browser.receive(&failed.commit);
        }
        assert!(browser.visit(&manager, |session| session.is_new() && session.is_empty()).0);
    });
}

#[test]
fn markers_of_other_rings_do_not_pile_up() {
    let site = Site::new();
    let mut browser = site.browser();
    for run in 0..10 {
        // A server that draws a key whenever it starts, or one of several on the ports of one host.
        let manager = site.over(Key::generate().unwrap()).build().unwrap();
        browser.visit(&manager, |session| ignored(session.csrf_token().unwrap()));
        browser.visit(&manager, |session| {
            session.regenerate().unwrap();
            session.put("user", &42).unwrap();
        });
        assert_eq!(browser.get(&manager, "user"), Some(42), "run {run}, {} markers", browser.markers().len());
        browser.visit(&manager, |session| session.destroy().unwrap());
        later(&site);
    }
}

fn ignored(_: String) {}

#[test]
fn a_session_that_is_read_again_after_a_save_in_its_cookie_goes_back_behind_nobody() {
    for reads_again in [false, true] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = inline(&site, &manager);
        let (one, other) = (browser.begin(&manager), browser.begin(&manager));
        let session = one.session();
        session.put("step", &1).unwrap();
        block_on(session.save()).unwrap();
        if reads_again {
            block_on(session.reload()).unwrap();
        }
        other.session().put("upload", &text(LARGE)).unwrap();
        let other = other.commit();
        session.put("photo", &text(LARGE)).unwrap();
        let one = one.commit();
        browser.receive(&one);
        browser.receive(&other);
        let all = browser.visit(&manager, Session::all).0;
        let mut names: Vec<_> = all.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["photo", "step", "upload", "user"], "reads again: {reads_again}");
    }
}

#[test]
fn a_request_from_before_a_login_that_asks_late_for_its_session_is_a_conflict() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = inline(&site, &manager);
    let upload = browser.begin(&manager);
    browser.visit(&manager, |session| session.regenerate().unwrap());
    site.clock.advance_seconds(12);
    upload.session().put("photo", &text(LARGE)).unwrap();
    assert_eq!(upload.try_commit().unwrap_err().status_code(), 409);
}
