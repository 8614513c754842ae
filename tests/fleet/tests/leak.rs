//! A key has leaked, and a thief mints sessions with it.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::time::Duration;

use sealed_session::sealer::Sealer;
use sealed_session::{Clock as _, Key, SystemClock};
use sealed_session_fleet_tests::{Fleet, Lifetimes, Person, Site, wait_until};

const LIFETIMES: Lifetimes = Lifetimes { idle_seconds: 600, absolute_seconds: 600, grace_seconds: 60 };
const AT_ONCE: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_secs(10);

/// A session that the shop would take for a user's, sealed with a stolen key.
fn minted(key: Key, user: &str) -> String {
    let now = SystemClock.now();
    let sealer = Sealer::builder(key).audience("sealed-session/demo").build().unwrap();
    let data = serde_json::json!({
        "user": { "name": user, "logged_in_at": now.to_rfc3339() },
        "visits": 1,
    });
    sealer.seal(&data, now).unwrap()
}

/// Who the shop on this port takes the owner of a cookie for.
fn user_of(cookie: &str, port: u16) -> Option<String> {
    let site = Site::new(port);
    site.set_session_cookie(cookie);
    site.open("/session").unwrap().user().map(str::to_owned)
}

#[test]
fn a_leak_is_answered_by_removing_the_key_and_ending_all_sessions() {
    let (mut fleet, operator) = Fleet::start("leak", LIFETIMES);
    let [leaked] = operator.key_ids().try_into().unwrap();
    let stolen = operator.leak(&leaked);
    let (next, next_seals_from) = operator.add(4, 2);
    fleet.deploy(&operator, AT_ONCE);
    let mut people: Vec<_> =
        (0..4).map(|number| Person::log_in(&format!("Person {number}"), fleet.port()).unwrap()).collect();
    wait_until("the next key seals everywhere", SOON, || fleet.all_say(&next, |key| key.state == "sealing"));

    // Before anybody knows: the thief is whoever he says, and comes out with a cookie under a key that he does not have.
    let forged = minted(stolen.clone(), "Person 0");
    for port in fleet.server_ports() {
        assert_eq!(user_of(&forged, port).as_deref(), Some("Person 0"));
    }
    let thief = Site::new(fleet.port());
    thief.set_session_cookie(&forged);
    assert_eq!(thief.open("/").unwrap().user(), Some("Person 0"));
    assert_eq!(thief.key_id().as_ref(), Some(&next));
    let laundered = thief.session_cookie().unwrap();

    // One clock and no delay here; where servers have their own, the instant is to lie two minutes behind the roll-out.
    wait_until("another second than the one of the key before", SOON, || SystemClock.now() > next_seals_from);
    let last = operator.add_now();
    operator.remove_by_force(&leaked);
    let not_before = operator.revoke_before(4);
    fleet.deploy(&operator, AT_ONCE);
    wait_until("no server has the leaked key", SOON, || fleet.none_has(&leaked));
    assert!(SystemClock.now() < not_before, "a server got its ring too late for this test");
    wait_until("all sessions are ended", SOON, || SystemClock.now() >= not_before);

    let forged_again = minted(stolen, "Person 0");
    for port in fleet.server_ports() {
        for cookie in [&forged, &forged_again, &laundered] {
            assert_eq!(user_of(cookie, port), None);
        }
        for person in &people {
            assert_eq!(user_of(&person.site().session_cookie().unwrap(), port), None);
        }
    }
    for person in &mut people {
        assert_eq!(person.site().open("/").unwrap().user(), None);
        person.log_in_again().unwrap();
        for _ in 0..4 {
            person.open_home().unwrap();
        }
        assert_eq!(person.site().key_id().as_ref(), Some(&last));
    }
    assert_eq!(fleet.proxy().failures(), 0);
}
