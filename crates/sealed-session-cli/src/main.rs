//! The operator's command: keys and key files, session cookies by hand, and sweeps of a store. Over the crate's public
//! API alone.

mod cookie_value;
mod failure;
mod input;
mod inspect;
mod keygen;
mod keys;
mod lifetimes;
mod open;
mod output;
mod seal;
mod sealer;
mod size;
mod sweep;
mod usage;
mod when;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused, not done, or somebody would be logged out
  2  wrong usage, which includes a key file that cannot be used

`sealed-session COMMAND --help` explains a command and shows an example.";

/// Makes keys for session cookies, looks after key files, works on such cookies by hand, and sweeps stores.
#[derive(Debug, Parser)]
#[command(name = "sealed-session", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new random key and print its text form: the secret itself
    Keygen(keygen::Arguments),
    /// Look after a key file: stage, promote, retire and remove keys
    Keys(keys::Arguments),
    /// Seal a JSON object from standard input and print the cookie value
    Seal(seal::Arguments),
    /// Open a cookie value from standard input and print what it says
    Open(open::Arguments),
    /// Show what a cookie value says of itself, whether it is a session or not; never its data
    Inspect(inspect::Arguments),
    /// Show what fills a session cookie, key by key, and how much room is left
    Size(size::Arguments),
    /// Remove expired records from a store and print how many they were
    Sweep(sweep::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::show(error),
    };
    let outcome = match arguments.command {
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Seal(arguments) => seal::run(&arguments),
        Command::Open(arguments) => open::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Size(arguments) => size::run(&arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
    };
    outcome.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
