//! From the request's cookies to a session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::earlier::{Candidates, Earlier};
use super::{SessionManager, StoreFailure};
use crate::clock::Timestamp;
use crate::cookie::CookieAttributes;
use crate::error::{LoadError, Reason};
use crate::events::Event;
use crate::id::KeyId;
use crate::overflow::{LoadedRecord, Placement};
use crate::seal::{Body, OpenedCookie, Sealer};
use crate::session::{Fixed, Payload, Session, State};
use crate::wire::header::{Header, Persistence};

/// A session, and where it came from.
pub(super) struct Loaded {
    pub(super) session: Session,
    origin: Mutex<Origin>,
    /// The cookie of a session that was saved before its response was due.
    saved: Mutex<Option<String>>,
    /// Cookies of earlier attributes are to be removed with the next one that is set.
    removes_earlier: AtomicBool,
    /// Cookies of earlier names that came with the request: they go with the next one that is set.
    pub(super) renamed: Vec<CookieAttributes>,
    /// Not kept, whatever is written to it.
    pub(super) ephemeral: bool,
}

impl Loaded {
    fn new(session: Session, origin: Origin, ephemeral: bool) -> Self {
        Self {
            session,
            origin: Mutex::new(origin),
            saved: Mutex::new(None),
            removes_earlier: false.into(),
            renamed: Vec::new(),
            ephemeral,
        }
    }

    /// Where the session is: as the request found it, or as it was saved since.
    pub(super) fn origin(&self) -> Origin {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_origin(&self, origin: Origin) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = origin;
    }

    /// The `Set-Cookie` value of the last save.
    pub(super) fn saved(&self) -> Option<String> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_saved(&self, line: String) {
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    pub(super) fn removes_earlier(&self) -> bool {
        self.removes_earlier.load(Ordering::Relaxed)
    }

    pub(super) fn remove_earlier(&self) {
        self.removes_earlier.store(true, Ordering::Relaxed);
    }
}

/// Where a session is outside of this request.
#[derive(Clone)]
pub(super) enum Origin {
    /// Nowhere: it is new.
    New,
    /// In its cookie, or in a record that its cookie refers to.
    Opened(Opened),
}

#[derive(Clone)]
pub(super) struct Opened {
    pub(super) header: Header,
    /// The key that the cookie or its record was sealed under, when a newer one seals today.
    pub(super) superseded_key: Option<KeyId>,
    // Security: behind a box. Where there is no record, its place would carry what stood on the stack to the heap, which may be
    // a session's id (`tests/memory`).
    pub(super) record: Option<Box<LoadedRecord>>,
    /// The name or audience of before under which the cookie was found.
    pub(super) earlier: Option<Arc<Earlier>>,
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
            return Ok(self.new_session(now, true));
        }
        let mut refused = Vec::new();
        let opened = match self.choose_among_all(candidates, now, &mut refused) {
            Some(chosen) => self.follow(chosen, now, &mut refused).await,
            None => Ok(None),
        };
        let mut outcome = match opened {
            Ok(Some(loaded)) => Ok(loaded),
            Ok(None) => Ok(self.new_session(now, false)),
            Err(error) => {
                if matches!(error, LoadError::Stale) {
                    refused.push(Reason::RecordStale);
                }
                match on_failure {
                    StoreFailure::FailClosed => Err(error),
                    StoreFailure::Ephemeral => Ok(self.new_session(now, true)),
                }
            }
        };
        if let Ok(loaded) = &mut outcome {
            if refused.contains(&Reason::Ambiguous) {
                loaded.remove_earlier();
            }
            let came = self.0.earlier.iter().zip(&candidates.earlier).filter(|(_, values)| !values.is_empty());
            loaded.renamed = came.filter_map(|(earlier, _)| earlier.removal.clone()).collect();
        }
        self.tell_opened(&outcome, &refused);
        outcome
    }

    fn tell_opened(&self, outcome: &Result<Loaded, LoadError>, refused: &[Reason]) {
        let id = outcome.as_ref().ok().and_then(|loaded| match loaded.origin() {
            Origin::Opened(opened) => Some(loaded.session.public(&opened.header.id)),
            Origin::New => None,
        });
        self.0.observers.tell(&Event::Initiated { id });
        for reason in refused {
            self.0.observers.tell(&Event::Rejected { reason: *reason });
        }
        match outcome {
            Ok(loaded) if loaded.ephemeral => self.0.observers.tell(&Event::Ephemeral),
            Ok(_) => {}
            Err(error) => self.0.observers.tell(&Event::LoadFailed { problem: error.to_string() }),
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
            let chosen = self.choose(sealer, values, now, &mut refused_here);
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
        candidates: &[Box<[u8]>],
        now: Timestamp,
        refused: &mut Vec<Reason>,
    ) -> Option<Chosen> {
        if candidates.is_empty() {
            refused.push(Reason::Absent);
        }
        let mut chosen: Option<Chosen> = None;
        for value in candidates {
            let found = match self.open_candidate(sealer, value, now) {
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

    fn open_candidate(&self, sealer: &Sealer, value: &[u8], now: Timestamp) -> Result<Chosen, Reason> {
        let cookie = sealer.open_cookie(value, now)?;
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

    /// Goes to the store for the record of a reference.
    async fn follow(
        &self,
        chosen: Chosen,
        now: Timestamp,
        refused: &mut Vec<Reason>,
    ) -> Result<Option<Loaded>, LoadError> {
        let Chosen { cookie: OpenedCookie { header, key_id, reseal_due, body }, payload, earlier } = chosen;
        let (payload, record) = match (body, payload) {
            (Body::Inline(_), payload) => (payload.unwrap_or_default(), None),
            (Body::Reference { least_version }, _) => {
                let earlier_records = earlier.as_ref().and_then(|earlier| earlier.records.as_ref());
                let Some(records) = earlier_records.or(self.0.records.as_ref()) else {
                    refused.push(Reason::RecordMissing);
                    return Ok(None);
                };
                let loaded = records.load(&header.id, header.created, least_version).await?;
                let parsed = loaded.and_then(|record| Payload::parse(&record.payload).map(|payload| (payload, record)));
                match parsed {
                    Ok((payload, record)) => (payload, Some(record)),
                    Err(reason) => {
                        refused.push(reason);
                        return Ok(None);
                    }
                }
            }
        };
        let mut state = State::new(header.created, header.persistence);
        state.id = Some(header.id.clone());
        state.loaded_with_data = !payload.data.is_empty();
        state.payload = payload;
        if header.persistence == Persistence::OwnLifetime {
            state.own_lifetime_seconds = header.expires.saturating_seconds_since(header.issued);
        }
        state.expires = Some(self.0.sealer.lifetimes().end(&header));
        let session = self.session(state, now);
        // A cookie under the newer key may refer to a record that a server with the older ring wrote.
        let superseded_key =
            reseal_due.then_some(key_id).or_else(|| record.as_ref().and_then(|record| record.superseded_key));
        let origin = Origin::Opened(Opened { header, superseded_key, record: record.map(Box::new), earlier });
        Ok(Some(Loaded::new(session, origin, false)))
    }

    fn new_session(&self, now: Timestamp, ephemeral: bool) -> Loaded {
        let session = self.session(State::new(now, self.0.persistence), now);
        Loaded::new(session, Origin::New, ephemeral)
    }

    fn session(&self, mut state: State, opened_at: Timestamp) -> Session {
        state.remembers = self.0.records.is_some();
        let fixed = Fixed {
            sealer: Arc::clone(&self.0.sealer),
            also_verify: Arc::clone(&self.0.also_verify),
            observers: self.0.observers.clone(),
            opened_at,
            has_store: self.0.records.is_some(),
            persistence: self.0.persistence,
        };
        Session::new(state, fixed)
    }
}
