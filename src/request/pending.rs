use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use super::candidates::Candidates;
use super::facts::{Commit, FailedCommit, Purpose, RequestFacts, ResponseFacts};
use super::load::Loaded;
#[cfg(feature = "tower-sessions")]
use crate::clock::{Clock as _, Timestamp};
use crate::error::{CommitError, LoadError, SessionError, StoreError};
use crate::events::Event;
use crate::manager::{Renewal, SessionManager, StoreFailure};
use crate::session::{Backing, Phase, Session, Undone};

/// The session of a request that nobody has asked for yet.
///
/// A clone is the same one: adapters put it into the request, and keep one for the response.
///
/// ```
/// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
/// # let store = SessionManager::builder(Key::generate()?).build()?;
/// let in_the_request = store.begin(&RequestFacts::new());
/// let for_the_response = in_the_request.clone();
/// in_the_request.session_now()?.put("user", &42)?;
/// assert_eq!(for_the_response.commit_now(&ResponseFacts::new(200))?.set_cookies.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PendingSession(Arc<Pending>);

struct Pending {
    manager: SessionManager,
    candidates: Candidates,
    purpose: Purpose,
    loaded: OnceLock<Loaded>,
    /// A commit has begun: what is written from now on is too late.
    is_committing: AtomicBool,
    /// A commit has returned, with its success or with an error.
    is_answered: AtomicBool,
    /// A commit has succeeded.
    is_committed: AtomicBool,
}

impl PendingSession {
    pub(super) fn new(manager: SessionManager, request: &RequestFacts<'_>) -> Self {
        let candidates = Candidates::of(&manager, &request.cookie_headers);
        Self(Arc::new(Pending {
            manager,
            candidates,
            purpose: request.purpose(),
            loaded: OnceLock::new(),
            is_committing: false.into(),
            is_answered: false.into(),
            is_committed: false.into(),
        }))
    }

    /// The session: opens the cookie the first time, and asks the server store where the data is there.
    ///
    /// A cookie that is missing, forged or expired is no error: the session is empty and new.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let store = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = store.begin(&RequestFacts::new());
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
        if let Some(loaded) = self.0.loaded.get() {
            return Ok(loaded.session.clone());
        }
        // Two tasks that ask at the same moment may both load; the first to come back is the session of both.
        let loaded = self.0.manager.open(&self.0.candidates, self.0.manager.0.store_failure).await?;
        Ok(self.attached(loaded))
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
        if let Some(loaded) = self.0.loaded.get() {
            loaded.session.invalidate()?;
            return Ok(loaded.session.clone());
        }
        Ok(self.attached(self.0.manager.open_ended(&self.0.candidates)))
    }

    fn attached(&self, loaded: Loaded) -> Session {
        let session = self.0.loaded.get_or_init(|| loaded).session.clone();
        session.attach(Arc::downgrade(&self.0) as Weak<dyn Backing>);
        if self.0.is_answered.load(Ordering::SeqCst) {
            // Asked for after the response head: it can be read, and a write is an error to its writer.
            session.state().phase = Phase::Committed;
        }
        session
    }

    /// The time by the store's clock, for what an adapter keeps in a session beside it.
    #[cfg(feature = "tower-sessions")]
    pub(crate) fn now(&self) -> Timestamp {
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
        let Pending { manager, candidates, purpose, loaded, is_committing, is_answered, is_committed } = &*self.0;
        if is_committed.load(Ordering::SeqCst) {
            return Ok(Commit::default());
        }
        is_committing.store(true, Ordering::SeqCst);
        if loaded.get().is_none() && manager.0.renewal == Renewal::EveryResponse && !candidates.is_empty() {
            // Nobody asked; a store that does not answer costs this request its renewal and nothing more.
            if let Ok(opened) = manager.open(candidates, StoreFailure::FailClosed).await {
                let _ = loaded.set(opened);
            }
        }
        let outcome = match loaded.get() {
            Some(loaded) => manager.commit(loaded, candidates, *purpose, response).await,
            None => Ok(Commit::default()),
        };
        is_answered.store(true, Ordering::SeqCst);
        is_committed.fetch_or(outcome.is_ok(), Ordering::SeqCst);
        outcome
    }

    /// Whether a response of this status takes along what is written to the session.
    #[cfg(any(feature = "actix-web", feature = "poem", feature = "rocket", feature = "tower"))]
    pub(crate) fn is_written_with(&self, status_code: u16) -> bool {
        let manager = &self.0.manager.0;
        manager.enabled && (manager.commit_when)(status_code)
    }

    /// Nobody asked for the session, and it is not renewed all the same: a commit would say nothing to the response.
    #[cfg(feature = "poem")]
    pub(crate) fn is_untouched(&self) -> bool {
        let Pending { manager, candidates, loaded, .. } = &*self.0;
        loaded.get().is_none() && (manager.0.renewal != Renewal::EveryResponse || candidates.is_empty())
    }
}

/// Without async: for scripts, edge functions and frameworks that have no runtime.
impl PendingSession {
    /// As [`PendingSession::session`], where nothing has to wait: always without a server store.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    ///
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = store.begin(&RequestFacts::new());
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
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = store.begin(&RequestFacts::new());
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

/// Saving and reading again, for the session's own calls.
impl Backing for Pending {
    fn save(&self) -> Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send + '_>> {
        Box::pin(async {
            let Some(loaded) = self.loaded.get() else { return Ok(()) };
            if self.is_committing.load(Ordering::SeqCst) {
                // The commit writes what there is, or says that it did not.
                return if loaded.session.draft().has_unsaved { Err(CommitError::Abandoned) } else { Ok(()) };
            }
            self.manager.save(loaded, &self.candidates).await
        })
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), LoadError>> + Send + '_>> {
        Box::pin(async {
            let Some(loaded) = self.loaded.get() else { return Ok(()) };
            if self.is_answered.load(Ordering::SeqCst) {
                return Err(LoadError::RequestOver);
            }
            loop {
                // A save that is under way gives way: what it writes could not be told from what is read here.
                let (turn, saved) = {
                    let mut progress = loaded.progress();
                    progress.turn = progress.turn.wrapping_add(1);
                    (progress.turn, progress.line.as_deref().map(Candidates::sent_back))
                };
                // As the browser will send it: the cookie of the last save, or those that came.
                let candidates = saved.as_ref().unwrap_or(&self.candidates);
                let fresh = self.manager.open(candidates, StoreFailure::FailClosed).await?;
                let mut progress = loaded.progress();
                if progress.turn != turn {
                    continue;
                }
                // An empty session in place of one that is at hand would be written over its cookie.
                if progress.known.opened.is_some() && !fresh.was_opened {
                    return Err(LoadError::Ended);
                }
                if loaded.session.become_like(&fresh.session) {
                    progress.known = std::mem::take(&mut *fresh.progress()).known;
                    progress.attempts.clear();
                    return Ok(());
                }
                // Ended by this request, and it stays so.
                return Err(LoadError::Ended);
            }
        })
    }
}

impl Drop for Pending {
    /// A request may end without a commit: its client has left, or its service failed. What it leaves undone is told.
    fn drop(&mut self) {
        let is_answered = self.is_answered.load(Ordering::SeqCst);
        let Some(loaded) = self.loaded.get().filter(|_| self.manager.0.enabled && !is_answered) else { return };
        match loaded.session.abandon() {
            Some(Undone::Logout) => {
                // The session that lives on is the one that the cookie names.
                let id = loaded.progress().known.opened.as_ref().map(|opened| loaded.session.public(&opened.header.id));
                self.manager.0.observers.tell(&Event::LogoutLost { id });
            }
            Some(Undone::Writes(id)) => self.manager.0.observers.tell(&Event::WritesDropped { id }),
            None => {
                // A cookie that a save wrote, and that no response took along.
                let progress = loaded.progress();
                let Some(opened) = progress.known.opened.as_ref().filter(|_| progress.line.is_some()) else { return };
                if progress.has_new_id || !opened.is_in_record() {
                    let id = Some(loaded.session.public(&opened.header.id));
                    drop(progress);
                    self.manager.0.observers.tell(&Event::WritesDropped { id });
                }
            }
        }
    }
}

impl fmt::Debug for PendingSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSession")
            .field("candidates", &self.0.candidates.count())
            .field("session", &self.0.loaded.get().map(|loaded| &loaded.session))
            .finish_non_exhaustive()
    }
}
