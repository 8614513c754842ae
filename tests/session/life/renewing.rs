//! When a session that was only used lives on: no policy gives less than half of the idle time.

use std::time::Duration;

use sealed_session::events::Event;
use sealed_session::{Key, KeyRing, Lifetimes, Renewal, Session, SessionManager, SessionManagerBuilder};

use super::later;
use crate::browser::{Browser, Request, Response};
use crate::support::{LARGE, Site, max_age, text};

const IDLE: u64 = 1200;
const NAVIGATIONS: [&str; 3] = ["document", "iframe", "frame"];
const PARTS: [&str; 6] = ["image", "style", "script", "font", "worker", "manifest"];

fn with_idle_time(builder: SessionManagerBuilder) -> SessionManager {
    builder.lifetimes(Lifetimes::default().idle_timeout(Duration::from_secs(IDLE))).build().unwrap()
}

/// A browser whose session is in its cookie or in a record.
fn browser(site: &Site, manager: &SessionManager, is_in_record: bool) -> Browser {
    let mut browser = site.browser();
    browser.visit(manager, |session| {
        session.put("user", &42).unwrap();
        session.put("cart", &text(if is_in_record { LARGE } else { 1 })).unwrap();
    });
    assert_eq!(site.opened(manager, &browser).is_reference(), is_in_record);
    browser
}

fn reading(request: Request) -> Response {
    assert_eq!(request.session().get("user").unwrap(), Some(42));
    request.commit()
}

/// Whether a request for this keeps a session of any age alive for so long.
fn gives(renewal: Renewal, is_in_record: bool, destination: &str, seconds: u64) -> bool {
    [1, IDLE / 4, IDLE / 2 - 1, IDLE / 2, IDLE / 2 + 1, IDLE / 4 * 3, IDLE - 1].into_iter().all(|age_seconds| {
        let site = Site::new();
        let manager = with_idle_time(site.with_records().renewal(renewal));
        let mut browser = browser(&site, &manager, is_in_record);
        site.clock.advance_seconds(age_seconds);
        browser.receive(&reading(browser.begin_in_background(&manager, destination)));
        site.clock.advance_seconds(seconds - 1);
        browser.get(&manager, "user") == Some(42)
    })
}

#[test]
fn with_every_response_pages_and_frames_give_the_whole_idle_time() {
    for is_in_record in [false, true] {
        for destination in NAVIGATIONS {
            assert!(gives(Renewal::EveryResponse, is_in_record, destination, IDLE), "{destination}");
        }
    }
}

#[test]
fn with_every_response_every_request_gives_a_session_in_a_record_the_whole_idle_time() {
    for destination in NAVIGATIONS.into_iter().chain(["empty"]).chain(PARTS) {
        assert!(gives(Renewal::EveryResponse, true, destination, IDLE), "{destination}");
    }
}

#[test]
fn with_every_response_fetches_give_a_session_in_its_cookie_half_of_the_idle_time() {
    assert!(gives(Renewal::EveryResponse, false, "empty", IDLE / 2));
}

#[test]
fn by_half_life_pages_frames_and_fetches_give_half_of_the_idle_time() {
    for is_in_record in [false, true] {
        for destination in NAVIGATIONS.into_iter().chain(["empty"]) {
            assert!(gives(Renewal::HalfLife, is_in_record, destination, IDLE / 2), "{destination}");
        }
    }
}

#[test]
fn a_request_without_the_header_counts_as_a_page() {
    for renewal in [Renewal::HalfLife, Renewal::EveryResponse] {
        let site = Site::new();
        let manager = with_idle_time(site.cookie_only().renewal(renewal));
        let browser = browser(&site, &manager, false);
        site.clock.advance_seconds(IDLE / 2 + 1);
        assert_eq!(max_age(&reading(browser.begin(&manager))), Some(IDLE));
    }
}

#[test]
fn parts_of_a_page_never_renew_a_session_in_its_cookie() {
    for renewal in [Renewal::HalfLife, Renewal::EveryResponse, Renewal::OnWrite] {
        let site = Site::new();
        let manager = with_idle_time(site.with_records().renewal(renewal));
        let browser = browser(&site, &manager, false);
        site.clock.advance_seconds(IDLE - 1);
        for destination in PARTS {
            let response = reading(browser.begin_in_background(&manager, destination));
            assert!(response.set_cookies.is_empty(), "{renewal:?}, {destination}");
        }
    }
}

#[test]
fn by_half_life_parts_of_a_page_do_not_renew_a_session_in_a_record_either() {
    let site = Site::new();
    let manager = with_idle_time(site.with_records());
    let browser = browser(&site, &manager, true);
    site.clock.advance_seconds(IDLE - 1);
    for destination in PARTS {
        assert!(reading(browser.begin_in_background(&manager, destination)).set_cookies.is_empty(), "{destination}");
    }
}

#[test]
fn a_part_of_a_page_that_writes_is_written() {
    let site = Site::new();
    let manager = with_idle_time(site.cookie_only());
    let browser = browser(&site, &manager, false);
    for destination in PARTS {
        let request = browser.begin_in_background(&manager, destination);
        request.session().put("seen", &1).unwrap();
        assert_eq!(max_age(&request.commit()), Some(IDLE));
    }
}

#[test]
fn on_write_renews_nothing_that_was_only_read() {
    for is_in_record in [false, true] {
        for destination in NAVIGATIONS.into_iter().chain(["empty", "image"]) {
            let site = Site::new();
            let manager = with_idle_time(site.with_records().renewal(Renewal::OnWrite));
            let browser = browser(&site, &manager, is_in_record);
            site.clock.advance_seconds(IDLE - 1);
            assert!(reading(browser.begin_in_background(&manager, destination)).set_cookies.is_empty());
        }
    }
}

#[test]
fn a_fetch_sends_no_data_of_a_session_that_has_more_than_half_of_its_time() {
    for renewal in [Renewal::HalfLife, Renewal::EveryResponse] {
        let site = Site::new();
        let manager = with_idle_time(site.cookie_only().renewal(renewal));
        let mut browser = browser(&site, &manager, false);
        site.clock.advance_seconds(IDLE / 2);
        let slow = browser.begin_in_background(&manager, "empty");
        assert_eq!(slow.session().get("user").unwrap(), Some(42));
        browser.put(&manager, "user", 43);
        browser.receive(&slow.commit());
        assert_eq!(browser.get(&manager, "user"), Some(43));
    }
}

#[test]
fn a_read_that_failed_is_no_use() {
    let reads: [fn(&Session); 6] = [
        |session| assert!(session.get::<String>("user").is_err()),
        |session| assert!(session.get_or("user", String::new()).is_err()),
        |session| assert!(session.get_time("user").is_err()),
        |session| assert!(session.read::<Vec<u8>>().is_err()),
        |session| assert!(session.pull::<String>("user").is_err()),
        |session| assert!(session.increment("cart", 1).is_err()),
    ];
    for is_in_record in [false, true] {
        for read in reads {
            let site = Site::new();
            let manager = with_idle_time(site.with_records());
            let mut browser = browser(&site, &manager, is_in_record);
            site.clock.advance_seconds(IDLE - 100);
            assert!(browser.visit(&manager, read).1.set_cookies.is_empty());
            site.clock.advance_seconds(100);
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

#[test]
fn a_read_that_failed_spoils_no_good_one() {
    let site = Site::new();
    let manager = with_idle_time(site.cookie_only());
    let mut browser = browser(&site, &manager, false);
    site.clock.advance_seconds(IDLE - 100);
    let (_, response) = browser.visit(&manager, |session| {
        assert!(session.get::<String>("user").is_err());
        assert_eq!(session.get("user").unwrap(), Some(42));
    });
    assert_eq!(max_age(&response), Some(IDLE));
}

#[test]
fn a_handler_that_cannot_read_what_an_older_version_wrote_can_end_it_or_begin_anew() {
    #[derive(serde::Deserialize)]
    struct Two {
        #[expect(dead_code, reason = "a field that the older version does not have")]
        account: u64,
    }
    let site = Site::new();
    for manager in [site.cookie_only().build().unwrap(), site.with_records().build().unwrap()] {
        let mut ended = browser(&site, &manager, false);
        let mut replaced = ended.clone();
        ended.visit(&manager, |session| {
            assert!(session.read::<Two>().is_err());
            session.destroy().unwrap();
        });
        assert_eq!(ended.cookie(), None);
        later(&site);
        replaced.restart();
        let mut replaced = browser(&site, &manager, false);
        replaced.visit(&manager, |session| {
            assert!(session.read::<Two>().is_err());
            session.replace(&serde_json::json!({ "account": 7 })).unwrap();
        });
        assert!(replaced.visit(&manager, |session| session.read::<Two>().is_ok()).0);
    }
}

/// A session under a key that has been superseded since, so long ago, and the manager over the new ring.
fn superseded(renewal: Renewal, is_in_record: bool, age_seconds: u64) -> (Site, SessionManager, Browser) {
    let site = Site::new();
    let browser = browser(&site, &with_idle_time(site.with_records()), is_in_record);
    site.clock.advance_seconds(age_seconds);
    let ring = KeyRing::new(Key::generate().unwrap()).with_open_only(site.key.clone()).unwrap();
    let manager = with_idle_time(site.over(ring).store(site.records.clone()).renewal(renewal));
    site.events.take();
    (site, manager, browser)
}

/// Whether a request that reads gets its session under the new key.
fn is_resealed(renewal: Renewal, is_in_record: bool, age_seconds: u64, destination: &str) -> bool {
    let (site, manager, mut browser) = superseded(renewal, is_in_record, age_seconds);
    let response = reading(browser.begin_in_background(&manager, destination));
    browser.receive(&response);
    let opened = site.opened(&manager, &browser);
    let is_told = site.events.take().contains(&Event::Resealed { id: opened.public_id(), from: site.key.id() });
    assert_eq!(is_told, opened.key_id() != site.key.id());
    is_told
}

#[test]
fn a_superseded_key_is_left_with_any_page_and_below_half_with_fetches() {
    for renewal in [Renewal::HalfLife, Renewal::OnWrite] {
        for is_in_record in [false, true] {
            for destination in NAVIGATIONS {
                assert!(is_resealed(renewal, is_in_record, 1, destination), "{renewal:?}, {destination}");
            }
            assert!(!is_resealed(renewal, is_in_record, IDLE / 2, "empty"));
            assert!(is_resealed(renewal, is_in_record, IDLE / 2 + 1, "empty"));
            assert!(!is_resealed(renewal, is_in_record, IDLE - 1, "image"));
        }
    }
}
