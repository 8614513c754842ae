//! `sealed-session keys promote`

use std::time::Duration;

use clap::Args;
use sealed_session::Timestamp;
use sealed_session::operator::KeyState;

use super::arguments::{InstantArguments, RolloutArguments};
use super::edit::{self, Edit, KeyEditArguments, refused};
use super::key_id;
use super::seal_windows::SealWindows;
use crate::failure::Failure;
use crate::when;

const AFTER: &str = "\
Moves the seal-from of a key that is pending, and with it the seal-until of the
key before it. By default the key seals a minute after --rollout has passed,
which is an hour.

Sooner is refused without --force: servers that have not loaded the file go by
the old instant and take what others sealed before it for no session. So is
moving an instant that comes before the roll-out is over: some servers would
begin at it all the same.

A key that was superseded never seals again, and neither does one that is marked
open-only: add a new one in its place.

Example:
  sealed-session keys promote session.keys KEY_ID --at 2026-11-23T09:00:00Z";

#[derive(Debug, Args)]
#[command(after_help = edit::help_with_key_id(AFTER))]
pub(crate) struct Arguments {
    #[command(flatten)]
    key: KeyEditArguments,

    #[command(flatten)]
    instant: InstantArguments,

    #[command(flatten)]
    rollout: RolloutArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    edit::run(&arguments.key.edit, |edit| {
        let seal_from = arguments.instant.instant(edit.now);
        promote(edit, &arguments.key.id.text, seal_from, arguments.rollout.until_loaded())
    })
}

pub(super) fn promote(
    edit: &mut Edit,
    key_id: &str,
    seal_from: Option<Timestamp>,
    rollout: Duration,
) -> Result<(), Failure> {
    let key_id = key_id::resolve(edit.text.ring(), key_id)?;
    let status = edit.status(key_id)?;
    let planned = match (status.state, status.seal_from) {
        (KeyState::Pending, Some(planned)) => planned,
        (KeyState::Sealing, _) => return Err(refused(&format!("{key_id} seals already"))),
        _ => {
            return Err(refused(&format!(
                "{key_id} is {} and never seals again; add a new key, with `sealed-session keys add`",
                status.state
            )));
        }
    };
    let earliest = when::later(edit.now, rollout);
    let seal_from = seal_from.unwrap_or(earliest);
    edit.key_id = Some(key_id);
    if seal_from == planned {
        edit.done.push(format!("{key_id} is planned to seal from {} on.", edit.shown(planned)));
        return Ok(());
    }
    if seal_from < edit.now {
        return Err(refused(&format!("{} is past; a key begins now or later", seal_from.to_rfc3339())));
    }
    if seal_from < earliest {
        edit.only_by_force(format!(
            "{} comes before the roll-out is over, {}: servers that have not loaded the file by then go by {} and take \
             what is sealed earlier for no session",
            edit.shown(seal_from),
            edit.shown(earliest),
            planned.to_rfc3339()
        ))?;
    } else if planned < earliest && planned < seal_from {
        edit.only_by_force(format!(
            "{key_id} is planned for {}, before the roll-out is over: servers that have not loaded the file by then begin \
             at it, and the others take what they seal for no session",
            edit.shown(planned)
        ))?;
    }
    let before = SealWindows::of(edit.text.ring());
    let after = before.clone().beginning_at(key_id, seal_from);
    edit.text.set_marks(before.marks_after(after, edit.now)).map_err(|error| refused(&error.to_string()))?;
    edit.done.push(format!(
        "{key_id} seals from {} on, instead of {}. Bring the file to every server before the earlier of the two.",
        edit.shown(seal_from),
        planned.to_rfc3339()
    ));
    Ok(())
}
