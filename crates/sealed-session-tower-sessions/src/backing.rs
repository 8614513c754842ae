use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sealed_session::{LoadError, Path, PendingSession, Session, SessionError, Timestamp};
use serde_json::Value;
use time::OffsetDateTime;
use tower_sessions_core::session::{self, Expiry, Id, Record};
use tower_sessions_core::{SessionStore, session_store};

/// Where an instant stands at which the session ends: in seconds since 1970.
const ENDS_AT: &str = "tower-sessions.ends_at";

/// A store of `tower-sessions` that has one session: that of the request.
pub(crate) struct Backing {
    pending: PendingSession,
    notes: Mutex<Notes>,
}

/// What has happened in this request.
#[derive(Default)]
struct Notes {
    /// Deleted, and nothing written since.
    is_deleted: bool,
    /// Status of the response that stands for the first failure.
    failure: Option<u16>,
}

impl Backing {
    pub(crate) fn new(pending: PendingSession) -> Self {
        Self { pending, notes: Mutex::default() }
    }

    /// The id of the session that the request came with.
    pub(crate) async fn begin(&self) -> Option<Id> {
        match self.pending.session().await {
            Ok(session) if session.is_new() => None,
            Ok(session) => id_of(&session),
            // Whoever asks for it meets the failure; a page that does not ask is none the worse.
            Err(_) => Some(Id::default()),
        }
    }

    /// Makes the changes that the handlers left to the end; the status of the response in place of theirs, if that fails.
    pub(crate) async fn finish(&self, session: &session::Session) -> Result<(), u16> {
        let saved = if session.is_modified() && !session.is_empty().await { session.save().await } else { Ok(()) };
        if let Some(status) = self.notes().failure {
            return Err(status);
        }
        // What does not go through this store: a value that was never JSON.
        saved.map_err(|_| 500_u16)?;
        self.end(session.expiry()).await.map_err(|failure| failure.status())
    }

    async fn end(&self, expiry: Option<Expiry>) -> Result<(), Failure> {
        let is_deleted = self.notes().is_deleted;
        if !is_deleted && expiry.is_none() {
            return Ok(());
        }
        let session = self.pending.session().await?;
        match expiry {
            _ if is_deleted => session.destroy()?,
            _ if session.is_empty() => {}
            Some(Expiry::OnInactivity(lifetime)) => remember(&session, lifetime)?,
            Some(Expiry::AtDateTime(instant)) => session.put(path(ENDS_AT), &instant.unix_timestamp().max(0))?,
            _ => {}
        }
        Ok(())
    }

    /// The session and its values, unless it is new or has come to its end.
    async fn values(&self) -> Result<Option<(Session, HashMap<String, Value>)>, Failure> {
        let session = self.pending.session().await?;
        let mut values: HashMap<_, _> = session.all().into_iter().collect();
        let ends_at = values.remove(ENDS_AT).as_ref().and_then(Value::as_u64);
        if ends_at.is_some_and(|instant| Timestamp::from_unix_seconds(instant) <= self.pending.now()) {
            self.notes().is_deleted = true;
            return Ok(None);
        }
        Ok(Some((session, values)))
    }

    async fn write(&self, record: &Record) -> Result<Session, Failure> {
        let session = self.pending.session().await?;
        let before = self.values().await?.map(|(_, values)| values).unwrap_or_default();
        if std::mem::take(&mut self.notes().is_deleted) {
            let goes_on = before.iter().any(|(key, value)| record.data.get(key) == Some(value));
            // Security: a session of which nothing is carried on has ended, and no request in flight may go on with it. One
            // that goes on keeps its birth, or `cycle_id` would put off its absolute timeout.
            if goes_on { session.regenerate()? } else { session.invalidate()? }
        }
        for key in before.keys().filter(|key| !record.data.contains_key(*key)) {
            session.forget(path(key))?;
        }
        // The layer hands over all values. What a parallel request made of one that is as it was stays.
        for (key, value) in record.data.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
            session.put(path(key), value)?;
        }
        Ok(session)
    }

    /// Remembers what the response must not hide.
    fn note<T>(&self, result: Result<T, Failure>) -> session_store::Result<T> {
        result.map_err(|failure| {
            self.notes().failure.get_or_insert(failure.status());
            session_store::Error::Backend(failure.to_string())
        })
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SessionStore for Backing {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let session = self.note(self.write(record).await)?;
        record.id = id_of(&session).unwrap_or(record.id);
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.note(self.write(record).await).map(drop)
    }

    async fn load(&self, _: &Id) -> session_store::Result<Option<Record>> {
        let Some((session, data)) = self.note(self.values().await)? else { return Ok(None) };
        // Nothing reads it: `Session::save` makes another.
        let expiry_date = session.expires_at().map_or(OffsetDateTime::UNIX_EPOCH, Timestamp::to_date_time);
        Ok(id_of(&session).map(|id| Record { id, data, expiry_date }))
    }

    async fn delete(&self, _: &Id) -> session_store::Result<()> {
        self.notes().is_deleted = true;
        Ok(())
    }
}

impl fmt::Debug for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backing").finish_non_exhaustive()
    }
}

enum Failure {
    Load(LoadError),
    Session(SessionError),
}

impl Failure {
    fn status(&self) -> u16 {
        match self {
            Self::Load(error) => error.status_code(),
            Self::Session(_) => 500,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

fn id_of(session: &Session) -> Option<Id> {
    session.id().map(|id| Id(i64::from_be_bytes(*id.as_bytes()).into()))
}

/// A key is one segment, dots and all.
fn path(key: &str) -> Path {
    Path::from_segments([key])
}

/// `set_expiry` cannot fail, so what is too long becomes the longest there is.
fn remember(session: &Session, lifetime: time::Duration) -> Result<(), SessionError> {
    match session.remember(Duration::try_from(lifetime).unwrap_or_default()) {
        Err(SessionError::Lifetime { asked_seconds: 0, .. }) => session.destroy(),
        Err(SessionError::Lifetime { most_seconds, .. }) => session.remember(Duration::from_secs(most_seconds)),
        other => other,
    }
}
