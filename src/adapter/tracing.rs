//! What happens to sessions, as structured events of the crate `tracing`.

use tracing::{debug, field, info, trace, warn};

use crate::error::Reason;
use crate::events::{Event, Observer};

/// Of every event, so that a filter such as `sealed_session=info` names them all.
const TARGET: &str = "sealed_session";

/// Tells `tracing` every [`Event`], under the target `sealed_session`.
///
/// The field `event` names what happened, such as `session.committed`; the other fields are those of the [`Event`]:
/// ids that logs may show, reason codes and problems, never data, keys or cookies.
///
/// | level | events |
/// |---|---|
/// | `TRACE` | `session.initiated`; `session.rejected` with the reason `absent` |
/// | `DEBUG` | `session.rejected` with an expiry; `session.migrated`, `.spilled`, `.returned`, `.renewed`, `.resealed`, `.destroyed`, `.caching_restricted`, `.committed`, `.swept` |
/// | `INFO` | `session.rejected` with any other reason; `session.old_input_dropped`, `.renewal_skipped`, `.ring_replaced` |
/// | `WARN` | `session.questionable_setting`, `.load_failed`, `.ephemeral`, `.writes_dropped`, `.write_after_commit`, `.commit_failed`, `.ring_reload_failed`, `.sweep_failed` |
///
/// ```
/// use sealed_session::adapter::tracing::TracingObserver;
/// use sealed_session::{SessionManager, Key};
///
/// let manager = SessionManager::builder(Key::generate()?).observer(TracingObserver).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn observe(&self, event: &Event) {
        match event {
            Event::QuestionableSetting { setting, advice } => {
                warn!(target: TARGET, event = "session.questionable_setting", setting = *setting, advice = *advice);
            }
            Event::RingReplaced { key_ids } => {
                let key_ids: Vec<_> = key_ids.iter().map(ToString::to_string).collect();
                info!(target: TARGET, event = "session.ring_replaced", key_ids = key_ids.join(" "));
            }
            Event::RingReloadFailed { problem } => {
                warn!(target: TARGET, event = "session.ring_reload_failed", problem = problem.as_str());
            }
            Event::Swept { removed } => debug!(target: TARGET, event = "session.swept", removed = *removed),
            Event::SweepFailed { problem } => {
                warn!(target: TARGET, event = "session.sweep_failed", problem = problem.as_str());
            }
            Event::Initiated { id } => {
                trace!(target: TARGET, event = "session.initiated", id = id.map(field::display));
            }
            Event::Rejected { reason } => rejected(*reason),
            Event::LoadFailed { problem } => {
                warn!(target: TARGET, event = "session.load_failed", problem = problem.as_str());
            }
            Event::Ephemeral => warn!(target: TARGET, event = "session.ephemeral"),
            Event::Migrated { from, to } => {
                debug!(target: TARGET, event = "session.migrated", from = %from, to = %to);
            }
            Event::Spilled { id } => debug!(target: TARGET, event = "session.spilled", id = %id),
            Event::OldInputDropped { id } => info!(target: TARGET, event = "session.old_input_dropped", id = %id),
            Event::Returned { id } => debug!(target: TARGET, event = "session.returned", id = %id),
            Event::Renewed { id } => debug!(target: TARGET, event = "session.renewed", id = %id),
            Event::Resealed { id, from } => {
                debug!(target: TARGET, event = "session.resealed", id = %id, from = %from);
            }
            Event::RenewalSkipped { id } => info!(target: TARGET, event = "session.renewal_skipped", id = %id),
            Event::WritesDropped { id } => {
                warn!(target: TARGET, event = "session.writes_dropped", id = id.map(field::display));
            }
            Event::LogoutLost { id } => {
                warn!(target: TARGET, event = "session.logout_lost", id = id.map(field::display));
            }
            Event::UnopenedRemoved => info!(target: TARGET, event = "session.unopened_removed"),
            Event::WriteAfterCommit { id } => {
                warn!(target: TARGET, event = "session.write_after_commit", id = id.map(field::display));
            }
            Event::Destroyed { id } => debug!(target: TARGET, event = "session.destroyed", id = %id),
            Event::CachingRestricted => debug!(target: TARGET, event = "session.caching_restricted"),
            Event::CommitFailed { problem } => {
                warn!(target: TARGET, event = "session.commit_failed", problem = problem.as_str());
            }
            Event::Committed { id } => debug!(target: TARGET, event = "session.committed", id = %id),
        }
    }
}

fn rejected(reason: Reason) {
    match reason {
        Reason::Absent => trace!(target: TARGET, event = "session.rejected", reason = reason.as_str()),
        // A user who comes back late: no operator has anything to do.
        Reason::ExpiredIdle | Reason::ExpiredAbsolute => {
            debug!(target: TARGET, event = "session.rejected", reason = reason.as_str());
        }
        // Security: not louder, because any client can cause these as often as it likes.
        _ => info!(target: TARGET, event = "session.rejected", reason = reason.as_str()),
    }
}
