//! Behaviour, section 6: every reason code is reached.

use sealed_session::events::Event;
use sealed_session::{Key, KeyRing, Placement, Reason, RequestFacts, RingEntry};

use crate::support::{COOKIE, LARGE, Site, text};

/// What a site tells of the last request of this scenario.
fn told_by(reason: Reason) -> Vec<Reason> {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let value = browser.cookie().unwrap().to_owned();
    let visit = |store, value: &str| {
        let mut browser = site.browser();
        browser.plant(COOKIE, value);
        site.events.take();
        let _ = browser.begin(store).try_session();
        site.events.take_reasons()
    };
    match reason {
        Reason::Absent => {
            site.events.take();
            site.browser().begin(&store).session();
            site.events.take_reasons()
        }
        Reason::Malformed => visit(&store, "junk"),
        Reason::UnknownVersion => visit(&store, &format!("Ag{}", &value[2..])),
        Reason::UnknownKey => visit(&site.over(Key::generate().unwrap()).build().unwrap(), &value),
        Reason::Unauthentic => visit(&site.with_records().audience("another").build().unwrap(), &value),
        Reason::NotYetValid => {
            site.clock.set_unix_seconds(site.now().unix_seconds() - 61);
            visit(&store, &value)
        }
        Reason::ExpiredIdle => {
            site.clock.advance_seconds(7200);
            visit(&store, &value)
        }
        Reason::ExpiredAbsolute => {
            for _ in 0..30 * 24 - 1 {
                site.clock.advance_seconds(3601);
                browser.put(&store, "user", site.now().unix_seconds());
            }
            let value = browser.cookie().unwrap().to_owned();
            site.clock.advance_seconds(3600);
            visit(&store, &value)
        }
        Reason::RecordMissing => {
            browser.put(&store, "cart", text(LARGE));
            site.records.restore(<_>::default());
            visit(&store, browser.cookie().unwrap())
        }
        Reason::RecordStale => {
            browser.put(&store, "cart", text(LARGE));
            let older = site.records.snapshot();
            browser.put(&store, "user", 43);
            site.records.restore(older);
            visit(&store, browser.cookie().unwrap())
        }
        Reason::Ambiguous => {
            let mut other = site.browser();
            other.put(&store, "user", 43);
            let header = format!("{COOKIE}={value}; {COOKIE}={}", other.cookie().unwrap());
            site.events.take();
            let pending = store.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
            pollster::block_on(pending.session()).unwrap();
            site.events.take_reasons()
        }
        Reason::TooLarge => {
            let store = site.cookie_only().build().unwrap();
            site.events.take();
            browser.visit_in_vain(&store, |session| session.put("cart", &text(LARGE)).unwrap());
            site.events.take_reasons()
        }
        Reason::Payload => visit(&site.with_records().placement(Placement::StoreOnly).build().unwrap(), &value),
        Reason::KeyRetired => {
            let retired = RingEntry::new(site.key.clone()).open_only().open_until(site.now());
            visit(
                &site.over(KeyRing::from_entries([Key::generate().unwrap().into(), retired]).unwrap()).build().unwrap(),
                &value,
            )
        }
        Reason::Revoked => {
            site.clock.advance_seconds(1);
            visit(&site.over(KeyRing::new(site.key.clone()).with_not_before(site.now())).build().unwrap(), &value)
        }
        // Nothing is told: a reason without a scenario fails the rule below.
        _ => Vec::new(),
    }
}

#[test]
fn every_reason_is_reached() {
    for reason in Reason::ALL {
        assert_eq!(told_by(reason), [reason]);
    }
}

#[test]
fn the_codes_are_distinct_and_in_lower_case() {
    let codes: std::collections::BTreeSet<_> = Reason::ALL.map(Reason::as_str).into();
    assert_eq!(codes.len(), Reason::ALL.len());
    assert!(codes.iter().all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
}

#[test]
fn a_session_too_large_to_save_is_told_with_its_reason_before_the_failure() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("cart", &text(LARGE)).unwrap();
    for fails in [true, false] {
        site.events.take();
        let failed = if fails { pollster::block_on(session.save()).is_err() } else { request.try_commit().is_err() };
        assert!(failed);
        let told = site.events.take();
        assert_eq!(told[0], Event::Rejected { reason: Reason::TooLarge });
        assert!(matches!(told[1..], [Event::CommitFailed { .. }]));
    }
}
