//! Carries out a write: says where the session fits, seals its cookie, and writes the records one after the other.

use std::sync::Arc;

use super::progress::{Attempt, Completion, Known, Opened};
use super::protocol::{Case, Want};
use super::write::Write;
use crate::clock::{Clock as _, Timestamp};
use crate::cookie::response;
use crate::error::{CommitError, SealError};
use crate::id::SessionId;
use crate::manager::TooLarge;
use crate::records::{FoundRecord, Placement, Standing, Target, target};
use crate::seal::CookieNonce;
use crate::session::{Draft, IdChange, Text};
use crate::wire::header::{Header, Kind, Persistence};
use crate::wire::record::{Lineage, RecordHeader, RecordState, WriteId};

/// The JSON that is written, and where.
pub(super) struct Fitted {
    payload: Text,
    pub(super) target: Target,
    /// The old input of a form was left out, for want of room.
    without_input: bool,
}

impl Write<'_> {
    /// The JSON that fits, and where. Old input is the first to go, where the configuration lets it: a form that comes
    /// back without its fields is better than none, and one without its errors is worse.
    pub(super) fn fitted(&self, draft: &Draft, known: &Known) -> Result<Fitted, CommitError> {
        let session = &self.loaded.session;
        let ends = draft.destroyed || draft.id_change == IdChange::Invalidated;
        let is_empty = (ends || known.began_anew) && !draft.has_something;
        if draft.destroyed || is_empty || (known.opened.is_some() && draft.emptied) {
            return Ok(Fitted { payload: Arc::default(), target: Target::Nowhere, without_input: false });
        }
        let is_in_store = known.opened.as_ref().is_some_and(|opened| opened.is_in_record());
        let fitted = |payload: Text, without_input| {
            let target = self.target(&payload, draft, is_in_store)?;
            Ok(Fitted { payload, target, without_input })
        };
        let outcome = fitted(session.payload_json(), false);
        if outcome.is_err()
            && self.inner().when_too_large == TooLarge::TrimFlash
            && let Some(payload) = session.payload_json_without_input()
            && let Ok(trimmed) = fitted(payload, true)
        {
            return Ok(trimmed);
        }
        outcome
    }

    fn target(&self, payload: &[u8], draft: &Draft, is_in_store: bool) -> Result<Target, CommitError> {
        let inner = self.inner();
        let (longest_text, must_stay) = (inner.longest_text, draft.must_stay_on_server);
        match target(inner.placement, &inner.sealer, payload, longest_text, is_in_store, must_stay) {
            Some(Target::Store) if payload.len() > inner.record_limit_bytes => Err(self.too_large(payload.len())),
            Some(target) => Ok(target),
            None => Err(self.too_large(payload.len())),
        }
    }

    /// Writes the session's record, where it gets one, and leaves that of the old id; then the cookie goes out. `Some` where
    /// another request was faster, and whether under the new id.
    pub(super) async fn carry_out(
        &self,
        record: Option<RecordState>,
        leaves: Option<RecordState>,
        case: &Case<'_>,
        draft: Draft,
        fitted: Fitted,
    ) -> Result<Option<bool>, CommitError> {
        let Known { opened, here, ahead, .. } = case.known;
        let (opened, nothing) = (opened.as_deref(), Standing::Nothing);
        let here = here.as_ref().unwrap_or(&nothing);
        let is_ahead = case.want == Want::NewId;
        let is_left = matches!(here, Standing::Record(left) if left.header.state == RecordState::Left);
        if is_ahead && is_left && self.loaded.session.has_pulled() {
            // Another login has left this session. Whether it, or a request behind it, has taken the same cannot be told.
            return Err(CommitError::Conflict);
        }
        let (builds_on, before) = if is_ahead { (None, ahead) } else { (opened, here) };
        let nonce = CookieNonce::draw()?;
        let write = nonce.write_id();
        let header = self.header(&self.id()?, &draft, builds_on);
        let place = self.place(builds_on, builds_on.map_or(0, |opened| opened.place))?;
        let mut attempts = Vec::new();
        if let (Some(place), Some(state)) = (&place, record) {
            let record = if state == RecordState::Ended {
                self.closed(state, place, before, builds_on, write)
            } else {
                let header = RecordHeader {
                    state,
                    persistence: draft.persistence,
                    lifetime_seconds: draft.own_lifetime_seconds,
                    version: place.records.next_version(before.version()),
                    created: header.created,
                    updated: header.issued,
                    expires: self.session_end(&header),
                    lineage: lineage(before, builds_on, &header, write),
                };
                FoundRecord { header, superseded_key: None, payload: Arc::clone(&fitted.payload) }
            };
            attempts.push(Attempt::new(place.clone(), is_ahead, record, before));
        }
        // Sealed before the store is asked, under a nonce that the record remembers.
        let kept = attempts.first().map(|attempt| Arc::clone(&attempt.record));
        let mut completion = Some(self.completion(case.want, case.known, nonce, header, kept, draft, fitted)?);
        if let (Some(state), Some(opened)) = (leaves, opened)
            && let Some(place) = self.place(Some(opened), opened.place)?
        {
            let record = self.closed(state, &place, here, Some(opened), write);
            attempts.push(Attempt::new(place, false, record, here));
        }
        let count = attempts.len();
        for (position, mut attempt) in attempts.into_iter().enumerate() {
            attempt.completion = completion.take_if(|_| position.saturating_add(1) == count);
            let is_ahead = attempt.is_ahead;
            if !self.attempt(attempt).await? {
                return Ok(Some(is_ahead));
            }
        }
        if let Some(completion) = completion {
            self.complete(self.progress()?, completion);
        }
        Ok(None)
    }

    /// Lets a session in a record live on without rewriting it.
    pub(super) async fn touch(
        &self,
        known: &Known,
        want: Want,
        draft: Draft,
        fitted: Fitted,
    ) -> Result<bool, CommitError> {
        let Some(opened) = known.opened.as_deref() else { return Err(CommitError::Conflict) };
        let place = self.place(Some(opened), opened.place)?.ok_or(CommitError::Conflict)?;
        let header = self.header(&place.id, &draft, Some(opened));
        if !place.records.touch(&place.id, self.session_end(&header)).await? {
            return Err(CommitError::Conflict);
        }
        let (nonce, record) = (CookieNonce::draw()?, opened.record.clone());
        let completion = self.completion(want, known, nonce, header, record, draft, fitted)?;
        self.complete(self.progress()?, completion);
        Ok(true)
    }

    /// Hands one record to the store; `false` where another request was faster. What is not answered is remembered, and found
    /// out about by the next step.
    async fn attempt(&self, attempt: Attempt) -> Result<bool, CommitError> {
        let (place, record, expected_version) =
            (attempt.place.clone(), Arc::clone(&attempt.record), attempt.before.version());
        self.progress()?.attempts.push(attempt);
        let answer = place.records.put(&place.id, &record, expected_version).await;
        let mut progress = self.progress()?;
        if matches!(answer, Err(CommitError::Store(_))) {
            return answer;
        }
        // From here on the outcome is known.
        let attempt = progress.attempts.pop();
        let is_written = answer?;
        match attempt.and_then(|attempt| attempt.completion) {
            Some(completion) if is_written => self.complete(progress, completion),
            None if is_written => progress.known.ahead = Standing::Record(record),
            _ => {}
        }
        Ok(is_written)
    }

    /// What holds once the session is written, with its cookie if something is left of it.
    #[expect(clippy::too_many_arguments, reason = "each is a part of what holds then")]
    fn completion(
        &self,
        want: Want,
        known: &Known,
        nonce: CookieNonce,
        header: Header,
        record: Option<Arc<FoundRecord>>,
        draft: Draft,
        fitted: Fitted,
    ) -> Result<Completion, CommitError> {
        let Fitted { payload, target, without_input: drops_input } = fitted;
        let before = known.opened.as_deref();
        let markers = match before.filter(|_| want == Want::NewId) {
            None => Vec::new(),
            Some(left) => {
                // Where nothing goes on, the session has ended.
                let goes_on = target != Target::Nowhere && !known.began_anew;
                self.markers(
                    vec![self.loaded.session.public(&left.header.id)],
                    goes_on.then(|| self.loaded.session.public(&header.id)),
                )?
            }
        };
        if target == Target::Nowhere {
            return Ok(Completion { want, opened: None, line: None, markers, draft, drops_input });
        }
        let (write, sealer) = (nonce.write_id(), &self.inner().sealer);
        let (kind, value) = match (target, &record) {
            (Target::Store, Some(record)) => {
                (Kind::Reference, sealer.seal_reference(nonce, &header, record.header.version))
            }
            _ => (Kind::Inline, sealer.seal_inline(nonce, &header, &payload)),
        };
        let value = value.map_err(|error| self.seal_error(&payload, error))?;
        let line = Some(self.line(&header, &value));
        let same = before.filter(|before| before.header.id == header.id);
        let opened = Some(Box::new(Opened {
            base: same.filter(|before| before.inline.is_some()).map_or((write, header.issued), |before| before.base),
            place: same.map_or(0, |before| before.place),
            header: Header { kind, ..header },
            write,
            superseded_key: None,
            inline: (kind == Kind::Inline).then_some(payload),
            least_version: 0,
            record,
            earlier: None,
            failure: None,
        }));
        Ok(Completion { want, opened, line, markers, draft, drops_input })
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

    pub(super) fn seal_error(&self, payload: &[u8], error: SealError) -> CommitError {
        match error {
            SealError::Random(error) => CommitError::Random(error),
            SealError::NoSealingKey => CommitError::NoSealingKey,
            _ => self.too_large(payload.len()),
        }
    }
}

/// The lineage of a record that is written over what stands there.
fn lineage(before: &Standing, opened: Option<&Opened>, header: &Header, write: WriteId) -> Lineage {
    let presented = opened.filter(|opened| opened.inline.is_some());
    let record = opened.and_then(|opened| opened.record.as_ref());
    let continued = match (before, record) {
        (Standing::Record(found), Some(record)) if found.header.version == record.header.version => {
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
