//! `sealed-session keys retire`

use clap::Args;
use sealed_session::Timestamp;
use sealed_session::operator::KeyState;

use super::arguments::InstantArguments;
use super::edit::{self, Edit, KeyEditArguments, refused};
use super::key_id;
use crate::failure::Failure;

const AFTER: &str = "\
Writes a seal-until into a key's line. It goes on opening what it sealed until
then and the grace, and expires once nothing of that is valid.

For a key that was superseded, the end is the instant at which it was: written
down, it stays even when the next key is taken out. For a key that only opens and
has no end, as those of a plain list, it is now: a thief of such a key could
otherwise mint sessions for as long as the key is in the file. Such a key was
often superseded long before: --at with that instant is the better end.

An end that is set is never moved later. Moving it earlier ends the sessions that
were sealed after it, and needs --force. The key that seals is not retired
without another one that follows: add that first.

Example:
  sealed-session keys retire session.keys KEY_ID";

#[derive(Debug, Args)]
#[command(after_help = edit::help_with_key_id(AFTER))]
pub(crate) struct Arguments {
    #[command(flatten)]
    key: KeyEditArguments,

    #[command(flatten)]
    instant: InstantArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    edit::run(&arguments.key.edit, |edit| retire(edit, &arguments.key.id.text, arguments.instant.instant(edit.now)))
}

pub(super) fn retire(edit: &mut Edit, key_id: &str, seal_until: Option<Timestamp>) -> Result<(), Failure> {
    let key_id = key_id::resolve(edit.text.ring(), key_id)?;
    let status = edit.status(key_id)?;
    edit.key_id = Some(key_id);
    let seal_until = seal_until.or(status.seal_until).unwrap_or(edit.now);
    if let Some(end) = status.seal_until.filter(|end| *end < seal_until) {
        return Err(refused(&format!(
            "the sealing of {key_id} ends at {}, and an end is never moved later; a key past it never seals again",
            edit.shown(end)
        )));
    }
    if status.state == KeyState::Pending && status.seal_from.is_some_and(|from| seal_until < from) {
        return Err(refused(&format!(
            "{key_id} has not begun; take it out with `sealed-session keys remove`, or give it a later end"
        )));
    }
    let is_earlier = status.seal_until.is_none_or(|end| seal_until < end);
    if is_earlier && seal_until < edit.now {
        edit.only_by_force(format!(
            "the sessions that {key_id} sealed later than {}, and the grace, end",
            edit.shown(seal_until)
        ))?;
    }
    let Some(mut marks) = edit.text.marks(&key_id).copied() else { return Err(refused("the ring has no such key")) };
    marks.seal_until = Some(seal_until);
    edit.text.set_marks([(key_id, marks)]).map_err(|error| refused(&error.to_string()))?;
    edit.done.push(format!("The sealing of {key_id} ends at {}, as its line says.", edit.shown(seal_until)));
    Ok(())
}
