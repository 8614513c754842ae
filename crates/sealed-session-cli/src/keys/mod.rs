//! `sealed-session keys`: looks after a key file.

mod add;
mod arguments;
mod brute_force;
mod check;
mod edit;
mod edit_tests;
mod file;
mod gap;
mod key_id;
mod list;
mod logout_law_tests;
mod logouts;
mod promote;
mod remove;
mod replace;
mod retire;
mod revoke_before;
mod schedule;
mod seal_windows;
mod status;

use clap::{Args, Subcommand};

use crate::failure::Failure;

const AFTER: &str = "\
A key file is a ring: one key a line, each with the times at which it seals and
opens. A key is pending until its seal-from, then it seals, then it opens what
it sealed until nothing of that is valid, and then it has expired.

A rotation:
  sealed-session keys add session.keys     stages a key that seals in an hour
  sealed-session keys check session.keys --from deployed.keys    whom it logs out
  (bring the file to every server within that hour)
  sealed-session keys list session.keys    tells what happens when
  sealed-session keys remove session.keys KEY_ID    once the old key expired

After a leak:
  sealed-session keys add session.keys --now --force
  sealed-session keys remove session.keys LEAKED_KEY_ID --force
  sealed-session keys revoke-before session.keys --in 10m --rollout 5m

An edit keeps comments, order and owner, and puts a file of mode 0600 in the
place of the old one at once: no server reads half of it, and an edit that fails
leaves the file as it was. Access lists and extended attributes are not kept.
Two edits at the same time are one too many: the second is refused.

Every edit says what the servers do next and when. With --json it prints what
`keys list --json` does, and changed, dry_run, key_id, done and warnings beside
it. Warnings and errors stand on standard error. No command prints a secret.

Exit codes:
  0  done
  1  refused, or check found something, or the file could not be written
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show each key's state and what happens next
    List(list::Arguments),
    /// Stage a new key, which seals once every server has it
    Add(add::Arguments),
    /// Move the instant from which a pending key seals
    Promote(promote::Arguments),
    /// Write the end of a key's sealing into its line
    Retire(retire::Arguments),
    /// Take a key out
    Remove(remove::Arguments),
    /// End every session that began before an instant
    RevokeBefore(revoke_before::Arguments),
    /// Look for what is wrong with a key file, or soon will be
    Check(check::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::List(arguments) => list::run(arguments),
        Command::Add(arguments) => add::run(arguments),
        Command::Promote(arguments) => promote::run(arguments),
        Command::Retire(arguments) => retire::run(arguments),
        Command::Remove(arguments) => remove::run(arguments),
        Command::RevokeBefore(arguments) => revoke_before::run(arguments),
        Command::Check(arguments) => check::run(arguments),
    }
}
