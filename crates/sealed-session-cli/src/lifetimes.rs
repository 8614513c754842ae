//! Durations and times as operators write them, and the timeouts that an application is configured with.

use std::time::Duration;

use clap::Args;
use sealed_session::sealer::SealerBuilder;
use sealed_session::{Lifetimes, Timestamp};

/// How the application is configured, where that is not the default.
#[derive(Clone, Debug, Args)]
pub(crate) struct LifetimeArguments {
    /// Idle timeout of the application
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = duration)]
    idle: Duration,

    /// Absolute timeout of the application, or none
    #[arg(long, value_name = "DURATION", default_value = "30days", value_parser = absolute)]
    absolute: Absolute,

    /// Longest lifetime that a session may ask for
    /// [default: the absolute timeout]
    #[arg(long, value_name = "DURATION", value_parser = duration, verbatim_doc_comment)]
    remember_max: Option<Duration>,

    /// How long a key that was superseded may still seal
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    grace: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Absolute {
    None,
    After(Duration),
}

impl LifetimeArguments {
    pub(crate) fn lifetimes(&self) -> Lifetimes {
        let lifetimes = Lifetimes::default().idle_timeout(self.idle).absolute_timeout(self.absolute_timeout());
        match self.remember_max {
            Some(longest) => lifetimes.remember_max(longest),
            None => lifetimes,
        }
    }

    pub(crate) fn configure(&self, builder: SealerBuilder) -> SealerBuilder {
        builder.lifetimes(self.lifetimes()).key_grace(self.grace)
    }

    pub(crate) const fn idle(&self) -> Duration {
        self.idle
    }

    pub(crate) const fn grace(&self) -> Duration {
        self.grace
    }

    /// The longest lifetime of its own that a session can have. Without any bound the building of a sealer has failed.
    pub(crate) fn longest_own(&self) -> Duration {
        self.remember_max.or_else(|| self.absolute_timeout()).unwrap_or(self.idle)
    }

    const fn absolute_timeout(&self) -> Option<Duration> {
        match self.absolute {
            Absolute::None => None,
            Absolute::After(timeout) => Some(timeout),
        }
    }
}

// Security: no message quotes what was given, which may be a key by mistake.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| duration.subsec_nanos() == 0)
        .ok_or("give a duration of whole seconds, such as 90s, 10m, 2h or 30days")
}

pub(crate) fn instant(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::from_rfc3339(text).ok_or("give a time such as 2026-11-23T09:00:00Z: RFC 3339, whole seconds")
}

fn absolute(text: &str) -> Result<Absolute, &'static str> {
    if text == "none" { Ok(Absolute::None) } else { duration(text).map(Absolute::After) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units_and_in_whole_seconds() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("1h 30m", 5400), ("30days", 2_592_000), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "90", "-1s", "1500ms", "tomorrow", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
