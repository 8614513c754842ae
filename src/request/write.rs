//! The one loop that carries out what [`decide`] says: it looks, adopts, seals, writes, and finds out what happened.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::candidates::Candidates;
use super::fitted::Fitted;
use super::load::Loaded;
use super::progress::{Attempt, Opened, Origin, Progress, Unread};
use super::protocol::{Came, Case, Step, Want, decide};
use crate::clock::within;
use crate::crypto::random;
use crate::error::{CommitError, Reason, StoreError};
use crate::events::Event;
use crate::id::SessionId;
use crate::limits;
use crate::manager::{Inner, SessionManager};
use crate::records::{Placement, Standing};
use crate::seal::CookieNonce;
use crate::session::{Draft, IdChange, Payload};
use crate::wire::header::Header;
use crate::wire::record::{RecordHeader, WriteId};

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
        let turn = progress.turn;
        drop(progress);
        Self { manager, loaded, candidates, turn }
    }

    /// Writes what the request wants kept. `renews` says whether a session that was merely used is to live on.
    pub(super) async fn run(self, renews: impl Fn(&Self, &Opened, &Draft) -> bool) -> Result<(), CommitError> {
        let want = self.want(&renews);
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
        let begun = self.inner().clock.unix_milliseconds();
        let (mut meetings, mut cuts) = (0, 0);
        loop {
            self.settle().await?;
            let want = self.want(renews);
            if want == Want::Nothing {
                return Ok(());
            }
            let met = match self.step(want).await {
                Err(CommitError::Store(StoreError::Unavailable { .. })) if cuts == 0 && self.has_unsettled()? => {
                    // The connection was cut while a write was under way: whether it happened is looked at next.
                    cuts += 1;
                    continue;
                }
                outcome => outcome?,
            };
            match met {
                Met::Done => return Ok(()),
                Met::Nobody => {}
                Met::Other { is_ahead } => {
                    let waited = self.inner().clock.unix_milliseconds().saturating_sub(begun);
                    let is_late = waited >= limits::CONFLICT_RETRIES_MAX_MILLISECONDS;
                    if meetings >= limits::CONFLICT_RETRIES_MAX || (is_late && meetings >= limits::CONFLICT_RETRIES_MIN)
                    {
                        return Err(CommitError::Conflict);
                    }
                    // The pause first: what was loaded before it would be old by its end, and meet again.
                    self.pause(meetings).await?;
                    meetings = meetings.saturating_add(1);
                    self.look(is_ahead).await?;
                }
            }
        }
    }

    /// What the request wants of its session now.
    fn want(&self, renews: &impl Fn(&Self, &Opened, &Draft) -> bool) -> Want {
        let (draft, inner) = (self.loaded.session.draft(), self.inner());
        let ends = draft.destroyed || draft.id_change == IdChange::Invalidated;
        match self.loaded.progress().origin.opened() {
            None if ends && !draft.has_something => Want::Nothing,
            // A new session is written when there is something in it: reading an empty one leaves no trace.
            None if draft.has_something || (inner.save_uninitialized && draft.used) => Want::Keep,
            None => Want::Nothing,
            Some(_) if ends => Want::End,
            Some(_) if draft.id_change == IdChange::Regenerated => Want::NewId,
            Some(_) if draft.has_unsaved || draft.emptied => Want::Keep,
            Some(opened) if opened.unread.is_some() => Want::Nothing,
            Some(_) if draft.used_flash || (inner.resave && draft.used) => Want::Refresh,
            Some(opened) if renews(self, opened, &draft) => Want::Refresh,
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
    pub(super) fn note(&self, mut progress: MutexGuard<'_, Progress>, found: Standing, is_ahead: bool) {
        let is_there = |attempt: &Attempt| attempt.is_ahead == is_ahead && attempt.happened(&found) == Some(true);
        let own = progress.attempts.iter().position(is_there).map(|position| progress.attempts.swap_remove(position));
        if is_ahead {
            // A record of this request's own stays its own while nobody else has written it.
            let is_unchanged = progress.ahead.as_ref().and_then(Standing::version) == found.version();
            progress.owns_ahead = own.is_some() || (progress.owns_ahead && is_unchanged);
            progress.ahead = Some(found);
        } else {
            progress.here = Some(found);
        }
        if let Some(completion) = own.and_then(|attempt| attempt.completion) {
            self.complete(progress, completion);
        }
    }

    /// One step. What it learns is noted before the next one is waited for.
    async fn step(&self, want: Want) -> Result<Met, CommitError> {
        let (origin, here, ahead, owns_ahead, began_anew) = {
            let Progress { origin, here, ahead, owns_ahead, began_anew, .. } = &*self.progress()?;
            (origin.clone(), here.clone(), ahead.clone(), *owns_ahead, *began_anew)
        };
        let draft = self.loaded.session.draft();
        let opened = origin.opened();
        if let Some(Unread::StoreFailed(problem)) = opened.and_then(|opened| opened.unread.as_ref())
            && want != Want::End
        {
            return Err(StoreError::unavailable("store", problem.to_string()).into());
        }
        let moves = opened.is_some_and(|opened| self.moves(opened, want));
        let fitted = self.fitted(&draft, opened, began_anew)?;
        let case = Case {
            want,
            came: came(opened),
            target: fitted.target,
            has_store: self.inner().records.is_some(),
            store_only: self.inner().placement == Placement::StoreOnly,
            here: here.as_ref(),
            moves,
            ahead: ahead.as_ref(),
            owns_ahead,
            began_anew,
            rewrite: draft.used_flash
                || self.inner().resave
                || opened.is_some_and(|opened| opened.superseded_key.is_some()),
        };
        match (decide(&case), opened) {
            (Step::Look, _) => self.look(false).await,
            (Step::LookAhead, _) => self.look(true).await,
            (Step::Adopt, Some(opened)) => self.adopt(opened, here),
            (Step::AdoptAhead, Some(opened)) => {
                // From now on the session is there.
                self.progress()?.ahead = None;
                self.adopt(&Opened { earlier: None, ..opened.clone() }, ahead)
            }
            (Step::BeginAnew, _) => {
                let fits = self.loaded.session.begin_anew();
                self.progress()?.began_anew = true;
                if fits { Ok(Met::Nobody) } else { Err(CommitError::Conflict) }
            }
            (Step::Touch, Some(opened)) => self.touch(&case, opened, draft, fitted).await,
            (Step::Write(plan), opened) => self.carry_out(plan, &case, opened, draft, fitted).await,
            (Step::Refuse, _) => {
                if matches!(here, Some(Standing::Nothing)) {
                    self.tell(&Event::Rejected { reason: Reason::RecordMissing });
                }
                Err(CommitError::Conflict)
            }
            (_, None) => Err(CommitError::Conflict),
        }
    }

    pub(super) async fn look(&self, is_ahead: bool) -> Result<Met, CommitError> {
        let place = {
            let progress = self.progress()?;
            let place = if is_ahead { self.place_ahead()? } else { self.place_of(progress.origin.opened())? };
            place.ok_or(CommitError::Conflict)?
        };
        let found = place.records.find(&place.id, place.created).await?;
        self.note(self.progress()?, found, is_ahead);
        Ok(Met::Nobody)
    }

    /// Makes this request's operations again on what another one wrote.
    fn adopt(&self, opened: &Opened, standing: Option<Standing>) -> Result<Met, CommitError> {
        let Some(Standing::Record(found)) = standing else { return Err(CommitError::Conflict) };
        let payload = Payload::parse(&found.payload).map_err(|_| CommitError::Conflict)?;
        let RecordHeader { persistence, lifetime_seconds, .. } = found.header;
        let mut progress = self.progress()?;
        if !self.loaded.session.replay_onto(payload, persistence, lifetime_seconds) {
            return Err(CommitError::Conflict);
        }
        progress.here = Some(Standing::Record(found.clone()));
        progress.origin =
            Origin::Opened(Box::new(Opened { record: Some(Arc::new(found)), unread: None, ..opened.clone() }));
        Ok(Met::Nobody)
    }

    /// Lets a session in a record live on without rewriting it.
    async fn touch(&self, case: &Case<'_>, opened: &Opened, draft: Draft, fitted: Fitted) -> Result<Met, CommitError> {
        let (place, record) = (self.place_of(Some(opened))?, opened.record.clone());
        let (Some(place), Some(record)) = (place, record) else { return Err(CommitError::Conflict) };
        let header = self.header(&place.id, &draft, Some(opened));
        if !place.records.touch(&place.id, self.session_end(&header)).await? {
            return Err(CommitError::Conflict);
        }
        let nonce = CookieNonce::draw()?;
        let write = nonce.write_id();
        let version = record.header.version;
        let value = self.inner().sealer.seal_reference(nonce, &header, version);
        let value = value.map_err(|error| self.seal_error(&fitted.payload, error))?;
        let cookie = Sealed { header, write, value };
        let completion = self.completion(case, Some(opened), Some(cookie), Some(record), draft, fitted)?;
        self.complete(self.progress()?, completion);
        Ok(Met::Done)
    }

    /// Waits for a random while, longer after more meetings, so that requests which met do not meet again.
    async fn pause(&self, meetings: usize) -> Result<(), CommitError> {
        let Some(timer) = &self.inner().timer else { return Ok(()) };
        let doubled = u32::try_from(meetings).ok().and_then(|meetings| 1_u64.checked_shl(meetings));
        let longest = doubled.unwrap_or(u64::MAX).min(limits::CONFLICT_PAUSE_MAX_MILLISECONDS);
        let mut drawn = [0; 4];
        random::fill(&mut drawn)?;
        let milliseconds = u64::from(u32::from_le_bytes(drawn)) % longest.saturating_add(1);
        timer.wait(Duration::from_millis(milliseconds)).await;
        Ok(())
    }

    /// What this request knows. A conflict once another save or commit of the same request has taken over.
    pub(super) fn progress(&self) -> Result<MutexGuard<'a, Progress>, CommitError> {
        let progress = self.loaded.progress();
        if progress.turn == self.turn { Ok(progress) } else { Err(CommitError::Conflict) }
    }

    pub(super) fn id(&self) -> Result<SessionId, CommitError> {
        Ok(self.loaded.session.ensure_id()?)
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.manager.0
    }

    pub(super) fn tell(&self, event: &Event) {
        self.inner().observers.tell(event);
    }
}

/// What a step met.
pub(super) enum Met {
    /// Nothing that holds it up: the next step follows.
    Nobody,
    /// Another request was faster in this place.
    Other { is_ahead: bool },
    /// Its end.
    Done,
}

/// A cookie that goes out once the records are written.
pub(super) struct Sealed {
    pub(super) header: Header,
    pub(super) write: WriteId,
    pub(super) value: String,
}

fn came(opened: Option<&Opened>) -> Came {
    match opened {
        None => Came::New,
        Some(Opened { record: Some(record), .. }) => {
            Came::Record { version: record.header.version, state: record.header.state }
        }
        Some(Opened { inline: Some(payload), base: (write, issued), .. }) => {
            Came::Inline { write: *write, issued: *issued, is_empty: payload.as_slice() == b"{}" }
        }
        Some(_) => Came::Unread,
    }
}
