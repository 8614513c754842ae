//! Ends sessions: the request's own, and every other one whose good cookie came with it.

use std::sync::Arc;

use super::cookies::public_ids;
use super::protocol::{Case, Known, OpenedSession};
use super::write::{Ended, Left, Write};
use crate::cookie::header;
use crate::error::{CommitError, StoreError};
use crate::events::Event;
use crate::seal::CookieNonce;
use crate::sealed_records::{Place, Standing};
use crate::wire::{RecordState, WriteId};

impl Write<'_> {
    /// Ends the session, and every other one whose good cookie came with the request. What was written since begins another.
    pub(super) async fn end(&mut self, case: Case) -> Result<(), CommitError> {
        let (known, draft) = (&case.known, &case.draft);
        let (inner, candidates) = (self.inner, &self.request.candidates);
        let mut sessions: Vec<_> = known.opened.iter().cloned().collect();
        for came in self.request.manager.all_good(candidates) {
            if sessions.iter().all(|session| session.header.id != came.header.id) {
                sessions.push(came);
            }
        }
        let begun_here = known.opened.as_ref().filter(|_| self.progress().is_ok_and(|progress| progress.has_new_id));
        // No browser has seen a session that began in this request.
        let markers = self.ended_markers(
            sessions.iter().filter(|session| begun_here.is_none_or(|begun| begun.header.id != session.header.id)),
        )?;
        let name = self.end_name()?;
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
                self.end_in(&place, session, standing, name, is_own.then_some(&case)).await?;
            }
        }
        let mut progress = self.progress()?;
        progress.known = Known::default();
        progress.attempts.clear();
        progress.has_ended = true;
        if !sessions.is_empty() {
            progress.line = Some(header::remove(&inner.settings.cookie));
        }
        let was_taken = progress.was_taken;
        let lives_on = |session: &&Arc<OpenedSession>| session.inline.is_some() || inner.places() == 0;
        let lives_on = sessions.iter().find(lives_on).map(|session| session.public_id());
        let lives_on = lives_on.or_else(|| progress.ended.as_ref()?.lives_on);
        progress.ended = Some(Box::new(Ended { markers, lives_on }));
        drop(progress);
        // Without a store, what a reference refers to is another server's to end.
        let (ended, unreachable): (Vec<_>, Vec<_>) =
            sessions.iter().partition(|session| session.inline.is_some() || inner.places() > 0);
        let ids: Vec<_> = ended.iter().map(|session| session.public_id()).collect();
        ids.iter().for_each(|id| inner.observers.tell(&Event::Destroyed { id: *id }));
        if !unreachable.is_empty() {
            inner.observers.tell(&Event::UnopenedRemoved);
        }
        if was_taken {
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
        let is_over = found.header.state == RecordState::Ended && case.is_long_after(found.header.updated);
        if opened.inline.is_none() || !is_over || self.progress()?.has_ended {
            return Ok(());
        }
        let markers = self.ended_markers(std::iter::once(opened))?;
        let mut progress = self.progress()?;
        progress.has_ended = true;
        progress.line = Some(header::remove(&self.inner.settings.cookie));
        progress.ended = Some(Box::new(Ended { markers, lives_on: None }));
        Ok(())
    }

    /// The markers of sessions that are over. Without a key that seals there are none, and an end still ends.
    fn ended_markers<'s>(
        &self,
        ended: impl Iterator<Item = &'s Arc<OpenedSession>>,
    ) -> Result<Vec<String>, CommitError> {
        let mut left = Left::default();
        for session in ended {
            // A server of another audience knows them by other ids.
            left.ids.extend(public_ids(self.inner, &session.header));
            left.lifetime_seconds = left.lifetime_seconds.max(session.lifetime_seconds());
        }
        match self.markers(&left, None) {
            Err(CommitError::NoSealingKey) => Ok(Vec::new()),
            markers => markers,
        }
    }

    /// What the end is called, where something was taken out of the session before: another try must know it again.
    fn end_name(&self) -> Result<WriteId, CommitError> {
        if !self.session.ended_after_pulls() {
            return Ok(WriteId::default());
        }
        if let Some(name) = self.progress()?.end {
            return Ok(name);
        }
        let name = CookieNonce::draw()?.write_id();
        self.progress()?.end = Some(name);
        Ok(name)
    }

    /// Ends the record that a session has in a place, or might have. With a case it is the request's own session, and what was
    /// taken out of it must still have been there.
    async fn end_in(
        &mut self,
        place: &Place,
        session: &OpenedSession,
        mut stands: Standing,
        name: WriteId,
        case: Option<&Case>,
    ) -> Result<(), CommitError> {
        let mut was_cut = false;
        loop {
            if let Some(case) = case.filter(|_| self.session.ended_after_pulls()) {
                self.note_taken(case, &stands)?;
            }
            if stands.has_ended() {
                return Ok(());
            }
            let record = self.closed(RecordState::Ended, place, &stands, Some(session), name);
            match place.put(&record, stands.version()).await {
                Ok(true) => return Ok(()),
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

    /// Notes whether another request has taken what this one took. Once it has, that stays so.
    fn note_taken(&self, case: &Case, stands: &Standing) -> Result<(), CommitError> {
        let mut progress = self.progress()?;
        let is_tried =
            |write| progress.attempts.iter().any(|attempt| attempt.record.header.lineage.newest() == Some(write));
        let is_own = |write| progress.end == Some(write) || progress.written.contains(&write) || is_tried(write);
        let holds = || stands.record().is_some_and(|found| self.session.pulls_hold(&found.payload));
        let was_taken = case.was_taken(stands, is_own).unwrap_or_else(|| !holds());
        progress.was_taken |= was_taken;
        Ok(())
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
