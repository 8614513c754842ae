//! What was found: counts by promise, and the shortest schedules that break each, ready to be replayed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::aftermath::Aftermath;
use crate::case::Case;
use crate::model::Violation;
use crate::schedule::{Action, Schedule, Step};
use crate::store::Ending;

/// Examples that are shown of each promise.
const EXAMPLES: usize = 4;

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) cases: u64,
    pub(crate) schedules: u64,
    /// By promise.
    pub(crate) broken: BTreeMap<usize, Broken>,
}

#[derive(Default)]
pub(crate) struct Broken {
    pub(crate) schedules: u64,
    /// By case and what is broken, each with its shortest schedule.
    examples: BTreeMap<String, (usize, String)>,
    by_kind: BTreeMap<String, u64>,
}

impl Report {
    pub(crate) fn add(
        &mut self,
        case: &Case,
        choices: &[usize],
        schedule: &Schedule<'_>,
        after: &Aftermath,
        violations: Vec<Violation>,
    ) {
        let mut counted = Vec::new();
        for (promise, what) in violations {
            let broken = self.broken.entry(promise).or_default();
            if !counted.contains(&promise) {
                broken.schedules += 1;
                counted.push(promise);
            }
            let kind: String =
                what.split(':').next().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect();
            let kind = kind.split(" from View").next().unwrap_or_default().to_owned();
            let kind = kind.split(" saw View").next().unwrap_or_default().to_owned();
            *broken.by_kind.entry(kind.clone()).or_default() += 1;
            let length = choices.len();
            let known = broken.examples.get(&kind).map(|(length, _)| *length);
            if known.is_none_or(|known| length < known) {
                broken.examples.insert(kind, (length, describe(case, choices, schedule, after, &what)));
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.cases += other.cases;
        self.schedules += other.schedules;
        for (promise, found) in other.broken {
            let broken = self.broken.entry(promise).or_default();
            broken.schedules += found.schedules;
            for (kind, count) in found.by_kind {
                *broken.by_kind.entry(kind).or_default() += count;
            }
            for (kind, example) in found.examples {
                let is_longer = broken.examples.get(&kind).is_some_and(|known| known.0 <= example.0);
                if !is_longer {
                    broken.examples.insert(kind, example);
                }
            }
        }
    }

    pub(crate) fn print(&self) -> String {
        let mut text = format!("{} cases, {} schedules", self.cases, self.schedules);
        if self.broken.is_empty() {
            text.push_str(", no promise broken\n");
        }
        for (promise, broken) in &self.broken {
            let _ = write!(text, "\npromise {promise}: broken in {} schedules\n", broken.schedules);
            let mut kinds: Vec<_> = broken.by_kind.iter().collect();
            kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (kind, count) in &kinds {
                let _ = writeln!(text, "  {count:8} {kind}");
            }
            for (kind, _) in kinds.iter().take(EXAMPLES) {
                let _ = write!(text, "\n{}", broken.examples[*kind].1);
            }
        }
        text
    }
}

/// One broken schedule: how to replay it, its steps and their outcomes.
fn describe(case: &Case, choices: &[usize], schedule: &Schedule<'_>, after: &Aftermath, what: &str) -> String {
    let choices: Vec<_> = choices.iter().map(ToString::to_string).collect();
    let mut text = format!("  {what}\n    EXPLORE_ONLY='{}:{}'\n", case.name(), choices.join("."));
    text.push_str(&trace(schedule));
    let _ = writeln!(text, "    now {:?}\n    soon {:?}", after.now, after.soon);
    text
}

/// The steps of a schedule, one a line.
pub(crate) fn trace(schedule: &Schedule<'_>) -> String {
    let mut records = Vec::new();
    let mut text = String::new();
    for (index, Step { request, action }) in schedule.steps.iter().enumerate() {
        let number = index + 1;
        let operation = schedule.requests[*request].operation.name();
        let _ = write!(text, "    {number:2} request {request} ({operation}) ");
        let _ = match action {
            Action::Begin => write!(text, "begins"),
            Action::Deliver => write!(text, "is answered: {}", lines(&schedule.requests[*request].lines)),
            Action::Lose => write!(text, "loses its response"),
            Action::Delay => write!(text, "has its response delayed"),
            Action::GoOn => write!(text, "goes on to its commit"),
            Action::Beside(None) => write!(text, "saves beside its commit"),
            Action::Call(ending) | Action::Beside(Some(ending)) => {
                match schedule.log.iter().find(|call| call.step == number) {
                    Some(call) => {
                        let record = records.iter().position(|id| *id == call.id).unwrap_or_else(|| {
                            records.push(call.id);
                            records.len() - 1
                        });
                        let record = char::from(b'A' + u8::try_from(record).unwrap_or_default());
                        let how = if *ending == Ending::Answer { String::new() } else { format!(", {ending:?}") };
                        let who = if matches!(action, Action::Beside(_)) { "save: " } else { "" };
                        write!(text, "{who}{:?} {record}: {:?}{how}", call.kind, call.effect)
                    }
                    None => write!(text, "finds the store down"),
                }
            }
        };
        let state = &schedule.requests[*request];
        if state.done == Some(number) {
            let _ = write!(text, " -> {}", state.status);
        }
        if state.is_dropped && matches!(action, Action::Call(Ending::DropBefore | Ending::DropAfter)) {
            let _ = write!(text, " -> dropped");
        }
        text.push('\n');
    }
    for (number, request) in schedule.requests.iter().enumerate() {
        let progress = request.progress();
        let _ = writeln!(
            text,
            "    request {number} saw {:?}{}{}",
            progress.seen,
            if progress.saved { ", saved" } else { "" },
            if progress.took { ", took" } else { "" },
        );
    }
    text
}

fn lines(lines: &[String]) -> String {
    let short = |line: &String| {
        let (name, value) = line.split(';').next().unwrap_or_default().split_once('=').unwrap_or_default();
        let what = match value.len() {
            0 => "removed".to_owned(),
            length => format!("{length} characters"),
        };
        format!("{name} {what}")
    };
    lines.iter().map(short).collect::<Vec<_>>().join(", ")
}
