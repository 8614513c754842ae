use zeroize::Zeroizing;

use super::Session;
use super::state::{IdChange, Phase};
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::wire::header::Persistence;

/// A session at the moment its response head is due: what the handlers wanted of it.
pub(crate) struct Frozen {
    pub(crate) touched: bool,
    pub(crate) changed: bool,
    pub(crate) destroyed: bool,
    pub(crate) emptied: bool,
    /// A token was made in this request.
    pub(crate) made_token: bool,
    pub(crate) id_change: IdChange,
    /// There is something to keep.
    pub(crate) has_something: bool,
    pub(crate) id: Option<SessionId>,
    pub(crate) created: Timestamp,
    pub(crate) persistence: Persistence,
    pub(crate) own_lifetime_seconds: u64,
}

impl Frozen {
    pub(crate) fn wants_writing(&self) -> bool {
        self.destroyed || self.changed || self.id_change != IdChange::None
    }
}

impl Session {
    /// Takes the session for writing: every later write is an error to its writer.
    pub(crate) fn freeze(&self) -> Frozen {
        let mut state = self.state();
        let destroyed = state.phase == Phase::Destroyed;
        if !destroyed {
            state.phase = Phase::Committed;
        }
        Frozen {
            touched: state.touched,
            changed: state.changed,
            destroyed,
            emptied: state.is_emptied(),
            made_token: state.must_exist,
            id_change: state.id_change,
            has_something: !state.payload.is_empty() || state.must_exist,
            id: state.id.clone(),
            created: state.created,
            persistence: state.persistence,
            own_lifetime_seconds: state.own_lifetime_seconds,
        }
    }

    /// The JSON that is to be sealed.
    pub(crate) fn payload_json(&self) -> Zeroizing<Vec<u8>> {
        self.state().payload.to_json()
    }

    /// Bytes of JSON that each top-level key takes, the largest first.
    pub(crate) fn member_sizes(&self) -> Vec<(String, usize)> {
        self.state().payload.member_sizes()
    }
}
