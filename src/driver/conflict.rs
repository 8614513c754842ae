//! No lost updates: when another request wrote the session in between, this one's changes are made again on what it wrote.

use std::time::Duration;

use super::SessionManager;
use super::open::{Loaded, Opened};
use super::write::{Write, Written};
use crate::crypto::random;
use crate::error::{CommitError, Reason};
use crate::events::Event;
use crate::id::SessionId;
use crate::limits::{CONFLICT_PAUSE_MAX_MILLISECONDS, CONFLICT_RETRIES_MAX, CONFLICT_RETRIES_MAX_MILLISECONDS};
use crate::overflow::LoadedRecord;
use crate::session::{Frozen, Payload};

impl SessionManager {
    /// Writes a session that was loaded, however often others write it in between.
    pub(super) async fn write_over(
        &self,
        loaded: &Loaded,
        opened: &Opened,
        frozen: &Frozen,
        id: &SessionId,
    ) -> Result<Option<Written>, CommitError> {
        let mut newest = opened.clone();
        let begun = self.0.clock.unix_milliseconds();
        for tries in 0..CONFLICT_RETRIES_MAX {
            let write = Write { store: self, loaded, frozen, opened: Some(&newest), id };
            match write.run().await {
                Err(CommitError::Conflict) => {}
                outcome => return outcome,
            }
            if self.0.clock.unix_milliseconds().saturating_sub(begun) >= CONFLICT_RETRIES_MAX_MILLISECONDS {
                break;
            }
            // The pause first: what was loaded before it would be old by its end, and meet again.
            self.pause(tries).await?;
            match self.catch_up(loaded, &newest).await? {
                Some(caught_up) => newest = caught_up,
                None => return Ok(None),
            }
        }
        Err(CommitError::Conflict)
    }

    /// Waits for a random while, longer after more tries, so that requests which met do not meet again.
    async fn pause(&self, tries: usize) -> Result<(), CommitError> {
        let Some(timer) = &self.0.timer else { return Ok(()) };
        let doubled = u32::try_from(tries).ok().and_then(|tries| 1_u64.checked_shl(tries));
        let longest = doubled.unwrap_or(u64::MAX).min(CONFLICT_PAUSE_MAX_MILLISECONDS);
        let mut drawn = [0; 4];
        random::fill(&mut drawn)?;
        let milliseconds = u64::from(u32::from_le_bytes(drawn)) % longest.saturating_add(1);
        timer.wait(Duration::from_millis(milliseconds)).await;
        Ok(())
    }

    /// Loads what the other request wrote, and makes the changes of this one on it. `None` when the session has ended or
    /// left its record.
    async fn catch_up(&self, loaded: &Loaded, opened: &Opened) -> Result<Option<Opened>, CommitError> {
        if let Some(moved) = self.catch_up_under_todays_audience(loaded, opened).await? {
            return Ok(Some(moved));
        }
        let header = &opened.header;
        let earlier = opened.earlier.as_ref().and_then(|earlier| earlier.records.as_ref());
        let records = earlier.or(self.0.records.as_ref()).ok_or(CommitError::Conflict)?;
        let least_version = opened.record.as_ref().map_or(0, |record| record.version);
        let found = records.load(&header.id, header.created, least_version).await.map_err(|error| match error {
            crate::error::LoadError::Store(error) => CommitError::Store(error),
            crate::error::LoadError::Stale => CommitError::Conflict,
        })?;
        let public_id = loaded.session.public(&header.id);
        let record = match found {
            // It was closed or destroyed, and a parallel logout or login is never undone.
            Err(Reason::RecordMissing) if opened.record.is_some() => {
                self.0.observers.tell(&Event::Rejected { reason: Reason::RecordMissing });
                return Ok(None);
            }
            Ok(record) if record.closed && opened.record.is_some() => {
                self.0.observers.tell(&Event::WritesDropped { id: public_id });
                return Ok(None);
            }
            Ok(record) if record.closed => return Ok(Some(opened.clone())),
            Err(Reason::RecordMissing) => return Ok(Some(opened.clone())),
            Ok(record) => record,
            Err(_) => return Err(CommitError::Conflict),
        };
        replay(loaded, &record)?;
        Ok(Some(Opened { record: Some(Box::new(record)), ..opened.clone() }))
    }

    /// Where the session was found under an earlier audience: what a parallel request has moved to today's, if one has.
    async fn catch_up_under_todays_audience(
        &self,
        loaded: &Loaded,
        opened: &Opened,
    ) -> Result<Option<Opened>, CommitError> {
        let moves = opened.earlier.as_ref().is_some_and(|earlier| earlier.records.is_some());
        let Some(records) = self.0.records.as_ref().filter(|_| moves) else { return Ok(None) };
        match records.load(&opened.header.id, opened.header.created, 0).await {
            Ok(Ok(record)) if !record.closed => {
                replay(loaded, &record)?;
                Ok(Some(Opened { record: Some(Box::new(record)), earlier: None, ..opened.clone() }))
            }
            Ok(_) => Ok(None),
            Err(crate::error::LoadError::Store(error)) => Err(CommitError::Store(error)),
            Err(crate::error::LoadError::Stale) => Err(CommitError::Conflict),
        }
    }
}

/// Makes the changes of this request on what another one wrote.
fn replay(loaded: &Loaded, record: &LoadedRecord) -> Result<(), CommitError> {
    let payload = Payload::parse(&record.payload).map_err(|_| CommitError::Conflict)?;
    if loaded.session.replay_onto(payload) { Ok(()) } else { Err(CommitError::Conflict) }
}
