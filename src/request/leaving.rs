//! What stays where a session leaves: the record of its old id, the end of its record, and the marker in its browser.

use super::candidates::public_ids;
use super::progress::{Known, Opened, Place};
use super::write::Write;
use crate::clock::Clock as _;
use crate::cookie::request::ENDED;
use crate::cookie::response;
use crate::error::{CommitError, StoreError};
use crate::events::Event;
use crate::id::PublicId;
use crate::limits;
use crate::records::{FoundRecord, Standing};
use crate::session::Draft;
use crate::session::Text;
use crate::wipe::WipedBytes;
use crate::wire::record::{Lineage, RecordHeader, RecordState, WriteId};

impl Write<'_> {
    /// The record of a session that was left, or has ended. `write` names the write, where its outcome is asked for later.
    // Security: what an old id shows to requests in flight is what it showed before, and nothing of the new session; and once
    // the session is over, nothing at all.
    pub(super) fn closed(
        &self,
        state: RecordState,
        place: &Place,
        standing: &Standing,
        opened: Option<&Opened>,
        write: WriteId,
    ) -> FoundRecord {
        let now = self.inner().clock.now();
        let before = match standing {
            Standing::Record(found) => Some(found),
            _ => None,
        };
        let left_before = before.filter(|before| before.header.state == RecordState::Left);
        // What another login has taken from it stays taken.
        let shown = left_before.map(|left| &left.payload).or_else(|| {
            opened.and_then(|opened| opened.record.as_ref().map(|record| &record.payload).or(opened.inline.as_ref()))
        });
        let payload = match (state, shown) {
            (RecordState::Left, Some(shown)) => self.loaded.session.leftovers_json(shown),
            _ => Text::new(WipedBytes::from(&b"{}"[..])),
        };
        let base = opened.map_or_else(Lineage::default, |opened| {
            Lineage::from_base(opened.base.0, opened.base.1).followed_by(opened.write)
        });
        let header = RecordHeader {
            state,
            persistence: before.map(|before| before.header.persistence).unwrap_or_default(),
            lifetime_seconds: before.map_or(0, |before| before.header.lifetime_seconds),
            version: place.records.next_version(standing.version()),
            created: place.created,
            updated: opened.map_or(now, |opened| now.max(opened.header.issued)),
            expires: left_before.map_or_else(
                || now.saturating_add_seconds(limits::REGENERATE_GRACE_SECONDS),
                |left| left.header.expires,
            ),
            lineage: before.map_or(base, |before| before.header.lineage).followed_by(write),
        };
        FoundRecord { header, superseded_key: None, payload }
    }

    /// Ends the session, and every other one whose good cookie came with the request. What was written since begins another.
    pub(super) async fn end(&self, known: &Known, draft: &Draft) -> Result<(), CommitError> {
        let mut sessions: Vec<_> = known.opened.iter().cloned().collect();
        for came in self.manager.all_good(self.candidates) {
            if sessions.iter().all(|session| session.header.id != came.header.id) {
                sessions.push(came);
            }
        }
        // A server of another audience knows them by other ids.
        let left: Vec<_> = sessions.iter().flat_map(|session| public_ids(self.inner(), &session.header)).collect();
        let markers = match self.markers(left, None) {
            // Without a key that seals, an end still ends.
            Err(CommitError::NoSealingKey) => Vec::new(),
            lines => lines?,
        };
        for session in &sessions {
            let is_own = known.opened.as_ref().is_some_and(|opened| opened.header.id == session.header.id);
            let here = known.here.as_ref().filter(|_| is_own);
            for place in 0..self.inner().records.len() {
                self.end_in(session, place, here.filter(|_| place == session.place)).await?;
            }
        }
        let mut progress = self.progress()?;
        progress.known = Known::default();
        progress.attempts.clear();
        progress.has_ended = true;
        if !sessions.is_empty() {
            progress.line = Some(response::remove(&self.inner().attributes));
        }
        progress.markers.extend(markers);
        drop(progress);
        let ids: Vec<_> = sessions.iter().map(|session| self.public_id(session)).collect();
        ids.iter().for_each(|id| self.tell(&Event::Destroyed { id: *id }));
        if let Some(id) = ids.first().filter(|_| draft.destroyed || !draft.has_something) {
            self.tell(&Event::Committed { id: *id });
        }
        Ok(())
    }

    /// Ends the record that a session has in a place, or might have.
    async fn end_in(&self, session: &Opened, index: usize, here: Option<&Standing>) -> Result<(), CommitError> {
        let Some(place) = self.place(Some(session), index)? else { return Ok(()) };
        // A session in its cookie has no record as a rule, and none beside the one that was found.
        let mut standing = match here {
            Some(here) => here.clone(),
            None if index == session.place && session.inline.is_none() => self.standing(&place).await?,
            None => Standing::Nothing,
        };
        let mut was_cut = false;
        while !standing.has_ended() {
            let record = self.closed(RecordState::Ended, &place, &standing, Some(session), WriteId::default());
            match place.records.put(&place.id, &record, standing.version()).await {
                Ok(true) => break,
                // Whatever another request has written is over, too.
                Ok(false) => self.pause(None).await?,
                // Whether it happened is looked at once, as for any write.
                Err(CommitError::Store(StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) if !was_cut => {
                    was_cut = true;
                }
                Err(error) => return Err(error),
            }
            standing = self.standing(&place).await?;
        }
        Ok(())
    }

    /// What stands in a place that is to be ended.
    async fn standing(&self, place: &Place) -> Result<Standing, CommitError> {
        match place.records.find(&place.id, place.created).await {
            // What the engine holds is no record, and nothing could be written in its place.
            Err(StoreError::Corrupt { .. }) => {
                place.records.destroy(&place.id).await?;
                Ok(Standing::Nothing)
            }
            found => Ok(found?),
        }
    }

    /// `Set-Cookie` of the markers of sessions that this browser leaves: of one that got a new id, or of those that ended.
    /// Where there are too many, the oldest are removed.
    pub(super) fn markers(
        &self,
        mut left: Vec<PublicId>,
        successor: Option<PublicId>,
    ) -> Result<Vec<String>, CommitError> {
        let (inner, now) = (self.inner(), self.inner().clock.now());
        if !inner.sets_markers {
            return Ok(Vec::new());
        }
        let name = |id, successor: Option<PublicId>| {
            let suffix = if successor.is_none() { ENDED } else { "" };
            inner.attributes.renamed(&format!("{}-{id}{suffix}", inner.sealer.cookie_name()))
        };
        let mut others = self.candidates.valid_markers(inner, true, now);
        if successor.is_none() {
            // What took the place of a session that has ended has ended with it, whichever response comes last.
            while let Some(position) =
                others.iter().position(|other| other.successor.is_some_and(|successor| left.contains(&successor)))
            {
                left.push(others.swap_remove(position).id);
            }
        }
        others.retain(|other| !(left.contains(&other.id) && other.successor == successor));
        others.sort_by_key(|other| std::cmp::Reverse(other.set_at));
        let too_many = others.into_iter().skip(limits::MARKERS_MAX.saturating_sub(left.len()));
        let mut lines: Vec<_> = too_many.map(|other| response::remove(&name(other.id, other.successor))).collect();
        // Security: for as long as any cookie of the session may be valid, and any of one that was made of it and is refused:
        // also one that is on its way, whatever lifetime of its own it asked for.
        let lifetimes = inner.sealer.lifetimes();
        let longest = lifetimes.idle_timeout_seconds.max(lifetimes.remember_max_seconds);
        let seconds = longest.saturating_add(limits::ENDED_RECORD_SECONDS);
        for id in left {
            let value = inner.sealer.marker(id, successor, now).map_err(|error| self.seal_error(b"{}", error))?;
            lines.push(response::issue(&name(id, successor), &value, Some(seconds)));
        }
        Ok(lines)
    }
}
