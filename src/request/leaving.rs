//! What stays where a session leaves: the record of its old id, the end of its record, and the marker in its browser.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::progress::{Known, Opened, Place};
use super::write::Write;
use crate::clock::Clock as _;
use crate::cookie::response;
use crate::error::{CommitError, StoreError};
use crate::events::Event;
use crate::limits;
use crate::records::{FoundRecord, Standing};
use crate::session::Draft;
use crate::wire::header::Header;
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
            _ => Zeroizing::new(b"{}".to_vec()),
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
        FoundRecord { header, superseded_key: None, payload: Arc::new(payload) }
    }

    /// Ends the session that the request came with. What was written since begins another one.
    pub(super) async fn end(&self, known: &Known, draft: &Draft) -> Result<(), CommitError> {
        let Some(opened) = known.opened.as_deref() else { return Err(CommitError::Conflict) };
        let markers = self.markers(&opened.header)?;
        for index in 0..self.inner().records.len() {
            let Some(place) = self.place(Some(opened), index)? else { continue };
            // A session in its cookie has no record as a rule, and none beside the one that was found.
            let mut standing = match &known.here {
                Some(here) if index == opened.place => here.clone(),
                None if index == opened.place && opened.inline.is_none() => self.standing(&place).await?,
                _ => Standing::Nothing,
            };
            let mut was_cut = false;
            while !standing.has_ended() {
                let record = self.closed(RecordState::Ended, &place, &standing, Some(opened), WriteId::default());
                match place.records.put(&place.id, &record, standing.version()).await {
                    Ok(true) => break,
                    // Whatever another request has written is over, too.
                    Ok(false) => self.pause(None).await?,
                    // Whether it happened is looked at once, as for any write.
                    Err(CommitError::Store(StoreError::Unavailable { .. } | StoreError::Corrupt { .. }))
                        if !was_cut =>
                    {
                        was_cut = true;
                    }
                    Err(error) => return Err(error),
                }
                standing = self.standing(&place).await?;
            }
        }
        let mut progress = self.progress()?;
        progress.known = Known::default();
        progress.attempts.clear();
        progress.line = Some(response::remove(&self.inner().attributes));
        progress.markers.extend(markers);
        progress.has_ended = true;
        drop(progress);
        let id = self.public_id(opened);
        self.tell(&Event::Destroyed { id });
        if draft.destroyed || !draft.has_something {
            self.tell(&Event::Committed { id });
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

    /// `Set-Cookie` of the marker of a session that this browser leaves, and the removal of the oldest where there are too
    /// many.
    pub(super) fn markers(&self, left: &Header) -> Result<Vec<String>, CommitError> {
        let (inner, now) = (self.inner(), self.inner().clock.now());
        if !inner.sets_markers {
            return Ok(Vec::new());
        }
        let id = self.loaded.session.public(&left.id);
        let value = inner.sealer.marker(&left.id, now).map_err(|error| self.seal_error(b"{}", error))?;
        // Security: for as long as any cookie of the session may be valid: one that is on its way, too, whatever lifetime of its
        // own it asked for.
        let lifetimes = inner.sealer.lifetimes();
        let longest = lifetimes.idle_timeout_seconds.max(lifetimes.remember_max_seconds);
        let end = now.saturating_add_seconds(longest.saturating_add(limits::ENDED_RECORD_SECONDS));
        let end = lifetimes.absolute_end(left.created).map_or(end, |absolute| absolute.min(end));
        let named = |id| inner.attributes.renamed(&format!("{}-{id}", inner.sealer.cookie_name()));
        let mut others: Vec<_> = self.candidates.valid_markers(inner, now).filter(|(other, _)| *other != id).collect();
        others.sort_by_key(|(_, set_at)| std::cmp::Reverse(*set_at));
        let too_many = others.into_iter().skip(limits::MARKERS_MAX.saturating_sub(1));
        let mut lines: Vec<_> = too_many.map(|(other, _)| response::remove(&named(other))).collect();
        lines.push(response::issue(&named(id), &value, Some(end.saturating_seconds_since(now))));
        Ok(lines)
    }
}
