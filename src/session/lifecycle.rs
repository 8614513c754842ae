//! The life of a session: new ids, its end, a lifetime of its own, and its size.

use std::time::Duration;

use super::Session;
use super::state::{IdChange, Phase};
use crate::error::{CommitError, LoadError, SessionError};
use crate::wire::Persistence;

impl Session {
    /// Gives the session a new id and keeps its data; tokens of the old id die.
    ///
    /// Call it whenever the rights of the session change, or a visitor who knows the old id gains what the user gains
    /// (session fixation). At login, [`Session::regenerate_and_reset_lifetime`] is the better one.
    ///
    /// It succeeds whatever happened to the old session. One that another login has left is where this one begins, without
    /// what that one took out of it, and never with what it put in. Where the old one has ended, this request's own writes
    /// begin an empty one. A conflict is only what cannot mean the same there: a [`pull`](Session::pull) of a value that another
    /// request may have taken, a change through an element of an array, or of another type than it finds. Under the old
    /// id a record shows for ten seconds what it showed before, and nothing of the new session. If the response is lost, the
    /// browser has the old cookie, and the user logs in again.
    ///
    /// A logout that meets this request wins, whichever response comes last: see the page of the
    /// [protocol](crate::guide::protocol).
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("cart", &["book"])?;
    /// let before = session.id();
    /// session.regenerate()?;
    /// assert_ne!(session.id(), before);
    /// assert!(session.has("cart")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Random`] when no id can be made, or as [`Session::put`] when it is too late.
    #[doc(alias = "cycle_id")]
    #[doc(alias = "renew")]
    pub fn regenerate(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.replace_id(IdChange::Regenerated)?;
            Ok(((), false))
        })
    }

    /// As [`Session::regenerate`], and the absolute lifetime begins again: for logins, or a visitor of 29 days would be
    /// logged out a day later.
    ///
    /// # Errors
    ///
    /// As [`Session::regenerate`].
    pub fn regenerate_and_reset_lifetime(&self) -> Result<(), SessionError> {
        let now = self.fixed().opened_at;
        self.write(|state| {
            state.replace_id(IdChange::Regenerated)?;
            state.created = now;
            Ok(((), false))
        })
    }

    /// Drops all data and begins a new session under a new id: for a logout that leaves a farewell behind.
    ///
    /// Without anything written after it, the cookie is removed. The old session ends as with [`Session::destroy`], and what
    /// is written from here on belongs to the new one. To end a session that cannot be loaded, call
    /// [`PendingSession::end`](crate::PendingSession::end).
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("user", &42)?;
    /// session.invalidate()?;
    /// session.flash("notice", "You are logged out.")?;
    /// assert!(!session.has("user")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::regenerate`].
    #[doc(alias = "flush")]
    pub fn invalidate(&self) -> Result<(), SessionError> {
        let now = self.fixed().opened_at;
        let persistence = self.fixed().persistence;
        self.write(|state| {
            state.end_changes();
            state.replace_id(IdChange::Invalidated)?;
            state.created = now;
            state.persistence = persistence;
            state.chose_persistence = false;
            state.saved_persistence = false;
            state.payload = state.payload.emptied();
            state.must_exist = false;
            Ok(((), true))
        })
    }

    /// Ends the session: at once for this handle, at commit for the cookie and the store. Every later write is an error.
    ///
    /// The end is final. Whatever the response's status, every cookie of the session that the request carried is removed,
    /// also one that could not be opened and those of earlier names and attributes; and the session's record says that it
    /// has ended, so that no request in flight revives it. If the store cannot be told, the commit is an error, and the
    /// client keeps its cookie for another try. A request that is given up before its commit has ended nothing, which
    /// [`Event::LogoutLost`](crate::events::Event) tells.
    ///
    /// A copy of a cookie that carries its data opens in another browser until it expires; in this one a marker refuses it.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("user", &42)?;
    /// session.destroy()?;
    /// assert!(session.is_empty());
    /// assert!(session.put("user", &43).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Committed`] when it is too late. Destroying twice is no error.
    #[doc(alias = "purge")]
    #[doc(alias = "flush")]
    pub fn destroy(&self) -> Result<(), SessionError> {
        if self.state().phase == Phase::Destroyed {
            return Ok(());
        }
        self.write(|state| {
            state.payload = super::Payload::default();
            state.end_changes();
            state.must_exist = false;
            state.phase = Phase::Destroyed;
            // No token of it verifies any more.
            state.drop_id();
            Ok(((), true))
        })
    }

    /// Writes the session now, so that the handler sees how it went; its cookie goes out with the response. Later changes
    /// are written with the response.
    ///
    /// For answers that go on for longer than their head: streams, server-sent events, long work.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("step", &1)?;
    /// session.save().await?;
    /// assert!(!session.is_dirty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CommitError`] when it was not written; the session is as it was before the call. A conflict is also a session that
    /// another request has ended or given a new id, and a call that another one of the same request overtakes.
    pub async fn save(&self) -> Result<(), CommitError> {
        match self.backing() {
            Some(backing) => backing.save().await,
            None if self.draft().has_unkept => Err(CommitError::Abandoned),
            // Its request was committed, and every write to the session since then was refused.
            None => Ok(()),
        }
    }

    /// Reads the session again, from the store where it is there, and forgets changes that were not saved.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when the store does not answer, when the session has ended, and when its request is over; the session
    /// is as it was before the call.
    pub async fn reload(&self) -> Result<(), LoadError> {
        match self.backing() {
            Some(backing) => backing.reload().await,
            None => Err(LoadError::RequestOver),
        }
    }

    /// Gives the session a lifetime of its own, in whole seconds, which outlives the browser and is renewed with use.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// use std::time::Duration;
    /// session.put("user", &42)?;
    /// session.remember(Duration::from_secs(14 * 24 * 60 * 60))?;
    /// assert!(session.remember(Duration::from_secs(400 * 24 * 60 * 60)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Lifetime`] for less than a second or more than the configured `remember_max`, or as
    /// [`Session::put`] when it is too late.
    pub fn remember(&self, lifetime: Duration) -> Result<(), SessionError> {
        let most_seconds = self.fixed().sealer.lifetimes().remember_max_seconds;
        let asked_seconds = lifetime.as_secs();
        if !(1..=most_seconds).contains(&asked_seconds) {
            return Err(SessionError::Lifetime { asked_seconds, most_seconds });
        }
        self.write(|state| {
            let changed = (state.persistence, state.own_lifetime_seconds) != (Persistence::OwnLifetime, asked_seconds);
            state.persistence = Persistence::OwnLifetime;
            state.own_lifetime_seconds = asked_seconds;
            state.chose_persistence |= changed;
            Ok(((), changed))
        })
    }

    /// Takes back [`Session::remember`] and [`Session::end_with_browser`]: the session lives as sessions do by default.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// use std::time::Duration;
    /// session.put("user", &42)?;
    /// session.remember(Duration::from_secs(14 * 24 * 60 * 60))?;
    /// session.forget_lifetime()?;
    /// // Two hours, the default idle timeout.
    /// assert!(pending.commit(&ResponseFacts::new(200)).await?.set_cookies[0].ends_with("Max-Age=7200"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn forget_lifetime(&self) -> Result<(), SessionError> {
        self.persist(self.fixed().persistence)
    }

    /// Ends the session with the browser: its cookie has no `Max-Age`. The idle timeout holds as well.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("user", &42)?;
    /// session.end_with_browser()?;
    /// assert!(!pending.commit(&ResponseFacts::new(200)).await?.set_cookies[0].contains("Max-Age"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn end_with_browser(&self) -> Result<(), SessionError> {
        self.persist(Persistence::BrowserSession)
    }

    fn persist(&self, persistence: Persistence) -> Result<(), SessionError> {
        self.write(|state| {
            let changed = state.persistence != persistence;
            state.persistence = persistence;
            state.chose_persistence |= changed;
            Ok(((), changed))
        })
    }
}

// How large a session is, told before it hurts, and what must never travel in the cookie.

/// How many bytes of JSON a session takes, and which top-level keys take them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeReport {
    /// Bytes of the whole session.
    pub payload_bytes: usize,
    /// Most bytes that its cookie takes.
    pub cookie_max_bytes: usize,
    /// Bytes of each top-level key with its name, the largest first. `"~"` is the crate's own: flash and old input.
    pub keys: Vec<(String, usize)>,
}

impl Session {
    /// Bytes of JSON that fit the cookie beside what is there; `0` when the session outgrows it.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("cart", &["book"])?;
    /// assert_eq!(session.remaining_bytes(), 2979 - r#"{"cart":["book"]}"#.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn remaining_bytes(&self) -> usize {
        let payload_bytes = self.read_state().payload.to_json().len();
        self.fixed().sealer.payload_max_bytes().saturating_sub(payload_bytes)
    }

    /// How large the session is, key by key.
    #[must_use]
    pub fn size_report(&self) -> SizeReport {
        let state = self.read_state();
        SizeReport {
            payload_bytes: state.payload.to_json().len(),
            cookie_max_bytes: self.fixed().sealer.payload_max_bytes(),
            keys: state.payload.member_sizes(),
        }
    }

    /// Marks a top-level key that must never travel in the cookie: while it is there, the session is in the store.
    ///
    /// The mark stays in the session, also while the key is not there. It begins no session by itself.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoStore`] where none is configured, or as [`Session::put`] when it is too late.
    pub fn server_only(&self, key: impl Into<String>) -> Result<(), SessionError> {
        if !self.fixed().has_store {
            return Err(SessionError::NoStore);
        }
        let key = key.into();
        self.write(|state| {
            let is_new = state.payload.keep_on_server([key]);
            // Kept before its key is there, but it begins no session by itself.
            let is_kept = is_new && (state.expires.is_some() || !state.payload.is_empty());
            Ok(((), is_kept))
        })
    }
}
