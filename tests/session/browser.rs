//! A browser with its cookie jar, and the requests that it has in flight.

use pollster::block_on;
use sealed_session::testing::{CookieJar, ManualClock};
use sealed_session::{
    Commit, CommitError, FailedCommit, LoadError, PendingSession, RequestFacts, ResponseFacts, Session, SessionManager,
};

#[derive(Clone)]
pub(crate) struct Browser {
    jar: CookieJar,
}

impl Browser {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self { jar: CookieJar::new(clock.clone()) }
    }

    /// A navigation: the handler does what `handle` does, and the response arrives.
    pub(crate) fn visit<R>(&mut self, store: &SessionManager, handle: impl FnOnce(&Session) -> R) -> (R, Response) {
        let request = self.begin(store);
        let result = handle(&request.session());
        let commit = request.commit();
        self.receive(&commit);
        (result, commit)
    }

    /// A navigation that writes.
    pub(crate) fn put(&mut self, store: &SessionManager, key: &str, value: impl serde::Serialize) -> Response {
        self.visit(store, |session| session.put(key, &value).unwrap()).1
    }

    /// A navigation that reads.
    pub(crate) fn get(&mut self, store: &SessionManager, key: &str) -> Option<u64> {
        self.visit(store, |session| session.get(key).unwrap()).0
    }

    /// A navigation whose commit fails, so that its response carries no headers of ours.
    pub(crate) fn visit_in_vain<R>(
        &mut self,
        store: &SessionManager,
        handle: impl FnOnce(&Session) -> R,
    ) -> CommitError {
        let request = self.begin(store);
        handle(&request.session());
        request.try_commit().unwrap_err().error
    }

    /// A navigation that is on its way.
    pub(crate) fn begin(&self, store: &SessionManager) -> Request {
        self.send(store, None)
    }

    /// A fetch by a script, an image: what `Sec-Fetch-Dest` tells from a navigation.
    pub(crate) fn begin_in_background(&self, store: &SessionManager, destination: &str) -> Request {
        self.send(store, Some(destination))
    }

    fn send(&self, store: &SessionManager, destination: Option<&str>) -> Request {
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
        commit.set_cookies.iter().for_each(|line| self.jar.receive(line));
    }

    /// The user closes the browser and opens it again.
    pub(crate) fn restart(&mut self) {
        self.jar.restart();
    }

    /// Puts a cookie into the jar without a server.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.jar.plant(name, value);
    }

    /// The value of the only cookie that is left, markers not counted.
    pub(crate) fn cookie(&self) -> Option<&str> {
        let header = self.cookie_header();
        let mut names =
            header.split("; ").filter_map(|pair| Some(pair.split_once('=')?.0)).filter(|name| !is_marker(name));
        let name = names.next()?;
        assert_eq!(names.next(), None, "a second cookie");
        self.jar.value(name)
    }

    /// The names of the markers of sessions that this browser has left.
    pub(crate) fn markers(&self) -> Vec<String> {
        let header = self.cookie_header();
        let names = header.split("; ").filter_map(|pair| Some(pair.split_once('=')?.0));
        names.filter(|name| is_marker(name)).map(str::to_owned).collect()
    }

    pub(crate) fn cookie_header(&self) -> String {
        self.jar.cookie_header()
    }
}

/// Whether a cookie is named as the marker of a session that was left.
pub(crate) fn is_marker(name: &str) -> bool {
    let name = name.strip_suffix("-ended").unwrap_or(name);
    let digits = name.rsplit_once('-').map(|(_, digits)| digits);
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
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

    pub(crate) fn try_commit(&self) -> Result<Response, FailedCommit> {
        self.try_commit_with(&ResponseFacts::new(200))
    }

    pub(crate) fn commit_with(&self, facts: &ResponseFacts<'_>) -> Response {
        self.try_commit_with(facts).unwrap()
    }

    fn try_commit_with(&self, facts: &ResponseFacts<'_>) -> Result<Response, FailedCommit> {
        block_on(self.0.commit(facts)).map(Response)
    }
}
