//! `sealed-session seal`

use std::time::Duration;

use clap::{Args, value_parser};
use sealed_session::{Clock as _, SystemClock, limits};

use crate::failure::Failure;
use crate::sealer::SealerArguments;
use crate::{input, output};

/// Far more than any cookie carries, so that the error can say how much too large an object is.
const INPUT_MAX_BYTES: usize = 1024 * 1024;

const AFTER: &str = "\
Reads one JSON object from standard input and prints the value of a cookie that
carries it. The session begins now and ends SECONDS later. With the default
idle timeout, 7200, the application renews it as it does its own sessions; with
any other lifetime it keeps that lifetime, as a remembered login does.

The member \"~\" is the library's own (flash messages, old input) and taken as it
is. Two members of one name are refused, and so is an integer beyond 64 bits:
write it as a string. A cookie of the default name carries up to 2979 bytes of JSON.

Example:
  echo '{\"user\":42}' |
    sealed-session seal --keys session.keys --audience example-app/prod --ttl 3600

Exit codes:
  0  done
  1  not sealed: no JSON object, a reserved, repeated or inexact member, or too large
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER, mut_arg("keys", |keys| keys.required(true)))]
pub(crate) struct Arguments {
    #[command(flatten)]
    sealer: SealerArguments,

    /// Lifetime in seconds: from 1 to 2592000, which is 30 days
    #[arg(
        long = "ttl",
        value_name = "SECONDS",
        value_parser = value_parser!(u64).range(1..=limits::ABSOLUTE_TIMEOUT_SECONDS)
    )]
    lifetime_seconds: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let sealer = arguments.sealer.required()?;
    let json = input::standard_input(INPUT_MAX_BYTES)?.ok_or_else(|| {
        not_sealed(&format_args!(
            "standard input has more than {INPUT_MAX_BYTES} bytes, {} are the most that fit a cookie",
            sealer.payload_max_bytes()
        ))
    })?;
    let object = input::object(&json).map_err(|problem| not_sealed(&problem))?;
    let now = SystemClock.now();
    let text = match arguments.lifetime_seconds {
        limits::IDLE_TIMEOUT_SECONDS => sealer.seal(&object, now),
        // Wire format, section 3.2: any other lifetime is the session's own.
        seconds => sealer.seal_for(&object, Duration::from_secs(seconds), now),
    };
    output::line(&text.map_err(|error| not_sealed(&error))?)
}

fn not_sealed(problem: &dyn std::fmt::Display) -> Failure {
    Failure::NotDone(format!("not sealed: {problem}"))
}
