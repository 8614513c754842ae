//! Every cookie, shown to every server at every instant at which the answer may change while a browser holds it.

use std::collections::BTreeSet;

use sealed_session::limits::CLOCK_SKEW_SECONDS;
use sealed_session::{KeyId, Reason, Timestamp};

use super::fleet::{Cookie, Server};
use super::plan::{Plan, earlier};
use super::population::Held;

/// That a server does not take a cookie which is not too old.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) key_id: KeyId,
    pub(super) cause: Cause,
    pub(super) sealed_at: Timestamp,
    /// By the clock of the server that sealed it.
    pub(super) issued: Timestamp,
    pub(super) from: Timestamp,
    /// The first second in which that is over.
    pub(super) until: Timestamp,
    /// The session is one of those that the ring's `not-before` is there to end.
    pub(super) is_intended: bool,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The server has not loaded the ring that has the key.
    NotLoaded,
    /// The server's ring has the key no more.
    TakenOut,
    /// The key's `open-until` has come.
    Expired { has_loaded: bool },
    /// Sealed when the key should have stopped sealing, and the grace was over.
    SealedTooLate { has_loaded: bool },
    /// Sealed before the key's `seal-from`.
    SealedTooEarly { has_loaded: bool },
    /// The ring's `not-before`.
    NotBefore,
    /// The clocks of two servers differ by more than is tolerated.
    Clocks,
    /// What no rotation causes.
    Other(Reason),
}

impl Cause {
    /// The reason code that the server's log would show.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::NotLoaded | Self::TakenOut => Reason::UnknownKey,
            Self::Expired { .. } | Self::SealedTooLate { .. } | Self::SealedTooEarly { .. } => Reason::KeyRetired,
            Self::NotBefore => Reason::Revoked,
            Self::Clocks => Reason::NotYetValid,
            Self::Other(reason) => reason,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NotLoaded => "not_loaded",
            Self::TakenOut => "taken_out",
            Self::Expired { .. } => "expired",
            Self::SealedTooLate { .. } => "sealed_too_late",
            Self::SealedTooEarly { .. } => "sealed_too_early",
            Self::NotBefore => "not_before",
            Self::Clocks => "clocks",
            Self::Other(_) => "other",
        }
    }
}

/// Every time at which this server refuses the cookie although it is not too old.
pub(super) fn refusals(plan: &Plan, server: &Server, changes: &BTreeSet<Timestamp>, held: &Held) -> Vec<Refusal> {
    let cookie = &held.cookie;
    let first = held.sealed_at.max(plan.start);
    let too_old = server.true_time(cookie.ends);
    let end = held.replaced_at.map_or(too_old, |replaced| replaced.min(too_old)).min(plan.until);
    let becomes_valid = server.true_time(earlier(cookie.issued, CLOCK_SKEW_SECONDS));
    // Between two of these the answer is the same.
    let own = changes.iter().map(|local| server.true_time(*local)).chain([server.loads_at(), becomes_valid]);
    let pieces: BTreeSet<_> = own.filter(|at| (first..end).contains(at)).chain([first]).collect();
    let ends = pieces.iter().skip(1).chain([&end]);
    pieces
        .iter()
        .zip(ends)
        .filter(|(from, until)| from < until)
        .filter_map(|(from, until)| {
            let cause = cause(plan, server, *from, cookie)?;
            Some(Refusal {
                key_id: cookie.key_id,
                cause,
                sealed_at: held.sealed_at,
                issued: cookie.issued,
                from: *from,
                until: *until,
                is_intended: plan.planned.not_before().is_some_and(|not_before| cookie.created < not_before),
            })
        })
        .collect()
}

/// Why the server refuses the cookie at this instant; `None` when it does not.
pub(super) fn cause(plan: &Plan, server: &Server, at: Timestamp, cookie: &Cookie) -> Option<Cause> {
    let has_loaded = server.has_loaded(at);
    Some(match server.refuses(at, &cookie.value)? {
        Reason::UnknownKey if has_loaded => Cause::TakenOut,
        Reason::UnknownKey => Cause::NotLoaded,
        Reason::KeyRetired => retired(plan, has_loaded, cookie),
        Reason::Revoked => Cause::NotBefore,
        Reason::NotYetValid => Cause::Clocks,
        other => Cause::Other(other),
    })
}

/// Which end of its key's windows refuses the cookie. Where its sealing lies outside, no `open-until` would help.
fn retired(plan: &Plan, has_loaded: bool, cookie: &Cookie) -> Cause {
    let mut statuses = plan.ring(has_loaded).statuses(&plan.settings.rotation, plan.start);
    let status = statuses.find(|status| status.key_id == cookie.key_id);
    let (seal_from, seal_until) = status.map_or((None, None), |status| (status.seal_from, status.seal_until));
    if seal_from.is_some_and(|from| cookie.issued.saturating_add_seconds(CLOCK_SKEW_SECONDS) < from) {
        Cause::SealedTooEarly { has_loaded }
    } else if seal_until.is_some_and(|until| cookie.issued > plan.window_end(until)) {
        Cause::SealedTooLate { has_loaded }
    } else {
        Cause::Expired { has_loaded }
    }
}
