use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use super::earlier::Candidates;
use super::open::Loaded;
use super::{Commit, Renewal, RequestFacts, ResponseFacts, SessionManager, StoreFailure};
#[cfg(feature = "tower-sessions")]
use crate::clock::{Clock as _, Timestamp};
use crate::error::{CommitError, LoadError, StoreError};
use crate::session::{Backing, Phase, Session};

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
    store: SessionManager,
    candidates: Candidates,
    is_navigation: bool,
    loaded: OnceLock<Loaded>,
    committed: AtomicBool,
    is_saving: AtomicBool,
}

impl PendingSession {
    pub(super) fn new(store: SessionManager, request: &RequestFacts<'_>) -> Self {
        let candidates = Candidates::of(&store, &request.cookie_headers);
        let is_navigation = request.is_navigation();
        Self(Arc::new(Pending {
            store,
            candidates,
            is_navigation,
            loaded: OnceLock::new(),
            committed: false.into(),
            is_saving: false.into(),
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
        let loaded = self.0.store.open(&self.0.candidates, self.0.store.0.store_failure).await?;
        let session = self.0.loaded.get_or_init(|| loaded).session.clone();
        session.attach(Arc::downgrade(&self.0) as Weak<dyn Backing>);
        if self.0.committed.load(Ordering::SeqCst) {
            // Asked for behind the response head: it can be read, and a write is an error to its writer.
            session.state().phase = Phase::Committed;
        }
        Ok(session)
    }

    /// The time by the store's clock, for what an adapter keeps in a session beside it.
    #[cfg(feature = "tower-sessions")]
    pub(crate) fn now(&self) -> Timestamp {
        self.0.store.0.clock.now()
    }

    /// Writes the session and tells what the response gets of it. Counts once; a second call returns an empty
    /// [`Commit`].
    ///
    /// Call it when the response head is complete and not yet sent. A later write to the session is an error to its
    /// writer.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let store = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = store.begin(&RequestFacts::new());
    /// pending.session().await?.put("user", &42)?;
    /// let commit = pending.commit(&ResponseFacts::new(200)).await?;
    /// assert_eq!(commit.set_cookies.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommitError`]: nothing was written, and the client is to keep its cookie. Answer with
    /// [`CommitError::status_code`] and an empty body in place of the handler's response.
    pub async fn commit(&self, response: &ResponseFacts<'_>) -> Result<Commit, CommitError> {
        let Pending { store, candidates, loaded, committed, is_navigation, .. } = &*self.0;
        if committed.swap(true, Ordering::SeqCst) {
            return Ok(Commit::default());
        }
        if loaded.get().is_none() && store.0.renewal == Renewal::EveryResponse && !candidates.is_empty() {
            // Nobody asked; a store that does not answer costs this request its renewal and nothing more.
            if let Ok(opened) = store.open(candidates, store.0.store_failure).await {
                let _ = loaded.set(opened);
            }
        }
        match loaded.get() {
            Some(loaded) => store.commit(loaded, *is_navigation, response).await,
            None => Ok(Commit::default()),
        }
    }

    /// Whether a response of this status takes along what is written to the session.
    #[cfg(any(feature = "actix-web", feature = "poem", feature = "rocket", feature = "tower"))]
    pub(crate) fn is_written_with(&self, status_code: u16) -> bool {
        let store = &self.0.store.0;
        store.enabled && (store.commit_when)(status_code)
    }

    /// Nobody asked for the session, and it is not renewed all the same: a commit would say nothing to the response.
    #[cfg(feature = "poem")]
    pub(crate) fn is_untouched(&self) -> bool {
        let Pending { store, candidates, loaded, .. } = &*self.0;
        loaded.get().is_none() && (store.0.renewal != Renewal::EveryResponse || candidates.is_empty())
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
    pub fn commit_now(&self, response: &ResponseFacts<'_>) -> Result<Commit, CommitError> {
        now(self.commit(response)).unwrap_or_else(|| Err(CommitError::Store(waits())))
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
            if self.committed.load(Ordering::SeqCst) {
                return Ok(());
            }
            if self.is_saving.swap(true, Ordering::SeqCst) {
                return Err(CommitError::Conflict);
            }
            let _done = Done(&self.is_saving);
            self.store.save(loaded).await
        })
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), LoadError>> + Send + '_>> {
        Box::pin(async {
            let Some(loaded) = self.loaded.get() else { return Ok(()) };
            // As the browser will send it: the cookie of the last save, or those that came.
            let saved = loaded.saved().map(|line| Candidates { today: sent_back(&line), ..Candidates::default() });
            let candidates = saved.as_ref().unwrap_or(&self.candidates);
            // An empty session in place of one that is at hand would be written over its cookie.
            let fresh = self.store.open(candidates, StoreFailure::FailClosed).await?;
            if loaded.session.become_like(&fresh.session) {
                loaded.set_origin(fresh.origin());
            }
            Ok(())
        })
    }
}

/// The value of a `Set-Cookie` line; none where it removes the cookie.
fn sent_back(line: &str) -> Vec<Box<[u8]>> {
    let value = line.split_once('=').and_then(|(_, rest)| rest.split(';').next());
    value.filter(|value| !value.is_empty()).map(|value| Box::from(value.as_bytes())).into_iter().collect()
}

/// Takes the mark off also when the call is dropped before its end.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
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
