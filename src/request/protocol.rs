//! The life of a session, decided in one place. Pure: what is known goes in, the next step comes out. The guide's page
//! [`protocol`](crate::guide::protocol) has the table and the reasons.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::id::{KeyId, PublicId};
use crate::json::text::Text;
use crate::limits;
use crate::seal::Sealer;
use crate::sealed_records::{FoundRecord, Standing};
use crate::session::Draft;
use crate::wire::Header;
use crate::wire::{RecordHeader, RecordState, WriteId};

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

/// Where the data of one write goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Cookie,
    Store,
    /// Nothing is left to keep.
    Nowhere,
}

/// Where the session is, as far as this request has seen.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// The session of a good cookie; `None` for a new one.
    // Security: behind a pointer. Where there is no record, its place would carry what stood on the stack to the heap, which
    // may be a session's id (`tests/memory`); and what an await or a growing list moves, nobody wipes.
    pub(super) opened: Option<Arc<OpenedSession>>,
    /// What stands where the session came from; `None` while nobody has looked.
    pub(super) here: Option<Standing>,
    /// What this request has written under a new id.
    pub(super) ahead: Standing,
    /// The result builds on an empty session, because the session was found to be gone.
    pub(super) began_anew: bool,
    /// The session got its new id because nobody can tell what the record of the old one is to it.
    pub(super) parted: bool,
}

/// A session whose cookie is good.
#[derive(Clone)]
pub(super) struct OpenedSession {
    pub(super) header: Header,
    /// Names the write that the cookie was sealed for.
    pub(super) write: WriteId,
    /// The cookie that the browser holds while this request goes on, and when it was issued: a save does not change that.
    pub(super) base: (WriteId, Timestamp),
    /// The key that the cookie or its record was sealed under, when a newer one seals today.
    pub(super) superseded_key: Option<KeyId>,
    /// The JSON of a session in its cookie.
    pub(super) inline: Option<Text>,
    /// Of a reference: the least version of its record.
    pub(super) least_version: u64,
    /// The record on which this request's result builds. A reference has none until it is followed.
    pub(super) record: Option<Arc<FoundRecord>>,
    /// Which of the manager's records it has, or would have: a session stays where its record is until it gets a new id.
    pub(super) place: usize,
    /// Of the name and audience under which the cookie was found.
    pub(super) sealer: Arc<Sealer>,
    /// Why the reference was not followed: the store did not answer, and the session is not kept.
    pub(super) failure: Option<Arc<str>>,
}

impl OpenedSession {
    pub(super) fn public_id(&self) -> PublicId {
        self.header.id.public_id(self.sealer.audience())
    }

    /// The longest for which a cookie of it was sealed, as far as this request knows.
    pub(super) fn lifetime_seconds(&self) -> u64 {
        let sealed_seconds = self.header.expires.saturating_seconds_since(self.header.issued);
        self.record.as_ref().map_or(sealed_seconds, |record| sealed_seconds.max(record.header.lifetime_seconds))
    }

    /// Whether the session is in a record now.
    pub(super) fn is_in_record(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.header.state == RecordState::Open)
    }
}

/// One try of a write: what is to be written, and everything that its next step depends on.
pub(super) struct Case {
    pub(super) want: Want,
    pub(super) draft: Draft,
    pub(super) payload: Text,
    /// Where the payload fits.
    pub(super) target: Target,
    /// The old input of a form was left out of it, for want of room.
    pub(super) drops_input: bool,
    pub(super) known: Known,
    /// In how many places its record may stand: one, and one more for each earlier audience. None without a store.
    pub(super) places: usize,
    pub(super) store_only: bool,
    /// Its absolute end has come while the request was under way.
    pub(super) is_over: bool,
    pub(super) begun_at: Timestamp,
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
    /// Go on under a new id, and leave the record of the old one as it is.
    PartWays,
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
    /// The same, and nothing of the record's last write is on its way any more: no later answer would be another one.
    Unrelated,
    /// A record that cannot be read, or that is older than what this request has seen.
    Broken,
    /// The session is over.
    Gone,
}

pub(super) fn decide(case: &Case) -> Step {
    match (case.want, case.base()) {
        (Want::End, _) => Step::End,
        (_, Base::Unknown) => Step::Look,

        (Want::NewId, Base::Newer | Base::Returned | Base::Left { is_current: false }) => Step::Adopt,
        (Want::NewId, Base::Gone | Base::Broken) if !case.known.began_anew => Step::BeginAnew,
        (Want::NewId, base) => {
            let leaves = match base {
                _ if case.places == 0 || case.known.parted => None,
                Base::Gone => None,
                Base::Broken => Some(RecordState::Ended),
                _ => Some(RecordState::Left),
            };
            // A record that this request has written there already, before it found that the session fits the cookie after
            // all, is not left as it is.
            Step::Write { record: case.written(!matches!(case.known.ahead, Standing::Nothing)), leaves }
        }

        (_, Base::Newer) => Step::Adopt,
        // Security: to replace the record could destroy what others wrote, and to merge with it could bring back what is over.
        (Want::Keep, Base::Unrelated) => Step::PartWays,
        (_, Base::Unrelated | Base::Undecidable) => Step::Refuse,
        (_, Base::Returned | Base::Left { .. } | Base::Broken | Base::Gone) => Step::Refuse,
        (want, Base::Current | Base::Orphan) => match case.record().map(|record| record.state) {
            Some(RecordState::Open) if want == Want::Refresh && case.target == Target::Store && !case.rewrite => {
                Step::Touch
            }
            record => Step::Write { record: case.written(record.is_some()), leaves: None },
        },
    }
}

impl Case {
    /// What is written as the session's record, where there is one of it or there is none.
    // Security: no record is asked for a session in its cookie, so none is written: the cookie is its state.
    const fn written(&self, has_record: bool) -> Option<RecordState> {
        match self.target {
            Target::Store => Some(RecordState::Open),
            Target::Cookie if has_record => Some(RecordState::Returned),
            Target::Nowhere if has_record => Some(RecordState::Ended),
            Target::Cookie | Target::Nowhere => None,
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
                let is_settled = self.is_long_after(Timestamp::from_unix_seconds(*version / 1000));
                return match (is_older, is_settled) {
                    (true, _) => Base::Orphan,
                    (false, true) => Base::Unrelated,
                    (false, false) => Base::Undecidable,
                };
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
                // Its base is another since: it has returned meanwhile, wherever it is now.
                Ordering::Less if seen.state == RecordState::Open && seen.lineage.base != found.lineage.base => {
                    Base::Returned
                }
                Ordering::Less => Base::Newer,
            },
            (state, None) => match self.descent(opened, found) {
                Base::Undecidable if self.is_long_after(found.updated) => Base::Unrelated,
                // Where the response to a login was lost, the browser goes on with its cookie.
                Base::Newer
                    if state == RecordState::Left && self.want != Want::NewId && self.is_long_after(found.updated) =>
                {
                    Base::Orphan
                }
                Base::Newer if state == RecordState::Left => Base::Left { is_current: false },
                base => base,
            },
        }
    }

    /// Whether another request may have taken what this one took out of its session before it ended it, by what stands where the
    /// session came from. `None` where the data there must say; `is_own` knows this request's own writes.
    pub(super) fn was_taken(&self, stands: &Standing, is_own: impl Fn(WriteId) -> bool) -> Option<bool> {
        let Some(opened) = &self.known.opened else { return Some(false) };
        let found = match stands {
            Standing::Record(found) => &found.header,
            Standing::Nothing => return Some(opened.inline.is_none()),
            Standing::Unreadable { .. } => return Some(true),
        };
        let descent = if self.record().is_some() { Base::Newer } else { self.descent(opened, found) };
        if found.lineage.newest().is_some_and(is_own) || descent == Base::Orphan {
            return Some(false);
        }
        match found.state {
            // It went on elsewhere, and may have used it there.
            RecordState::Left | RecordState::Ended => Some(true),
            _ if descent == Base::Undecidable => Some(true),
            _ if self.record().is_some_and(|seen| seen.version == found.version) => Some(false),
            RecordState::Open | RecordState::Returned => None,
        }
    }

    /// The request began so long after a write, such as a login or a logout, that it was not under way then.
    pub(super) fn is_long_after(&self, updated: Timestamp) -> bool {
        updated.saturating_add_seconds(limits::REGENERATE_GRACE_SECONDS) < self.begun_at
    }

    /// What a record is to the cookie with its session's data, or to one that was not followed.
    fn descent(&self, opened: &OpenedSession, found: &RecordHeader) -> Base {
        let Some(payload) = &opened.inline else { return Base::Newer };
        let ((write, issued), lineage) = (opened.base, &found.lineage);
        let descends = lineage.contains(write) || issued < lineage.base_issued;
        let comes_after = issued > lineage.base_issued && lineage.is_complete();
        if descends || (self.store_only && payload.as_slice() == b"{}") {
            // Security: under `StoreOnly` an old and empty cookie must not take the place of the record.
            Base::Newer
        } else if comes_after || issued > found.updated || found.state == RecordState::Returned {
            // A session that returned is in its cookie, and of two of those the last response wins.
            Base::Orphan
        } else {
            Base::Undecidable
        }
    }
}

/// The seconds that are left of a cookie, and those that it was given, when today's settings give a session like it so many.
pub(super) fn remaining(header: &Header, todays_lifetime_seconds: u64, now: Timestamp) -> (u64, u64) {
    // A timeout that was shortened since ends the session earlier than the cookie says: wire format, section 4, step 9.
    let lifetime_seconds = header.expires.saturating_seconds_since(header.issued).min(todays_lifetime_seconds);
    (lifetime_seconds.saturating_sub(now.saturating_seconds_since(header.issued)), lifetime_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::wire::{Kind, Persistence};

    #[test]
    fn the_shorter_of_the_sealed_lifetime_and_todays_counts() {
        let [created, issued, expires] = [0, 1000, 1100].map(Timestamp::from_unix_seconds);
        let (kind, persistence, id) = (Kind::Inline, Persistence::IdleTimeout, SessionId::from_bytes([0; 16]));
        let header = Header { kind, persistence, id, created, issued, expires };
        for (todays, now, expected) in
            [(100, 1030, (70, 100)), (500, 1030, (70, 100)), (40, 1030, (10, 40)), (40, 1050, (0, 40))]
        {
            assert_eq!(remaining(&header, todays, Timestamp::from_unix_seconds(now)), expected);
        }
    }
}
