//! A session leaves a record in two steps, the second of which is an HTTP response: whichever of them fails, or is not known
//! to have happened, the user goes on or logs in again, and nothing is destroyed.

use pollster::block_on;
use sealed_session::events::{Event, Observer};
use sealed_session::{Placement, ResponseFacts, Session, SessionManager};

use super::interrupted::{Interrupted, Meets, creates, give_up, time_limits, updates, writes};
use super::{after, in_record, inline, later, regenerates, returned, returns, with_store};
use crate::browser::Browser;
use crate::faulty_store::Call;
use crate::support::{COOKIE, LARGE, Site, ignore, records_with_data, text};

/// Longer than a record that a login has left can be read.
const BEYOND_GRACE_SECONDS: u64 = 11;

fn interrupted(placement: Placement) -> (Site, Interrupted, SessionManager) {
    let site = Site::new();
    let store = Interrupted::new(&site);
    let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
    (site, store, manager)
}

fn logs_in(session: &Session) {
    session.regenerate_and_reset_lifetime().unwrap();
    session.put("user", &42).unwrap();
}

#[test]
fn a_login_whose_old_record_was_not_left_in_time_destroys_nothing_and_can_be_repeated() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (limit, happened) in time_limits() {
            let (site, store, manager) = interrupted(placement);
            let mut browser = in_record(&site, &manager);
            store.at_next(updates, limit());
            assert_eq!(browser.visit_in_vain(&manager, regenerates).status_code(), 503);
            assert!(!site.records.take_calls().contains(&Call::Destroy));
            assert_eq!(records_with_data(&site.records), 2);
            later(&site);
            assert_eq!(browser.get(&manager, "user"), Some(42));
            browser.visit(&manager, logs_in);
            site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
            let (found, _) = browser.visit(&manager, |session| session.has("cart").unwrap());
            assert!(found, "happened: {happened}");
            assert_eq!(browser.get(&manager, "user"), Some(42));
        }
    }
}

#[test]
fn a_session_whose_old_record_was_not_left_goes_on_as_it_was() {
    for (limit, happened) in time_limits() {
        let (site, store, manager) = interrupted(Placement::Spill);
        let mut browser = in_record(&site, &manager);
        store.at_next(updates, limit());
        browser.visit_in_vain(&manager, regenerates);
        site.clock.advance_seconds(3000);
        // Where it was left, it is a new login; where it was not, nothing has happened.
        assert_eq!(browser.get(&manager, "user"), (!happened).then_some(42));
        browser.visit(&manager, logs_in);
        assert_eq!(browser.get(&manager, "user"), Some(42));
    }
}

#[test]
fn a_login_that_is_committed_again_after_a_time_limit_finds_out_what_happened() {
    for (limit, happened) in time_limits() {
        for is_meant in [creates, updates] {
            let (site, store, manager) = interrupted(Placement::Spill);
            let mut browser = in_record(&site, &manager);
            let login = browser.begin(&manager);
            login.session().regenerate().unwrap();
            login.session().increment("logins", 1).unwrap();
            store.at_next(is_meant, limit());
            assert_eq!(login.try_commit().unwrap_err().status_code(), 503);
            browser.receive(&login.commit());
            site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
            assert_eq!(browser.get(&manager, "user"), Some(42), "happened: {happened}");
            assert_eq!(browser.get(&manager, "logins"), Some(1), "happened: {happened}");
        }
    }
}

#[test]
fn a_login_whose_client_has_left_can_be_repeated() {
    for happened in [false, true] {
        for is_meant in [creates, updates] {
            let (site, store, manager) = interrupted(Placement::Spill);
            let mut browser = in_record(&site, &manager);
            let login = browser.begin(&manager);
            login.session().regenerate().unwrap();
            store.at_next(is_meant, Meets::NoAnswer { happened });
            let untimed = site.with_records().build().unwrap();
            give_up(login.0.commit(&ResponseFacts::new(200)));
            drop(login);
            later(&site);
            assert_eq!(browser.get(&untimed, "user"), Some(42));
            browser.visit(&untimed, logs_in);
            site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
            assert!(browser.visit(&untimed, |session| session.has("cart").unwrap()).0);
        }
    }
}

#[test]
fn a_return_that_met_a_time_limit_loses_nothing_for_as_long_as_the_session_lives() {
    for (limit, happened) in time_limits() {
        for pause in [1, 59, 61, 3000] {
            let (site, store, manager) = interrupted(Placement::Spill);
            let mut browser = in_record(&site, &manager);
            store.at_next(writes, limit());
            assert_eq!(browser.visit_in_vain(&manager, returns).status_code(), 503);
            assert_eq!(site.records.snapshot().len(), 1);
            site.clock.advance_seconds(pause);
            assert_eq!(browser.get(&manager, "user"), Some(42), "happened: {happened}, after {pause} s");
            browser.visit(&manager, |session| session.increment("n", 1).unwrap());
            later(&site);
            assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "n")), (Some(42), Some(1)));
        }
    }
}

#[test]
fn a_return_whose_client_has_left_loses_nothing() {
    for happened in [false, true] {
        let (site, store, manager) = interrupted(Placement::Spill);
        let mut browser = in_record(&site, &manager);
        let returning = browser.begin(&manager);
        returns(&returning.session());
        store.at_next(writes, Meets::NoAnswer { happened });
        give_up(returning.0.commit(&ResponseFacts::new(200)));
        drop(returning);
        site.clock.advance_seconds(3000);
        assert_eq!(browser.get(&manager, "user"), Some(42));
        browser.put(&manager, "step", 1);
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
    }
}

#[test]
fn a_return_whose_response_was_lost_is_read_and_written_for_as_long_as_the_session_lives() {
    for pause in [1, 59, 61, 3000] {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = returned(&site, &manager);
        site.clock.advance_seconds(pause);
        assert_eq!(browser.get(&manager, "user"), Some(42), "after {pause} s");
        browser.visit(&manager, |session| session.increment("n", 1).unwrap());
        assert!(!site.opened(&manager, &browser).is_reference(), "the response brings what the lost one would have");
        site.clock.advance_seconds(61);
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "n")), (Some(42), Some(1)));
    }
}

#[test]
fn a_return_whose_response_was_lost_ends_when_the_session_would_have_ended() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = returned(&site, &manager);
    site.clock.advance_seconds(7200);
    assert_eq!(browser.get(&manager, "user"), None);
}

#[test]
fn every_operation_goes_through_a_record_whose_session_has_returned() {
    let handles: [fn(&Session); 5] = [
        |session| session.put("step", &1).unwrap(),
        |session| ignore(session.increment("step", 1).unwrap()),
        |session| {
            session.put("step", &1).unwrap();
            session.put("photo", &text(LARGE)).unwrap();
        },
        |session| {
            session.regenerate().unwrap();
            session.put("step", &1).unwrap();
        },
        |session| {
            session.put("step", &1).unwrap();
            block_on(session.save()).unwrap();
        },
    ];
    for handle in handles {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = returned(&site, &manager);
        browser.visit(&manager, handle);
        site.clock.advance_seconds(61);
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
    }
}

#[test]
fn two_requests_that_write_through_a_record_whose_session_has_returned_keep_both_writes_or_one_is_told() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = returned(&site, &manager);
    let slow = browser.begin(&manager);
    slow.session().increment("n", 1).unwrap();
    browser.visit(&manager, |session| session.increment("n", 1).unwrap());
    later(&site);
    let expected = match slow.try_commit() {
        Ok(response) => {
            browser.receive(&response);
            2
        }
        Err(failed) => {
            assert_eq!(failed.status_code(), 409);
            1
        }
    };
    assert_eq!(browser.get(&manager, "n"), Some(expected));
}

#[test]
fn a_logout_through_a_record_whose_session_has_returned_is_final() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = returned(&site, &manager);
    let mut copy = browser.clone();
    browser.visit(&manager, |session| session.destroy().unwrap());
    assert_eq!(browser.cookie(), None);
    assert_eq!(browser.get(&manager, "user"), None);
    later(&site);
    assert_eq!(copy.get(&manager, "user"), None);
}

/// Two logins of one guest with this pause, and the browser of the guest.
fn double_click(site: &Site, manager: &SessionManager, pause_seconds: u64) -> (Browser, [crate::browser::Response; 2]) {
    let browser = after(site, manager, |session| session.put("cart", &text(LARGE)).unwrap());
    let responses = ["first", "second"].map(|name| {
        let login = browser.begin(manager);
        logs_in(&login.session());
        login.session().put(name, &1).unwrap();
        let response = login.commit();
        site.clock.advance_seconds(pause_seconds);
        response
    });
    (browser, responses)
}

#[test]
fn a_double_click_on_log_in_leaves_the_user_logged_in_whichever_responses_arrive() {
    let site = Site::new();
    for manager in with_store(&site) {
        for pause_seconds in [1, 9] {
            for arriving in [&[0][..], &[1], &[0, 1], &[1, 0]] {
                let (mut browser, responses) = double_click(&site, &manager, pause_seconds);
                arriving.iter().for_each(|position| browser.receive(&responses[*position]));
                site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
                assert_eq!(browser.get(&manager, "user"), Some(42), "{arriving:?}");
                assert!(browser.visit(&manager, |session| session.has("cart").unwrap()).0, "{arriving:?}");
            }
        }
    }
}

#[test]
fn the_second_of_two_logins_gets_nothing_that_the_first_one_put() {
    let site = Site::new();
    for manager in with_store(&site) {
        let (mut browser, [_, second]) = double_click(&site, &manager, 3);
        browser.receive(&second);
        assert_eq!((browser.get(&manager, "first"), browser.get(&manager, "second")), (None, Some(1)));
    }
}

#[test]
fn two_logins_at_the_same_moment_both_log_in() {
    let site = Site::new();
    for manager in with_store(&site) {
        for second_arrives_last in [true, false] {
            let mut browser = after(&site, &manager, |session| session.put("cart", &text(LARGE)).unwrap());
            let logins = [(); 2].map(|()| {
                let login = browser.begin(&manager);
                logs_in(&login.session());
                login
            });
            later(&site);
            let mut responses = logins.map(|login| login.commit());
            if !second_arrives_last {
                responses.reverse();
            }
            responses.iter().for_each(|response| browser.receive(response));
            site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
            assert_eq!(browser.get(&manager, "user"), Some(42));
            assert!(browser.visit(&manager, |session| session.has("cart").unwrap()).0);
        }
    }
}

#[test]
fn a_one_time_value_that_the_first_login_took_is_not_there_for_the_second() {
    let site = Site::new();
    for manager in with_store(&site) {
        let browser = after(&site, &manager, |session| {
            session.put("cart", &text(LARGE)).unwrap();
            session.put("otp", &1).unwrap();
        });
        let in_parallel = browser.begin(&manager);
        assert_eq!(in_parallel.session().pull::<u64>("otp").unwrap(), Some(1));
        logs_in(&in_parallel.session());
        let mut winner = browser.clone();
        winner.visit(&manager, |session| {
            assert_eq!(session.pull::<u64>("otp").unwrap(), Some(1));
            logs_in(session);
        });
        later(&site);
        assert_eq!(in_parallel.try_commit().unwrap_err().status_code(), 409);
        let mut afterwards = browser.clone();
        let (taken, _) = afterwards.visit(&manager, |session| {
            let taken = session.pull::<u64>("otp").unwrap();
            logs_in(session);
            taken
        });
        assert_eq!(taken, None);
        assert_eq!((winner.get(&manager, "user"), afterwards.get(&manager, "user")), (Some(42), Some(42)));
    }
}

#[test]
fn whoever_holds_the_cookie_from_before_a_login_gains_nothing_by_logging_in_again() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut victim = after(&site, &manager, |session| session.put("cart", &text(LARGE)).unwrap());
        let mut planted = victim.clone();
        victim.visit(&manager, |session| {
            logs_in(session);
            session.put("address", &7).unwrap();
        });
        later(&site);
        planted.visit(&manager, regenerates);
        assert_eq!((planted.get(&manager, "user"), planted.get(&manager, "address")), (None, None));
        assert_eq!(victim.get(&manager, "address"), Some(7));
    }
}

#[test]
fn a_login_of_a_guest_whose_record_is_gone_logs_in() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = after(&site, &manager, |session| session.put("cart", &text(LARGE)).unwrap());
        let login = browser.begin(&manager);
        logs_in(&login.session());
        login.session().increment("logins", 1).unwrap();
        site.records.tamper(|records| records.clear());
        later(&site);
        browser.receive(&login.commit());
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "logins")), (Some(42), Some(1)));
        assert!(!browser.visit(&manager, |session| session.has("cart").unwrap()).0);
    }
}

#[test]
fn a_spill_that_met_a_time_limit_leaves_the_session_in_its_cookie() {
    for (limit, happened) in time_limits() {
        let (site, store, manager) = interrupted(Placement::Spill);
        let mut browser = inline(&site, &manager);
        store.at_next(writes, limit());
        let error = browser.visit_in_vain(&manager, |session| session.put("cart", &text(LARGE)).unwrap());
        assert_eq!(error.status_code(), 503);
        site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
        browser.put(&manager, "step", 1);
        later(&site);
        browser.put(&manager, "cart", text(LARGE));
        assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)), "{happened}");
    }
}

#[test]
fn a_write_under_another_audience_that_met_a_time_limit_loses_nothing() {
    for (limit, happened) in time_limits() {
        let site = Site::new();
        let before = site.with_records().placement(Placement::StoreOnly).build().unwrap();
        let store = Interrupted::new(&site);
        let builder = store.under(site.cookie_only()).placement(Placement::StoreOnly);
        let now = builder.audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap();
        let mut browser = inline(&site, &before);
        store.at_next(updates, limit());
        assert_eq!(browser.visit_in_vain(&now, |session| session.put("n", &1).unwrap()).status_code(), 503);
        site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
        assert_eq!(browser.get(&now, "user"), Some(42), "happened: {happened}");
        browser.put(&now, "step", 1);
        site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
        assert_eq!((browser.get(&now, "user"), browser.get(&now, "step")), (Some(42), Some(1)));
    }
}

#[test]
fn an_observer_that_panics_breaks_no_commit() {
    struct Panics(&'static str);
    impl Observer for Panics {
        fn observe(&self, event: &Event) {
            assert_ne!(event.name(), self.0, "an observer's own mistake");
        }
    }
    let events = ["migrated", "spilled", "returned", "renewed", "committed", "caching_restricted"];
    for event in events {
        let site = Site::new();
        let manager = site.with_records().observer(Panics(event)).build().unwrap();
        let mut browser = site.browser();
        let steps: [fn(&Session); 5] = [
            |session| session.put("user", &42).unwrap(),
            |session| session.put("cart", &text(LARGE)).unwrap(),
            regenerates,
            returns,
            regenerates,
        ];
        for step in steps {
            browser.visit(&manager, step);
            site.clock.advance_seconds(4000);
            assert_eq!(browser.get(&manager, "user"), Some(42), "{event}");
        }
    }
    let site = Site::new();
    let manager = site.with_records().observer(Panics("destroyed")).build().unwrap();
    let mut browser = inline(&site, &manager);
    browser.visit(&manager, |session| session.destroy().unwrap());
    assert_eq!(browser.get(&manager, "user"), None);
}

#[test]
fn a_login_can_be_repeated_after_a_lost_response_wherever_the_session_was() {
    let begins: [fn(&Site, &SessionManager) -> Browser; 3] = [inline, in_record, returned];
    let site = Site::new();
    for manager in with_store(&site) {
        for (position, begin) in begins.into_iter().enumerate() {
            if position == 2 && site.opened(&manager, &inline(&site, &manager)).is_reference() {
                // What is kept in the store alone returns nowhere.
                continue;
            }
            let mut browser = begin(&site, &manager);
            browser.put(&manager, "basket", 7);
            later(&site);
            for _ in 0..3 {
                let lost = browser.begin(&manager);
                logs_in(&lost.session());
                lost.commit();
                later(&site);
            }
            browser.visit(&manager, logs_in);
            site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
            assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "basket")), (Some(42), Some(7)));
        }
    }
}

#[test]
fn a_lifetime_is_given_through_a_record_whose_session_has_returned() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = returned(&site, &manager);
    browser.visit(&manager, |session| session.remember(super::TEN_DAYS).unwrap());
    site.clock.advance_seconds(9 * super::DAY);
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_return_with_a_lifetime_of_its_own_whose_response_was_lost_lives_as_long() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = in_record(&site, &manager);
    browser.visit(&manager, |session| session.remember(super::TEN_DAYS).unwrap());
    later(&site);
    let lost = browser.begin(&manager);
    returns(&lost.session());
    lost.commit();
    site.clock.advance_seconds(9 * super::DAY);
    assert_eq!(browser.get(&manager, "user"), Some(42));
    browser.put(&manager, "step", 1);
    site.clock.advance_seconds(8 * super::DAY);
    assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "step")), (Some(42), Some(1)));
}

#[test]
fn after_a_session_was_emptied_and_the_response_lost_another_one_can_begin() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let lost = browser.begin(&manager);
        lost.session().clear().unwrap();
        lost.commit();
        later(&site);
        assert_eq!(browser.get(&manager, "user"), None);
        browser.put(&manager, "user", 43);
        assert_eq!(browser.get(&manager, "user"), Some(43));
    }
}

#[test]
fn a_spill_that_was_in_flight_while_its_session_got_a_new_id_is_a_conflict() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = inline(&site, &manager);
    let spilling = browser.begin(&manager);
    spilling.session().put("cart", &text(LARGE)).unwrap();
    browser.visit(&manager, regenerates);
    later(&site);
    assert_eq!(spilling.try_commit().unwrap_err().status_code(), 409);
    assert_eq!(browser.get(&manager, "user"), Some(42));
}

#[test]
fn a_login_of_a_session_that_is_gone_keeps_all_that_it_asked_for() {
    let site = Site::new();
    for manager in with_store(&site) {
        for ends in [true, false] {
            let mut browser = in_record(&site, &manager);
            let login = browser.begin(&manager);
            let session = login.session();
            logs_in(&session);
            session.remember(super::TEN_DAYS).unwrap();
            session.flash("notice", "welcome").unwrap();
            session.server_only("secret").unwrap();
            session.put("secret", &7).unwrap();
            if ends {
                browser.visit(&manager, |session| session.destroy().unwrap());
            } else {
                site.records.tamper(|records| records.clear());
            }
            later(&site);
            browser.receive(&login.commit());
            assert!(site.opened(&manager, &browser).is_reference());
            assert_eq!(super::seconds_of(&site.opened(&manager, &browser)), super::TEN_DAYS.as_secs());
            let (found, _) = browser.visit(&manager, |session| {
                (session.flash_messages().has("notice"), session.has("cart").unwrap(), session.get("secret").unwrap())
            });
            assert_eq!(found, (true, false, Some(7)));
        }
    }
}

#[test]
fn a_login_that_took_a_one_time_value_of_a_session_that_is_gone_is_a_conflict() {
    let site = Site::new();
    for manager in with_store(&site) {
        let browser = after(&site, &manager, |session| {
            session.put("cart", &text(LARGE)).unwrap();
            session.put("otp", &1).unwrap();
        });
        let login = browser.begin(&manager);
        assert_eq!(login.session().pull::<u64>("otp").unwrap(), Some(1));
        logs_in(&login.session());
        site.records.tamper(|records| records.clear());
        assert_eq!(login.try_commit().unwrap_err().status_code(), 409);
    }
}

#[test]
fn a_move_of_all_sessions_into_the_store_loses_and_doubles_nothing_by_lost_responses() {
    let site = Site::new();
    let before = site.cookie_only().build().unwrap();
    let until = site.now().saturating_add_seconds(1_000_000);
    let builder = site.with_records().placement(Placement::StoreOnly).accept_inline_until(until);
    let manager = builder.build().unwrap();
    let mut browser = inline(&site, &before);
    for _ in 0..3 {
        let lost = browser.begin(&manager);
        lost.session().increment("n", 1).unwrap();
        lost.commit();
        later(&site);
    }
    browser.visit(&manager, |session| session.increment("n", 1).unwrap());
    assert_eq!((browser.get(&manager, "user"), browser.get(&manager, "n")), (Some(42), Some(4)));
}

#[test]
fn a_move_to_another_audience_counts_once_whatever_is_lost() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let site = Site::new();
        let before = site.with_records().placement(placement).build().unwrap();
        let builder = site.with_records().placement(placement);
        let now = builder.audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap();
        let mut browser = in_record(&site, &before);
        for _ in 0..3 {
            let lost = browser.begin(&now);
            lost.session().increment("n", 1).unwrap();
            lost.commit();
            later(&site);
        }
        browser.visit(&now, |session| session.increment("n", 1).unwrap());
        site.clock.advance_seconds(BEYOND_GRACE_SECONDS);
        assert_eq!((browser.get(&now, "user"), browser.get(&now, "n")), (Some(42), Some(4)));
    }
}
