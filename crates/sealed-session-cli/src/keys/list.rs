//! `sealed-session keys list`

use clap::Args;
use sealed_session::operator::{RingText, RotationSettings};
use sealed_session::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::arguments::KeyFileArguments;
use super::file::KeyFile;
use super::{schedule, status};
use crate::failure::Failure;
use crate::{output, when};

const AFTER: &str = "\
Prints a line for each key: its id, its suite, what it does now (pending,
sealing, opening, expired) and until when. Below stand the ring's not-before,
which ends every session that began earlier, and what the servers will do by
themselves if the file stays as it is. A secret is never printed.

How long a key opens follows from the application's own settings: give them
where they are not the defaults.

The object of --json has now, not_before, keys (each with key_id, suite, state,
open_only, seal_from, seal_until, seal_until_is_written, open_until,
next_change) and next (each with at, event and mostly key_id). Times are in
RFC 3339, or null for none.

Example:
  sealed-session keys list session.keys

Exit codes:
  0  done
  1  the answer could not be written
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    key_file: KeyFileArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let KeyFileArguments { file, json, lifetimes } = &arguments.key_file;
    let file = KeyFile::read(file)?;
    let (text, now) = (file.text()?, SystemClock.now());
    let settings = lifetimes.rotation(text.ring())?;
    if let Some(mode) = file.loose_mode() {
        output::remark("warning", &loose_mode(mode));
    }
    if *json {
        output::line(&self::json(&text, &settings, now).to_string())
    } else {
        output::line(&lines(&text, &settings, now).join("\n"))
    }
}

pub(super) fn loose_mode(mode: u32) -> String {
    format!("others than its owner have a right to the file (mode {mode:04o}); `chmod 600` takes it")
}

fn lines(text: &RingText, settings: &RotationSettings, now: Timestamp) -> Vec<String> {
    let ring = text.ring();
    let key = |status: sealed_session::operator::KeyStatus| {
        let words = status::words(&status, now);
        format!("{}  {:<7}  {:<7}  {words}", status.key_id, status.suite.name(), status.state.as_str())
    };
    let mut lines: Vec<_> = ring.statuses(settings, now).map(key).collect();
    if let Some(not_before) = ring.not_before() {
        let verb = if not_before <= now { "has ended" } else { "ends" };
        lines.push(format!("not-before {}: {verb} every session that began earlier", when::shown(not_before, now)));
    }
    let changes = schedule::changes(ring, settings, now);
    if !changes.is_empty() {
        lines.extend([String::new(), "Next, if the file stays as it is:".to_owned()]);
        lines.extend(changes.iter().map(|change| change.line(now)));
    }
    lines
}

/// The ring for scripts.
pub(super) fn json(text: &RingText, settings: &RotationSettings, now: Timestamp) -> Value {
    let ring = text.ring();
    let keys: Vec<_> = ring.statuses(settings, now).map(|status| status::json(&status, text)).collect();
    let next: Vec<_> = schedule::changes(ring, settings, now).iter().map(schedule::Change::json).collect();
    json!({
        "now": now.to_rfc3339(),
        "not_before": ring.not_before().map(Timestamp::to_rfc3339),
        "keys": keys,
        "next": next,
    })
}
