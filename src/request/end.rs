//! Ends sessions: the request's own, and every other one whose good cookie came with it.

use super::cookies::public_ids;
use super::protocol::{Case, Known, OpenedSession};
use super::write::Write;
use crate::cookie::header;
use crate::error::{CommitError, StoreError};
use crate::events::Event;
use crate::records::{Place, Standing};
use crate::wire::{RecordState, WriteId};

impl Write<'_> {
    /// Ends the session, and every other one whose good cookie came with the request. What was written since begins another.
    pub(super) async fn end(&mut self, case: Case) -> Result<(), CommitError> {
        let Case { known, draft, .. } = case;
        let (inner, candidates) = (self.inner, &self.request.candidates);
        let mut sessions: Vec<_> = known.opened.iter().cloned().collect();
        for came in self.request.manager.all_good(candidates) {
            if sessions.iter().all(|session| session.header.id != came.header.id) {
                sessions.push(came);
            }
        }
        // A server of another audience knows them by other ids.
        let left: Vec<_> = sessions.iter().flat_map(|session| public_ids(inner, &session.header)).collect();
        let markers = match self.markers(left, None) {
            // Without a key that seals, an end still ends.
            Err(CommitError::NoSealingKey) => Vec::new(),
            lines => lines?,
        };
        let mut holds = true;
        for (position, session) in sessions.iter().enumerate() {
            for index in 0..inner.places() {
                let header = &session.header;
                let Some(place) = inner.place(index, &header.id, header.created) else { continue };
                let is_here = index == session.place;
                let is_own = is_here && position == 0 && known.opened.is_some();
                let known_here = known.here.as_ref().filter(|_| is_own);
                // A session in its cookie has no record as a rule, and none beside the one that was found.
                let standing = match known_here {
                    Some(here) => here.clone(),
                    None if is_here && session.inline.is_none() => standing(&place).await?,
                    None => Standing::Nothing,
                };
                // What the result builds on: a save that met another request has seen more, and taken nothing over.
                let seen = session.record.clone().map_or(Standing::Nothing, Standing::Record);
                holds &= self.end_in(&place, session, standing, is_own.then_some(&seen)).await?;
            }
        }
        let mut progress = self.progress()?;
        progress.known = Known::default();
        progress.attempts.clear();
        progress.has_ended = true;
        if !sessions.is_empty() {
            progress.line = Some(header::remove(&inner.settings.cookie));
        }
        progress.markers.extend(markers);
        progress.was_taken = !holds;
        drop(progress);
        // Without a store, what a reference refers to is another server's to end.
        let (ended, unreachable): (Vec<_>, Vec<_>) =
            sessions.iter().partition(|session| session.inline.is_some() || inner.places() > 0);
        let ids: Vec<_> = ended.iter().map(|session| session.public_id()).collect();
        ids.iter().for_each(|id| inner.observers.tell(&Event::Destroyed { id: *id }));
        if !unreachable.is_empty() {
            inner.observers.tell(&Event::UnopenedRemoved);
        }
        if !holds {
            // The session is over all the same; what was to be made of the value is not.
            return Err(CommitError::Conflict);
        }
        if let Some(id) = ids.first().filter(|_| draft.destroyed || !draft.has_something) {
            inner.observers.tell(&Event::Committed { id: *id });
        }
        Ok(())
    }

    /// A cookie with its data whose session had ended long before this request began: the response to that logout was lost. It is
    /// taken from the browser with the error: nobody has a use for a session that can be read and not be written.
    pub(super) fn take_ended_cookie(&self, case: &Case) -> Result<(), CommitError> {
        let (Some(opened), Some(Standing::Record(found))) = (&case.known.opened, &case.known.here) else {
            return Ok(());
        };
        let is_over = found.header.state == RecordState::Ended && case.is_long_after(&found.header);
        if opened.inline.is_none() || !is_over || self.progress()?.has_ended {
            return Ok(());
        }
        let markers = self.markers(public_ids(self.inner, &opened.header), None)?;
        let mut progress = self.progress()?;
        progress.has_ended = true;
        progress.line = Some(header::remove(&self.inner.settings.cookie));
        progress.markers.extend(markers);
        Ok(())
    }

    /// Ends the record that a session has in a place, or might have. Whether it still had what this request took out of it before
    /// it ended it; `seen` is what this request's result builds on there.
    async fn end_in(
        &mut self,
        place: &Place,
        session: &OpenedSession,
        mut stands: Standing,
        seen: Option<&Standing>,
    ) -> Result<bool, CommitError> {
        let mut was_cut = false;
        let mut holds = true;
        let pulled_from = seen.filter(|_| self.session.ended_after_pulls());
        loop {
            if pulled_from.is_some_and(|seen| seen.version() != stands.version()) {
                holds &= stands.record().is_some_and(|found| self.session.pulls_hold(&found.payload));
            }
            if stands.has_ended() {
                return Ok(holds);
            }
            let record = self.closed(RecordState::Ended, place, &stands, Some(session), WriteId::default());
            match place.put(&record, stands.version()).await {
                Ok(true) => return Ok(holds),
                // Whatever another request has written is over, too.
                Ok(false) => self.pause(false).await?,
                // Whether it happened is looked at once, as for any write.
                Err(CommitError::Store(StoreError::Unavailable { .. } | StoreError::Corrupt { .. })) if !was_cut => {
                    was_cut = true;
                }
                Err(error) => return Err(error),
            }
            stands = standing(place).await?;
        }
    }
}

/// What stands in a place that is to be ended.
async fn standing(place: &Place) -> Result<Standing, CommitError> {
    match place.find().await {
        // What the engine holds is no record, and nothing could be written in its place.
        Err(StoreError::Corrupt { .. }) => {
            place.destroy().await?;
            Ok(Standing::Nothing)
        }
        found => Ok(found?),
    }
}
