//! From the request's cookies to a session.

use std::sync::Arc;

use super::{CookieStore, StoreFailure};
use crate::clock::Timestamp;
use crate::error::{LoadError, Reason};
use crate::events::Event;
use crate::id::KeyId;
use crate::overflow::{LoadedRecord, Placement};
use crate::seal::{Body, OpenedCookie};
use crate::session::{Fixed, Payload, Session, State};
use crate::wire::header::{Header, Persistence};

/// A session, and where it came from.
pub(super) struct Loaded {
    pub(super) session: Session,
    pub(super) origin: Origin,
    /// Not kept, whatever is written to it.
    pub(super) ephemeral: bool,
}

/// Where a session was when its request came.
pub(super) enum Origin {
    /// Nowhere: it is new.
    New,
    /// In its cookie, or in a record that its cookie refers to.
    Opened(Opened),
}

pub(super) struct Opened {
    pub(super) header: Header,
    pub(super) key_id: KeyId,
    pub(super) reseal_due: bool,
    pub(super) record: Option<LoadedRecord>,
}

/// A good cookie among those of the request, its payload parsed when it carries one.
struct Chosen {
    cookie: OpenedCookie,
    payload: Option<Payload>,
}

impl CookieStore {
    /// Opens what the candidates hold.
    pub(super) async fn open(&self, candidates: &[Box<[u8]>]) -> Result<Loaded, LoadError> {
        let now = self.0.clock.now();
        if !self.0.enabled {
            // Dropped with the response.
            return Ok(self.new_session(now, true));
        }
        let mut refused = Vec::new();
        let opened = match self.choose(candidates, now, &mut refused) {
            Some(chosen) => self.follow(chosen, now, &mut refused).await,
            None => Ok(None),
        };
        let outcome = match opened {
            Ok(Some(loaded)) => Ok(loaded),
            Ok(None) => Ok(self.new_session(now, false)),
            Err(error) => {
                if matches!(error, LoadError::Stale) {
                    refused.push(Reason::RecordStale);
                }
                match self.0.store_failure {
                    StoreFailure::FailClosed => Err(error),
                    StoreFailure::Ephemeral => Ok(self.new_session(now, true)),
                }
            }
        };
        self.tell_opened(&outcome, &refused);
        outcome
    }

    fn tell_opened(&self, outcome: &Result<Loaded, LoadError>, refused: &[Reason]) {
        let id = outcome.as_ref().ok().and_then(|loaded| match &loaded.origin {
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

    /// Tries the candidates in their order. Two good ones of one session: the one that was issued last. Of two sessions:
    /// none, because who planted one of them is not known.
    fn choose(&self, candidates: &[Box<[u8]>], now: Timestamp, refused: &mut Vec<Reason>) -> Option<Chosen> {
        if candidates.is_empty() {
            refused.push(Reason::Absent);
        }
        let mut chosen: Option<Chosen> = None;
        for value in candidates {
            let found = match self.open_candidate(value, now) {
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

    fn open_candidate(&self, value: &[u8], now: Timestamp) -> Result<Chosen, Reason> {
        let cookie = self.0.sealer.open_cookie(value, now)?;
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
        Ok(Chosen { cookie, payload })
    }

    /// Goes to the store for the record of a reference.
    async fn follow(
        &self,
        chosen: Chosen,
        now: Timestamp,
        refused: &mut Vec<Reason>,
    ) -> Result<Option<Loaded>, LoadError> {
        let Chosen { cookie: OpenedCookie { header, key_id, reseal_due, body }, payload } = chosen;
        let (payload, record) = match (body, payload) {
            (Body::Inline(_), payload) => (payload.unwrap_or_default(), None),
            (Body::Reference { least_version }, _) => {
                let Some(records) = &self.0.records else {
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
        state.loaded_with_data = !payload.is_empty();
        state.payload = payload;
        if header.persistence == Persistence::OwnLifetime {
            state.own_lifetime_seconds = header.expires.saturating_seconds_since(header.issued);
        }
        let session = self.session(state, now, Some(header.expires));
        let origin = Origin::Opened(Opened { header, key_id, reseal_due, record });
        Ok(Some(Loaded { session, origin, ephemeral: false }))
    }

    fn new_session(&self, now: Timestamp, ephemeral: bool) -> Loaded {
        let session = self.session(State::new(now, self.0.persistence), now, None);
        Loaded { session, origin: Origin::New, ephemeral }
    }

    fn session(&self, state: State, opened_at: Timestamp, expires: Option<Timestamp>) -> Session {
        let fixed = Fixed {
            sealer: Arc::clone(&self.0.sealer),
            observers: self.0.observers.clone(),
            opened_at,
            expires,
            persistence: self.0.persistence,
        };
        Session::new(state, fixed)
    }
}
