//! Handlers whose calls are drawn at random, in up to three tabs of one browser, over a store that fails now and then, against
//! plain rules of what a user sees. A seed is one story of three rounds, and always the same one.
//!
//! ```text
//! STORIES=0..100000 cargo test --profile explore --test session life::random
//! ```

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Waker};

use sealed_session::{Commit, CommitError, PendingSession, Placement, ResponseFacts, Session, SessionManager};
use serde_json::{Map, Value};

use super::interrupted::{Interrupted, Meets, poll_times};
use crate::browser::Browser;
use crate::support::{Site, ignore, own_lines, text};

/// Of each placement, beginning and choice of calls the same number.
const STORIES: Range<u64> = 0..360;

/// More than fits the cookies of these stories.
const BIG: usize = 1200;

/// What handlers call, by letters: `c`ount, `p`ull, `f`lash, `s`ave, `d`rop a save that is under way, reload (`l`), `g`row, shrink
/// (`h`), `k`eep on the server, re`m`ember, `r`egenerate, `i`nvalidate, destroy (`x`), and empty it (`e`).
const CALLS: [&str; 4] = ["cccpfssddlghkm", "cccsddrrgh", "ccsdlfrrixeg", "ccppsdlixeg"];

/// A xorshift generator.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % bound).unwrap()
    }

    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn calls(&mut self, all: &str) -> String {
        let all = all.as_bytes();
        (0..1 + self.below(7)).map(|_| char::from(all[self.below(all.len() as u64)])).collect()
    }

    fn fault(&mut self) -> Meets {
        let happened = self.happens(50);
        match self.below(5) {
            0 => Meets::EngineTimeout { happened },
            1 => Meets::Cut { happened },
            2 => Meets::TimeLimit { happened },
            _ => Meets::Late { calls: 1 + self.below(4) },
        }
    }
}

/// What a request did, as far as its caller knows.
#[derive(Clone, Debug, Default)]
struct Told {
    /// Its own counter.
    key: String,
    counted: u64,
    /// So much is in the session after a success, at least.
    kept: u64,
    /// And so much at most, after what nobody knows the outcome of.
    possible: u64,
    /// Of that, what was forgotten by a reload and may still come.
    late: u64,
    pulled: bool,
    pull_is_kept: bool,
    has_moved: bool,
    has_ended: bool,
    has_cleared: bool,
    is_ok: bool,
    is_delivered: bool,
    response: Commit,
    did: String,
}

impl Told {
    /// A write ended so; `None` where it was given up.
    fn ends_with(&mut self, outcome: Option<Result<(), &CommitError>>) {
        match outcome {
            Some(Err(CommitError::Conflict)) => return,
            Some(Ok(())) => (self.kept, self.pull_is_kept) = (self.counted, self.pulled),
            Some(Err(_)) | None => {}
        }
        self.possible = self.possible.max(self.counted + self.late);
    }
}

/// A save that is dropped is polled so many times before.
async fn handle(pending: PendingSession, calls: String, [commits, polls]: [usize; 2], told: Rc<RefCell<Told>>) {
    let Ok(session) = pending.session().await else { return };
    let key = told.borrow().key.clone();
    for call in calls.chars() {
        told.borrow_mut().did.push(call);
        match call {
            's' => {
                let saved = session.save().await;
                told.borrow_mut().ends_with(Some(saved.as_ref().map(drop)));
            }
            'd' => {
                let saved = poll_times(pin!(session.save()), polls);
                told.borrow_mut().ends_with(saved.as_ref().map(|saved| saved.as_ref().map(drop)));
            }
            'l' if session.reload().await.is_ok() => {
                let mut told = told.borrow_mut();
                told.counted = session.get_or(key.as_str(), 0).unwrap();
                told.late = told.possible.saturating_sub(told.counted);
                told.pulled = told.pull_is_kept;
                told.ends_with(Some(Ok(())));
            }
            call => at_once(call, &session, &mut told.borrow_mut()),
        }
    }
    for _ in 0..commits {
        let outcome = pending.commit(&ResponseFacts::new(200)).await;
        let mut told = told.borrow_mut();
        told.ends_with(Some(outcome.as_ref().map(drop).map_err(|failed| &failed.error)));
        told.is_ok = outcome.is_ok();
        told.did.push(if outcome.is_ok() { '+' } else { '-' });
        told.response = outcome.unwrap_or_else(|failed| failed.commit);
        if told.is_ok {
            return;
        }
    }
}

fn at_once(call: char, session: &Session, told: &mut Told) {
    match call {
        'c' if session.increment("n", 1).is_ok() => {
            session.increment(told.key.as_str(), 1).unwrap();
            session.push("list", &told.key).unwrap();
            told.counted += 1;
        }
        'p' => told.pulled |= matches!(session.pull::<u64>("otp"), Ok(Some(7))),
        'f' => ignore((session.flash_messages().has("notice"), session.flash("notice", &told.key))),
        'g' => ignore(session.put("cart", &text(BIG))),
        'h' => ignore(session.forget("cart")),
        'k' => ignore((session.server_only("secret"), session.put("secret", "SECRET"))),
        'm' => ignore(session.remember(super::TEN_DAYS)),
        'r' => told.has_moved |= session.regenerate().is_ok(),
        'i' | 'x' => {
            let ended = if call == 'i' { session.invalidate() } else { session.destroy() };
            told.has_ended |= ended.is_ok();
            told.counted = 0;
        }
        'e' if session.clear().is_ok() => (told.has_cleared, told.counted) = (true, 0),
        _ => {}
    }
}

struct Story {
    seed: u64,
    draws: Draws,
    site: Site,
    store: Interrupted,
    manager: SessionManager,
    browser: Browser,
    calls: &'static str,
    is_in_record: bool,
    requests: Vec<Told>,
    log: Vec<String>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let site = Site::new();
        let store = Interrupted::new(&site);
        let (placement, is_in_record) =
            [(Placement::Spill, true), (Placement::Spill, false), (Placement::StoreOnly, true)][(seed % 3) as usize];
        let builder = store.under(site.cookie_only()).placement(placement).inline_limit_bytes(1000);
        let manager = builder.build().unwrap();
        let mut browser = site.browser();
        browser.visit(&manager, |session| {
            session.put("user", &42).unwrap();
            session.put("otp", &7).unwrap();
            if is_in_record {
                session.put("photo", &text(BIG)).unwrap();
            }
        });
        super::later(&site);
        let calls = CALLS[(seed / 3 % 4) as usize];
        let mut draws = Draws(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        ignore(draws.below(2));
        Self { seed, draws, site, store, manager, browser, calls, is_in_record, requests: Vec::new(), log: Vec::new() }
    }

    /// Up to three requests, whose calls to the store come in any order.
    fn round(&mut self, number: usize) {
        let mut faults = if self.draws.happens(70) { 1 + self.draws.below(2) } else { 0 };
        let mut tabs: Vec<_> = (0..1 + self.draws.below(3))
            .map(|tab| {
                let commits = if self.draws.happens(30) { 1 + self.draws.below(3) } else { 1 };
                let told = Rc::new(RefCell::new(Told { key: format!("n{number}{tab}"), ..Told::default() }));
                let steps = [commits, 1 + self.draws.below(6)];
                (told, self.draws.calls(self.calls), steps, None::<Pin<Box<dyn Future<Output = ()>>>>)
            })
            .collect();
        let mut open: Vec<_> = (0..tabs.len()).collect();
        let mut late = Vec::new();
        self.store.go_slow(true);
        while !open.is_empty() {
            let at = self.draws.below(open.len() as u64);
            let (told, calls, steps, future) = &mut tabs[open[at]];
            let polled = future.get_or_insert_with(|| {
                let pending = self.browser.begin(&self.manager).0;
                Box::pin(handle(pending, std::mem::take(calls), *steps, Rc::clone(told)))
            });
            if faults > 0 && self.draws.happens(15) {
                faults -= 1;
                let fault = self.draws.fault();
                self.store.at_next(|_| true, fault);
                self.log.push("a fault is planned".to_owned());
            }
            let is_done = polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            let is_dropped = !is_done && self.draws.happens(1);
            self.log.push(format!("step of {}", told.borrow().key));
            if self.draws.happens(10) {
                self.site.clock.advance_seconds(1);
            }
            if is_done || is_dropped {
                *future = None;
                if is_dropped {
                    told.borrow_mut().ends_with(None);
                }
                let told = Rc::clone(told);
                open.swap_remove(at);
                self.log.push(format!("{:?}", told.borrow()));
                match self.draws.below(100) {
                    0..15 => self.log.push("the response is lost".to_owned()),
                    15..30 => late.push(told),
                    _ => self.deliver(&mut told.borrow_mut()),
                }
            }
        }
        late.iter().for_each(|told| self.deliver(&mut told.borrow_mut()));
        self.store.go_slow(false);
        self.store.at_next(|_| false, Meets::Corrupt);
        self.store.catch_up();
        self.requests.extend(tabs.iter().map(|(told, ..)| told.borrow().clone()));
        self.site.clock.advance_seconds(12 + self.draws.below(20) as u64);
    }

    fn deliver(&mut self, told: &mut Told) {
        for line in own_lines(&told.response) {
            let value = line.split_once('=').unwrap().1.split(';').next().unwrap();
            let opened = self.manager.sealer().open(value, self.site.now());
            let payload = opened.as_ref().ok().and_then(|opened| opened.payload_json());
            assert!(!payload.unwrap_or_default().contains("SECRET"), "a secret travels in a cookie");
        }
        self.browser.receive(&told.response);
        told.is_delivered = true;
        self.log.push(format!("response to {}", told.key));
    }

    /// A visit without a fault, which must succeed.
    fn visit(&mut self) -> Map<String, Value> {
        let request = self.browser.begin(&self.manager);
        let seen = request.session().all();
        request.session().put("mark", &seen.len()).unwrap();
        let failed = match request.try_commit() {
            Ok(response) => {
                self.browser.receive(&response);
                return seen;
            }
            Err(failed) => failed,
        };
        // The response to a logout was lost: its session is taken from the browser now.
        let is_expected = self.has(|told| told.has_ended || told.has_cleared) && failed.status_code() == 409;
        assert!(is_expected, "a visit without a fault: {failed}");
        self.browser.receive(&failed.commit);
        self.browser.put(&self.manager, "mark", 1);
        Map::new()
    }

    fn has(&self, what: impl Fn(&Told) -> bool) -> bool {
        self.requests.iter().any(what)
    }

    /// Judges what the user sees after a round. `last` is the request of a round that had only one.
    fn judge(&self, seen: &Map<String, Value>, user_was_there: bool, last: Option<&Told>) {
        let number = |key: &str| seen.get(key).and_then(Value::as_u64).unwrap_or(0);
        let user_is_there = number("user") == 42;
        let sum: u64 = self.requests.iter().map(|told| number(&told.key)).sum();
        let list = seen.get("list").and_then(Value::as_array).map_or(0, Vec::len);
        assert_eq!((number("n"), list as u64), (sum, sum), "each counting is there as a whole");
        for told in &self.requests {
            assert!(number(&told.key) <= told.possible, "{} counted more than once", told.key);
        }
        let is_final = self.is_in_record && !self.has(|told| told.has_moved);
        let is_logged_out = |told: &Told| told.has_ended && told.is_ok && (told.is_delivered || is_final);
        assert!(!(user_is_there && self.has(is_logged_out)), "a session that was ended is back");
        let goes_on = |told: &Told| !told.has_ended && !told.has_cleared;
        if let Some(told) = last.filter(|told| told.is_ok && told.is_delivered && goes_on(told)) {
            let [most, found] = [told.kept + told.late, number(&told.key)];
            assert!(told.kept <= found && found <= most, "a success keeps {}, and not {found}", told.kept);
            // A login that meets a logout begins with an empty session.
            assert!(user_is_there == user_was_there || self.has(|told| told.has_ended), "a success loses no session");
        }
        if is_final && !self.has(|told| !goes_on(told)) {
            for told in &self.requests {
                assert!(told.kept <= number(&told.key), "{} was lost", told.key);
            }
            assert!(user_is_there, "the user is logged out");
        }
        let taken = self.requests.iter().filter(|told| told.pulled && told.is_ok).count();
        let is_once = taken == 0 || (taken == 1 && !seen.contains_key("otp"));
        assert!(is_once || !is_final, "a one-time value is taken once");
    }
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
    for seed in stories {
        let mut story = Story::new(seed);
        let mut user_was_there = true;
        for number in 0..3 {
            let others = story.requests.len();
            story.round(number);
            let seen = story.visit();
            let last = story.requests.last().filter(|_| story.requests.len() == others + 1);
            story.judge(&seen, user_was_there, last);
            user_was_there = seen.contains_key("user");
        }
    }
}
