//! Each operation applies once: through time limits, lost answers, saves that are dropped, and saves that meet a commit.

use std::pin::pin;
use std::task::{Context, Waker};

use pollster::block_on;
use sealed_session::{Placement, ResponseFacts, Session, SessionManager};

use super::interrupted::{Interrupted, Meets, creates, give_up, poll_times, time_limits, updates, writes};
use super::{ENDS, after, in_record, inline, later, with_store};
use crate::browser::{Browser, Request};
use crate::faulty_store::Call;
use crate::support::{LARGE, Site, records_with_data, text};

/// What a request does, and how it can be told that it was done once.
const OPERATIONS: [fn(&Session); 3] = [
    |session| count(session),
    |session| {
        session.regenerate().unwrap();
        count(session);
    },
    |session| {
        count(session);
        session.put("cart", &1).unwrap();
    },
];

fn count(session: &Session) {
    session.increment("n", 1).unwrap();
    session.push("list", &1).unwrap();
}

#[track_caller]
fn assert_counted(browser: &mut Browser, manager: &SessionManager, times: usize) {
    let (found, _) = browser.visit(manager, |session| {
        (session.get::<usize>("n").unwrap(), session.get_or("list", Vec::<u8>::new()).unwrap().len())
    });
    assert_eq!(found, (Some(times), times));
    assert_eq!(browser.get(manager, "user"), Some(42));
}

/// Sessions in a record and in a cookie, of which the latter spill.
fn beginnings(site: &Site, manager: &SessionManager) -> [(Browser, Request); 2] {
    let in_record = in_record(site, manager);
    let inline = inline(site, manager);
    let spilling = inline.begin(manager);
    spilling.session().put("photo", &text(LARGE)).unwrap();
    [(in_record.clone(), in_record.begin(manager)), (inline, spilling)]
}

fn interrupted(placement: Placement) -> (Site, Interrupted, SessionManager) {
    let site = Site::new();
    let store = Interrupted::new(&site);
    let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
    (site, store, manager)
}

#[test]
fn a_commit_after_a_save_that_met_a_time_limit_counts_once() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (limit, _) in time_limits() {
            for operation in OPERATIONS {
                for is_meant in [writes, creates, updates] {
                    let (site, store, manager) = interrupted(placement);
                    for (mut browser, request) in beginnings(&site, &manager) {
                        let session = request.session();
                        operation(&session);
                        store.at_next(is_meant, limit());
                        let saved = block_on(session.save());
                        let has_met = store.has_met();
                        assert_eq!(saved.map_err(|error| error.status_code()), if has_met { Err(503) } else { Ok(()) });
                        store.at_next(|_| false, limit());
                        later(&site);
                        browser.receive(&request.commit());
                        later(&site);
                        assert_counted(&mut browser, &manager, 1);
                    }
                }
            }
        }
    }
}

#[test]
fn a_commit_after_one_that_met_a_time_limit_counts_once() {
    for (limit, _) in time_limits() {
        for operation in OPERATIONS {
            let (site, store, manager) = interrupted(Placement::Spill);
            for (mut browser, request) in beginnings(&site, &manager) {
                operation(&request.session());
                store.at_next(writes, limit());
                assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
                later(&site);
                browser.receive(&request.commit());
                later(&site);
                assert_counted(&mut browser, &manager, 1);
            }
        }
    }
}

#[test]
fn a_commit_after_a_save_that_was_dropped_counts_once_and_asks_the_store_a_few_times() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for happened in [false, true] {
            for operation in OPERATIONS {
                let (site, store, manager) = interrupted(placement);
                for (mut browser, request) in beginnings(&site, &manager) {
                    let session = request.session();
                    operation(&session);
                    store.at_next(writes, Meets::NoAnswer { happened });
                    give_up(session.save());
                    later(&site);
                    site.records.take_calls();
                    browser.receive(&request.commit());
                    let calls = site.records.take_calls();
                    assert!(calls.len() <= 6, "{calls:?}");
                    later(&site);
                    assert_counted(&mut browser, &manager, 1);
                }
            }
        }
    }
}

#[test]
fn a_save_after_one_that_was_dropped_counts_once() {
    for happened in [false, true] {
        let (site, store, manager) = interrupted(Placement::Spill);
        for (mut browser, request) in beginnings(&site, &manager) {
            let session = request.session();
            count(&session);
            store.at_next(writes, Meets::NoAnswer { happened });
            give_up(session.save());
            later(&site);
            block_on(session.save()).unwrap();
            count(&session);
            browser.receive(&request.commit());
            later(&site);
            assert_counted(&mut browser, &manager, 2);
        }
    }
}

#[test]
fn a_commit_after_one_that_was_dropped_counts_once() {
    for happened in [false, true] {
        for operation in OPERATIONS {
            let (site, store, manager) = interrupted(Placement::Spill);
            for (mut browser, request) in beginnings(&site, &manager) {
                operation(&request.session());
                store.at_next(writes, Meets::NoAnswer { happened });
                give_up(request.0.commit(&ResponseFacts::new(200)));
                later(&site);
                browser.receive(&request.commit());
                later(&site);
                assert_counted(&mut browser, &manager, 1);
            }
        }
    }
}

#[test]
fn a_save_that_meets_the_commit_of_its_own_request_counts_once() {
    let site = Site::new();
    for manager in with_store(&site) {
        for polls_before in 1..=4 {
            for commit_first in [true, false] {
                let mut browser = in_record(&site, &manager);
                let request = browser.begin(&manager);
                let session = request.session();
                count(&session);
                site.records.go_slow();
                let facts = ResponseFacts::new(200);
                let mut save = pin!(session.save());
                let mut context = Context::from_waker(Waker::noop());
                let is_done = (0..polls_before).any(|_| save.as_mut().poll(&mut context).is_ready());
                let response = if is_done || commit_first {
                    let response = request.commit();
                    if !is_done {
                        drop(block_on(save));
                    }
                    response
                } else {
                    let mut commit = pin!(request.0.commit(&facts));
                    let early = commit.as_mut().poll(&mut context).is_ready();
                    drop(block_on(save));
                    assert!(!early);
                    let commit = block_on(commit).unwrap();
                    browser.receive(&commit);
                    crate::support::untouched()
                };
                browser.receive(&response);
                later(&site);
                assert_counted(&mut browser, &manager, 1);
            }
        }
    }
}

#[test]
fn what_is_counted_between_saves_is_counted_once_each() {
    let site = Site::new();
    for manager in with_store(&site) {
        for (mut browser, request) in beginnings(&site, &manager) {
            let session = request.session();
            for _ in 0..3 {
                count(&session);
                block_on(session.save()).unwrap();
                later(&site);
                // Another request in between, so that operations are made again.
                browser.clone().visit(&manager, |session| session.put("other", &1).unwrap());
                later(&site);
            }
            count(&session);
            browser.receive(&request.commit());
            assert_counted(&mut browser, &manager, 4);
        }
    }
}

#[test]
fn a_connection_that_was_cut_is_looked_behind_and_counts_once() {
    for call in [Call::Create, Call::Update] {
        let site = Site::new();
        for manager in with_store(&site) {
            for (mut browser, request) in beginnings(&site, &manager) {
                let session = request.session();
                count(&session);
                site.records.lose_answers_to(call);
                let saved = block_on(session.save());
                site.records.come_up();
                count(&session);
                later(&site);
                browser.receive(&request.commit());
                assert!(saved.is_ok());
                assert_counted(&mut browser, &manager, 2);
            }
        }
    }
}

#[test]
fn a_write_that_met_a_time_limit_is_not_repeated_in_the_same_call() {
    for (limit, happened) in time_limits() {
        let (site, store, manager) = interrupted(Placement::Spill);
        for (_, request) in beginnings(&site, &manager) {
            count(&request.session());
            site.records.take_calls();
            store.at_next(writes, limit());
            assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
            let calls = site.records.take_calls();
            assert_eq!(calls.iter().filter(|call| writes(**call)).count(), usize::from(happened), "{calls:?}");
        }
    }
}

#[test]
fn a_write_that_met_a_time_limit_and_then_many_others_is_counted_once_or_an_error() {
    for (limit, happened) in time_limits() {
        for others in [1, 7, 8, 9, 20] {
            let (site, store, manager) = interrupted(Placement::Spill);
            let mut browser = in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            count(&session);
            store.at_next(writes, limit());
            assert!(block_on(session.save()).is_err());
            for _ in 0..others {
                later(&site);
                browser.visit(&manager, |session| session.increment("others", 1).unwrap());
            }
            later(&site);
            match request.try_commit() {
                Ok(response) => {
                    browser.receive(&response);
                    let found = browser.get(&manager, "n");
                    assert_eq!(found, Some(1), "happened: {happened}, others: {others}");
                }
                Err(failed) => {
                    let found = browser.get(&manager, "n");
                    assert_eq!(found, happened.then_some(1), "{failed}");
                    assert!(others >= 7, "so few others are no reason: {failed}");
                }
            }
            assert_eq!(browser.get(&manager, "others"), Some(others));
        }
    }
}

#[test]
fn a_one_time_value_is_taken_once_through_a_save_that_met_a_time_limit() {
    for (limit, _) in time_limits() {
        let (site, store, manager) = interrupted(Placement::StoreOnly);
        let mut browser = inline(&site, &manager);
        browser.put(&manager, "otp", 7);
        later(&site);
        let request = browser.begin(&manager);
        let session = request.session();
        assert_eq!(session.pull::<u64>("otp").unwrap(), Some(7));
        store.at_next(writes, limit());
        assert!(block_on(session.save()).is_err());
        later(&site);
        browser.receive(&request.commit());
        assert_eq!((browser.get(&manager, "otp"), browser.get(&manager, "user")), (None, Some(42)));
    }
}

#[test]
fn a_commit_after_a_saved_login_whose_old_record_is_left_late_counts_once() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for calls in 1..=6 {
            let (site, store, manager) = interrupted(placement);
            let mut browser = in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            session.regenerate().unwrap();
            count(&session);
            store.at_next(updates, Meets::Late { calls });
            assert_eq!(block_on(session.save()).unwrap_err().status_code(), 503);
            count(&session);
            browser.receive(&request.commit());
            store.catch_up();
            assert_counted(&mut browser, &manager, 2);
        }
    }
}

/// A save of a login which the commit of the same request overtakes, each by so many steps of the store.
fn overtaken(spills: bool, placement: Placement, [before, between, after]: [usize; 3]) {
    let (site, store, manager) = interrupted(placement);
    let mut browser = if spills { inline(&site, &manager) } else { in_record(&site, &manager) };
    let request = browser.begin(&manager);
    let session = request.session();
    store.go_slow(true);
    session.regenerate().unwrap();
    count(&session);
    let facts = ResponseFacts::new(200);
    let mut save = pin!(session.save());
    let mut saved = poll_times(save.as_mut(), before);
    count(&session);
    if spills {
        session.put("photo", &text(LARGE)).unwrap();
    }
    let mut commit = pin!(request.0.commit(&facts));
    let committed = poll_times(commit.as_mut(), between);
    if saved.is_none() {
        saved = poll_times(save, after);
    }
    let committed = committed.unwrap_or_else(|| block_on(commit));
    let response = committed.or_else(|_| block_on(request.0.commit(&facts)));
    store.go_slow(false);
    assert!(response.is_ok(), "nobody else was there: {response:?}, {saved:?}, {:?}", [before, between, after]);
    browser.receive(&response.unwrap());
    later(&site);
    assert_counted(&mut browser, &manager, 2);
}

#[test]
fn a_commit_that_overtakes_the_save_of_a_login_is_no_conflict_and_counts_once() {
    for (spills, placement) in [(false, Placement::Spill), (false, Placement::StoreOnly), (true, Placement::Spill)] {
        for before in 1..=3 {
            for between in 1..=5 {
                for after in 0..=2 {
                    overtaken(spills, placement, [before, between, after]);
                }
            }
        }
    }
}

fn takes(session: &Session) {
    assert_eq!(session.pull::<u64>("otp").unwrap(), Some(7), "neither knows of the other yet");
}

fn with_otp(site: &Site, manager: &SessionManager) -> Browser {
    after(site, manager, |session| {
        session.put("otp", &7).unwrap();
        session.put("photo", &text(LARGE)).unwrap();
    })
}

/// The request is a conflict however often it is committed, and takes the session from the browser.
#[track_caller]
fn assert_ends_with_a_conflict(request: &Request, mut browser: Browser, manager: &SessionManager) {
    let mut copy = browser.clone();
    for _ in 0..3 {
        let failed = request.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 409);
        browser.receive(&failed.commit);
        assert_eq!(browser.cookie(), None);
    }
    assert!(copy.visit(manager, Session::is_empty).0, "the session is over");
}

#[test]
fn a_one_time_value_that_another_request_took_is_a_conflict_for_one_that_ends_the_session() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            for also_ends in [false, true] {
                let browser = with_otp(&site, &manager);
                let [first, second] = [(); 2].map(|()| {
                    let request = browser.begin(&manager);
                    takes(&request.session());
                    request
                });
                if also_ends {
                    end(&first.session());
                }
                end(&second.session());
                later(&site);
                first.commit();
                assert_ends_with_a_conflict(&second, browser, &manager);
            }
        }
    }
}

#[test]
fn a_one_time_value_that_was_a_conflict_at_a_save_is_one_for_the_end_of_the_session() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            let browser = with_otp(&site, &manager);
            let [first, second] = [(); 2].map(|()| {
                let request = browser.begin(&manager);
                takes(&request.session());
                request
            });
            later(&site);
            first.commit();
            let session = second.session();
            assert_eq!(block_on(session.save()).unwrap_err().status_code(), 409);
            end(&session);
            assert_ends_with_a_conflict(&second, browser, &manager);
        }
    }
}

#[test]
fn a_one_time_value_of_a_session_that_another_request_took_it_from_and_ended_is_a_conflict() {
    let site = Site::new();
    for manager in with_store(&site) {
        for end in ENDS {
            let browser = with_otp(&site, &manager);
            let [first, second] = [(); 2].map(|()| {
                let request = browser.begin(&manager);
                takes(&request.session());
                request
            });
            end(&first.session());
            later(&site);
            first.commit();
            for _ in 0..3 {
                assert_eq!(second.try_commit().unwrap_err().status_code(), 409);
            }
        }
    }
}

#[test]
fn a_one_time_value_in_its_cookie_that_another_request_took_and_spilled_is_a_conflict_for_one_that_ends_the_session() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for end in ENDS {
        let browser = after(&site, &manager, |session| session.put("otp", &7).unwrap());
        let [spilling, ending] = [(); 2].map(|()| {
            let request = browser.begin(&manager);
            takes(&request.session());
            request
        });
        spilling.session().put("photo", &text(LARGE)).unwrap();
        end(&ending.session());
        later(&site);
        spilling.commit();
        let mut spilled = browser.clone();
        assert_eq!(ending.try_commit().unwrap_err().status_code(), 409);
        let failed = ending.try_commit().unwrap_err();
        assert_eq!(failed.status_code(), 409);
        spilled.receive(&failed.commit);
        assert_eq!(spilled.cookie(), None);
        assert_eq!(records_with_data(&site.records), 0, "the session is over");
    }
}

#[test]
fn a_one_time_value_that_nobody_else_took_is_taken_by_a_request_that_ends_the_session() {
    let site = Site::new();
    for manager in with_store(&site) {
        for (end, spills) in ENDS.into_iter().flat_map(|end| [(end, true), (end, false)]) {
            let browser = if spills {
                after(&site, &manager, |session| session.put("otp", &7).unwrap())
            } else {
                with_otp(&site, &manager)
            };
            let mut copy = browser.clone();
            let request = browser.begin(&manager);
            takes(&request.session());
            end(&request.session());
            later(&site);
            // Of another value.
            browser.clone().put(&manager, "cart", text(LARGE));
            later(&site);
            request.commit();
            later(&site);
            let (is_over, _) = copy.visit(&manager, |session| !session.has("otp").unwrap());
            // Without a record, a copy of a cookie with its data is good until it expires.
            let is_inline = copy.cookie().is_some_and(|_| !site.opened(&manager, &copy).is_reference());
            assert!(is_over || (spills && is_inline));
        }
    }
}
