//! What every edit of a key file goes through: lock, read, change, look at the outcome, write, report.

use clap::Args;
use sealed_session::operator::{KeyStatus, RingText, RotationSettings};
use sealed_session::{Clock as _, KeyId, KeyRing, SystemClock, Timestamp};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::arguments::KeyFileArguments;
use super::file::KeyFile;
use super::key_id::KeyIdArgument;
use super::{gap, list, schedule};
use crate::failure::Failure;
use crate::sealer::KEY_FILE_MAX_BYTES;
use crate::{output, when};

#[derive(Debug, Args)]
pub(crate) struct EditArguments {
    #[command(flatten)]
    pub(super) key_file: KeyFileArguments,

    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Do what is refused because it would end sessions
    #[arg(long)]
    pub(super) force: bool,
}

/// What an edit of one of the keys takes.
#[derive(Debug, Args)]
pub(crate) struct KeyEditArguments {
    #[command(flatten)]
    pub(super) edit: EditArguments,

    #[command(flatten)]
    pub(super) id: KeyIdArgument,
}

/// The help of an edit: what it does, and its exit codes.
pub(super) fn help(does: &str) -> String {
    format!(
        "{does}

Exit codes:
  0  done
  1  refused, or the file could not be written
  2  wrong usage, which includes a key file that cannot be used"
    )
}

/// The same of an edit of one key.
pub(super) fn help_with_key_id(does: &str) -> String {
    help(&format!(
        "{does}

Put -- before a KEY_ID that begins with --."
    ))
}

/// An edit under way.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(super) text: RingText,
    pub(super) settings: RotationSettings,
    pub(super) now: Timestamp,
    pub(super) force: bool,
    /// The key that it is about.
    pub(super) key_id: Option<KeyId>,
    /// What was done, and what the operator does next.
    pub(super) done: Vec<String>,
    /// What was forced, and what else is to be known.
    pub(super) warnings: Vec<String>,
}

/// Edits the file as `change` says.
pub(crate) fn run(
    arguments: &EditArguments,
    change: impl FnOnce(&mut Edit) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = KeyFile::locked(&arguments.key_file.file)?;
    let before = file.text()?;
    let mut edit = Edit::new(before.clone(), arguments, SystemClock.now())?;
    change(&mut edit)?;
    let text = edit.checked_against(before.ring())?;
    let is_changed = *text != *before.to_secret_text();
    if is_changed && let Some(mode) = file.loose_mode() {
        edit.warnings.push(format!(
            "others than its owner had a right to the file (mode {mode:04o}), and have none any more (0600): the \
             application must run as its owner"
        ));
    }
    if is_changed && !arguments.dry_run {
        file.replace(&text)?;
    }
    edit.report(arguments, is_changed)
}

impl Edit {
    pub(super) fn new(text: RingText, arguments: &EditArguments, now: Timestamp) -> Result<Self, Failure> {
        let (settings, force) = (arguments.key_file.lifetimes.rotation(text.ring())?, arguments.force);
        Ok(Self { text, settings, now, force, key_id: None, done: Vec::new(), warnings: Vec::new() })
    }

    /// What a key does now.
    pub(super) fn status(&self, key_id: KeyId) -> Result<KeyStatus, Failure> {
        let mut statuses = self.text.ring().statuses(&self.settings, self.now);
        statuses.find(|status| status.key_id == key_id).ok_or_else(|| refused("the ring has no such key"))
    }

    /// An instant, and how far it is.
    pub(super) fn shown(&self, instant: Timestamp) -> String {
        when::shown(instant, self.now)
    }

    /// Goes on only where the operator forces it, and then with a warning.
    pub(super) fn only_by_force(&mut self, problem: String) -> Result<(), Failure> {
        if !self.force {
            return Err(Failure::NotDone(format!("refused: {problem}; --force does it all the same")));
        }
        self.warnings.push(problem);
        Ok(())
    }

    /// The new text, which servers will take, and which seals for no shorter than the ring before it.
    pub(super) fn checked_against(&self, before: &KeyRing) -> Result<Zeroizing<String>, Failure> {
        let ring = self.text.ring();
        ring.check(self.now).map_err(|error| refused(&format!("no server would take the ring: {error}")))?;
        if let Some(gap) = gap::first(ring, self.now)
            && gap::first(before, self.now).is_none_or(|known| gap < known)
        {
            return Err(refused(&format!(
                "nothing would seal from {} on; add a key first, with `sealed-session keys add`",
                self.shown(gap)
            )));
        }
        let text = self.text.to_secret_text();
        if text.len() > KEY_FILE_MAX_BYTES {
            return Err(refused(&format!(
                "the file would have more than {KEY_FILE_MAX_BYTES} bytes; remove keys first"
            )));
        }
        // What a server will read, by the way in which it reads.
        if KeyRing::from_text(&text).as_ref() != Ok(ring) {
            return Err(refused("the new text does not read as the ring that it was made from"));
        }
        Ok(text)
    }

    pub(super) fn report(&self, arguments: &EditArguments, is_changed: bool) -> Result<(), Failure> {
        self.warnings.iter().for_each(|warning| output::remark("warning", warning));
        if arguments.key_file.json {
            return output::line(&self.json(is_changed, arguments.dry_run).to_string());
        }
        let mut lines = Vec::new();
        if arguments.dry_run {
            lines.push("Nothing is written. Without --dry-run:".to_owned());
        } else if !is_changed {
            lines.push("Nothing is changed.".to_owned());
        }
        lines.extend(self.done.iter().cloned());
        lines.push(String::new());
        let ring = self.text.ring();
        let standing = schedule::standing(ring, &self.settings, self.now);
        let changes = schedule::changes(ring, &self.settings, self.now);
        lines.extend(standing.iter().chain(&changes).map(|change| change.line(self.now)));
        output::line(&lines.join("\n"))
    }

    fn json(&self, is_changed: bool, is_dry_run: bool) -> Value {
        let mut object = list::json(&self.text, &self.settings, self.now);
        if let Value::Object(object) = &mut object {
            object.insert("changed".to_owned(), json!(is_changed && !is_dry_run));
            object.insert("dry_run".to_owned(), json!(is_dry_run));
            object.insert("key_id".to_owned(), json!(self.key_id.map(|key_id| key_id.to_string())));
            object.insert("done".to_owned(), json!(self.done));
            object.insert("warnings".to_owned(), json!(self.warnings));
        }
        object
    }
}

/// What no force does.
pub(crate) fn refused(problem: &str) -> Failure {
    Failure::NotDone(format!("refused: {problem}"))
}
