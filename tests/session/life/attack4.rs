//! Attacks on the promises: wide random stories over two managers, and single ideas.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Waker};

use std::time::Duration;

use sealed_session::cookie::CookieAttributes;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreFuture, Updated};
use sealed_session::testing::FaultyStore;
use sealed_session::{
    Commit, CommitError, Key, KeyRing, Lifetimes, Path, PendingSession, Placement, Renewal, ResponseFacts, Session,
    SessionManager, StoreFailure, Timestamp,
};
use serde_json::{Map, Value};

use super::interrupted::{Interrupted, Meets, poll_times};
use crate::browser::Browser;
use crate::support::{COOKIE, Site, ignore, own_lines, text};

const STORIES: Range<u64> = 0..360;
const BIG: usize = 1200;

const CALLS: [&str; 6] =
    ["cccpfssddlghkmboD", "cccsddrrghzz", "ccsdlfrrixeg", "ccppsdDlixegb", "ccczzsqqwtttnnss", "ccrRggsshhlDdzqt"];

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

#[derive(Clone, Debug, Default)]
struct Told {
    key: String,
    /// Increments that returned Ok.
    total: u64,
    /// In the session after a success, at least.
    kept: u64,
    /// Something of it is possible although not known.
    possible: u64,
    pulled: bool,
    pull_is_kept: bool,
    has_moved: bool,
    has_ended: bool,
    /// It came with a session.
    has_come: bool,
    has_cleared: bool,
    has_reloaded: bool,
    persist: Option<char>,
    is_threaded: bool,
    /// The writes were not taken with the response.
    is_dropped: bool,
    is_ok: bool,
    status: u16,
    is_delivered: bool,
    response: Commit,
    did: String,
}

impl Told {
    fn ends_with(&mut self, view: u64, outcome: Option<Result<(), &CommitError>>) {
        match outcome {
            // See `a_conflict_keeps_nothing_although_the_session_is_read_again_meanwhile`.
            Some(Err(CommitError::Conflict)) if !self.is_threaded => return,
            Some(Ok(())) => {
                self.kept = if self.is_threaded { self.kept.max(view) } else { view };
                self.pull_is_kept = self.pulled;
            }
            Some(Err(_)) | None => {}
        }
        self.possible = self.total;
    }
}

fn check_whole(session: &Session, who: &str) {
    let all = session.all();
    whole(&all, who);
}

/// Each counting is there as a whole: `n`, the keys of the requests, and the list.
fn whole(all: &Map<String, Value>, who: &str) {
    let number = |key: &str| all.get(key).and_then(Value::as_u64).unwrap_or(0);
    let sum: u64 = all.iter().filter(|(key, _)| key.starts_with("own")).filter_map(|(_, v)| v.as_u64()).sum();
    let list = all.get("list").and_then(Value::as_array).map_or(0, Vec::len);
    assert_eq!((number("n"), list as u64), (sum, sum), "each counting is there as a whole, as {who} sees it");
}

async fn calls_of(session: Session, calls: String, polls: usize, told: Rc<RefCell<Told>>) {
    let key = told.borrow().key.clone();
    for call in calls.chars() {
        told.borrow_mut().did.push(call);
        let view = session.get_or(key.as_str(), 0).unwrap();
        match call {
            's' => {
                let saved = session.save().await;
                told.borrow_mut().ends_with(view, Some(saved.as_ref().map(drop)));
            }
            'd' => {
                let saved = poll_times(pin!(session.save()), polls);
                told.borrow_mut().ends_with(view, saved.as_ref().map(|saved| saved.as_ref().map(drop)));
            }
            // A moment for others.
            't' => {
                let mut waits = true;
                std::future::poll_fn(|context| {
                    if std::mem::take(&mut waits) {
                        context.waker().wake_by_ref();
                        return std::task::Poll::Pending;
                    }
                    std::task::Poll::Ready(())
                })
                .await;
            }
            'l' | 'D' => {
                let read = if call == 'l' {
                    session.reload().await
                } else {
                    match poll_times(pin!(session.reload()), polls) {
                        Some(read) => read,
                        None => continue,
                    }
                };
                let mut told = told.borrow_mut();
                if read.is_ok() {
                    told.has_reloaded = true;
                    if !told.is_threaded {
                        told.kept = session.get_or(key.as_str(), 0).unwrap();
                        told.pulled = told.pull_is_kept;
                        told.persist = None;
                        check_whole(&session, "a reload");
                    }
                }
            }
            call => at_once(call, &session, &mut told.borrow_mut()),
        }
    }
}

async fn handle(
    pending: PendingSession,
    ends_unread: bool,
    calls: String,
    [commits, polls]: [usize; 2],
    status: u16,
    told: Rc<RefCell<Told>>,
) {
    if ends_unread {
        told.borrow_mut().has_ended |= pending.end().is_ok();
    }
    let is_unread_end = told.borrow().has_ended;
    let session = match pending.session().await {
        Ok(session) => session,
        Err(_) if commits > 1 => {
            told.borrow_mut().did.push('E');
            let Ok(session) = pending.end() else { return };
            told.borrow_mut().has_ended = true;
            session
        }
        Err(_) => {
            told.borrow_mut().did.push('?');
            return;
        }
    };
    told.borrow_mut().has_come = is_unread_end || told.borrow().has_ended || !session.is_new();
    if !told.borrow().is_threaded {
        check_whole(&session, "a handler");
    }
    calls_of(session.clone(), calls, polls, Rc::clone(&told)).await;
    let key = told.borrow().key.clone();
    for _ in 0..commits {
        let view = session.get_or(key.as_str(), 0).unwrap();
        let outcome = pending.commit(&ResponseFacts::new(status)).await;
        let mut told = told.borrow_mut();
        let taken = status < 500;
        if taken || outcome.is_err() {
            told.ends_with(view, Some(outcome.as_ref().map(drop).map_err(|failed| &failed.error)));
        }
        if !taken && outcome.is_ok() {
            told.possible = told.total;
            told.is_dropped = true;
            // What is not taken is dropped.
            (told.persist, told.pulled) = (None, told.pull_is_kept);
        }
        told.is_ok = outcome.is_ok();
        told.did.push(if outcome.is_ok() { '+' } else { '-' });
        told.status = outcome.as_ref().map_or_else(|failed| failed.status_code(), |_| 200);
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
            told.total += 1;
        }
        'p' => told.pulled |= matches!(session.pull::<u64>("otp"), Ok(Some(7))),
        'f' => ignore((session.flash_messages().has("notice"), session.flash("notice", &told.key))),
        'n' => ignore((session.reflash(), session.flash_input(&serde_json::json!({"a": "b", "big": text(300)})))),
        'q' => ignore(session.old::<String>("a")),
        'w' => {
            ignore((session.put("w.x.y", &told.total), session.merge(&serde_json::json!({"w2": 1, "w3": {"a": 2}}))))
        }
        'g' => ignore(session.put("cart", &text(BIG))),
        'h' => ignore(session.forget("cart")),
        'k' => ignore((session.server_only("secret"), session.put("secret", "SECRET"))),
        'z' => {
            // Half the size.
            ignore(session.put("half", &text(700)));
        }
        'm' => {
            if session.remember(super::TEN_DAYS).is_ok() {
                told.persist = Some('m');
            }
        }
        'b' => {
            if session.end_with_browser().is_ok() {
                told.persist = Some('b');
            }
        }
        'o' => {
            if session.forget_lifetime().is_ok() {
                told.persist = Some('o');
            }
        }
        'r' => told.has_moved |= session.regenerate().is_ok(),
        'R' => told.has_moved |= session.regenerate_and_reset_lifetime().is_ok(),
        'i' | 'x' => {
            let ended = if call == 'i' { session.invalidate() } else { session.destroy() };
            told.has_ended |= ended.is_ok();
            told.persist = None;
        }
        'e' if session.clear().is_ok() => told.has_cleared = true,
        _ => {}
    }
}

struct Story {
    seed: u64,
    draws: Draws,
    site: Site,
    skewed: Site,
    store: Interrupted,
    managers: Vec<SessionManager>,
    snapshots: Vec<Browser>,
    browser: Browser,
    calls: &'static str,
    is_in_record: bool,
    threads: bool,
    may_expire: bool,
    requests: Vec<Told>,
    later: Vec<Told>,
    log: Vec<String>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let site = Site::new();
        let mut skewed = Site::new();
        skewed.events = site.events.clone();
        let store = Interrupted::new(&site);
        let mut draws = Draws(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        ignore(draws.below(2));
        let (placement, mut is_in_record) =
            [(Placement::Spill, true), (Placement::Spill, false), (Placement::StoreOnly, true)][(seed % 3) as usize];
        let other_key = Key::generate().unwrap();
        let kind = seed / 3 % 13;
        let plain = || store.under(site.cookie_only()).placement(placement).inline_limit_bytes(1000);
        let mut more = 0;
        let mut may_expire = false;
        let builders = match kind {
            0 => [plain(), plain()],
            1 => {
                is_in_record &= placement == Placement::StoreOnly;
                [plain(), plain().inline_limit_bytes(2600)]
            }
            2 => [plain().also_read(COOKIE, "shop/new"), plain().audience("shop/new").also_read(COOKIE, "shop/test")],
            3 => {
                let one = KeyRing::new(site.key.clone()).with_open_only(other_key.clone()).unwrap();
                let two = KeyRing::new(other_key).with_open_only(site.key.clone()).unwrap();
                let over = |ring: KeyRing| store.under(site.over(ring)).placement(placement).inline_limit_bytes(1000);
                [over(one), over(two)]
            }
            4 => {
                more = [0, 2, 4, 20, 50][draws.below(5)];
                skewed.clock.advance_seconds(more);
                [plain(), plain().clock(skewed.clock.clone())]
            }
            5 => [plain().renewal(Renewal::EveryResponse), plain().renewal(Renewal::EveryResponse)],
            6 => {
                let mixed = if placement == Placement::Spill { Placement::StoreOnly } else { Placement::Spill };
                let at = sealed_session::Timestamp::from_unix_seconds(1_895_000_000);
                [plain().accept_inline_until(at), plain().placement(mixed).accept_inline_until(at)]
            }
            7 => [plain(), plain().resave(true).save_uninitialized(true)],
            8 => [plain().on_store_failure(StoreFailure::Ephemeral), plain().on_store_failure(StoreFailure::Ephemeral)],
            9 => {
                is_in_record = false;
                let only = || plain().placement(Placement::CookieOnly);
                [only(), only().renewal(Renewal::EveryResponse)]
            }
            10 => {
                is_in_record = false;
                may_expire = true;
                let lives = || {
                    Lifetimes::default()
                        .idle_timeout(Duration::from_secs(60))
                        .absolute_timeout(Some(Duration::from_secs(100)))
                        .remember_max(Duration::from_secs(90))
                };
                [plain().lifetimes(lives()), plain().lifetimes(lives()).renewal(Renewal::EveryResponse)]
            }
            12 => [plain(), plain()],
            _ => {
                // Another name and another audience at once, and larger limits.
                [
                    plain().also_read("__Host-new", "shop/new"),
                    plain()
                        .cookie(CookieAttributes::new().name("__Host-new"))
                        .audience("shop/new")
                        .also_read(COOKIE, "shop/test"),
                ]
            }
        };
        let _ = more;
        let mut managers: Vec<_> =
            builders.into_iter().map(|builder| builder.commit_when(|status| status < 500).build().unwrap()).collect();
        if kind == 12 {
            managers = ["shop/test", "shop/new", "shop/third"]
                .map(|own| {
                    let others = ["shop/test", "shop/new", "shop/third"].into_iter().filter(|other| *other != own);
                    let builder = others.fold(plain().audience(own), |builder, other| builder.also_read(COOKIE, other));
                    builder.commit_when(|status| status < 500).build().unwrap()
                })
                .into();
        }
        let mut browser = site.browser();
        let first = draws.below(managers.len() as u64);
        browser.visit(&managers[first], |session| {
            session.put("user", &42).unwrap();
            session.put("otp", &7).unwrap();
            if is_in_record {
                session.put("photo", &text(BIG)).unwrap();
            }
        });
        let calls = CALLS[(seed / 39 % 6) as usize];
        let threads = seed / 234 % 2 == 1;
        let mut story = Self {
            seed,
            draws,
            site,
            skewed,
            store,
            managers,
            snapshots: Vec::new(),
            browser,
            calls,
            is_in_record,
            threads,
            may_expire,
            requests: Vec::new(),
            later: Vec::new(),
            log: vec![format!("kind {kind}, {placement:?}, record {is_in_record}, threads {threads}, skew {more}")],
        };
        story.advance(3);
        story
    }

    fn advance(&mut self, seconds: u64) {
        self.site.clock.advance_seconds(seconds);
        self.skewed.clock.advance_seconds(seconds);
    }

    fn round(&mut self, number: usize) -> usize {
        let planned = if self.draws.happens(70) { 1 + self.draws.below(2) } else { 0 };
        let mut faults = planned;
        let mut tabs: Vec<_> = (0..1 + self.draws.below(3))
            .map(|tab| {
                let commits = if self.draws.happens(30) { 1 + self.draws.below(3) } else { 1 };
                let told = Rc::new(RefCell::new(Told {
                    key: format!("own{number}{tab}"),
                    is_threaded: self.threads,
                    ..Told::default()
                }));
                let steps = [commits, 1 + self.draws.below(6)];
                let plan = (
                    self.draws.below(self.managers.len() as u64),
                    self.draws.calls(self.calls),
                    self.draws.calls(self.calls),
                );
                let status = if self.draws.happens(5) { 500 } else { 200 };
                (told, plan, steps, status, Vec::<Pin<Box<dyn Future<Output = ()>>>>::new(), false)
            })
            .collect();
        let mut open: Vec<_> = (0..tabs.len()).collect();
        let mut late = Vec::new();
        let mut polls_left = 20_000;
        self.store.go_slow(true);
        while !open.is_empty() {
            polls_left -= 1;
            assert!(polls_left > 0, "an endless loop");
            let at = self.draws.below(open.len() as u64);
            let (told, plan, steps, status, futures, has_begun) = &mut tabs[open[at]];
            if !*has_begun {
                *has_begun = true;
                let manager = &self.managers[plan.0];
                let pending = self.browser.begin(manager).0;
                let ends_unread = "ix".chars().any(|c| self.calls.contains(c)) && self.draws.happens(10);
                told.borrow_mut().did = format!("{}:", plan.0);
                if self.threads {
                    let (pending, calls, told) = (pending.clone(), plan.2.clone(), Rc::clone(told));
                    let polls = steps[1];
                    futures.push(Box::pin(async move {
                        let Ok(session) = pending.session().await else { return };
                        calls_of(session, calls, polls, told).await;
                    }));
                }
                futures.push(Box::pin(handle(pending, ends_unread, plan.1.clone(), *steps, *status, Rc::clone(told))));
            }
            if faults > 0 && self.draws.happens(15) {
                faults -= 1;
                let fault = self.draws.fault();
                self.store.at_next(|_| true, fault);
                self.log.push("a fault is planned".to_owned());
            }
            let which = self.draws.below(futures.len() as u64);
            let is_done = futures[which].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if is_done {
                drop(futures.swap_remove(which));
            }
            let is_dropped = !futures.is_empty() && self.draws.happens(1);
            let calls = self.site.records.take_calls();
            self.log.push(format!(
                "step of {} {} at {} {calls:?}",
                told.borrow().key,
                told.borrow().did,
                self.site.now().unix_seconds() - 1_795_000_000
            ));
            let is_done = futures.is_empty();
            if is_done || is_dropped {
                futures.clear();
                if is_dropped {
                    told.borrow_mut().ends_with(0, None);
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
            if self.draws.happens(10) {
                self.advance(1);
            }
        }
        for told in late {
            if self.draws.happens(30) {
                let told = told.borrow().clone();
                self.later.push(told);
            } else {
                self.deliver(&mut told.borrow_mut());
            }
        }
        self.store.go_slow(false);
        self.store.at_next(|_| false, Meets::Corrupt);
        self.store.catch_up();
        self.requests.extend(tabs.iter().map(|(told, ..)| told.borrow().clone()));
        let pause =
            [12 + self.draws.below(20) as u64, 2 + self.draws.below(9) as u64][usize::from(self.draws.happens(30))];
        self.advance(pause);
        planned - faults
    }

    fn deliver(&mut self, told: &mut Told) {
        self.log.push(format!("events {:?}", self.site.events.take()));
        for line in own_lines(&told.response) {
            let value = line.split_once('=').unwrap().1.split(';').next().unwrap();
            for manager in &self.managers {
                let opened = manager.sealer().open(value, self.site.now());
                let payload = opened.as_ref().ok().and_then(|opened| opened.payload_json());
                assert!(!payload.unwrap_or_default().contains("SECRET"), "a secret travels in a cookie");
            }
            assert!(line.len() < 3000);
        }
        self.snapshots.push(self.browser.clone());
        if self.snapshots.len() > 6 {
            let at = self.draws.below(6);
            self.snapshots.remove(at);
        }
        self.browser.receive(&told.response);
        told.is_delivered = true;
        let markers = self.browser.markers().len();
        assert!(markers < 16, "{markers} markers");
        self.log.push(format!("response to {}", told.key));
    }

    fn visit(&mut self) -> (Map<String, Value>, Option<Commit>) {
        let at = self.draws.below(self.managers.len() as u64);
        let manager = self.managers[at].clone();
        self.log.push(format!("visit at {at}, time {}", self.site.now().unix_seconds() - 1_795_000_000));
        let request = self.browser.begin(&manager);
        let seen = request.session().all();
        self.log.push(format!("a visit sees {:?}, {:?}", seen.keys().collect::<Vec<_>>(), self.site.events.take()));
        self.log.push(format!("markers {:?}, calls {:?}", self.browser.markers(), self.site.records.take_calls()));
        request.session().put("mark", &self.requests.len()).unwrap();
        let failed = match request.try_commit() {
            Ok(response) => {
                self.browser.receive(&response);
                return (seen, Some((*response).clone()));
            }
            Err(failed) => failed,
        };
        let is_expected = self.may_expire
            || self.has(|told| told.has_ended || told.has_cleared || told.has_moved) && failed.status_code() == 409;
        assert!(is_expected, "a visit without a fault: {failed}");
        self.browser.receive(&failed.commit);
        self.advance(20);
        self.log.push(format!("failed {failed} {:?} events {:?}", failed.commit, self.site.events.take()));
        let request = self.browser.begin(&manager);
        let seen = request.session().all();
        request.session().put("mark", &0).unwrap();
        match request.try_commit() {
            Ok(response) => self.browser.receive(&response),
            Err(failed) => {
                self.log.push(format!("failed {failed} {:?} events {:?}", failed.commit, self.site.events.take()));
                self.browser.receive(&failed.commit);
                self.browser.receive(&failed.commit);
                // See `a_conflict_by_two_cookies_of_one_second_ends_when_the_request_is_repeated`.
            }
        }
        (seen, None)
    }

    fn has(&self, what: impl Fn(&Told) -> bool) -> bool {
        self.requests.iter().any(what)
    }

    fn judge(&self, seen: &Map<String, Value>, user_was_there: bool, last: Option<&Told>, response: Option<&Commit>) {
        let number = |key: &str| seen.get(key).and_then(Value::as_u64).unwrap_or(0);
        let user_is_there = number("user") == 42;
        if !self.threads {
            whole(seen, "a visit");
        }
        for told in &self.requests {
            assert!(number(&told.key) <= told.possible, "{} counted more than once", told.key);
        }
        let is_final = self.is_in_record && !self.has(|told| told.has_moved);
        let is_logged_out =
            |told: &Told| told.has_ended && told.has_come && told.is_ok && (told.is_delivered || is_final);
        let left = self.requests.iter().filter(|told| told.has_ended || told.has_moved).count();
        // A session that became empty has not ended, and a late cookie of it may come back.
        if left <= 3 && !self.has(|told| told.has_cleared) {
            assert!(!(user_is_there && self.has(is_logged_out)), "a session that was ended is back");
        }
        let goes_on = |told: &Told| !told.has_ended && !told.has_cleared;
        if let Some(told) = last.filter(|told| {
            !self.may_expire && told.is_delivered && !told.is_dropped && goes_on(told) && self.later.is_empty()
        }) {
            if told.is_ok || (told.status != 409 && told.status != 0 && !told.has_moved) {
                let found = number(&told.key);
                assert!(told.kept <= found, "a success keeps {}, and not {found}", told.kept);
            }
            if told.is_ok {
                assert!(
                    self.may_expire
                        || user_is_there == user_was_there
                        || self.has(|told| told.has_ended || told.has_cleared),
                    "a success loses no session"
                );
                if let (Some(persist), Some(commit), false, false) =
                    (told.persist, response, told.is_threaded, told.response.set_cookies.is_empty())
                {
                    let line = own_lines(commit).pop().unwrap_or_default().to_owned();
                    let is_right = match persist {
                        'm' => line.contains("Max-Age=864000"),
                        'b' => !line.contains("Max-Age"),
                        _ => line.contains("Max-Age=7200"),
                    };
                    if !told.has_reloaded && !self.has(|told| told.has_ended || told.has_cleared) {
                        assert!(is_right, "persistence {persist}: {}", line.rsplit_once("; ").unwrap_or_default().1);
                    }
                }
            }
        }
        if is_final && !self.has(|told| !goes_on(told)) {
            for told in &self.requests {
                assert!(told.kept <= number(&told.key), "{} was lost", told.key);
            }
            assert!(user_is_there, "the user is logged out");
        }
        if is_final && !self.may_expire && self.has(|told| told.has_ended && told.has_come && told.is_ok) {
            for copy in &self.snapshots {
                for manager in &self.managers {
                    let request = copy.begin(manager);
                    let Ok(session) = request.try_session() else { panic!("a copy cannot be read") };
                    assert_ne!(session.get::<u64>("user").unwrap(), Some(42), "a copy opens after a logout");
                }
            }
        }
        if is_final && !self.has(|told| !goes_on(told)) {
            for copy in &self.snapshots {
                for manager in &self.managers {
                    let session = copy.begin(manager).session();
                    for told in &self.requests {
                        assert!(
                            told.kept <= session.get_or(told.key.as_str(), 0).unwrap(),
                            "{} was lost to an older cookie",
                            told.key
                        );
                    }
                }
            }
        }
        let taken = self.requests.iter().filter(|told| told.pulled && told.is_ok).count();
        let is_once = taken == 0 || (taken == 1 && !seen.contains_key("otp"));
        if !self.threads && !self.has(|told| told.pulled && told.response == Commit::default()) {
            assert!(is_once || !is_final, "a one-time value is taken once");
        }
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

/// Holds.
#[test]
fn wide_random_stories_keep_every_promise() {
    let stories = std::env::var("STORIES").map_or(STORIES, |range| {
        let (first, end) = range.split_once("..").unwrap();
        first.parse().unwrap()..end.parse().unwrap()
    });
    let mut failed = Vec::new();
    for seed in stories {
        let outcome = std::panic::catch_unwind(|| {
            let mut story = Story::new(seed);
            let mut user_was_there = true;
            let mut disturbed = false;
            for number in 0..4 {
                let others = story.requests.len();
                story.round(number);
                let (seen, response) = story.visit();
                let last = story.requests.last().filter(|_| story.requests.len() == others + 1 && !disturbed);
                disturbed = false;
                story.judge(&seen, user_was_there, last, response.as_ref());
                user_was_there = seen.contains_key("user");
                // Within one second, the order of two cookies cannot be told.
                story.advance(2);
                // What is later than the round.
                if story.draws.happens(50) {
                    let later = std::mem::take(&mut story.later);
                    disturbed = !later.is_empty();
                    for mut told in later {
                        story.log.push("later:".to_owned());
                        story.deliver(&mut told);
                    }
                }
            }
        });
        if outcome.is_err() {
            failed.push(seed);
            if failed.len() > 5 {
                break;
            }
        }
    }
    assert!(failed.is_empty(), "stories {failed:?}");
}

/// Polls both in turns until both have finished.
fn in_turns<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if first.is_none() {
            if let std::task::Poll::Ready(outcome) = one.as_mut().poll(&mut context) {
                first = Some(outcome);
            }
        }
        if second.is_none() {
            if let std::task::Poll::Ready(outcome) = other.as_mut().poll(&mut context) {
                second = Some(outcome);
            }
        }
        if first.is_some() && second.is_some() {
            return (first.unwrap(), second.unwrap());
        }
    }
    panic!("it hangs");
}

/// FINDING 4. What happened: another task of the request reads the session again while the commit waits for its store. The commit
/// is a 409, and its count is in the record: who sends the form again counts twice. Promised: a conflict kept nothing (page of
/// the protocol, step `refuse`), and each operation counts once (4).
#[test]
fn a_conflict_keeps_nothing_although_the_session_is_read_again_meanwhile() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for head_start in 0..6 {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
            let mut browser = super::in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            session.increment("n", 1).unwrap();
            store.go_slow(true);
            let facts = ResponseFacts::new(200);
            let mut commit = Box::pin(request.0.commit(&facts));
            let outcome = if let Some(outcome) = poll_times(commit.as_mut(), head_start) {
                ignore(pollster::block_on(session.reload()));
                outcome
            } else {
                in_turns(commit, session.reload()).0
            };
            store.go_slow(false);
            let expected = match outcome {
                Ok(response) => {
                    browser.receive(&response);
                    Some(1)
                }
                Err(failed) => {
                    assert_eq!(failed.status_code(), 409);
                    browser.receive(&failed.commit);
                    None
                }
            };
            assert_eq!(browser.get(&manager, "n"), expected, "{placement:?}, {head_start} steps of the commit before");
        }
    }
}

/// FINDING 1. What happened: a task asks for its session for the first time while another thread commits. The `put` was Ok, the
/// commit was Ok, nothing was kept, and no event tells. Promised: no success that kept nothing (1).
#[test]
fn a_write_beside_a_commit_is_kept_or_an_error() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let rounds = std::env::var("ROUNDS").map_or(20_000, |rounds| rounds.parse().unwrap());
    for _ in 0..rounds {
        let pending = manager.begin(&sealed_session::RequestFacts::new());
        let other = pending.clone();
        let barrier = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let theirs = std::sync::Arc::clone(&barrier);
        let wait = |barrier: &std::sync::atomic::AtomicUsize| {
            barrier.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            while barrier.load(std::sync::atomic::Ordering::SeqCst) < 2 {
                std::hint::spin_loop();
            }
        };
        let handler = std::thread::spawn(move || {
            wait(&theirs);
            let session = other.session_now().unwrap();
            session.put("user", &42)
        });
        wait(&barrier);
        // As long as a session takes to be made, about.
        let commit = pending.commit_now(&ResponseFacts::new(200));
        let written = handler.join().unwrap();
        if written.is_ok() {
            assert!(!commit.unwrap().set_cookies.is_empty(), "a write was Ok, the commit was Ok, and nothing was kept");
        }
    }
}

/// FINDING 2. What happened: the page sets a session, and two requests of the same second go on with its cookie: one uploads, one
/// writes something small, whose response comes last. From then on each upload is a 409, however often and however late it is
/// sent again. Promised: the browser can continue with the cookie that it has (8), and a conflict says "repeat the request" (1).
#[test]
fn a_conflict_by_two_cookies_of_one_second_ends_when_the_request_is_repeated() {
    let site = Site::new();
    for by_loss in [false, true] {
        let manager = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&manager, "user", 42);
        let [small, upload] = [(); 2].map(|()| browser.begin(&manager));
        small.session().put("step", &1).unwrap();
        upload.session().put("cart", &text(crate::support::LARGE)).unwrap();
        let upload = upload.commit();
        let small = small.commit();
        if !by_loss {
            browser.receive(&upload);
        }
        browser.receive(&small);
        let mut answers = Vec::new();
        for pause_seconds in [3, 60, 600, 600, 600] {
            site.clock.advance_seconds(pause_seconds);
            let again = browser.begin(&manager);
            again.session().put("photo", &text(crate::support::LARGE)).unwrap();
            match again.try_commit() {
                Ok(response) => {
                    browser.receive(&response);
                    answers.push(200);
                }
                Err(failed) => {
                    browser.receive(&failed.commit);
                    answers.push(failed.status_code());
                }
            }
        }
        assert_eq!(answers[1..], [200; 4], "lost: {by_loss}");
    }
}

/// A lifetime that one request asks for, beside a renewal of another one whose response is lost.
#[test]
fn a_renewal_in_flight_takes_no_lifetime_back_from_a_record() {
    for (renewal, placement) in [
        (Renewal::HalfLife, Placement::Spill),
        (Renewal::HalfLife, Placement::StoreOnly),
        (Renewal::EveryResponse, Placement::Spill),
        (Renewal::EveryResponse, Placement::StoreOnly),
    ] {
        for reads_late in [false, true] {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.cookie_only()).placement(placement).renewal(renewal).build().unwrap();
            let browser = super::in_record(&site, &manager);
            site.clock.advance_seconds(5000);
            let renewing = browser.begin(&manager);
            if !reads_late {
                ignore(renewing.session().get::<u64>("user"));
            }
            let (remembering, others) = (manager.clone(), std::sync::Arc::new(std::sync::Mutex::new(browser.clone())));
            let theirs = std::sync::Arc::clone(&others);
            let act = move || {
                theirs.lock().unwrap().visit(&remembering, |session| session.remember(super::TEN_DAYS).unwrap());
            };
            if reads_late {
                store.at_next(|call| call == sealed_session::testing::Call::Touch, Meets::Meanwhile(Box::new(act)));
                ignore(renewing.session().get::<u64>("user"));
            } else {
                act();
                site.clock.advance_seconds(1);
            }
            ignore(renewing.try_commit());
            let mut browser = others.lock().unwrap().clone();
            site.clock.advance_seconds(3 * 3600);
            assert_eq!(browser.get(&manager, "user"), Some(42), "{renewal:?} {placement:?} {reads_late}");
        }
    }
}

/// FINDING 5. What happened: 17 saves of new ids in one request are all Ok, and so is the commit; it sets 17 markers. The next request
/// carries more than 15, and its session is refused. So is each later login, with 200, also with `regenerate`, until the markers
/// expire (30 days) or somebody logs out. Promised: a login starts a session (3), and never a 200 that logged nobody in (8).
#[test]
fn a_request_that_steps_up_often_keeps_its_session() {
    for ends in [false, true] {
        for placement in [Placement::Spill, Placement::StoreOnly] {
            for times in [3, 5, 10, 17, 40] {
                let site = Site::new();
                let manager = site.with_records().placement(placement).build().unwrap();
                let mut browser = super::inline(&site, &manager);
                let request = browser.begin(&manager);
                let session = request.session();
                for _ in 0..times {
                    if ends {
                        session.invalidate().unwrap();
                        session.put("user", &42).unwrap();
                    } else {
                        session.regenerate().unwrap();
                    }
                    pollster::block_on(session.save()).unwrap();
                }
                browser.receive(&request.commit());
                let found = browser.get(&manager, "user");
                // Is it over with another login, or a logout first?
                let logs_in: [fn(&Session); 2] = [|_| (), |session| session.regenerate_and_reset_lifetime().unwrap()];
                let again = logs_in.map(|before| {
                    browser.visit(&manager, |session| {
                        before(session);
                        session.put("user", &42).unwrap();
                    });
                    super::later(&site);
                    browser.get(&manager, "user")
                });
                browser.visit(&manager, super::invalidates);
                browser.put(&manager, "user", 42);
                super::later(&site);
                let again = [again[0], again[1], browser.get(&manager, "user")];
                assert_eq!((found, again), (Some(42), [Some(42); 3]), "{placement:?}, {times} times, ends: {ends}");
            }
        }
    }
}

/// Servers whose clocks differ by some seconds: an orphan record of the one that is ahead.
#[test]
fn a_record_of_a_server_that_is_ahead_rolls_nothing_back() {
    for ahead in [1, 2, 5, 20, 50] {
        for pause in [1, 3, 10, 30] {
            for last_at_first in [false, true] {
                let site = Site::new();
                let fast = sealed_session::testing::ManualClock::at_unix_seconds(1_795_000_000 + ahead);
                let advance = |seconds| {
                    site.clock.advance_seconds(seconds);
                    fast.advance_seconds(seconds);
                };
                let first = site.with_records().clock(fast.clone()).build().unwrap();
                let second = site.with_records().build().unwrap();
                let mut browser = site.browser();
                browser.visit(&first, |session| session.put("n", &1).unwrap());
                advance(pause);
                let lost = browser.begin(&first);
                lost.session().put("cart", &text(crate::support::LARGE)).unwrap();
                lost.session().increment("lost", 1).unwrap();
                lost.commit();
                advance(pause);
                browser.visit(&second, |session| session.put("n", &2).unwrap());
                advance(pause);
                let last = if last_at_first { &first } else { &second };
                let request = browser.begin(last);
                assert_eq!(request.session().get::<u64>("n").unwrap(), Some(2));
                request.session().put("cart", &text(crate::support::LARGE)).unwrap();
                match request.try_commit() {
                    Ok(response) => browser.receive(&response),
                    Err(failed) => assert_eq!(failed.status_code(), 409),
                }
                advance(60);
                assert_eq!(browser.get(&second, "n"), Some(2), "{ahead} s ahead, {pause} s between, {last_at_first}");
            }
        }
    }
}

/// Two tasks that commit one request.
#[test]
fn two_commits_of_one_request_keep_everything_once() {
    let acts: [fn(&Session); 5] = [
        |session| ignore(session.increment("n", 1)),
        |session| {
            ignore(session.increment("n", 1));
            session.put("photo", &text(crate::support::LARGE)).unwrap();
        },
        |session| {
            ignore(session.increment("n", 1));
            session.regenerate().unwrap();
        },
        |session| {
            ignore(session.increment("n", 1));
            session.forget("cart").unwrap();
        },
        |session| {
            session.invalidate().unwrap();
            ignore(session.increment("n", 1));
            session.put("user", &42).unwrap();
        },
    ];
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (number, act) in acts.iter().enumerate() {
            for begin in [super::inline, super::in_record, super::returned] {
                for head_start in 0..7 {
                    for order in [false, true] {
                        let site = Site::new();
                        let store = Interrupted::new(&site);
                        let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
                        let mut browser = begin(&site, &manager);
                        let request = browser.begin(&manager);
                        act(&request.session());
                        store.go_slow(true);
                        let facts = ResponseFacts::new(200);
                        let mut one = Box::pin(request.0.commit(&facts));
                        let early = poll_times(one.as_mut(), head_start);
                        let outcomes = match early {
                            Some(early) => [early, pollster::block_on(request.0.commit(&facts))],
                            None => in_turns(one, request.0.commit(&facts)).into(),
                        };
                        store.go_slow(false);
                        let is_ok = outcomes.iter().any(Result::is_ok);
                        let statuses: Vec<_> =
                            outcomes.iter().map(|one| one.as_ref().map_or_else(|f| f.status_code(), |_| 200)).collect();
                        let mut responses: Vec<_> = outcomes.into_iter().filter_map(Result::ok).collect();
                        if order {
                            responses.reverse();
                        }
                        responses.iter().for_each(|response| browser.receive(response));
                        super::later(&site);
                        let found = (browser.get(&manager, "user"), browser.get(&manager, "n"));
                        let expected = (Some(42), is_ok.then_some(1));
                        assert_eq!(found, expected, "{placement:?} {number} {head_start} {order} {statuses:?}");
                    }
                }
            }
        }
    }
}

/// A store that contradicts itself.
#[derive(Clone)]
struct Contradicting {
    records: FaultyStore,
    /// Which call lies.
    lie: u8,
    calls: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Contradicting {
    fn count(&self) {
        let calls = self.calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert!(calls < 1000, "an endless loop, lie {}", self.lie);
    }
}

impl RecordStore for Contradicting {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.count();
        match self.lie {
            0 | 4 => Box::pin(async { Ok(None) }),
            5 => Box::pin(async move {
                Ok(self.records.load(id).await?.map(|mut record| {
                    record.bytes = Vec::new().into();
                    record
                }))
            }),
            7 => Box::pin(async move {
                Ok(self.records.load(id).await?.map(|mut record| {
                    record.version = record.version.wrapping_add(1);
                    record
                }))
            }),
            _ => self.records.load(id),
        }
    }
    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.count();
        match self.lie {
            0 | 1 => Box::pin(async { Ok(Created::Exists) }),
            6 => Box::pin(async { Ok(Created::Created) }),
            _ => self.records.create(id, record),
        }
    }
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
        self.count();
        match self.lie {
            2 | 4 => Box::pin(async { Ok(Updated::Conflict) }),
            3 => Box::pin(async { Ok(Updated::Missing) }),
            6 => Box::pin(async { Ok(Updated::Updated) }),
            _ => self.records.update(id, record, expected),
        }
    }
    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.count();
        self.records.touch(id, expires_at)
    }
    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.count();
        self.records.destroy(id)
    }
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.records.sweep(limit)
    }
}

#[test]
fn a_store_that_contradicts_itself_is_an_error_and_no_endless_loop() {
    let acts: [fn(&Session); 5] = [
        |session| session.put("photo", &text(crate::support::LARGE)).unwrap(),
        |session| session.regenerate().unwrap(),
        |session| session.destroy().unwrap(),
        |session| session.forget("cart").unwrap(),
        |session| {
            session.invalidate().unwrap();
            session.put("photo", &text(crate::support::LARGE)).unwrap();
        },
    ];
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for begin in [super::inline, super::in_record] {
            for lie in 0..8 {
                for act in acts {
                    let site = Site::new();
                    let honest = site.with_records().placement(placement).build().unwrap();
                    let browser = begin(&site, &honest);
                    let store = Contradicting { records: site.records.clone(), lie, calls: Default::default() };
                    let manager = site.cookie_only().store(store).placement(placement).build().unwrap();
                    let request = browser.begin(&manager);
                    if let Ok(session) = request.try_session() {
                        act(&session);
                        ignore(pollster::block_on(session.save()));
                        ignore(request.try_commit());
                    }
                }
            }
        }
    }
}

/// What goes deep or has odd names, by any call, is read back or refused.
#[test]
fn what_any_call_writes_is_read_back_or_refused() {
    let mut draws = Draws(77);
    for round in 0..300 {
        let site = Site::new();
        let manager =
            site.with_records().placement([Placement::Spill, Placement::StoreOnly][round % 2]).build().unwrap();
        let mut browser = site.browser();
        let path = |draws: &mut Draws| {
            let depth = if draws.happens(50) { draws.below(5) + 1 } else { draws.below(8) + 120 };
            let odd = ["a", "0", "1", "", "~", "-1", "$serde_json::private::RawValue", "a.b", "\u{0}", "01"];
            let segments: Vec<_> =
                (0..depth).map(|_| if draws.happens(70) { "a" } else { odd[draws.below(10)] }).collect();
            Path::from_segments(segments)
        };
        let deep = |draws: &mut Draws| {
            let depth = if draws.happens(50) { draws.below(4) } else { draws.below(8) + 120 };
            let mut value = Value::from(1);
            for _ in 0..depth {
                value = if draws.happens(50) { Value::from(vec![value]) } else { serde_json::json!({ "a": value }) };
            }
            value
        };
        let mut log = Vec::new();
        let request = browser.begin(&manager);
        let session = request.session();
        session.put("user", &42).unwrap();
        for _ in 0..1 + draws.below(4) {
            let at = path(&mut draws);
            let value = deep(&mut draws);
            let call = draws.below(9);
            let outcome = match call {
                0 => session.put(at.clone(), &value),
                1 => session.push(at.clone(), &value),
                2 => session.increment(at.clone(), 1).map(drop),
                3 => session.merge(&serde_json::json!({ "a": value })),
                4 => session.replace(&serde_json::json!({ "a": value, "user": 42 })),
                5 => session.flash("a", &value),
                6 => session.flash_input(&serde_json::json!({ "a": value })),
                7 => session.pull::<Value>(at.clone()).map(drop),
                _ => session.server_only("~"),
            };
            log.push(format!("{call} {} {}", at, outcome.is_ok()));
        }
        let expected = session.all();
        match request.try_commit() {
            Ok(response) => browser.receive(&response),
            Err(failed) => panic!("{round}: {failed}, {log:?}"),
        }
        let request = browser.begin(&manager);
        let found = request.try_session().map(|session| session.all());
        assert_eq!(found.unwrap(), expected, "{round}: {log:?}");
        // And another request of the same browser can go on.
        request.session().put("more", &1).unwrap();
        browser.receive(&request.commit());
        assert_eq!(browser.get(&manager, "more"), Some(1));
    }
}

fn shows_a_secret(site: &Site, manager: &SessionManager, commit: &Commit) -> bool {
    own_lines(commit).iter().any(|line| {
        let value = line.split_once('=').unwrap().1.split(';').next().unwrap();
        let opened = manager.sealer().open(value, site.now());
        opened.is_ok_and(|opened| opened.payload_json().is_some_and(|payload| payload.contains("SECRET")))
    })
}

/// A browser whose session was once told that `secret` stays on the server.
fn marked(site: &Site, manager: &SessionManager) -> Browser {
    super::after(site, manager, |session| {
        session.put("user", &42).unwrap();
        session.server_only("secret").unwrap();
        session.put("secret", "old").unwrap();
    })
}

fn puts_the_secret(session: &Session) {
    session.put("secret", "SECRET").unwrap();
}

type Act = fn(&Session);

#[test]
fn what_must_stay_on_the_server_is_in_no_cookie_of_a_login_that_begins_anew() {
    let meanwhile: [Act; 4] = [super::destroys, super::invalidates, super::regenerates, |session| {
        session.clear().unwrap();
    }];
    let mut found: Vec<(usize, u64)> = Vec::new();
    for (number, other) in meanwhile.into_iter().enumerate() {
        for wait in [1, 20] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let browser = marked(&site, &manager);
            let login = browser.begin(&manager);
            puts_the_secret(&login.session());
            login.session().regenerate().unwrap();
            browser.clone().visit(&manager, other);
            site.clock.advance_seconds(wait);
            if let Ok(response) = login.try_commit() {
                if shows_a_secret(&site, &manager, &response) {
                    found.push((number, wait));
                }
            }
        }
    }
    assert_eq!(found, []);
}

#[test]
fn what_must_stay_on_the_server_is_in_no_cookie_behind_clear_or_invalidate_of_the_request() {
    let before: [Act; 4] = [
        super::invalidates,
        |session| session.clear().unwrap(),
        |session| session.replace(&serde_json::json!({"user": 42})).unwrap(),
        |session| session.forget("secret").unwrap(),
    ];
    let mut found: Vec<(usize, u64)> = Vec::new();
    for (number, act) in before.into_iter().enumerate() {
        for saves in [false, true] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = marked(&site, &manager);
            let (_, response) = browser.visit(&manager, |session| {
                act(session);
                if saves {
                    pollster::block_on(session.save()).unwrap();
                }
                puts_the_secret(session);
            });
            if shows_a_secret(&site, &manager, &response) {
                found.push((number, saves.into()));
            }
        }
    }
    assert_eq!(found, []);
}

#[test]
fn what_must_stay_on_the_server_is_in_no_cookie_although_another_request_cleared_the_session() {
    let meanwhile: [Act; 3] = [
        |session| {
            session.clear().unwrap();
            session.put("photo", &text(crate::support::LARGE)).unwrap();
        },
        |session| session.replace(&serde_json::json!({ "photo": text(crate::support::LARGE) })).unwrap(),
        |session| {
            session.forget("secret").unwrap();
            session.put("photo", &text(crate::support::LARGE)).unwrap();
        },
    ];
    let mut found: Vec<(usize, u64)> = Vec::new();
    for (number, other) in meanwhile.into_iter().enumerate() {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = marked(&site, &manager);
        let request = browser.begin(&manager);
        puts_the_secret(&request.session());
        browser.visit(&manager, other);
        super::later(&site);
        let Ok(response) = request.try_commit() else { continue };
        browser.receive(&response);
        super::later(&site);
        let (_, response) = browser.visit(&manager, |session| session.forget("photo").unwrap());
        if shows_a_secret(&site, &manager, &response) {
            found.push((number, 0));
        }
    }
    assert_eq!(found, []);
}
/// FINDING 3. What happened: the session says that `secret` stays on the server, and a server without a store reads it from its cookie.
/// It puts `secret`, commits with success, and the cookie carries it. Promised: what must stay on the server is decided on the
/// result (5), and `server_only` is an error where no store is configured.
#[test]
fn what_must_stay_on_the_server_is_in_no_cookie_of_a_server_without_a_store() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let alone = site.cookie_only().build().unwrap();
    let mut browser = marked(&site, &manager);
    browser.visit(&manager, |session| session.forget("secret").unwrap());
    super::later(&site);
    let request = browser.begin(&alone);
    assert_eq!(request.session().get::<u64>("user").unwrap(), Some(42));
    ignore(request.session().put("secret", "SECRET"));
    if let Ok(response) = request.try_commit() {
        assert!(!shows_a_secret(&site, &alone, &response));
    }
}

/// A save that gives way to a reload is a conflict, as documented. The session that was read then is the one that is kept.
#[test]
fn what_a_reload_reads_that_overtakes_a_save_is_what_is_kept() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for head_start in 0..6 {
            let site = Site::new();
            let store = Interrupted::new(&site);
            let manager = store.under(site.cookie_only()).placement(placement).build().unwrap();
            let mut browser = super::in_record(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            session.increment("n", 1).unwrap();
            store.go_slow(true);
            let mut save = Box::pin(session.save());
            let outcome = if let Some(outcome) = poll_times(save.as_mut(), head_start) {
                outcome
            } else {
                in_turns(save, session.reload()).0
            };
            store.go_slow(false);
            let view = session.get_or("n", 0).unwrap();
            browser.receive(&request.commit());
            let kept = browser.get(&manager, "n").unwrap_or(0);
            assert_eq!(kept, view, "{placement:?} {head_start}: {outcome:?}");
        }
    }
}

/// FINDING 2, where servers of `Spill` and of `StoreOnly` with `accept_inline_until` run side by side: no write at all succeeds any
/// more. Promised: 8.
#[test]
fn a_conflict_by_two_cookies_of_one_second_ends_where_sessions_move_to_the_store() {
    let site = Site::new();
    let until = Timestamp::from_unix_seconds(1_895_000_000);
    let before = site.with_records().build().unwrap();
    let after = site.with_records().placement(Placement::StoreOnly).accept_inline_until(until).build().unwrap();
    let mut browser = site.browser();
    browser.put(&before, "user", 42);
    let [at_old, at_new] = [&before, &after].map(|manager| browser.begin(manager));
    at_old.session().put("step", &1).unwrap();
    at_new.session().put("other", &1).unwrap();
    browser.receive(&at_new.commit());
    browser.receive(&at_old.commit());
    let statuses = [3, 600, 600, 600, 600].map(|pause_seconds| {
        site.clock.advance_seconds(pause_seconds);
        let request = browser.begin(&after);
        request.session().increment("n", 1).unwrap();
        match request.try_commit() {
            Ok(response) => {
                browser.receive(&response);
                200
            }
            Err(failed) => {
                browser.receive(&failed.commit);
                failed.status_code()
            }
        }
    });
    assert_eq!(statuses[1..], [200; 4]);
}

/// FINDING 8. What happened: `Sealer::seal` takes members whose names begin with `$serde_json::private::`, which every call on a session
/// refuses; one of them reads back as another value. Promised (11): what can be written can be read back, and `Sealer::seal`
/// rejects what every store would refuse.
#[test]
fn what_a_sealer_seals_is_a_session_to_every_manager() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let deep = |depth: usize| (0..depth).fold(Value::from(1), |value, _| Value::from(vec![value]));
    let mut values = vec![
        serde_json::json!({}),
        serde_json::json!(null),
        serde_json::json!([]),
        serde_json::json!({"~": 1}),
        serde_json::json!({"~": {}}),
        serde_json::json!({"~": {"flash": 5}}),
        serde_json::json!({"~": {"flash": {}}}),
        serde_json::json!({"~": {"flash": {"a": 1}}}),
        serde_json::json!({"~": {"server_only": ["secret"]}, "secret": "SECRET"}),
        serde_json::json!({"~": {"server_only": 5}}),
        serde_json::json!({"~": {"input": 5}}),
        serde_json::json!({"~": {"errors": {"a": 5}}}),
        serde_json::json!({"~": {"unknown": 5}, "user": 1}),
        serde_json::json!({"": 1}),
        serde_json::json!({"a": 1e308}),
        serde_json::json!({"a": -0.0}),
        serde_json::json!({"a": u64::MAX}),
        serde_json::json!({"$serde_json::private::Number": "5"}),
        serde_json::json!({"a": {"$serde_json::private::Number": "5"}}),
        serde_json::json!({"a": {"$serde_json::private::RawValue": "5"}}),
    ];
    for depth in 110..140 {
        values.push(serde_json::json!({ "a": deep(depth) }));
        values.push(serde_json::json!({ "~": {"flash": { "a": deep(depth) }}}));
        values.push(serde_json::json!({ "~": {"input": { "a": deep(depth) }}}));
    }
    let mut found = Vec::new();
    for value in &values {
        let shown: String = value.to_string().chars().take(90).collect();
        let Ok(sealed) = manager.sealer().seal(value, site.now()) else { continue };
        assert!(manager.sealer().open(&sealed, site.now()).is_ok(), "{shown}");
        let mut browser = site.browser();
        browser.plant(COOKIE, &sealed);
        let request = browser.begin(&manager);
        let session = request.session();
        assert!(!session.is_new(), "refused: {shown}");
        if value.get("a").is_some() {
            let put = site.browser().begin(&manager).session().merge(value);
            if session.get::<Value>("a").unwrap().as_ref() != value.get("a") || put.is_err() {
                let opened = manager.sealer().open(&sealed, site.now()).unwrap().payload();
                let all = Value::Object(session.all());
                found.push(format!(
                    "{shown}: put {put:?}, get {:?}, all {all}, opened {opened:?}",
                    session.get::<Value>("a")
                ));
            }
        }
        session.put("more", &1).unwrap();
        browser.receive(&request.commit());
        assert_eq!(browser.get(&manager, "more"), Some(1), "{shown}");
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_a_form_or_its_errors_leave_is_read_back_or_refused() {
    let names = [
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
        "",
        "~",
        "a.b",
        "0",
        "\u{0}",
        "input",
        "errors",
    ];
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for name in names {
        for inner in [false, true] {
            let form = if inner { serde_json::json!({ "x": { name: "5" } }) } else { serde_json::json!({ name: "5" }) };
            for call in 0..6 {
                let mut browser = super::inline(&site, &manager);
                let (outcome, _) = browser.visit(&manager, |session| match call {
                    0 => session.flash_input(&form),
                    1 => session.flash_only(&form, &[name, "x"]),
                    2 => session.flash_except(&form, &["other"]),
                    3 => session.flash_errors(&serde_json::json!({ name: ["5"] })),
                    4 => session.flash_all(&form),
                    _ => session.server_only(name),
                });
                let request = browser.begin(&manager);
                let session = request.session();
                assert_eq!(session.get::<u64>("user").unwrap(), Some(42), "{name} {call}");
                if outcome.is_err() {
                    continue;
                }
                let at = if inner { Path::from_segments(["x", name]) } else { Path::from_segments([name]) };
                match call {
                    0..=2 => assert_eq!(session.old::<String>(at).unwrap().as_deref(), Some("5"), "{name} {call}"),
                    3 => assert_eq!(session.errors(name), ["5"], "{name}"),
                    4 => {
                        assert_eq!(session.flash_messages().get::<String>(at).unwrap().as_deref(), Some("5"), "{name}")
                    }
                    _ => {}
                }
            }
        }
    }
}

/// FINDING 2, where the clocks of two servers differ by some seconds: what counts as one second is as long as the difference.
/// Promised: 8.
#[test]
fn a_conflict_by_two_servers_whose_clocks_differ_ends_when_the_request_is_repeated() {
    let mut found = Vec::new();
    for (ahead, pause) in [(5, 2), (5, 4), (20, 3), (20, 15)] {
        let site = Site::new();
        let fast = sealed_session::testing::ManualClock::at_unix_seconds(1_795_000_000 + ahead);
        let advance = |seconds| {
            site.clock.advance_seconds(seconds);
            fast.advance_seconds(seconds);
        };
        let first = site.with_records().clock(fast.clone()).build().unwrap();
        let second = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&first, "user", 42);
        advance(pause);
        let small = browser.begin(&second);
        let upload = browser.begin(&first);
        small.session().put("step", &1).unwrap();
        upload.session().put("cart", &text(crate::support::LARGE)).unwrap();
        browser.receive(&upload.commit());
        browser.receive(&small.commit());
        let statuses = [30, 600, 600].map(|pause_seconds| {
            advance(pause_seconds);
            let again = browser.begin(&second);
            again.session().put("photo", &text(crate::support::LARGE)).unwrap();
            match again.try_commit() {
                Ok(response) => {
                    browser.receive(&response);
                    200
                }
                Err(failed) => {
                    browser.receive(&failed.commit);
                    failed.status_code()
                }
            }
        });
        found.push((ahead, pause, statuses));
    }
    assert!(found.iter().all(|(.., statuses)| statuses[2] == 200), "{found:?}");
}

/// FINDING 6. What happened: a session of ten days is ended at a server whose `remember_max` is a day. The marker lives for a day, and a
/// late cookie of the other server for ten: after a day the user is logged in again. Promised: a marker lives for as long as any
/// cookie of its session could be valid, and late responses do not bring it back (10).
#[test]
fn a_logout_holds_at_a_server_that_allows_longer_lifetimes() {
    let site = Site::new();
    let lives = |days: u64| {
        let day = Duration::from_secs(86_400);
        Lifetimes::default().remember_max(day * u32::try_from(days).unwrap()).absolute_timeout(Some(day * 60))
    };
    let long = site.cookie_only().lifetimes(lives(30)).build().unwrap();
    let short = site.cookie_only().lifetimes(lives(1)).build().unwrap();
    let mut browser = super::after(&site, &long, |session| {
        session.put("user", &42).unwrap();
        session.remember(super::TEN_DAYS).unwrap();
    });
    let late = browser.begin(&long);
    late.session().put("step", &1).unwrap();
    let late = late.commit();
    browser.visit(&short, super::destroys);
    browser.receive(&late);
    assert_eq!(browser.get(&long, "user"), None);
    site.clock.advance_seconds(2 * 86_400);
    assert_eq!(browser.get(&long, "user"), None);
}

#[test]
fn what_a_store_says_of_its_records_is_never_a_panic_and_no_way_in() {
    let acts: [Act; 6] = [
        |session| ignore(session.get::<u64>("user")),
        |session| session.put("photo", &text(crate::support::LARGE)).unwrap(),
        super::regenerates,
        super::destroys,
        super::returns,
        |session| {
            session.invalidate().unwrap();
            session.put("user", &43).unwrap();
        },
    ];
    type Change = fn(&mut Record);
    let changes: [Change; 10] = [
        |record| record.version = u64::MAX,
        |record| record.version = 0,
        |record| record.version = u64::MAX - 1,
        |record| record.expires_at = Timestamp::from_unix_seconds(u64::MAX),
        |record| record.expires_at = Timestamp::from_unix_seconds(0),
        |record| record.bytes = Vec::new().into(),
        |record| record.bytes = vec![1].into(),
        |record| record.bytes = vec![0; 49].into(),
        |record| record.bytes = vec![255; 5000].into(),
        |record| {
            record.version = u64::MAX;
            record.bytes = Vec::new().into();
        },
    ];
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for begin in [super::inline, super::in_record, super::returned] {
            for change in changes {
                for (number, act) in acts.iter().enumerate() {
                    for ends_unread in [false, true] {
                        for tampers_late in [false, true] {
                            let site = Site::new();
                            let manager = site.with_records().placement(placement).build().unwrap();
                            let mut browser = begin(&site, &manager);
                            let tamper = || site.records.tamper(|records| records.values_mut().for_each(change));
                            if !tampers_late {
                                tamper();
                            }
                            let request = browser.begin(&manager);
                            let loaded = if ends_unread {
                                request.0.end().map_err(drop)
                            } else {
                                request.try_session().map_err(drop)
                            };
                            let Ok(session) = loaded else { continue };
                            if session.is_new() && number == 4 {
                                continue;
                            }
                            if tampers_late {
                                tamper();
                            }
                            act(&session);
                            match request.try_commit() {
                                Ok(response) => {
                                    browser.receive(&response);
                                    if number == 3 || ends_unread {
                                        let request = browser.begin(&manager);
                                        if let Ok(session) = request.try_session() {
                                            assert_ne!(session.get::<u64>("user").unwrap(), Some(42));
                                        }
                                    }
                                }
                                Err(failed) => assert!([409, 503].contains(&failed.status_code()), "{failed}"),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// FINDING 2, without any tie: the response that comes last is late by nine writes of another tab, so that the lineage has forgotten.
/// Each upload is a 409 from then on. Promised: 8.
#[test]
fn a_conflict_by_a_late_cookie_of_before_many_writes_ends_when_the_request_is_repeated() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = super::inline(&site, &manager);
    let [small, upload] = [(); 2].map(|()| browser.begin(&manager));
    small.session().put("step", &1).unwrap();
    upload.session().put("cart", &text(crate::support::LARGE)).unwrap();
    browser.receive(&upload.commit());
    super::later(&site);
    let late = small.commit();
    super::later(&site);
    for number in 0..9 {
        browser.put(&manager, "n", number);
        super::later(&site);
    }
    browser.receive(&late);
    let statuses = [3, 600, 600].map(|pause_seconds| {
        site.clock.advance_seconds(pause_seconds);
        let again = browser.begin(&manager);
        again.session().put("photo", &text(crate::support::LARGE)).unwrap();
        match again.try_commit() {
            Ok(response) => {
                browser.receive(&response);
                200
            }
            Err(failed) => {
                browser.receive(&failed.commit);
                failed.status_code()
            }
        }
    });
    assert_eq!(statuses[2], 200, "{statuses:?}");
}

/// FINDING 7. What happened: the handler called `invalidate`, wrote a farewell, saved, and was dropped before its commit. Nothing but the
/// browser knew of the session, and it keeps its cookie. The event is `WritesDropped`. Promised (2): if the future is dropped, an
/// event reports the lost logout; without the farewell it does.
#[test]
fn a_logout_that_was_saved_and_whose_request_was_dropped_is_told() {
    let mut found = Vec::new();
    for (number, end) in super::ENDS.into_iter().enumerate() {
        for unread in [false, true] {
            for saves in [false, true] {
                let site = Site::new();
                let manager = site.cookie_only().build().unwrap();
                let browser = super::inline(&site, &manager);
                let request = browser.begin(&manager);
                let session = if unread { request.0.end().unwrap() } else { request.session() };
                if !unread {
                    end(&session);
                }
                if saves {
                    pollster::block_on(session.save()).unwrap();
                }
                site.events.take();
                drop((request, session));
                let names = site.events.take_names();
                if !names.contains(&"LogoutLost".to_owned()) {
                    found.push(format!("end {number}, unread {unread}, saves {saves}: {names:?}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Threads of one request that count, save and change while others do the same.
#[test]
fn what_threads_count_is_kept_once_where_the_commit_is_ok() {
    let rounds = std::env::var("ROUNDS").map_or(300, |rounds| rounds.parse().unwrap());
    let mut draws = Draws(99);
    for round in 0..rounds {
        let site = Site::new();
        let placement = [Placement::Spill, Placement::StoreOnly][round % 2];
        let manager = site.with_records().placement(placement).build().unwrap();
        let mut browser =
            if round % 3 == 0 { super::inline(&site, &manager) } else { super::in_record(&site, &manager) };
        let alone = round % 3 == 0;
        let requests: Vec<_> = (0..if alone { 1 } else { 2 }).map(|_| browser.begin(&manager)).collect();
        let mut outcomes = Vec::new();
        let seeds = [draws.below(1 << 30) as u64, draws.below(1 << 30) as u64];
        std::thread::scope(|scope| {
            let mut running = Vec::new();
            for (at, request) in requests.iter().enumerate() {
                let session = request.session();
                let pending = request.0.clone();
                let counter = session.clone();
                let moves = alone && round % 2 == 0;
                let seed = seeds[at];
                let counts = scope.spawn(move || {
                    let mut total = 0_u64;
                    for _ in 0..60 {
                        if counter.increment(format!("own{at}"), 1).is_ok() {
                            total += 1;
                        }
                    }
                    total
                });
                let commits = scope.spawn(move || {
                    let mut draws = Draws(seed * 2 + 1);
                    for _ in 0..draws.below(6) {
                        match draws.below(6) {
                            0 | 1 => ignore(pollster::block_on(session.save())),
                            2 => ignore(session.put("half", &text(2000))),
                            3 => ignore(session.forget("half")),
                            4 if moves => ignore(session.regenerate()),
                            _ => std::thread::yield_now(),
                        }
                    }
                    pollster::block_on(pending.commit(&ResponseFacts::new(200)))
                });
                running.push((counts, commits));
            }
            for (counts, commits) in running {
                outcomes.push((counts.join().unwrap(), commits.join().unwrap()));
            }
        });
        for (_, outcome) in &outcomes {
            match outcome {
                Ok(response) => browser.receive(response),
                Err(failed) => browser.receive(&failed.commit),
            }
        }
        super::later(&site);
        for (at, (total, outcome)) in outcomes.iter().enumerate() {
            let found = browser.get(&manager, &format!("own{at}")).unwrap_or(0);
            if outcome.is_ok() {
                assert_eq!(found, *total, "round {round}, request {at}");
            } else {
                assert!(found <= *total);
            }
        }
    }
}

/// FINDING 1, for a logout. What happened: `PendingSession::end` was Ok, the commit was Ok, the cookie stays, and no event tells.
/// Promised: an explicit end is final (2).
#[test]
fn a_logout_beside_a_commit_is_carried_out_or_an_error() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let browser = super::inline(&site, &manager);
    for round in 0..60_000 {
        let pending = browser.begin(&manager).0;
        let other = pending.clone();
        let barrier = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let theirs = std::sync::Arc::clone(&barrier);
        let wait = |barrier: &std::sync::atomic::AtomicUsize| {
            barrier.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            while barrier.load(std::sync::atomic::Ordering::SeqCst) < 2 {
                std::hint::spin_loop();
            }
        };
        let handler = std::thread::spawn(move || {
            wait(&theirs);
            other.end().map(drop)
        });
        wait(&barrier);
        // As long as a new session takes to be made, about.
        for _ in 0..round % 700 {
            std::hint::spin_loop();
        }
        let commit = pending.commit_now(&ResponseFacts::new(200));
        if handler.join().unwrap().is_ok() {
            assert!(
                !commit.unwrap().set_cookies.is_empty(),
                "a logout was Ok, the commit was Ok, and the cookie stays"
            );
        }
    }
}

#[test]
fn what_is_exactly_as_large_as_a_limit_is_read_back_or_refused() {
    type Then = fn(&Session);
    let thens: [Then; 8] = [
        |_| (),
        |session| session.remember(super::TEN_DAYS).unwrap(),
        |session| session.end_with_browser().unwrap(),
        |session| session.flash("a", "b").unwrap(),
        |session| session.flash_input(&serde_json::json!({"a": text(20)})).unwrap(),
        super::regenerates,
        |session| ignore(session.increment("n", 1)),
        |session| ignore(session.pull::<u64>("user").unwrap()),
    ];
    for placement in [Placement::CookieOnly, Placement::Spill, Placement::StoreOnly] {
        for (number, then) in thens.iter().enumerate() {
            let site = Site::new();
            let mut sizes: Vec<usize> = (2080..2260).step_by(12).collect();
            sizes.extend((4900..5001).step_by(5));
            let builder = || {
                site.with_records()
                    .placement(placement)
                    .record_limit_bytes(5000)
                    .timer(super::interrupted::Interrupted::new(&site))
            };
            let manager = builder().build().unwrap();
            for size in sizes {
                let mut browser = site.browser();
                let request = browser.begin(&manager);
                request.session().put("user", &42).unwrap();
                request.session().put("x", &text(size)).unwrap();
                match request.try_commit() {
                    Ok(response) => browser.receive(&response),
                    Err(failed) => {
                        assert!(size > 4900 || placement == Placement::CookieOnly, "{failed}");
                        continue;
                    }
                }
                super::later(&site);
                let request = browser.begin(&manager);
                let session = request.session();
                assert_eq!(session.get::<String>("x").unwrap().map(|x| x.len()), Some(size));
                then(&session);
                let outcome = request.try_commit();
                if let Ok(response) = &outcome {
                    browser.receive(response);
                    response.set_cookies.iter().for_each(|line| assert!(line.len() <= 4096 + 200));
                }
                super::later(&site);
                let request = browser.begin(&manager);
                let found = request.session().get::<String>("x").unwrap().map(|x| x.len());
                assert_eq!(found, Some(size), "{placement:?} {number} {size} {outcome:?}");
                if number == 5 {
                    assert!(outcome.is_ok(), "{placement:?} {number} {size} {outcome:?}");
                }
                // A logout always works.
                request.session().invalidate().unwrap();
                request.session().flash("notice", "bye").unwrap();
                browser.receive(&request.commit());
                assert_eq!(browser.get(&manager, "user"), None);
            }
        }
    }
}
