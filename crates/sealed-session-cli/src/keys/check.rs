//! `sealed-session keys check`

use std::path::PathBuf;

use clap::Args;
use sealed_session::operator::{KeyState, RingText, RotationSettings};
use sealed_session::{Clock as _, KeyId, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::file::KeyFile;
use super::settings::SettingsArguments;
use super::succession::Succession;
use super::{gap, list, when};
use crate::failure::Failure;
use crate::output;

const AFTER: &str = "\
Reads the file as a server does and prints a line for each finding.

A warning is something to mend:
  readable_by_others    others than the owner have a right to the file
  nothing_seals         no key seals now, or none will from an instant on
  open_only_without_end a thief of the key could mint for as long as it is there
  end_not_written       an older key would seal again if the next were removed
A note needs nothing done:
  expired               a key opens nothing any more and can be removed
  not_before_ahead      every session that began earlier will end

The object of --json has findings, each with level, code, key_id or null, and
message.

Example:
  sealed-session keys check session.keys

Exit codes:
  0  no warning
  1  a warning
  2  wrong usage, which includes a key file that no server would take";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Key file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print one JSON object on one line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: SettingsArguments,
}

/// Something to know about a key file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) is_warning: bool,
    pub(super) code: &'static str,
    pub(super) key_id: Option<KeyId>,
    pub(super) message: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = KeyFile::read(&arguments.file)?;
    let mut findings = Vec::new();
    if let Some(mode) = file.loose_mode() {
        findings.push(Finding::warning("readable_by_others", None, list::loose_mode(mode)));
    }
    findings.extend(self::findings(&file.text()?, &arguments.settings.settings(), SystemClock.now()));
    if arguments.json {
        let findings: Vec<_> = findings.iter().map(Finding::json).collect();
        output::line(&json!({ "findings": findings }).to_string())?;
    } else if findings.is_empty() {
        output::line("nothing found")?;
    } else {
        output::line(&findings.iter().map(Finding::line).collect::<Vec<_>>().join("\n"))?;
    }
    if findings.iter().any(|finding| finding.is_warning) { Err(Failure::Findings) } else { Ok(()) }
}

pub(super) fn findings(text: &RingText, settings: &RotationSettings, now: Timestamp) -> Vec<Finding> {
    let ring = text.ring();
    let mut findings = Vec::new();
    if let Err(error) = ring.check(now) {
        findings.push(Finding::warning("nothing_seals", None, error.to_string()));
    } else if let Some(gap) = gap::first(ring, now) {
        let message =
            format!("no key seals from {} on; add one before, with `sealed-session keys add`", when::shown(gap, now));
        findings.push(Finding::warning("nothing_seals", None, message));
    }
    for (key_id, end) in Succession::of(text).unwritten_ends(now) {
        let message = format!(
            "{key_id} stopped sealing at {} only because the next key began; `sealed-session keys retire` writes it down",
            end.to_rfc3339()
        );
        findings.push(Finding::warning("end_not_written", Some(key_id), message));
    }
    for status in ring.statuses(settings, now) {
        let key_id = status.key_id;
        if status.state == KeyState::Expired {
            let message = format!("{key_id} has expired; `sealed-session keys remove` takes it out");
            findings.push(Finding::note("expired", Some(key_id), message));
        } else if status.open_only && status.open_until.is_none() {
            let message = format!("{key_id} only opens, and without an end; `sealed-session keys retire` gives it one");
            findings.push(Finding::warning("open_only_without_end", Some(key_id), message));
        }
    }
    if let Some(not_before) = ring.not_before().filter(|not_before| *not_before > now) {
        let message = format!("every session that began before {} ends then", when::shown(not_before, now));
        findings.push(Finding::note("not_before_ahead", None, message));
    }
    findings
}

impl Finding {
    const fn warning(code: &'static str, key_id: Option<KeyId>, message: String) -> Self {
        Self { is_warning: true, code, key_id, message }
    }

    const fn note(code: &'static str, key_id: Option<KeyId>, message: String) -> Self {
        Self { is_warning: false, code, key_id, message }
    }

    const fn level(&self) -> &'static str {
        if self.is_warning { "warning" } else { "note" }
    }

    fn line(&self) -> String {
        format!("{}: {}: {}", self.level(), self.code, self.message)
    }

    fn json(&self) -> Value {
        json!({
            "level": self.level(),
            "code": self.code,
            "key_id": self.key_id.map(|key_id| key_id.to_string()),
            "message": self.message,
        })
    }
}
