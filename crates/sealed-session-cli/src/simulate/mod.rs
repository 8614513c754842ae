//! `sealed-session simulate`

mod findings;
mod fleet;
mod mend;
mod plan;
mod population;
mod refusals;
mod report;
mod timeline;

#[cfg(test)]
mod brute_force;
#[cfg(test)]
mod plans;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sealed_session::{Clock as _, KeyRing, SystemClock, Timestamp};

use self::findings::Outcome;
use self::plan::{Plan, Settings, earlier, without_pending};
use crate::failure::Failure;
use crate::lifetimes::{LifetimeArguments, duration, instant};
use crate::{output, sealer};

const AFTER: &str = "\
Rehearses the roll-out of a key file. A fleet of servers with real session stores
goes through it in simulated time: the first server loads the planned file at the
start, the last one when the roll-out ends, each with the slowest and with the
fastest clock. Users log in right before and right after each change and come
back by four habits, from every few minutes to once in the longest lifetime.
Every cookie is shown to every server as long as it is not too old. What is
refused then is a user who would be logged out.

For each group of them it says which key sealed their cookies and when, from when
until when they are refused and with which reason code, why, and what to change.
Sessions that the planned file's `not-before` is there to end are listed apart.
Times are UTC. Records in a server store and CSRF tokens follow the same windows.

Give the timeouts of your application where they are not the defaults. A DURATION
is written as 90s, 10m, 2h or 30days, a TIME as 2026-11-23T09:00:00Z.

With --json one JSON object on one line: nobody_is_logged_out, start, rolled_out,
users, events (a list of at, event, key_id), logged_out and ended_by_not_before
(lists of key_id, reason, cause, sealed_from, sealed_until, refused_from,
refused_until, users, habits, why, mend), no_sealing_key (null, or from and
until); times in seconds since 1970.

Example:
  sealed-session simulate --keys planned.keys --from session.keys --rollout 30m

Exit codes:
  0  done, and nobody would be logged out against the plan
  1  somebody would be, or at some time no key seals: see standard output
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Key file as it is planned
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,

    /// Key file that the servers have loaded now
    /// [default: the planned one without the keys that are still to come]
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    from: Option<PathBuf>,

    /// Time from the first to the last server that loads the planned file
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    rollout: Duration,

    /// Largest difference between the clocks of two servers
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    skew: Duration,

    #[command(flatten)]
    lifetimes: LifetimeArguments,

    /// When the first server loads the planned file [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    start: Option<Timestamp>,

    /// Look no further than this [default: until nothing changes any more]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<Timestamp>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let plan = plan(arguments)?;
    let outcome = rehearse(&plan)?;
    output::line(&if arguments.json {
        report::json(&plan, &outcome).to_string()
    } else {
        report::text(&plan, &outcome)
    })?;
    if outcome.nobody_is_logged_out() {
        return Ok(());
    }
    Err(Failure::NotDone("somebody would be logged out; standard output says who, why, and what to change".to_owned()))
}

fn plan(arguments: &Arguments) -> Result<Plan, Failure> {
    let planned = sealer::ring(&arguments.keys)?;
    let builder = arguments.lifetimes.configure(sealed_session::sealer::Sealer::builder(planned.clone()));
    let settings = Settings {
        lifetimes: arguments.lifetimes.lifetimes(),
        rotation: *sealer::build(builder)?.rotation_settings(),
        grace: arguments.lifetimes.grace(),
        idle: arguments.lifetimes.idle(),
        longest_own: arguments.lifetimes.longest_own(),
    };
    let start = arguments.start.unwrap_or_else(|| SystemClock.now());
    let current = match &arguments.from {
        Some(path) => sealer::ring(path)?,
        None => without_pending(&planned, &settings.rotation, start)
            .map_err(|error| Failure::Usage(format!("the planned keys without those to come: {error}; give --from")))?,
    };
    let until = arguments.until.unwrap_or(Timestamp::MAX);
    if until <= start {
        return Err(Failure::Usage("--until is not after the start; give a later time".to_owned()));
    }
    let plan = Plan {
        current,
        planned,
        start,
        rolled_out: start.saturating_add_seconds(arguments.rollout.as_secs()),
        skew_seconds: arguments.skew.as_secs(),
        until,
        settings,
    };
    let slowest = earlier(start, plan.skew_seconds / 2);
    check(&plan.current, slowest, "the ring that the servers have now")?;
    check(&plan.planned, slowest, "the planned ring, which a server would refuse to load")?;
    Ok(plan)
}

/// As a server does when it loads a ring.
fn check(ring: &KeyRing, now: Timestamp, which: &str) -> Result<(), Failure> {
    ring.check(now).map_err(|error| Failure::Usage(format!("{which}: {error}")))
}

/// Plays the plan from its start to its end.
fn rehearse(plan: &Plan) -> Result<Outcome, Failure> {
    let servers = fleet::servers(plan).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(findings::outcome(plan, &servers, &population::users(plan, &servers)))
}

impl Outcome {
    fn nobody_is_logged_out(&self) -> bool {
        self.logged_out.is_empty() && self.unsealed.is_none()
    }
}
