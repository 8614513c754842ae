//! `sealed-session keys check`

use std::path::PathBuf;

use clap::Args;
use sealed_session::limits::CLOCK_SKEW_SECONDS;
use sealed_session::operator::{KeyState, RingText, RotationSettings};
use sealed_session::{Clock as _, KeyId, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::arguments::{KeyFileArguments, RolloutArguments};
use super::file::KeyFile;
use super::logouts::{Logout, RollOut};
use super::seal_windows::SealWindows;
use super::{gap, list};
use crate::failure::Failure;
use crate::{output, sealer, when};

const AFTER: &str = "\
Reads the file as a server does and prints a line for each finding.

A warning needs a change:
  readable_by_others    others than the owner have a right to the file
  nothing_seals         no key seals now, or none will from an instant on
  open_only_without_end a thief of the key could mint for as long as it is there
  end_not_written       an older key would seal again if the next were removed
A note needs nothing done:
  expired               a key opens nothing any more and can be removed
  not_before_ahead      every session that began earlier will end

With --from it also says whom the edit logs out, from the file that servers have
now to the one that is checked: which sessions, when, why, and which change avoids
it. From now until --rollout has passed, servers with either file run side by
side, and the cookies of one come to the other. Each of these is a warning:
  not_loaded, begins_too_early, ends_too_late
                        a server with the old file refuses what the new one seals
  taken_out, begins_too_late, ends_too_early, opens_too_short
                        the new file refuses what is sealed and still valid
  clocks_differ         --skew is more than servers tolerate
It is a note for sessions that began before a not-before that is new: they are
meant to end. Give your application's settings where they are not the defaults.

The object of --json has findings, each with level, code, key_id or null, message
and logged_out: null, or an object with reason, sealed_from, sealed_until,
refused_from, refused_until, is_remembered and avoid. Times are in RFC 3339.

Examples:
  sealed-session keys check session.keys
  sealed-session keys check session.keys --from deployed.keys --rollout 15m

Exit codes:
  0  no warning
  1  a warning
  2  wrong usage, which includes a key file that no server would take";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
#[command(mut_arg("rollout", |rollout| rollout.requires("from")), mut_arg("skew", |skew| skew.requires("from")))]
pub(crate) struct Arguments {
    #[command(flatten)]
    key_file: KeyFileArguments,

    /// Key file that the servers have now: also say whom the new one would log out
    #[arg(long, value_name = "OLD")]
    from: Option<PathBuf>,

    #[command(flatten)]
    rollout: RolloutArguments,
}

/// Something to know about a key file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) is_warning: bool,
    pub(super) code: &'static str,
    pub(super) key_id: Option<KeyId>,
    pub(super) message: String,
    /// What changes it, and the rest of what scripts are given.
    logged_out: Option<(String, Value)>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let KeyFileArguments { file, json, lifetimes } = &arguments.key_file;
    let file = KeyFile::read(file)?;
    let (text, now) = (file.text()?, SystemClock.now());
    let settings = lifetimes.rotation(text.ring())?;
    let mut findings = Vec::new();
    if let Some(mode) = file.loose_mode() {
        findings.push(Finding::warning("readable_by_others", None, list::loose_mode(mode)));
    }
    findings.extend(self::findings(&text, &settings, now));
    let mut nothing = "nothing found";
    if let Some(old) = &arguments.from {
        let RolloutArguments { rollout, skew } = arguments.rollout;
        let logouts = logouts(&RollOut {
            old: &sealer::ring(old)?,
            new: text.ring(),
            start: now,
            end: when::later(now, rollout),
            skew_seconds: skew.as_secs(),
            rotation: settings,
            grace: lifetimes.grace(),
            idle: lifetimes.idle(),
            longest_cookie: lifetimes.longest_cookie(),
        });
        let is_only_meant = !logouts.is_empty();
        nothing = match logouts.iter().any(|finding| finding.is_warning) {
            true => "",
            false if is_only_meant => "the edit logs nobody out, but for whom not-before is there to",
            false => "the edit logs nobody out",
        };
        findings.extend(logouts);
    }
    if *json {
        let findings: Vec<_> = findings.iter().map(Finding::json).collect();
        output::line(&json!({ "findings": findings }).to_string())?;
    } else {
        let lines = findings.iter().map(Finding::lines);
        let nothing = Some(nothing.to_owned()).filter(|nothing| !nothing.is_empty());
        let nothing = nothing.filter(|_| findings.is_empty() || arguments.from.is_some());
        output::line(&lines.chain(nothing).collect::<Vec<_>>().join("\n"))?;
    }
    if findings.iter().any(|finding| finding.is_warning) { Err(Failure::Findings) } else { Ok(()) }
}

/// Whom the edit logs out. A ring in which nothing seals is no edit: every server keeps the one before.
fn logouts(roll_out: &RollOut<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if roll_out.skew_seconds > CLOCK_SKEW_SECONDS {
        let message = format!(
            "servers refuse what another one, whose clock is more than {CLOCK_SKEW_SECONDS}s ahead, has just sealed, whatever \
             the file; set the clocks"
        );
        findings.push(Finding::warning("clocks_differ", None, message));
    }
    if roll_out.new.check(roll_out.start).is_ok() {
        findings.extend(roll_out.logouts().iter().map(|logout| Finding::logout(roll_out, logout)));
    }
    findings
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
    for (key_id, end) in SealWindows::of(ring).unwritten_ends(now) {
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
        Self { is_warning: true, code, key_id, message, logged_out: None }
    }

    const fn note(code: &'static str, key_id: Option<KeyId>, message: String) -> Self {
        Self { is_warning: false, code, key_id, message, logged_out: None }
    }

    fn logout(roll_out: &RollOut<'_>, logout: &Logout) -> Self {
        let (sealed, refused, avoid) = (logout.sealed, logout.refused, roll_out.avoid(logout));
        let json = json!({
            "reason": logout.cause.reason().as_str(),
            "sealed_from": sealed.first.to_rfc3339(),
            "sealed_until": sealed.last.to_rfc3339(),
            "refused_from": refused.first.to_rfc3339(),
            "refused_until": refused.end().to_rfc3339(),
            "is_remembered": logout.is_remembered,
            "avoid": avoid,
        });
        Self {
            is_warning: !logout.is_intended,
            logged_out: Some((avoid, json)),
            ..Self::warning(logout.cause.code(), Some(logout.key_id), roll_out.message(logout))
        }
    }

    const fn level(&self) -> &'static str {
        if self.is_warning { "warning" } else { "note" }
    }

    fn lines(&self) -> String {
        let line = format!("{}: {}: {}", self.level(), self.code, self.message);
        match self.logged_out.as_ref().filter(|_| self.is_warning) {
            Some((avoid, _)) => format!("{line}\n  to avoid it: {avoid}"),
            None => line,
        }
    }

    fn json(&self) -> Value {
        json!({
            "level": self.level(),
            "code": self.code,
            "key_id": self.key_id.map(|key_id| key_id.to_string()),
            "message": self.message,
            "logged_out": self.logged_out.as_ref().map(|(_, json)| json),
        })
    }
}
