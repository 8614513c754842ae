//! The one loop that carries out what [`decide`] says: it looks, adopts, writes, and finds out what happened.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::Pending;
use super::protocol::{Case, Known, OpenedSession, Step, Target, Want, decide, remaining};
use crate::clock::Clock as _;
use crate::cookie::header;
use crate::crypto::random;
use crate::error::{CommitError, LoadError, Reason, StoreError};
use crate::events::Event;
use crate::id::PublicId;
use crate::json::text::Text;
use crate::limits;
use crate::manager::Inner;
use crate::sealed_records::{FoundRecord, Place, Standing};
use crate::session::{Draft, IdChange, Payload, Session};
use crate::settings::{Placement, Purpose, Renewal};
use crate::wire::{Persistence, WriteId};

/// What one request knows of its session outside of itself. It outlives a save or a commit that is dropped, so that the next
/// one goes on where that one stopped.
#[derive(Default)]
pub(super) struct Progress {
    /// Counts saves and commits: the newest goes on, and an older one gives way.
    pub(super) turn: u64,
    pub(super) known: Known,
    /// Writes to the store that may have happened, or may still happen. The last is looked for first; the others are
    /// recognized where they turn up.
    pub(super) attempts: Vec<Attempt>,
    /// Names the writes of this request that are known to have happened: its result builds on each of them.
    pub(super) written: Vec<WriteId>,
    /// Names the end of a session from which something was taken out before.
    pub(super) end: Option<WriteId>,
    /// Another request took that as well.
    pub(super) was_taken: bool,
    /// `Set-Cookie` of what was written last.
    pub(super) line: Option<String>,
    // Behind pointers, here and in a completion: most requests leave no session, and move these many times.
    /// The session with which this browser came, once it has got a new id.
    pub(super) left: Option<Box<Left>>,
    /// Those that were ended.
    pub(super) ended: Option<Box<Ended>>,
    /// A session of a good cookie was loaded, or could not be for the store's sake.
    pub(super) was_opened: bool,
    /// Good cookies of two sessions came: those of earlier attributes go.
    pub(super) is_ambiguous: bool,
    /// The session got an id: cookies of earlier attributes go.
    pub(super) has_new_id: bool,
    /// The session was ended: every cookie that came goes.
    pub(super) has_ended: bool,
}

impl Progress {
    /// Looks for the attempts no more. One that happens all the same is this request's own.
    pub(super) fn give_up_attempts(&mut self) {
        let given_up = self.attempts.drain(..).filter_map(|attempt| attempt.record.header.lineage.newest());
        self.written.extend(given_up);
    }
}

/// Sessions that a browser has, and no longer is to have.
#[derive(Clone, Default)]
pub(super) struct Left {
    pub(super) ids: Vec<PublicId>,
    /// The longest for which a cookie of one of them was sealed.
    pub(super) lifetime_seconds: u64,
    /// `Set-Cookie` of their markers.
    pub(super) markers: Vec<String>,
}

/// Sessions that this request has ended.
pub(super) struct Ended {
    /// `Set-Cookie` of their markers.
    pub(super) markers: Vec<String>,
    /// Of one whose cookie is good until the response removes it.
    pub(super) lives_on: Option<PublicId>,
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
    pub(super) opened: Option<Arc<OpenedSession>>,
    pub(super) line: Option<String>,
    pub(super) left: Option<Box<Left>>,
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
    fn happened(&self, found: &Standing) -> Option<bool> {
        let is_unchanged = self.before.version() == found.version();
        let Standing::Record(found) = found else {
            return (is_unchanged || matches!(found, Standing::Nothing)).then_some(false);
        };
        let lineage = &found.header.lineage;
        if self.record.header.lineage.newest().is_some_and(|write| lineage.contains(write)) {
            return Some(true);
        }
        let replaced = self.before.record().and_then(|before| before.header.lineage.newest());
        let is_evidence =
            is_unchanged || lineage.is_complete() || replaced.is_some_and(|write| lineage.remembers(write));
        is_evidence.then_some(false)
    }
}

/// One save or commit.
pub(super) struct Write<'a> {
    pub(super) request: &'a Pending,
    pub(super) session: &'a Session,
    pub(super) inner: &'a Inner,
    /// What the request is for, where a session that was merely used is to live on.
    renews: Option<Purpose>,
    turn: u64,
    /// How often another request was faster.
    meetings: usize,
    begun_milliseconds: u64,
}

impl<'a> Write<'a> {
    /// Takes the turn: a save or commit of the same request that is under way gives way at its next step.
    pub(super) fn begin(request: &'a Pending, session: &'a Session, renews: Option<Purpose>) -> Self {
        let turn = request.take_turn().turn;
        Self { request, session, inner: &request.manager.0, renews, turn, meetings: 0, begun_milliseconds: 0 }
    }

    /// Writes what the request wants kept.
    pub(super) async fn run(mut self) -> Result<(), CommitError> {
        let (inner, draft) = (self.inner, self.session.draft());
        let want = self.want(&draft);
        let has_lost = {
            let progress = self.progress()?;
            progress.was_taken && progress.has_ended
        };
        if has_lost {
            return Err(CommitError::Conflict);
        }
        if want == Want::Nothing && !self.has_unsettled()? {
            return Ok(());
        }
        // What waits for a store is behind pointers, here and below: every request carries the room for its commit through all the
        // layers of its framework, and most never wait.
        let done = match inner.places() {
            0 => self.steps(draft).await,
            _ => inner.in_time(Box::pin(self.steps(draft))).await,
        };
        if done.is_err() && want == Want::Refresh {
            inner.observers.tell(&Event::RenewalSkipped { id: self.session.public(&self.session.ensure_id()?) });
            return Ok(());
        }
        done
    }

    /// Finds out what became of every write that was handed to the store; `false` where another save or commit has taken over.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where the store does not answer, or one of them may still be on its way that gives the session another id.
    pub(super) async fn find_out(&self) -> Result<bool, LoadError> {
        while let Ok(true) = self.has_unsettled() {
            match self.settle().await {
                Err(CommitError::Store(error)) => return Err(LoadError::Store(error)),
                Err(CommitError::Conflict) => return Ok(false),
                Err(error) => return Err(LoadError::Store(StoreError::other("store", error))),
                Ok(()) => {}
            }
        }
        let Ok(progress) = self.progress() else { return Ok(false) };
        let moves = |attempt: &Attempt| attempt.completion.as_ref().is_some_and(|done| done.want == Want::NewId);
        if progress.attempts.iter().any(moves) {
            let problem =
                "a login that was saved may still be on its way to the store; commit it, or answer with an error";
            return Err(LoadError::Store(StoreError::other("store", problem)));
        }
        Ok(true)
    }

    async fn steps(&mut self, mut draft: Draft) -> Result<(), CommitError> {
        self.begun_milliseconds = self.inner.clock.unix_milliseconds();
        let mut was_cut = false;
        loop {
            let mut want = self.want(&draft);
            // An end comes before anything else, but for what was taken out: a save may have kept that already. Where that cannot
            // be told, it counts as taken by another request, and holds no end up.
            if (want != Want::End || self.session.ended_after_pulls()) && self.has_unsettled()? {
                let settled = Box::pin(self.settle()).await;
                if want != Want::End {
                    settled?;
                }
                draft = self.session.draft();
                want = self.want(&draft);
            }
            if want == Want::Nothing {
                return Ok(());
            }
            match self.step(want, draft).await {
                // The connection was cut while a write was under way: whether it happened is looked at next.
                Err(CommitError::Store(StoreError::Unavailable { .. })) if !was_cut && self.has_unsettled()? => {
                    was_cut = true;
                }
                Ok(false) => {}
                outcome => return outcome.map(drop),
            }
            draft = self.session.draft();
        }
    }

    /// What the request wants of its session now.
    fn want(&self, draft: &Draft) -> Want {
        let inner = self.inner;
        let progress = self.request.progress();
        match progress.known.opened.as_deref() {
            // Other cookies than the session's own may have come, and none may be left.
            None if draft.ends() && !progress.has_ended && !self.request.candidates.is_empty() => Want::End,
            None if draft.destroyed || (draft.ends() && !draft.has_something) => Want::Nothing,
            // A new session is written when there is something in it: reading an empty one leaves no trace.
            None if draft.has_something || (inner.settings.save_uninitialized && draft.used) => Want::Keep,
            None => Want::Nothing,
            Some(_) if draft.ends() => Want::End,
            Some(_) if draft.id_change == IdChange::Regenerated => Want::NewId,
            Some(_) if draft.has_unsaved || draft.emptied => Want::Keep,
            // Something that rests on a session which is not kept: a token.
            Some(opened) if opened.failure.is_some() && draft.has_something => Want::Keep,
            // It has no data that this request knows.
            Some(OpenedSession { inline: None, record: None, .. }) => Want::Nothing,
            Some(_) if draft.used_flash || (inner.settings.resave && draft.used) => Want::Refresh,
            Some(opened) if self.renews.is_some_and(|purpose| self.renews(purpose, opened, draft)) => Want::Refresh,
            Some(_) => Want::Nothing,
        }
    }

    fn renews(&self, purpose: Purpose, opened: &OpenedSession, draft: &Draft) -> bool {
        let (header, renewal) = (&opened.header, self.inner.renewal);
        let lifetime_seconds = self.lifetime_seconds(draft);
        let sealed_seconds = header.expires.saturating_seconds_since(header.issued);
        // Another request may have given the session another lifetime, and its cookie been overtaken.
        let lasts_otherwise = header.persistence != draft.persistence
            || (draft.persistence == Persistence::OwnLifetime && sealed_seconds != lifetime_seconds);
        let sealer = match opened.inline {
            Some(_) => &self.inner.sealer,
            None => self.inner.sealer_of_references(opened.place),
        };
        let is_reseal_due = opened.superseded_key.is_some() || !Arc::ptr_eq(&opened.sealer, sealer) || lasts_otherwise;
        let remaining = remaining(header, lifetime_seconds, self.inner.clock.now());
        // A session that was asked for and neither read nor written was not used.
        (draft.used || renewal == Renewal::EveryResponse)
            && renewal.is_due(purpose, opened.inline.is_none(), is_reseal_due, remaining)
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
        let found = place.find().await?;
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
            let newest = found.record().and_then(|found| Some((found, found.header.lineage.newest()?)));
            // This request wrote it, perhaps by a save that was given up: nobody else's operations are in it.
            let own_record =
                newest.filter(|(_, write)| progress.written.contains(write)).map(|(found, _)| Arc::clone(found));
            if let (Some(record), Some(opened)) = (own_record, progress.known.opened.as_mut()) {
                Arc::make_mut(opened).record = Some(record);
            }
            progress.known.here = Some(found);
        }
        let Some(own) = own else { return };
        progress.written.extend(own.record.header.lineage.newest());
        if let Some(completion) = own.completion {
            self.complete(progress, completion);
        }
    }

    /// One step; `true` for the last. What it learns is noted before the next one is waited for.
    async fn step(&mut self, want: Want, draft: Draft) -> Result<bool, CommitError> {
        let known = self.progress()?.known.clone();
        if let Some(problem) = known.opened.as_ref().and_then(|opened| opened.failure.as_ref())
            && want != Want::End
        {
            return Err(StoreError::unavailable("store", problem.to_string()).into());
        }
        let moment = draft.moment();
        let case = self.case(want, draft, known);
        // Another thread of the handler may have written meanwhile. What was read since belongs to another draft.
        if !self.session.is_at(moment) {
            return Ok(false);
        }
        let case = case?;
        match decide(&case) {
            Step::Look => Box::pin(self.look(false)).await?,
            Step::Adopt => self.adopt(&case.known, want)?,
            Step::BeginAnew => {
                let mut progress = self.progress()?;
                // Security: what does not fit an empty session still holds what was in the one that is gone, and no later try
                // may write it.
                if !self.session.begin_anew() {
                    return Err(CommitError::Conflict);
                }
                progress.known.began_anew = true;
            }
            Step::PartWays => {
                let mut progress = self.progress()?;
                // Security: what was taken out may have been taken in the record, too.
                if self.session.has_pulled() || !self.session.part_ways()? {
                    return Err(CommitError::Conflict);
                }
                progress.known.parted = true;
            }
            Step::Touch => return Box::pin(self.touch(case)).await.map(|()| true),
            Step::Write { record, leaves } => {
                let prepared = self.prepare(case, record, leaves);
                // Security: sealed with what another thread has written since, it might hold what must stay on the server,
                // or go out under another id.
                if !self.session.is_at(moment) {
                    return Ok(false);
                }
                let (mut attempts, completion) = prepared?;
                let Some(last) = attempts.last_mut() else {
                    self.complete(self.progress()?, completion);
                    return Ok(true);
                };
                last.completion = Some(completion);
                let Some(met_ahead) = Box::pin(self.hand_over(attempts)).await? else { return Ok(true) };
                // The pause first: what was loaded before it would be old by its end, and meet again.
                Box::pin(self.pause(true)).await?;
                Box::pin(self.look(met_ahead)).await?;
            }
            Step::End => Box::pin(self.end(case)).await?,
            Step::Refuse => {
                self.take_ended_cookie(&case)?;
                if matches!(case.known.here, Some(Standing::Nothing)) {
                    self.inner.observers.tell(&Event::Rejected { reason: Reason::RecordMissing });
                }
                return Err(CommitError::Conflict);
            }
        }
        Ok(false)
    }

    /// What is to be written now, and all that its next step depends on.
    fn case(&self, want: Want, draft: Draft, known: Known) -> Result<Case, CommitError> {
        let (inner, opened) = (self.inner, known.opened.as_deref());
        let begins_anew = draft.ends() || known.began_anew;
        let is_gone = draft.destroyed || (begins_anew && !draft.has_something) || (opened.is_some() && draft.emptied);
        let (payload, target, drops_input) = if is_gone {
            (Text::default(), Target::Nowhere, false)
        } else {
            self.fit(&draft, opened.is_some_and(OpenedSession::is_in_record))?
        };
        Ok(Case {
            want,
            target,
            drops_input,
            payload,
            places: inner.places(),
            store_only: inner.placement == Placement::StoreOnly,
            is_over: inner.sealer.lifetimes().absolute_end(draft.created).is_some_and(|end| end <= inner.clock.now()),
            begun_at: self.request.begun_at,
            rewrite: draft.used_flash
                || inner.settings.resave
                || opened.is_some_and(|opened| opened.superseded_key.is_some()),
            draft,
            known,
        })
    }

    /// Asks what stands where the session came from, or under its new id.
    async fn look(&self, is_ahead: bool) -> Result<(), CommitError> {
        let opened = self.progress()?.known.opened.clone().filter(|_| !is_ahead);
        let place = self.place(opened.as_deref())?.ok_or(CommitError::Conflict)?;
        let first = opened.as_ref().map_or(0, |opened| opened.place);
        let (found_in, found) = self.inner.find(&place.id, place.created, first).await?;
        let mut progress = self.progress()?;
        if let Some(opened) = progress.known.opened.as_mut().filter(|_| !is_ahead && found_in != first) {
            Arc::make_mut(opened).place = found_in;
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
        if !self.session.replay_onto(payload, lasts, want == Want::NewId) {
            return Err(CommitError::Conflict);
        }
        progress.known.opened = Some(Arc::new(OpenedSession { record: Some(Arc::clone(found)), ..(**opened).clone() }));
        Ok(())
    }

    /// Another request was faster. Waits for a random while, longer after more meetings, so that requests which met do not
    /// meet again. A conflict after too many, or for a write that has gone on for too long since it began.
    pub(super) async fn pause(&mut self, is_write: bool) -> Result<(), CommitError> {
        // A newer save or commit has taken over: this one gives way.
        drop(self.progress()?);
        let inner = self.inner;
        let passed = inner.clock.unix_milliseconds().saturating_sub(self.begun_milliseconds);
        let is_late = is_write && passed >= limits::CONFLICT_RETRIES_MAX_MILLISECONDS;
        let is_last =
            self.meetings >= limits::CONFLICT_RETRIES_MAX || (is_late && self.meetings >= limits::CONFLICT_RETRIES_MIN);
        // An end goes on until the time limit, where there is one.
        if is_last && (is_write || inner.timer.is_none()) {
            return Err(CommitError::Conflict);
        }
        let doubled = u32::try_from(self.meetings).ok().and_then(|meetings| 1_u64.checked_shl(meetings));
        self.meetings = self.meetings.saturating_add(1);
        let Some(timer) = &inner.timer else { return Ok(()) };
        let longest = doubled.unwrap_or(u64::MAX).min(limits::CONFLICT_PAUSE_MAX_MILLISECONDS);
        let mut drawn = [0; 4];
        random::fill(&mut drawn)?;
        let milliseconds = u64::from(u32::from_le_bytes(drawn)) % longest.saturating_add(1);
        timer.wait(Duration::from_millis(milliseconds)).await;
        Ok(())
    }

    /// Notes what holds once a session is written.
    pub(super) fn complete(&self, mut progress: MutexGuard<'_, Progress>, completion: Completion) {
        let Completion { want, opened, line, left, draft, drops_input } = completion;
        let record = opened.as_ref().and_then(|opened| opened.record.clone());
        // In a cookie alone, which the browser does not hold yet. Another request may have made a record of the one that it
        // holds; there, all of this request's operations are to be made.
        self.session.mark_saved(&draft, opened.is_some() && record.is_none());
        if drops_input {
            self.session.drop_old_input();
        }
        // What the attempts expected has been replaced, or they are this request's own where they happen all the same.
        progress.give_up_attempts();
        let known = Known { opened: opened.clone(), here: record.map(Standing::Record), ..Known::default() };
        let before = std::mem::replace(&mut progress.known, known).opened;
        progress.has_new_id |= opened.is_some() && (before.is_none() || want == Want::NewId);
        progress.has_ended |= draft.id_change == IdChange::Invalidated;
        let removes = line.is_none() && before.is_some();
        let removal = removes.then(|| header::remove(&self.inner.settings.cookie));
        progress.line = line.or(removal).or_else(|| progress.line.take());
        // Those that an earlier save set name a successor that no browser has seen.
        progress.left = left.or_else(|| progress.left.take());
        drop(progress);
        // Last: an observer sees what holds, and cannot hold it up.
        if self.inner.observers.is_empty() {
            return;
        }
        let from = before.as_ref().map(|before| before.public_id());
        let Some(after) = opened else {
            if let Some(id) = from.or_else(|| self.session.public_id()) {
                self.inner.observers.tell(&Event::Destroyed { id });
                self.inner.observers.tell(&Event::Committed { id });
            }
            return;
        };
        let id = after.public_id();
        let was_in_store = before.as_ref().is_some_and(|before| before.is_in_record());
        let events = [
            from.filter(|from| *from != id).map(|from| Event::Migrated { from, to: id }),
            (!was_in_store && after.is_in_record()).then_some(Event::Spilled { id }),
            (was_in_store && !after.is_in_record()).then_some(Event::Returned { id }),
            drops_input.then_some(Event::OldInputDropped { id }),
            match before.and_then(|before| before.superseded_key) {
                Some(from) => Some(Event::Resealed { id, from }),
                None => (want == Want::Refresh).then_some(Event::Renewed { id }),
            },
            Some(Event::Committed { id }),
        ];
        events.iter().flatten().for_each(|event| self.inner.observers.tell(event));
    }

    /// Where the record of a session is or would be: of the one that came, or of the id and the audience of today.
    pub(super) fn place(&self, opened: Option<&OpenedSession>) -> Result<Option<Place>, CommitError> {
        Ok(match opened {
            Some(opened) => self.inner.place(opened.place, &opened.header.id, opened.header.created),
            None => self.inner.place(0, &self.session.ensure_id()?, self.session.state().created),
        })
    }

    /// What this request knows. A conflict once another save or commit of the same request has taken over.
    pub(super) fn progress(&self) -> Result<MutexGuard<'a, Progress>, CommitError> {
        let progress = self.request.progress();
        if progress.turn == self.turn { Ok(progress) } else { Err(CommitError::Conflict) }
    }
}
