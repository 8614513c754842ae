//! From the request's cookies to a session.

use std::sync::{Arc, Weak};

use super::protocol::{Known, OpenedSession};
use super::write::Progress;
use crate::clock::{Clock as _, Timestamp, within};
use crate::cookie::header::{self, Found, NamedMarker};
use crate::error::{LoadError, Reason, StoreError};
use crate::events::Event;
use crate::id::{PublicId, SessionId};
use crate::limits::MARKER_CANDIDATES_MAX;
use crate::manager::{Inner, SessionManager};
use crate::seal::{Body, OpenedCookie, Sealer};
use crate::sealed_records::Standing;
use crate::session::{Backing, Fixed, IdChange, Payload, Session, State};
use crate::settings::{Placement, StoreFailure};
use crate::wire::{Header, Persistence, marker};

/// The cookies of a request that may be its session, and those named as markers of sessions that this browser has left. Each is
/// a `Cookie` header of nothing else.
#[derive(Default)]
pub(super) struct Candidates {
    sessions: Vec<u8>,
    markers: Vec<u8>,
    /// More came than a browser ever gets from us.
    has_too_many_markers: bool,
}

/// Whether a record is that which a reference refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// It is older than the reference.
    Behind,
    Possible,
    /// It has the very version.
    Likely,
    /// It knows the write that the reference was sealed for.
    Certain,
}

/// A marker that a holder of the ring set.
pub(super) struct Marker {
    /// The session that this browser has left.
    pub(super) id: PublicId,
    pub(super) set_at: Timestamp,
    /// The session that took the place of this one; `None` where this one has ended.
    pub(super) successor: Option<PublicId>,
}

impl Marker {
    /// The session in its name: that which took the place of the one that was left, so that two of those have a marker each; or the
    /// one that has ended.
    pub(super) fn named(&self) -> PublicId {
        self.successor.unwrap_or(self.id)
    }
}

impl Candidates {
    pub(super) fn of<'a>(inner: &Inner, headers: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let mut candidates = Self::default();
        for name in &*inner.names {
            let mut markers = 0_usize;
            for found in header::found(headers.clone(), name) {
                match found {
                    Found::Session(value) => append(&mut candidates.sessions, &[name.as_bytes(), b"=", value]),
                    Found::Marker(NamedMarker { digits, has_ended, value }) => {
                        let ended = if has_ended { header::ENDED } else { "" };
                        let parts = [name.as_bytes(), b"-", digits, ended.as_bytes(), b"=", value];
                        append(&mut candidates.markers, &parts);
                        markers = markers.saturating_add(1);
                    }
                }
            }
            candidates.has_too_many_markers |= markers >= MARKER_CANDIDATES_MAX;
        }
        candidates
    }

    /// As the browser sends back what this line sets.
    pub(super) fn sent_back(line: &str) -> Self {
        let pair = line.split(';').next().filter(|pair| !pair.ends_with('='));
        Self { sessions: pair.map(Vec::from).unwrap_or_default(), ..Self::default() }
    }

    pub(super) const fn have_too_many_markers(&self) -> bool {
        self.has_too_many_markers
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// The values under a name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        header::values_in(&self.sessions, name)
    }

    /// The session and the kind of each marker under the name of today that no holder of the ring set, the newest first, as far as
    /// they say when they were set.
    pub(super) fn strange_markers(&self, inner: &Inner, now: Timestamp) -> Vec<(PublicId, bool)> {
        let valid = self.valid_markers(inner, true, now);
        let named = inner.names.iter().take(1).flat_map(|name| header::found([self.markers.as_slice()], name));
        let named = named.filter_map(|found| match found {
            Found::Marker(found) => {
                let set_at = marker::Marker::from_text(found.value).map(|marker| marker.set_at);
                Some((set_at, PublicId::from_hex(found.digits)?, found.has_ended))
            }
            Found::Session(_) => None,
        });
        let is_valid = |id: PublicId, has_ended| {
            valid.iter().any(|marker| marker.named() == id && marker.successor.is_none() == has_ended)
        };
        let mut strange: Vec<_> = named.filter(|(_, id, has_ended)| !is_valid(*id, *has_ended)).collect();
        strange.sort_by_key(|(set_at, ..)| std::cmp::Reverse(*set_at));
        strange.into_iter().map(|(_, id, has_ended)| (id, has_ended)).collect()
    }

    /// The markers that a holder of the ring set, under the name of today alone or under any.
    pub(super) fn valid_markers(&self, inner: &Inner, of_today: bool, now: Timestamp) -> Vec<Marker> {
        let mut valid = Vec::new();
        for name in inner.names.iter().take(if of_today { 1 } else { usize::MAX }) {
            for found in header::found([self.markers.as_slice()], name) {
                let Found::Marker(found) = found else { continue };
                let Some(id) = PublicId::from_hex(found.digits) else { continue };
                let mut sealers = inner.sealers().filter(|sealer| sealer.cookie_name().as_bytes() == name.as_bytes());
                let verified = sealers.find_map(|sealer| sealer.verify_marker(id, found.value, now));
                let verified = verified.filter(|(_, predecessor)| predecessor.is_none() == found.has_ended);
                let Some((set_at, predecessor)) = verified else { continue };
                let successor = predecessor.map(|_| id);
                valid.push(Marker { id: predecessor.unwrap_or(id), set_at, successor });
            }
        }
        valid
    }

    /// Whether this browser has left the session, or has ended one whose place it took, directly or by others between them.
    fn have_left(&self, inner: &Inner, header: &Header, now: Timestamp) -> bool {
        // Security: some that nobody set might hide a good one. Who can do that can keep the session's cookie away just as well.
        if self.markers.is_empty() || self.has_too_many_markers {
            return self.has_too_many_markers;
        }
        let valid = self.valid_markers(inner, false, now);
        let mut line = public_ids(inner, header);
        if valid.iter().any(|marker| line.contains(&marker.id)) {
            return true;
        }
        let mut position = 0;
        while let Some(id) = line.get(position).copied() {
            let before = valid.iter().filter(|marker| marker.successor == Some(id)).map(|marker| marker.id);
            let new: Vec<_> = before.filter(|before| !line.contains(before)).collect();
            line.extend(new);
            position = position.saturating_add(1);
        }
        valid.iter().any(|marker| marker.successor.is_none() && line.contains(&marker.id))
    }
}

fn append(header: &mut Vec<u8>, parts: &[&[u8]]) {
    // One allocation for the one cookie that most requests have.
    header.reserve(parts.iter().map(|part| part.len()).sum::<usize>().saturating_add(1));
    parts.iter().for_each(|part| header.extend_from_slice(part));
    header.push(b';');
}

/// The public ids of a session, the first under the audience of today.
pub(super) fn public_ids(inner: &Inner, header: &Header) -> Vec<PublicId> {
    inner.audiences().map(|audience| header.id.public_id(audience)).collect()
}

impl SessionManager {
    /// Opens what the candidates hold.
    pub(super) async fn open(
        &self,
        candidates: &Candidates,
        on_failure: StoreFailure,
        backing: Weak<dyn Backing>,
    ) -> Result<(Session, Progress), LoadError> {
        let now = self.0.clock.now();
        let new = || State::new(now, self.0.persistence);
        if !self.0.settings.enabled {
            // Dropped with the response.
            return Ok(self.loaded(new(), None, false, backing));
        }
        let mut refused = Vec::new();
        let outcome = match self.choose(candidates, now, &mut refused) {
            Some((mut opened, None)) => match self.0.in_time(Box::pin(self.follow(Arc::make_mut(&mut opened)))).await {
                Ok(Ok(payload)) => Ok(Some((opened, Some(payload)))),
                Ok(Err(reason)) => {
                    refused.push(reason);
                    Ok(None)
                }
                Err(error) => {
                    if matches!(error, LoadError::Stale) {
                        refused.push(Reason::RecordStale);
                    }
                    match on_failure {
                        StoreFailure::FailClosed => Err(error),
                        StoreFailure::Ephemeral => {
                            Arc::make_mut(&mut opened).failure = Some(Arc::from(error.to_string()));
                            Ok(Some((opened, None)))
                        }
                    }
                }
            },
            found => Ok(found),
        };
        self.tell_opened(outcome.as_ref().map(|found| found.as_ref().map(|(opened, _)| &**opened)), &refused);
        let (opened, payload) = outcome?.unzip();
        let state = match (&opened, payload.flatten()) {
            (Some(opened), Some(payload)) => self.state(opened, payload),
            _ => new(),
        };
        Ok(self.loaded(state, opened, refused.contains(&Reason::Ambiguous), backing))
    }

    /// Takes the session for ended, without asking the store for it: a new one takes its place.
    pub(super) fn open_ended(&self, candidates: &Candidates, backing: Weak<dyn Backing>) -> (Session, Progress) {
        let now = self.0.clock.now();
        let mut refused = Vec::new();
        let chosen = self.choose(candidates, now, &mut refused).filter(|_| self.0.settings.enabled);
        let opened = chosen.map(|(opened, _)| opened);
        let mut state = State::new(now, self.0.persistence);
        // Also for what could not be opened: every cookie that came goes.
        state.id_change = IdChange::Invalidated;
        self.tell_opened(Ok(opened.as_deref()), &refused);
        self.loaded(state, opened, refused.contains(&Reason::Ambiguous), backing)
    }

    fn tell_opened(&self, outcome: Result<Option<&OpenedSession>, &LoadError>, refused: &[Reason]) {
        let observers = &self.0.observers;
        if observers.is_empty() {
            return;
        }
        let kept = outcome.ok().flatten().filter(|opened| opened.failure.is_none());
        let id = kept.map(|opened| opened.header.id.public_id(self.0.sealer.audience()));
        observers.tell(&Event::Initiated { id });
        refused.iter().for_each(|reason| observers.tell(&Event::Rejected { reason: *reason }));
        match outcome {
            Err(error) => observers.tell(&Event::LoadFailed { problem: error.to_string() }),
            Ok(Some(opened)) if opened.failure.is_some() => observers.tell(&Event::Ephemeral),
            Ok(_) => {}
        }
    }

    /// Tries the name and audience of today, and then those of before. In each, of two good cookies of one session it takes the
    /// one that was issued last; of two sessions none, because who planted one of them is not known.
    // What is told of a refused cookie is what the first context in which there was one says.
    fn choose(
        &self,
        candidates: &Candidates,
        now: Timestamp,
        refused: &mut Vec<Reason>,
    ) -> Option<(Arc<OpenedSession>, Option<Payload>)> {
        // Security: a forged cookie costs no allocation where nobody hears of it.
        let is_told = !self.0.observers.is_empty();
        for sealer in self.0.sealers() {
            let mut refused_here = Vec::new();
            let mut chosen: Option<(Arc<OpenedSession>, Option<Payload>)> = None;
            let mut is_absent = true;
            for found in self.opened(sealer, candidates, now) {
                is_absent = false;
                match (found, &chosen) {
                    (Err(reason), _) if is_told => refused_here.push(reason),
                    (Err(_), _) => {}
                    (Ok((found, _)), Some((first, _))) if first.header.id != found.header.id => {
                        refused_here.push(Reason::Ambiguous);
                        *refused = refused_here;
                        return None;
                    }
                    (Ok((found, _)), Some((first, _))) if first.header.issued >= found.header.issued => {}
                    (Ok(found), _) => chosen = Some(found),
                }
            }
            if is_absent && is_told {
                refused_here.push(Reason::Absent);
            }
            if chosen.is_some() || refused.is_empty() || *refused == [Reason::Absent] {
                *refused = refused_here;
            }
            if chosen.is_some() {
                return chosen;
            }
        }
        None
    }

    /// Every session whose good cookie came, under whichever name.
    // Security: behind pointers, or a list that grows would leave copies of their ids that nobody wipes.
    pub(super) fn all_good(&self, candidates: &Candidates) -> Vec<Arc<OpenedSession>> {
        let now = self.0.clock.now();
        let found = self.0.sealers().flat_map(|sealer| self.opened(sealer, candidates, now));
        found.filter_map(Result::ok).map(|(opened, _)| opened).collect()
    }

    /// The cookies that came under the name of a sealer, each as that opens it.
    fn opened<'a>(
        &'a self,
        sealer: &'a Arc<Sealer>,
        candidates: &'a Candidates,
        now: Timestamp,
    ) -> impl Iterator<Item = Result<(Arc<OpenedSession>, Option<Payload>), Reason>> {
        let values = candidates.named(sealer.cookie_name());
        values.map(move |value| self.open_candidate(sealer, value, candidates, now))
    }

    fn open_candidate(
        &self,
        sealer: &Arc<Sealer>,
        value: &[u8],
        candidates: &Candidates,
        now: Timestamp,
    ) -> Result<(Arc<OpenedSession>, Option<Payload>), Reason> {
        let OpenedCookie { header, key_id, write_id, reseal_due, body } = sealer.open_cookie(value, now)?;
        // Security: a late response may bring back the cookie of a session that this browser has left.
        if candidates.have_left(&self.0, &header, now) {
            return Err(Reason::Revoked);
        }
        let (inline, least_version) = match body {
            Body::Inline(json) => (Some(Arc::new(json)), 0),
            Body::Reference { least_version } => (None, least_version),
        };
        let payload = inline.as_ref().map(Payload::parse).transpose()?;
        // Security: under `StoreOnly` a copy of an older inline cookie must not get around the store.
        let may_be_inline = self.0.placement != Placement::StoreOnly
            || payload.as_ref().is_none_or(Payload::is_empty)
            || self.0.settings.accept_inline_until.is_some_and(|until| now < until);
        if !may_be_inline {
            return Err(Reason::Payload);
        }
        let opened = OpenedSession {
            base: (write_id, header.issued),
            header,
            write: write_id,
            superseded_key: reseal_due.then_some(key_id),
            least_version,
            record: None,
            // Where the cookie is from, also for a session that has no record yet: servers of two audiences that put it into the
            // store at the same time meet there.
            place: self.0.place_of(sealer),
            inline,
            sealer: Arc::clone(sealer),
            failure: None,
        };
        Ok((Arc::new(opened), payload))
    }

    /// Reads what stands where a reference points, at least of the version that it has seen.
    async fn follow(&self, opened: &mut OpenedSession) -> Result<Result<Payload, Reason>, LoadError> {
        let is_behind = |found: &Standing| {
            !found.has_ended() && found.version().is_some_and(|version| version < opened.least_version)
        };
        // Servers of two audiences may have made two records of it at the same moment: the reference knows its own.
        let likeness = |found: &Standing| match found {
            _ if is_behind(found) => Likeness::Behind,
            Standing::Record(record) if record.header.lineage.contains(opened.write) => Likeness::Certain,
            _ if found.version() == Some(opened.least_version) => Likeness::Likely,
            _ => Likeness::Possible,
        };
        let find = || self.0.find_likeliest(&opened.header.id, opened.header.created, opened.place, likeness);
        let (mut place, mut found) = find().await?;
        if is_behind(&found) {
            // A lagging replica: once more, and then it is a failure of the store and no logout.
            (place, found) = find().await?;
        }
        if is_behind(&found) {
            return Err(LoadError::Stale);
        }
        let found = match found {
            Standing::Record(found) if found.is_readable(self.0.clock.now()) => found,
            Standing::Unreadable { reason, .. } => return Ok(Err(reason)),
            Standing::Record(_) | Standing::Nothing => return Ok(Err(Reason::RecordMissing)),
        };
        Ok(Payload::parse(&found.payload).inspect(|_| {
            // A cookie under the newer key may refer to a record that a server with the older ring wrote.
            opened.superseded_key = opened.superseded_key.or(found.superseded_key);
            (opened.place, opened.record) = (place, Some(found));
        }))
    }

    /// The state of a session that was found.
    fn state(&self, opened: &OpenedSession, payload: Payload) -> State {
        let header = &opened.header;
        let (persistence, own_lifetime_seconds) = match &opened.record {
            Some(record) => (record.header.persistence, record.header.lifetime_seconds),
            None if header.persistence == Persistence::OwnLifetime => {
                (header.persistence, header.expires.saturating_seconds_since(header.issued))
            }
            None => (header.persistence, 0),
        };
        let mut state = State::new(header.created, persistence);
        state.own_lifetime_seconds = own_lifetime_seconds;
        state.id = Some(header.id.clone());
        state.loaded_with_data = !payload.data.is_empty();
        state.payload = payload;
        state.expires = Some(self.0.sealer.lifetimes().end(header));
        state
    }

    fn loaded(
        &self,
        mut state: State,
        opened: Option<Arc<OpenedSession>>,
        is_ambiguous: bool,
        backing: Weak<dyn Backing>,
    ) -> (Session, Progress) {
        let inner = &self.0;
        let has_store = inner.store.is_some();
        state.remembers = has_store;
        let fixed = Fixed {
            backing,
            sealer: Arc::clone(&inner.sealer),
            also_verify: Arc::clone(&inner.earlier_audiences),
            observers: inner.observers.clone(),
            opened_at: inner.clock.now(),
            has_store,
            persistence: inner.persistence,
        };
        let here = opened.as_ref().and_then(|opened| opened.record.clone()).map(Standing::Record);
        let progress = Progress {
            was_opened: opened.is_some(),
            is_ambiguous,
            known: Known { opened, here, ..Known::default() },
            ..Progress::default()
        };
        (Session::new(state, fixed), progress)
    }
}

impl Inner {
    /// What stands under a session's id, and in which place: first in this one, then under the other audiences.
    pub(super) async fn find(
        &self,
        id: &SessionId,
        created: Timestamp,
        first: usize,
    ) -> Result<(usize, Standing), StoreError> {
        self.find_likeliest(id, created, first, |_| Likeness::Certain).await
    }

    /// The same, where there may be several: the first that is certain, or the likeliest.
    async fn find_likeliest(
        &self,
        id: &SessionId,
        created: Timestamp,
        first: usize,
        likeness: impl Fn(&Standing) -> Likeness,
    ) -> Result<(usize, Standing), StoreError> {
        let mut likeliest: Option<(Likeness, usize, Standing)> = None;
        let others = (0..self.places()).filter(|index| *index != first);
        for index in std::iter::once(first).chain(others) {
            let Some(place) = self.place(index, id, created) else { continue };
            let found = place.find().await?;
            if matches!(found, Standing::Nothing) {
                continue;
            }
            let like = likeness(&found);
            if like == Likeness::Certain {
                return Ok((index, found));
            }
            if likeliest.as_ref().is_none_or(|(before, ..)| *before < like) {
                likeliest = Some((like, index, found));
            }
        }
        Ok(likeliest.map_or((first, Standing::Nothing), |(_, index, found)| (index, found)))
    }

    /// The outcome of work with the store, within its time where there is a timer.
    pub(super) async fn in_time<T, E: From<StoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(timer) = &self.timer else { return work.await };
        let timeout = self.settings.store_timeout;
        within(work, timer.wait(timeout)).await.unwrap_or_else(|| {
            let waited_milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            Err(StoreError::Timeout { store: "store", waited_milliseconds }.into())
        })
    }
}
