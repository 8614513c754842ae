//! Where a session fits, how long its cookie lives, and which record is its own.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::progress::{Opened, Place};
use super::protocol::Want;
use super::write::Write;
use crate::clock::{Clock as _, Timestamp};
use crate::cookie::response;
use crate::error::{CommitError, SealError};
use crate::id::SessionId;
use crate::manager::TooLarge;
use crate::records::{Placement, Target, target};
use crate::session::{Draft, IdChange};
use crate::wire::header::{Header, Kind, Persistence};

/// The JSON that is written, and where.
pub(super) struct Fitted {
    pub(super) payload: Arc<Zeroizing<Vec<u8>>>,
    pub(super) target: Target,
    /// The old input of a form was left out, for want of room.
    pub(super) without_input: bool,
}

impl Write<'_> {
    /// The JSON that fits, and where. Old input is the first to go, where the configuration lets it: a form that comes
    /// back without its fields is better than none, and one without its errors is worse.
    pub(super) fn fitted(
        &self,
        draft: &Draft,
        opened: Option<&Opened>,
        began_anew: bool,
    ) -> Result<Fitted, CommitError> {
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

    pub(super) fn target(&self, payload: &[u8], draft: &Draft, opened: Option<&Opened>) -> Result<Target, CommitError> {
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
    pub(super) fn header(&self, id: &SessionId, draft: &Draft, builds_on: Option<&Opened>) -> Header {
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
    pub(super) fn session_end(&self, header: &Header) -> Timestamp {
        let absolute = self.inner().sealer.lifetimes().absolute_end(header.created);
        absolute.map_or(header.expires, |end| end.min(header.expires))
    }

    pub(super) fn line(&self, header: &Header, value: &str) -> String {
        let max_age = match header.persistence {
            Persistence::BrowserSession => None,
            Persistence::IdleTimeout | Persistence::OwnLifetime => {
                Some(self.session_end(header).saturating_seconds_since(header.issued))
            }
        };
        response::issue(&self.inner().attributes, value, max_age)
    }

    /// Where the record of the session is or would be, as it came to this request.
    pub(super) fn place_of(&self, opened: Option<&Opened>) -> Result<Option<Place>, CommitError> {
        let Some(opened) = opened else { return self.place_ahead() };
        let earlier = opened.earlier.as_ref().filter(|_| opened.inline.is_none());
        let records = earlier.and_then(|earlier| earlier.records.as_ref()).or(self.inner().records.as_ref());
        let (id, created) = (&opened.header.id, opened.header.created);
        Ok(records.map(|records| Place { records: records.clone(), id: Arc::new(id.clone()), created }))
    }

    /// Where its record goes under the id and the audience of today.
    pub(super) fn place_ahead(&self) -> Result<Option<Place>, CommitError> {
        let Some(records) = self.inner().records.clone() else { return Ok(None) };
        Ok(Some(Place { records, id: Arc::new(self.id()?), created: self.loaded.session.draft().created }))
    }

    /// Whether the session goes on in another place.
    pub(super) fn moves(&self, opened: &Opened, want: Want) -> bool {
        let is_elsewhere =
            opened.inline.is_none() && opened.earlier.as_ref().is_some_and(|earlier| earlier.records.is_some());
        want >= Want::NewId || is_elsewhere
    }

    pub(super) fn too_large(&self, payload_bytes: usize) -> CommitError {
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
