//! Behaviour, section 1, and wire format, section 3.2: how long a session and its cookie live.

use std::time::Duration;

use sealed_session::{Lifetimes, Session, SessionError, SessionManager};

use crate::browser::{Browser, Response};
use crate::support::{COOKIE, LARGE, Site, line, max_age, text};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn lifetimes(idle: u64, absolute: Option<u64>) -> Lifetimes {
    Lifetimes::default().idle_timeout(Duration::from_secs(idle)).absolute_timeout(absolute.map(Duration::from_secs))
}

fn remember(browser: &mut Browser, store: &SessionManager, seconds: u64) -> Response {
    let remember = |session: &Session| {
        session.put("user", &42).unwrap();
        session.remember(Duration::from_secs(seconds)).unwrap();
    };
    browser.visit(store, remember).1
}

#[test]
fn max_age_is_the_idle_timeout_until_the_absolute_one_is_nearer() {
    let site = Site::new();
    let store = site.cookie_only().lifetimes(lifetimes(2 * HOUR, Some(3 * HOUR))).build().unwrap();
    let mut browser = site.browser();
    assert_eq!(max_age(&browser.put(&store, "visits", 1)), Some(2 * HOUR));
    site.clock.advance_seconds(HOUR);
    assert_eq!(max_age(&browser.put(&store, "visits", 2)), Some(2 * HOUR));
    site.clock.advance_seconds(HOUR);
    assert_eq!(max_age(&browser.put(&store, "visits", 3)), Some(HOUR));
    assert_eq!(site.opened(&store, &browser).expires(), site.now().saturating_add_seconds(2 * HOUR));
}

#[test]
fn max_age_is_never_more_than_400_days() {
    let site = Site::new();
    let long = lifetimes(500 * DAY, None).remember_max(Duration::from_secs(1000 * DAY));
    let store = site.cookie_only().lifetimes(long).build().unwrap();
    let mut browser = site.browser();
    assert_eq!(max_age(&browser.put(&store, "user", 42)), Some(400 * DAY));
    assert_eq!(max_age(&remember(&mut browser, &store, 900 * DAY)), Some(400 * DAY));
    assert_eq!(site.opened(&store, &browser).expires(), site.now().saturating_add_seconds(900 * DAY));
}

#[test]
fn without_an_absolute_timeout_a_session_in_use_lives_on() {
    let site = Site::new();
    let endless = lifetimes(HOUR, None).remember_max(Duration::from_secs(DAY));
    let store = site.cookie_only().lifetimes(endless).build().unwrap();
    let mut browser = site.browser();
    for visit in 0..1000_u64 {
        assert_eq!(browser.get(&store, "visit"), visit.checked_sub(1));
        browser.put(&store, "visit", visit);
        site.clock.advance_seconds(HOUR - 1);
    }
}

#[test]
fn a_remembered_session_has_its_own_lifetime_and_is_renewed_for_it() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    assert_eq!(max_age(&remember(&mut browser, &store, 10 * DAY)), Some(10 * DAY));
    site.clock.advance_seconds(6 * DAY);
    let (_, renewed) = browser.visit(&store, |session| session.get::<u64>("user").unwrap());
    assert_eq!(max_age(&renewed), Some(10 * DAY));
    assert_eq!(max_age(&browser.put(&store, "cart", 1)), Some(10 * DAY));
    site.clock.advance_seconds(10 * DAY - 1);
    assert_eq!(browser.begin(&store).session().get("user").unwrap(), Some(42));
}

#[test]
fn a_remembered_session_in_the_store_lives_as_long_there() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    remember(&mut browser, &store, 10 * DAY);
    site.clock.advance_seconds(10 * DAY - 1);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_lifetime_of_no_second_or_beyond_the_longest_is_an_error() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (_, response) = site.browser().visit(&store, |session| {
        for (lifetime, asked) in [
            (Duration::ZERO, 0),
            (Duration::from_millis(999), 0),
            (Duration::from_secs(30 * DAY + 1), 30 * DAY + 1),
            (Duration::MAX, u64::MAX),
        ] {
            let Err(SessionError::Lifetime { asked_seconds, most_seconds }) = session.remember(lifetime) else {
                panic!("{lifetime:?} was taken");
            };
            assert_eq!((asked_seconds, most_seconds), (asked, 30 * DAY));
        }
        session.remember(Duration::from_secs(30 * DAY)).unwrap();
        session.remember(Duration::from_secs(1)).unwrap();
    });
    assert!(response.set_cookies.is_empty(), "a lifetime alone begins no session");
}

#[test]
fn asking_for_the_lifetime_that_a_session_has_writes_nothing() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    remember(&mut browser, &store, 10 * DAY);
    assert!(remember(&mut browser, &store, 10 * DAY).set_cookies.is_empty());
    assert_eq!(max_age(&remember(&mut browser, &store, DAY)), Some(DAY));
}

#[test]
fn a_lowered_longest_lifetime_holds_for_what_was_remembered_before() {
    let site = Site::new();
    let mut browser = site.browser();
    remember(&mut browser, &site.cookie_only().build().unwrap(), 10 * DAY);
    let lowered = Lifetimes::default().remember_max(Duration::from_secs(DAY));
    let store = site.cookie_only().lifetimes(lowered).build().unwrap();
    assert_eq!(max_age(&browser.put(&store, "cart", 1)), Some(DAY));
}

#[test]
fn a_session_of_the_browser_has_no_max_age_and_stays_one_however_often_it_is_sealed() {
    let site = Site::new();
    let mut browser = site.browser();
    let first = browser.put(&site.cookie_only().clear_with_browser(true).build().unwrap(), "user", 42);
    assert_eq!(max_age(&first), None);
    assert!(!line(&first).contains("Expires"));

    // The session remembers it, whatever the setting is by then.
    let store = site.cookie_only().build().unwrap();
    assert_eq!(max_age(&browser.put(&store, "cart", 1)), None);
    site.clock.advance_seconds(5000);
    let (_, renewed) = browser.visit(&store, |session| session.get::<u64>("user").unwrap());
    assert_eq!(max_age(&renewed), None);
    assert_eq!(max_age(&browser.visit(&store, |session| session.regenerate().unwrap()).1), None);
    browser.restart();
    assert_eq!(browser.cookie(), None);
}

#[test]
fn a_session_of_the_browser_still_expires_on_the_server() {
    let site = Site::new();
    let store = site.cookie_only().clear_with_browser(true).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    site.clock.advance_seconds(2 * HOUR);
    assert_eq!(browser.get(&store, "user"), None);
}

#[test]
fn remember_turns_a_session_of_the_browser_into_a_lasting_one() {
    let site = Site::new();
    let store = site.cookie_only().clear_with_browser(true).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    assert_eq!(max_age(&remember(&mut browser, &store, DAY)), Some(DAY));
    browser.restart();
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_shortened_timeout_takes_effect_at_once() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.cookie_only().build().unwrap(), "user", 42);
    let store = site.cookie_only().lifetimes(lifetimes(600, Some(DAY))).build().unwrap();
    site.clock.advance_seconds(599);
    assert_eq!(browser.begin(&store).session().get("user").unwrap(), Some(42));
    site.clock.advance_seconds(1);
    assert_eq!(browser.begin(&store).session().get::<u64>("user").unwrap(), None);
}

#[test]
fn a_lengthened_timeout_revives_nothing() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(
        &site.cookie_only().lifetimes(lifetimes(600, None).remember_max(Duration::from_secs(1))).build().unwrap(),
        "user",
        42,
    );
    let value = browser.cookie().unwrap().to_owned();
    site.clock.advance_seconds(600);
    browser.plant(COOKIE, &value);
    assert_eq!(browser.get(&site.cookie_only().build().unwrap(), "user"), None);
}

#[test]
fn a_record_outlives_its_session_by_the_skew_of_clocks_alone() {
    let site = Site::new();
    let store = site.with_records().lifetimes(lifetimes(2 * HOUR, Some(3 * HOUR))).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let (_, record) = crate::faulty_store::only(&site.records);
    assert_eq!(record.expires_at, site.now().saturating_add_seconds(2 * HOUR + 60));
    site.clock.advance_seconds(2 * HOUR - 1);
    browser.put(&store, "user", 42);
    let (_, record) = crate::faulty_store::only(&site.records);
    assert_eq!(record.expires_at, site.now().saturating_add_seconds(HOUR + 1 + 60));
}

#[test]
fn the_end_that_is_told_is_that_of_the_settings_of_today() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.cookie_only().build().unwrap(), "user", 42);
    let short = Lifetimes::default().idle_timeout(Duration::from_secs(600));
    let store = site.cookie_only().lifetimes(short).build().unwrap();
    let (ends, _) = browser.visit(&store, Session::expires_at);
    assert_eq!(ends, Some(site.now().saturating_add_seconds(600)));
}

#[test]
fn a_lifetime_that_was_asked_for_is_kept_by_a_new_id_and_taken_back_by_a_call() {
    let site = Site::new();
    for store in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()] {
        let mut browser = site.browser();
        remember(&mut browser, &store, DAY);
        let keeps: [fn(&Session); 3] = [
            |session| session.regenerate().unwrap(),
            |session| session.regenerate_and_reset_lifetime().unwrap(),
            |session| {
                session.clear().unwrap();
                session.put("user", &43).unwrap();
            },
        ];
        for keep in keeps {
            assert_eq!(max_age(&browser.visit(&store, keep).1), Some(DAY));
        }
        assert_eq!(max_age(&browser.visit(&store, |session| session.forget_lifetime().unwrap()).1), Some(2 * HOUR));
        assert_eq!(max_age(&browser.put(&store, "user", 44)), Some(2 * HOUR));
        site.clock.advance_seconds(2 * HOUR);
        assert_eq!(browser.get(&store, "user"), None);
    }
}

#[test]
fn one_session_can_end_with_the_browser_where_the_others_last() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = site.browser();
        remember(&mut browser, &store, DAY);
        browser.put(&store, "cart", text(cart));
        let (_, response) = browser.visit(&store, |session| session.end_with_browser().unwrap());
        assert_eq!(max_age(&response), None);
        assert_eq!(max_age(&browser.put(&store, "user", 43)), None, "and stays one");
        // The idle timeout holds as well.
        let mut left_open = browser.clone();
        browser.restart();
        assert_eq!(browser.cookie(), None);
        site.clock.advance_seconds(2 * HOUR);
        assert_eq!(left_open.get(&store, "user"), None);
    }
}

#[test]
fn where_sessions_end_with_the_browser_taking_a_lifetime_back_makes_one_of_those() {
    let site = Site::new();
    let store = site.cookie_only().clear_with_browser(true).build().unwrap();
    let mut browser = site.browser();
    assert_eq!(max_age(&remember(&mut browser, &store, DAY)), Some(DAY));
    assert_eq!(max_age(&browser.visit(&store, |session| session.forget_lifetime().unwrap()).1), None);
}

#[test]
fn taking_back_a_lifetime_that_nobody_asked_for_writes_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    assert!(browser.visit(&store, |session| session.forget_lifetime().unwrap()).1.set_cookies.is_empty());
    assert!(site.browser().visit(&store, |session| session.forget_lifetime().unwrap()).1.set_cookies.is_empty());
}

#[test]
fn a_longest_lifetime_beyond_the_absolute_one_is_refused_by_both_names() {
    let site = Site::new();
    let beyond = lifetimes(HOUR, Some(DAY)).remember_max(Duration::from_secs(2 * DAY));
    let error = site.cookie_only().lifetimes(beyond).build().unwrap_err().to_string();
    assert!(error.contains("remember_max") && error.contains("absolute_timeout"), "{error}");
}
