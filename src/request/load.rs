//! From the request's cookies to a session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::candidates::Candidates;
use super::progress::{Opened, Origin, Progress, Unread};
use crate::clock::{Clock as _, Timestamp, within};
use crate::cookie::CookieAttributes;
use crate::error::{LoadError, Reason, StoreError};
use crate::events::Event;
use crate::manager::{Earlier, Inner, SessionManager, StoreFailure};
use crate::records::{FoundRecord, Placement, Records, Standing};
use crate::seal::{Body, OpenedCookie, Sealer};
use crate::session::{Fixed, IdChange, Payload, Session, State};
use crate::wire::header::{Header, Persistence};
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

/// A good cookie among those of the request, its payload parsed when it carries one.
struct Chosen {
    cookie: OpenedCookie,
    payload: Option<Payload>,
    earlier: Option<Arc<Earlier>>,
}

impl SessionManager {
    /// Opens what the candidates hold.
    pub(super) async fn open(&self, candidates: &Candidates, on_failure: StoreFailure) -> Result<Loaded, LoadError> {
        let now = self.0.clock.now();
        if !self.0.enabled {
            // Dropped with the response.
            return Ok(self.loaded(candidates, State::new(now, self.0.persistence), Origin::New, false));
        }
        let mut refused = Vec::new();
        let opened = match self.choose_among_all(candidates, now, &mut refused) {
            Some(chosen) => self.follow_in_time(chosen, &mut refused).await,
            None => Ok(None),
        };
        let is_ambiguous = refused.contains(&Reason::Ambiguous);
        let new = |origin| self.loaded(candidates, State::new(now, self.0.persistence), origin, is_ambiguous);
        let outcome = match opened {
            Ok(Some((state, origin))) => Ok(self.loaded(candidates, state, origin, false)),
            Ok(None) => Ok(new(Origin::New)),
            Err((error, opened)) => {
                if matches!(error, LoadError::Stale) {
                    refused.push(Reason::RecordStale);
                }
                match on_failure {
                    StoreFailure::FailClosed => Err(error),
                    StoreFailure::Ephemeral => {
                        let unread = Some(Unread::StoreFailed(Arc::from(error.to_string())));
                        Ok(new(Origin::Opened(Box::new(Opened { unread, ..*opened }))))
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
        let origin = chosen.map_or(Origin::New, |chosen| Origin::Opened(Box::new(opened(chosen).0)));
        // Also for what could not be opened: every cookie that came goes.
        state.id_change = IdChange::Invalidated;
        let loaded = self.loaded(candidates, state, origin, refused.contains(&Reason::Ambiguous));
        self.tell_opened(&Ok(&loaded), &refused);
        loaded
    }

    fn tell_opened(&self, outcome: &Result<impl std::borrow::Borrow<Loaded>, LoadError>, refused: &[Reason]) {
        let loaded = outcome.as_ref().ok().map(std::borrow::Borrow::borrow);
        let id = loaded.and_then(|loaded| match loaded.progress().origin.opened() {
            Some(opened) if !opened.has_failed() => Some(loaded.session.public(&opened.header.id)),
            _ => None,
        });
        self.0.observers.tell(&Event::Initiated { id });
        for reason in refused {
            self.0.observers.tell(&Event::Rejected { reason: *reason });
        }
        match (outcome, loaded) {
            (Err(error), _) => self.0.observers.tell(&Event::LoadFailed { problem: error.to_string() }),
            (_, Some(loaded)) if loaded.progress().origin.opened().is_some_and(Opened::has_failed) => {
                self.0.observers.tell(&Event::Ephemeral);
            }
            _ => {}
        }
    }

    /// Tries the name and audience of today, and then those of before, each with its own associated data.
    // Security: the one place where a cookie may be tried under a second context, and only under those that the application
    // names. What is told of a refused cookie is what the first context in which there was one says.
    fn choose_among_all(&self, candidates: &Candidates, now: Timestamp, refused: &mut Vec<Reason>) -> Option<Chosen> {
        let today = (&*self.0.sealer, &candidates.today, None);
        let earlier = self.0.earlier.iter().zip(&candidates.earlier);
        let earlier = earlier.map(|(earlier, values)| (&*earlier.sealer, values, Some(earlier)));
        for (sealer, values, earlier) in std::iter::once(today).chain(earlier) {
            let mut refused_here = Vec::new();
            let chosen = self.choose(sealer, values, candidates, now, &mut refused_here);
            let is_ambiguous = refused_here.contains(&Reason::Ambiguous);
            if chosen.is_some() || is_ambiguous || refused.is_empty() || *refused == [Reason::Absent] {
                *refused = refused_here;
            }
            if let Some(chosen) = chosen {
                return Some(Chosen { earlier: earlier.cloned(), ..chosen });
            }
            if is_ambiguous {
                return None;
            }
        }
        None
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
    ) -> Option<Chosen> {
        if values.is_empty() {
            refused.push(Reason::Absent);
        }
        let mut chosen: Option<Chosen> = None;
        for value in values {
            let found = match self.open_candidate(sealer, value, candidates, now) {
                Ok(found) => found,
                Err(reason) => {
                    refused.push(reason);
                    continue;
                }
            };
            match &chosen {
                Some(first) if first.cookie.header.id != found.cookie.header.id => {
                    refused.push(Reason::Ambiguous);
                    return None;
                }
                Some(first) if first.cookie.header.issued >= found.cookie.header.issued => {}
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
    ) -> Result<Chosen, Reason> {
        let cookie = sealer.open_cookie(value, now)?;
        // Security: a late response may bring back the cookie of a session that this browser has left.
        if candidates.have_left(&self.0, &cookie.header, now) {
            return Err(Reason::Revoked);
        }
        let payload = match &cookie.body {
            Body::Inline(json) => {
                let payload = Payload::parse(json)?;
                // Security: under `StoreOnly` a copy of an older inline cookie must not get around the store.
                let is_refused = self.0.placement == Placement::StoreOnly
                    && !payload.is_empty()
                    && self.0.accept_inline_until.is_none_or(|until| now >= until);
                if is_refused {
                    return Err(Reason::Payload);
                }
                Some(payload)
            }
            Body::Reference { .. } => None,
        };
        Ok(Chosen { cookie, payload, earlier: None })
    }

    async fn follow_in_time(
        &self,
        chosen: Chosen,
        refused: &mut Vec<Reason>,
    ) -> Result<Option<(State, Origin)>, (LoadError, Box<Opened>)> {
        let (opened, payload) = opened(chosen);
        if let Some(payload) = payload {
            return Ok(Some(self.found(opened, payload, None)));
        }
        let followed = self.follow(&opened);
        let followed = match &self.0.timer {
            Some(timer) => within(followed, timer.wait(self.0.store_timeout)).await,
            None => Some(followed.await),
        };
        match followed.unwrap_or_else(|| Err(self.0.timed_out().into())) {
            Ok(Ok((payload, record, is_moved))) => {
                let earlier = opened.earlier.clone().filter(|_| !is_moved);
                Ok(Some(self.found(Opened { earlier, ..opened }, payload, Some(record))))
            }
            Ok(Err(reason)) => {
                refused.push(reason);
                Ok(None)
            }
            Err(error) => Err((error, Box::new(opened))),
        }
    }

    /// Goes to the store for the record of a reference. What another request has moved to the audience of today is found
    /// there.
    async fn follow(&self, opened: &Opened) -> Result<Result<(Payload, FoundRecord, bool), Reason>, LoadError> {
        let earlier = opened.earlier.as_ref().and_then(|earlier| earlier.records.as_ref());
        let (header, least) = (&opened.header, opened.least_version);
        let mut outcome = Err(Reason::RecordMissing);
        for (records, is_moved) in [(earlier, false), (self.0.records.as_ref(), earlier.is_some())] {
            let Some(records) = records else { continue };
            let least_version = if is_moved { 0 } else { least };
            let found = find_least(records, header, least_version).await?;
            let is_left = matches!(&found, Ok(found) if found.header.state == RecordState::Left);
            match found {
                // Left for the place of today, which is better where it is there.
                Ok(found) if outcome.is_err() || !is_left => {
                    let parsed = Payload::parse(&found.payload).map(|payload| (payload, found, is_moved));
                    outcome = parsed;
                }
                Err(reason) if outcome.is_err() => outcome = Err(reason),
                _ => {}
            }
            if outcome.is_ok() && !is_left {
                break;
            }
        }
        Ok(outcome)
    }

    /// The state of a session that was found.
    fn found(&self, mut opened: Opened, payload: Payload, record: Option<FoundRecord>) -> (State, Origin) {
        let header = &opened.header;
        let (persistence, own_lifetime_seconds) = match &record {
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
        if opened.superseded_key.is_none() {
            // A cookie under the newer key may refer to a record that a server with the older ring wrote.
            opened.superseded_key = record.as_ref().and_then(|record| record.superseded_key);
        }
        opened.record = record.map(Arc::new);
        opened.unread = None;
        (state, Origin::Opened(Box::new(opened)))
    }

    fn loaded(&self, candidates: &Candidates, mut state: State, origin: Origin, is_ambiguous: bool) -> Loaded {
        let inner = &self.0;
        state.remembers = inner.records.is_some();
        let fixed = Fixed {
            sealer: Arc::clone(&inner.sealer),
            also_verify: Arc::clone(&inner.also_verify),
            observers: inner.observers.clone(),
            opened_at: inner.clock.now(),
            has_store: inner.records.is_some(),
            persistence: inner.persistence,
        };
        let here = origin.opened().and_then(|opened| opened.record.clone()).map(Standing::of);
        let came = inner.earlier.iter().zip(&candidates.earlier).filter(|(_, values)| !values.is_empty());
        Loaded {
            session: Session::new(state, fixed),
            was_opened: origin.opened().is_some(),
            progress: Mutex::new(Progress { origin, here, ..Progress::default() }),
            is_ambiguous,
            renamed: came.filter_map(|(earlier, _)| earlier.removal.clone()).collect(),
        }
    }
}

/// The record of a session, at least of the version that its reference has seen.
async fn find_least(
    records: &Records,
    header: &Header,
    least_version: u64,
) -> Result<Result<FoundRecord, Reason>, LoadError> {
    let now = records.clock.now();
    let is_behind = |found: &Standing| found.version().is_some_and(|version| version < least_version);
    let mut found = records.find(&header.id, header.created).await?;
    if is_behind(&found) {
        // A lagging replica: once more, and then it is a failure of the store and no logout.
        found = records.find(&header.id, header.created).await?;
    }
    if is_behind(&found) {
        return Err(LoadError::Stale);
    }
    Ok(match found {
        Standing::Record(found) if is_readable(&found, now) => Ok(found),
        Standing::Unreadable { reason, .. } => Err(reason),
        Standing::Record(_) | Standing::Nothing => Err(Reason::RecordMissing),
    })
}

/// Whether a record still shows its session.
fn is_readable(found: &FoundRecord, now: Timestamp) -> bool {
    match found.header.state {
        RecordState::Open | RecordState::Returned => true,
        RecordState::Left => now < found.header.expires,
        RecordState::Ended => false,
    }
}

/// What a good cookie says, its record not read.
fn opened(chosen: Chosen) -> (Opened, Option<Payload>) {
    let Chosen { cookie: OpenedCookie { header, key_id, write_id, reseal_due, body }, payload, earlier } = chosen;
    let (inline, least_version) = match body {
        Body::Inline(json) => (Some(Arc::new(json)), 0),
        Body::Reference { least_version } => (None, least_version),
    };
    let opened = Opened {
        base: (write_id, header.issued),
        header,
        write: write_id,
        superseded_key: reseal_due.then_some(key_id),
        inline,
        least_version,
        record: None,
        earlier,
        unread: Some(Unread::NotAsked),
    };
    (opened, payload)
}

impl Inner {
    pub(super) fn timed_out(&self) -> StoreError {
        let waited_milliseconds = u64::try_from(self.store_timeout.as_millis()).unwrap_or(u64::MAX);
        StoreError::Timeout { store: "store", waited_milliseconds }
    }
}
