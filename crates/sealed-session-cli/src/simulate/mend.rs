//! What is wrong with a plan, and how to mend it, in words.

use sealed_session::operator::KeyStatus;
use sealed_session::{KeyRing, Timestamp};

use super::findings::{Finding, Unsealed};
use super::plan::Plan;
use super::refusals::Cause;

/// What happens to a group of sessions.
pub(super) fn cause(plan: &Plan, finding: &Finding) -> String {
    let key_id = finding.key_id;
    let status = |has_loaded: bool| status(plan, plan.ring(has_loaded), finding);
    let time = |instant: Option<Timestamp>| instant.map_or_else(|| "its end".to_owned(), Timestamp::to_rfc3339);
    match finding.cause {
        Cause::NotLoaded => format!(
            "{key_id} seals from {} on, and the last server loads it at {}",
            finding.sealed.0.to_rfc3339(),
            plan.rolled_out.to_rfc3339()
        ),
        Cause::TakenOut => format!(
            "{key_id} is taken out, and cookies that it sealed are valid until {}",
            finding.refused.1.to_rfc3339()
        ),
        Cause::Expired { has_loaded } => format!(
            "{} opens nothing from {} on, and cookies that it sealed are valid until {}",
            of_ring(finding, has_loaded),
            time(status(has_loaded).and_then(|status| status.open_until)),
            finding.refused.1.to_rfc3339()
        ),
        Cause::SealedTooLate { has_loaded } => format!(
            "{} is taken for what it sealed until {} alone, and a server goes on sealing with it until {}",
            of_ring(finding, has_loaded),
            time(status(has_loaded).and_then(|status| status.seal_until).map(|until| plan.window_end(until))),
            finding.sealed.1.to_rfc3339()
        ),
        Cause::SealedTooEarly { has_loaded } => format!(
            "{} is taken for what it sealed from {} on alone, and a server sealed with it at {}",
            of_ring(finding, has_loaded),
            time(status(has_loaded).and_then(|status| status.seal_from)),
            finding.sealed.0.to_rfc3339()
        ),
        Cause::NotBefore => format!(
            "`not-before={}` ends every session that began earlier",
            time(plan.planned.not_before().or(plan.current.not_before()))
        ),
        Cause::Clocks => "a server's clock is so far ahead that its cookies lie in another server's future".to_owned(),
        Cause::Other(_) => format!("what {key_id} sealed is refused for a reason that is no rotation's"),
    }
}

/// What to change.
pub(super) fn mend(plan: &Plan, finding: &Finding) -> String {
    let key_id = finding.key_id;
    let (refused_until, loaded) =
        (finding.refused.1.to_rfc3339(), plan.rolled_out.saturating_add_seconds(plan.skew_seconds));
    match finding.cause {
        Cause::NotLoaded | Cause::SealedTooEarly { has_loaded: false } => format!(
            "give {key_id} `seal-from={}` or later, and the key before it no `open-only`; or roll out sooner",
            loaded.to_rfc3339()
        ),
        Cause::TakenOut => {
            format!("leave {key_id} in the ring until {refused_until}; after a leak, set `not-before`, too")
        }
        Cause::Expired { has_loaded: true } => {
            format!("set its `open-until` to {refused_until} or later, or leave the mark out")
        }
        Cause::SealedTooLate { has_loaded: true } => {
            let status = status(plan, &plan.planned, finding);
            let least = status
                .and_then(|status| status.seal_until)
                .map_or(0, |until| finding.last_issued.saturating_seconds_since(until));
            format!(
                "let it seal until {} or later, that is, let the next key begin then; or give the application a \
                 grace of {least}s or more; or roll out sooner",
                finding.last_issued.to_rfc3339()
            )
        }
        Cause::SealedTooEarly { has_loaded: true } => {
            format!("set its `seal-from` to {} or earlier, or leave the mark out", finding.sealed.0.to_rfc3339())
        }
        Cause::Expired { has_loaded: false } | Cause::SealedTooLate { has_loaded: false } => {
            "the ring before it is the cause: have the planned one on every server sooner".to_owned()
        }
        Cause::NotBefore => "it is meant for leaked keys; take the line out if none has leaked".to_owned(),
        Cause::Clocks => "set the servers' clocks; 60s of difference are tolerated".to_owned(),
        Cause::Other(_) => "look at the application's settings, and at --idle and --absolute here".to_owned(),
    }
}

/// What happens while no key seals, and the mend.
pub(super) fn unsealed(unsealed: &Unsealed) -> [String; 2] {
    let until = unsealed.until.map_or_else(|| "for good".to_owned(), |until| format!("until {}", until.to_rfc3339()));
    [
        format!(
            "no key seals from {} on, {until}: nobody can log in, and no session is renewed",
            unsealed.from.to_rfc3339()
        ),
        "let the key before seal longer, or the next one begin earlier".to_owned(),
    ]
}

fn of_ring(finding: &Finding, has_loaded: bool) -> String {
    let ring = if has_loaded { "" } else { " in the ring before" };
    format!("{}{ring}", finding.key_id)
}

fn status(plan: &Plan, ring: &KeyRing, finding: &Finding) -> Option<KeyStatus> {
    ring.statuses(&plan.settings.rotation, plan.start).find(|status| status.key_id == finding.key_id)
}
