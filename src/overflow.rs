//! Where the data goes: into the cookie while it fits, else into a record of the server store, and back.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::clock::{Clock, Timestamp};
use crate::error::{CommitError, LoadError, Reason, SealError, StoreError};
use crate::id::{KeyId, RecordId, SessionId};
use crate::limits;
use crate::seal::{OpenedRecord, Sealer};
use crate::store::{Created, GuardedStore, Record, RecordStore as _, Updated};
use crate::wire::record::RecordHeader;

/// Where sessions are kept.
///
/// ```
/// use sealed_session::Placement;
///
/// assert_ne!(Placement::Spill, Placement::StoreOnly);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// In the cookie while the `Set-Cookie` line fits its limit, otherwise in the store with a sealed reference in the
    /// cookie. The default where a store is configured.
    Spill,
    /// In the cookie always; what does not fit is an error at commit. The default without a store.
    CookieOnly,
    /// In the store always: copies of a cookie then show no older data, and what is destroyed stays so.
    StoreOnly,
}

/// Where one payload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Cookie,
    Store,
}

/// Decides by the payload's length alone, before anything is sealed.
///
/// A session that is in the store comes back only when it fits three quarters of the limit, so that one which grows and
/// shrinks around the limit does not move with each request.
pub(crate) fn target(
    placement: Placement,
    sealer: &Sealer,
    payload: &[u8],
    longest_text: usize,
    is_in_store: bool,
    must_stay_on_server: bool,
) -> Option<Target> {
    let length = sealer.text_length(payload.len());
    match placement {
        // Wire format, section 4, step 10: an empty session stays without a record.
        Placement::StoreOnly if payload == b"{}" => Some(Target::Cookie),
        Placement::StoreOnly => Some(Target::Store),
        _ if must_stay_on_server => Some(Target::Store),
        Placement::CookieOnly => length.map(|_| Target::Cookie),
        Placement::Spill => {
            let limit = if is_in_store { longest_text.saturating_mul(3) / 4 } else { longest_text };
            Some(if length.is_some_and(|length| length <= limit) { Target::Cookie } else { Target::Store })
        }
    }
}

/// The records of a store, sealed and opened.
#[derive(Clone)]
pub(crate) struct Records {
    pub(crate) store: GuardedStore,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A record as it was loaded, open or closed.
#[derive(Clone)]
pub(crate) struct LoadedRecord {
    pub(crate) version: u64,
    pub(crate) closed: bool,
    /// The key that it was sealed under, when a newer one seals today.
    pub(crate) superseded_key: Option<KeyId>,
    pub(crate) payload: Arc<Zeroizing<Vec<u8>>>,
}

/// What is written into a record beside its payload.
#[derive(Clone, Copy)]
pub(crate) struct RecordFacts<'a> {
    pub(crate) session: &'a SessionId,
    pub(crate) created: Timestamp,
    /// When the session ends if it is not used any more.
    pub(crate) expires: Timestamp,
}

/// How a write to an existing record ended.
pub(crate) enum Stored {
    Version(u64),
    /// The session was ended by another request, and stays so.
    Missing,
}

impl Records {
    /// Loads the record of a session, at least of the version that its reference has seen.
    pub(crate) async fn load(
        &self,
        session: &SessionId,
        created: Timestamp,
        least_version: u64,
    ) -> Result<Result<LoadedRecord, Reason>, LoadError> {
        let id = session.record_id(self.sealer.audience());
        let mut loaded = self.store.load(&id).await?;
        if loaded.as_ref().is_some_and(|record| record.version < least_version) {
            // A lagging replica: once more, and then it is a failure of the store and no logout.
            loaded = self.store.load(&id).await?;
        }
        let Some(record) = loaded else { return Ok(Err(Reason::RecordMissing)) };
        if record.version < least_version {
            return Err(LoadError::Stale);
        }
        Ok(self.open(session, created, record))
    }

    fn open(&self, session: &SessionId, created: Timestamp, record: Record) -> Result<LoadedRecord, Reason> {
        let OpenedRecord { header, superseded_key, payload } =
            self.sealer.open_record(session, created, record.version, record.bytes, self.clock.now())?;
        Ok(LoadedRecord { version: header.version, closed: header.closed, superseded_key, payload: Arc::new(payload) })
    }

    /// Writes the first record of a session. One that was closed, because the session had left the store, is replaced.
    pub(crate) async fn create(&self, facts: RecordFacts<'_>, payload: &[u8]) -> Result<u64, CommitError> {
        let id = facts.session.record_id(self.sealer.audience());
        let (version, record) = self.sealed(facts, payload, 0, false)?;
        if self.store.create(&id, record).await? == Created::Created {
            return Ok(version);
        }
        let Some(standing) = self.store.load(&id).await? else { return Err(CommitError::Conflict) };
        let standing_version = standing.version;
        match self.open(facts.session, facts.created, standing) {
            Ok(standing) if standing.closed => {}
            // Ended by its own sealed expiry, although the store has it still.
            Err(Reason::RecordMissing) => {}
            // Open: another request moved the session to the store at the same time.
            _ => return Err(CommitError::Conflict),
        }
        let (version, record) = self.sealed(facts, payload, standing_version, false)?;
        match self.store.update(&id, record, standing_version).await? {
            Updated::Updated => Ok(version),
            Updated::Conflict | Updated::Missing => Err(CommitError::Conflict),
        }
    }

    /// Replaces a record, if it still has the version that was loaded.
    pub(crate) async fn update(
        &self,
        facts: RecordFacts<'_>,
        payload: &[u8],
        loaded_version: u64,
    ) -> Result<Stored, CommitError> {
        self.replace(facts, payload, loaded_version, false).await
    }

    /// Leaves a record: until `expires` it can be read by requests in flight, and is never written again.
    pub(crate) async fn close(
        &self,
        facts: RecordFacts<'_>,
        payload: &[u8],
        loaded_version: u64,
    ) -> Result<Stored, CommitError> {
        self.replace(facts, payload, loaded_version, true).await
    }

    /// Keeps a record alive until the session's new end, without rewriting it. `false` when it is gone.
    pub(crate) async fn touch(&self, session: &SessionId, expires: Timestamp) -> Result<bool, StoreError> {
        self.store.touch(&session.record_id(self.sealer.audience()), with_skew(expires)).await
    }

    pub(crate) async fn destroy(&self, session: &SessionId) -> Result<(), StoreError> {
        self.store.destroy(&session.record_id(self.sealer.audience())).await
    }

    /// Whether the store answers.
    pub(crate) async fn ask(&self, id: &RecordId) -> Result<(), StoreError> {
        self.store.load(id).await.map(|_| ())
    }

    async fn replace(
        &self,
        facts: RecordFacts<'_>,
        payload: &[u8],
        loaded_version: u64,
        closed: bool,
    ) -> Result<Stored, CommitError> {
        let id = facts.session.record_id(self.sealer.audience());
        let (version, record) = self.sealed(facts, payload, loaded_version, closed)?;
        match self.store.update(&id, record, loaded_version).await? {
            Updated::Updated => Ok(Stored::Version(version)),
            Updated::Conflict => Err(CommitError::Conflict),
            Updated::Missing => Ok(Stored::Missing),
        }
    }

    fn sealed(
        &self,
        facts: RecordFacts<'_>,
        payload: &[u8],
        version_before: u64,
        closed: bool,
    ) -> Result<(u64, Record), CommitError> {
        // Milliseconds since 1970, so that a session which left the store and comes back never repeats a version.
        let version = version_before.saturating_add(1).max(self.clock.unix_milliseconds());
        let RecordFacts { session, created, expires } = facts;
        // A clock behind that of the server where the session began must not put the write before the birth.
        let updated = self.clock.now().max(created);
        let header = RecordHeader { closed, version, created, updated, expires };
        let bytes = self.sealer.seal_record(session, &header, payload).map_err(|error| match error {
            SealError::Random(error) => CommitError::Random(error),
            SealError::NoSealingKey => CommitError::NoSealingKey,
            _ => CommitError::TooLarge {
                payload_bytes: payload.len(),
                payload_max_bytes: limits::RECORD_PAYLOAD_MAX_BYTES,
                largest_keys: Vec::new(),
            },
        })?;
        Ok((version, Record::new(version, with_skew(expires), bytes)))
    }
}

/// The store forgets a record a little later than its session ends, so that clocks may differ.
fn with_skew(expires: Timestamp) -> Timestamp {
    expires.saturating_add_seconds(limits::CLOCK_SKEW_SECONDS)
}
