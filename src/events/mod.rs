//! What happens to sessions, for logs, metrics and audit.

mod counters;

pub use counters::{CounterSnapshot, Counters};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

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
    /// A setting that works and is worth a second thought; told once, when the store is built.
    SettingWorthAThought {
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
        "setting_worth_a_thought",
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
            Self::SettingWorthAThought { .. } => "setting_worth_a_thought",
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

/// The observers of a store.
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
