//! Behaviour, section 2: sessions that stay in their cookies always, or in the store always.

use sealed_session::{CommitError, Placement, Reason};

use crate::faulty_store::Call;
use crate::support::{LARGE, Site, text};

#[test]
fn without_a_store_what_does_not_fit_is_an_error_that_names_the_largest_keys() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let before = browser.cookie().unwrap().to_owned();
    let error = browser.visit_in_vain(&store, |session| {
        session.put("basket", &text(3000)).unwrap();
        session.put("draft", &text(100)).unwrap();
    });
    assert_eq!(error.status_code(), 500);
    let shown = error.to_string();
    let CommitError::TooLarge { payload_bytes, payload_max_bytes, largest_keys } = error else {
        panic!("{shown}");
    };
    assert_eq!(payload_bytes, r#"{"basket":"","draft":"","user":42}"#.len() + 3100);
    assert_eq!(payload_max_bytes, 2979);
    let expected = [("basket", 3011), ("draft", 110), ("user", 9)].map(|(key, bytes)| (key.to_owned(), bytes));
    assert_eq!(largest_keys, expected);
    assert!(shown.contains("basket") && !shown.contains("xxx"), "{shown}");

    assert_eq!(browser.cookie(), Some(before.as_str()));
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn at_most_five_keys_are_named() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let error = site.browser().visit_in_vain(&store, |session| {
        for number in 0..50 {
            session.put(format!("key{number}").as_str(), &text(100)).unwrap();
        }
    });
    assert!(matches!(error, CommitError::TooLarge { largest_keys, .. } if largest_keys.len() == 5));
}

#[test]
fn the_largest_payload_fits_and_one_byte_more_does_not() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let most = store.sealer().payload_max_bytes() - r#"{"a":""}"#.len();
    let mut browser = site.browser();
    browser.put(&store, "a", text(most));
    assert_eq!(browser.cookie().unwrap().len() + store.cookie_name().len(), 4096);
    browser.visit_in_vain(&store, |session| session.put("a", &text(most + 1)).unwrap());
}

#[test]
fn a_session_too_large_for_its_record_is_an_error_and_writes_nothing() {
    let site = Site::new();
    let store = site.with_records().record_limit_bytes(4000).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let error = browser.visit_in_vain(&store, |session| session.put("cart", &text(LARGE)).unwrap());
    assert!(matches!(error, CommitError::TooLarge { payload_max_bytes: 4000, .. }));
    assert!(site.records.take_calls().is_empty());
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn cookie_only_beside_a_store_names_the_limit_of_the_cookie() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::CookieOnly).build().unwrap();
    let error = site.browser().visit_in_vain(&store, |session| session.put("cart", &text(LARGE)).unwrap());
    let most = store.sealer().payload_max_bytes();
    assert!(matches!(error, CommitError::TooLarge { payload_max_bytes, .. } if payload_max_bytes == most), "{error}");
    assert!(site.records.take_calls().is_empty());
}

#[test]
fn cookie_only_beside_a_store_takes_sessions_out_of_it() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", text(LARGE));
    let store = site.with_records().placement(Placement::CookieOnly).build().unwrap();
    browser.visit(&store, |session| session.replace(&serde_json::json!({ "user": 42 })).unwrap());
    assert!(!site.opened(&store, &browser).is_reference());
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn store_only_keeps_the_smallest_session_in_the_store() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    assert!(site.opened(&store, &browser).is_reference());
    assert_eq!(site.records.take_calls(), [Call::Create]);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn store_only_begins_an_empty_session_in_its_cookie_and_keeps_an_emptied_one_in_its_record() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    assert!(site.records.take_calls().is_empty());
    assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_ok());
    browser.put(&store, "user", 42);
    browser.visit(&store, |session| {
        session.clear().unwrap();
        assert!(session.csrf_token().is_ok());
        assert!(session.verify_csrf(Some(&token)).is_ok());
    });
    assert!(site.opened(&store, &browser).is_reference());
    assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_ok());
}

#[test]
fn store_only_refuses_what_another_placement_left_in_a_cookie() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "user", 42);
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    site.events.take();
    assert_eq!(browser.get(&store, "user"), None);
    assert_eq!(site.events.take_reasons(), [Reason::Payload]);
}

#[test]
fn store_only_takes_sessions_in_their_cookies_until_the_instant_and_moves_what_is_written() {
    let site = Site::new();
    let spill = site.with_records().build().unwrap();
    let (mut writer, mut late) = (site.browser(), site.browser());
    writer.put(&spill, "user", 42);
    late.put(&spill, "user", 43);
    let until = site.now().saturating_add_seconds(600);
    let store = site.with_records().placement(Placement::StoreOnly).accept_inline_until(until).build().unwrap();
    site.clock.advance_seconds(599);
    assert_eq!(writer.get(&store, "user"), Some(42));
    writer.put(&store, "visits", 1);
    assert!(site.opened(&store, &writer).is_reference());
    site.clock.advance_seconds(1);
    assert_eq!(writer.get(&store, "user"), Some(42));
    assert_eq!(late.get(&store, "user"), None);
}

#[test]
fn a_move_to_store_only_logs_nobody_out_who_only_reads() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "user", 42);
    let until = site.now().saturating_add_seconds(10_000);
    let store = site.with_records().placement(Placement::StoreOnly).accept_inline_until(until).build().unwrap();
    for _ in 0..10 {
        site.clock.advance_seconds(5000);
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}

#[test]
fn under_store_only_an_older_cookie_shows_no_older_data() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "credit", 100);
    let mut older = browser.clone();
    browser.put(&store, "credit", 0);
    assert_eq!(older.get(&store, "credit"), Some(0));
}
