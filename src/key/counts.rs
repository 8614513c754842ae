//! What a key was used for, counted while requests go on: relaxed atomics, no lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::clock::Timestamp;
use crate::error::Reason;

/// Counters of one key. They outlive the ring that they were begun in, as long as the next one has the key too.
#[derive(Debug, Default)]
pub(crate) struct KeyCounts {
    opened: AtomicU64,
    sealed: AtomicU64,
    refused: [AtomicU64; Reason::ALL.len()],
    /// Seconds since 1970; 0 for never.
    last_opened: AtomicU64,
    /// Seconds since 1970; 0 for not yet.
    counted_since: AtomicU64,
}

impl KeyCounts {
    /// Counting begins, where it has not.
    pub(super) fn begin(&self, now: Timestamp) {
        let _ = self.counted_since.compare_exchange(0, now.unix_seconds(), Relaxed, Relaxed);
    }

    pub(crate) fn sealed(&self) {
        self.sealed.fetch_add(1, Relaxed);
    }

    /// Counts what came of an envelope, or of a token, that names this key.
    pub(crate) fn opened<T>(&self, outcome: &Result<T, Reason>, now: Timestamp) {
        match outcome {
            Ok(_) => {
                self.opened.fetch_add(1, Relaxed);
                // Most requests come within the same second: a write that says nothing new would only make the other
                // processors fetch the line again.
                if self.last_opened.load(Relaxed) < now.unix_seconds() {
                    self.last_opened.fetch_max(now.unix_seconds(), Relaxed);
                }
            }
            Err(reason) => {
                let position = Reason::ALL.iter().position(|known| known == reason);
                if let Some(counter) = position.and_then(|position| self.refused.get(position)) {
                    counter.fetch_add(1, Relaxed);
                }
            }
        }
    }

    pub(super) fn opened_count(&self) -> u64 {
        self.opened.load(Relaxed)
    }

    pub(super) fn sealed_count(&self) -> u64 {
        self.sealed.load(Relaxed)
    }

    /// The reasons that were met, each with how often.
    pub(super) fn refused_counts(&self) -> Vec<(Reason, u64)> {
        let counts = self.refused.iter().map(|counter| counter.load(Relaxed));
        Reason::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn last_opened(&self) -> Option<Timestamp> {
        instant(&self.last_opened)
    }

    pub(super) fn counted_since(&self) -> Option<Timestamp> {
        instant(&self.counted_since)
    }
}

fn instant(seconds: &AtomicU64) -> Option<Timestamp> {
    Some(seconds.load(Relaxed)).filter(|seconds| *seconds > 0).map(Timestamp::from_unix_seconds)
}
