//! The application's settings that the windows of keys follow from.

use std::time::Duration;

use clap::Args;
use sealed_session::operator::RotationSettings;

use super::when::duration;

const HEADING: &str = "The application's settings";

#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// How long a key that was superseded may still seal
    #[arg(long, help_heading = HEADING, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    grace: Duration,

    /// Absolute timeout of a session
    #[arg(long, help_heading = HEADING, value_name = "DURATION", default_value = "30d", value_parser = duration)]
    absolute: Duration,

    /// Longest lifetime of a remembered session [default: that of --absolute]
    #[arg(long, help_heading = HEADING, value_name = "DURATION", value_parser = duration)]
    remember_max: Option<Duration>,
}

impl SettingsArguments {
    pub(crate) fn settings(&self) -> RotationSettings {
        let longest = self.remember_max.map_or(self.absolute, |remember_max| remember_max.max(self.absolute));
        RotationSettings::default().grace(self.grace).longest_lifetime(longest)
    }
}
