//! After a leak: how long behind the last reload `not_before` has to lie, to the second.

use sealed_session::Suite;

use crate::fleet::{Fleet, RollOut, SERVERS};
use crate::laws::seal;
use crate::schedule::{Act, Visit};
use crate::spec::{GRACE, SKEW};

/// A request that only reads, at this server.
fn reading(server: usize) -> Visit {
    Visit { server, act: Act::Read, is_navigation: true, takes_seconds: 0, reloads_meanwhile: false }
}

/// Whether a session that a thief made is found when `not_before` has come on all clocks.
///
/// The worst that he can do: the last server to lose his key has the fastest clock, takes what was sealed as far ahead of it
/// as a clock may be, and seals it again under the key that stays. `not_before` is counted on the slowest clock.
fn survives(not_before_behind_last_reload: u64) -> bool {
    let mut fleet = Fleet::new(RollOut::InTime, false, [0, 0, SKEW, 0]);
    let last = 1;
    fleet.add_key(Suite::Xaes, 0);
    fleet.wait(fleet.begins[1] - fleet.now);
    // In the second before its reload.
    let created = fleet.servers[last].now() + SKEW;
    assert!(created <= fleet.begins[1] + GRACE);
    let mut thief = seal(&fleet, 0, created, Some(crate::spec::REMEMBER_MAX));
    fleet.visit(&mut thief, reading(last));
    assert_eq!(thief.kept.as_ref().unwrap().cookie.key, 1, "laundered");

    fleet.wait(1);
    fleet.take_out(0, not_before_behind_last_reload, false);
    (0..SERVERS).for_each(|server| fleet.reload(server));
    fleet.wait(not_before_behind_last_reload);
    let found = (0..SERVERS).map(|server| fleet.finds(&thief, server)).collect::<Vec<_>>();
    assert!(found.iter().all(|is_found| *is_found == found[0]), "one answer from all servers");
    found[0]
}

#[test]
fn two_minutes_behind_the_last_reload_end_everything_and_a_second_less_does_not() {
    assert!(survives(2 * SKEW - 1));
    for behind in [2 * SKEW, 2 * SKEW + 1, 3 * SKEW] {
        assert!(!survives(behind), "{behind} s");
    }
}

#[test]
fn a_removal_without_not_before_ends_nothing_that_was_sealed_again() {
    let mut fleet = Fleet::new(RollOut::InTime, false, [0; SERVERS + 1]);
    fleet.add_key(Suite::XChaCha, 0);
    fleet.wait(fleet.begins[1] - fleet.now);
    let [mut sealed_again, as_it_was] = [0; 2].map(|ahead| seal(&fleet, 0, fleet.now + ahead, None));
    fleet.visit(&mut sealed_again, reading(0));
    let mut ring = fleet.published.last().unwrap().ring.clone();
    ring.entries.retain(|entry| entry.key != 0);
    fleet.publish(ring, None);
    (0..SERVERS).for_each(|server| fleet.reload(server));
    assert!(fleet.finds(&sealed_again, 1) && !fleet.finds(&as_it_was, 1));
}

#[test]
fn neither_a_login_nor_a_write_carries_what_a_thief_made_over_not_before() {
    for act in [Act::Login, Act::Write] {
        let mut fleet = Fleet::new(RollOut::InTime, false, [0, 0, SKEW, 0]);
        fleet.add_key(Suite::Xaes, 0);
        fleet.wait(fleet.begins[1] - fleet.now);
        let mut thief = seal(&fleet, 0, fleet.now, None);
        fleet.visit(&mut thief, reading(0));
        fleet.take_out(0, 10, false);
        (0..SERVERS).for_each(|server| fleet.reload(server));
        fleet.wait(9);
        // Opened in the last second before `not_before`, and sealed behind it.
        thief.stolen_key = None;
        fleet.visit(&mut thief, Visit { act, takes_seconds: 5, ..reading(0) });
        assert!(thief.kept.as_ref().unwrap().cookie.issued > fleet.ring_of(0).not_before.unwrap());
        assert!((0..SERVERS).all(|server| !fleet.finds(&thief, server)), "{act:?}");
    }
}

#[test]
fn an_end_of_its_own_closes_a_stolen_key_on_each_server_by_its_clock() {
    let mut fleet = Fleet::new(RollOut::InTime, false, [0, 0, SKEW, 30]);
    fleet.add_key(Suite::Xaes, 0);
    fleet.wait(fleet.begins[1] - fleet.now);
    let thief = seal(&fleet, 0, fleet.now, None);
    fleet.take_out(0, 5000, true);
    (0..SERVERS).for_each(|server| fleet.reload(server));
    let end = fleet.now + crate::operator::ROLL_OUT;
    for _ in 0..=crate::operator::ROLL_OUT {
        for server in 0..SERVERS {
            assert_eq!(fleet.finds(&thief, server), fleet.servers[server].now() < end);
        }
        fleet.wait(1);
    }
}

#[test]
fn who_logs_in_once_not_before_has_come_stays_logged_in_everywhere() {
    let mut fleet = Fleet::new(RollOut::InTime, false, [0, 0, SKEW, 0]);
    fleet.add_key(Suite::Xaes, 0);
    fleet.wait(fleet.begins[1] - fleet.now);
    fleet.take_out(0, 2 * SKEW, false);
    (0..SERVERS).for_each(|server| fleet.reload(server));
    fleet.wait(SKEW);
    // It has come on the fastest clock alone.
    let mut user = crate::visits::Browser::default();
    fleet.visit(&mut user, Visit { act: Act::Write, ..reading(1) });
    for _ in 0..2 * SKEW {
        assert!((0..SERVERS).all(|server| fleet.finds(&user, server)));
        fleet.wait(1);
    }
}
