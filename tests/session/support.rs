//! What the rules share: one site with its clock, key, server store and observer.

use std::sync::{Arc, Mutex};

use sealed_session::events::{Event, Observer};
use sealed_session::sealer::Opened;
use sealed_session::testing::ManualClock;
use sealed_session::{
    Clock as _, Commit, Key, KeyRing, Reason, RingHandle, SessionManager, SessionManagerBuilder, Timestamp,
};

use crate::browser::{Browser, Response, is_marker};
use crate::faulty_store::FaultyStore;

pub(crate) const COOKIE: &str = "__Host-session";

/// Everything but the settings, which each test chooses.
pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) key: Key,
    pub(crate) records: FaultyStore,
    pub(crate) events: Events,
}

impl Site {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at_unix_seconds(1_795_000_000);
        let records = FaultyStore::new(clock.clone());
        Self { key: Key::generate().unwrap(), records, events: Events::default(), clock }
    }

    /// Sessions in their cookies alone.
    pub(crate) fn cookie_only(&self) -> SessionManagerBuilder {
        self.over(self.key.clone())
    }

    /// With the server store.
    pub(crate) fn with_records(&self) -> SessionManagerBuilder {
        self.cookie_only().store(self.records.clone())
    }

    /// Another ring than that of the site's one key.
    pub(crate) fn over(&self, ring: impl Into<RingHandle>) -> SessionManagerBuilder {
        SessionManager::builder(ring).audience("shop/test").clock(self.clock.clone()).observer(self.events.clone())
    }

    /// A ring where a new key seals, and the site's key still opens.
    pub(crate) fn rotated(&self) -> KeyRing {
        KeyRing::new(Key::generate().unwrap()).with_open_only(self.key.clone()).unwrap()
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.clock)
    }

    /// What the browser's cookie says, read by this store.
    pub(crate) fn opened(&self, store: &SessionManager, browser: &Browser) -> Opened {
        store.sealer().open(browser.cookie().unwrap(), self.clock.now()).unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Remembers what the driver tells. Clones share their memory.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// The events since this was asked last.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The names of those events.
    pub(crate) fn take_names(&self) -> Vec<String> {
        let name = |event: &Event| format!("{event:?}").split([' ', '{']).next().map(str::to_owned);
        self.take().iter().filter_map(name).collect()
    }

    /// Why cookies were refused since the events were asked for last.
    pub(crate) fn take_reasons(&self) -> Vec<Reason> {
        let reason = |event| if let Event::Rejected { reason } = event { Some(reason) } else { None };
        self.take().into_iter().filter_map(reason).collect()
    }
}

impl Observer for Events {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A response that nothing of a session was added to.
pub(crate) fn untouched() -> Response {
    Response::default()
}

/// The one `Set-Cookie` value of a response, markers not counted.
pub(crate) fn line(commit: &Commit) -> &str {
    let lines = own_lines(commit);
    assert_eq!(lines.len(), 1, "Set-Cookie fields");
    lines[0]
}

/// The `Set-Cookie` values of a response but its markers.
pub(crate) fn own_lines(commit: &Commit) -> Vec<&str> {
    let is_own = |line: &&str| line.split_once('=').is_some_and(|(name, _)| !is_marker(name));
    commit.set_cookies.iter().map(String::as_str).filter(is_own).collect()
}

/// How many of the records in a store hold data: an ended one is sealed to the smallest size.
pub(crate) fn records_with_data(records: &FaultyStore) -> usize {
    const ENDED_BYTES: usize = 256 + 49;
    records.snapshot().values().filter(|record| record.bytes.len() > ENDED_BYTES).count()
}

/// `Max-Age` of the one `Set-Cookie` value.
pub(crate) fn max_age(commit: &Commit) -> Option<u64> {
    let seconds = line(commit).split("; ").find_map(|part| part.strip_prefix("Max-Age="))?;
    Some(seconds.parse().unwrap())
}

/// Whether the response takes the cookie from the client, with the attributes that it was set with.
pub(crate) fn removes_the_cookie(commit: &Commit) -> bool {
    line(commit).starts_with("__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=")
}

/// Text of so many bytes of JSON, its quotes not counted.
pub(crate) fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// More than a cookie beside a server store takes.
pub(crate) const LARGE: usize = 5000;

/// What a handler does with its session.
pub(crate) type Handler = fn(&sealed_session::Session);

/// For calls whose answer does not matter here.
pub(crate) fn ignore<T>(_: T) {}
