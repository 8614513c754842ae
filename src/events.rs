//! What happens to sessions, for logs, metrics and audit.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::error::Reason;
use crate::id::{KeyId, PublicId};

/// Is told what happens to sessions: synchronously, on the request's own path, so it is to be quick.
///
/// An observer that panics breaks nothing but itself: the panic is caught (unless the program aborts on panics), the request
/// goes on, and the other observers are told. It is told the next event too, so what it holds must bear that: a `Mutex` of
/// its own is poisoned by then.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use sealed_session::events::{Event, Observer};
///
/// #[derive(Default)]
/// struct Refusals(AtomicU64);
///
/// impl Observer for Refusals {
///     fn observe(&self, event: &Event) {
///         if let Event::Rejected { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// # let _ = Refusals::default();
/// ```
pub trait Observer: Send + Sync + 'static {
    /// One event. Events of one request come in the order of the variants of [`Event`].
    fn observe(&self, event: &Event);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event) {
        (**self).observe(event);
    }
}

/// Something that happened to a session. Carries ids that logs may show, and no data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A setting that works and may be a mistake; reported once, when the manager is built.
    QuestionableSetting {
        /// The setting, by the name of its builder method.
        setting: &'static str,
        /// What may come of it.
        advice: &'static str,
    },
    /// Another ring of keys is in force.
    RingReplaced {
        /// Its keys: those that can seal, the newest first, then those that only open.
        key_ids: Vec<KeyId>,
    },
    /// The ring of keys could not be read again; the one before it stays in force. Told once for as long as the problem
    /// stays the same.
    RingReloadFailed {
        /// What is wrong, and the mend.
        problem: String,
    },
    /// Expired records were removed from a server store; told by a [`Sweeper`](crate::store::Sweeper).
    Swept {
        /// How many.
        removed: usize,
    },
    /// A [`Sweeper`](crate::store::Sweeper) could not remove expired records, or not all; it tries again at its interval.
    SweepFailed {
        /// What the store says.
        problem: String,
    },
    /// A request asked for its session.
    Initiated {
        /// The session that its cookie named, if there was a good one.
        id: Option<PublicId>,
    },
    /// A cookie, or the record behind it, is not a session; or a session is too large to be written, which is told before
    /// [`Event::CommitFailed`].
    Rejected {
        /// Why; the client is not told.
        reason: Reason,
    },
    /// A session could not be loaded; its request was not answered as if it had none.
    LoadFailed {
        /// What the store says.
        problem: String,
    },
    /// The server store did not answer, and the request goes on with a session that is not kept.
    Ephemeral,
    /// A session got a new id.
    Migrated {
        /// The id before.
        from: PublicId,
        /// The id from now on.
        to: PublicId,
    },
    /// A session left its cookie for the server store.
    Spilled {
        /// The session.
        id: PublicId,
    },
    /// The old input of a form was left out, because the session did not fit with it.
    OldInputDropped {
        /// The session.
        id: PublicId,
    },
    /// A session came back from the server store into its cookie.
    Returned {
        /// The session.
        id: PublicId,
    },
    /// A session that was not written lives on for another idle timeout.
    Renewed {
        /// The session.
        id: PublicId,
    },
    /// A session left the key that sealed it before.
    Resealed {
        /// The session.
        id: PublicId,
        /// The key before.
        from: KeyId,
    },
    /// A renewal was due and left out, because the server store did not answer or the session has moved on.
    RenewalSkipped {
        /// The session.
        id: PublicId,
    },
    /// Writes were dropped: the request ended without a commit, or the configuration keeps nothing of its status.
    WritesDropped {
        /// The session, if it has an id.
        id: Option<PublicId>,
    },
    /// A request ended the session and was itself ended before that was carried out: the session lives.
    LogoutLost {
        /// The session, if it has an id.
        id: Option<PublicId>,
    },
    /// A request ended its session, and the cookies that it came with could not be opened: they are removed, and whether a
    /// session lives on elsewhere is not known.
    UnopenedRemoved,
    /// A session ended, by `destroy` or because nothing was left in it.
    Destroyed {
        /// The session.
        id: PublicId,
    },
    /// A session could not be written; its client keeps the cookie that it has.
    CommitFailed {
        /// What went wrong, without data.
        problem: String,
    },
    /// The session was written, and its cookie goes out with the response.
    Committed {
        /// The session.
        id: PublicId,
    },
    /// A response's caching headers were changed, so that no shared cache keeps it.
    CachingRestricted,
    /// A handler wrote to a session whose response head was on its way; the writer got an error.
    WriteAfterCommit {
        /// The session, if it has an id.
        id: Option<PublicId>,
    },
}

impl Event {
    /// The names of all events, in the order of the variants.
    pub(crate) const NAMES: [&str; 24] = [
        "questionable_setting",
        "ring_replaced",
        "ring_reload_failed",
        "swept",
        "sweep_failed",
        "initiated",
        "rejected",
        "load_failed",
        "ephemeral",
        "migrated",
        "spilled",
        "old_input_dropped",
        "returned",
        "renewed",
        "resealed",
        "renewal_skipped",
        "writes_dropped",
        "logout_lost",
        "unopened_removed",
        "destroyed",
        "commit_failed",
        "committed",
        "caching_restricted",
        "write_after_commit",
    ];

    /// The name, for logs and metrics.
    ///
    /// ```
    /// assert_eq!(sealed_session::events::Event::Ephemeral.name(), "ephemeral");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::QuestionableSetting { .. } => "questionable_setting",
            Self::RingReplaced { .. } => "ring_replaced",
            Self::RingReloadFailed { .. } => "ring_reload_failed",
            Self::Swept { .. } => "swept",
            Self::SweepFailed { .. } => "sweep_failed",
            Self::Initiated { .. } => "initiated",
            Self::Rejected { .. } => "rejected",
            Self::LoadFailed { .. } => "load_failed",
            Self::Ephemeral => "ephemeral",
            Self::Migrated { .. } => "migrated",
            Self::Spilled { .. } => "spilled",
            Self::OldInputDropped { .. } => "old_input_dropped",
            Self::Returned { .. } => "returned",
            Self::Renewed { .. } => "renewed",
            Self::Resealed { .. } => "resealed",
            Self::RenewalSkipped { .. } => "renewal_skipped",
            Self::WritesDropped { .. } => "writes_dropped",
            Self::LogoutLost { .. } => "logout_lost",
            Self::UnopenedRemoved => "unopened_removed",
            Self::Destroyed { .. } => "destroyed",
            Self::CommitFailed { .. } => "commit_failed",
            Self::Committed { .. } => "committed",
            Self::CachingRestricted => "caching_restricted",
            Self::WriteAfterCommit { .. } => "write_after_commit",
        }
    }
}

/// The observers of a manager.
#[derive(Clone, Default)]
pub(crate) struct Observers(Arc<Vec<Arc<dyn Observer>>>);

impl Observers {
    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        Arc::make_mut(&mut self.0).push(observer);
    }

    /// Whether nobody observes: then no event need be made.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn tell(&self, event: &Event) {
        for observer in self.0.iter() {
            // Security: events are told in the midst of a commit. A panic that went on from here would leave a session
            // half-written, or a logout undone, because a log could not be kept. No state of ours is behind the call, so
            // none can be seen broken. The panic itself has been reported by the program's hook.
            let _ = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
        }
    }
}

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
/// let manager = SessionManager::builder(Key::generate()?).observer(counters.clone()).build()?;
/// manager.begin(&RequestFacts::new().cookie_header(b"__Host-session=junk")).session_now()?;
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
mod counters_tests {
    use super::*;
    use crate::id::{KeyId, SessionId};

    /// One of each.
    fn events() -> Vec<Event> {
        let id = SessionId::from_bytes([7; 16]).public_id("");
        let (problem, from) = (String::new(), KeyId::from_bytes([1; 8]));
        vec![
            Event::QuestionableSetting { setting: "", advice: "" },
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
