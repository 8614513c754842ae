//! `sealed-session keys revoke-before`

use std::time::Duration;

use clap::Args;
use sealed_session::Timestamp;

use super::arguments::{InstantArguments, RolloutArguments};
use super::edit::{self, Edit, EditArguments, refused};
use crate::failure::Failure;
use crate::when;

/// What a server tolerates of a beginning that lies ahead of its own clock: a thief dates his sessions so.
const CLOCKS: Duration = Duration::from_secs(60);

const AFTER: &str = "\
Writes the ring's not-before. Once that instant has come, every session that
began earlier is ended, under whatever key it was sealed: everybody logs in
anew. Renewal and re-sealing move no session's beginning, so nothing that was
minted with a leaked key survives it.

Take the leaked key out first (`keys remove --force`). A thief mints sessions
for as long as one server has the key, and he dates them as late as a server's
clock lets him. So the instant lies behind the last server's reload, and two
minutes more for clocks that differ; earlier is refused without --force. The
sooner the roll-out is over, the sooner it can be: say so with --rollout.

An instant that is set is moved earlier only with --force: sessions that it ends
would be good again.

Examples:
  sealed-session keys revoke-before session.keys --in 10m --rollout 5m
  sealed-session keys revoke-before session.keys --at 2026-11-23T09:00:00Z";

#[derive(Debug, Args)]
#[command(after_help = edit::help(AFTER))]
pub(crate) struct Arguments {
    #[command(flatten)]
    edit: EditArguments,

    #[command(flatten)]
    instant: InstantArguments,

    #[command(flatten)]
    rollout: RolloutArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    edit::run(&arguments.edit, |edit| {
        let not_before = arguments.instant.instant(edit.now);
        let not_before = not_before.ok_or_else(|| Failure::Usage("give the instant, with --at or --in".to_owned()))?;
        revoke_before(edit, not_before, arguments.rollout.until_loaded())
    })
}

pub(super) fn revoke_before(edit: &mut Edit, not_before: Timestamp, rollout: Duration) -> Result<(), Failure> {
    let earliest = when::later(when::later(edit.now, rollout), CLOCKS);
    let known = edit.text.ring().not_before();
    if known == Some(not_before) {
        edit.done.push(format!("not-before is {} already.", edit.shown(not_before)));
        return Ok(());
    }
    if let Some(known) = known.filter(|known| *known > not_before) {
        edit.only_by_force(format!(
            "not-before is {} and would be earlier: sessions that began between the two would be good again",
            edit.shown(known)
        ))?;
    }
    if not_before < earliest {
        edit.only_by_force(format!(
            "{} lies before {}, when the last server has loaded the file and two minutes for clocks that differ: with a \
             leaked key, a thief mints sessions until then that begin later (--rollout says how long it takes)",
            edit.shown(not_before),
            edit.shown(earliest)
        ))?;
    }
    edit.text.set_not_before(Some(not_before)).map_err(|error| refused(&error.to_string()))?;
    edit.done.push(format!(
        "Every session that began before {} is ended from then on. Bring the file to every server; a leaked key must be out \
         of it.",
        edit.shown(not_before)
    ));
    Ok(())
}
