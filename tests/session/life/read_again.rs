//! What was saved in a cookie that the browser does not hold yet, when the session is read again and another request writes.

use pollster::block_on;
use sealed_session::{Placement, Session, SessionManager};

use super::interrupted::{Interrupted, in_turns, poll_times};
use super::{after, in_record, inline, with_store};
use crate::browser::Browser;
use crate::support::{LARGE, Site, text};

fn saves(session: &Session) {
    block_on(session.save()).unwrap();
}

fn reads_again(session: &Session) {
    block_on(session.reload()).unwrap();
}

/// A request does this, another one spills the session, and then this one does. What the browser has, and the last response's line.
fn meeting(act: impl Fn(&Session)) -> (Browser, SessionManager, String) {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = inline(&site, &manager);
    let (one, other) = (browser.begin(&manager), browser.begin(&manager));
    let session = one.session();
    act(&session);
    other.session().put("upload", &text(LARGE)).unwrap();
    browser.receive(&other.commit());
    session.put("photo", &text(LARGE)).unwrap();
    let last = one.commit();
    browser.receive(&last);
    (browser, manager, last.set_cookies.last().unwrap().clone())
}

#[test]
fn a_value_that_was_saved_is_there_although_a_later_one_was_dropped() {
    let (mut browser, manager, _) = meeting(|session| {
        session.put("step", &1).unwrap();
        saves(session);
        session.put("step", &2).unwrap();
        reads_again(session);
    });
    assert_eq!(browser.get(&manager, "step"), Some(1));
}

#[test]
fn a_message_that_was_saved_is_shown() {
    let (mut browser, manager, _) = meeting(|session| {
        session.flash("notice", "hello").unwrap();
        saves(session);
        reads_again(session);
    });
    assert!(!browser.visit(&manager, Session::flash_messages).0.is_empty());
}

#[test]
fn how_a_session_persists_stays_as_it_was_saved() {
    let (_, _, line) = meeting(|session| {
        session.end_with_browser().unwrap();
        saves(session);
    });
    assert!(!line.contains("Max-Age"));
}

#[test]
fn a_message_that_was_kept_or_left_anew_is_shown_by_the_next_request() {
    let leaves: [fn(&Session); 2] = [
        |session| session.reflash().unwrap(),
        // The same words as those that it has read.
        |session| session.flash("notice", "saved").unwrap(),
    ];
    for leave in leaves {
        let site = Site::new();
        for manager in with_store(&site) {
            let mut browser = after(&site, &manager, |session| {
                session.put("user", &1).unwrap();
                session.flash("notice", "saved").unwrap();
            });
            browser.visit(&manager, |session| {
                assert!(!session.flash_messages().is_empty());
                leave(session);
                saves(session);
                reads_again(session);
                session.put("x", &1).unwrap();
            });
            assert!(!browser.visit(&manager, Session::flash_messages).0.is_empty());
        }
    }
}

#[test]
fn a_message_that_was_saved_is_not_for_its_own_request_after_a_meeting() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let one = browser.begin(&manager);
        let session = one.session();
        session.flash("notice", "saved").unwrap();
        saves(&session);
        browser.visit(&manager, |session| session.put("other", &1).unwrap());
        session.put("x", &1).unwrap();
        saves(&session);
        assert!(session.flash_messages().is_empty());
        browser.receive(&one.commit());
        assert!(!browser.visit(&manager, Session::flash_messages).0.is_empty());
    }
}

/// Such a save is a conflict, as its page says.
#[test]
fn what_was_read_again_while_a_save_was_under_way_is_what_is_kept() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for head_start in 0..6 {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
            let mut browser = in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            session.increment("n", 1).unwrap();
            store.go_slow(true);
            let mut save = Box::pin(session.save());
            if poll_times(save.as_mut(), head_start).is_none() {
                in_turns(save, session.reload()).1.unwrap();
            }
            store.go_slow(false);
            let shown = session.get::<u64>("n").unwrap();
            browser.receive(&request.commit());
            assert_eq!(browser.get(&manager, "n"), shown, "{placement:?}, {head_start} polls before");
        }
    }
}
