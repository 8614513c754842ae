//! From the request's cookies to a session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::candidates::Candidates;
use super::progress::{Known, Opened, Progress};
use crate::clock::{Clock as _, Timestamp, within};
use crate::cookie::CookieAttributes;
use crate::error::{LoadError, Reason, StoreError};
use crate::events::Event;
use crate::id::SessionId;
use crate::manager::{Earlier, Inner, SessionManager, StoreFailure};
use crate::records::{FoundRecord, Placement, Standing};
use crate::seal::{Body, OpenedCookie, Sealer};
use crate::session::{Fixed, IdChange, Payload, Session, State};
use crate::wire::header::Persistence;
use crate::wire::record::RecordState;

/// A session, and what this request knows of it outside of itself.
pub(super) struct Loaded {
    pub(super) session: Session,
    progress: Mutex<Progress>,
    /// A session of a good cookie was loaded, or could not be for the store's sake.
    pub(super) was_opened: bool,
    pub(super) is_ambiguous: bool,
    /// Cookies of earlier names that came with the request: they go with the next one that is set.
    pub(super) renamed: Vec<CookieAttributes>,
}

impl Loaded {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionManager {
    /// Opens what the candidates hold.
    pub(super) async fn open(&self, candidates: &Candidates, on_failure: StoreFailure) -> Result<Loaded, LoadError> {
        let now = self.0.clock.now();
        let new = || State::new(now, self.0.persistence);
        if !self.0.enabled {
            // Dropped with the response.
            return Ok(self.loaded(candidates, new(), None, false));
        }
        let mut refused = Vec::new();
        let opened = match self.choose_among_all(candidates, now, &mut refused) {
            Some((opened, payload)) => self.follow_in_time(opened, payload, &mut refused).await,
            None => Ok(None),
        };
        let is_ambiguous = refused.contains(&Reason::Ambiguous);
        let outcome = match opened {
            Ok(Some((state, opened))) => Ok(self.loaded(candidates, state, Some(opened), false)),
            Ok(None) => Ok(self.loaded(candidates, new(), None, is_ambiguous)),
            Err((error, mut opened)) => {
                if matches!(error, LoadError::Stale) {
                    refused.push(Reason::RecordStale);
                }
                match on_failure {
                    StoreFailure::FailClosed => Err(error),
                    StoreFailure::Ephemeral => {
                        opened.failure = Some(Arc::from(error.to_string()));
                        Ok(self.loaded(candidates, new(), Some(opened), is_ambiguous))
                    }
                }
            }
        };
        self.tell_opened(&outcome, &refused);
        outcome
    }

    /// Takes the session for ended, without asking the store for it: a new one takes its place.
    pub(super) fn open_ended(&self, candidates: &Candidates) -> Loaded {
        let now = self.0.clock.now();
        let mut refused = Vec::new();
        let chosen = self.choose_among_all(candidates, now, &mut refused).filter(|_| self.0.enabled);
        let mut state = State::new(now, self.0.persistence);
        // Also for what could not be opened: every cookie that came goes.
        state.id_change = IdChange::Invalidated;
        let is_ambiguous = refused.contains(&Reason::Ambiguous);
        let loaded = self.loaded(candidates, state, chosen.map(|(opened, _)| opened), is_ambiguous);
        self.tell_opened(&Ok(&loaded), &refused);
        loaded
    }

    fn tell_opened(&self, outcome: &Result<impl std::borrow::Borrow<Loaded>, LoadError>, refused: &[Reason]) {
        if self.0.observers.is_empty() {
            return;
        }
        let loaded = outcome.as_ref().ok().map(std::borrow::Borrow::borrow);
        let (id, has_failed) = loaded.map_or((None, false), |loaded| match &loaded.progress().known.opened {
            Some(opened) if opened.failure.is_none() => (Some(loaded.session.public(&opened.header.id)), false),
            opened => (None, opened.is_some()),
        });
        self.0.observers.tell(&Event::Initiated { id });
        for reason in refused {
            self.0.observers.tell(&Event::Rejected { reason: *reason });
        }
        match outcome {
            Err(error) => self.0.observers.tell(&Event::LoadFailed { problem: error.to_string() }),
            Ok(_) if has_failed => self.0.observers.tell(&Event::Ephemeral),
            Ok(_) => {}
        }
    }

    /// Tries the name and audience of today, and then those of before, each with its own associated data.
    // What is told of a refused cookie is what the first context in which there was one says.
    fn choose_among_all(
        &self,
        candidates: &Candidates,
        now: Timestamp,
        refused: &mut Vec<Reason>,
    ) -> Option<(Box<Opened>, Option<Payload>)> {
        for (earlier, values) in self.contexts(candidates) {
            let sealer = earlier.map_or(&*self.0.sealer, |earlier| &*earlier.sealer);
            let mut refused_here = Vec::new();
            let chosen = self.choose(sealer, values, candidates, now, &mut refused_here);
            let is_ambiguous = refused_here.contains(&Reason::Ambiguous);
            if chosen.is_some() || is_ambiguous || refused.is_empty() || *refused == [Reason::Absent] {
                *refused = refused_here;
            }
            if let Some((mut opened, payload)) = chosen {
                found_in(&mut opened, earlier);
                return Some((opened, payload));
            }
            if is_ambiguous {
                return None;
            }
        }
        None
    }

    /// The name and audience of today, and those of before, each with the values that came under its name.
    // Security: a cookie is tried under a second context only where the application names it: to open it, and to end it.
    fn contexts<'a>(
        &'a self,
        candidates: &'a Candidates,
    ) -> impl Iterator<Item = (Option<&'a Arc<Earlier>>, &'a Vec<Box<[u8]>>)> {
        let earlier = self.0.earlier.iter().map(Some).zip(&candidates.earlier);
        std::iter::once((None, &candidates.today)).chain(earlier)
    }

    /// Every session whose good cookie came, under whichever name.
    // Security: behind boxes, or a list that grows would leave copies of their ids behind that nobody wipes.
    #[expect(clippy::vec_box, reason = "see above")]
    pub(super) fn all_good(&self, candidates: &Candidates) -> Vec<Box<Opened>> {
        let now = self.0.clock.now();
        let mut sessions = Vec::new();
        for (earlier, values) in self.contexts(candidates) {
            let sealer = earlier.map_or(&*self.0.sealer, |earlier| &*earlier.sealer);
            for value in values {
                if let Ok((mut opened, _)) = self.open_candidate(sealer, value, candidates, now) {
                    found_in(&mut opened, earlier);
                    sessions.push(opened);
                }
            }
        }
        sessions
    }

    /// Tries the candidates in their order. Two good ones of one session: the one that was issued last. Of two sessions:
    /// none, because who planted one of them is not known.
    fn choose(
        &self,
        sealer: &Sealer,
        values: &[Box<[u8]>],
        candidates: &Candidates,
        now: Timestamp,
        refused: &mut Vec<Reason>,
    ) -> Option<(Box<Opened>, Option<Payload>)> {
        if values.is_empty() {
            refused.push(Reason::Absent);
        }
        let mut chosen: Option<(Box<Opened>, Option<Payload>)> = None;
        for value in values {
            let found = match self.open_candidate(sealer, value, candidates, now) {
                Ok(found) => found,
                Err(reason) => {
                    refused.push(reason);
                    continue;
                }
            };
            match &chosen {
                Some((first, _)) if first.header.id != found.0.header.id => {
                    refused.push(Reason::Ambiguous);
                    return None;
                }
                Some((first, _)) if first.header.issued >= found.0.header.issued => {}
                _ => chosen = Some(found),
            }
        }
        chosen
    }

    fn open_candidate(
        &self,
        sealer: &Sealer,
        value: &[u8],
        candidates: &Candidates,
        now: Timestamp,
    ) -> Result<(Box<Opened>, Option<Payload>), Reason> {
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
            || self.0.accept_inline_until.is_some_and(|until| now < until);
        if !may_be_inline {
            return Err(Reason::Payload);
        }
        let opened = Opened {
            base: (write_id, header.issued),
            header,
            write: write_id,
            superseded_key: reseal_due.then_some(key_id),
            inline,
            least_version,
            record: None,
            place: 0,
            earlier: None,
            failure: None,
        };
        Ok((Box::new(opened), payload))
    }

    async fn follow_in_time(
        &self,
        mut opened: Box<Opened>,
        payload: Option<Payload>,
        refused: &mut Vec<Reason>,
    ) -> Result<Option<(State, Box<Opened>)>, (LoadError, Box<Opened>)> {
        if let Some(payload) = payload {
            return Ok(Some((self.state(&opened, payload), opened)));
        }
        let followed = self.follow(&opened);
        let followed = match &self.0.timer {
            Some(timer) => within(followed, timer.wait(self.0.store_timeout)).await,
            None => Some(followed.await),
        };
        let (place, found) = match followed.unwrap_or_else(|| Err(self.0.timed_out().into())) {
            Ok(found) => found,
            Err(error) => return Err((error, opened)),
        };
        let read = match found {
            Standing::Record(found) if is_readable(&found, self.0.clock.now()) => {
                Payload::parse(&found.payload).map(|payload| (payload, found))
            }
            Standing::Unreadable { reason, .. } => Err(reason),
            Standing::Record(_) | Standing::Nothing => Err(Reason::RecordMissing),
        };
        match read {
            Ok((payload, found)) => {
                if opened.superseded_key.is_none() {
                    // A cookie under the newer key may refer to a record that a server with the older ring wrote.
                    opened.superseded_key = found.superseded_key;
                }
                opened.place = place;
                opened.record = Some(found);
                Ok(Some((self.state(&opened, payload), opened)))
            }
            Err(reason) => {
                refused.push(reason);
                Ok(None)
            }
        }
    }

    /// What stands where a reference points, at least of the version that it has seen.
    async fn follow(&self, opened: &Opened) -> Result<(usize, Standing), LoadError> {
        let Opened { header, least_version, place, .. } = opened;
        let is_behind =
            |found: &Standing| !found.has_ended() && found.version().is_some_and(|version| version < *least_version);
        let mut found = self.0.find(&header.id, header.created, *place).await?;
        if is_behind(&found.1) {
            // A lagging replica: once more, and then it is a failure of the store and no logout.
            found = self.0.find(&header.id, header.created, *place).await?;
        }
        if is_behind(&found.1) { Err(LoadError::Stale) } else { Ok(found) }
    }

    /// The state of a session that was found.
    fn state(&self, opened: &Opened, payload: Payload) -> State {
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
        candidates: &Candidates,
        mut state: State,
        opened: Option<Box<Opened>>,
        is_ambiguous: bool,
    ) -> Loaded {
        let inner = &self.0;
        let has_store = !inner.records.is_empty();
        state.remembers = has_store;
        let fixed = Fixed {
            sealer: Arc::clone(&inner.sealer),
            also_verify: Arc::clone(&inner.also_verify),
            observers: inner.observers.clone(),
            opened_at: inner.clock.now(),
            has_store,
            persistence: inner.persistence,
        };
        let here = opened.as_ref().and_then(|opened| opened.record.clone()).map(Standing::Record);
        let came = inner.earlier.iter().zip(&candidates.earlier).filter(|(_, values)| !values.is_empty());
        Loaded {
            session: Session::new(state, fixed),
            was_opened: opened.is_some(),
            progress: Mutex::new(Progress { known: Known { opened, here, ..Known::default() }, ..Progress::default() }),
            is_ambiguous,
            renamed: came.filter_map(|(earlier, _)| earlier.removal.clone()).collect(),
        }
    }
}

/// Notes the name and audience of before under which a cookie was found. The record of a reference is there; a session in its
/// cookie goes to that of today.
fn found_in(opened: &mut Opened, earlier: Option<&Arc<Earlier>>) {
    opened.place = earlier.filter(|_| opened.inline.is_none()).map_or(0, |earlier| earlier.place);
    opened.earlier = earlier.cloned();
}

/// Whether a record still shows its session.
fn is_readable(found: &FoundRecord, now: Timestamp) -> bool {
    match found.header.state {
        RecordState::Open | RecordState::Returned => true,
        RecordState::Left => now < found.header.expires,
        RecordState::Ended => false,
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
        let others = (0..self.records.len()).filter(|place| *place != first);
        for place in std::iter::once(first).chain(others) {
            let Some(records) = self.records.get(place) else { continue };
            match records.find(id, created).await? {
                Standing::Nothing => {}
                found => return Ok((place, found)),
            }
        }
        Ok((first, Standing::Nothing))
    }

    pub(super) fn timed_out(&self) -> StoreError {
        let waited_milliseconds = u64::try_from(self.store_timeout.as_millis()).unwrap_or(u64::MAX);
        StoreError::Timeout { store: "store", waited_milliseconds }
    }
}
