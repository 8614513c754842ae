//! How the application is configured: its timeouts, and what the windows of keys follow from.

use std::time::Duration;

use clap::Args;
use sealed_session::operator::RotationSettings;
use sealed_session::sealer::{Sealer, SealerBuilder};
use sealed_session::{KeyRing, Lifetimes};

use crate::failure::Failure;
use crate::sealer;
use crate::when::duration;

const HEADING: &str = "The application's settings";

/// How the application is configured, where that is not the default.
#[derive(Clone, Debug, Args)]
pub(crate) struct LifetimeArguments {
    /// Idle timeout of a session
    #[arg(long, help_heading = HEADING, value_name = "DURATION", default_value = "2h", value_parser = duration)]
    idle: Duration,

    /// Absolute timeout of a session, or none
    #[arg(long, help_heading = HEADING, value_name = "DURATION", default_value = "30days", value_parser = absolute)]
    absolute: Absolute,

    /// Longest lifetime of a remembered session
    /// [default: the absolute timeout]
    #[arg(long, help_heading = HEADING, value_name = "DURATION", value_parser = duration, verbatim_doc_comment)]
    remember_max: Option<Duration>,

    /// How long a key that was superseded may still seal
    #[arg(long, help_heading = HEADING, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    grace: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Absolute {
    None,
    After(Duration),
}

impl LifetimeArguments {
    pub(crate) fn configure(&self, builder: SealerBuilder) -> SealerBuilder {
        let lifetimes = Lifetimes::default().idle_timeout(self.idle).absolute_timeout(self.absolute_timeout());
        let lifetimes = match self.remember_max {
            Some(longest) => lifetimes.remember_max(longest),
            None => lifetimes,
        };
        builder.lifetimes(lifetimes).key_grace(self.grace)
    }

    /// As the application would judge the keys of this ring.
    pub(crate) fn rotation(&self, ring: &KeyRing) -> Result<RotationSettings, Failure> {
        sealer::build(self.configure(Sealer::builder(ring.clone()))).map(|sealer| *sealer.rotation_settings())
    }

    pub(crate) const fn idle(&self) -> Duration {
        self.idle
    }

    pub(crate) const fn grace(&self) -> Duration {
        self.grace
    }

    /// The longest time that one cookie is valid after its sealing.
    pub(crate) fn longest_cookie(&self) -> Duration {
        self.remember_max.or_else(|| self.absolute_timeout()).unwrap_or_default().max(self.idle)
    }

    const fn absolute_timeout(&self) -> Option<Duration> {
        match self.absolute {
            Absolute::None => None,
            Absolute::After(timeout) => Some(timeout),
        }
    }
}

fn absolute(text: &str) -> Result<Absolute, &'static str> {
    if text == "none" { Ok(Absolute::None) } else { duration(text).map(Absolute::After) }
}
