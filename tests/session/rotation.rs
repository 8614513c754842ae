//! Wire format, sections 6 and 7: another key seals from now on.

use sealed_session::events::Event;
use sealed_session::{Key, KeyRing, Reason, SessionManager};

use crate::browser::Browser;
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

/// A browser whose session was sealed under the key before.
fn before_rotation(site: &Site, cart_bytes: usize) -> Browser {
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(cart_bytes));
    site.events.take();
    site.records.take_calls();
    browser
}

fn after_rotation(site: &Site) -> SessionManager {
    site.over(site.rotated()).store(site.records.clone()).build().unwrap()
}

#[test]
fn a_session_in_its_cookie_is_sealed_again_by_the_next_navigation_that_reads_it() {
    let site = Site::new();
    let mut browser = before_rotation(&site, 1);
    let store = after_rotation(&site);
    let in_background = browser.begin_in_background(&store, "empty");
    assert_eq!(in_background.session().get("user").unwrap(), Some(42));
    assert!(in_background.commit().set_cookies.is_empty());

    let before = site.opened(&store, &browser);
    site.events.take();
    assert_eq!(browser.get(&store, "user"), Some(42));
    let after = site.opened(&store, &browser);
    assert_ne!(after.key_id(), before.key_id());
    assert_eq!((after.public_id(), after.created()), (before.public_id(), before.created()));
    let resealed = Event::Resealed { id: after.public_id(), from: site.key.id() };
    assert!(site.events.take().contains(&resealed));
    assert!(browser.visit(&store, |session| session.has("user").unwrap()).1.set_cookies.is_empty());
}

#[test]
fn a_record_is_rewritten_when_its_cookie_is_sealed_again() {
    let site = Site::new();
    let mut browser = before_rotation(&site, LARGE);
    let store = after_rotation(&site);
    let (id, before) = crate::faulty_store::only(&site.records);
    assert_eq!(browser.get(&store, "user"), Some(42));
    assert_eq!(site.records.take_calls(), [Call::Load, Call::Update]);
    let (same_id, after) = crate::faulty_store::only(&site.records);
    assert_eq!(same_id, id);
    assert!(after.version > before.version);
    assert_ne!(after.bytes, before.bytes);
    assert_eq!(site.opened(&store, &browser).least_version(), Some(after.version));

    assert_eq!(browser.get(&store, "user"), Some(42));
    assert_eq!(site.records.take_calls(), [Call::Load]);
}

#[test]
fn once_sealed_again_a_session_needs_the_old_key_no_more() {
    let site = Site::new();
    let new = Key::generate().unwrap();
    let both = KeyRing::new(new.clone()).with_open_only(site.key.clone()).unwrap();
    let rotating = site.over(both).store(site.records.clone()).build().unwrap();
    let rotated = site.over(new).store(site.records.clone()).build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = before_rotation(&site, cart);
        browser.get(&rotating, "user");
        assert_eq!(browser.get(&rotated, "user"), Some(42));
    }
}

#[test]
fn a_session_that_was_not_sealed_again_in_time_is_of_an_unknown_key() {
    let site = Site::new();
    for cart in [1, LARGE] {
        let mut browser = before_rotation(&site, cart);
        let store = site.over(Key::generate().unwrap()).store(site.records.clone()).build().unwrap();
        assert_eq!(browser.get(&store, "user"), None);
        assert_eq!(site.events.take_reasons(), [Reason::UnknownKey]);
    }
}

#[test]
fn a_write_seals_under_the_new_key_and_says_so() {
    let site = Site::new();
    for cart in [1, LARGE] {
        let mut browser = before_rotation(&site, cart);
        let store = after_rotation(&site);
        browser.put(&store, "user", 43);
        assert_ne!(site.opened(&store, &browser).key_id(), site.key.id());
        assert!(site.events.take_names().contains(&"Resealed".to_owned()));
    }
}

#[test]
fn a_store_that_is_down_leaves_the_session_under_the_old_key() {
    let site = Site::new();
    let mut browser = before_rotation(&site, LARGE);
    let store = after_rotation(&site);
    let request = browser.begin(&store);
    assert!(!request.session().is_empty());
    site.records.go_down();
    assert!(request.commit().set_cookies.is_empty());
    site.records.come_up();
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_write_in_parallel_to_the_sealing_is_not_lost() {
    let site = Site::new();
    let mut browser = before_rotation(&site, LARGE);
    let store = after_rotation(&site);
    let reading = browser.begin(&store);
    assert!(!reading.session().is_empty());
    browser.put(&store, "user", 43);
    let resealed = reading.commit();
    browser.receive(&resealed);
    assert_eq!(browser.get(&store, "user"), Some(43));
}

#[test]
fn tokens_survive_the_rotation() {
    let site = Site::new();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&site.cookie_only().build().unwrap(), |session| session.csrf_token().unwrap());
    let store = after_rotation(&site);
    for _ in 0..2 {
        assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_ok());
    }
}
