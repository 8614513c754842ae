//! Writing one session: sealed into its cookie, or into a record with a reference in the cookie.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::earlier::Earlier;
use super::open::{Loaded, Opened, Origin};
use super::placed::{Fitted, Moved, Placed, Renewed};
use super::{SessionManager, TooLarge};
use crate::clock::Timestamp;
use crate::cookie::response;
use crate::error::{CommitError, SealError};
use crate::events::Event;
use crate::id::SessionId;
use crate::limits::{COOKIE_MAX_AGE_SECONDS, REGENERATE_GRACE_SECONDS, RETURN_GRACE_SECONDS};
use crate::overflow::{LoadedRecord, Placement, RecordFacts, Records, Stored, Target, target};
use crate::session::{Frozen, IdChange};
use crate::wire::header::{Header, Kind, Persistence};

/// One write, with everything that it depends on.
pub(super) struct Write<'a> {
    pub(super) store: &'a SessionManager,
    pub(super) loaded: &'a Loaded,
    pub(super) frozen: &'a Frozen,
    /// What the session was opened from; `None` for a new one.
    pub(super) opened: Option<&'a Opened>,
    /// The id under which it is written, which may be a new one.
    pub(super) id: &'a SessionId,
}

impl Write<'_> {
    /// Writes the session; `None` when another request has ended it.
    pub(super) async fn run(&self) -> Result<Option<Written>, CommitError> {
        let Fitted { payload, target, without_input } = self.fitted()?;
        let header = self.header();
        let written = match target {
            Target::Cookie => self.keep_in_cookie(&header, &payload).await?,
            Target::Store => self.keep_in_store(&header, &payload).await?,
        };
        let Some((value, moved, record)) = written else {
            self.tell(&Event::Rejected { reason: crate::error::Reason::RecordMissing });
            return Ok(None);
        };
        let id = self.public_id();
        if self.opened.is_none() || self.id_changes() {
            self.loaded.remove_earlier();
        }
        if let Some(from) = self.public_id_before() {
            self.tell(&Event::Migrated { from, to: id });
        }
        if matches!(moved, Moved::IntoStore) {
            self.tell(&Event::Spilled { id });
        }
        if without_input {
            self.loaded.session.drop_old_input();
            self.tell(&Event::OldInputDropped { id });
        }
        if matches!(moved, Moved::IntoCookie) {
            self.tell(&Event::Returned { id });
        }
        self.tell_resealed();
        self.tell(&Event::Committed { id });
        Ok(Some(self.written(header, &value, record)))
    }

    /// Lets a session that was only read live on. A renewal that cannot be had is left out and never an error.
    pub(super) async fn renew(&self, opened: &Opened) -> Option<Written> {
        let renewed = match (&opened.record, self.store.0.records.as_ref()) {
            (Some(record), Some(records)) if !self.leaves_record() => self.renew_record(records, record).await,
            _ => self.renew_cookie().await,
        };
        let id = self.public_id();
        let Some((header, (value, moved, record))) = renewed else {
            self.tell(&Event::RenewalSkipped { id });
            return None;
        };
        if let Some(from) = self.public_id_before() {
            self.tell(&Event::Migrated { from, to: id });
        }
        self.tell_moved(&moved);
        if opened.superseded_key.is_some() {
            self.tell_resealed();
        } else {
            self.tell(&Event::Renewed { id });
        }
        self.tell(&Event::Committed { id });
        Some(self.written(header, &value, record))
    }

    fn written(&self, header: Header, value: &str, record: Option<LoadedRecord>) -> Written {
        let line = self.line(&header, value);
        Written {
            line,
            origin: Origin::Opened(Opened {
                header,
                superseded_key: None,
                record: record.map(Box::new),
                earlier: None,
            }),
        }
    }

    /// The JSON that fits, and where. Old input is the first to go, where the configuration lets it: a form that comes
    /// back without its fields is better than none, and one without its errors is worse.
    fn fitted(&self) -> Result<Fitted, CommitError> {
        let session = &self.loaded.session;
        let payload = session.payload_json();
        let error = match self.target(&payload) {
            Ok(target) => return Ok(Fitted { payload, target, without_input: false }),
            Err(error) => error,
        };
        if self.store.0.when_too_large == TooLarge::TrimFlash
            && let Some(payload) = session.payload_json_without_input()
            && let Ok(target) = self.target(&payload)
        {
            return Ok(Fitted { payload, target, without_input: true });
        }
        Err(error)
    }

    async fn renew_cookie(&self) -> Option<Renewed> {
        let header = self.header();
        let payload = self.loaded.session.payload_json();
        // A limit that was lowered, or another placement, moves the session now: one that is only read would end instead.
        let placed = match self.target(&payload).ok()? {
            Target::Cookie => (self.store.0.sealer.seal_inline(&header, &payload).ok()?, Moved::Not, None),
            Target::Store => self.keep_in_store(&header, &payload).await.ok()??,
        };
        Some((header, placed))
    }

    async fn renew_record(&self, records: &Records, record: &LoadedRecord) -> Option<Renewed> {
        let header = self.header();
        let record = if record.superseded_key.is_none() {
            let expires = self.session_end(&header);
            records.touch(self.id, expires).await.ok().filter(|is_there| *is_there)?;
            record.clone()
        } else {
            // Sealed under a key that retires: rewritten, or the record would outlive the key that opens it.
            match records.update(self.record_facts(&header), &record.payload, record.version).await.ok()? {
                Stored::Version(version) => self.as_loaded(version, Arc::clone(&record.payload)),
                Stored::Missing => return None,
            }
        };
        let value = self.store.0.sealer.seal_reference(&header, record.version).ok()?;
        Some((header, (value, Moved::Not, Some(record))))
    }

    async fn keep_in_cookie(&self, header: &Header, payload: &[u8]) -> Result<Option<Placed>, CommitError> {
        let value =
            self.store.0.sealer.seal_inline(header, payload).map_err(|error| self.seal_error(payload, error))?;
        let was_in_store = self.opened.is_some_and(|opened| opened.record.is_some());
        let left = if self.leaves_record() {
            self.leave_record().await?
        } else if let Some((records, record)) = self.current_record() {
            // Requests in flight still hold the reference: the record stays readable, with what is in the cookie now.
            let expires = header.issued.saturating_add_seconds(RETURN_GRACE_SECONDS);
            let facts = RecordFacts { expires, ..self.record_facts(header) };
            records.close(facts, payload, record.version).await?
        } else {
            Stored::Version(0)
        };
        Ok(match left {
            Stored::Version(_) => Some((value, if was_in_store { Moved::IntoCookie } else { Moved::Not }, None)),
            Stored::Missing => None,
        })
    }

    async fn keep_in_store(&self, header: &Header, payload: &[u8]) -> Result<Option<Placed>, CommitError> {
        let Some(records) = self.store.0.records.as_ref() else { return Err(self.too_large(payload.len())) };
        let facts = self.record_facts(header);
        let was_in_store = self.opened.is_some_and(|opened| opened.record.is_some());
        let version = match self.current_record().filter(|_| !self.leaves_record()) {
            Some((records, record)) => match records.update(facts, payload, record.version).await? {
                Stored::Version(version) => version,
                Stored::Missing => return Ok(None),
            },
            None => records.create(facts, payload).await?,
        };
        let value =
            self.store.0.sealer.seal_reference(header, version).map_err(|error| self.seal_error(payload, error))?;
        if self.leaves_record() {
            match self.leave_record().await {
                Ok(Stored::Version(_)) => {}
                not_left => {
                    // The client keeps its old cookie, and nobody ever learns the new id: best effort to tidy up, and
                    // the record's expiry does the rest.
                    let _ = records.destroy(self.id).await;
                    return not_left.map(|_| None);
                }
            }
        }
        let record = self.as_loaded(version, Arc::new(Zeroizing::new(payload.to_vec())));
        Ok(Some((value, if was_in_store { Moved::Not } else { Moved::IntoStore }, Some(record))))
    }

    /// Gives up the record that the session was loaded from, after the new one was written.
    async fn leave_record(&self) -> Result<Stored, CommitError> {
        let Some(opened) = self.opened else { return Ok(Stored::Version(0)) };
        let earlier = opened.earlier.as_ref().and_then(|earlier| earlier.records.as_ref());
        let Some(records) = earlier.or(self.store.0.records.as_ref()) else { return Ok(Stored::Version(0)) };
        let old = &opened.header;
        match (self.frozen.id_change, &opened.record) {
            // Security: no grace. Whoever holds the old cookie has been logged out.
            (IdChange::Invalidated, _) => {
                records.destroy(&old.id).await.map(|()| Stored::Version(0)).map_err(Into::into)
            }
            // Security: what the old id shows to requests in flight is what it showed before, and nothing of the new
            // session.
            (_, Some(record)) => {
                let expires = self.store.0.clock.now().saturating_add_seconds(REGENERATE_GRACE_SECONDS);
                let facts = RecordFacts { session: &old.id, created: old.created, expires };
                records.close(facts, &record.payload, record.version).await
            }
            (_, None) => Ok(Stored::Version(0)),
        }
    }

    fn target(&self, payload: &[u8]) -> Result<Target, CommitError> {
        let inner = &self.store.0;
        let is_in_store = self.opened.is_some_and(|opened| opened.record.is_some());
        match target(
            inner.placement,
            &inner.sealer,
            payload,
            inner.longest_text,
            is_in_store,
            self.frozen.must_stay_on_server,
        ) {
            Some(Target::Store) if payload.len() > inner.record_limit_bytes => Err(self.too_large(payload.len())),
            Some(target) => Ok(target),
            None => Err(self.too_large(payload.len())),
        }
    }

    /// Wire format, section 3.2: every sealing begins the idle lifetime anew.
    fn header(&self) -> Header {
        let Frozen { created, persistence, .. } = *self.frozen;
        // The session may have begun on a server whose clock is ahead of this one.
        let issued = self.store.0.clock.now().max(created);
        let expires = issued.saturating_add_seconds(self.lifetime_seconds());
        Header { kind: Kind::Inline, persistence, id: self.id.clone(), created, issued, expires }
    }

    /// The idle lifetime of this session by the settings of today.
    pub(super) fn lifetime_seconds(&self) -> u64 {
        let lifetimes = self.store.0.sealer.lifetimes();
        match self.frozen.persistence {
            Persistence::OwnLifetime => self.frozen.own_lifetime_seconds.clamp(1, lifetimes.remember_max_seconds),
            Persistence::IdleTimeout | Persistence::BrowserSession => lifetimes.idle_timeout_seconds,
        }
    }

    /// When the session ends if it is not used again.
    fn session_end(&self, header: &Header) -> Timestamp {
        let absolute = self.store.0.sealer.lifetimes().absolute_end(header.created);
        absolute.map_or(header.expires, |end| end.min(header.expires))
    }

    fn line(&self, header: &Header, value: &str) -> String {
        let max_age = match header.persistence {
            Persistence::BrowserSession => None,
            Persistence::IdleTimeout | Persistence::OwnLifetime => {
                Some(self.session_end(header).saturating_seconds_since(header.issued).min(COOKIE_MAX_AGE_SECONDS))
            }
        };
        response::issue(&self.store.0.attributes, value, max_age)
    }

    fn record_facts(&self, header: &Header) -> RecordFacts<'_> {
        RecordFacts { session: self.id, created: header.created, expires: self.session_end(header) }
    }

    /// A record that was written just now, as it would be loaded.
    fn as_loaded(&self, version: u64, payload: Arc<Zeroizing<Vec<u8>>>) -> LoadedRecord {
        LoadedRecord { version, closed: false, superseded_key: None, payload }
    }

    fn current_record(&self) -> Option<(&Records, &LoadedRecord)> {
        self.store.0.records.as_ref().zip(self.opened.and_then(|opened| opened.record.as_deref()))
    }

    fn id_changes(&self) -> bool {
        self.frozen.id_change != IdChange::None
    }

    /// Whether the session goes on under another record id, or would if it were in a record: the id changes, or the audience
    /// has, on which the record id depends.
    fn leaves_record(&self) -> bool {
        let has_other_audience = |earlier: &Arc<Earlier>| earlier.has_other_audience(&self.store.0.sealer);
        self.id_changes() || self.opened.and_then(|opened| opened.earlier.as_ref()).is_some_and(has_other_audience)
    }

    /// The public id that logs know the session by, where that is another one from now on.
    fn public_id_before(&self) -> Option<crate::id::PublicId> {
        let opened = self.opened.filter(|_| self.leaves_record())?;
        let sealer = opened.earlier.as_ref().map_or(&self.store.0.sealer, |earlier| &earlier.sealer);
        Some(opened.header.id.public_id(sealer.audience()))
    }

    fn public_id(&self) -> crate::id::PublicId {
        self.loaded.session.public(self.id)
    }

    fn too_large(&self, payload_bytes: usize) -> CommitError {
        let inner = &self.store.0;
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

    fn tell_moved(&self, moved: &Moved) {
        let id = self.public_id();
        match moved {
            Moved::Not => {}
            Moved::IntoStore => self.tell(&Event::Spilled { id }),
            Moved::IntoCookie => self.tell(&Event::Returned { id }),
        }
    }

    fn tell_resealed(&self) {
        if let Some(from) = self.opened.and_then(|opened| opened.superseded_key) {
            self.tell(&Event::Resealed { id: self.public_id(), from });
        }
    }

    fn tell(&self, event: &Event) {
        self.store.0.observers.tell(event);
    }
}

/// A session that was written: its `Set-Cookie` value, and where it is now.
pub(super) struct Written {
    pub(super) line: String,
    pub(super) origin: Origin,
}
