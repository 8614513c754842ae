//! The sealed records of the server store.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::error::{CommitError, Reason, SealError, StoreError};
use crate::id::{KeyId, RecordId, SessionId};
use crate::limits;
use crate::seal::{OpenedRecord, Sealer};
use crate::store::{Created, Record, RecordStore, Updated};
use crate::wipe::WipedBytes;
use crate::wire::{RecordHeader, RecordState};

/// A record that was opened.
#[derive(Clone)]
pub(crate) struct FoundRecord {
    pub(crate) header: RecordHeader,
    /// The key that it was sealed under, when a newer one seals today.
    pub(crate) superseded_key: Option<KeyId>,
    pub(crate) payload: Arc<WipedBytes>,
}

impl FoundRecord {
    /// Whether it still shows its session.
    pub(crate) fn is_readable(&self, now: Timestamp) -> bool {
        match self.header.state {
            RecordState::Open | RecordState::Returned => true,
            RecordState::Left => now < self.header.expires,
            RecordState::Ended => false,
        }
    }
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
    pub(crate) fn record(&self) -> Option<&Arc<FoundRecord>> {
        match self {
            Self::Record(found) => Some(found),
            Self::Nothing | Self::Unreadable { .. } => None,
        }
    }

    pub(crate) fn version(&self) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Record(found) => Some(found.header.version),
            Self::Unreadable { version, .. } => Some(*version),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.record().is_some_and(|found| found.header.state == RecordState::Ended)
    }
}

/// The place of a session's record in a store, under one audience: what is written there is sealed, what is found is opened.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) store: Arc<dyn RecordStore>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
    // Security: behind a pointer, or lists of places would keep copies of it that nobody wipes (`tests/memory`).
    pub(crate) id: Arc<SessionId>,
    pub(crate) created: Timestamp,
}

impl Place {
    /// What stands there. A call whose connection is cut is made once more.
    pub(crate) async fn find(&self) -> Result<Standing, StoreError> {
        let id = self.record_id();
        let loaded = match self.store.load(&id).await {
            Err(StoreError::Unavailable { .. }) => self.store.load(&id).await,
            answer => answer,
        };
        let Some(record) = loaded? else { return Ok(Standing::Nothing) };
        let (version, now) = (record.version, self.clock.now());
        Ok(match self.sealer.open_record(&self.id, self.created, version, record.bytes, now) {
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
        FoundRecord { header, payload, .. }: &FoundRecord,
        expected_version: Option<u64>,
    ) -> Result<bool, CommitError> {
        let bytes = self.sealer.seal_record(&self.id, header, payload).map_err(|error| {
            not_sealed(error, || CommitError::TooLarge {
                payload_bytes: payload.len(),
                payload_max_bytes: limits::RECORD_PAYLOAD_MAX_BYTES,
                largest_keys: Vec::new(),
            })
        })?;
        let kept_until = match header.state {
            RecordState::Open | RecordState::Returned => header.expires,
            RecordState::Left | RecordState::Ended => {
                header.updated.saturating_add_seconds(limits::ENDED_RECORD_SECONDS)
            }
        };
        let record = Record::new(header.version, with_skew(kept_until), bytes);
        Ok(match expected_version {
            None => self.store.create(&self.record_id(), record).await? == Created::Created,
            Some(version) => self.store.update(&self.record_id(), record, version).await? == Updated::Updated,
        })
    }

    /// Keeps a record alive until the session's new end, without rewriting it. `false` when it is gone.
    pub(crate) async fn touch(&self, expires: Timestamp) -> Result<bool, StoreError> {
        let (id, expires) = (self.record_id(), with_skew(expires));
        match self.store.touch(&id, expires).await {
            Err(StoreError::Unavailable { .. }) => self.store.touch(&id, expires).await,
            answer => answer,
        }
    }

    /// Removes what is no record.
    pub(crate) async fn destroy(&self) -> Result<(), StoreError> {
        self.store.destroy(&self.record_id()).await
    }

    fn record_id(&self) -> RecordId {
        self.id.record_id(self.sealer.audience())
    }
}

/// Why nothing was sealed, to whoever wanted it written.
pub(crate) fn not_sealed(error: SealError, too_large: impl FnOnce() -> CommitError) -> CommitError {
    match error {
        SealError::Random(error) => CommitError::Random(error),
        SealError::NoSealingKey => CommitError::NoSealingKey,
        _ => too_large(),
    }
}

/// The store forgets a record a little later than its session ends, so that clocks may differ.
fn with_skew(expires: Timestamp) -> Timestamp {
    expires.saturating_add_seconds(limits::CLOCK_SKEW_SECONDS)
}
