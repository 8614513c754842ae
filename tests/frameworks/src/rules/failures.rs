//! Failures of the store, of handlers, and of sizes.

use crate::{Differences, Panic, Site};

pub fn a_store_that_is_down_is_an_empty_503_and_nobody_is_logged_out(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    client.fill_cart(10_000);
    let cookie = client.cookie();

    // When the session is asked for.
    site.parts.records.go_down();
    for path in ["/", "/prices", "/stream", "/administration"] {
        let answer = client.open(path);
        assert_eq!((answer.status, answer.text.as_str()), (503, ""), "{path} {answer:?}");
        assert_eq!((answer.values("set-cookie").len(), client.cookie() == cookie), (0, true), "{path}");
    }
    // A page that does not ask is none the worse.
    assert_eq!(client.open("/about").status, 200);

    // When it is to be written: the page is ready, and must not tell of something that is not so.
    site.parts.records.come_up();
    site.parts.records.go_down_after(1);
    let answer = client.open("/theme");
    assert_eq!((answer.status, answer.text.as_str()), (503, ""), "{answer:?}");
    assert_eq!((answer.values("set-cookie").len(), client.cookie() == cookie), (0, true));

    site.parts.records.come_up();
    let home = client.open("/");
    assert_eq!((home.element("name"), home.element("cart")), (Some("zoe"), Some("10000")));
    assert_eq!(home.element("visits"), Some("2"));
}

pub fn a_session_that_fits_nowhere_is_an_empty_500(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    let answer = client.fill_in("/", "/cart", &[("bytes", "90000")]);
    assert_eq!((answer.status, answer.text.as_str()), (500, ""));
    assert_eq!(answer.values("set-cookie"), [""; 0]);
    assert_eq!(client.open("/").element("cart"), Some("0"));
}

pub fn what_a_failing_handler_wrote_is_kept(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    assert_eq!(client.open("/fail").status, 500);
    assert_eq!(client.open("/").element("failures"), Some("1"));
}

pub fn a_panic_does_not_log_anybody_out(site: &Site, differences: Differences) {
    let client = site.logged_in("zoe");
    let answer = client.try_open("/panic");
    let home = client.open("/");
    assert_eq!(home.element("name"), Some("zoe"));
    match differences.panic {
        Panic::ConnectionClosed => {
            assert_eq!((answer.map(|answer| answer.status), home.element("failures")), (None, Some("0")))
        }
        Panic::AnsweredAndKept => {
            assert_eq!((answer.map(|answer| answer.status), home.element("failures")), (Some(500), Some("1")));
        }
    }
    // Nor does it take the server along.
    assert_eq!(site.logged_in("max").name().as_deref(), Some("max"));
}
