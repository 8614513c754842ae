//! What a session is inside of one request.

use serde_json::Number;

use super::Payload;
use super::changes::{Change, Changes, Remembered};
use crate::clock::Timestamp;
use crate::error::{RandomError, SessionError};
use crate::id::SessionId;
use crate::wire::cookie::Persistence;

/// Everything that a handler's calls change. `request` reads it when the response head is due.
pub(crate) struct State {
    /// Made by the first write, so that reading an empty session leaves no trace.
    pub(crate) id: Option<SessionId>,
    /// Grows with every id that the session gets or gives up.
    pub(crate) ids: u64,
    pub(crate) created: Timestamp,
    /// End of the idle lifetime as loaded, `None` for a new session.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) persistence: Persistence,
    /// The lifetime under [`Persistence::OwnLifetime`].
    pub(crate) own_lifetime_seconds: u64,
    /// This request has chosen how the session persists, whatever another one has written.
    pub(crate) chose_persistence: bool,
    pub(crate) payload: Payload,
    /// Something was read or written: the response depends on the session.
    pub(crate) touched: bool,
    /// A call on it succeeded: the session is in use and lives on.
    pub(crate) used: bool,
    /// A token was made in this request, which no cache may keep.
    pub(crate) made_token: bool,
    /// The data differ from what was loaded.
    pub(crate) changed: bool,
    /// Whether there is a store, where another request may write in between.
    pub(crate) remembers: bool,
    pub(crate) changes: Changes,
    /// Grows with every call that writes.
    pub(crate) revision: u64,
    /// There were data of the application's when it was loaded; flash alone does not count.
    pub(crate) loaded_with_data: bool,
    /// The application asked for an empty session.
    pub(crate) cleared: bool,
    /// It must exist even without data, for a token's sake.
    pub(crate) must_exist: bool,
    pub(crate) id_change: IdChange,
    pub(crate) phase: Phase,
}

/// What becomes of the id that the session was loaded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdChange {
    /// It stays.
    None,
    /// A new one takes its place; requests in flight may still read under the old one.
    Regenerated,
    /// A new one takes its place, and the old one ends at once.
    Invalidated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Live,
    Destroyed,
    Committed,
    /// Its request has ended without a commit.
    Abandoned,
    /// Opened outside of a request: there is no response that could carry its cookie.
    ReadOnly,
}

impl State {
    pub(crate) fn new(now: Timestamp, persistence: Persistence) -> Self {
        Self {
            id: None,
            ids: 0,
            created: now,
            expires: None,
            persistence,
            own_lifetime_seconds: 0,
            chose_persistence: false,
            payload: Payload::default(),
            touched: false,
            used: false,
            made_token: false,
            changed: false,
            remembers: false,
            changes: Changes::default(),
            revision: 0,
            loaded_with_data: false,
            cleared: false,
            must_exist: false,
            id_change: IdChange::None,
            phase: Phase::Live,
        }
    }

    /// Makes a change of the data, and remembers it.
    pub(crate) fn change(&mut self, change: Change) -> Result<(Option<Number>, bool), SessionError> {
        let remembered = self.remembers.then(|| Remembered::before(&change, &self.payload.data));
        let outcome = change.make(&mut self.payload.data)?;
        self.changes.remember(remembered.filter(|remembered| outcome.1 || remembered.counts_unchanged()));
        Ok(outcome)
    }

    /// Makes this request's changes again, on what another has written meanwhile; `false` when they do not fit there.
    pub(crate) fn replay_onto(&mut self, mut newest: Payload, is_login: bool) -> bool {
        let had_data = !newest.data.is_empty();
        if !self.changes.replay(&mut newest.data, is_login) {
            return false;
        }
        if self.changes.have_clear() {
            newest.flash.clear_earlier();
        }
        newest.flash.replay(&self.payload.flash);
        newest.keep_on_server(self.payload.server_only().cloned());
        self.payload = newest;
        self.loaded_with_data |= had_data;
        true
    }

    /// What the session is without what this request took out of it: what others may still see under an id that it leaves.
    pub(crate) fn leftovers(&self, mut before: Payload) -> Payload {
        self.changes.remove_again(&mut before.data);
        if self.changes.have_clear() {
            before.flash.clear_earlier();
        }
        before.flash.use_up(&self.payload.flash);
        before
    }

    /// Refuses a write that would be lost.
    pub(crate) fn check_writable(&self) -> Result<(), SessionError> {
        match self.phase {
            Phase::Live => Ok(()),
            Phase::Destroyed => Err(SessionError::Destroyed),
            Phase::Committed => Err(SessionError::Committed),
            Phase::Abandoned => Err(SessionError::Abandoned),
            Phase::ReadOnly => Err(SessionError::ReadOnly),
        }
    }

    /// Whether something was written that is not saved yet. Messages that were merely read do not count: one that is shown
    /// twice is no loss.
    pub(crate) const fn has_unsaved(&self) -> bool {
        self.changed || self.chose_persistence
    }

    /// Whether something is lost unless the session is written: that, or another id of a session that exists.
    pub(crate) fn has_unkept(&self) -> bool {
        let exists = self.expires.is_some() || self.must_exist || !self.payload.is_empty();
        self.has_unsaved() || (self.id_change != IdChange::None && exists)
    }

    /// Whether a session that was loaded is to be removed: the application left nothing in it. Flash that merely ran out
    /// does not end a session.
    pub(crate) fn is_emptied(&self) -> bool {
        let had_something = self.loaded_with_data || self.id_change == IdChange::Invalidated;
        (self.cleared || (self.changed && had_something)) && self.payload.is_empty() && !self.must_exist
    }

    /// What is written next is another session.
    pub(crate) fn drop_id(&mut self) {
        self.id = None;
        self.ids = self.ids.wrapping_add(1);
    }

    /// The id, made now if there is none.
    pub(crate) fn ensure_id(&mut self) -> Result<&SessionId, RandomError> {
        match &mut self.id {
            Some(id) => Ok(id),
            none => Ok(none.insert(SessionId::generate()?)),
        }
    }

    /// A new id for a session that has one.
    // Security: ids are made here and nowhere else; one that came from a client is only ever loaded from an authentic
    // cookie (session fixation: CVE-2022-25896, CVE-2023-29019).
    pub(crate) fn replace_id(&mut self, change: IdChange) -> Result<(), SessionError> {
        self.id = match &self.id {
            // Made when something is written to the new session.
            _ if change == IdChange::Invalidated => None,
            Some(_) => Some(SessionId::generate()?),
            None => None,
        };
        self.ids = self.ids.wrapping_add(1);
        // What could not be opened has no id here, and is to end or to get another one all the same.
        if self.id_change != IdChange::Invalidated {
            self.id_change = change;
        }
        Ok(())
    }
}
