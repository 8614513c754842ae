//! How long a session lasts can be changed back, and a session can be made to end with the browser.

use std::time::Duration;

use sealed_session::{Session, SessionError, SessionManager};

use super::{DAY, TEN_DAYS, after, in_record, inline, later, returns, seconds_of};
use crate::browser::Browser;
use crate::support::{Handler, LARGE, Site, max_age, text};

const DEFAULT: u64 = 7200;

fn remembers_a_day(session: &Session) {
    session.remember(Duration::from_secs(DAY)).unwrap();
}

/// Sessions in a cookie and in a record that are remembered for a day.
fn remembered(site: &Site, manager: &SessionManager) -> [Browser; 2] {
    [inline(site, manager), in_record(site, manager)].map(|mut browser| {
        browser.visit(manager, remembers_a_day);
        later(site);
        browser
    })
}

#[test]
fn what_was_remembered_is_taken_back() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for mut browser in remembered(&site, &manager) {
        let (_, response) = browser.visit(&manager, |session| session.forget_lifetime().unwrap());
        assert_eq!(max_age(&response), Some(DEFAULT));
        assert_eq!(seconds_of(&site.opened(&manager, &browser)), DEFAULT);
        later(&site);
        assert_eq!(max_age(&browser.put(&manager, "step", 1)), Some(DEFAULT));
        site.clock.advance_seconds(DEFAULT);
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn what_was_remembered_is_taken_back_with_everything_else_that_a_request_does() {
    let handles: [fn(&Session); 4] = [
        |session| {
            session.clear().unwrap();
            session.put("user", &42).unwrap();
        },
        |session| session.regenerate().unwrap(),
        |session| session.regenerate_and_reset_lifetime().unwrap(),
        |session| {
            session.increment("step", 1).unwrap();
            pollster::block_on(session.save()).unwrap();
        },
    ];
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for handle in handles {
        for mut browser in remembered(&site, &manager) {
            let (_, response) = browser.visit(&manager, handle);
            assert_eq!(max_age(&response), Some(DAY), "it stays until it is taken back");
            later(&site);
            let (_, response) = browser.visit(&manager, |session| {
                handle(session);
                session.forget_lifetime().unwrap();
            });
            assert_eq!(max_age(&response), Some(DEFAULT));
            assert_eq!(browser.get(&manager, "user"), Some(42));
        }
    }
}

#[test]
fn a_session_is_made_to_end_with_the_browser() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for mut browser in
        [inline(&site, &manager), in_record(&site, &manager)].into_iter().chain(remembered(&site, &manager))
    {
        let (_, response) = browser.visit(&manager, |session| session.end_with_browser().unwrap());
        assert_eq!(max_age(&response), None);
        assert!(site.opened(&manager, &browser).is_browser_session());
        assert_eq!(browser.get(&manager, "user"), Some(42));
        browser.restart();
        assert_eq!(browser.cookie(), None);
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_session_that_ends_with_the_browser_has_the_idle_timeout_as_well() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for mut browser in remembered(&site, &manager) {
        browser.visit(&manager, |session| session.end_with_browser().unwrap());
        site.clock.advance_seconds(DEFAULT);
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_session_that_ends_with_the_browser_does_so_whatever_it_goes_through() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| {
        session.put("user", &42).unwrap();
        session.end_with_browser().unwrap();
    });
    let steps: [fn(&Session); 6] = [
        |session| session.put("step", &1).unwrap(),
        |session| session.put("cart", &text(LARGE)).unwrap(),
        |session| session.regenerate_and_reset_lifetime().unwrap(),
        |session| session.put("step", &2).unwrap(),
        returns,
        |session| session.regenerate().unwrap(),
    ];
    for step in steps {
        let (_, response) = browser.visit(&manager, step);
        assert_eq!(max_age(&response), None);
        // A renewal.
        site.clock.advance_seconds(DEFAULT / 2 + 1);
        let (_, response) = browser.visit(&manager, |session| assert!(session.has("user").unwrap()));
        assert_eq!(max_age(&response), None);
    }
}

#[test]
fn remembering_and_the_default_undo_the_end_with_the_browser() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for (handle, expected) in
        [(remembers_a_day as fn(&Session), DAY), (|session| session.forget_lifetime().unwrap(), DEFAULT)]
    {
        let mut browser = inline(&site, &manager);
        browser.visit(&manager, |session| session.end_with_browser().unwrap());
        later(&site);
        assert_eq!(max_age(&browser.visit(&manager, handle).1), Some(expected));
    }
}

#[test]
fn the_default_may_be_the_end_of_the_browser() {
    let site = Site::new();
    let manager = site.with_records().clear_with_browser(true).build().unwrap();
    for mut browser in remembered(&site, &manager) {
        let (_, response) = browser.visit(&manager, |session| session.forget_lifetime().unwrap());
        assert_eq!(max_age(&response), None);
        browser.restart();
        assert_eq!(browser.cookie(), None);
    }
}

#[test]
fn the_last_call_of_a_request_decides_how_long_its_session_lasts() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let calls: [(Handler, Option<u64>); 3] = [
        (|session| session.forget_lifetime().unwrap(), Some(DEFAULT)),
        (|session| session.end_with_browser().unwrap(), None),
        (remembers_a_day, Some(DAY)),
    ];
    for (first, _) in calls {
        for (last, expected) in calls {
            let (_, response) = site.browser().visit(&manager, |session| {
                session.put("user", &42).unwrap();
                first(session);
                last(session);
            });
            assert_eq!(max_age(&response), expected);
        }
    }
}

#[test]
fn what_one_request_takes_back_holds_whatever_another_one_writes() {
    let changes: [(Handler, Option<u64>); 2] = [
        (|session| session.forget_lifetime().unwrap(), Some(DEFAULT)),
        (|session| session.end_with_browser().unwrap(), None),
    ];
    for (change, expected) in changes {
        for change_first in [true, false] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = after(&site, &manager, |session| {
                session.put("cart", &text(LARGE)).unwrap();
                session.remember(TEN_DAYS).unwrap();
            });
            let changing = browser.begin(&manager);
            change(&changing.session());
            let writing = browser.begin(&manager);
            writing.session().put("step", &1).unwrap();
            later(&site);
            let requests = if change_first { [changing, writing] } else { [writing, changing] };
            let responses = requests.map(|request| {
                let response = request.commit();
                later(&site);
                response
            });
            assert_eq!(max_age(&responses[1]), expected);
            responses.iter().for_each(|response| browser.receive(response));
            assert_eq!(browser.get(&manager, "step"), Some(1));
        }
    }
}

#[test]
fn a_session_that_has_ended_lasts_no_other_way() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let browser = inline(&site, &manager);
    let request = browser.begin(&manager);
    let session = request.session();
    session.destroy().unwrap();
    assert!(matches!(session.forget_lifetime(), Err(SessionError::Destroyed)));
    assert!(matches!(session.end_with_browser(), Err(SessionError::Destroyed)));
    request.commit();
    assert!(session.forget_lifetime().is_err() && session.end_with_browser().is_err());
}
