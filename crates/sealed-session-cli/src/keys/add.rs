//! `sealed-session keys add`

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str;
use std::time::Duration;

use clap::Args;
use sealed_session::operator::RingText;
use sealed_session::{Clock as _, Key, RingEntry, Suite, SystemClock, Timestamp};

use super::arguments::{InstantArguments, RolloutArguments};
use super::edit::{self, Edit, EditArguments, refused};
use super::replace;
use super::seal_windows::SealWindows;
use crate::failure::Failure;
use crate::keygen::SuiteArgument;
use crate::sealer::{KEY_FILE_MAX_BYTES, looks_like_a_key};
use crate::{input, when};

const AFTER: &str = "\
Makes a key and puts it at the end of the file with a seal-from. Until then it
only opens, so that every server knows it before the first cookie needs it: a
server that does not know a cookie's key takes the session for none. Bring the
file to every server before that instant. The key that seals until then gets
its seal-until in the file, and goes on opening what it sealed.

By default the key seals a minute after --rollout has passed, which is an hour:
a server's clock may be a minute ahead. Sooner is refused without --force. With one server, --now --rollout 0s is right.

With --create there is no such file yet; the key then seals at once.

Examples:
  sealed-session keys add session.keys
  sealed-session keys add session.keys --at 2026-11-23T09:00:00Z
  sealed-session keys add session.keys --create
  vault read -field=key secret/session |
    sealed-session keys add session.keys --key-file -";

#[derive(Debug, Args)]
#[command(after_help = edit::help(AFTER))]
pub(crate) struct Arguments {
    #[command(flatten)]
    edit: EditArguments,

    /// Make the file, which must not exist
    #[arg(long, conflicts_with = "when")]
    create: bool,

    #[command(flatten)]
    instant: InstantArguments,

    #[command(flatten)]
    rollout: RolloutArguments,

    #[command(flatten)]
    suite: SuiteArgument,

    /// Take the key from this file and make none; - is standard input
    #[arg(long, value_name = "KEY_FILE")]
    key_file: Option<PathBuf>,

    /// Comment behind the key [default: the time at which it was added]
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let key = arguments.key()?;
    if arguments.create {
        return arguments.create(key);
    }
    edit::run(&arguments.edit, |edit| {
        let seal_from = arguments.instant.instant(edit.now);
        add(edit, key, seal_from, arguments.rollout.until_loaded(), arguments.comment.as_deref())
    })
}

/// Stages the key for this instant, by default for when the roll-out is over.
pub(super) fn add(
    edit: &mut Edit,
    key: Key,
    seal_from: Option<Timestamp>,
    rollout: Duration,
    comment: Option<&str>,
) -> Result<(), Failure> {
    let (key_id, suite) = (key.id(), key.suite().name());
    let earliest = when::later(edit.now, rollout);
    let seal_from = seal_from.unwrap_or(earliest);
    if seal_from < edit.now {
        return Err(refused(&format!("{} is past; a new key begins now or later", seal_from.to_rfc3339())));
    }
    if seal_from < earliest {
        edit.only_by_force(format!(
            "{} comes before the roll-out is over, {}: servers that have not loaded the file by then take the sessions of \
             the new key for none (--rollout says how long it takes)",
            edit.shown(seal_from),
            edit.shown(earliest)
        ))?;
    }
    let before = SealWindows::of(edit.text.ring());
    let comment = comment.map_or_else(|| added(edit.now), str::to_owned);
    let entry = RingEntry::new(key).seal_from(seal_from);
    edit.text.push(entry, Some(&comment)).map_err(|error| refused(&error.to_string()))?;
    let marks = before.marks_after(SealWindows::of(edit.text.ring()), edit.now);
    edit.text.set_marks(marks).map_err(|error| refused(&error.to_string()))?;
    edit.key_id = Some(key_id);
    edit.done.push(format!(
        "{key_id} ({suite}) is added and seals from {} on. Bring the file to every server {}.",
        edit.shown(seal_from),
        if seal_from > edit.now { "before that" } else { "at once" }
    ));
    Ok(())
}

fn added(now: Timestamp) -> String {
    format!("added {}", now.to_rfc3339())
}

impl Arguments {
    fn create(&self, key: Key) -> Result<(), Failure> {
        let (now, key_id, suite) = (SystemClock.now(), key.id(), key.suite().name());
        let comment = self.comment.clone().unwrap_or_else(|| added(now));
        let text = RingText::new(RingEntry::new(key), Some(&comment)).map_err(|error| refused(&error.to_string()))?;
        let mut edit = Edit::new(text, &self.edit, now)?;
        edit.key_id = Some(key_id);
        edit.done.push(format!("{key_id} ({suite}) is the first key of a new file and seals at once."));
        let text = edit.checked_against(edit.text.ring())?;
        replace::create(&self.edit.key_file.file, &text, self.edit.dry_run)?;
        edit.report(&self.edit, true)
    }

    /// A new key, or the one that is given.
    fn key(&self) -> Result<Key, Failure> {
        let Some(path) = &self.key_file else {
            let suite = self.suite.suite.unwrap_or_else(Suite::fastest_here);
            return Key::generate_with(suite).map_err(|error| Failure::NotDone(error.to_string()));
        };
        // Security: an error names the place and the rule, and shows nothing of what stands there.
        if looks_like_a_key(path) {
            return Err(Failure::Usage("--key-file takes the name of a file, or -, not a key".to_owned()));
        }
        let place = if path == Path::new("-") { "standard input".to_owned() } else { format!("the key file {path:?}") };
        let unusable = |problem: &dyn std::fmt::Display| Failure::Usage(format!("{place}: {problem}"));
        let bytes = if path == Path::new("-") {
            input::standard_input(KEY_FILE_MAX_BYTES)?
        } else {
            let file = File::open(path).and_then(|file| input::read(file, KEY_FILE_MAX_BYTES));
            file.map_err(|error| unusable(&error))?
        };
        let bytes = bytes.ok_or_else(|| unusable(&format_args!("more than {KEY_FILE_MAX_BYTES} bytes are no key")))?;
        let text = str::from_utf8(&bytes).map_err(|_| unusable(&"a key is UTF-8 text"))?;
        let key =
            Key::from_text_with(text, self.suite.suite.unwrap_or(Suite::Xaes)).map_err(|error| unusable(&error))?;
        match self.suite.suite {
            Some(suite) if suite != key.suite() => {
                Err(unusable(&format_args!("the key is of the suite {}, leave out --suite", key.suite().name())))
            }
            _ => Ok(key),
        }
    }
}
