use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::ManualClock;
use sealed_session::{Key, KeyRing, PendingSession, RequestFacts, ResponseFacts, SessionManager};

use super::Cookies;
use crate::visit::{Received, Visit};
use crate::{AUDIENCE, NAME, NOW};

/// `sealed-session`, by its driver, as every adapter calls it.
#[derive(Debug)]
pub struct Ours(SessionManager);

impl Ours {
    /// With one key.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self::with_ring(KeyRing::new(key))
    }

    /// With a ring of keys.
    ///
    /// # Panics
    ///
    /// When the ring cannot seal now.
    #[must_use]
    pub fn with_ring(ring: KeyRing) -> Self {
        let manager = SessionManager::builder(ring)
            .audience(AUDIENCE)
            .cookie(CookieAttributes::new().name(NAME))
            .clock(ManualClock::at_unix_seconds(NOW.unix_seconds()))
            .build();
        Self(manager.expect("the settings are good"))
    }

    /// A request that never asks for its session.
    ///
    /// # Panics
    ///
    /// When it is given a cookie to set.
    pub fn never_asks(&self, request: &Received) {
        let commit = self.begin(request).commit_now(&ResponseFacts::new(200)).expect("there is no store");
        assert!(commit.set_cookies.is_empty());
    }

    fn begin(&self, request: &Received) -> PendingSession {
        self.0.begin(&RequestFacts::new().cookie_header(request.line.as_bytes()).sec_fetch_dest(b"document"))
    }
}

fn commit(pending: &PendingSession) -> Option<String> {
    pending.commit_now(&ResponseFacts::new(200)).expect("it fits").set_cookies.pop()
}

impl Cookies for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn seal(&self, visit: &Visit) -> String {
        let pending = self.0.begin(&RequestFacts::new());
        pending.session_now().expect("no store").replace(visit).expect("it is an object");
        commit(&pending).expect("it was changed")
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        let pending = self.begin(request);
        let visit = pending.session_now().expect("no store").read().ok();
        drop(commit(&pending));
        visit
    }

    fn user(&self, request: &Received) -> Option<u64> {
        let pending = self.begin(request);
        let user = pending.session_now().expect("no store").get("user").expect("a number, or nothing");
        drop(commit(&pending));
        user
    }

    fn change(&self, request: &Received) -> String {
        let pending = self.begin(request);
        let session = pending.session_now().expect("no store");
        let user: u64 = session.get("user").expect("a number").expect("it is there");
        session.put("user", &(user + 1)).expect("it fits");
        commit(&pending).expect("it was changed")
    }
}
