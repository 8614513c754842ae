//! The one loop that carries out what [`decide`] says: it looks, adopts, seals, writes, and finds out what happened.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use zeroize::Zeroizing;

use super::load::{Candidates, Loaded};
use super::progress::{Attempt, Completion, Opened, Origin, Place, Progress, Unread};
use super::protocol::{Came, Case, Plan, Step, Want, decide};
use crate::clock::{Timestamp, within};
use crate::cookie::response;
use crate::crypto::random;
use crate::error::{CommitError, Reason, SealError, StoreError};
use crate::events::Event;
use crate::id::SessionId;
use crate::limits;
use crate::manager::{Inner, SessionManager, TooLarge};
use crate::records::{Answer, FoundRecord, Placement, Standing, Target, target};
use crate::seal::CookieNonce;
use crate::session::{Draft, IdChange, Payload};
use crate::wire::header::{Header, Kind, Persistence};
use crate::wire::record::{Lineage, RecordHeader, RecordState, WriteId};

/// One save or commit.
pub(super) struct Write<'a> {
    manager: &'a SessionManager,
    loaded: &'a Loaded,
    candidates: &'a Candidates,
    turn: u64,
}

/// The JSON that is written, and where.
struct Fitted {
    payload: Arc<Zeroizing<Vec<u8>>>,
    target: Target,
    /// The old input of a form was left out, for want of room.
    without_input: bool,
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
        if want == Want::Nothing && self.progress()?.attempt.is_none() {
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
                Err(CommitError::Store(StoreError::Unavailable { .. }))
                    if cuts == 0 && self.progress()?.attempt.is_some() =>
                {
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

    /// Finds out what became of a write whose outcome is not known.
    async fn settle(&self) -> Result<(), CommitError> {
        let place = match &self.progress()?.attempt {
            Some(attempt) => attempt.place.clone(),
            None => return Ok(()),
        };
        let found = place.records.find(&place.id, place.created).await?;
        let mut progress = self.progress()?;
        let Some(attempt) = progress.attempt.take() else { return Ok(()) };
        let Some(happened) = attempt.happened(&found) else {
            // Made again, the operations might count twice.
            progress.attempt = Some(attempt);
            let problem = "so many others wrote meanwhile that nobody can tell whether an earlier write happened";
            return Err(StoreError::other("store", problem).into());
        };
        if attempt.is_ahead {
            progress.owns_ahead |= happened;
            progress.ahead = Some(found);
        } else {
            progress.here = Some(found);
        }
        if let Some(completion) = attempt.completion.filter(|_| happened) {
            self.complete(progress, completion);
        }
        Ok(())
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
            (Step::Write(plan), opened) => self.write(plan, &case, opened, draft, fitted).await,
            (Step::Refuse, _) => {
                if matches!(here, Some(Standing::Nothing)) {
                    self.tell(&Event::Rejected { reason: Reason::RecordMissing });
                }
                Err(CommitError::Conflict)
            }
            (_, None) => Err(CommitError::Conflict),
        }
    }

    async fn look(&self, is_ahead: bool) -> Result<Met, CommitError> {
        let place = {
            let progress = self.progress()?;
            let place = if is_ahead { self.place_ahead()? } else { self.place_of(progress.origin.opened())? };
            place.ok_or(CommitError::Conflict)?
        };
        let found = place.records.find(&place.id, place.created).await?;
        let mut progress = self.progress()?;
        if is_ahead {
            // A record of this request's own stays its own: nobody else knows its id. Under another audience others do.
            progress.owns_ahead &= progress.ahead.as_ref().and_then(Standing::version) == found.version();
            progress.ahead = Some(found);
        } else {
            progress.here = Some(found);
        }
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

    /// Writes the records of a plan, one after the other, and then the cookie goes out.
    async fn write(
        &self,
        plan: Plan,
        case: &Case<'_>,
        opened: Option<&Opened>,
        draft: Draft,
        fitted: Fitted,
    ) -> Result<Met, CommitError> {
        let nonce = CookieNonce::draw()?;
        let write = nonce.write_id();
        let here = self.place_of(opened)?;
        let ahead = if plan.ahead.is_some() { self.place_ahead()? } else { None };
        if let (Want::NewId, Some(Standing::Record(left)), Some(Opened { record: None, .. })) =
            (case.want, case.here, opened)
            && left.header.state == RecordState::Left
            && !self.loaded.session.pulls_hold_in(&left.payload)
        {
            // Another login has left this session, and taken what this one has taken, too.
            return Err(CommitError::Conflict);
        }
        let mut puts = Vec::new();
        let mut kept = None;
        let mut cookie = None;
        if fitted.target != Target::Nowhere {
            let builds_on = opened.filter(|_| !(case.moves && draft.id_change != IdChange::None));
            let header = self.header(&self.id()?, &draft, builds_on);
            let (place, before) = if case.moves { (&ahead, case.ahead) } else { (&here, case.here) };
            let state = if case.moves { plan.ahead } else { plan.here };
            let mut version = 0;
            if let (Some(place), Some(state)) = (place, state) {
                version = place.records.next_version(before.and_then(Standing::version));
                let record = RecordHeader {
                    state,
                    persistence: draft.persistence,
                    lifetime_seconds: draft.own_lifetime_seconds,
                    version,
                    created: header.created,
                    updated: header.issued,
                    expires: self.session_end(&header),
                    lineage: lineage(before, builds_on.filter(|_| !case.moves), &header, write),
                };
                let payload = Arc::clone(&fitted.payload);
                kept = Some(Arc::new(FoundRecord { header: record, superseded_key: None, payload }));
                let payload = Arc::clone(&fitted.payload);
                puts.push(Put {
                    place: place.clone(),
                    is_ahead: case.moves,
                    record,
                    payload,
                    kept_until: record.expires,
                });
            }
            // Sealed before the store is asked, under a nonce that the record remembers.
            let sealer = &self.inner().sealer;
            let value = match fitted.target {
                Target::Store => sealer.seal_reference(nonce, &header, version),
                Target::Cookie | Target::Nowhere => sealer.seal_inline(nonce, &header, &fitted.payload),
            };
            let value = value.map_err(|error| self.seal_error(&fitted.payload, error))?;
            cookie = Some(Sealed { header, write, value });
        }
        if let (Target::Nowhere, Some(place), Some(state)) = (fitted.target, ahead, plan.ahead) {
            let case = Case { here: case.ahead, ..Case::ending() };
            puts.push(Put { is_ahead: true, ..self.leaving(state, place, &case, None, write) });
        }
        if let (Some(place), Some(state @ (RecordState::Left | RecordState::Ended))) = (here, plan.here) {
            puts.push(self.leaving(state, place, case, opened, write));
        }
        if case.want == Want::End
            && let Some(opened) = opened
        {
            self.end_elsewhere(opened).await?;
        }
        let mut completion = Some(self.completion(case, opened, cookie, kept, draft, fitted)?);
        let count = puts.len();
        for (position, put) in puts.into_iter().enumerate() {
            let is_last = position.saturating_add(1) == count;
            let is_ahead = put.is_ahead;
            let before = if is_ahead { case.ahead } else { case.here };
            match self.put(put, write, before, completion.take_if(|_| is_last)).await? {
                Answer::Written => {}
                Answer::Conflict | Answer::Missing => return Ok(Met::Other { is_ahead }),
            }
        }
        if let Some(completion) = completion {
            self.complete(self.progress()?, completion);
        }
        Ok(Met::Done)
    }

    /// Hands one record to the store. What is not answered is remembered, and found out about by the next step.
    async fn put(
        &self,
        put: Put,
        write: WriteId,
        before: Option<&Standing>,
        completion: Option<Completion>,
    ) -> Result<Answer, CommitError> {
        let Put { place, is_ahead, record, payload, kept_until } = put;
        let expected_version = before.and_then(Standing::version);
        let tip = match before {
            Some(Standing::Record(found)) => found.header.lineage.newest(),
            _ => None,
        };
        let expected = expected_version.map(|version| (version, tip));
        let attempt = Attempt { place: place.clone(), is_ahead, write, expected, completion };
        self.progress()?.attempt = Some(attempt);
        let answer = place.records.put(&place.id, &record, &payload, kept_until, expected_version).await;
        let mut progress = self.progress()?;
        let answer = match answer {
            Err(CommitError::Store(error)) => return Err(CommitError::Store(error)),
            answer => answer,
        };
        // From here on the outcome is known.
        let attempt = progress.attempt.take();
        let answer = answer?;
        if answer == Answer::Written {
            match attempt.and_then(|attempt| attempt.completion) {
                Some(completion) => self.complete(progress, completion),
                None => {
                    progress.owns_ahead = true;
                    progress.ahead =
                        Some(Standing::Record(FoundRecord { header: record, superseded_key: None, payload }));
                }
            }
        }
        Ok(answer)
    }

    /// What stays in the place that the session leaves.
    // Security: what an old id shows to requests in flight is what it showed before, and nothing of the new session; and once
    // the session is over, nothing at all.
    fn leaving(
        &self,
        state: RecordState,
        place: Place,
        case: &Case<'_>,
        opened: Option<&Opened>,
        write: WriteId,
    ) -> Put {
        let now = self.inner().clock.now();
        let standing = case.here.and_then(|standing| match standing {
            Standing::Record(found) => Some(&found.header),
            _ => None,
        });
        let header = opened.map(|opened| &opened.header);
        let base = opened.map_or_else(Lineage::default, |opened| {
            Lineage::from_base(opened.base.0, opened.base.1).followed_by(opened.write)
        });
        let first_left = now.saturating_add_seconds(limits::REGENERATE_GRACE_SECONDS);
        let own =
            opened.and_then(|opened| opened.record.as_ref().map(|record| &record.payload).or(opened.inline.as_ref()));
        // What another login has taken from it stays taken.
        let before = match case.here {
            Some(Standing::Record(found)) if found.header.state == RecordState::Left => Some(&found.payload),
            _ => own,
        };
        let record = RecordHeader {
            state,
            persistence: standing.map_or_else(
                || header.map(|header| header.persistence).unwrap_or_default(),
                |header| header.persistence,
            ),
            lifetime_seconds: standing.map_or(0, |header| header.lifetime_seconds),
            version: place.records.next_version(case.here.and_then(Standing::version)),
            created: place.created,
            updated: header.map_or(now, |header| now.max(header.issued)),
            expires: standing
                .filter(|header| header.state == RecordState::Left)
                .map_or(first_left, |header| header.expires),
            lineage: standing.map_or(base, |header| header.lineage).followed_by(write),
        };
        let payload = match (state, before) {
            (RecordState::Left, Some(before)) => self.loaded.session.leftovers_json(before),
            _ => Zeroizing::new(b"{}".to_vec()),
        };
        let kept_until = now.saturating_add_seconds(limits::ENDED_RECORD_SECONDS);
        Put { place, is_ahead: false, record, payload: Arc::new(payload), kept_until }
    }

    /// A session that was found under an earlier audience may have a record under both: ended is ended in both.
    async fn end_elsewhere(&self, opened: &Opened) -> Result<(), CommitError> {
        let Some(earlier) = opened.earlier.as_ref().and_then(|earlier| earlier.records.as_ref()) else { return Ok(()) };
        let other = match (opened.header.kind, self.inner().records.as_ref()) {
            (Kind::Reference, Some(today)) => today,
            _ => earlier,
        };
        let place = Place { records: other.clone(), id: opened.header.id.clone(), created: opened.header.created };
        let write = CookieNonce::draw()?.write_id();
        for _ in 0..limits::CONFLICT_RETRIES_MAX {
            let standing = place.records.find(&place.id, place.created).await?;
            let version = match &standing {
                Standing::Nothing => return Ok(()),
                Standing::Record(found) if found.header.state == RecordState::Ended => return Ok(()),
                standing => standing.version(),
            };
            let case = Case { here: Some(&standing), ..Case::ending() };
            let put = self.leaving(RecordState::Ended, place.clone(), &case, Some(opened), write);
            if place.records.put(&place.id, &put.record, &put.payload, put.kept_until, version).await?
                == Answer::Written
            {
                return Ok(());
            }
        }
        Err(CommitError::Conflict)
    }

    /// What holds once the session is written.
    fn completion(
        &self,
        case: &Case<'_>,
        opened: Option<&Opened>,
        cookie: Option<Sealed>,
        record: Option<Arc<FoundRecord>>,
        draft: Draft,
        fitted: Fitted,
    ) -> Result<Completion, CommitError> {
        let inner = self.inner();
        let leaves_id = opened.is_some() && case.want >= Want::NewId;
        let marker = opened.filter(|_| leaves_id && inner.sets_markers);
        let mut completion = Completion {
            origin: Origin::New,
            line: None,
            markers: marker.map(|opened| self.markers(&opened.header)).transpose()?.unwrap_or_default(),
            drops_input: fitted.without_input,
            has_new_id: cookie.is_some() && (opened.is_none() || leaves_id),
            has_ended: case.want == Want::End || draft.id_change == IdChange::Invalidated,
            events: self.events(case, opened, cookie.is_some(), &fitted)?,
            draft,
        };
        match cookie {
            Some(Sealed { header, write, value }) => {
                completion.line = Some(self.line(&header, &value));
                let is_inline = fitted.target == Target::Cookie;
                let kind = if is_inline { Kind::Inline } else { Kind::Reference };
                let same = opened.filter(|opened| opened.header.id == header.id && opened.inline.is_some());
                completion.origin = Origin::Opened(Box::new(Opened {
                    base: same.map_or((write, header.issued), |opened| opened.base),
                    header: Header { kind, ..header },
                    write,
                    superseded_key: None,
                    inline: is_inline.then_some(fitted.payload),
                    least_version: 0,
                    record,
                    earlier: None,
                    unread: None,
                }));
            }
            None if opened.is_some() => completion.line = Some(response::remove(&inner.attributes)),
            None => {}
        }
        Ok(completion)
    }

    /// In the order of [`Event`].
    fn events(
        &self,
        case: &Case<'_>,
        opened: Option<&Opened>,
        is_kept: bool,
        fitted: &Fitted,
    ) -> Result<Vec<Event>, CommitError> {
        let session = &self.loaded.session;
        let was_in_store = opened.is_some_and(Opened::is_in_record);
        let mut events = Vec::new();
        let before = opened.map(|opened| match &opened.earlier {
            Some(earlier) => opened.header.id.public_id(earlier.sealer.audience()),
            None => session.public(&opened.header.id),
        });
        if !is_kept {
            let id = opened.map_or_else(|| self.id(), |opened| Ok(opened.header.id.clone()))?;
            let id = session.public(&id);
            return Ok(vec![Event::Destroyed { id }, Event::Committed { id }]);
        }
        let to = session.public(&self.id()?);
        if let Some(from) = before.filter(|from| *from != to) {
            events.push(Event::Migrated { from, to });
        }
        match fitted.target {
            Target::Store if !was_in_store => events.push(Event::Spilled { id: to }),
            Target::Cookie if was_in_store => events.push(Event::Returned { id: to }),
            _ => {}
        }
        if fitted.without_input {
            events.push(Event::OldInputDropped { id: to });
        }
        match opened.and_then(|opened| opened.superseded_key) {
            Some(from) => events.push(Event::Resealed { id: to, from }),
            None if case.want == Want::Refresh => events.push(Event::Renewed { id: to }),
            None => {}
        }
        if let Some(id) = before.filter(|_| case.want == Want::End) {
            events.push(Event::Destroyed { id });
        }
        events.push(Event::Committed { id: to });
        Ok(events)
    }

    /// `Set-Cookie` of the marker of a session that this browser leaves, and the removal of the oldest where there are too
    /// many.
    fn markers(&self, left: &Header) -> Result<Vec<String>, CommitError> {
        let (inner, now) = (self.inner(), self.inner().clock.now());
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

    fn complete(&self, mut progress: MutexGuard<'_, Progress>, completion: Completion) {
        let Completion { origin, line, markers, draft, drops_input, has_new_id, has_ended, events } = completion;
        // In a cookie alone, which the browser does not hold yet. Another request may have made a record of the one that it
        // holds; there, all of this request's operations are to be made.
        let is_in_cookie_alone = origin.opened().is_some_and(|opened| opened.record.is_none());
        self.loaded.session.mark_saved(&draft, is_in_cookie_alone);
        if drops_input {
            self.loaded.session.drop_old_input();
        }
        progress.here = origin.opened().and_then(|opened| opened.record.clone()).map(Standing::of);
        progress.ahead = None;
        progress.owns_ahead = false;
        progress.began_anew = false;
        progress.origin = origin;
        progress.line = line.or_else(|| progress.line.take());
        progress.markers.extend(markers);
        progress.has_new_id |= has_new_id;
        progress.has_ended |= has_ended;
        drop(progress);
        // Last: an observer sees what holds, and cannot hold it up.
        events.iter().for_each(|event| self.tell(event));
    }

    /// The JSON that fits, and where. Old input is the first to go, where the configuration lets it: a form that comes
    /// back without its fields is better than none, and one without its errors is worse.
    fn fitted(&self, draft: &Draft, opened: Option<&Opened>, began_anew: bool) -> Result<Fitted, CommitError> {
        let session = &self.loaded.session;
        let ends = draft.destroyed || draft.id_change == IdChange::Invalidated;
        let begins = ends || began_anew;
        if draft.destroyed || (begins && !draft.has_something) || (opened.is_some() && draft.emptied) {
            return Ok(Fitted { payload: Arc::default(), target: Target::Nowhere, without_input: false });
        }
        let fitted = |payload, target, without_input| Fitted { payload: Arc::new(payload), target, without_input };
        let payload = session.payload_json();
        let error = match self.target(&payload, draft, opened) {
            Ok(target) => return Ok(fitted(payload, target, false)),
            Err(error) => error,
        };
        if self.inner().when_too_large == TooLarge::TrimFlash
            && let Some(payload) = session.payload_json_without_input()
            && let Ok(target) = self.target(&payload, draft, opened)
        {
            return Ok(fitted(payload, target, true));
        }
        Err(error)
    }

    fn target(&self, payload: &[u8], draft: &Draft, opened: Option<&Opened>) -> Result<Target, CommitError> {
        let inner = self.inner();
        let is_in_store = opened.is_some_and(Opened::is_in_record);
        let (longest_text, must_stay) = (inner.longest_text, draft.must_stay_on_server);
        match target(inner.placement, &inner.sealer, payload, longest_text, is_in_store, must_stay) {
            Some(Target::Store) if payload.len() > inner.record_limit_bytes => Err(self.too_large(payload.len())),
            Some(target) => Ok(target),
            None => Err(self.too_large(payload.len())),
        }
    }

    /// Wire format, section 3.2: every sealing begins the idle lifetime anew.
    fn header(&self, id: &SessionId, draft: &Draft, builds_on: Option<&Opened>) -> Header {
        let Draft { created, persistence, .. } = *draft;
        // Servers' clocks differ. No cookie is older than the session, or than the one that it takes the place of.
        let before = builds_on.map_or(created, |opened| opened.header.issued.max(created));
        let issued = self.inner().clock.now().max(before);
        let expires = issued.saturating_add_seconds(self.lifetime_seconds(draft));
        Header { kind: Kind::Inline, persistence, id: id.clone(), created, issued, expires }
    }

    /// The idle lifetime of this session by the settings of today.
    pub(super) fn lifetime_seconds(&self, draft: &Draft) -> u64 {
        let lifetimes = self.inner().sealer.lifetimes();
        match draft.persistence {
            Persistence::OwnLifetime => draft.own_lifetime_seconds.clamp(1, lifetimes.remember_max_seconds),
            Persistence::IdleTimeout | Persistence::BrowserSession => lifetimes.idle_timeout_seconds,
        }
    }

    /// When the session ends if it is not used again.
    fn session_end(&self, header: &Header) -> Timestamp {
        let absolute = self.inner().sealer.lifetimes().absolute_end(header.created);
        absolute.map_or(header.expires, |end| end.min(header.expires))
    }

    fn line(&self, header: &Header, value: &str) -> String {
        let max_age = match header.persistence {
            Persistence::BrowserSession => None,
            Persistence::IdleTimeout | Persistence::OwnLifetime => {
                Some(self.session_end(header).saturating_seconds_since(header.issued))
            }
        };
        response::issue(&self.inner().attributes, value, max_age)
    }

    /// Where the record of the session is or would be, as it came to this request.
    fn place_of(&self, opened: Option<&Opened>) -> Result<Option<Place>, CommitError> {
        let Some(opened) = opened else { return self.place_ahead() };
        let earlier = opened.earlier.as_ref().filter(|_| opened.inline.is_none());
        let records = earlier.and_then(|earlier| earlier.records.as_ref()).or(self.inner().records.as_ref());
        let (id, created) = (&opened.header.id, opened.header.created);
        Ok(records.map(|records| Place { records: records.clone(), id: id.clone(), created }))
    }

    /// Where its record goes under the id and the audience of today.
    fn place_ahead(&self) -> Result<Option<Place>, CommitError> {
        let Some(records) = self.inner().records.clone() else { return Ok(None) };
        Ok(Some(Place { records, id: self.id()?, created: self.loaded.session.draft().created }))
    }

    /// Whether the session goes on in another place.
    fn moves(&self, opened: &Opened, want: Want) -> bool {
        let is_elsewhere =
            opened.inline.is_none() && opened.earlier.as_ref().is_some_and(|earlier| earlier.records.is_some());
        want >= Want::NewId || is_elsewhere
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
    fn progress(&self) -> Result<MutexGuard<'a, Progress>, CommitError> {
        let progress = self.loaded.progress();
        if progress.turn == self.turn { Ok(progress) } else { Err(CommitError::Conflict) }
    }

    fn id(&self) -> Result<SessionId, CommitError> {
        Ok(self.loaded.session.ensure_id()?)
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.manager.0
    }

    fn too_large(&self, payload_bytes: usize) -> CommitError {
        let inner = self.inner();
        let payload_max_bytes = match inner.placement {
            Placement::CookieOnly => inner.sealer.payload_max_bytes(),
            Placement::Spill | Placement::StoreOnly => inner.record_limit_bytes,
        };
        let mut largest_keys = self.loaded.session.member_sizes();
        largest_keys.truncate(5);
        CommitError::TooLarge { payload_bytes, payload_max_bytes, largest_keys }
    }

    fn seal_error(&self, payload: &[u8], error: SealError) -> CommitError {
        match error {
            SealError::Random(error) => CommitError::Random(error),
            SealError::NoSealingKey => CommitError::NoSealingKey,
            _ => self.too_large(payload.len()),
        }
    }

    fn tell(&self, event: &Event) {
        self.inner().observers.tell(event);
    }
}

/// What a step met.
enum Met {
    /// Nothing that holds it up: the next step follows.
    Nobody,
    /// Another request was faster in this place.
    Other { is_ahead: bool },
    /// Its end.
    Done,
}

/// A cookie that goes out once the records are written.
struct Sealed {
    header: Header,
    write: WriteId,
    value: String,
}

/// A record that is to be written.
struct Put {
    place: Place,
    is_ahead: bool,
    record: RecordHeader,
    payload: Arc<Zeroizing<Vec<u8>>>,
    kept_until: Timestamp,
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

/// The lineage of a record that is written over what stands there.
fn lineage(before: Option<&Standing>, opened: Option<&Opened>, header: &Header, write: WriteId) -> Lineage {
    let presented = opened.filter(|opened| opened.inline.is_some());
    let record = opened.and_then(|opened| opened.record.as_ref());
    let continued = match (before, record) {
        (Some(Standing::Record(found)), Some(record)) if found.header.version == record.header.version => {
            Some(found.header.lineage)
        }
        _ => None,
    };
    let made_from = presented.map_or((write, header.issued), |opened| opened.base);
    let lineage = continued.unwrap_or_else(|| Lineage::from_base(made_from.0, made_from.1));
    // Another request with the same cookie finds itself in it, too.
    let lineage = match presented {
        Some(opened) if !lineage.contains(opened.write) => lineage.followed_by(opened.write),
        _ => lineage,
    };
    lineage.followed_by(write)
}
