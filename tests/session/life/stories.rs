//! Stories drawn at random: handlers with random calls, in up to three tabs of one browser, at two servers or three whose settings
//! differ, over a store that fails now and then. Responses are lost, late, or later than the next page. After each round the
//! user visits a page, and what it shows is judged by plain rules. A seed is one story, and always the same one.
//!
//! ```text
//! STORIES=0..100000 cargo test --profile explore --test session life::stories
//! ```

mod handler;
mod judge;
mod servers;

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use sealed_session::testing::ManualClock;
use sealed_session::{Commit, PendingSession, Placement, SessionManager};
use serde_json::{Map, Value};

use self::handler::{Known, Plan, Shared, handle, handle_too};
use self::servers::{Ground, KINDS, Kind};
use super::draws::Draws;
use super::interrupted::{Interrupted, Meets};
use super::shows_the_secret;
use crate::browser::Browser;
use crate::support::{Site, own_lines, text};

/// Every placement meets every kind of servers four times.
const STORIES: Range<u64> = 0..156;

const ROUNDS: usize = 4;

/// A round that takes more steps than this never ends.
const STEPS_MAX: usize = 20_000;

/// How far one of two clocks may be ahead.
const SKEWS_SECONDS: [u64; 5] = [0, 2, 4, 20, 50];

/// Nothing of a write is on its way for longer, by one clock.
const SETTLED_SECONDS: u64 = 11;

/// Copies of the browser's cookies, from before a response.
const COPIES_MAX: usize = 6;

/// No server of a story has a larger limit for a cookie.
const LINE_MAX: usize = 3000;

/// More than fits a cookie of most of these servers.
const BIG: usize = 1200;

/// What handlers call, by letters: `c`ount, `p`ull, `f`lash, keep flash and i`n`put, read input (`q`), `w`rite otherwise, `g`row,
/// shrink (`h`), half a cookie (`z`), `k`eep on the server; re`m`ember, `b`rowser's end, lifetime by default (`o`); `r`egenerate,
/// `R`egenerate and reset, `i`nvalidate, destroy (`x`), and `e`mpty; `s`ave, `d`rop a save that is under way, reload (`l`),
/// `D`rop a reload, and le`t` others run.
const CALLS: [&str; 6] =
    ["cccpfssddlghkmboD", "cccsddrrghzz", "ccsdlfrrixeg", "ccppsdDlixegb", "ccczzsqqwtttnnss", "ccrRggsshhlDdzqt"];

/// One of the browser's requests in a round.
struct Tab {
    known: Shared,
    /// Until it begins.
    plan: Option<Plan>,
    tasks: Vec<Pin<Box<dyn Future<Output = ()>>>>,
}

struct Story {
    seed: u64,
    draws: Draws,
    site: Site,
    ahead: ManualClock,
    /// By so much.
    skew_seconds: u64,
    store: Interrupted,
    kind: Kind,
    managers: Vec<SessionManager>,
    browser: Browser,
    copies: Vec<Browser>,
    calls: &'static str,
    /// The session is in a record until it gets a new id.
    is_in_record: bool,
    has_two_tasks: bool,
    requests: Vec<Known>,
    /// Responses that are later than the next page.
    overdue: Vec<Known>,
    had_overdue: bool,
    log: Vec<String>,
}

/// What the user sees after a round.
struct Page {
    seen: Map<String, Value>,
    response: Option<Commit>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let (site, mut draws) = (Site::new(), Draws::of(seed));
        let store = Interrupted::new(&site);
        let [by_placement, by_kind] = [seed % 3, seed / 3 % 13].map(|index| usize::try_from(index).unwrap());
        let (placement, begins_in_record) =
            [(Placement::Spill, true), (Placement::Spill, false), (Placement::StoreOnly, true)][by_placement];
        let kind = KINDS[by_kind];
        let skew_seconds = draws.one_of(&SKEWS_SECONDS);
        let ahead = ManualClock::at_unix_seconds(site.now().unix_seconds() + skew_seconds);
        let managers = kind.servers(&Ground { site: &site, store: &store, placement, ahead: &ahead });
        let is_in_record = begins_in_record && kind.keeps_its_record(placement);
        let (calls, has_two_tasks) = (draws.one_of(&CALLS), draws.happens(50));
        let log = vec![format!(
            "{}, {placement:?}, in a record: {is_in_record}, calls {calls}, two tasks: {has_two_tasks}, {skew_seconds} s ahead",
            kind.name
        )];
        let mut story = Self {
            browser: site.browser(),
            seed,
            draws,
            site,
            ahead,
            skew_seconds,
            store,
            kind,
            managers,
            copies: Vec::new(),
            calls,
            is_in_record,
            has_two_tasks,
            requests: Vec::new(),
            overdue: Vec::new(),
            had_overdue: false,
            log,
        };
        story.logs_in();
        story
    }

    fn logs_in(&mut self) {
        let (manager, is_in_record) = (self.server(), self.is_in_record);
        self.browser.visit(&manager, |session| {
            session.put("user", &42).unwrap();
            session.put("otp", &7).unwrap();
            if is_in_record {
                session.put("photo", &text(BIG)).unwrap();
            }
        });
        self.later(3);
    }

    fn run(&mut self) {
        let mut user_was_there = true;
        let mut is_disturbed = false;
        for number in 0..ROUNDS {
            let requests = self.round(number);
            let page = self.visit();
            // One request alone, whose response was not written over.
            let last = self.requests.last().filter(|_| requests == 1 && !is_disturbed && self.overdue.is_empty());
            self.judge(&page, user_was_there, last);
            user_was_there = page.seen.contains_key("user");
            // Within one second, the order of two cookies cannot be told.
            self.later(2);
            is_disturbed = self.draws.happens(50) && self.deliver_overdue();
        }
    }

    /// One of the servers.
    fn server(&mut self) -> SessionManager {
        let at = self.draws.below(self.managers.len());
        self.managers[at].clone()
    }

    fn later(&mut self, seconds: u64) {
        self.site.clock.advance_seconds(seconds);
        self.ahead.advance_seconds(seconds);
    }

    /// Up to three requests, whose calls to the store come in any order. Says how many.
    fn round(&mut self, number: usize) -> usize {
        let mut faults = if self.draws.happens(70) { 1 + self.draws.below(2) } else { 0 };
        let mut tabs: Vec<_> = (0..=self.draws.below(3)).map(|tab| self.plan(format!("own{number}{tab}"))).collect();
        let (mut open, mut late): (Vec<_>, _) = ((0..tabs.len()).collect(), Vec::new());
        self.store.go_slow(true);
        for _ in 0..STEPS_MAX {
            if open.is_empty() {
                break;
            }
            if faults > 0 && self.draws.happens(15) {
                faults -= 1;
                self.plan_fault();
            }
            let at = self.draws.below(open.len());
            let tab = &mut tabs[open[at]];
            if self.step(tab) {
                open.swap_remove(at);
                self.answer(&tab.known, &mut late);
            }
            if self.draws.happens(10) {
                self.later(1);
            }
        }
        assert!(open.is_empty(), "a request never ends");
        self.store.go_slow(false);
        for known in late {
            self.deliver_late(&known);
        }
        self.store.at_next(|_| false, Meets::Corrupt);
        self.store.catch_up();
        self.requests.extend(tabs.iter().map(|tab| tab.known.borrow().clone()));
        let pause = if self.draws.happens(30) { 2 + self.draws.below(9) } else { 12 + self.draws.below(20) };
        self.later(u64::try_from(pause).unwrap());
        tabs.len()
    }

    fn plan(&mut self, key: String) -> Tab {
        let may_end = self.calls.contains(['i', 'x']);
        let plan = Plan {
            server: self.draws.below(self.managers.len()),
            calls: self.draw_calls(),
            other_calls: self.has_two_tasks.then(|| self.draw_calls()),
            ends_unread: may_end && self.draws.happens(10),
            commits: if self.draws.happens(30) { 1 + self.draws.below(3) } else { 1 },
            polls: 1 + self.draws.below(6),
            status: if self.draws.happens(5) { 500 } else { 200 },
        };
        Tab { known: Known::new(key, &plan), plan: Some(plan), tasks: Vec::new() }
    }

    fn draw_calls(&mut self) -> String {
        let all = self.calls.as_bytes();
        (0..=self.draws.below(7)).map(|_| char::from(self.draws.one_of(all))).collect()
    }

    fn plan_fault(&mut self) {
        let happened = self.draws.happens(50);
        let fault = match self.draws.below(5) {
            0 => Meets::EngineTimeout { happened },
            1 => Meets::Cut { happened },
            2 => Meets::TimeLimit { happened },
            _ => Meets::Late { calls: 1 + self.draws.below(4) },
        };
        self.store.at_next(|_| true, fault);
        self.log.push("a fault is planned".to_owned());
    }

    /// Lets one task of a request go on. Whether the request is over now.
    fn step(&mut self, tab: &mut Tab) -> bool {
        if let Some(plan) = tab.plan.take() {
            let pending = self.browser.begin(&self.managers[plan.server]).0;
            tab.tasks = tasks(pending, plan, &tab.known);
        }
        let task = self.draws.below(tab.tasks.len());
        if tab.tasks[task].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            drop(tab.tasks.swap_remove(task));
        }
        self.log.push(format!("a step of {}", tab.known.borrow().key));
        if !tab.tasks.is_empty() && self.draws.happens(1) {
            tab.tasks.clear();
            tab.known.borrow_mut().is_given_up();
        }
        tab.tasks.is_empty()
    }

    /// The response arrives, is late, or is lost.
    fn answer(&mut self, known: &Shared, late: &mut Vec<Shared>) {
        self.log.push(format!("{:?}, events {:?}", known.borrow(), self.site.events.take()));
        match self.draws.below(100) {
            0..15 => self.log.push("the response is lost".to_owned()),
            15..30 => late.push(Rc::clone(known)),
            _ => self.deliver(&mut known.borrow_mut()),
        }
    }

    /// With the end of the round, or not even then.
    fn deliver_late(&mut self, known: &Shared) {
        if self.draws.happens(30) {
            self.overdue.push(known.borrow().clone());
            self.had_overdue = true;
        } else {
            self.deliver(&mut known.borrow_mut());
        }
    }

    /// Whether there were any.
    fn deliver_overdue(&mut self) -> bool {
        let mut overdue = std::mem::take(&mut self.overdue);
        overdue.iter_mut().for_each(|known| self.deliver(known));
        !overdue.is_empty()
    }

    fn deliver(&mut self, known: &mut Known) {
        let shows = |manager: &SessionManager| shows_the_secret(&self.site, manager, &known.response);
        assert!(!self.managers.iter().any(shows), "a secret travels in a cookie");
        assert!(own_lines(&known.response).iter().all(|line| line.len() < LINE_MAX), "a cookie is too large");
        if self.copies.len() == COPIES_MAX {
            let at = self.draws.below(COPIES_MAX);
            self.copies.remove(at);
        }
        self.copies.push(self.browser.clone());
        self.browser.receive(&known.response);
        known.is_delivered = true;
        assert!(self.browser.markers().len() < sealed_session::limits::MARKER_CANDIDATES_MAX, "too many markers");
        self.log.push(format!("response to {}", known.key));
    }

    /// A visit without a fault. It succeeds, or is a conflict where a session was left or ended and the response was lost: at most
    /// once while that is under way, and once more to take the cookie.
    fn visit(&mut self) -> Page {
        let manager = self.server();
        let mut page = self.try_to_visit(&manager);
        for _ in 0..2 {
            if page.is_none() {
                self.later(SETTLED_SECONDS + self.skew_seconds);
                page = self.try_to_visit(&manager).map(|page| Page { response: None, ..page });
            }
        }
        assert!(page.is_some(), "a visit is a conflict for ever");
        page.unwrap()
    }

    /// `None` is a conflict.
    fn try_to_visit(&mut self, manager: &SessionManager) -> Option<Page> {
        let request = self.browser.begin(manager);
        let seen = request.session().all();
        self.log.push(format!("a visit sees {:?}", seen.keys().collect::<Vec<_>>()));
        request.session().put("mark", &self.requests.len()).unwrap();
        match request.try_commit() {
            Ok(response) => {
                self.browser.receive(&response);
                Some(Page { seen, response: Some((*response).clone()) })
            }
            Err(failed) => {
                let is_expected = self.kind.may_expire || self.has(|known| !known.goes_on() || known.has_moved);
                assert!(is_expected && failed.status_code() == 409, "a visit without a fault: {failed}");
                self.browser.receive(&failed.commit);
                None
            }
        }
    }

    fn has(&self, what: impl Fn(&Known) -> bool) -> bool {
        self.requests.iter().any(what)
    }
}

fn tasks(pending: PendingSession, plan: Plan, known: &Shared) -> Vec<Pin<Box<dyn Future<Output = ()>>>> {
    let mut tasks: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    if let Some(calls) = plan.other_calls.clone() {
        tasks.push(Box::pin(handle_too(pending.clone(), calls, plan.polls, Rc::clone(known))));
    }
    tasks.push(Box::pin(handle(pending, plan, Rc::clone(known))));
    tasks
}

impl Drop for Story {
    #[expect(clippy::print_stdout, reason = "the test's output is shown when it fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("story {}:\n{}", self.seed, self.log.join("\n"));
        }
    }
}

#[test]
fn what_is_drawn_at_random_keeps_every_promise() {
    let stories = std::env::var("STORIES").map_or(STORIES, |range| {
        let (first, end) = range.split_once("..").unwrap();
        first.parse().unwrap()..end.parse().unwrap()
    });
    stories.for_each(|seed| Story::new(seed).run());
}
