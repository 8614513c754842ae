//! One request: begin, load, decide, write, answer.

mod cookies;
mod end;
mod header_edits;
mod protocol;
mod write;
mod write_steps;

pub use header_edits::HeaderEdit;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use self::cookies::Candidates;
use self::write::{Progress, Write};
use crate::caching::{CacheDecision, cache_control, varies_by_cookie};
use crate::clock::{Clock as _, Timestamp};
use crate::cookie::header;
use crate::error::{CommitError, LoadError, Reason, SessionError, StoreError};
use crate::events::Event;
use crate::manager::SessionManager;
use crate::session::{Backing, IdChange, Phase, Session, Undone};
use crate::settings::{Purpose, Renewal, StoreFailure};

impl SessionManager {
    /// Takes what a request says of its session. Cheap and synchronous: nothing is opened before it is asked for.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, RequestFacts};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new().cookie_header(b"__Host-session=AQ"));
    /// assert!(pending.session_now()?.is_new());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn begin(&self, request: &RequestFacts<'_>) -> PendingSession {
        PendingSession(Arc::new(Pending {
            manager: self.clone(),
            begun_at: self.0.clock.now(),
            candidates: Candidates::of(&self.0, request.cookie_headers()),
            purpose: request.purpose(),
            session: OnceLock::new(),
            progress: Mutex::default(),
            is_committing: false.into(),
            is_answered: false.into(),
            is_committed: false.into(),
        }))
    }

    /// Opens a session to be read, outside of a request: for a WebSocket that goes on, or a job that was handed a cookie.
    ///
    /// Nothing is renewed, and every write is [`SessionError::ReadOnly`]. `None` when there
    /// is no good cookie.
    ///
    /// ```
    /// use sealed_session::testing::{CookieJar, ManualClock};
    /// use sealed_session::{SessionManager, Key, RequestFacts};
    ///
    /// # pollster::block_on(async {
    /// let clock = ManualClock::at_unix_seconds(1_795_000_000);
    /// let manager = SessionManager::builder(Key::generate()?).clock(clock.clone()).build()?;
    /// let mut jar = CookieJar::new(clock);
    /// jar.visit(&manager, |session| session.put("user", &42))?;
    ///
    /// let header = jar.cookie_header();
    /// let session = manager.read_only(&RequestFacts::new().cookie_header(header.as_bytes())).await?.unwrap();
    /// assert_eq!(session.get("user")?, Some(42));
    /// assert!(session.put("user", &43).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoadError`] when the cookie is good and the store does not answer.
    pub async fn read_only(&self, request: &RequestFacts<'_>) -> Result<Option<Session>, LoadError> {
        // Whatever is to happen to a request whose store does not answer: this is none, and has no response.
        let candidates = Candidates::of(&self.0, request.cookie_headers());
        let (session, _) = self.open(&candidates, StoreFailure::FailClosed, nobody()).await?;
        session.state().phase = Phase::ReadOnly;
        Ok(Some(session).filter(|session| !session.is_new()))
    }
}

/// The session of a request that nobody has asked for yet.
///
/// A clone is the same one: adapters put it into the request, and keep one for the response.
///
/// ```
/// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
/// # let manager = SessionManager::builder(Key::generate()?).build()?;
/// let in_the_request = manager.begin(&RequestFacts::new());
/// let for_the_response = in_the_request.clone();
/// in_the_request.session_now()?.put("user", &42)?;
/// assert_eq!(for_the_response.commit_now(&ResponseFacts::new(200))?.set_cookies.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PendingSession(Arc<Pending>);

struct Pending {
    manager: SessionManager,
    begun_at: Timestamp,
    candidates: Candidates,
    purpose: Purpose,
    session: OnceLock<Session>,
    progress: Mutex<Progress>,
    /// A commit has begun: what is written from now on is too late.
    is_committing: AtomicBool,
    /// A commit has returned, with its success or with an error.
    is_answered: AtomicBool,
    /// A commit has succeeded.
    is_committed: AtomicBool,
}

impl PendingSession {
    /// The session: opens the cookie the first time, and asks the server store where the data is there.
    ///
    /// A cookie that is missing, forged or expired is no error: the session is empty and new.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// let session = pending.session().await?;
    /// assert!(session.is_new());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoadError`] when the cookie is good and the store does not answer. The user is not logged out: answer 503.
    pub async fn session(&self) -> Result<Session, LoadError> {
        let Pending { manager, candidates, session, .. } = &*self.0;
        if let Some(session) = session.get() {
            return Ok(session.clone());
        }
        // Two tasks that ask at the same moment may both load; the first to come back is the session of both.
        let opened = manager.open(candidates, manager.0.settings.on_store_failure, self.backing()).await?;
        Ok(self.attached(opened))
    }

    /// Ends the session that the request came with, without reading it, and gives a new and empty one: for a farewell, or a
    /// login. The store is asked at commit.
    ///
    /// For a logout that must work when the session cannot be loaded, because its record cannot be read or the store holds
    /// an older one. Where it was loaded already, this is [`Session::invalidate`].
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new().cookie_header(b"__Host-session=AQ"));
    /// pending.end()?;
    /// let commit = pending.commit(&ResponseFacts::new(200)).await?;
    /// assert!(commit.set_cookies[0].contains("Max-Age=0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::invalidate`].
    pub fn end(&self) -> Result<Session, SessionError> {
        if let Some(session) = self.0.session.get() {
            session.invalidate()?;
            return Ok(session.clone());
        }
        let session = self.attached(self.0.manager.open_ended(&self.0.candidates, self.backing()));
        // Where another thread has committed or loaded the session meanwhile, this is what it says of a late logout.
        session.invalidate()?;
        Ok(session)
    }

    fn backing(&self) -> Weak<dyn Backing> {
        Arc::downgrade(&self.0) as _
    }

    fn attached(&self, opened: (Session, Progress)) -> Session {
        let session = self.0.keep(opened).clone();
        if self.0.is_answered.load(Ordering::SeqCst) {
            // Asked for after the response head: it can be read, and a write is an error to its writer.
            session.state().phase = Phase::Committed;
        }
        session
    }

    /// The time by the manager's clock, for an adapter that keeps an instant of its own in the session.
    ///
    /// ```
    /// use sealed_session::testing::ManualClock;
    /// use sealed_session::{Key, RequestFacts, SessionManager};
    ///
    /// let clock = ManualClock::at_unix_seconds(1_795_000_000);
    /// let manager = SessionManager::builder(Key::generate()?).clock(clock).build()?;
    /// assert_eq!(manager.begin(&RequestFacts::new()).now().unix_seconds(), 1_795_000_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.manager.0.clock.now()
    }

    /// Writes the session and says what the response gets of it. After a success, a second call returns an empty [`Commit`];
    /// after one that failed or was dropped, it goes on where that one stopped.
    ///
    /// Call it when the response head is complete and not yet sent. A later write to the session is an error to its
    /// writer.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// pending.session().await?.put("user", &42)?;
    /// let commit = pending.commit(&ResponseFacts::new(200)).await?;
    /// assert_eq!(commit.set_cookies.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`FailedCommit`]: what was written since the last save is not kept, or it is not known to be. Answer with
    /// [`FailedCommit::status_code`] and an empty body in place of the handler's response, and with the edits of
    /// [`FailedCommit::commit`].
    pub async fn commit(&self, response: &ResponseFacts<'_>) -> Result<Commit, FailedCommit> {
        let request = &*self.0;
        if request.is_committed.load(Ordering::SeqCst) {
            return Ok(Commit::default());
        }
        request.is_committing.store(true, Ordering::SeqCst);
        if request.session.get().is_none() && request.is_renewed_unasked() {
            // A store that does not answer costs this request its renewal and nothing more.
            let opened = request.manager.open(&request.candidates, StoreFailure::FailClosed, self.backing());
            if let Ok(opened) = Box::pin(opened).await {
                request.keep(opened);
            }
        }
        if request.session.get().is_none() {
            // Another thread may be asking for the session at this moment. Whoever comes later finds that the request is
            // answered; whoever came before is found here.
            request.is_answered.store(true, Ordering::SeqCst);
        }
        let outcome = match request.session.get() {
            Some(session) => request.commit(session, response).await,
            None => Ok(Commit::default()),
        };
        request.is_answered.store(true, Ordering::SeqCst);
        request.is_committed.fetch_or(outcome.is_ok(), Ordering::SeqCst);
        outcome
    }

    /// Whether a response of this status takes along what is written to the session: see
    /// [`SessionManagerBuilder::commit_when`](crate::SessionManagerBuilder::commit_when). For an adapter that writes to the
    /// session when the response is there, as a guard does that hands out a token.
    ///
    /// ```
    /// use sealed_session::{Key, RequestFacts, SessionManager};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).commit_when(|status| status < 500).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// assert!(pending.is_written_with(200) && !pending.is_written_with(503));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_written_with(&self, status_code: u16) -> bool {
        let manager = &self.0.manager.0;
        manager.settings.enabled && manager.commit_when.is_none_or(|takes| takes(status_code))
    }

    /// Nobody asked for the session, and it is not renewed all the same: a commit would say nothing to the response. For an
    /// adapter of a framework whose errors carry no headers: such an error may pass as it came.
    ///
    /// ```
    /// use sealed_session::{Key, RequestFacts, SessionManager};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// assert!(pending.is_untouched());
    /// let _ = pending.session_now()?;
    /// assert!(!pending.is_untouched());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.0.session.get().is_none() && !self.0.is_renewed_unasked()
    }
}

/// Without async: for scripts, edge functions and frameworks that have no runtime.
impl PendingSession {
    /// As [`PendingSession::session`], where nothing has to wait: always without a server store.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// pending.session_now()?.put("user", &42)?;
    /// assert_eq!(pending.commit_now(&ResponseFacts::new(200))?.set_cookies.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`PendingSession::session`], and [`StoreError::Other`] when the store has to wait for its answer.
    pub fn session_now(&self) -> Result<Session, LoadError> {
        now(self.session()).unwrap_or_else(|| Err(LoadError::Store(waits())))
    }

    /// As [`PendingSession::commit`], where nothing has to wait: always without a server store.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// assert!(pending.commit_now(&ResponseFacts::new(200))?.set_cookies.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`PendingSession::commit`], and [`StoreError::Other`] when the store has to wait for its answer; whether it was
    /// written is then not known.
    pub fn commit_now(&self, response: &ResponseFacts<'_>) -> Result<Commit, FailedCommit> {
        now(self.commit(response))
            .unwrap_or_else(|| Err(FailedCommit { error: CommitError::Store(waits()), commit: Commit::default() }))
    }
}

/// In place of a request, for a session that none writes.
fn nobody() -> Weak<dyn Backing> {
    Weak::<Pending>::new() as _
}

/// The result of a future that does not wait.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

fn waits() -> StoreError {
    StoreError::other("store", "its answer has to be waited for; call `session` and `commit` on an async runtime")
}

impl Pending {
    /// Keeps what was opened, unless another task was faster.
    fn keep(&self, (session, progress): (Session, Progress)) -> &Session {
        self.session.get_or_init(|| {
            *self.progress() = progress;
            session
        })
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_turn(&self) -> MutexGuard<'_, Progress> {
        let mut progress = self.progress();
        progress.turn = progress.turn.wrapping_add(1);
        progress
    }

    /// A session that nobody asks for is opened to be renewed.
    fn is_renewed_unasked(&self) -> bool {
        self.manager.0.renewal == Renewal::EveryResponse && !self.candidates.is_empty()
    }

    async fn commit(&self, session: &Session, response: &ResponseFacts<'_>) -> Result<Commit, FailedCommit> {
        let inner = &self.manager.0;
        session.freeze();
        if !inner.settings.enabled {
            return Ok(Commit::default());
        }
        let ends = session.was_ended();
        // A logout holds whatever is answered.
        let outcome = if ends || inner.commit_when.is_none_or(|takes| takes(response.status)) {
            Write::begin(self, session, Some(self.purpose)).run().await
        } else {
            let draft = session.draft();
            if draft.has_unsaved || draft.id_change != IdChange::None {
                inner.observers.tell(&Event::WritesDropped { id: session.public_id() });
            }
            Ok(())
        };
        match outcome {
            Ok(()) => Ok(self.headers(session, ends, true, response)),
            Err(error) => {
                self.tell_failed(&error);
                // The handler's response goes, and its headers with it.
                let commit = self.headers(session, false, false, &ResponseFacts::new(error.status_code()));
                let commit = Some(commit).filter(|commit| !commit.set_cookies.is_empty()).unwrap_or_default();
                Err(FailedCommit { error, commit })
            }
        }
    }

    fn tell_failed(&self, error: &CommitError) {
        let observers = &self.manager.0.observers;
        if matches!(error, CommitError::TooLarge { .. }) {
            observers.tell(&Event::Rejected { reason: Reason::TooLarge });
        }
        observers.tell(&Event::CommitFailed { problem: error.to_string() });
    }

    /// RFC 9110 §12.5.5 and RFC 9111 §5.2: what caches are told.
    // Security: a response that carries a session, or was made from one, must not be served to somebody else
    // (CVE-2023-30861, CVE-2026-27205).
    fn headers(&self, session: &Session, ends: bool, is_last: bool, response: &ResponseFacts<'_>) -> Commit {
        let (touched, made_token) = session.response_facts();
        let set_cookies = self.set_cookies(ends, is_last);
        let depends_on_cookie = touched || !set_cookies.is_empty();
        let is_private = !set_cookies.is_empty() || (touched && self.progress().was_opened) || made_token;
        let cache_control = match cache_control(response.cache_control.iter().copied()) {
            CacheDecision::Replace(value) if is_private => {
                self.manager.0.observers.tell(&Event::CachingRestricted);
                Some(value)
            }
            _ => None,
        };
        Commit {
            add_vary_cookie: depends_on_cookie && !varies_by_cookie(response.vary.iter().copied()),
            cache_control,
            remove_cdn_cache_control: is_private,
            set_cookies,
        }
    }

    /// Removals first, then markers, and the session's own cookie last: where path and domain are the same, the last counts.
    fn set_cookies(&self, ends: bool, is_last: bool) -> Vec<String> {
        let (inner, mut progress) = (&self.manager.0, self.progress());
        // After a failure, the next commit gives it once more.
        let mut own = if is_last { progress.line.take() } else { progress.line.clone() };
        let ends = (ends || progress.has_ended) && !self.candidates.is_empty();
        let removes_unopened = ends && own.is_none();
        if removes_unopened {
            // Security: a cookie that could not be opened here may be good on another server, or in a minute.
            own = Some(header::remove(&inner.settings.cookie));
        }
        let mut lines = Vec::new();
        if ends || progress.has_new_id || progress.is_ambiguous {
            lines.extend(inner.settings.also_remove.iter().map(header::remove));
        }
        // Security: a cookie of an earlier name would be read again once this one is gone, and undo a logout.
        if own.is_some() {
            let names = inner.earlier.iter().map(|earlier| earlier.cookie_name());
            let renamed = names.filter(|name| *name != inner.sealer.cookie_name());
            let came = renamed.filter(|name| self.candidates.named(name).next().is_some());
            lines.extend(came.map(|name| header::remove(&inner.settings.cookie.renamed(name))));
        }
        lines.extend(progress.left.iter().flat_map(|left| &left.markers).cloned());
        lines.extend(progress.ended.iter().flat_map(|ended| &ended.markers).cloned());
        lines.extend(own);
        drop(progress);
        if removes_unopened {
            inner.observers.tell(&Event::UnopenedRemoved);
        }
        lines
    }
}

/// Saving and reading again, for the session's own calls.
impl Backing for Pending {
    fn save(&self) -> Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send + '_>> {
        Box::pin(async {
            let Some(session) = self.session.get() else { return Ok(()) };
            if self.is_committing.load(Ordering::SeqCst) {
                // The commit writes what there is, or says that it did not.
                return if session.draft().has_unkept { Err(CommitError::Abandoned) } else { Ok(()) };
            }
            if !self.manager.0.settings.enabled {
                return Ok(());
            }
            // By the session's own will, so not as a renewal, which is left to the response.
            Write::begin(self, session, None).run().await.inspect_err(|error| self.tell_failed(error))
        })
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), LoadError>> + Send + '_>> {
        Box::pin(async {
            let Some(session) = self.session.get() else { return Ok(()) };
            // A commit that has begun holds its session until it is through.
            if self.is_committing.load(Ordering::SeqCst) {
                return Err(LoadError::RequestOver);
            }
            loop {
                // A write of this request that may have happened: what is read here would be without it, and its cookie never
                // reach the browser.
                if !Write::begin(self, session, None).find_out().await? {
                    continue;
                }
                // A save that is under way gives way: what it writes could not be told from what is read here.
                let (turn, saved) = {
                    let progress = self.take_turn();
                    (progress.turn, progress.line.as_deref().map(Candidates::sent_back))
                };
                // As the browser will send it: the cookie of the last save, or those that came.
                let candidates = saved.as_ref().unwrap_or(&self.candidates);
                let (fresh, read) = self.manager.open(candidates, StoreFailure::FailClosed, nobody()).await?;
                let mut progress = self.progress();
                if progress.turn != turn {
                    continue;
                }
                // An empty session in place of one that is at hand would be written over its cookie; and one that this request
                // has ended stays so.
                let is_lost = progress.known.opened.is_some() && !read.was_opened;
                if is_lost || !session.become_like(&fresh) {
                    return Err(LoadError::Ended);
                }
                let before = mem::replace(&mut progress.known, read.known).opened;
                if let (Some(before), Some(opened)) = (before, progress.known.opened.as_mut()) {
                    // The browser still holds the cookie that it came with, whatever was saved since.
                    let is_same = before.header.id == opened.header.id && before.inline.is_some();
                    if is_same && opened.inline.is_some() {
                        Arc::make_mut(opened).base = before.base;
                    }
                }
                progress.give_up_attempts();
                return Ok(());
            }
        })
    }
}

impl Drop for Pending {
    /// A request may end without a commit: its client has left, or its service failed. What it leaves undone is told.
    fn drop(&mut self) {
        let is_answered = self.is_answered.load(Ordering::SeqCst);
        let Some(session) = self.session.get().filter(|_| self.manager.0.settings.enabled && !is_answered) else {
            return;
        };
        let progress = self.progress.get_mut().unwrap_or_else(PoisonError::into_inner);
        let opened = progress.known.opened.as_ref();
        let lives_on = progress.ended.as_ref().and_then(|ended| ended.lives_on);
        let event = match session.abandon() {
            // A save has ended it, and no response removes its cookie.
            _ if lives_on.is_some() => Event::LogoutLost { id: lives_on },
            // The session that lives on is the one that the cookie names.
            Some(Undone::Logout) => Event::LogoutLost { id: opened.map(|opened| session.public(&opened.header.id)) },
            Some(Undone::Writes(id)) => Event::WritesDropped { id },
            // A cookie that a save wrote, and that no response took along.
            None => match opened.filter(|_| progress.line.is_some()) {
                Some(opened) if progress.has_new_id || !opened.is_in_record() => {
                    Event::WritesDropped { id: Some(session.public(&opened.header.id)) }
                }
                _ => return,
            },
        };
        self.manager.0.observers.tell(&event);
    }
}

impl fmt::Debug for PendingSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSession")
            .field("candidates", &self.0.candidates.named(self.0.manager.cookie_name()).count())
            .field("session", &self.0.session.get())
            .finish_non_exhaustive()
    }
}

// What a manager reads of a request and its response, and what the response gets.

/// What a manager reads of a request: header values as bytes, so that no framework's types cross.
///
/// ```
/// use sealed_session::RequestFacts;
///
/// // HTTP/2 may split the header: hand in each field as it came.
/// let facts = RequestFacts::new()
///     .cookie_header(b"theme=dark")
///     .cookie_header(b"__Host-session=AQ")
///     .sec_fetch_dest(b"document");
/// # let _ = facts;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RequestFacts<'a> {
    // The first apart: a request has one as a rule, and needs no list for it.
    first_cookie_header: Option<&'a [u8]>,
    more_cookie_headers: Vec<&'a [u8]>,
    sec_fetch_dest: Option<&'a [u8]>,
}

impl<'a> RequestFacts<'a> {
    /// A request without headers.
    pub const fn new() -> Self {
        Self { first_cookie_header: None, more_cookie_headers: Vec::new(), sec_fetch_dest: None }
    }

    /// One value of a `Cookie` header field; call it for each of them, in their order.
    pub fn cookie_header(mut self, value: &'a [u8]) -> Self {
        if self.first_cookie_header.is_none() {
            self.first_cookie_header = Some(value);
        } else {
            self.more_cookie_headers.push(value);
        }
        self
    }

    pub(crate) fn cookie_headers(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.first_cookie_header.into_iter().chain(self.more_cookie_headers.iter().copied())
    }

    /// The value of the `Sec-Fetch-Dest` header field: tells navigations, fetches and images apart (Fetch Metadata, §2.1).
    pub const fn sec_fetch_dest(mut self, value: &'a [u8]) -> Self {
        self.sec_fetch_dest = Some(value);
        self
    }

    pub(crate) fn purpose(&self) -> Purpose {
        match self.sec_fetch_dest {
            // Older browsers and other clients do not send it.
            None | Some(b"document" | b"iframe" | b"frame" | b"fencedframe") => Purpose::Navigation,
            Some(b"empty") => Purpose::Fetch,
            Some(_) => Purpose::Part,
        }
    }
}

/// What a manager reads of a response, before it adds the session's headers.
///
/// ```
/// use sealed_session::ResponseFacts;
///
/// let facts = ResponseFacts::new(200).cache_control(b"public, max-age=60").vary(b"Accept-Encoding");
/// # let _ = facts;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ResponseFacts<'a> {
    pub(crate) status: u16,
    pub(crate) cache_control: Vec<&'a [u8]>,
    pub(crate) vary: Vec<&'a [u8]>,
}

impl<'a> ResponseFacts<'a> {
    /// A response of this status, without headers.
    pub const fn new(status: u16) -> Self {
        Self { status, cache_control: Vec::new(), vary: Vec::new() }
    }

    /// One value of a `Cache-Control` header field; call it for each of them, in their order.
    pub fn cache_control(mut self, value: &'a [u8]) -> Self {
        self.cache_control.push(value);
        self
    }

    /// One value of a `Vary` header field; call it for each of them.
    pub fn vary(mut self, value: &'a [u8]) -> Self {
        self.vary.push(value);
        self
    }
}

/// What the response gets of its session: as facts, and by [`into_header_edits`](Self::into_header_edits) as what is to be done.
///
/// ```
/// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let pending = manager.begin(&RequestFacts::new());
/// pending.session_now()?.put("user", &42)?;
/// let commit = pending.commit_now(&ResponseFacts::new(200))?;
/// assert!(commit.set_cookies[0].starts_with("__Host-session="));
/// assert!(commit.add_vary_cookie);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a cookie that is not sent is a session that is lost"]
pub struct Commit {
    /// `Set-Cookie` values: append each as a field of its own, and replace none that the application set.
    pub set_cookies: Vec<String>,
    /// Append the field `Vary: Cookie`.
    pub add_vary_cookie: bool,
    /// Replace all `Cache-Control` fields by this one.
    pub cache_control: Option<Cow<'static, str>>,
    /// Remove `CDN-Cache-Control` and `Surrogate-Control`, which outrank `Cache-Control` where they are understood.
    pub remove_cdn_cache_control: bool,
}

/// A session that was not written, and what the response gets all the same.
///
/// Send the edits of [`FailedCommit::commit`] with the error response: a cookie that an earlier `save` wrote is among them,
/// and without it the client would be left with a session that has moved on.
///
/// ```
/// use sealed_session::testing::{FaultyStore, ManualClock};
/// use sealed_session::{Key, Placement, RequestFacts, ResponseFacts, SessionManager};
///
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// let records = FaultyStore::new(clock.clone());
/// let manager = SessionManager::builder(Key::generate()?)
///     .store(records.clone())
///     .placement(Placement::StoreOnly)
///     .clock(clock)
///     .build()?;
/// let pending = manager.begin(&RequestFacts::new());
/// let session = pending.session_now()?;
/// session.put("step", &1)?;
/// pollster::block_on(session.save())?;
///
/// session.put("step", &2)?;
/// records.go_down();
/// let failed = pending.commit_now(&ResponseFacts::new(200)).unwrap_err();
/// assert_eq!(failed.status_code(), 503);
/// assert_eq!(failed.commit.set_cookies.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedCommit {
    /// Why it was not written.
    pub error: CommitError,
    /// What the error response gets.
    pub commit: Commit,
}

impl FailedCommit {
    /// The status that an adapter answers with: see [`CommitError::status_code`].
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        self.error.status_code()
    }
}

impl fmt::Display for FailedCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for FailedCommit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
