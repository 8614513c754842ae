//! The servers: real session stores over clocks that are set.

use std::time::Duration;

use sealed_session::testing::ManualClock;
use sealed_session::{
    CommitError, ConfigError, KeyId, KeyRing, Reason, RequestFacts, ResponseFacts, Session, SessionManager, Timestamp,
};

use super::plan::{Plan, shifted};

/// One server of the fleet.
pub(super) struct Server {
    clock_offset_seconds: i64,
    /// By the true time.
    loads_at: Timestamp,
    before: Site,
    after: Site,
}

/// The application on a server, with one of the two rings.
struct Site {
    store: SessionManager,
    clock: ManualClock,
}

/// A cookie as a browser holds it.
#[derive(Clone, Debug)]
pub(super) struct Cookie {
    pub(super) value: String,
    pub(super) key_id: KeyId,
    /// By the clock of the server that sealed it.
    pub(super) created: Timestamp,
    pub(super) issued: Timestamp,
    /// By any server's clock: the first second in which it is too old.
    pub(super) ends: Timestamp,
}

/// What a request comes to.
pub(super) enum Visit {
    /// The session is there, and its cookie stays.
    Kept,
    /// The session is there, and has a new cookie.
    Sealed(Cookie),
    /// There is no session.
    Refused,
    /// The server could not write a cookie.
    Failed,
}

/// The first and the last server that loads the ring, each with the slowest and the fastest clock. What another server
/// does, one of these does at some instant.
pub(super) fn servers(plan: &Plan) -> Result<Vec<Server>, ConfigError> {
    let mut servers = Vec::new();
    for loads_at in [plan.start, plan.rolled_out] {
        for clock_offset_seconds in plan.clock_offsets_seconds() {
            let site = |ring: &KeyRing| Site::new(plan, ring);
            let (before, after) = (site(&plan.current)?, site(&plan.planned)?);
            servers.push(Server { clock_offset_seconds, loads_at, before, after });
        }
    }
    Ok(servers)
}

impl Server {
    /// What its clock shows at a true time.
    pub(super) fn local(&self, at: Timestamp) -> Timestamp {
        shifted(at, self.clock_offset_seconds)
    }

    /// The true time at which its clock shows this.
    pub(super) fn true_time(&self, local: Timestamp) -> Timestamp {
        shifted(local, self.clock_offset_seconds.saturating_neg())
    }

    pub(super) const fn loads_at(&self) -> Timestamp {
        self.loads_at
    }

    pub(super) fn has_loaded(&self, at: Timestamp) -> bool {
        at >= self.loads_at
    }

    /// A login. `None` where no key seals.
    pub(super) fn login(&self, at: Timestamp, own_lifetime: Option<Duration>) -> Option<Cookie> {
        let answer = self.request(at, None, |session| {
            session.put("user", &1).ok()?;
            own_lifetime.map_or(Some(()), |lifetime| session.remember(lifetime).ok())
        });
        answer.ok().flatten().and_then(|value| self.cookie(at, value))
    }

    /// A page view with this cookie.
    pub(super) fn visit(&self, at: Timestamp, cookie: &Cookie) -> Visit {
        if self.refuses(at, &cookie.value).is_some() {
            return Visit::Refused;
        }
        let view = |session: &Session| session.has("user").ok().map(|_| ());
        match self.request(at, Some(&cookie.value), view) {
            Ok(None) => Visit::Kept,
            Ok(Some(value)) => self.cookie(at, value).map_or(Visit::Failed, Visit::Sealed),
            Err(_) => Visit::Failed,
        }
    }

    /// Why this server would not take the cookie.
    pub(super) fn refuses(&self, at: Timestamp, value: &str) -> Option<Reason> {
        self.site(at).store.sealer().open(value, self.local(at)).err()
    }

    fn site(&self, at: Timestamp) -> &Site {
        if self.has_loaded(at) { &self.after } else { &self.before }
    }

    /// One request from its start to its end; the value of the cookie that is set, if one is.
    fn request(
        &self,
        at: Timestamp,
        value: Option<&str>,
        handle: impl FnOnce(&Session) -> Option<()>,
    ) -> Result<Option<String>, CommitError> {
        let site = self.site(at);
        site.clock.set_unix_seconds(self.local(at).unix_seconds());
        let name = site.store.cookie_name();
        let header = value.map(|value| format!("{name}={value}")).unwrap_or_default();
        let pending = site.store.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        // Without a server store there is nothing that could fail to load.
        let Some(()) = pending.session_now().ok().and_then(|session| handle(&session)) else { return Ok(None) };
        let commit = pending.commit_now(&ResponseFacts::new(200)).map_err(|failed| failed.error)?;
        let pair = commit.set_cookies.last().and_then(|line| line.split(';').next());
        Ok(pair.and_then(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()))
    }

    fn cookie(&self, at: Timestamp, value: String) -> Option<Cookie> {
        let inspection = self.site(at).store.sealer().inspect(&value, self.local(at)).ok()?;
        let (key_id, created) = (inspection.key.key_id, inspection.created);
        Some(Cookie { value, key_id, created, issued: inspection.issued, ends: inspection.ends })
    }
}

impl Site {
    fn new(plan: &Plan, ring: &KeyRing) -> Result<Self, ConfigError> {
        let clock = ManualClock::at_unix_seconds(plan.start.unix_seconds());
        let store = SessionManager::builder(ring.clone())
            .lifetimes(plan.settings.lifetimes)
            .key_grace(plan.settings.grace)
            .clock(clock.clone())
            .build()?;
        Ok(Self { store, clock })
    }
}
