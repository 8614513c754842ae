//! Wire format, section 4, step 9: the clocks of two servers differ, by a minute at most.

use sealed_session::testing::ManualClock;

use crate::support::{LARGE, Site, text};

#[test]
fn a_server_whose_clock_is_behind_writes_what_both_servers_open() {
    let site = Site::new();
    let ahead = site.with_records().build().unwrap();
    let slow_clock = ManualClock::at_unix_seconds(site.now().unix_seconds() - 30);
    let behind = site.with_records().clock(slow_clock).build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&ahead, "cart", text(cart));
        browser.put(&behind, "user", 42);
        assert_eq!(browser.get(&behind, "user"), Some(42));
        assert_eq!(browser.get(&ahead, "user"), Some(42));
        browser.visit(&behind, |session| session.regenerate().unwrap());
        assert_eq!(browser.get(&ahead, "user"), Some(42));
    }
}

#[test]
fn a_server_whose_clock_is_behind_never_repeats_a_version() {
    let site = Site::new();
    let ahead = site.with_records().build().unwrap();
    let slow_clock = ManualClock::at_unix_seconds(site.now().unix_seconds() - 30);
    let behind = site.with_records().clock(slow_clock).build().unwrap();
    let mut browser = site.browser();
    browser.put(&ahead, "cart", text(LARGE));
    let mut version = crate::faulty_store::only(&site.records).1.version;
    for store in [&behind, &behind, &ahead, &behind] {
        browser.visit(store, |session| {
            session.increment("visits", 1).unwrap();
        });
        let next = crate::faulty_store::only(&site.records).1.version;
        assert!(next > version);
        version = next;
    }
    assert_eq!(browser.get(&ahead, "visits"), Some(4));
}

#[test]
fn a_clock_that_is_set_back_by_the_skew_logs_nobody_out() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        browser.put(&store, "cart", text(cart));
        site.clock.set_unix_seconds(site.now().unix_seconds() - 60);
        browser.put(&store, "cart", text(cart + 1));
        assert_eq!(browser.get(&store, "user"), Some(42));
    }
}
