//! What one request knows of its session outside of itself. It outlives a save or a commit that is dropped, so that the next
//! one goes on where that one stopped.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::events::Event;
use crate::id::{KeyId, SessionId};
use crate::manager::Earlier;
use crate::records::{FoundRecord, Records, Standing};
use crate::session::Draft;
use crate::wire::header::Header;
use crate::wire::record::{RecordState, WriteId};

#[derive(Default)]
pub(super) struct Progress {
    /// Counts saves and commits: the newest goes on, and an older one gives way.
    pub(super) turn: u64,
    pub(super) origin: Origin,
    /// What stands where the session came from, and where it goes; `None` while nobody has looked.
    pub(super) here: Option<Standing>,
    pub(super) ahead: Option<Standing>,
    /// This request has written what stands ahead.
    pub(super) owns_ahead: bool,
    pub(super) began_anew: bool,
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

/// Where a session is outside of this request.
#[derive(Clone, Default)]
pub(super) enum Origin {
    /// Nowhere: it is new.
    #[default]
    New,
    // Security: behind a box. Where there is no record, its place would carry what stood on the stack to the heap, which may be
    // a session's id (`tests/memory`).
    Opened(Box<Opened>),
}

impl Origin {
    pub(super) fn opened(&self) -> Option<&Opened> {
        match self {
            Self::New => None,
            Self::Opened(opened) => Some(opened),
        }
    }
}

impl Opened {
    /// The store did not answer, and the session is not kept.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.unread, Some(Unread::StoreFailed(_)))
    }

    /// Whether the session is in a record now.
    pub(super) fn is_in_record(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.header.state == RecordState::Open)
    }
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
    pub(super) inline: Option<Arc<Zeroizing<Vec<u8>>>>,
    /// Of a reference: the least version of its record.
    pub(super) least_version: u64,
    /// The record on which this request's result builds.
    pub(super) record: Option<Arc<FoundRecord>>,
    /// The name or audience of before under which the cookie was found.
    pub(super) earlier: Option<Arc<Earlier>>,
    /// The record of a reference was not read, and why.
    pub(super) unread: Option<Unread>,
}

#[derive(Clone)]
pub(super) enum Unread {
    /// It is to be ended, which takes no reading.
    NotAsked,
    /// The store does not answer, and the request goes on with a session that is not kept.
    StoreFailed(Arc<str>),
}

/// A place for one record.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) records: Records,
    // Security: behind a pointer, or lists of places would keep copies of it that nobody wipes (`tests/memory`).
    pub(super) id: Arc<SessionId>,
    pub(super) created: Timestamp,
}

/// A write that was handed to the store.
pub(super) struct Attempt {
    pub(super) place: Place,
    pub(super) is_ahead: bool,
    pub(super) write: WriteId,
    /// The version that was to be replaced, and the write that made it; `None` where no record was expected.
    pub(super) expected: Option<(u64, Option<WriteId>)>,
    /// Nobody has looked yet whether it happened.
    pub(super) is_unsettled: bool,
    /// What holds once it has happened; `None` while another write must follow.
    pub(super) completion: Option<Completion>,
}

/// What holds when a session has been written.
pub(super) struct Completion {
    pub(super) origin: Origin,
    pub(super) line: Option<String>,
    pub(super) markers: Vec<String>,
    pub(super) draft: Draft,
    pub(super) drops_input: bool,
    pub(super) has_new_id: bool,
    pub(super) has_ended: bool,
    pub(super) events: Vec<Event>,
}

impl Attempt {
    /// Whether the write happened, judged by what stands in its place now. `None` where that cannot be told any more: eight
    /// other writes have pushed it out of the record's memory.
    pub(super) fn happened(&self, found: &Standing) -> Option<bool> {
        match found {
            Standing::Nothing => Some(false),
            Standing::Unreadable { version, .. } => {
                self.expected.is_some_and(|(expected, _)| expected == *version).then_some(false)
            }
            Standing::Record(found) => {
                let lineage = &found.header.lineage;
                if lineage.contains(self.write) {
                    return Some(true);
                }
                let is_evidence = lineage.is_complete()
                    || self.expected.is_some_and(|(version, tip)| {
                        version == found.header.version || tip.is_some_and(|tip| lineage.remembers(tip))
                    });
                is_evidence.then_some(false)
            }
        }
    }
}
