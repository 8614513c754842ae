//! Wire format, section 7, as requests meet it: keys that begin, end and are counted while servers do not agree on the time.

use std::time::Duration;

use sealed_session::events::Event;
use sealed_session::operator::{KeyReport, KeyState};
use sealed_session::testing::ManualClock;
use sealed_session::{CommitError, Key, KeyRing, Lifetimes, Reason, RingEntry, RingHandle, SessionError, Timestamp};

use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

const GRACE: u64 = 600;
const ABSOLUTE: u64 = 5000;

/// An old key, and a new one that seals from `seal_from` on.
fn rotating(site: &Site, new: &Key, seal_from: Timestamp) -> KeyRing {
    KeyRing::from_entries([RingEntry::new(site.key.clone()), RingEntry::new(new.clone()).seal_from(seal_from)]).unwrap()
}

/// A site's store over this ring, with short lifetimes.
fn store_over(site: &Site, ring: impl Into<RingHandle>) -> sealed_session::SessionManagerBuilder {
    let lifetimes = Lifetimes::default()
        .idle_timeout(Duration::from_secs(ABSOLUTE))
        .absolute_timeout(Some(Duration::from_secs(ABSOLUTE)));
    site.over(ring).lifetimes(lifetimes).key_grace(Duration::from_secs(GRACE)).store(site.records.clone())
}

fn after(site: &Site, seconds: u64) -> Timestamp {
    site.now().saturating_add_seconds(seconds)
}

fn report(reports: &[KeyReport], key: &Key) -> KeyReport {
    reports.iter().find(|report| report.status.key_id == key.id()).unwrap().clone()
}

#[test]
fn a_server_that_is_behind_opens_what_the_next_key_sealed_and_does_not_seal_it_back() {
    for cart in [1, LARGE] {
        let site = Site::new();
        let new = Key::generate().unwrap();
        let ring = rotating(&site, &new, after(&site, 60));
        let ahead = ManualClock::at_unix_seconds(site.now().unix_seconds() + 60);
        let store_ahead = store_over(&site, ring.clone()).clock(ahead).build().unwrap();
        let store_behind = store_over(&site, ring).build().unwrap();
        let mut browser = site.browser();
        // Begun by the slower clock: no sealing is older than its session.
        browser.put(&store_behind, "user", 1);
        browser.put(&store_ahead, "cart", text(cart));
        let before = browser.cookie().unwrap().to_owned();
        assert_eq!(site.opened(&store_behind, &browser).key_id(), new.id());
        for _ in 0..2 {
            let (found, response) = browser.visit(&store_behind, |session| session.has("cart").unwrap());
            assert!(found && response.set_cookies.is_empty());
        }
        assert_eq!(browser.cookie(), Some(before.as_str()));
        // A write is not sealed earlier than the cookie that it takes the place of, and so under the key of that time.
        browser.put(&store_behind, "user", 42);
        assert_eq!(site.opened(&store_behind, &browser).key_id(), new.id());
        assert_eq!(browser.get(&store_ahead, "user"), Some(42));
    }
}

#[test]
fn a_record_under_the_older_key_is_sealed_again_although_its_cookie_is_under_the_newer() {
    let site = Site::new();
    let new = Key::generate().unwrap();
    let ring = rotating(&site, &new, after(&site, 60));
    let ahead = ManualClock::at_unix_seconds(site.now().unix_seconds() + 60);
    let store_ahead = store_over(&site, ring.clone()).clock(ahead).build().unwrap();
    let store_behind = store_over(&site, ring).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store_behind, "cart", text(LARGE));
    // In parallel: the server behind writes the record last, and its response comes first.
    let behind = browser.begin(&store_behind);
    behind.session().put("user", &42).unwrap();
    browser.put(&store_ahead, "seen", 1);
    behind.commit();
    assert_eq!(site.opened(&store_behind, &browser).key_id(), new.id());

    site.events.take();
    site.records.take_calls();
    assert_eq!(browser.get(&store_ahead, "user"), Some(42));
    assert_eq!(site.records.take_calls(), [Call::Load, Call::Update]);
    let resealed = Event::Resealed { id: site.opened(&store_ahead, &browser).public_id(), from: site.key.id() };
    assert_eq!(site.events.take().iter().filter(|event| **event == resealed).count(), 1);

    let without_old = store_over(&site, new).build().unwrap();
    assert_eq!(browser.get(&without_old, "user"), Some(42));
}

#[test]
fn a_response_seals_at_most_once_whatever_makes_it_due() {
    for (cart, sealed_by_a_renewal) in [(1, 1), (LARGE, 2)] {
        let site = Site::new();
        let new = Key::generate().unwrap();
        let store = store_over(&site, rotating(&site, &new, after(&site, 10))).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "cart", text(cart));
        site.clock.advance_seconds(ABSOLUTE / 2 + 100);
        let sealed = || report(&store.key_reports(), &new).sealed;
        let sealed_before = sealed();
        // Due for its key and for its age. A cookie is one sealing, a record and its reference are two.
        let (_, response) = browser.visit(&store, |session| session.has("cart").unwrap());
        assert_eq!((response.set_cookies.len(), sealed() - sealed_before), (1, sealed_by_a_renewal));
        let sealed_before = sealed();
        let (_, response) = browser.visit(&store, |session| session.has("cart").unwrap());
        assert_eq!((response.set_cookies.len(), sealed() - sealed_before), (0, 0));
    }
}

#[test]
fn a_token_is_good_until_its_key_opens_nothing_any_more() {
    let site = Site::new();
    let new = Key::generate().unwrap();
    let store = store_over(&site, rotating(&site, &new, after(&site, 100))).build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    // The session moves on to the new key, with a lifetime that begins again; its tokens live by their own key.
    site.clock.advance_seconds(ABSOLUTE - 100);
    browser.visit(&store, |session| session.put("user", &42).unwrap());
    let is_good = |browser: &mut crate::browser::Browser| {
        browser.visit(&store, |session| session.verify_csrf(Some(&token)).is_ok()).0
    };
    assert!(is_good(&mut browser));
    site.clock.advance_seconds(99);
    assert!(is_good(&mut browser));

    // Without an absolute timeout the session outlives the key that made the token.
    let lifetimes = Lifetimes::default().idle_timeout(Duration::from_secs(ABSOLUTE)).absolute_timeout(None);
    let lifetimes = lifetimes.remember_max(Duration::from_secs(ABSOLUTE));
    let ring = rotating(&site, &new, after(&site, 100));
    let store = store_over(&site, ring).lifetimes(lifetimes).build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    for (advance, is_good) in [(3000, true), (2699, true), (1, false)] {
        site.clock.advance_seconds(advance);
        let (verified, _) = browser.visit(&store, |session| {
            session.put("seen", &advance).unwrap();
            session.verify_csrf(Some(&token)).is_ok()
        });
        assert_eq!(verified, is_good, "at the open_until of its key, less {advance}");
    }
    assert!(report(&store.key_reports(), &site.key).refused.contains(&(Reason::KeyRetired, 1)));
}

#[test]
fn where_no_key_seals_a_write_is_an_error_and_the_client_keeps_its_cookie() {
    for cart in [1, LARGE] {
        let site = Site::new();
        let ring = KeyRing::from_entries([RingEntry::new(site.key.clone()).seal_until(after(&site, 100))]).unwrap();
        let store = store_over(&site, ring).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "cart", text(cart));
        let before = browser.cookie().unwrap().to_owned();
        let records_before = site.records.snapshot();
        site.clock.advance_seconds(101);
        let error = browser.visit_in_vain(&store, |session| session.put("user", &1).unwrap());
        assert!(matches!(error, CommitError::NoSealingKey));
        assert_eq!(error.status_code(), 500);
        assert!(site.events.take_names().contains(&"CommitFailed".to_owned()));
        assert_eq!(site.records.snapshot(), records_before);
        assert_eq!(browser.cookie(), Some(before.as_str()));

        // Reading goes on: what cannot be renewed is not.
        site.clock.advance_seconds(ABSOLUTE - 201);
        let (found, response) = browser.visit(&store, |session| session.has("cart").unwrap());
        assert!(found && response.set_cookies.is_empty());
        let (token, response) = browser.visit(&store, |session| session.csrf_token());
        assert!(matches!(token, Err(SessionError::NoSealingKey)) && response.set_cookies.is_empty());
    }
}

#[test]
fn a_store_is_not_built_over_a_ring_in_which_nothing_seals_now() {
    let site = Site::new();
    let pending = RingEntry::new(site.key.clone()).seal_from(after(&site, 1));
    let ended = RingEntry::new(site.key.clone()).seal_until(Timestamp::from_unix_seconds(1));
    for (entry, named) in [(pending, site.key.id().to_string()), (ended, "ring".to_owned())] {
        let error = site.over(KeyRing::from_entries([entry]).unwrap()).build().unwrap_err();
        assert_eq!(error.setting(), "ring");
        assert!(error.to_string().contains(&named), "{error}");
    }
    let now = RingEntry::new(site.key.clone()).seal_from(site.now());
    assert!(site.over(KeyRing::from_entries([now]).unwrap()).build().is_ok());
}

#[test]
fn each_key_is_reported_with_what_it_opened_sealed_and_refused() {
    let site = Site::new();
    let new = Key::generate().unwrap();
    let handle = RingHandle::from(site.key.clone());
    let store = store_over(&site, handle.clone()).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.get(&store, "user");
    let old = browser.clone();
    let mut changed = old.cookie().unwrap().to_owned().into_bytes();
    // Another character of the alphabet: any other is refused before a key is looked up, and counts for none.
    changed[60] = if changed[60] == b'A' { b'B' } else { b'A' };
    let mut forger = site.browser();
    forger.plant(crate::support::COOKIE, std::str::from_utf8(&changed).unwrap());
    forger.get(&store, "user");
    forger.get(&store, "user");

    site.clock.advance_seconds(100);
    assert!(handle.replace(rotating(&site, &new, site.now()), site.now()).unwrap());
    browser.get(&store, "user");
    browser.get(&store, "user");
    let reports = store.key_reports();
    let [old_report, new_report] = [&site.key, &new].map(|key| report(&reports, key));
    assert_eq!((old_report.sealed, old_report.opened), (1, 2));
    assert_eq!(old_report.refused, [(Reason::Unauthentic, 2)]);
    assert_eq!((old_report.status.state, old_report.last_opened), (KeyState::Opening, Some(site.now())));
    assert_eq!((new_report.sealed, new_report.opened), (1, 1));
    assert_eq!((new_report.refused.as_slice(), new_report.counted_since), ([].as_slice(), Some(site.now())));

    // Behind its end every cookie of the old key is refused before it is decrypted.
    let (mut old, end) = (old, GRACE + ABSOLUTE);
    site.clock.advance_seconds(end);
    old.plant(crate::support::COOKIE, &String::from_utf8(changed).unwrap());
    old.get(&store, "user");
    let old_report = report(&store.key_reports(), &site.key);
    assert_eq!(old_report.refused, [(Reason::KeyRetired, 1), (Reason::Unauthentic, 2)]);
    assert!(old_report.status.state == KeyState::Expired && old_report.is_safe_to_remove);
}

#[test]
fn a_key_is_safe_to_remove_once_it_opened_nothing_for_the_longest_lifetime() {
    let site = Site::new();
    let store = store_over(&site, site.rotated()).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store_over(&site, site.key.clone()).build().unwrap(), "user", 42);
    let is_safe = || report(&store.key_reports(), &site.key).is_safe_to_remove;
    // An open-only key has no end of its own: that it is not used is all that is known.
    site.clock.advance_seconds(ABSOLUTE - 1);
    assert!(!is_safe());
    assert_eq!(browser.get(&store, "user"), Some(42));
    for (advance, expected) in [(1, false), (ABSOLUTE - 2, false), (1, true)] {
        site.clock.advance_seconds(advance);
        assert_eq!(is_safe(), expected, "after {advance} s more");
    }
    let sealing = store.key_reports()[0].clone();
    assert!(sealing.status.state == KeyState::Sealing && !sealing.is_safe_to_remove);
}

#[test]
fn a_key_that_was_stolen_makes_no_session_that_begins_behind_its_window() {
    let site = Site::new();
    let new = Key::generate().unwrap();
    let begins = after(&site, 10);
    let store = store_over(&site, rotating(&site, &new, begins)).build().unwrap();
    let thief = sealed_session::sealer::Sealer::builder(site.key.clone()).audience("shop/test").build().unwrap();
    site.clock.advance_seconds(GRACE + 2000);
    let is_found = |issued: u64| {
        let value = thief.seal(&serde_json::json!({ "user": 1 }), Timestamp::from_unix_seconds(issued)).unwrap();
        let mut browser = site.browser();
        browser.plant(crate::support::COOKIE, &value);
        browser.get(&store, "user").is_some()
    };
    let window_end = begins.unix_seconds() + GRACE;
    // Dated back into the window it is as old as it says, and good for as long: rotation is no revocation.
    assert!(is_found(window_end));
    assert!(!is_found(window_end + 1) && !is_found(site.now().unix_seconds()));
    assert_eq!(site.events.take_reasons(), [Reason::KeyRetired, Reason::KeyRetired]);
}
