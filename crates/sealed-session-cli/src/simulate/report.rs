//! What is printed.

use sealed_session::{KeyId, Timestamp};
use serde_json::{Value, json};

use super::findings::{Finding, Outcome};
use super::mend;
use super::plan::Plan;
use super::timeline::events;

pub(super) fn json(plan: &Plan, outcome: &Outcome) -> Value {
    let seconds = Timestamp::unix_seconds;
    let event = |(at, what, key_id): (Timestamp, super::timeline::Happening, Option<KeyId>)| json!({ "at": seconds(at), "event": what.name(), "key_id": key_id.map(|id| id.to_string()) });
    json!({
        "nobody_is_logged_out": outcome.nobody_is_logged_out(),
        "start": seconds(plan.start),
        "rolled_out": seconds(plan.rolled_out),
        "users": outcome.users,
        "events": events(plan).into_iter().map(event).collect::<Value>(),
        "logged_out": outcome.logged_out.iter().map(|finding| finding_json(plan, finding)).collect::<Value>(),
        "ended_by_not_before": outcome.intended.iter().map(|finding| finding_json(plan, finding)).collect::<Value>(),
        "no_sealing_key": outcome.unsealed.map(|unsealed| {
            json!({ "from": seconds(unsealed.from), "until": unsealed.until.map(seconds) })
        }),
    })
}

fn finding_json(plan: &Plan, finding: &Finding) -> Value {
    let seconds = Timestamp::unix_seconds;
    json!({
        "key_id": finding.key_id.to_string(),
        "reason": finding.cause.reason().as_str(),
        "cause": finding.cause.name(),
        "sealed_from": seconds(finding.sealed.0),
        "sealed_until": seconds(finding.sealed.1),
        "refused_from": seconds(finding.refused.0),
        "refused_until": seconds(finding.refused.1),
        "users": finding.users,
        "habits": finding.habits.iter().map(|habit| habit.name()).collect::<Value>(),
        "why": mend::cause(plan, finding),
        "mend": mend::mend(plan, finding),
    })
}

/// Without the last line's end.
pub(super) fn text(plan: &Plan, outcome: &Outcome) -> String {
    let mut lines = vec!["what happens when".to_owned()];
    lines.extend(events(plan).into_iter().map(|(at, what, key_id)| {
        let key_id = key_id.map(|id| format!("{id} ")).unwrap_or_default();
        format!("  {}  {key_id}{}", at.to_rfc3339(), what.words())
    }));
    let section = |title: String| [String::new(), title];
    if !outcome.intended.is_empty() {
        lines.extend(section("ended by `not-before`, as is meant".to_owned()));
        lines.extend(outcome.intended.iter().flat_map(|finding| finding_lines(plan, finding, false)));
    }
    if let Some(unsealed) = &outcome.unsealed {
        let [why, mend] = mend::unsealed(unsealed);
        lines.extend(section("no sealing key".to_owned()));
        lines.extend([format!("  why      {why}"), format!("  mend     {mend}")]);
    }
    if outcome.logged_out.is_empty() {
        lines.extend(section(format!("nobody is logged out, of {} users", outcome.users)));
    } else {
        lines.extend(section(format!("would be logged out, of {} users", outcome.users)));
        let findings = outcome.logged_out.iter().enumerate();
        lines.extend(findings.flat_map(|(number, finding)| {
            let gap = (number > 0).then(String::new);
            gap.into_iter().chain(finding_lines(plan, finding, true))
        }));
    }
    lines.join("\n")
}

fn finding_lines(plan: &Plan, finding: &Finding, with_mend: bool) -> Vec<String> {
    let between = |(from, until): (Timestamp, Timestamp)| format!("{} to {}", from.to_rfc3339(), until.to_rfc3339());
    let habits = finding.habits.iter().map(|habit| format!("  who      {}", habit.words()));
    let mut lines = vec![
        format!("  users    {}, under the key {}", finding.users, finding.key_id),
        format!("  sealed   {}", between(finding.sealed)),
        format!("  refused  {} ({})", between(finding.refused), finding.cause.reason()),
    ];
    lines.extend(habits);
    lines.push(format!("  why      {}", mend::cause(plan, finding)));
    if with_mend {
        lines.push(format!("  mend     {}", mend::mend(plan, finding)));
    }
    lines
}
