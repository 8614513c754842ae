//! A handler may share its session between threads. What another thread does while a save is under way is in that save, or is
//! left to the next: a write is of one moment.
//!
//! The clock is the other thread: it acts when a save asks for the time, which each does several times.

use std::sync::{Arc, Mutex};

use pollster::block_on;
use sealed_session::testing::ManualClock;
use sealed_session::{Clock, Placement, Session, SessionManager};

use super::{destroys, in_record, inline, invalidates, later, regenerates, shows_the_secret};
use crate::browser::Browser;
use crate::support::{Site, ignore};

/// A save asks for the time less often than this, so that the last of these moments is after it.
const QUESTIONS_MAX: usize = 8;

type Act = Box<dyn FnOnce() + Send>;

#[derive(Clone)]
struct OtherThread {
    clock: ManualClock,
    /// It acts at the question of this number.
    question: usize,
    /// How many questions are left, and what it does then.
    planned: Arc<Mutex<Option<(usize, Act)>>>,
}

impl OtherThread {
    /// Is going to do this with the session.
    fn plan(&self, session: &Session, act: fn(&Session)) {
        let session = session.clone();
        *self.planned.lock().unwrap() = Some((self.question, Box::new(move || act(&session))));
    }

    /// Does it now, where fewer questions came; tells whether it was in time.
    fn act_at_last(&self) -> bool {
        let planned = self.planned.lock().unwrap().take();
        let was_in_time = planned.is_none();
        planned.into_iter().for_each(|(_, act)| act());
        was_in_time
    }
}

impl Clock for OtherThread {
    fn unix_milliseconds(&self) -> u64 {
        let due = self.planned.lock().unwrap().take_if(|(questions, _)| {
            *questions -= 1;
            *questions == 0
        });
        due.into_iter().for_each(|(_, act)| act());
        self.clock.unix_milliseconds()
    }
}

/// Runs a rule for each placement, session, and moment of the other thread. The rule tells whether that was in time.
fn at_each_moment(
    begin: fn(&Site, &SessionManager) -> Browser,
    rule: impl Fn(&Site, &SessionManager, Browser, &OtherThread) -> bool,
) {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let in_time = (1..=QUESTIONS_MAX).filter(|question| {
            let site = Site::new();
            let thread = OtherThread { clock: site.clock.clone(), question: *question, planned: Arc::default() };
            let manager = site.with_records().clock(thread.clone()).placement(placement).build().unwrap();
            rule(&site, &manager, begin(&site, &manager), &thread)
        });
        assert!((3..QUESTIONS_MAX).contains(&in_time.count()), "moments within the save, and one after it");
    }
}

#[test]
fn a_login_in_another_thread_than_a_save_logs_in() {
    at_each_moment(inline, |_, manager, mut browser, thread| {
        let request = browser.begin(manager);
        let session = request.session();
        session.put("step", &1).unwrap();
        thread.plan(&session, regenerates);
        block_on(session.save()).unwrap();
        let was_in_time = thread.act_at_last();
        browser.receive(&request.commit());
        assert_eq!((browser.get(manager, "user"), browser.get(manager, "step")), (Some(42), Some(1)));
        was_in_time
    });
}

#[test]
fn a_count_in_another_thread_than_a_save_counts_once() {
    at_each_moment(in_record, |_, manager, mut browser, thread| {
        let [other, request] = [(); 2].map(|()| browser.begin(manager));
        other.session().put("other", &1).unwrap();
        let session = request.session();
        session.increment("count", 1).unwrap();
        thread.plan(&session, |session| ignore(session.increment("count", 1).unwrap()));
        block_on(session.save()).unwrap();
        let was_in_time = thread.act_at_last();
        // What the commit writes is made again on this.
        other.commit();
        browser.receive(&request.commit());
        assert_eq!(browser.get(manager, "count"), Some(2));
        was_in_time
    });
}

#[test]
fn a_secret_in_another_thread_than_a_save_is_in_no_cookie() {
    for goes_down in [true, false] {
        at_each_moment(inline, |site, manager, mut browser, thread| {
            let request = browser.begin(manager);
            let session = request.session();
            session.put("step", &1).unwrap();
            thread.plan(&session, |session| {
                session.server_only("secret").unwrap();
                session.put("secret", "SECRET").unwrap();
            });
            block_on(session.save()).unwrap();
            let was_in_time = thread.act_at_last();
            if goes_down {
                site.records.go_down();
            }
            match request.try_commit() {
                Ok(response) => {
                    assert!(!shows_the_secret(site, manager, &response));
                    browser.receive(&response);
                    site.records.come_up();
                    let (secret, _) = browser.visit(manager, |session| session.get::<String>("secret").unwrap());
                    assert_eq!(secret.unwrap(), "SECRET");
                }
                Err(failed) => {
                    assert!(goes_down && !shows_the_secret(site, manager, &failed.commit));
                }
            }
            was_in_time
        });
    }
}

#[test]
fn a_logout_in_another_thread_than_a_save_ends_the_session_or_can_be_repeated() {
    // So many answers of the store come, and no more.
    for answers in [0, 1, 2, usize::MAX] {
        at_each_moment(in_record, |site, manager, mut browser, thread| {
            let mut copy = browser.clone();
            let request = browser.begin(manager);
            let session = request.session();
            session.put("step", &1).unwrap();
            thread.plan(&session, invalidates);
            site.records.go_down_after(answers);
            let saved = block_on(session.save());
            let was_in_time = thread.act_at_last();
            let committed = request.try_commit();
            site.records.come_up();
            match committed {
                Ok(response) => browser.receive(&response),
                Err(failed) => {
                    assert_eq!((failed.status_code(), answers == usize::MAX), (503, false), "{saved:?}");
                    browser.receive(&failed.commit);
                    browser.visit(manager, destroys);
                }
            }
            later(site);
            assert_eq!(copy.get(manager, "user"), None, "the session outlives a logout that succeeded");
            was_in_time
        });
    }
}
