//! What a write would keep of a session, taken at one moment.

use super::flash::Flash;
use super::json::Text;
use super::state::{IdChange, Phase, State};
use super::{Payload, Session};
use crate::clock::Timestamp;
use crate::error::RandomError;
use crate::id::{PublicId, SessionId};
use crate::seal::CookieNonce;
use crate::wire::cookie::Persistence;

/// A session as its handlers want it to be.
pub(crate) struct Draft {
    /// Of how many ids of the session this was written with the last: it may get another one meanwhile.
    ids: u64,
    pub(crate) id_change: IdChange,
    pub(crate) created: Timestamp,
    pub(crate) persistence: Persistence,
    pub(crate) own_lifetime_seconds: u64,
    /// The application ended the session.
    pub(crate) destroyed: bool,
    /// Something was written that must not be lost.
    pub(crate) has_unsaved: bool,
    /// Something was asked for that is lost unless it is written: that, or another id.
    pub(crate) has_unkept: bool,
    /// Messages were read, and are used up.
    pub(crate) used_flash: bool,
    /// There is something to keep.
    pub(crate) has_something: bool,
    /// The application left nothing in a session that had something.
    pub(crate) emptied: bool,
    /// A call on the session succeeded.
    pub(crate) used: bool,
    /// A key that must never travel in the cookie is there.
    pub(crate) must_stay_on_server: bool,
    revision: u64,
    /// So many changes of this request were made until then.
    changes: usize,
    flash: Flash,
}

impl Draft {
    fn of(state: &State) -> Self {
        Self {
            ids: state.ids,
            id_change: state.id_change,
            created: state.created,
            persistence: state.persistence,
            own_lifetime_seconds: state.own_lifetime_seconds,
            destroyed: state.phase == Phase::Destroyed,
            has_unsaved: state.has_unsaved(),
            has_unkept: state.has_unkept(),
            used_flash: state.payload.flash.is_changed(),
            has_something: !state.payload.is_empty() || state.must_exist,
            emptied: state.is_emptied(),
            used: state.used,
            must_stay_on_server: state.payload.must_stay_on_server(),
            revision: state.revision,
            changes: state.changes.made(),
            flash: state.payload.flash.clone(),
        }
    }
}

/// What a request leaves undone when it ends without a commit.
pub(crate) enum Undone {
    Logout,
    Writes(Option<PublicId>),
}

impl Session {
    /// The session as it is to be written now.
    pub(crate) fn draft(&self) -> Draft {
        Draft::of(&self.state())
    }

    /// Whether the application has ended the session that was loaded.
    pub(crate) fn was_ended(&self) -> bool {
        let state = self.state();
        state.phase == Phase::Destroyed || state.id_change == IdChange::Invalidated
    }

    /// Whether the response depends on the session, and whether it carries a token.
    pub(crate) fn response_facts(&self) -> (bool, bool) {
        let state = self.state();
        (state.touched, state.made_token)
    }

    /// Takes the session for its last writing: every later write is an error to its writer.
    pub(crate) fn freeze(&self) {
        let mut state = self.state();
        if state.phase == Phase::Live {
            state.phase = Phase::Committed;
        }
    }

    /// The request is over without a commit: every later write is an error to its writer.
    pub(crate) fn abandon(&self) -> Option<Undone> {
        let mut state = self.state();
        let draft = Draft::of(&state);
        if matches!(state.phase, Phase::ReadOnly | Phase::Abandoned) {
            return None;
        }
        state.phase = Phase::Abandoned;
        let id = state.id.as_ref().map(|id| self.public(id));
        if draft.destroyed || draft.id_change == IdChange::Invalidated {
            Some(Undone::Logout)
        } else {
            (draft.has_unsaved || draft.id_change != IdChange::None).then_some(Undone::Writes(id))
        }
    }

    /// Notes that the session was written as it was drafted. What changed since then is still to be written; and what may have
    /// to be made again on other data is remembered all the same.
    pub(crate) fn mark_saved(&self, written: &Draft, remembers: bool) {
        let mut state = self.state();
        let is_unchanged = state.revision == written.revision;
        if state.ids == written.ids {
            state.id_change = IdChange::None;
            if written.emptied {
                // The next write begins a new session.
                state.drop_id();
                state.created = self.fixed().opened_at;
                state.persistence = self.fixed().persistence;
            }
        }
        if !remembers {
            state.changes.forget_until(written.changes);
        }
        state.changed = !is_unchanged;
        state.cleared &= !is_unchanged;
        if (state.persistence, state.own_lifetime_seconds) == (written.persistence, written.own_lifetime_seconds) {
            state.chose_persistence = false;
        }
        if is_unchanged {
            state.loaded_with_data = !state.payload.data.is_empty();
        }
        // What was left before the session was ended is not the next one's.
        if state.ids == written.ids {
            state.payload.flash.mark_saved(&written.flash, remembers);
        }
    }

    /// Becomes what was read again; `false` for one that is committed or has been ended, and stays so.
    pub(crate) fn become_like(&self, other: &Self) -> bool {
        let fresh = std::mem::replace(&mut *other.state(), State::new(Timestamp::default(), Persistence::default()));
        let mut state = self.state();
        if state.phase != Phase::Live || state.id_change == IdChange::Invalidated {
            return false;
        }
        let before = std::mem::replace(&mut *state, fresh);
        state.touched = before.touched;
        state.used = before.used;
        state.made_token = before.made_token;
        state.revision = before.revision.wrapping_add(1);
        state.ids = before.ids.wrapping_add(1);
        state.payload.flash.read_as(&before.payload.flash);
        true
    }

    /// What a write of the session needs of the operating system: a nonce, and the id, made now for a session that has none.
    pub(crate) fn draw(&self) -> Result<(CookieNonce, SessionId), RandomError> {
        let mut state = self.state();
        if let Some(id) = &state.id {
            return Ok((CookieNonce::draw()?, id.clone()));
        }
        let (nonce, id) = CookieNonce::draw_with_id()?;
        state.id = Some(id.clone());
        Ok((nonce, id))
    }

    /// The id to write under, made now for a session that was only asked for.
    pub(crate) fn ensure_id(&self) -> Result<SessionId, RandomError> {
        self.state().ensure_id().cloned()
    }

    /// The JSON that is to be sealed.
    pub(crate) fn payload_json(&self) -> Text {
        self.state().payload.to_json()
    }

    /// Makes this request's changes again on what another has written; `false` when they do not fit there.
    pub(crate) fn replay_onto(
        &self,
        newest: Payload,
        (persistence, own_lifetime_seconds): (Persistence, u64),
        is_login: bool,
    ) -> bool {
        let mut state = self.state();
        let fits = state.replay_onto(newest, is_login);
        if fits && !state.chose_persistence {
            state.persistence = persistence;
            state.own_lifetime_seconds = own_lifetime_seconds;
        }
        fits
    }

    /// Whether this request has taken a value out.
    pub(crate) fn has_pulled(&self) -> bool {
        self.state().changes.have_pulls()
    }

    /// Makes this request's changes again on an empty session that begins now; `false` when they do not fit there.
    pub(crate) fn begin_anew(&self) -> bool {
        if !self.state().remembers {
            // Without a store nothing is made again, so what was written would be lost without a word.
            return false;
        }
        let emptied = self.state().payload.emptied();
        let fits = self.replay_onto(emptied, (self.fixed().persistence, 0), true);
        if fits {
            self.state().created = self.fixed().opened_at;
        }
        fits
    }

    /// The JSON of what was there before, without what this request took out of it.
    pub(crate) fn leftovers_json(&self, before: &Text) -> Text {
        // What cannot be read is left to nobody.
        let before = Payload::parse(before).unwrap_or_default();
        self.state().leftovers(before).to_json()
    }

    /// The JSON without the old input of a form; `None` when there is no input.
    pub(crate) fn payload_json_without_input(&self) -> Option<Text> {
        let mut state = self.state();
        // Kept until it is written: a save that fails leaves the session as it was.
        let whole = state.payload.flash.clone();
        let trimmed = state.payload.flash.drop_input().then(|| state.payload.to_json());
        state.payload.flash = whole;
        trimmed
    }

    /// Gives up the old input of a form, which was left out of what was written.
    pub(crate) fn drop_old_input(&self) {
        self.state().payload.flash.drop_input();
    }

    /// Bytes of JSON that each top-level key takes, the largest first.
    pub(crate) fn member_sizes(&self) -> Vec<(String, usize)> {
        self.state().payload.member_sizes()
    }
}
