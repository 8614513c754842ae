//! Behaviour, section 2: out of the cookie when it is full, and back when there is room.

use sealed_session::{Session, SessionManager};

use crate::browser::Browser;
use crate::faulty_store::Call;
use crate::support::{COOKIE, LARGE, Site, line, text};

const INLINE_LIMIT: usize = 3072;

/// Puts so many bytes, and tells whether they are in the store.
fn is_in_store_with(browser: &mut Browser, site: &Site, store: &SessionManager, bytes: usize) -> bool {
    browser.put(store, "cart", text(bytes));
    site.opened(store, browser).is_reference()
}

/// The most bytes of the member `cart` with which this browser's session is in its cookie afterwards.
fn largest_inline(site: &Site, store: &SessionManager, browser: &Browser) -> usize {
    let (mut fits, mut too_large) = (0, LARGE);
    while fits + 1 < too_large {
        let middle = usize::midpoint(fits, too_large);
        let records = site.records.snapshot();
        let is_in_store = is_in_store_with(&mut browser.clone(), site, store, middle);
        site.records.restore(records);
        *if is_in_store { &mut too_large } else { &mut fits } = middle;
    }
    fits
}

#[test]
fn a_session_stays_in_its_cookie_while_the_whole_line_fits() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let largest = largest_inline(&site, &store, &site.browser());
    let response = site.browser().put(&store, "cart", text(largest));
    // A character of base64url carries six bits, and `Max-Age` may still grow to eight digits.
    let longest_max_age = "34560000".len() - "7200".len();
    assert!((INLINE_LIMIT - longest_max_age - 3..=INLINE_LIMIT).contains(&line(&response).len()));
}

#[test]
fn what_does_not_fit_goes_to_the_store_and_a_reference_into_the_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let inline = site.opened(&store, &browser);
    browser.put(&store, "cart", text(LARGE));
    let reference = site.opened(&store, &browser);
    assert!(reference.is_reference());
    assert!(browser.cookie().unwrap().len() <= 151);
    assert_eq!(reference.public_id(), inline.public_id());
    assert_eq!(reference.least_version(), Some(crate::faulty_store::only(&site.records).1.version));
    browser.visit(&store, |session| {
        assert_eq!(session.get("user").unwrap(), Some(42));
        assert_eq!(session.get("cart").unwrap(), Some(text(LARGE)));
    });
}

#[test]
fn a_record_holds_nothing_that_can_be_read() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    site.browser().put(&store, "cart", text(LARGE));
    let (_, record) = crate::faulty_store::only(&site.records);
    assert!(!record.bytes.windows(8).any(|bytes| bytes == b"xxxxxxxx"));
}

#[test]
fn a_session_comes_back_at_three_quarters_of_the_limit() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let longest_text = INLINE_LIMIT - "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=34560000".len();
    let mut browser = site.browser();
    assert!(is_in_store_with(&mut browser, &site, &store, LARGE));
    let largest_back = largest_inline(&site, &store, &browser);
    browser.put(&store, "cart", text(largest_back));
    let length = browser.cookie().unwrap().len();
    // Padding goes in steps of 32 bytes, 43 characters.
    assert!((longest_text * 3 / 4 - 43..=longest_text * 3 / 4).contains(&length), "{length} of {longest_text}");
}

#[test]
fn a_session_around_the_limit_does_not_flap() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let largest = largest_inline(&site, &store, &site.browser());
    let mut browser = site.browser();
    let moves: Vec<bool> = [largest, largest + 1, largest, largest + 1, largest - 100, largest + 100]
        .into_iter()
        .map(|bytes| is_in_store_with(&mut browser, &site, &store, bytes))
        .collect();
    assert_eq!(moves, [false, true, true, true, true, true]);
    assert!(!is_in_store_with(&mut browser, &site, &store, largest / 2));
    assert!(!is_in_store_with(&mut browser, &site, &store, largest));
}

#[test]
fn versions_grow_strictly_over_leaving_and_coming_back() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    let mut version = 0;
    // Within the grace of the closed record, and when it is forgotten; the second does not even pass in between.
    for pause in [0, 0, 30, 1, 500, 0] {
        for cart in [LARGE, LARGE + 1, 10] {
            browser.put(&store, "cart", text(cart));
            let (_, record) = crate::faulty_store::only(&site.records);
            assert!(record.version > version, "{} after {version}", record.version);
            version = record.version;
        }
        site.clock.advance_seconds(pause);
    }
}

#[test]
fn a_closed_record_is_replaced_and_never_merged_with() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    browser.put(&store, "old", 1);
    browser.visit(&store, |session| session.replace(&serde_json::json!({ "user": 42 })).unwrap());
    browser.put(&store, "user", 43);
    site.records.take_calls();
    browser.put(&store, "cart", text(LARGE));
    assert_eq!(site.records.take_calls(), [Call::Create, Call::Load, Call::Update]);
    browser.visit(&store, |session| {
        assert_eq!(session.get("user").unwrap(), Some(43));
        assert!(!session.has("old").unwrap());
    });
    assert_eq!(browser.visit(&store, |session| session.put("user", &44).unwrap()).1.set_cookies.len(), 1);
}

#[test]
fn a_closed_record_that_only_the_store_still_has_is_replaced_too() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    browser.put(&store, "cart", text(1));
    // Past its grace, within the skew that the store adds.
    site.clock.advance_seconds(90);
    assert_eq!(site.records.snapshot().len(), 1);
    assert!(is_in_store_with(&mut browser, &site, &store, LARGE));
    assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0);
}

#[test]
fn a_lowered_limit_ends_no_session() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "user", 42);
    browser.put(&site.with_records().build().unwrap(), "cart", text(1500));
    let lowered = site.with_records().inline_limit_bytes(1024).build().unwrap();
    assert_eq!(browser.get(&lowered, "user"), Some(42));
    browser.put(&lowered, "user", 43);
    assert!(site.opened(&lowered, &browser).is_reference());

    let mut reader = site.browser();
    reader.put(&site.cookie_only().build().unwrap(), "cart", text(2500));
    let without_store = site.cookie_only().inline_limit_bytes(1024).build().unwrap();
    assert!(reader.visit(&without_store, |session| session.has("cart").unwrap()).0);
}

#[test]
fn a_lowered_limit_ends_no_session_that_is_only_read() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", text(1500));
    let store = site.with_records().inline_limit_bytes(1024).build().unwrap();
    for _ in 0..10 {
        site.clock.advance_seconds(5000);
        assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0);
    }
    assert!(site.opened(&store, &browser).is_reference());
}

#[test]
fn where_the_store_is_down_a_renewal_that_would_move_a_session_is_left_out() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", text(1500));
    let store = site.with_records().inline_limit_bytes(1024).build().unwrap();
    site.clock.advance_seconds(5000);
    site.records.go_down();
    let (_, response) = browser.visit(&store, |session| assert!(!session.is_empty()));
    assert!(response.set_cookies.is_empty());
    assert!(site.events.take_names().contains(&"RenewalSkipped".to_owned()));
    assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0);
}

#[test]
fn a_session_moves_to_the_store_under_a_new_id_in_one_request() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let before = site.opened(&store, &browser).public_id();
    let login = |session: &Session| {
        session.regenerate_and_reset_lifetime().unwrap();
        session.put("cart", &text(LARGE)).unwrap();
    };
    site.clock.advance_seconds(5);
    browser.visit(&store, login);
    let after = site.opened(&store, &browser);
    assert!(after.is_reference() && after.public_id() != before);
    assert_eq!(after.created(), site.now());
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn an_older_cookie_of_the_browser_opens_what_it_held() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 1);
    let older = browser.cookie().unwrap().to_owned();
    browser.put(&store, "cart", text(LARGE));
    let mut replayed = site.browser();
    replayed.plant(COOKIE, &older);
    // Inline cookies have no server state: the guide says so, and offers `StoreOnly`.
    assert_eq!(replayed.get(&store, "user"), Some(1));
}
