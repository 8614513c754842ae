//! Carries out a write: says where the session fits, seals its cookie, writes the records one after the other, and says what
//! stays where a session leaves: the record of its old id, the end of its record, and the marker in its browser.

use std::sync::Arc;

use super::protocol::{Case, OpenedSession, Target, Want};
use super::write::{Attempt, Completion, Left, Write};
use crate::clock::{Clock as _, Timestamp};
use crate::cookie::header;
use crate::cookie::header::ENDED;
use crate::error::CommitError;
use crate::id::{PublicId, SessionId};
use crate::json::text::Text;
use crate::limits;
use crate::seal::{CookieNonce, reference};
use crate::sealed_records::{FoundRecord, Place, Standing, not_sealed};
use crate::session::Draft;
use crate::settings::{Placement, TooLarge};
use crate::wipe::WipedBytes;
use crate::wire::{Header, Kind, Persistence};
use crate::wire::{Lineage, RecordHeader, RecordState, WriteId};

impl Write<'_> {
    /// The JSON that fits, where, and whether old input was left out of it. That is the first to go, where the configuration
    /// lets it: a form that comes back without its fields is better than none, and one without its errors is worse.
    pub(super) fn fit(&self, draft: &Draft, is_in_store: bool) -> Result<(Text, Target, bool), CommitError> {
        let whole = self.session.payload_json();
        if let Some(target) = self.target(&whole, draft, is_in_store) {
            return Ok((whole, target, false));
        }
        if self.inner.settings.when_too_large == TooLarge::TrimFlash
            && let Some(trimmed) = self.session.payload_json_without_input()
            && let Some(target) = self.target(&trimmed, draft, is_in_store)
        {
            return Ok((trimmed, target, true));
        }
        Err(self.too_large(whole.len()))
    }

    /// Decides by the payload's length alone, before anything is sealed. `None` when it fits nowhere.
    ///
    /// A session that is in the store comes back only when it fits three quarters of the limit, so that one which grows and
    /// shrinks around the limit does not move with each request.
    fn target(&self, payload: &[u8], draft: &Draft, is_in_store: bool) -> Option<Target> {
        let inner = self.inner;
        let longest = if is_in_store { inner.longest_text.saturating_mul(3) / 4 } else { inner.longest_text };
        let length = inner.sealer.text_length(payload.len());
        let fits_the_cookie = match inner.placement {
            // Wire format, section 4, step 10: an empty session begins without a record.
            Placement::StoreOnly => payload == b"{}" && !is_in_store,
            _ if draft.must_stay_on_server => false,
            Placement::CookieOnly => return length.map(|_| Target::Cookie),
            Placement::Spill => length.is_some_and(|length| length <= longest),
        };
        if fits_the_cookie {
            return Some(Target::Cookie);
        }
        (payload.len() <= inner.settings.sizes.record_limit_bytes).then_some(Target::Store)
    }

    /// What is handed to the store, one after the other: the session's record, where it gets one, and that of the old id. And what
    /// holds once they are written.
    pub(super) fn prepare(
        &self,
        case: Case,
        record: Option<RecordState>,
        leaves: Option<RecordState>,
    ) -> Result<(Vec<Attempt>, Completion), CommitError> {
        let (nonce, id) = self.session.draw()?;

        let opened = case.known.opened.as_deref();
        let here = case.known.here.as_ref().unwrap_or(&Standing::Nothing);
        let is_ahead = case.want == Want::NewId;
        let is_left = here.record().is_some_and(|left| left.header.state == RecordState::Left);
        if is_ahead && is_left && self.session.has_pulled() {
            // Another login has left this session. Whether it, or a request behind it, has taken the same cannot be told.
            return Err(CommitError::Conflict);
        }
        let (builds_on, before) = if is_ahead { (None, &case.known.ahead) } else { (opened, here) };
        let write = nonce.write_id();
        let header = self.header(id, &case, builds_on);
        let own = match record {
            Some(state) => self.place(builds_on)?.map(|place| {
                let record = if state == RecordState::Ended {
                    self.closed(state, &place, before, builds_on, write)
                } else {
                    let header = RecordHeader {
                        state,
                        persistence: case.draft.persistence,
                        lifetime_seconds: case.draft.own_lifetime_seconds,
                        version: place.next_version(before.version()),
                        created: header.created,
                        updated: header.issued,
                        expires: self.session_end(&header),
                        lineage: lineage(before, builds_on, &header, write, state),
                    };
                    FoundRecord { header, superseded_key: None, payload: Arc::clone(&case.payload) }
                };
                Attempt::new(place, is_ahead, record, before)
            }),
            None => None,
        };
        let left = match leaves.zip(opened) {
            Some((state, opened)) => self.place(Some(opened))?.map(|place| {
                let record = self.closed(state, &place, here, Some(opened), write);
                Attempt::new(place, false, record, here)
            }),
            None => None,
        };
        // Sealed before the store is asked, under a nonce that the record remembers.
        let kept = own.as_ref().map(|attempt| Arc::clone(&attempt.record));
        let completion = self.completion(case, nonce, header, kept)?;
        let mut attempts = Vec::new();
        attempts.extend(own);
        attempts.extend(left);
        Ok((attempts, completion))
    }

    /// Hands writes to the store. `Some` where another request was faster, and whether under the new id.
    pub(super) async fn hand_over(&self, attempts: Vec<Attempt>) -> Result<Option<bool>, CommitError> {
        for attempt in attempts {
            let is_ahead = attempt.is_ahead;
            if !self.attempt(attempt).await? {
                return Ok(Some(is_ahead));
            }
        }
        Ok(None)
    }

    /// Lets a session in a record live on without rewriting it.
    pub(super) async fn touch(&self, case: Case) -> Result<(), CommitError> {
        let opened = case.known.opened.as_deref().ok_or(CommitError::Conflict)?;
        let place = self.place(Some(opened))?.ok_or(CommitError::Conflict)?;
        let header = self.header(opened.header.id.clone(), &case, Some(opened));
        if !place.touch(self.session_end(&header)).await? {
            return Err(CommitError::Conflict);
        }
        let record = opened.record.clone();
        let completion = self.completion(case, CookieNonce::draw()?, header, record)?;
        self.complete(self.progress()?, completion);
        Ok(())
    }

    /// Hands one record to the store; `false` where another request was faster. What is not answered is remembered, and found
    /// out about by the next step.
    async fn attempt(&self, attempt: Attempt) -> Result<bool, CommitError> {
        let (place, record, expected) = (attempt.place.clone(), Arc::clone(&attempt.record), attempt.before.version());
        self.progress()?.attempts.push(attempt);
        let answer = place.put(&record, expected).await;
        let mut progress = self.progress()?;
        if matches!(answer, Err(CommitError::Store(_))) {
            return answer;
        }
        // From here on the outcome is known.
        let attempt = progress.attempts.pop();
        let is_written = answer?;
        if is_written && let Some(write) = record.header.lineage.newest() {
            progress.written.push(write);
        }
        match attempt.and_then(|attempt| attempt.completion) {
            Some(completion) if is_written => self.complete(progress, completion),
            None if is_written => progress.known.ahead = Standing::Record(record),
            _ => {}
        }
        Ok(is_written)
    }

    /// What holds once the session is written, with its cookie if something is left of it.
    fn completion(
        &self,
        case: Case,
        nonce: CookieNonce,
        header: Header,
        record: Option<Arc<FoundRecord>>,
    ) -> Result<Completion, CommitError> {
        let Case { want, draft, payload, target, drops_input, known, .. } = case;
        let before = known.opened.as_deref();
        let is_crowded = self.request.candidates.have_too_many_markers() && target != Target::Nowhere;
        let leaves = match before.filter(|_| want == Want::NewId) {
            Some(before) => Some(self.leaves(before)?),
            None if is_crowded => Some(self.left_before()?),
            None => None,
        };
        let left = match leaves {
            None => None,
            Some(mut left) => {
                // Where nothing goes on, the session has ended.
                let goes_on = target != Target::Nowhere && !known.began_anew;
                left.markers = self.markers(&left, goes_on.then(|| self.session.public(&header.id)))?;
                Some(Box::new(left))
            }
        };
        if target == Target::Nowhere {
            return Ok(Completion { want, opened: None, line: None, left, draft, drops_input });
        }
        let write = nonce.write_id();
        let same = before.filter(|before| before.header.id == header.id);
        let place = same.map_or(0, |before| before.place);
        let version = record.as_ref().filter(|_| target == Target::Store).map(|record| record.header.version);
        let kind = if version.is_some() { Kind::Reference } else { Kind::Inline };
        let header = Header { kind, ..header };
        let sealer = match kind {
            Kind::Reference => self.inner.sealer_of_references(place),
            Kind::Inline => &self.inner.sealer,
        };
        let max_age = match header.persistence {
            Persistence::BrowserSession => None,
            Persistence::IdleTimeout | Persistence::OwnLifetime => {
                Some(self.session_end(&header).saturating_seconds_since(header.issued))
            }
        };
        let version = version.map(reference);
        let content = version.as_ref().map_or(&**payload, |version| version.as_slice());
        let length = sealer.text_length(content.len()).unwrap_or(0);
        let line = header::issue_with(&self.inner.settings.cookie, length, max_age, |line| {
            let sealed = sealer.seal_cookie(nonce, &header, content, line);
            sealed.map_err(|error| not_sealed(error, || self.too_large(payload.len())))
        })?;
        let line = Some(line);
        let opened = Some(Arc::new(OpenedSession {
            base: same.filter(|before| before.inline.is_some()).map_or((write, header.issued), |before| before.base),
            place,
            header,
            write,
            superseded_key: None,
            inline: (kind == Kind::Inline).then_some(payload),
            least_version: 0,
            record,
            sealer: Arc::clone(sealer),
            failure: None,
        }));
        Ok(Completion { want, opened, line, left, draft, drops_input })
    }

    /// What this browser has and a session that gets a new id leaves: nothing more where the session began in this request, as no
    /// browser has seen it.
    fn leaves(&self, before: &OpenedSession) -> Result<Left, CommitError> {
        if self.progress()?.has_new_id {
            return self.left_before();
        }
        let ids = vec![self.session.public(&before.header.id)];
        Ok(Left { ids, lifetime_seconds: before.lifetime_seconds(), markers: Vec::new() })
    }

    /// What an earlier save of this request has left.
    fn left_before(&self) -> Result<Left, CommitError> {
        Ok(self.progress()?.left.as_deref().cloned().unwrap_or_default())
    }

    /// Wire format, section 3.2: every sealing begins the idle lifetime anew.
    fn header(&self, id: SessionId, case: &Case, builds_on: Option<&OpenedSession>) -> Header {
        let Draft { created, persistence, .. } = case.draft;
        // Servers' clocks differ. No cookie is older than the session, or than the one that it takes the place of.
        let before = builds_on.map_or(created, |opened| opened.header.issued.max(created));
        let issued = self.inner.clock.now().max(before);
        let expires = issued.saturating_add_seconds(self.lifetime_seconds(&case.draft));
        Header { kind: Kind::Inline, persistence, id, created, issued, expires }
    }

    /// The idle lifetime of this session by the settings of today.
    pub(super) fn lifetime_seconds(&self, draft: &Draft) -> u64 {
        let lifetimes = self.inner.sealer.lifetimes();
        match draft.persistence {
            Persistence::OwnLifetime => draft.own_lifetime_seconds.clamp(1, lifetimes.remember_max_seconds),
            Persistence::IdleTimeout | Persistence::BrowserSession => lifetimes.idle_timeout_seconds,
        }
    }

    /// When the session ends if it is not used again.
    fn session_end(&self, header: &Header) -> Timestamp {
        let absolute = self.inner.sealer.lifetimes().absolute_end(header.created);
        absolute.map_or(header.expires, |end| end.min(header.expires))
    }

    fn too_large(&self, payload_bytes: usize) -> CommitError {
        let inner = self.inner;
        let payload_max_bytes = match inner.placement {
            Placement::CookieOnly => inner.sealer.payload_max_bytes(),
            Placement::Spill | Placement::StoreOnly => inner.settings.sizes.record_limit_bytes,
        };
        let mut largest_keys = self.session.member_sizes();
        largest_keys.truncate(5);
        CommitError::TooLarge { payload_bytes, payload_max_bytes, largest_keys }
    }

    /// The record of a session that was left, or has ended. `write` names the write, where its outcome is asked for later.
    // Security: what an old id shows to requests in flight is what it showed before, and nothing of the new session; and once
    // the session is over, nothing at all.
    pub(super) fn closed(
        &self,
        state: RecordState,
        place: &Place,
        standing: &Standing,
        opened: Option<&OpenedSession>,
        write: WriteId,
    ) -> FoundRecord {
        let now = self.inner.clock.now();
        let before = standing.record();
        let left_before = before.filter(|before| before.header.state == RecordState::Left);
        // What another login has taken from it stays taken.
        let shown = left_before.map(|left| &left.payload).or_else(|| {
            opened.and_then(|opened| opened.record.as_ref().map(|record| &record.payload).or(opened.inline.as_ref()))
        });
        let payload = match (state, shown) {
            (RecordState::Left, Some(shown)) => self.session.leftovers_json(shown),
            _ => Text::new(WipedBytes::from(&b"{}"[..])),
        };
        let base = opened.map_or_else(Lineage::default, |opened| {
            Lineage::from_base(opened.base.0, opened.base.1).followed_by(opened.write)
        });
        // What stands there may be no ancestor of this session's cookie: then whoever else has the cookie finds himself in the new one.
        let descends = |lineage: &Lineage| {
            opened.is_none_or(|opened| {
                opened.inline.is_none() || lineage.contains(opened.write) || lineage.contains(opened.base.0)
            })
        };
        let continued = before.map(|before| before.header.lineage).filter(descends);
        let header = RecordHeader {
            state,
            persistence: before.map(|before| before.header.persistence).unwrap_or_default(),
            lifetime_seconds: before.map_or(0, |before| before.header.lifetime_seconds),
            version: place.next_version(standing.version()),
            created: place.created,
            updated: opened.map_or(now, |opened| now.max(opened.header.issued)),
            expires: left_before.map_or_else(
                || now.saturating_add_seconds(limits::REGENERATE_GRACE_SECONDS),
                |left| left.header.expires,
            ),
            lineage: continued.unwrap_or(base).followed_by(write),
        };
        FoundRecord { header, superseded_key: None, payload }
    }

    /// `Set-Cookie` of the markers of sessions that this browser leaves: of one that got a new id, or of those that ended.
    /// Where there are too many, the oldest are removed.
    pub(super) fn markers(&self, left: &Left, successor: Option<PublicId>) -> Result<Vec<String>, CommitError> {
        let (inner, now) = (self.inner, self.inner.clock.now());
        let (mut left, lifetime_seconds) = (left.ids.clone(), left.lifetime_seconds);
        let name = |id, has_ended| {
            let suffix = if has_ended { ENDED } else { "" };
            inner.settings.cookie.renamed(&format!("{}-{id}{suffix}", inner.sealer.cookie_name()))
        };
        let mut others = self.request.candidates.valid_markers(inner, true, now);
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
        let mut lines: Vec<_> =
            too_many.map(|other| header::remove(&name(other.named(), other.successor.is_none()))).collect();
        // Of another ring, which sets markers under the same name: they would pile up in the browser. Those of a key that this
        // server does not know yet are the newest, and stay.
        // Where so many came that no session is opened, all of them go, or nobody could log in.
        let stay = if self.request.candidates.have_too_many_markers() { 0 } else { limits::STRANGE_MARKERS_MAX };
        let strange = self.request.candidates.strange_markers(inner, now).into_iter().skip(stay);
        lines.extend(strange.map(|(id, has_ended)| header::remove(&name(id, has_ended))));
        // Security: for as long as any cookie of the session may be valid, and any of one that was made of it and is refused:
        // also one that is on its way, whatever lifetime of its own it asked for; and where another server allows longer ones, for
        // as long as the cookie that came with the request.
        let lifetimes = inner.sealer.lifetimes();
        let longest = lifetimes.idle_timeout_seconds.max(lifetimes.remember_max_seconds).max(lifetime_seconds);
        let seconds = longest.saturating_add(limits::ENDED_RECORD_SECONDS);
        for id in left {
            let (named, predecessor) = successor.map_or((id, None), |successor| (successor, Some(id)));
            let value = inner.sealer.marker(named, predecessor, now).map_err(|_| CommitError::NoSealingKey)?;
            lines.push(header::issue(&name(named, predecessor.is_none()), &value, Some(seconds)));
        }
        Ok(lines)
    }
}

/// The lineage of a record that is written over what stands there.
fn lineage(
    before: &Standing,
    opened: Option<&OpenedSession>,
    header: &Header,
    write: WriteId,
    state: RecordState,
) -> Lineage {
    let presented = opened.filter(|opened| opened.inline.is_some());
    let record = opened.and_then(|opened| opened.record.as_ref());
    let continued = before.record().zip(record).filter(|(found, seen)| found.header.version == seen.header.version);
    let made_from = presented.map_or((write, header.issued), |opened| opened.base);
    let lineage =
        continued.map_or_else(|| Lineage::from_base(made_from.0, made_from.1), |(found, _)| found.header.lineage);
    // Another request with the same cookie finds itself in it, too.
    let lineage = match presented {
        Some(opened) if !lineage.contains(opened.write) => lineage.followed_by(opened.write),
        _ => lineage,
    };
    match state {
        RecordState::Returned => lineage.returned_by(write),
        _ => lineage.followed_by(write),
    }
}
