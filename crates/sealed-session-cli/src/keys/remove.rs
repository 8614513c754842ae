//! `sealed-session keys remove`

use std::time::Duration;

use clap::Args;
use sealed_session::operator::{KeyState, KeyStatus};
use sealed_session::{KeyId, Timestamp};

use super::arguments::RolloutArguments;
use super::edit::{self, Edit, KeyEditArguments, refused};
use super::key_id;
use super::seal_windows::SealWindows;
use crate::failure::Failure;
use crate::when;

const AFTER: &str = "\
Takes a key out of the file, and the comment on its line.

A key that has expired opens nothing and goes without further ado. One that still
opens sessions goes only with --force: whoever has such a session is logged out.
One that is pending goes while the roll-out is over before its seal-from; the key
before it then seals on. The key that seals is never taken out: add one with
`keys add --now --force` first.

Refused, with --force too, while the line of an older key does not say when its
sealing ended: it would begin again. `keys retire` writes that down.

After a leak, taking the key out ends what a thief minted under it, and not what
servers have sealed again under the next key: `keys revoke-before` does that.

Example:
  sealed-session keys remove session.keys KEY_ID";

#[derive(Debug, Args)]
#[command(after_help = edit::help_with_key_id(AFTER))]
pub(crate) struct Arguments {
    #[command(flatten)]
    key: KeyEditArguments,

    #[command(flatten)]
    rollout: RolloutArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    edit::run(&arguments.key.edit, |edit| remove(edit, &arguments.key.id.text, arguments.rollout.until_loaded()))
}

pub(super) fn remove(edit: &mut Edit, key_id: &str, rollout: Duration) -> Result<(), Failure> {
    let key_id = key_id::resolve(edit.text.ring(), key_id)?;
    let status = edit.status(key_id)?;
    edit.key_id = Some(key_id);
    let before = SealWindows::of(edit.text.ring());
    match status.state {
        KeyState::Pending => check_pending(edit, &status, rollout)?,
        KeyState::Sealing => {
            return Err(refused(&format!(
                "{key_id} seals; add a key with `sealed-session keys add` first, and take this one out once that one seals"
            )));
        }
        KeyState::Expired => {}
        _ => check_opening(edit, &status)?,
    }
    let unwritten =
        before.unwritten_ends(edit.now).find(|(older, end)| *older != key_id && Some(*end) == status.seal_from);
    if let Some((older, end)) = unwritten {
        return Err(refused(&format!(
            "the line of {older} does not say that its sealing ended at {}, when {key_id} began: without {key_id} it would \
             seal again; write it down first, with `sealed-session keys retire FILE {older}`",
            end.to_rfc3339()
        )));
    }
    edit.text.remove(&key_id).map_err(|error| refused(&error.to_string()))?;
    if status.state == KeyState::Pending {
        let marks = before.clone().marks_after(before.without(key_id), edit.now);
        edit.text.set_marks(marks).map_err(|error| refused(&error.to_string()))?;
    }
    edit.done.push(format!("{key_id} is taken out."));
    Ok(())
}

/// Servers that do not load the file in time begin to seal under a key that the others have not.
fn check_pending(edit: &mut Edit, status: &KeyStatus, rollout: Duration) -> Result<(), Failure> {
    let begins: Option<Timestamp> = status.seal_from.filter(|from| *from < when::later(edit.now, rollout));
    let Some(begins) = begins else { return Ok(()) };
    let problem = format!(
        "{} begins at {}, before the roll-out is over: servers that have not loaded the file by then seal under it, and the \
         others take that for no session (--rollout says how long it takes)",
        status.key_id,
        edit.shown(begins)
    );
    edit.only_by_force(problem)
}

fn check_opening(edit: &mut Edit, status: &KeyStatus) -> Result<(), Failure> {
    let key_id: KeyId = status.key_id;
    let until = match status.open_until {
        Some(until) => format!("until {}", edit.shown(until)),
        None => "without an end, until `sealed-session keys retire` writes one".to_owned(),
    };
    edit.only_by_force(format!(
        "{key_id} opens what it sealed {until}: whoever has such a session, not sealed again since, is logged out"
    ))?;
    edit.done.push(
        "After a leak, follow with `sealed-session keys revoke-before`: what a thief minted may have been sealed again under \
         the next key."
            .to_owned(),
    );
    Ok(())
}
