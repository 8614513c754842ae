//! The life of a session, decided in one place. Pure: what is known goes in, the next step comes out. The guide's page
//! [`protocol`](crate::guide::protocol) has the table and the reasons.

use std::cmp::Ordering;

use super::progress::{Known, Opened};
use crate::clock::Timestamp;
use crate::limits;
use crate::records::{Standing, Target};
use crate::wire::record::{RecordHeader, RecordState};

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

/// Everything that a step depends on.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) want: Want,
    /// Where the result fits.
    pub(super) target: Target,
    pub(super) known: &'a Known,
    /// In how many places its record may stand: one, and one more for each earlier audience. None without a store.
    pub(super) places: usize,
    pub(super) store_only: bool,
    /// Its absolute end has come while the request was under way.
    pub(super) is_over: bool,
    /// When the request asked for its session.
    pub(super) asked_at: Timestamp,
    /// The record must be written again even if nothing changed.
    pub(super) rewrite: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the store what stands where the session came from.
    Look,
    /// Make the request's operations again on the record that was found, and decide anew.
    Adopt,
    /// Make them again on an empty session, and decide anew.
    BeginAnew,
    /// Move the record's expiry, and send a fresh reference.
    Touch,
    /// Write the session's record in this state, if it is to have one; under a new id, leave that of the old one in that
    /// state; and send the cookie. Until the old id is left, nothing has happened.
    Write { record: Option<RecordState>, leaves: Option<RecordState> },
    /// End its record wherever that may stand.
    End,
    /// A conflict: nothing can be kept.
    Refuse,
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
    let write = |record| Step::Write { record, leaves: None };
    match (case.want, case.base()) {
        (Want::End, _) => Step::End,
        (_, Base::Unknown) => Step::Look,

        (Want::NewId, Base::Newer | Base::Returned | Base::Left { is_current: false }) => Step::Adopt,
        (Want::NewId, Base::Gone | Base::Broken) if !case.known.began_anew => Step::BeginAnew,
        (Want::NewId, base) => {
            let leaves = match base {
                _ if case.places == 0 => None,
                Base::Gone => None,
                Base::Broken => Some(RecordState::Ended),
                _ => Some(RecordState::Left),
            };
            Step::Write { record: case.record_ahead(), leaves }
        }

        (_, Base::Newer) => Step::Adopt,
        (_, Base::Returned | Base::Left { .. } | Base::Undecidable | Base::Broken | Base::Gone) => Step::Refuse,
        (want, Base::Current | Base::Orphan) => match (case.target, case.record().map(|record| record.state)) {
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
    /// What is written under a new id. A record that this request has written there already, before it found that the session
    /// fits the cookie after all, is not left as it is.
    const fn record_ahead(&self) -> Option<RecordState> {
        match (self.target, &self.known.ahead) {
            (Target::Store, _) => Some(RecordState::Open),
            (Target::Cookie | Target::Nowhere, Standing::Nothing) => None,
            (Target::Cookie, _) => Some(RecordState::Returned),
            (Target::Nowhere, _) => Some(RecordState::Ended),
        }
    }

    /// The record on which the result builds, if it builds on one.
    fn record(&self) -> Option<&RecordHeader> {
        Some(&self.known.opened.as_ref()?.record.as_ref()?.header)
    }

    fn base(&self) -> Base {
        let opened = match &self.known.opened {
            Some(_) if self.is_over => return Base::Gone,
            Some(opened) if self.places > 0 => opened,
            _ => return Base::Current,
        };
        let is_inline = opened.inline.is_some() && opened.record.is_none();
        let found = match &self.known.here {
            None if !is_inline => return Base::Unknown,
            // It may have been in a record under an earlier audience, which the one to be written must not stand beside.
            None if self.places > 1 && (self.target == Target::Store || self.want == Want::NewId) => {
                return Base::Unknown;
            }
            None => return Base::Current,
            Some(Standing::Nothing) => return if is_inline { Base::Current } else { Base::Gone },
            Some(Standing::Unreadable { version, .. }) if is_inline => {
                // A version is the time of its write, or later. What was written before this cookie was sealed holds nothing
                // that the cookie lacks.
                let is_older = opened.base.1.unix_seconds().saturating_mul(1000) > *version;
                return if is_older { Base::Orphan } else { Base::Undecidable };
            }
            Some(Standing::Unreadable { .. }) => return Base::Broken,
            Some(Standing::Record(found)) => &found.header,
        };
        match (found.state, self.record()) {
            (RecordState::Ended, _) => Base::Gone,
            (RecordState::Left, Some(seen)) => Base::Left { is_current: seen.version == found.version },
            (RecordState::Open | RecordState::Returned, Some(seen)) => match seen.version.cmp(&found.version) {
                Ordering::Equal => Base::Current,
                Ordering::Greater => Base::Broken,
                Ordering::Less if (seen.state, found.state) == (RecordState::Open, RecordState::Returned) => {
                    Base::Returned
                }
                Ordering::Less => Base::Newer,
            },
            (state, None) => match self.descent(opened, found) {
                // Where the response to a login was lost, the browser goes on with its cookie.
                Base::Newer if state == RecordState::Left && self.want != Want::NewId && self.is_long_after(found) => {
                    Base::Orphan
                }
                Base::Newer if state == RecordState::Left => Base::Left { is_current: false },
                base => base,
            },
        }
    }

    /// The request began so long after a login that it was not under way then.
    fn is_long_after(&self, left: &RecordHeader) -> bool {
        left.updated.saturating_add_seconds(limits::REGENERATE_GRACE_SECONDS) < self.asked_at
    }

    /// What a record is to the cookie with its session's data, or to one that was not followed.
    fn descent(&self, opened: &Opened, found: &RecordHeader) -> Base {
        let Some(payload) = &opened.inline else { return Base::Newer };
        let ((write, issued), lineage) = (opened.base, &found.lineage);
        let descends = lineage.contains(write) || issued < lineage.base_issued;
        let returned_first = found.state == RecordState::Returned && lineage.has_no_ancestor();
        let comes_after = (issued > lineage.base_issued && lineage.is_complete()) || returned_first;
        if descends || (self.store_only && payload.as_slice() == b"{}") {
            // Security: under `StoreOnly` an old and empty cookie must not take the place of the record.
            Base::Newer
        } else if comes_after || issued > found.updated {
            Base::Orphan
        } else {
            Base::Undecidable
        }
    }
}
