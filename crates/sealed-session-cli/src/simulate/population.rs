//! The users: when they log in, and when they come back.

use std::collections::BTreeSet;
use std::time::Duration;

use sealed_session::Timestamp;

use super::fleet::{Cookie, Server, Visit};
use super::plan::{Plan, Settings, earlier};

/// When a user comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Habit {
    EveryFewMinutes,
    OnceADay,
    BeforeTheIdleTimeout,
    AtTheEndOfTheLongestLifetime,
}

/// A cookie that a browser holds from its sealing until the user's next one.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) cookie: Cookie,
    pub(super) sealed_at: Timestamp,
    /// When it is replaced; `None` when it is kept to its end.
    pub(super) replaced_at: Option<Timestamp>,
}

/// A user, and every cookie that their browser held.
#[derive(Debug)]
pub(super) struct User {
    pub(super) habit: Habit,
    pub(super) cookies: Vec<Held>,
}

impl Habit {
    pub(super) const ALL: [Self; 4] =
        [Self::EveryFewMinutes, Self::OnceADay, Self::BeforeTheIdleTimeout, Self::AtTheEndOfTheLongestLifetime];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::EveryFewMinutes => "every_few_minutes",
            Self::OnceADay => "once_a_day",
            Self::BeforeTheIdleTimeout => "before_idle_timeout",
            Self::AtTheEndOfTheLongestLifetime => "end_of_longest_lifetime",
        }
    }

    /// Who that is.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::EveryFewMinutes => "come every few minutes",
            Self::OnceADay => "are remembered and come once a day",
            Self::BeforeTheIdleTimeout => "come back a moment before the idle timeout",
            Self::AtTheEndOfTheLongestLifetime => "are remembered and come back before the longest lifetime ends",
        }
    }

    fn own_lifetime(self, settings: &Settings) -> Option<Duration> {
        match self {
            Self::EveryFewMinutes | Self::BeforeTheIdleTimeout => None,
            Self::OnceADay | Self::AtTheEndOfTheLongestLifetime => Some(settings.longest_own),
        }
    }

    /// Most cookies that one user is followed through. Who comes often holds a cookie of lately, and is like a user who
    /// has logged in lately: there is one of those before and after every change.
    const fn cookies_max(self) -> usize {
        match self {
            Self::EveryFewMinutes | Self::OnceADay | Self::BeforeTheIdleTimeout => 4,
            Self::AtTheEndOfTheLongestLifetime => 1,
        }
    }

    /// When the user comes next. Visits that change nothing are left out: between two changes of their server, only the
    /// first one after half of the lifetime brings a new cookie.
    fn next_visit(self, server: &Server, held: &Held, plan: &Plan, changes: &BTreeSet<Timestamp>) -> Option<Timestamp> {
        let seconds = match self {
            Self::EveryFewMinutes => (plan.settings.idle.as_secs() / 8).clamp(1, 5 * 60),
            Self::OnceADay => (plan.settings.longest_own.as_secs() / 8).clamp(1, 24 * 60 * 60),
            Self::BeforeTheIdleTimeout => return Some(server.true_time(earlier(held.cookie.ends, 1))),
            Self::AtTheEndOfTheLongestLifetime => return None,
        };
        let lifetime_seconds = held.cookie.ends.saturating_seconds_since(held.cookie.issued);
        let half = held.sealed_at.saturating_add_seconds(lifetime_seconds / 2 + 1);
        let change = changes.range(held.sealed_at.saturating_add_seconds(1)..).next();
        let wanted = change.map_or(half, |change| half.min(*change)).saturating_seconds_since(held.sealed_at);
        Some(held.sealed_at.saturating_add_seconds(wanted.div_ceil(seconds).saturating_mul(seconds)))
    }
}

/// Every user: with each server, one of each habit who logs in right before and one right after each change, and the
/// first of those who stay away whose cookie lives until a change.
pub(super) fn users(plan: &Plan, servers: &[Server]) -> Vec<User> {
    let mut users = Vec::new();
    for server in servers {
        let true_time = |local: Timestamp| server.true_time(local);
        let changes: BTreeSet<_> =
            plan.sealing_changes().into_iter().map(true_time).chain([plan.start, plan.rolled_out]).collect();
        // What was sealed earlier has ended before the start.
        let longest_seconds = plan.settings.longest_cookie().as_secs().saturating_add(plan.skew_seconds);
        let first = earlier(plan.start, longest_seconds);
        let mut log_in = |logins: &BTreeSet<Timestamp>, habits: &[Habit]| {
            for login in logins.range(first..plan.until.max(first)) {
                let user = |habit: &Habit| play(plan, server, *habit, *login, &changes);
                users.extend(habits.iter().filter_map(user));
            }
        };
        log_in(&changes.iter().flat_map(|change| [earlier(*change, 1), *change]).collect(), &Habit::ALL);
        for (habit, lifetime) in [
            (Habit::BeforeTheIdleTimeout, plan.settings.idle),
            (Habit::AtTheEndOfTheLongestLifetime, plan.settings.longest_own),
        ] {
            let until = ends_that_matter(plan, servers).into_iter();
            let logins = until.map(|end| true_time(earlier(end, lifetime.as_secs().saturating_sub(1))));
            log_in(&logins.collect(), &[habit]);
        }
    }
    users
}

/// By any server's own clock: a cookie that ends later than this may be refused where one that ends now is not.
fn ends_that_matter(plan: &Plan, servers: &[Server]) -> BTreeSet<Timestamp> {
    let starts = servers.iter().flat_map(|server| [plan.start, server.loads_at()].map(|at| server.local(at)));
    plan.opening_changes().into_iter().chain(starts).collect()
}

fn play(plan: &Plan, server: &Server, habit: Habit, login: Timestamp, changes: &BTreeSet<Timestamp>) -> Option<User> {
    let cookie = server.login(login, habit.own_lifetime(&plan.settings))?;
    let mut held = Held { cookie, sealed_at: login, replaced_at: None };
    let mut cookies = Vec::new();
    let mut changes_left = changes.clone();
    while cookies.len() + 1 < habit.cookies_max() {
        let Some(at) = habit.next_visit(server, &held, plan, &changes_left).filter(|at| *at > held.sealed_at) else {
            break;
        };
        match server.visit(at, &held.cookie) {
            Visit::Sealed(cookie) => {
                let before = std::mem::replace(&mut held, Held { cookie, sealed_at: at, replaced_at: None });
                cookies.push(Held { replaced_at: Some(at), ..before });
            }
            // The change brought no new cookie: the next one may.
            Visit::Kept => {
                let gone =
                    changes_left.range(held.sealed_at.saturating_add_seconds(1)..=at).copied().collect::<Vec<_>>();
                if gone.is_empty() {
                    break;
                }
                gone.iter().for_each(|change| {
                    changes_left.remove(change);
                });
            }
            Visit::Refused | Visit::Failed => break,
        }
    }
    cookies.push(held);
    Some(User { habit, cookies })
}
