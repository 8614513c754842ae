//! The one loop that carries out what [`decide`] says: it looks, adopts, writes, and finds out what happened.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::candidates::Candidates;
use super::load::Loaded;
use super::progress::{Attempt, Completion, Known, Opened, Place, Progress};
use super::protocol::{Case, Step, Want, decide};
use crate::clock::within;
use crate::cookie::response;
use crate::crypto::random;
use crate::error::{CommitError, Reason, StoreError};
use crate::events::Event;
use crate::limits;
use crate::manager::{Inner, SessionManager};
use crate::records::{Placement, Standing};
use crate::session::{Draft, IdChange, Payload};

/// One save or commit.
pub(super) struct Write<'a> {
    pub(super) manager: &'a SessionManager,
    pub(super) loaded: &'a Loaded,
    pub(super) candidates: &'a Candidates,
    turn: u64,
}

impl<'a> Write<'a> {
    /// Takes the turn: a save or commit of the same request that is under way gives way at its next step.
    pub(super) fn begin(manager: &'a SessionManager, loaded: &'a Loaded, candidates: &'a Candidates) -> Self {
        let mut progress = loaded.progress();
        progress.turn = progress.turn.wrapping_add(1);
        progress.meetings = 0;
        let turn = progress.turn;
        drop(progress);
        Self { manager, loaded, candidates, turn }
    }

    /// Writes what the request wants kept. `renews` says whether a session that was merely used is to live on.
    pub(super) async fn run(self, renews: impl Fn(&Self, &Opened, &Draft) -> bool) -> Result<(), CommitError> {
        let want = self.want(&renews, &self.loaded.session.draft());
        if want == Want::Nothing && !self.has_unsettled()? {
            return Ok(());
        }
        let done = match &self.inner().timer {
            Some(timer) => within(self.steps(&renews), timer.wait(self.inner().store_timeout)).await,
            None => Some(self.steps(&renews).await),
        };
        let done = done.unwrap_or_else(|| Err(self.inner().timed_out().into()));
        if done.is_err() && want == Want::Refresh {
            self.tell(&Event::RenewalSkipped { id: self.loaded.session.public(&self.id()?) });
            return Ok(());
        }
        done
    }

    async fn steps(&self, renews: &impl Fn(&Self, &Opened, &Draft) -> bool) -> Result<(), CommitError> {
        let begun_milliseconds = self.inner().clock.unix_milliseconds();
        let mut was_cut = false;
        loop {
            let mut draft = self.loaded.session.draft();
            let mut want = self.want(renews, &draft);
            if want != Want::End && self.has_unsettled()? {
                self.settle().await?;
                draft = self.loaded.session.draft();
                want = self.want(renews, &draft);
            }
            if want == Want::Nothing {
                return Ok(());
            }
            match self.step(want, draft, begun_milliseconds).await {
                // The connection was cut while a write was under way: whether it happened is looked at next.
                Err(CommitError::Store(StoreError::Unavailable { .. })) if !was_cut && self.has_unsettled()? => {
                    was_cut = true;
                }
                Ok(false) => {}
                outcome => return outcome.map(drop),
            }
        }
    }

    /// What the request wants of its session now.
    fn want(&self, renews: &impl Fn(&Self, &Opened, &Draft) -> bool, draft: &Draft) -> Want {
        let inner = self.inner();
        let ends = draft.destroyed || draft.id_change == IdChange::Invalidated;
        let progress = self.loaded.progress();
        let has_ended = progress.has_ended;
        match progress.known.opened.as_deref() {
            // Other cookies than the session's own may have come, and none may be left.
            None if ends && !has_ended && !self.candidates.is_empty() => Want::End,
            None if draft.destroyed || (ends && !draft.has_something) => Want::Nothing,
            // A new session is written when there is something in it: reading an empty one leaves no trace.
            None if draft.has_something || (inner.save_uninitialized && draft.used) => Want::Keep,
            None => Want::Nothing,
            Some(_) if ends => Want::End,
            Some(_) if draft.id_change == IdChange::Regenerated => Want::NewId,
            Some(_) if draft.has_unsaved || draft.emptied => Want::Keep,
            // Something that rests on a session which is not kept: a token.
            Some(opened) if opened.failure.is_some() && draft.has_something => Want::Keep,
            Some(opened) if !opened.was_read() => Want::Nothing,
            Some(_) if draft.used_flash || (inner.resave && draft.used) => Want::Refresh,
            Some(opened) if renews(self, opened, draft) => Want::Refresh,
            Some(_) => Want::Nothing,
        }
    }

    fn has_unsettled(&self) -> Result<bool, CommitError> {
        Ok(self.progress()?.attempts.iter().any(|attempt| attempt.is_unsettled))
    }

    /// Finds out what became of a write whose outcome is not known.
    async fn settle(&self) -> Result<(), CommitError> {
        let unsettled = |attempt: &&Attempt| attempt.is_unsettled;
        let Some(place) = self.progress()?.attempts.iter().find(unsettled).map(|attempt| attempt.place.clone()) else {
            return Ok(());
        };
        let found = place.records.find(&place.id, place.created).await?;
        let mut progress = self.progress()?;
        let Some(attempt) = progress.attempts.iter_mut().find(|attempt| attempt.is_unsettled) else { return Ok(()) };
        let Some(happened) = attempt.happened(&found) else {
            // Made again, the operations might count twice.
            let problem = "so many others wrote meanwhile that nobody can tell whether an earlier write happened";
            return Err(StoreError::other("store", problem).into());
        };
        let is_ahead = attempt.is_ahead;
        // What has not happened yet may still be on its way to the store.
        attempt.is_unsettled = happened;
        self.note(progress, found, is_ahead);
        Ok(())
    }

    /// Notes what stands in a place. A write of this request that is found there has happened after all.
    fn note(&self, mut progress: MutexGuard<'_, Progress>, found: Standing, is_ahead: bool) {
        let is_there = |attempt: &Attempt| attempt.is_ahead == is_ahead && attempt.happened(&found) == Some(true);
        let own = progress.attempts.iter().position(is_there).map(|position| progress.attempts.swap_remove(position));
        if is_ahead {
            progress.known.ahead = found;
        } else {
            progress.known.here = Some(found);
        }
        if let Some(completion) = own.and_then(|attempt| attempt.completion) {
            self.complete(progress, completion);
        }
    }

    /// One step; `true` for the last. What it learns is noted before the next one is waited for.
    async fn step(&self, want: Want, draft: Draft, begun_milliseconds: u64) -> Result<bool, CommitError> {
        let known = self.progress()?.known.clone();
        let (inner, opened) = (self.inner(), known.opened.as_deref());
        if let Some(problem) = opened.and_then(|opened| opened.failure.as_ref())
            && want != Want::End
        {
            return Err(StoreError::unavailable("store", problem.to_string()).into());
        }
        let fitted = self.fitted(&draft, &known)?;
        let case = Case {
            want,
            target: fitted.target,
            known: &known,
            places: inner.records.len(),
            store_only: inner.placement == Placement::StoreOnly,
            is_over: inner.sealer.lifetimes().absolute_end(draft.created).is_some_and(|end| end <= inner.clock.now()),
            asked_at: self.loaded.session.asked_at(),
            rewrite: draft.used_flash || inner.resave || opened.is_some_and(|opened| opened.superseded_key.is_some()),
        };
        match decide(&case) {
            Step::Look => self.look(false).await?,
            Step::Adopt => self.adopt(&known, want)?,
            Step::BeginAnew => {
                let fits = self.loaded.session.begin_anew();
                self.progress()?.known.began_anew = true;
                return if fits { Ok(false) } else { Err(CommitError::Conflict) };
            }
            Step::Touch => return self.touch(&known, want, draft, fitted).await,
            Step::Write { record, leaves } => {
                let Some(met_ahead) = self.carry_out(record, leaves, &case, draft, fitted).await? else {
                    return Ok(true);
                };
                // The pause first: what was loaded before it would be old by its end, and meet again.
                self.pause(Some(begun_milliseconds)).await?;
                self.look(met_ahead).await?;
            }
            Step::End => self.end(&known, &draft).await?,
            Step::Refuse => {
                if matches!(known.here, Some(Standing::Nothing)) {
                    self.tell(&Event::Rejected { reason: Reason::RecordMissing });
                }
                return Err(CommitError::Conflict);
            }
        }
        Ok(false)
    }

    /// Asks what stands where the session came from, or under its new id.
    async fn look(&self, is_ahead: bool) -> Result<(), CommitError> {
        let opened = self.progress()?.known.opened.clone().filter(|_| !is_ahead);
        let first = opened.as_ref().map_or(0, |opened| opened.place);
        let Place { id, created, .. } = self.place(opened.as_deref(), first)?.ok_or(CommitError::Conflict)?;
        let (place, found) = self.inner().find(&id, created, first).await?;
        let mut progress = self.progress()?;
        if let Some(opened) = progress.known.opened.as_mut().filter(|_| !is_ahead) {
            opened.place = place;
        }
        self.note(progress, found, is_ahead);
        Ok(())
    }

    /// Makes this request's operations again on what another one wrote.
    fn adopt(&self, known: &Known, want: Want) -> Result<(), CommitError> {
        let (Some(opened), Some(Standing::Record(found))) = (&known.opened, &known.here) else {
            return Err(CommitError::Conflict);
        };
        let payload = Payload::parse(&found.payload).map_err(|_| CommitError::Conflict)?;
        let mut progress = self.progress()?;
        let lasts = (found.header.persistence, found.header.lifetime_seconds);
        if !self.loaded.session.replay_onto(payload, lasts, want == Want::NewId) {
            return Err(CommitError::Conflict);
        }
        progress.known.opened = Some(Box::new(Opened { record: Some(Arc::clone(found)), ..(**opened).clone() }));
        Ok(())
    }

    /// Another request was faster. Waits for a random while, longer after more meetings, so that requests which met do not
    /// meet again. A conflict after too many, or for a write that has gone on for too long since it began.
    pub(super) async fn pause(&self, begun_milliseconds: Option<u64>) -> Result<(), CommitError> {
        let meetings = self.progress()?.meetings;
        let now = self.inner().clock.unix_milliseconds();
        let is_late = begun_milliseconds
            .is_some_and(|begun| now.saturating_sub(begun) >= limits::CONFLICT_RETRIES_MAX_MILLISECONDS);
        // An end goes on until the time limit, where there is one.
        let is_limited = begun_milliseconds.is_some() || self.inner().timer.is_none();
        let is_last = meetings >= limits::CONFLICT_RETRIES_MAX || (is_late && meetings >= limits::CONFLICT_RETRIES_MIN);
        if is_limited && is_last {
            return Err(CommitError::Conflict);
        }
        self.progress()?.meetings = meetings.saturating_add(1);
        let Some(timer) = &self.inner().timer else { return Ok(()) };
        let doubled = u32::try_from(meetings).ok().and_then(|meetings| 1_u64.checked_shl(meetings));
        let longest = doubled.unwrap_or(u64::MAX).min(limits::CONFLICT_PAUSE_MAX_MILLISECONDS);
        let mut drawn = [0; 4];
        random::fill(&mut drawn)?;
        let milliseconds = u64::from(u32::from_le_bytes(drawn)) % longest.saturating_add(1);
        timer.wait(Duration::from_millis(milliseconds)).await;
        Ok(())
    }

    /// Notes what holds once a session is written.
    pub(super) fn complete(&self, mut progress: MutexGuard<'_, Progress>, completion: Completion) {
        let events = self.events(progress.known.opened.as_deref(), &completion);
        let Completion { want, opened, line, markers, draft, drops_input } = completion;
        let record = opened.as_ref().and_then(|opened| opened.record.clone());
        // In a cookie alone, which the browser does not hold yet. Another request may have made a record of the one that it
        // holds; there, all of this request's operations are to be made.
        self.loaded.session.mark_saved(&draft, opened.is_some() && record.is_none());
        if drops_input {
            self.loaded.session.drop_old_input();
        }
        progress.has_new_id |= opened.is_some() && (progress.known.opened.is_none() || want == Want::NewId);
        progress.has_ended |= draft.id_change == IdChange::Invalidated;
        let removes = line.is_none() && progress.known.opened.is_some();
        let removal = removes.then(|| response::remove(&self.inner().attributes));
        progress.line = line.or(removal).or_else(|| progress.line.take());
        progress.markers.extend(markers);
        progress.known = Known { opened, here: record.map(Standing::Record), ..Known::default() };
        // None of them can happen any more: what they expected has been replaced.
        progress.attempts.clear();
        drop(progress);
        // Last: an observer sees what holds, and cannot hold it up.
        events.iter().for_each(|event| self.tell(event));
    }

    /// In the order of [`Event`].
    fn events(&self, before: Option<&Opened>, completion: &Completion) -> Vec<Event> {
        let Completion { want, opened, draft, drops_input, .. } = completion;
        if self.inner().observers.is_empty() {
            return Vec::new();
        }
        let from = before.map(|before| self.public_id(before));
        let Some(after) = opened else {
            let id = from.or_else(|| Some(self.loaded.session.public(draft.id.as_deref()?)));
            return id.map(|id| vec![Event::Destroyed { id }, Event::Committed { id }]).unwrap_or_default();
        };
        let id = self.public_id(after);
        let migrated = from.filter(|from| *from != id).map(|from| Event::Migrated { from, to: id });
        let (was_in_store, is_in_store) = (before.is_some_and(Opened::is_in_record), after.is_in_record());
        let moved = match (was_in_store, is_in_store) {
            (false, true) => Some(Event::Spilled { id }),
            (true, false) => Some(Event::Returned { id }),
            _ => None,
        };
        let dropped = drops_input.then_some(Event::OldInputDropped { id });
        let renewed = match before.and_then(|before| before.superseded_key) {
            Some(from) => Some(Event::Resealed { id, from }),
            None => (*want == Want::Refresh).then_some(Event::Renewed { id }),
        };
        let optional = [migrated, moved, dropped, renewed].into_iter().flatten();
        optional.chain([Event::Committed { id }]).collect()
    }

    pub(super) fn public_id(&self, opened: &Opened) -> crate::id::PublicId {
        match &opened.earlier {
            Some(earlier) => opened.header.id.public_id(earlier.sealer.audience()),
            None => self.loaded.session.public(&opened.header.id),
        }
    }

    /// Where the record of a session is or would be: of the one that came, or of the id and the audience of today.
    pub(super) fn place(&self, opened: Option<&Opened>, place: usize) -> Result<Option<Place>, CommitError> {
        let Some(records) = self.inner().records.get(place).cloned() else { return Ok(None) };
        let (id, created) = match opened {
            Some(opened) => (opened.header.id.clone(), opened.header.created),
            None => (self.id()?, self.loaded.session.draft().created),
        };
        Ok(Some(Place { records, id: Arc::new(id), created }))
    }

    /// What this request knows. A conflict once another save or commit of the same request has taken over.
    pub(super) fn progress(&self) -> Result<MutexGuard<'a, Progress>, CommitError> {
        let progress = self.loaded.progress();
        if progress.turn == self.turn { Ok(progress) } else { Err(CommitError::Conflict) }
    }

    pub(super) fn id(&self) -> Result<crate::id::SessionId, CommitError> {
        Ok(self.loaded.session.ensure_id()?)
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.manager.0
    }

    pub(super) fn tell(&self, event: &Event) {
        self.inner().observers.tell(event);
    }
}
