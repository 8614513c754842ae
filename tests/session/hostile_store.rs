//! Wire format, section 6: whoever writes to the server store cannot swap, relabel, replay or read a session.

use sealed_session::store::Record;
use sealed_session::{Reason, SessionManager};

use crate::browser::Browser;
use crate::faulty_store::Records;
use crate::support::{LARGE, Site, text};

fn in_store(site: &Site, store: &SessionManager, user: u64) -> Browser {
    let mut browser = site.browser();
    browser.put(store, "cart", text(LARGE));
    browser.put(store, "user", user);
    browser
}

/// The session is gone for this reason, its cookie is left alone, and neither is it written over.
#[track_caller]
fn refused(site: &Site, store: &SessionManager, browser: &Browser, reason: Reason) {
    site.events.take();
    let mut browser = browser.clone();
    let (_, response) = browser.visit(store, |session| assert!(session.is_empty() && session.is_new()));
    assert_eq!(site.events.take_reasons(), [reason]);
    assert!(response.set_cookies.is_empty());
}

fn change_the_only(site: &Site, change: impl Fn(&mut Record)) {
    site.records.tamper(|records| records.values_mut().for_each(&change));
}

#[test]
fn a_record_with_any_byte_changed_is_refused() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let browser = in_store(&site, &store, 42);
    let good = site.records.snapshot();
    let length = crate::faulty_store::only(&site.records).1.bytes.len();
    for position in (9..length).step_by(97).chain([33, length - 1]) {
        change_the_only(&site, |record| record.bytes[position] ^= 1);
        refused(&site, &store, &browser, Reason::Unauthentic);
        site.records.restore(good.clone());
    }
    assert_eq!(browser.clone().get(&store, "user"), Some(42));
}

#[test]
fn a_record_of_another_shape_is_refused_and_never_a_panic() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let browser = in_store(&site, &store, 42);
    let good = site.records.snapshot();
    type Damage = fn(&mut Record);
    let cases: [(Damage, Reason); 5] = [
        (|record| record.bytes.clear(), Reason::Malformed),
        (|record| record.bytes.truncate(48), Reason::Malformed),
        (|record| record.bytes.truncate(100), Reason::Unauthentic),
        (|record| record.bytes[0] = 2, Reason::UnknownVersion),
        (|record| record.bytes[1] ^= 1, Reason::UnknownKey),
    ];
    for (change, reason) in cases {
        change_the_only(&site, change);
        refused(&site, &store, &browser, reason);
        site.records.restore(good.clone());
    }
}

#[test]
fn two_records_that_change_places_are_refused() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (victim, thief) = (in_store(&site, &store, 1), in_store(&site, &store, 2));
    site.records.tamper(|records| {
        let ids: Vec<_> = records.keys().copied().collect();
        let (first, second) = (records[&ids[0]].clone(), records[&ids[1]].clone());
        *records = Records::from([(ids[0], second), (ids[1], first)]);
    });
    for browser in [victim, thief] {
        refused(&site, &store, &browser, Reason::Unauthentic);
    }
}

#[test]
fn an_older_record_under_the_newest_version_is_refused() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = in_store(&site, &store, 42);
    let (_, older) = crate::faulty_store::only(&site.records);
    browser.put(&store, "user", 43);
    let newest = crate::faulty_store::only(&site.records).1.version;
    change_the_only(&site, |record| *record = Record::new(newest, older.expires_at, older.bytes.clone()));
    refused(&site, &store, &browser, Reason::Unauthentic);
}

#[test]
fn a_version_that_was_raised_is_refused() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let browser = in_store(&site, &store, 42);
    change_the_only(&site, |record| record.version += 1);
    refused(&site, &store, &browser, Reason::Unauthentic);
}

#[test]
fn an_open_record_that_is_put_back_over_a_closed_one_revives_nothing_for_its_successor() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = in_store(&site, &store, 42);
    let before_login = site.records.snapshot();
    browser.visit(&store, |session| {
        session.regenerate().unwrap();
        session.put("role", "admin").unwrap();
    });
    let successor = site.opened(&store, &browser).public_id();
    site.records.tamper(|records| records.extend(before_login));
    assert!(browser.visit(&store, |session| session.has("role").unwrap()).0);
    assert_eq!(site.opened(&store, &browser).public_id(), successor);
}

#[test]
fn an_expiry_that_was_moved_prolongs_no_session() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let browser = in_store(&site, &store, 42);
    let value = browser.cookie().unwrap().to_owned();
    let far = site.now().saturating_add_seconds(1_000_000);
    change_the_only(&site, |record| record.expires_at = far);
    site.clock.advance_seconds(7200);
    let mut replayed = site.browser();
    replayed.plant(crate::support::COOKIE, &value);
    refused(&site, &store, &replayed, Reason::ExpiredIdle);
}
