use sealed_session::testing::{CookieJar, ManualClock};
use sealed_session::{CommitError, LoadError, RequestFacts, ResponseFacts, Session, SessionManager};

/// A browser with its cookies. A clone is another tab that knows what this one knows.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Its cookies.
    pub jar: CookieJar,
}

/// Why a request was not answered as it should be.
#[derive(Debug)]
pub enum Failed {
    /// The session could not be loaded.
    Load(LoadError),
    /// The session could not be written.
    Commit(CommitError),
}

impl Failed {
    /// The status that an adapter answers with.
    #[must_use]
    pub fn status_code(&self) -> u16 {
        match self {
            Self::Load(error) => error.status_code(),
            Self::Commit(error) => error.status_code(),
        }
    }
}

impl Browser {
    /// A browser without cookies.
    #[must_use]
    pub fn new(clock: &ManualClock) -> Self {
        Self { jar: CookieJar::new(clock.clone()) }
    }

    /// One request, from its cookies to the cookies that its response sets.
    ///
    /// # Errors
    ///
    /// [`Failed`] when the session cannot be loaded or written; the cookies stay.
    pub async fn visit<R>(&mut self, store: &SessionManager, handle: impl FnOnce(&Session) -> R) -> Result<R, Failed> {
        let header = self.jar.cookie_header();
        let pending = store.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        let result = handle(&pending.session().await.map_err(Failed::Load)?);
        let commit = pending.commit(&ResponseFacts::new(200)).await;
        let commit = commit.map_err(|failed| Failed::Commit(failed.error))?;
        commit.set_cookies.iter().for_each(|line| self.jar.receive(line));
        Ok(result)
    }

    /// The number under this key, which must be answered.
    ///
    /// # Panics
    ///
    /// When it is not answered, or is no number.
    pub async fn get(&mut self, store: &SessionManager, key: &str) -> Option<u64> {
        self.visit(store, |session| session.get(key).unwrap()).await.unwrap()
    }
}
