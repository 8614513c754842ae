//! A rotation as the documentation has it, while people use the shop.

use std::time::Duration;

use sealed_session::{Clock as _, SystemClock};
use sealed_session_fleet_tests::{Crowd, Fleet, Lifetimes, Person, wait_until};

const LIFETIMES: Lifetimes = Lifetimes { idle_seconds: 14, absolute_seconds: 14, grace_seconds: 4 };
/// What the third server is late by: less than what the new key waits for, which is the bound.
const LATE: Duration = Duration::from_secs(3);
const LEAD_SECONDS: u64 = 8;
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_rotation_under_load_logs_nobody_out_and_leaves_the_old_key_to_nobody() {
    let (mut fleet, operator) = Fleet::start("rotation", LIFETIMES);
    let [old] = operator.key_ids().try_into().unwrap();
    // Everybody's session ends, as the shop's sessions do, by a logout.
    let crowd = Crowd::start(12, fleet.port(), Duration::from_secs(11), Duration::from_millis(100));
    crowd.require_key(&old);
    crowd.go_on_for(6);

    let (new, seal_from) = operator.add(LEAD_SECONDS, LATE.as_secs());
    fleet.deploy(&operator, LATE);
    wait_until("every server has the new key", SOON, || fleet.all_say(&new, |key| key.state == "pending"));
    assert!(SystemClock.now() < seal_from, "a server got its ring too late for this test");
    // Somebody who stays away while the new key begins.
    let absent = Person::log_in("Absent", fleet.port()).unwrap();
    assert_eq!(absent.site().key_id().as_ref(), Some(&old));

    crowd.allow_any_key();
    wait_until("the new key seals everywhere", SOON, || fleet.all_say(&new, |key| key.state == "sealing"));
    crowd.require_key(&new);
    crowd.go_on_for(6);
    assert!(fleet.all_say(&old, |key| key.state == "opening" && !key.is_safe_to_remove));
    assert!(operator.may_not_remove(&old));

    assert_eq!(absent.site().key_id().as_ref(), Some(&old));
    absent.open_profile().unwrap();
    assert_eq!(absent.site().key_id().as_ref(), Some(&new));

    let limit = Duration::from_secs(2 * LIFETIMES.absolute_seconds);
    wait_until("nothing needs the old key", limit, || fleet.all_say(&old, |key| key.is_safe_to_remove));
    wait_until("the old key has expired", limit, || fleet.all_say(&old, |key| key.state == "expired"));
    operator.remove(&old);
    fleet.deploy(&operator, LATE);
    wait_until("no server has the old key", SOON, || fleet.none_has(&old));
    crowd.go_on_for(6);
    assert!(fleet.all_say(&new, |key| key.state == "sealing" && key.refused == 0));

    let footprints = crowd.end();
    for footprint in &footprints {
        assert_eq!(footprint.servers.len(), 3, "{footprint:?}");
        assert!(footprint.logins > 1 && footprint.keys.len() == 2, "{footprint:?}");
    }
    assert_eq!(fleet.proxy().failures(), 0);
    let pages: usize = footprints.iter().map(|footprint| footprint.pages).sum();
    assert!(fleet.proxy().requests() > pages && pages > 12 * 18, "{pages} pages");
}
