//! Requests, by the stores and by the model.

use std::time::Duration;

use pollster::block_on;
use sealed_session::{CommitError, RequestFacts, ResponseFacts, Session};

use crate::fleet::{Fleet, INLINE_LIMIT_BYTES, RollOut, at};
use crate::schedule::{Act, Visit};
use crate::spec::{ABSOLUTE, GRACE, Kept, Sealed};

/// A browser, and what the model says that it holds.
#[derive(Default)]
pub(crate) struct Browser {
    /// The value of its cookie. It is sent for ever: what ends a session is the server.
    pub(crate) cookie: Option<String>,
    pub(crate) kept: Option<Kept>,
    /// The key that its session was made with, where a thief made it.
    pub(crate) stolen_key: Option<usize>,
}

/// How often what is worth a law has happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Sessions found under a key that sealed no more.
    pub(crate) under_a_superseded_key: u64,
    /// Found under a key that does not seal yet, by the clock of the server.
    pub(crate) under_a_pending_key: u64,
    /// Found in a request, and sealed by it under another key although nothing was written.
    pub(crate) resealed: u64,
    /// Sessions that their lifetimes had ended.
    pub(crate) outlived: u64,
    /// Sessions that live, at servers that did not have their key yet.
    pub(crate) not_known_yet: u64,
    /// Sessions of a thief that were found, and those that only the window of their key refused.
    pub(crate) stolen: u64,
    pub(crate) refused_by_window: u64,
    /// Of a thief, after the leak was noticed: found before `not_before` came, and ended by it.
    pub(crate) stolen_and_not_ended_yet: u64,
    pub(crate) stolen_and_ended: u64,
    /// Times that keys were taken out because they were done.
    pub(crate) removed_keys: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.under_a_superseded_key += other.under_a_superseded_key;
        self.under_a_pending_key += other.under_a_pending_key;
        self.resealed += other.resealed;
        self.outlived += other.outlived;
        self.not_known_yet += other.not_known_yet;
        self.stolen += other.stolen;
        self.refused_by_window += other.refused_by_window;
        self.stolen_and_not_ended_yet += other.stolen_and_not_ended_yet;
        self.stolen_and_ended += other.stolen_and_ended;
        self.removed_keys += other.removed_keys;
    }
}

impl Fleet {
    /// One request from its start to its end.
    pub(crate) fn visit(&mut self, browser: &mut Browser, visit: Visit) {
        let Visit { server, act, is_navigation, takes_seconds, reloads_meanwhile } = visit;
        let header = browser.cookie.as_ref().map(|value| format!("__Host-session={value}"));
        let destination: &[u8] = if is_navigation { b"document" } else { b"empty" };
        let mut facts = RequestFacts::new().sec_fetch_dest(destination);
        if let Some(header) = &header {
            facts = facts.cookie_header(header.as_bytes());
        }
        let opened_at = self.servers[server].now();
        let pending = self.servers[server].store.begin(&facts);
        let session = block_on(pending.session()).unwrap();
        let found = browser.kept.clone().filter(|_| !session.is_new());
        self.check_outcome(browser, server, found.is_some());
        let sealing = self.ring_of(server).sealing(opened_at);
        let record_is_superseded =
            found.as_ref().and_then(|kept| kept.record).is_some_and(|record| record.key < sealing);
        let cookie_is_superseded = found.as_ref().is_some_and(|kept| kept.cookie.key < sealing);

        // Whoever is refused although his session lives does not begin another one over it, and a thief seals for himself.
        let is_alive = browser.kept.as_ref().is_some_and(|kept| kept.is_alive(opened_at));
        let act = if found.is_none() && (is_alive || browser.stolen_key.is_some()) { Act::Read } else { act };
        // A login would begin the lifetime of what he made again.
        let act = if browser.stolen_key.is_some() && matches!(act, Act::Login) { Act::Write } else { act };
        let mut kept = self.handle(&session, act, found.clone(), opened_at);

        self.wait(takes_seconds);
        if reloads_meanwhile {
            self.reload(server);
        }
        // The session's absolute end may come while the request is under way: then it is gone, but for a login.
        let now = self.servers[server].now();
        let is_over = found.as_ref().is_some_and(|kept| now >= kept.created + ABSOLUTE && !matches!(act, Act::Login));
        let commit = match block_on(pending.commit(&ResponseFacts::new(200))).map_err(|failed| failed.error) {
            Err(CommitError::Conflict) if is_over && !matches!(act, Act::Read) => return,
            // A server that is later than it may be cannot read what another has left in the session's place, under a key that
            // it does not know: it writes nothing over it, and the client keeps its cookie.
            // And where clocks differ, cookies of one session that two servers seal within that difference have no order: a
            // session that leaves its cookie then may meet a record of which it cannot be told whether it descends from it.
            Err(CommitError::Conflict) if self.with_records && matches!(act, Act::Grow | Act::Login | Act::Write) => {
                return;
            }
            outcome => outcome.unwrap(),
        };
        let is_superseded = record_is_superseded || cookie_is_superseded;
        let is_renewed = !is_over && found.as_ref().is_some_and(|kept| is_due(kept, is_superseded, is_navigation, now));
        let is_written = !matches!(act, Act::Read);
        // A login marks the session that it leaves, too.
        let is_sessions_own = |line: &&String| line.starts_with("__Host-session=");
        let (own, markers): (Vec<_>, Vec<_>) = commit.set_cookies.iter().partition(is_sessions_own);
        assert_eq!(own.len(), usize::from(is_written || is_renewed), "{found:?} at {now}: {visit:?}");
        assert!(markers.len() <= usize::from(found.is_some() && matches!(act, Act::Login)), "{visit:?}: {markers:?}");
        if !is_written && !is_renewed {
            return;
        }
        // Every sealing is under the key that seals at its own issued time.
        // And no cookie is older than the one that it takes the place of: servers' clocks differ.
        let replaced = found.as_ref().filter(|_| !matches!(act, Act::Login)).map_or(0, |kept| kept.cookie.issued);
        let issued = now.max(kept.created).max(replaced);
        kept.cookie = Sealed { key: self.ring_of(server).sealing(issued), issued };
        if is_written || record_is_superseded {
            kept.record = kept.record.map(|_| kept.cookie);
        }
        self.tally.resealed += u64::from(!is_written && is_superseded);
        let value = own[0].split(['=', ';']).nth(1).unwrap().to_owned();
        self.check_seal(&value, &kept);
        (browser.cookie, browser.kept) = (Some(value), Some(kept));
    }

    /// Whether a server would find a browser's session now, by a request that leaves no trace.
    pub(crate) fn finds(&self, browser: &Browser, server: usize) -> bool {
        let header = format!("__Host-session={}", browser.cookie.as_ref().unwrap());
        let facts = RequestFacts::new().cookie_header(header.as_bytes());
        let is_found = block_on(self.servers[server].store.read_only(&facts)).unwrap().is_some();
        let kept = browser.kept.as_ref().unwrap();
        assert_eq!(is_found, kept.is_accepted(self.ring_of(server), self.servers[server].now()));
        is_found
    }

    /// Whether the session had to be found, and may have been.
    fn check_outcome(&mut self, browser: &Browser, server: usize, is_found: bool) {
        let Some(kept) = &browser.kept else {
            assert!(!is_found, "a session without a cookie");
            return;
        };
        let now = self.servers[server].now();
        let ring = self.ring_of(server);
        let (is_alive, has_keys) = (kept.is_alive(now), kept.keys_are_in(ring));
        let sealing = ring.sealing(now);
        assert_eq!(is_found, kept.is_accepted(ring, now), "{kept:?} at {now}, server {server} with {ring:?}");
        if self.is_leaked {
            let has_ended = ring.not_before.is_some_and(|not_before| now >= not_before);
            assert!(browser.stolen_key.is_none() || !has_ended || !is_found, "{kept:?} at {now} with {ring:?}");
            if browser.stolen_key.is_some() {
                self.tally.stolen_and_not_ended_yet += u64::from(is_found);
                self.tally.stolen_and_ended += u64::from(has_ended && is_alive && has_keys);
            }
            return;
        }
        if let Some(stolen) = browser.stolen_key {
            // From the next key's beginning on, and whatever is done to what he made.
            let end = self.begins.get(stolen + 1).map(|from| from + GRACE);
            assert!(!is_found || end.is_none_or(|end| kept.created <= end), "{kept:?} of key {stolen}, after {end:?}");
            assert!(!is_found || end.is_none_or(|end| now < end + ABSOLUTE), "{kept:?} of key {stolen} at {now}");
            self.tally.stolen += u64::from(is_found);
            self.tally.refused_by_window += u64::from(!is_found && is_alive && has_keys);
            return;
        }
        match self.roll_out {
            RollOut::InTime => assert_eq!(is_found, is_alive, "{kept:?} at {now}, server {server}"),
            RollOut::Late => assert_eq!(is_found, is_alive && has_keys, "{kept:?} at {now}, server {server}"),
        }
        self.tally.under_a_superseded_key += u64::from(is_found && kept.cookie.key < sealing);
        self.tally.under_a_pending_key += u64::from(is_found && kept.cookie.key > sealing);
        self.tally.outlived += u64::from(!is_alive);
        self.tally.not_known_yet += u64::from(is_alive && !is_found);
    }

    /// What the handler does, and what the session is then.
    fn handle(&mut self, session: &Session, act: Act, found: Option<Kept>, opened_at: u64) -> Kept {
        assert_eq!(session.get("user").unwrap(), found.as_ref().map(|kept| kept.user));
        let unsealed = Sealed { key: 0, issued: 0 };
        let new = || Kept { cookie: unsealed, record: None, created: opened_at, own_lifetime: None, user: 0 };
        let mut kept = found.unwrap_or_else(new);
        if matches!(act, Act::Read) {
            return kept;
        }
        self.written += 1;
        kept.user = self.written;
        session.put("user", &kept.user).unwrap();
        match act {
            Act::Read | Act::Write => {}
            Act::Grow => {
                session.put("cart", &"x".repeat(INLINE_LIMIT_BYTES)).unwrap();
                kept.record = self.with_records.then_some(unsealed);
            }
            Act::Shrink => {
                session.forget("cart").unwrap();
                kept.record = None;
            }
            Act::Login => {
                session.regenerate_and_reset_lifetime().unwrap();
                kept.created = opened_at;
            }
            Act::Remember { seconds } => {
                session.remember(Duration::from_secs(seconds)).unwrap();
                kept.own_lifetime = Some(seconds);
            }
        }
        kept
    }

    /// Whether a cookie says what the model says.
    fn check_seal(&self, value: &str, kept: &Kept) {
        let opened = self.witness.open(value, at(kept.cookie.issued)).unwrap();
        assert_eq!(opened.key_id(), self.keys[kept.cookie.key].id(), "the key of {kept:?}");
        assert_eq!((opened.created(), opened.issued()), (at(kept.created), at(kept.cookie.issued)));
        assert_eq!(opened.expires(), at(kept.cookie.issued + kept.lifetime()));
        assert_eq!(opened.is_reference(), kept.record.is_some());
    }
}

/// A session is renewed below half of its lifetime, and sealed again by a navigation even before.
fn is_due(kept: &Kept, is_superseded: bool, is_navigation: bool, now: u64) -> bool {
    let left = kept.lifetime().saturating_sub(now.saturating_sub(kept.cookie.issued));
    left < kept.lifetime() / 2 || (is_navigation && is_superseded)
}
