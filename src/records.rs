//! Where a session's data goes, and the sealed records of the server store.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::error::{CommitError, Reason, SealError, StoreError};
use crate::id::{KeyId, RecordId, SessionId};
use crate::limits;
use crate::seal::{OpenedRecord, Sealer};
use crate::store::{Created, Record, RecordStore, Updated};
use crate::wipe::WipedBytes;
use crate::wire::record::{RecordHeader, RecordState};

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

/// Where the data of one write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Cookie,
    Store,
    /// Nothing is left to keep.
    Nowhere,
}

/// Decides by the payload's length alone, before anything is sealed. `None` when it fits nowhere.
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
        // Wire format, section 4, step 10: an empty session begins without a record.
        Placement::StoreOnly if payload == b"{}" && !is_in_store => Some(Target::Cookie),
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
    pub(crate) store: Arc<dyn RecordStore>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A record that was opened.
#[derive(Clone)]
pub(crate) struct FoundRecord {
    pub(crate) header: RecordHeader,
    /// The key that it was sealed under, when a newer one seals today.
    pub(crate) superseded_key: Option<KeyId>,
    pub(crate) payload: Arc<WipedBytes>,
}

/// What stands in the store under a session's id.
#[derive(Clone, Default)]
pub(crate) enum Standing {
    #[default]
    Nothing,
    Record(Arc<FoundRecord>),
    /// A record that no key of today opens, or that is older than what this request has seen.
    Unreadable {
        version: u64,
        reason: Reason,
    },
}

impl Standing {
    pub(crate) fn version(&self) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Record(found) => Some(found.header.version),
            Self::Unreadable { version, .. } => Some(*version),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Self::Record(found) if found.header.state == RecordState::Ended)
    }
}

impl Records {
    /// What stands under a session's id. A call whose connection is cut is made once more.
    pub(crate) async fn find(&self, session: &SessionId, created: Timestamp) -> Result<Standing, StoreError> {
        let id = session.record_id(self.sealer.audience());
        let loaded = match self.store.load(&id).await {
            Err(StoreError::Unavailable { .. }) => self.store.load(&id).await,
            answer => answer,
        };
        let Some(record) = loaded? else { return Ok(Standing::Nothing) };
        let (version, now) = (record.version, self.clock.now());
        Ok(match self.sealer.open_record(session, created, version, record.bytes, now) {
            Ok(OpenedRecord { header, superseded_key, payload }) => {
                Standing::Record(Arc::new(FoundRecord { header, superseded_key, payload: Arc::new(payload) }))
            }
            Err(reason) => Standing::Unreadable { version, reason },
        })
    }

    /// The version of a record that replaces one of this version. Milliseconds since 1970 at least, so that a session
    /// which left the store and comes back never repeats one.
    pub(crate) fn next_version(&self, before: Option<u64>) -> u64 {
        before.unwrap_or(0).saturating_add(1).max(self.clock.unix_milliseconds())
    }

    /// Writes a record where none is expected, or in the place of the version that is; `false` where something else stands.
    pub(crate) async fn put(
        &self,
        session: &SessionId,
        FoundRecord { header, payload, .. }: &FoundRecord,
        expected_version: Option<u64>,
    ) -> Result<bool, CommitError> {
        let id = session.record_id(self.sealer.audience());
        let bytes = self.sealer.seal_record(session, header, payload).map_err(|error| match error {
            SealError::Random(error) => CommitError::Random(error),
            SealError::NoSealingKey => CommitError::NoSealingKey,
            _ => CommitError::TooLarge {
                payload_bytes: payload.len(),
                payload_max_bytes: limits::RECORD_PAYLOAD_MAX_BYTES,
                largest_keys: Vec::new(),
            },
        })?;
        let kept_until = match header.state {
            RecordState::Open | RecordState::Returned => header.expires,
            RecordState::Left | RecordState::Ended => {
                header.updated.saturating_add_seconds(limits::ENDED_RECORD_SECONDS)
            }
        };
        let record = Record::new(header.version, with_skew(kept_until), bytes);
        Ok(match expected_version {
            None => self.store.create(&id, record).await? == Created::Created,
            Some(version) => self.store.update(&id, record, version).await? == Updated::Updated,
        })
    }

    /// Keeps a record alive until the session's new end, without rewriting it. `false` when it is gone.
    pub(crate) async fn touch(&self, session: &SessionId, expires: Timestamp) -> Result<bool, StoreError> {
        let (id, expires) = (session.record_id(self.sealer.audience()), with_skew(expires));
        match self.store.touch(&id, expires).await {
            Err(StoreError::Unavailable { .. }) => self.store.touch(&id, expires).await,
            answer => answer,
        }
    }

    /// Removes what is no record.
    pub(crate) async fn destroy(&self, session: &SessionId) -> Result<(), StoreError> {
        self.store.destroy(&session.record_id(self.sealer.audience())).await
    }

    /// Whether the store answers.
    pub(crate) async fn ask(&self, id: &RecordId) -> Result<(), StoreError> {
        self.store.load(id).await.map(drop)
    }
}

/// The store forgets a record a little later than its session ends, so that clocks may differ.
fn with_skew(expires: Timestamp) -> Timestamp {
    expires.saturating_add_seconds(limits::CLOCK_SKEW_SECONDS)
}
