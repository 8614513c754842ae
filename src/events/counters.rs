use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Event, Observer};
use crate::error::Reason;

/// Counts events by their names, and refusals by their reason codes: an observer, ready for a metrics exporter.
///
/// A clone shows the same counters. What each key of the ring was used for is counted by the ring itself:
/// [`SessionManager::key_reports`](crate::SessionManager::key_reports).
///
/// ```
/// use sealed_session::events::Counters;
/// use sealed_session::{Key, RequestFacts, SessionManager};
///
/// let counters = Counters::default();
/// let store = SessionManager::builder(Key::generate()?).observer(counters.clone()).build()?;
/// store.begin(&RequestFacts::new().cookie_header(b"__Host-session=junk")).session_now()?;
///
/// let snapshot = counters.snapshot();
/// for (reason, count) in &snapshot.rejected {
///     println!("session_rejected_total{{reason=\"{reason}\"}} {count}");
/// }
/// assert!(snapshot.rejected.contains(&(sealed_session::Reason::Malformed, 1)));
/// assert!(snapshot.events.contains(&("initiated", 1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Counters(Arc<Counts>);

#[derive(Default)]
struct Counts {
    events: [AtomicU64; Event::NAMES.len()],
    rejected: [AtomicU64; Reason::ALL.len()],
}

/// What was counted up to an instant. Every event and every reason is there, also with a count of 0, so that a rate can be
/// made of the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterSnapshot {
    /// Events by their names.
    pub events: Vec<(&'static str, u64)>,
    /// Cookies, records and sessions that were refused, by reason.
    pub rejected: Vec<(Reason, u64)>,
}

impl Counters {
    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> CounterSnapshot {
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        CounterSnapshot {
            events: Event::NAMES.into_iter().zip(self.0.events.iter().map(load)).collect(),
            rejected: Reason::ALL.into_iter().zip(self.0.rejected.iter().map(load)).collect(),
        }
    }
}

impl Observer for Counters {
    fn observe(&self, event: &Event) {
        count(&self.0.events, Event::NAMES.iter().position(|name| *name == event.name()));
        if let Event::Rejected { reason } = event {
            count(&self.0.rejected, Reason::ALL.iter().position(|known| known == reason));
        }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counters").field(&self.snapshot()).finish()
    }
}

fn count(counters: &[AtomicU64], position: Option<usize>) {
    if let Some(counter) = position.and_then(|position| counters.get(position)) {
        counter.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{KeyId, SessionId};

    /// One of each.
    fn events() -> Vec<Event> {
        let id = SessionId::from_bytes([7; 16]).public_id("");
        let (problem, from) = (String::new(), KeyId::from_bytes([1; 8]));
        vec![
            Event::SettingWorthAThought { setting: "", advice: "" },
            Event::RingReplaced { key_ids: Vec::new() },
            Event::RingReloadFailed { problem: problem.clone() },
            Event::Swept { removed: 1 },
            Event::SweepFailed { problem: problem.clone() },
            Event::Initiated { id: None },
            Event::Rejected { reason: Reason::Absent },
            Event::LoadFailed { problem: problem.clone() },
            Event::Ephemeral,
            Event::Migrated { from: id, to: id },
            Event::Spilled { id },
            Event::OldInputDropped { id },
            Event::Returned { id },
            Event::Renewed { id },
            Event::Resealed { id, from },
            Event::RenewalSkipped { id },
            Event::WritesDropped { id: Some(id) },
            Event::LogoutLost { id: Some(id) },
            Event::UnopenedRemoved,
            Event::Destroyed { id },
            Event::CommitFailed { problem },
            Event::Committed { id },
            Event::CachingRestricted,
            Event::WriteAfterCommit { id: None },
        ]
    }

    #[test]
    fn every_event_has_a_counter_of_its_own_under_its_name() {
        let names: Vec<_> = events().iter().map(Event::name).collect();
        assert_eq!(names, Event::NAMES);
        for event in events() {
            let counters = Counters::default();
            counters.observe(&event);
            let counted: Vec<_> = counters.snapshot().events.into_iter().filter(|(_, count)| *count > 0).collect();
            assert_eq!(counted, [(event.name(), 1)]);
        }
    }

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        for reason in Reason::ALL {
            let counters = Counters::default();
            counters.observe(&Event::Rejected { reason });
            counters.observe(&Event::Rejected { reason });
            let counted: Vec<_> = counters.snapshot().rejected.into_iter().filter(|(_, count)| *count > 0).collect();
            assert_eq!(counted, [(reason, 2)]);
        }
    }

    #[test]
    fn a_snapshot_names_what_was_not_counted_too() {
        let snapshot = Counters::default().snapshot();
        assert_eq!((snapshot.events.len(), snapshot.rejected.len()), (Event::NAMES.len(), Reason::ALL.len()));
    }
}
