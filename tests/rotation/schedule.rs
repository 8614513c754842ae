//! What may happen to a fleet, in whatever order.

use proptest::collection::vec;
use proptest::prelude::*;
use sealed_session::Suite;

use crate::fleet::SERVERS;
use crate::spec::{GRACE, REMEMBER_MAX, SKEW};

/// Honest browsers of a fleet.
pub(crate) const BROWSERS: usize = 3;

/// Longest that a request takes.
pub(crate) const REQUEST_MAX_SECONDS: u64 = 5;

/// What a handler does with its session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Read,
    Write,
    /// Into the store, where there is one.
    Grow,
    /// And back into the cookie.
    Shrink,
    Login,
    Remember {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) server: usize,
    pub(crate) act: Act,
    pub(crate) is_navigation: bool,
    /// Between the opening of the session and its commit.
    pub(crate) takes_seconds: u64,
    /// The server loads the newest ring while the request is in flight.
    pub(crate) reloads_meanwhile: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Visit {
        browser: usize,
        visit: Visit,
    },
    Wait {
        seconds: u64,
    },
    /// Until shortly before, at, or shortly after an instant at which something of the ring changes.
    Approach {
        which: usize,
        early_seconds: u64,
    },
    /// Until shortly before or at the end of a browser's session.
    Outlive {
        browser: usize,
        early_seconds: u64,
    },
    Reload {
        server: usize,
    },
    SetClock {
        server: usize,
        ahead: u64,
    },
    AddKey {
        suite: Suite,
        later: u64,
    },
    WriteEnds,
    RemoveKeys,
    /// A thief seals under a key that was stolen, with a clock of his own.
    Mint {
        key: usize,
        clock: u64,
        own_lifetime: Option<u64>,
    },
    /// He seals a session that begins so much later than now.
    MintAhead {
        key: usize,
        ahead: u64,
    },
    /// He sends what he has.
    Use {
        visit: Visit,
    },
    /// It was noticed: the operator takes the key out and ends what began before the last reload, two minutes added.
    Leak {
        key: usize,
        by_its_end: bool,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Read),
        2 => Just(Act::Write),
        2 => Just(Act::Grow),
        1 => Just(Act::Shrink),
        1 => Just(Act::Login),
        2 => prop_oneof![Just(REMEMBER_MAX), 1..=REMEMBER_MAX].prop_map(|seconds| Act::Remember { seconds }),
    ]
}

fn visit() -> impl Strategy<Value = Visit> {
    let takes = prop_oneof![3 => Just(0), 1 => 0..=REQUEST_MAX_SECONDS];
    (0..SERVERS, act(), prop::bool::weighted(0.7), takes, prop::bool::weighted(0.1)).prop_map(
        |(server, act, is_navigation, takes_seconds, reloads_meanwhile)| Visit {
            server,
            act,
            is_navigation,
            takes_seconds,
            reloads_meanwhile,
        },
    )
}

/// How far a clock is ahead of the slowest, the extremes often.
pub(crate) fn ahead() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(SKEW), 0..=SKEW]
}

fn honest() -> impl Strategy<Value = Step> {
    let suite = prop_oneof![Just(Suite::Xaes), Just(Suite::XChaCha)];
    let which = prop_oneof![3 => Just(0), 1 => 0_usize..4];
    prop_oneof![
        24 => (0..BROWSERS, visit()).prop_map(|(browser, visit)| Step::Visit { browser, visit }),
        4 => prop_oneof![3 => 0_u64..70, 1 => 0_u64..400].prop_map(|seconds| Step::Wait { seconds }),
        5 => (which, 0..=SKEW + 2).prop_map(|(which, early_seconds)| Step::Approach { which, early_seconds }),
        1 => (0..BROWSERS, 0_u64..3).prop_map(|(browser, early_seconds)| Step::Outlive { browser, early_seconds }),
        2 => (0..SERVERS).prop_map(|server| Step::Reload { server }),
        1 => (0..SERVERS, ahead()).prop_map(|(server, ahead)| Step::SetClock { server, ahead }),
        3 => (suite, prop_oneof![Just(0_u64), 0_u64..300]).prop_map(|(suite, later)| Step::AddKey { suite, later }),
        1 => Just(Step::WriteEnds),
        2 => Just(Step::RemoveKeys),
    ]
}

/// What a fleet and its users do.
pub(crate) fn honest_steps() -> impl Strategy<Value = Vec<Step>> {
    vec(honest(), 20..90)
}

/// The same with a thief among them, who has every key that there ever was.
pub(crate) fn steps_with_a_thief() -> impl Strategy<Value = Vec<Step>> {
    let own_lifetime = prop_oneof![Just(None), Just(Some(REMEMBER_MAX)), (1..=REMEMBER_MAX).prop_map(Some)];
    // From before the grace of a key to after what the fastest clock takes.
    let clock = prop_oneof![0..GRACE + 4 * SKEW, GRACE..GRACE + 4 * SKEW];
    let mint = (0_usize..4, clock, own_lifetime);
    let thief = prop_oneof![
        mint.prop_map(|(key, clock, own_lifetime)| Step::Mint { key, clock, own_lifetime }),
        visit().prop_map(|visit| Step::Use { visit }),
    ];
    vec(prop_oneof![3 => honest(), 2 => thief], 20..90)
}

/// A thief with one key, before and after it is noticed.
pub(crate) fn steps_with_a_leak() -> impl Strategy<Value = Vec<Step>> {
    (0_usize..3).prop_flat_map(|key| {
        let ahead = prop_oneof![2 => SKEW..=2 * SKEW, 1 => 0..=2 * SKEW + 5];
        let mint = ahead.prop_map(move |ahead| Step::MintAhead { key, ahead });
        let usage = visit().prop_map(|visit| Step::Use { visit });
        let step = prop_oneof![3 => honest(), 2 => mint.boxed(), 4 => usage.boxed()].boxed();
        let wait = (0_u64..40).prop_map(|seconds| Step::Wait { seconds }).boxed();
        let soon = prop_oneof![1 => wait, 2 => step.clone()].boxed();
        (vec(step, 5..50), any::<bool>(), vec(soon, 20..80)).prop_map(move |(mut steps, by_its_end, after)| {
            steps.push(Step::Leak { key, by_its_end });
            steps.extend(after);
            steps
        })
    })
}
