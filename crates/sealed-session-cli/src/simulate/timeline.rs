//! What happens when, by the clock of the plan.

use std::collections::BTreeSet;

use sealed_session::{KeyId, KeyRing, Timestamp};

use super::plan::Plan;

/// Something that the plan makes happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    FirstServerLoads,
    Added,
    TakenOut,
    LastServerLoads,
    SealsFrom,
    SealsNoMore,
    /// What it seals from here on is refused.
    WindowEnds,
    OpensNoMore,
    NotBefore,
}

impl Happening {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FirstServerLoads => "first_server_loads",
            Self::Added => "key_added",
            Self::TakenOut => "key_taken_out",
            Self::LastServerLoads => "last_server_loads",
            Self::SealsFrom => "key_seals_from",
            Self::SealsNoMore => "key_seals_no_more",
            Self::WindowEnds => "key_window_ends",
            Self::OpensNoMore => "key_opens_no_more",
            Self::NotBefore => "not_before",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::FirstServerLoads => "the first server loads the planned ring",
            Self::Added => "is new in it",
            Self::TakenOut => "is not in it any more",
            Self::LastServerLoads => "the last server has loaded it",
            Self::SealsFrom => "seals from here on",
            Self::SealsNoMore => "seals no more",
            Self::WindowEnds => "its grace is over: what it seals later is refused",
            Self::OpensNoMore => "opens nothing any more, and can be taken out",
            Self::NotBefore => "every session that began earlier is ended",
        }
    }
}

/// One line of the plan.
pub(super) type Event = (Timestamp, Happening, Option<KeyId>);

/// From the start on, in order.
pub(super) fn events(plan: &Plan) -> Vec<Event> {
    let mut events =
        vec![(plan.start, Happening::FirstServerLoads, None), (plan.rolled_out, Happening::LastServerLoads, None)];
    let ids = |ring: &KeyRing| ring.key_ids().collect::<BTreeSet<_>>();
    let (current, planned) = (ids(&plan.current), ids(&plan.planned));
    events.extend(planned.difference(&current).map(|id| (plan.start, Happening::Added, Some(*id))));
    events.extend(current.difference(&planned).map(|id| (plan.start, Happening::TakenOut, Some(*id))));
    for status in plan.planned.statuses(&plan.settings.rotation, plan.start) {
        let seals_no_more = status.seal_until.map(|until| until.saturating_add_seconds(1));
        let window_ends = status.seal_until.map(|until| plan.window_end(until).saturating_add_seconds(1));
        let own = [
            (status.seal_from, Happening::SealsFrom),
            (seals_no_more, Happening::SealsNoMore),
            (window_ends, Happening::WindowEnds),
            (status.open_until, Happening::OpensNoMore),
        ];
        events.extend(own.into_iter().filter_map(|(at, what)| at.map(|at| (at, what, Some(status.key_id)))));
    }
    events.extend(plan.planned.not_before().map(|at| (at, Happening::NotBefore, None)));
    events.retain(|(at, ..)| (plan.start..=plan.until).contains(at));
    events.sort_unstable();
    events
}
