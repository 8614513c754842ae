//! One request: begin, load, decide, write, answer.

mod candidates;
mod carry_out;
mod facts;
mod leaving;
mod load;
mod pending;
mod progress;
mod protocol;
mod renewal;
mod response;
mod write;

pub use facts::{Commit, FailedCommit, RequestFacts, ResponseFacts};
pub use pending::PendingSession;

use candidates::Candidates;

use crate::error::LoadError;
use crate::manager::{SessionManager, StoreFailure};
use crate::session::{Phase, Session};

impl SessionManager {
    /// Takes what a request says of its session. Cheap and synchronous: nothing is opened before it is asked for.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key, RequestFacts};
    ///
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = store.begin(&RequestFacts::new().cookie_header(b"__Host-session=AQ"));
    /// assert!(pending.session_now()?.is_new());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn begin(&self, request: &RequestFacts<'_>) -> PendingSession {
        PendingSession::new(self.clone(), request)
    }

    /// Opens a session to be read, outside of a request: for a WebSocket that goes on, or a job that was handed a cookie.
    ///
    /// Nothing is renewed, and every write is [`SessionError::ReadOnly`](crate::SessionError::ReadOnly). `None` when there
    /// is no good cookie.
    ///
    /// ```
    /// use sealed_session::testing::{CookieJar, ManualClock};
    /// use sealed_session::{SessionManager, Key, RequestFacts};
    ///
    /// # pollster::block_on(async {
    /// let clock = ManualClock::at_unix_seconds(1_795_000_000);
    /// let store = SessionManager::builder(Key::generate()?).clock(clock.clone()).build()?;
    /// let mut jar = CookieJar::new(clock);
    /// jar.visit(&store, |session| session.put("user", &42))?;
    ///
    /// let header = jar.cookie_header();
    /// let session = store.read_only(&RequestFacts::new().cookie_header(header.as_bytes())).await?.unwrap();
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
        let session =
            self.open(&Candidates::of(self, &request.cookie_headers), StoreFailure::FailClosed).await?.session;
        session.state().phase = Phase::ReadOnly;
        Ok(Some(session).filter(|session| !session.is_new()))
    }
}
