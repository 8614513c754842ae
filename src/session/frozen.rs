use zeroize::Zeroizing;

use super::state::{IdChange, Phase, State};
use super::{Payload, Session};
use crate::clock::Timestamp;
use crate::error::RandomError;
use crate::id::SessionId;
use crate::wire::header::Persistence;

/// A session at the moment its response head is due: what the handlers wanted of it.
pub(crate) struct Frozen {
    pub(crate) touched: bool,
    pub(crate) changed: bool,
    pub(crate) destroyed: bool,
    pub(crate) emptied: bool,
    revision: u64,
    /// A token was made in this request.
    pub(crate) made_token: bool,
    pub(crate) id_change: IdChange,
    /// There is something to keep.
    pub(crate) has_something: bool,
    pub(crate) id: Option<SessionId>,
    pub(crate) created: Timestamp,
    pub(crate) persistence: Persistence,
    pub(crate) own_lifetime_seconds: u64,
    /// A key that must never travel in the cookie is there.
    pub(crate) must_stay_on_server: bool,
}

impl Frozen {
    pub(crate) fn wants_writing(&self) -> bool {
        self.destroyed || self.changed || self.id_change != IdChange::None
    }

    fn of(state: &State) -> Self {
        let destroyed = state.phase == Phase::Destroyed;
        Self {
            touched: state.touched,
            changed: state.changed || state.payload.flash.is_changed(),
            destroyed,
            emptied: state.is_emptied(),
            revision: state.revision,
            made_token: state.must_exist,
            id_change: state.id_change,
            has_something: !state.payload.is_empty() || state.must_exist,
            id: state.id.clone(),
            created: state.created,
            persistence: state.persistence,
            own_lifetime_seconds: state.own_lifetime_seconds,
            must_stay_on_server: state.payload.must_stay_on_server(),
        }
    }
}

impl Session {
    /// Takes the session for its last writing: every later write is an error to its writer.
    pub(crate) fn freeze(&self) -> Frozen {
        let mut state = self.state();
        let frozen = Frozen::of(&state);
        if !frozen.destroyed {
            state.phase = Phase::Committed;
        }
        frozen
    }

    /// Looks at the session for a writing after which it goes on.
    pub(crate) fn look(&self) -> Frozen {
        Frozen::of(&self.state())
    }

    /// Notes that the session was written as it was looked at. What changed since then is still to be written.
    pub(crate) fn mark_saved(&self, written: &Frozen) {
        let mut state = self.state();
        if state.id == written.id {
            state.id_change = IdChange::None;
            if written.emptied {
                // The next write begins a new session.
                state.id = None;
                state.created = self.fixed().opened_at;
                state.persistence = self.fixed().persistence;
            }
        }
        if state.revision != written.revision {
            return;
        }
        state.changed = false;
        state.changes.clear();
        state.cleared = false;
        state.loaded_with_data = !state.payload.data.is_empty();
        state.payload.flash.mark_persisted();
    }

    /// Becomes what was read again; `false` for one that is committed or destroyed, and stays so.
    pub(crate) fn become_like(&self, other: &Self) -> bool {
        let fresh = std::mem::replace(&mut *other.state(), State::new(Timestamp::default(), Persistence::default()));
        let mut state = self.state();
        if state.phase != Phase::Live {
            return false;
        }
        let before = std::mem::replace(&mut *state, fresh);
        state.touched = before.touched;
        // A save that is under way has seen none of this.
        state.revision = before.revision.wrapping_add(1);
        state.payload.flash.read_as(&before.payload.flash);
        true
    }

    /// The id to write under, made now for a session that was only asked for.
    pub(crate) fn ensure_id(&self) -> Result<SessionId, RandomError> {
        self.state().ensure_id().cloned()
    }

    /// The JSON that is to be sealed.
    pub(crate) fn payload_json(&self) -> Zeroizing<Vec<u8>> {
        self.state().payload.to_json()
    }

    /// Makes this request's changes again on what another has written; `false` when they do not fit there.
    pub(crate) fn replay_onto(&self, newest: Payload) -> bool {
        self.state().replay_onto(newest)
    }

    /// The JSON without the old input of a form; `None` when there is no input.
    pub(crate) fn payload_json_without_input(&self) -> Option<Zeroizing<Vec<u8>>> {
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
