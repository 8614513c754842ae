//! What a write decides on its way.

use zeroize::Zeroizing;

use crate::overflow::{LoadedRecord, Target};
use crate::wire::header::Header;

/// The JSON that is written, and where.
pub(super) struct Fitted {
    pub(super) payload: Zeroizing<Vec<u8>>,
    pub(super) target: Target,
    /// The old input of a form was left out, for want of room.
    pub(super) without_input: bool,
}

/// A value for the cookie, whether the session moved for it, and the record behind it.
pub(super) type Placed = (String, Moved, Option<LoadedRecord>);

/// The header of a renewed session, and what goes with it.
pub(super) type Renewed = (Header, Placed);

/// Whether a write moved the session.
pub(super) enum Moved {
    Not,
    IntoStore,
    IntoCookie,
}
