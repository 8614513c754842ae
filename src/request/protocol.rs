//! The life of a session, decided in one place. Pure: what is known goes in, the next step comes out. The guide's page
//! [`protocol`](crate::guide::protocol) has the table and the reasons.

use crate::clock::Timestamp;
use crate::records::{FoundRecord, Standing, Target};
use crate::wire::record::{RecordState, WriteId};

/// What a request wants of its session, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Want {
    Nothing,
    /// It was used, and lives on. Left out where it cannot be had.
    Refresh,
    /// What was written is kept, or the caller gets an error.
    Keep,
    /// It goes on under a new id.
    NewId,
    /// It is over. What was written since begins another one.
    End,
}

/// How the session came to this request, and on what its result builds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came {
    New,
    /// In its cookie.
    Inline {
        write: WriteId,
        issued: Timestamp,
        is_empty: bool,
    },
    /// In a record of this version, which was then in this state.
    Record {
        version: u64,
        state: RecordState,
    },
    /// By a reference that nobody followed.
    Unread,
}

/// Everything that a step depends on.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) want: Want,
    pub(super) came: Came,
    /// Where the result fits.
    pub(super) target: Target,
    pub(super) has_store: bool,
    pub(super) store_only: bool,
    /// What stands where the session came from; `None` while nobody has looked.
    pub(super) here: Option<&'a Standing>,
    /// The session goes on in another place: under a new id, or another audience.
    pub(super) moves: bool,
    /// What stands in that place.
    pub(super) ahead: Option<&'a Standing>,
    /// This request has written it.
    pub(super) owns_ahead: bool,
    /// The result builds on an empty session, because the session was found to be gone.
    pub(super) began_anew: bool,
    /// The record must be written again even if nothing changed.
    pub(super) rewrite: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the store what stands where the session came from.
    Look,
    /// Ask the store what stands where it goes.
    LookAhead,
    /// Make the request's operations again on the record that was found here, and decide anew.
    Adopt,
    /// The same on the record that was found ahead: another request has moved the session there.
    AdoptAhead,
    /// Make them again on an empty session, and decide anew.
    BeginAnew,
    /// Move the record's expiry, and send a fresh reference.
    Touch,
    /// Write these records and send the cookie.
    Write(Plan),
    /// A conflict: nothing can be kept.
    Refuse,
}

/// The records that one write takes. Where both are written, the one ahead is first: until the place that the session came
/// from is left, nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The record where the session goes.
    pub(super) ahead: Option<RecordState>,
    /// What becomes of the record where it came from.
    pub(super) here: Option<RecordState>,
}

/// What the place that the session came from is to this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// Nobody has looked, and it must be known.
    Unknown,
    /// The result builds on what stands there, or nothing stands there that it should build on.
    Current,
    /// A record that does not descend from this session's cookie: it is replaced and never merged.
    Orphan,
    /// Another request has written on: its record is to be adopted.
    Newer,
    /// Another request has brought the session back into its cookie, whose response may come after this one's.
    Returned,
    /// Another request has given the session a new id.
    Left { is_current: bool },
    /// It cannot be told whether the record descends from the cookie.
    Undecidable,
    /// A record that cannot be read, or that is older than what this request has seen.
    Broken,
    /// The session is over.
    Gone,
}

pub(super) fn decide(case: &Case<'_>) -> Step {
    let base = case.base();
    let write = |here| Step::Write(Plan { ahead: case.ahead_state(), here });
    let leave = |state| write(case.has_store.then_some(state));
    match (case.want, base) {
        (_, Base::Unknown) => Step::Look,

        (Want::End, Base::Gone) => write(None),
        (Want::End, _) if matches!(case.came, Came::New) => write(None),
        (Want::End, _) => leave(RecordState::Ended),

        (Want::NewId, Base::Newer | Base::Returned | Base::Left { is_current: false }) => Step::Adopt,
        (Want::NewId, Base::Gone | Base::Broken) if !case.began_anew => Step::BeginAnew,
        (Want::NewId, Base::Gone) => write(None),
        (Want::NewId, Base::Broken) => leave(RecordState::Ended),
        (Want::NewId, _) => leave(RecordState::Left),

        // Another audience, and another request was faster: the session is there.
        (_, Base::Left { .. } | Base::Gone) if case.moves => match case.ahead {
            None => Step::LookAhead,
            Some(_) if case.was_moved() => Step::AdoptAhead,
            Some(_) => Step::Refuse,
        },
        (_, Base::Newer) => Step::Adopt,
        (_, Base::Returned | Base::Left { .. } | Base::Undecidable | Base::Broken | Base::Gone) => Step::Refuse,
        (_, Base::Current | Base::Orphan) if case.was_moved() => Step::AdoptAhead,
        // A logout has ended it there.
        (_, Base::Current | Base::Orphan) if case.moves && case.has_ended_ahead() => Step::Refuse,
        (_, Base::Current | Base::Orphan) if case.moves => leave(RecordState::Left),
        (want, Base::Current | Base::Orphan) => match (case.target, case.record()) {
            // Security: no record is asked for a session in its cookie, so none is written: the cookie is its state.
            (Target::Cookie | Target::Nowhere, None) => write(None),
            (Target::Cookie, Some(_)) => write(Some(RecordState::Returned)),
            (Target::Nowhere, Some(_)) => write(Some(RecordState::Ended)),
            (Target::Store, Some(RecordState::Open)) if want == Want::Refresh && !case.rewrite => Step::Touch,
            (Target::Store, _) => write(Some(RecordState::Open)),
        },
    }
}

impl Case<'_> {
    /// Of a session that is to be ended, whatever stands there.
    pub(super) const fn ending() -> Self {
        Case {
            want: Want::End,
            came: Came::Unread,
            target: Target::Nowhere,
            has_store: true,
            store_only: false,
            here: None,
            moves: false,
            ahead: None,
            owns_ahead: false,
            began_anew: false,
            rewrite: false,
        }
    }

    fn has_ended_ahead(&self) -> bool {
        matches!(self.ahead, Some(Standing::Record(found)) if found.header.state == RecordState::Ended)
    }

    /// Another request has moved the session to the place where this one takes it.
    fn was_moved(&self) -> bool {
        let is_open = |standing: &&Standing| matches!(standing, Standing::Record(found) if found.header.state == RecordState::Open);
        self.moves && !self.owns_ahead && self.ahead.filter(is_open).is_some()
    }

    /// What is written where the session goes. A record that this request has written there already, before it found that the
    /// session fits the cookie after all, is not left as it is.
    const fn ahead_state(&self) -> Option<RecordState> {
        match (self.target, self.ahead) {
            _ if !self.moves => None,
            (Target::Store, _) => Some(RecordState::Open),
            (Target::Cookie | Target::Nowhere, None | Some(Standing::Nothing)) => None,
            (Target::Cookie, Some(_)) => Some(RecordState::Returned),
            (Target::Nowhere, Some(_)) => Some(RecordState::Ended),
        }
    }

    /// The state of the record on which the result builds, if it builds on one.
    const fn record(&self) -> Option<RecordState> {
        match self.came {
            Came::Record { state, .. } => Some(state),
            _ => None,
        }
    }

    fn base(&self) -> Base {
        if !self.has_store {
            return Base::Current;
        }
        let found = match (self.here, self.came) {
            (None, Came::New | Came::Inline { .. }) => return Base::Current,
            (None, _) => return Base::Unknown,
            (Some(Standing::Nothing), Came::New | Came::Inline { .. }) => return Base::Current,
            (Some(Standing::Nothing), _) => return Base::Gone,
            (Some(Standing::Unreadable { version, .. }), Came::Inline { issued, .. }) => {
                // A version is the time of its write, or later. What was written before this cookie was sealed holds nothing
                // that the cookie lacks.
                let is_older = issued.unix_seconds().saturating_mul(1000) > *version;
                return if is_older { Base::Orphan } else { Base::Undecidable };
            }
            (Some(Standing::Unreadable { .. }), _) => return Base::Broken,
            (Some(Standing::Record(found)), _) => found,
        };
        match found.header.state {
            RecordState::Ended => Base::Gone,
            RecordState::Left => match self.came {
                Came::Record { version, .. } => Base::Left { is_current: version == found.header.version },
                // Where the response to the login was lost, the browser went on with its cookie.
                _ => match self.base_of_live(found) {
                    Base::Newer => Base::Left { is_current: false },
                    other => other,
                },
            },
            RecordState::Open | RecordState::Returned => self.base_of_live(found),
        }
    }

    fn base_of_live(&self, found: &FoundRecord) -> Base {
        let version = found.header.version;
        match self.came {
            Came::Record { version: seen, .. } if version == seen => Base::Current,
            Came::Record { version: seen, .. } if version < seen => Base::Broken,
            Came::Record { state: RecordState::Open, .. } if found.header.state == RecordState::Returned => {
                Base::Returned
            }
            Came::Record { .. } | Came::New | Came::Unread => Base::Newer,
            Came::Inline { write, issued, is_empty } => {
                let lineage = &found.header.lineage;
                let descends = lineage.contains(write) || issued < lineage.base_issued;
                let returned_first = found.header.state == RecordState::Returned && lineage.has_no_ancestor();
                let comes_after = (issued > lineage.base_issued && lineage.is_complete()) || returned_first;
                if descends || is_empty || self.store_only {
                    // Security: under `StoreOnly` an old and empty cookie must not take the place of the record.
                    Base::Newer
                } else if comes_after || issued > found.header.updated {
                    Base::Orphan
                } else {
                    Base::Undecidable
                }
            }
        }
    }
}
