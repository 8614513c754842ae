//! What one request knows of its session outside of itself. It outlives a save or a commit that is dropped, so that the next
//! one goes on where that one stopped.

use std::sync::Arc;

use super::protocol::Want;
use crate::clock::Timestamp;
use crate::id::{KeyId, SessionId};
use crate::manager::Earlier;
use crate::records::{FoundRecord, Records, Standing};
use crate::session::Draft;
use crate::wipe::WipedBytes;
use crate::wire::header::Header;
use crate::wire::record::{RecordState, WriteId};

#[derive(Default)]
pub(super) struct Progress {
    /// Counts saves and commits: the newest goes on, and an older one gives way.
    pub(super) turn: u64,
    /// How often another request was faster in this turn.
    pub(super) meetings: usize,
    pub(super) known: Known,
    /// Writes to the store that may have happened, or may still happen. The last is looked for first; the others are
    /// recognized where they turn up.
    pub(super) attempts: Vec<Attempt>,
    /// `Set-Cookie` of what was written last.
    pub(super) line: Option<String>,
    /// `Set-Cookie` of the markers of sessions that this browser leaves.
    pub(super) markers: Vec<String>,
    /// The session got an id: cookies of earlier attributes go.
    pub(super) has_new_id: bool,
    /// The session was ended: every cookie that came goes.
    pub(super) has_ended: bool,
}

/// Where the session is, as far as this request has seen.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// The session of a good cookie; `None` for a new one.
    // Security: behind a box. Where there is no record, its place would carry what stood on the stack to the heap, which may be
    // a session's id (`tests/memory`).
    pub(super) opened: Option<Box<Opened>>,
    /// What stands where the session came from; `None` while nobody has looked.
    pub(super) here: Option<Standing>,
    /// What this request has written under a new id.
    pub(super) ahead: Standing,
    /// The result builds on an empty session, because the session was found to be gone.
    pub(super) began_anew: bool,
}

/// A session whose cookie is good.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) header: Header,
    /// Names the write that the cookie was sealed for.
    pub(super) write: WriteId,
    /// The cookie that the browser holds while this request goes on, and when it was issued: a save does not change that.
    pub(super) base: (WriteId, Timestamp),
    /// The key that the cookie or its record was sealed under, when a newer one seals today.
    pub(super) superseded_key: Option<KeyId>,
    /// The JSON of a session in its cookie.
    pub(super) inline: Option<Arc<WipedBytes>>,
    /// Of a reference: the least version of its record.
    pub(super) least_version: u64,
    /// The record on which this request's result builds. A reference has none until it is followed.
    pub(super) record: Option<Arc<FoundRecord>>,
    /// Which of the manager's records it has, or would have: a session stays where its record is until it gets a new id.
    pub(super) place: usize,
    /// The name or audience of before under which the cookie was found.
    pub(super) earlier: Option<Arc<Earlier>>,
    /// Why the reference was not followed: the store did not answer, and the session is not kept.
    pub(super) failure: Option<Arc<str>>,
}

impl Opened {
    /// Whether the session is in a record now.
    pub(super) fn is_in_record(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.header.state == RecordState::Open)
    }

    /// It has data that this request knows.
    pub(super) const fn was_read(&self) -> bool {
        self.inline.is_some() || self.record.is_some()
    }
}

/// A place for one record.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) records: Records,
    // Security: behind a pointer, or lists of places would keep copies of it that nobody wipes (`tests/memory`).
    pub(super) id: Arc<SessionId>,
    pub(super) created: Timestamp,
}

/// A write that is handed to the store.
pub(super) struct Attempt {
    pub(super) place: Place,
    /// Of the record under a new id.
    pub(super) is_ahead: bool,
    pub(super) record: Arc<FoundRecord>,
    /// What it is to replace.
    pub(super) before: Standing,
    /// Nobody has looked yet whether it happened.
    pub(super) is_unsettled: bool,
    /// What holds once it has happened; `None` while another write must follow.
    pub(super) completion: Option<Completion>,
}

/// What holds when a session has been written.
pub(super) struct Completion {
    pub(super) want: Want,
    pub(super) opened: Option<Box<Opened>>,
    pub(super) line: Option<String>,
    pub(super) markers: Vec<String>,
    pub(super) draft: Draft,
    pub(super) drops_input: bool,
}

impl Attempt {
    pub(super) fn new(place: Place, is_ahead: bool, record: FoundRecord, before: &Standing) -> Self {
        let (record, before) = (Arc::new(record), before.clone());
        Self { place, is_ahead, record, before, is_unsettled: true, completion: None }
    }

    /// Whether the write happened, judged by what stands in its place now. `None` where that cannot be told any more: eight
    /// other writes have pushed it out of the record's memory.
    pub(super) fn happened(&self, found: &Standing) -> Option<bool> {
        let is_unchanged = self.before.version() == found.version();
        let Standing::Record(found) = found else {
            return (is_unchanged || matches!(found, Standing::Nothing)).then_some(false);
        };
        let lineage = &found.header.lineage;
        if self.record.header.lineage.newest().is_some_and(|write| lineage.contains(write)) {
            return Some(true);
        }
        let replaced = match &self.before {
            Standing::Record(before) => before.header.lineage.newest(),
            _ => None,
        };
        let is_evidence =
            is_unchanged || lineage.is_complete() || replaced.is_some_and(|write| lineage.remembers(write));
        is_evidence.then_some(false)
    }
}
