//! Carries out a plan: seals the cookie, and writes the records one after the other.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::fitted::Fitted;
use super::progress::{Attempt, Completion, Opened, Place};
use super::protocol::{Case, Plan, Want};
use super::write::{Met, Sealed, Write};
use crate::clock::{Clock as _, Timestamp};
use crate::error::CommitError;
use crate::limits;
use crate::records::{Answer, FoundRecord, Standing, Target};
use crate::seal::CookieNonce;
use crate::session::{Draft, IdChange};
use crate::wire::header::{Header, Kind};
use crate::wire::record::{Lineage, RecordHeader, RecordState, WriteId};

/// A record that is to be written.
pub(super) struct Put {
    pub(super) place: Place,
    pub(super) is_ahead: bool,
    pub(super) record: RecordHeader,
    pub(super) payload: Arc<Zeroizing<Vec<u8>>>,
    pub(super) kept_until: Timestamp,
}

impl Write<'_> {
    /// Writes the records of a plan, one after the other, and then the cookie goes out.
    pub(super) async fn carry_out(
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
    pub(super) async fn put(
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
        let attempt = Attempt { place: place.clone(), is_ahead, write, expected, is_unsettled: true, completion };
        self.progress()?.attempts.push(attempt);
        let answer = place.records.put(&place.id, &record, &payload, kept_until, expected_version).await;
        let mut progress = self.progress()?;
        let answer = match answer {
            Err(CommitError::Store(error)) => return Err(CommitError::Store(error)),
            answer => answer,
        };
        // From here on the outcome is known.
        let attempt = progress.attempts.pop();
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
    pub(super) fn leaving(
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
    pub(super) async fn end_elsewhere(&self, opened: &Opened) -> Result<(), CommitError> {
        let Some(earlier) = opened.earlier.as_ref().and_then(|earlier| earlier.records.as_ref()) else { return Ok(()) };
        let other = match (opened.header.kind, self.inner().records.as_ref()) {
            (Kind::Reference, Some(today)) => today,
            _ => earlier,
        };
        let place =
            Place { records: other.clone(), id: Arc::new(opened.header.id.clone()), created: opened.header.created };
        let write = CookieNonce::draw()?.write_id();
        for _ in 0..limits::CONFLICT_RETRIES_MAX {
            let standing = place.records.find(&place.id, place.created).await?;
            let version = match &standing {
                Standing::Nothing => None,
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
