//! What several of the subcommands take.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sealed_session::Timestamp;

use crate::lifetimes::LifetimeArguments;
use crate::when;

#[derive(Debug, Args)]
pub(crate) struct KeyFileArguments {
    /// Key file; a symbolic link is kept, and what it leads to is read or edited
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// Print one JSON object on one line
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) lifetimes: LifetimeArguments,
}

/// When something of the ring is to happen.
#[derive(Debug, Args)]
pub(crate) struct InstantArguments {
    /// The instant, in RFC 3339
    #[arg(long, value_name = "TIME", group = "when", value_parser = when::time)]
    at: Option<Timestamp>,

    /// The instant, from now on
    #[arg(long, value_name = "DURATION", group = "when", value_parser = when::duration)]
    r#in: Option<Duration>,

    /// The instant is now
    #[arg(long, group = "when")]
    now: bool,
}

impl InstantArguments {
    pub(super) fn instant(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.r#in.or_else(|| self.now.then_some(Duration::ZERO));
        self.at.or_else(|| ahead.map(|duration| when::later(now, duration)))
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct RolloutArguments {
    /// How long it takes until every server has loaded the file
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = when::duration)]
    pub(super) rollout: Duration,

    /// How much the clocks of two servers may differ
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = when::duration)]
    pub(super) skew: Duration,
}

impl RolloutArguments {
    /// How long it takes until the last server has loaded the file, by the clock that is furthest ahead. One server without a
    /// roll-out has one clock.
    pub(super) const fn until_loaded(&self) -> Duration {
        if self.rollout.is_zero() { Duration::ZERO } else { self.rollout.saturating_add(self.skew) }
    }
}
