//! A browser with a cookie jar for one host, as RFC 6265bis describes it, and the requests that it has in flight.

use pollster::block_on;
use sealed_session::limits::COOKIE_NAME_AND_VALUE_MAX_BYTES;
use sealed_session::{
    Clock as _, Commit, CommitError, CookieStore, LoadError, ManualClock, PendingSession, RequestFacts, ResponseFacts,
    Session, Timestamp,
};

#[derive(Clone)]
pub(crate) struct Browser {
    jar: Vec<Cookie>,
    clock: ManualClock,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    /// `None` for one that ends with the browser.
    expires: Option<Timestamp>,
}

impl Browser {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self { jar: Vec::new(), clock: clock.clone() }
    }

    /// A navigation: the handler does what `handle` does, and the response arrives.
    pub(crate) fn visit<R>(&mut self, store: &CookieStore, handle: impl FnOnce(&Session) -> R) -> (R, Response) {
        let request = self.begin(store);
        let result = handle(&request.session());
        let commit = request.commit();
        self.receive(&commit);
        (result, commit)
    }

    /// A navigation that writes.
    pub(crate) fn put(&mut self, store: &CookieStore, key: &str, value: impl serde::Serialize) -> Response {
        self.visit(store, |session| session.put(key, &value).unwrap()).1
    }

    /// A navigation that reads.
    pub(crate) fn get(&mut self, store: &CookieStore, key: &str) -> Option<u64> {
        self.visit(store, |session| session.get(key).unwrap()).0
    }

    /// A navigation whose commit fails, so that its response carries no headers of ours.
    pub(crate) fn visit_in_vain<R>(&mut self, store: &CookieStore, handle: impl FnOnce(&Session) -> R) -> CommitError {
        let request = self.begin(store);
        handle(&request.session());
        request.try_commit().unwrap_err()
    }

    /// A navigation that is on its way.
    pub(crate) fn begin(&self, store: &CookieStore) -> Request {
        self.send(store, None)
    }

    /// A fetch by a script, an image: what `Sec-Fetch-Dest` tells from a navigation.
    pub(crate) fn begin_in_background(&self, store: &CookieStore, destination: &str) -> Request {
        self.send(store, Some(destination))
    }

    fn send(&self, store: &CookieStore, destination: Option<&str>) -> Request {
        let header = self.cookie_header();
        let mut facts = RequestFacts::new();
        if !header.is_empty() {
            facts = facts.cookie_header(header.as_bytes());
        }
        if let Some(destination) = destination {
            facts = facts.sec_fetch_dest(destination.as_bytes());
        }
        Request(store.begin(&facts))
    }

    /// The response arrives.
    pub(crate) fn receive(&mut self, commit: &Commit) {
        for line in &commit.set_cookies {
            self.receive_line(line);
        }
    }

    /// RFC 6265bis §5.7, for one host over https.
    fn receive_line(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
        let attributes: Vec<&str> = parts.collect();
        let is_host_bound =
            attributes.contains(&"Path=/") && !attributes.iter().any(|part| part.starts_with("Domain="));
        let is_too_long = name.len() + value.len() > COOKIE_NAME_AND_VALUE_MAX_BYTES;
        if is_too_long || (name.starts_with("__Host-") && !(is_host_bound && attributes.contains(&"Secure"))) {
            return;
        }
        let max_age =
            attributes.iter().find_map(|part| part.strip_prefix("Max-Age=")).map(|text| text.parse().unwrap());
        let expires = max_age.map(|seconds| self.clock.now().saturating_add_seconds(seconds));
        self.jar.retain(|cookie| cookie.name != name);
        self.jar.push(Cookie { name: name.to_owned(), value: value.to_owned(), expires });
    }

    /// The user closes the browser and opens it again.
    pub(crate) fn restart(&mut self) {
        self.jar.retain(|cookie| cookie.expires.is_some());
    }

    /// Puts a cookie into the jar without a server.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.jar.retain(|cookie| cookie.name != name);
        self.jar.push(Cookie { name: name.to_owned(), value: value.to_owned(), expires: None });
    }

    /// The value of the only cookie that is left.
    pub(crate) fn cookie(&self) -> Option<&str> {
        let now = self.clock.now();
        let mut alive = self.jar.iter().filter(|cookie| cookie.expires.is_none_or(|expires| now < expires));
        let first = alive.next();
        assert_eq!(alive.next(), None, "a second cookie");
        first.map(|cookie| cookie.value.as_str())
    }

    pub(crate) fn cookie_header(&self) -> String {
        let now = self.clock.now();
        let alive = self.jar.iter().filter(|cookie| cookie.expires.is_none_or(|expires| now < expires));
        alive.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }
}

/// What a response got of its session. It may be looked at or left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response(Commit);

impl std::ops::Deref for Response {
    type Target = Commit;

    fn deref(&self) -> &Commit {
        &self.0
    }
}

/// A request in flight.
pub(crate) struct Request(pub(crate) PendingSession);

impl Request {
    #[track_caller]
    pub(crate) fn session(&self) -> Session {
        self.try_session().unwrap()
    }

    pub(crate) fn try_session(&self) -> Result<Session, LoadError> {
        block_on(self.0.session())
    }

    #[track_caller]
    pub(crate) fn commit(&self) -> Response {
        self.try_commit().unwrap()
    }

    pub(crate) fn try_commit(&self) -> Result<Response, CommitError> {
        self.try_commit_with(&ResponseFacts::new(200))
    }

    pub(crate) fn commit_with(&self, facts: &ResponseFacts<'_>) -> Response {
        self.try_commit_with(facts).unwrap()
    }

    fn try_commit_with(&self, facts: &ResponseFacts<'_>) -> Result<Response, CommitError> {
        block_on(self.0.commit(facts)).map(Response)
    }
}
