//! Depth-first search over all schedules of a case, each run from its start, without those that differ from another one only
//! in the order of steps that do not meet ("sleep sets").

use crate::schedule::{Footprint, Schedule, Step, commute};

struct Node {
    options: Vec<Step>,
    current: usize,
    /// Steps that were explored from here, or need not be: a schedule that begins with one was explored before.
    asleep: Vec<(Step, Footprint)>,
    footprint: Option<Footprint>,
}

impl Node {
    /// Goes to the next option that is not asleep, from this one on.
    fn seek(&mut self, from: usize) -> bool {
        let is_awake = |step: &Step| !self.asleep.iter().any(|(sleeping, _)| sleeping == step);
        match (from..self.options.len()).find(|index| is_awake(&self.options[*index])) {
            Some(index) => {
                self.current = index;
                true
            }
            None => false,
        }
    }

    /// What need not be explored behind the current option.
    fn asleep_behind(&self, is_ticking: bool) -> Vec<(Step, Footprint)> {
        let current = (self.options[self.current], self.footprint.unwrap());
        self.asleep.iter().filter(|sleeping| commute(sleeping, &current, is_ticking)).copied().collect()
    }
}

/// Runs every schedule, and hands each to `check` with its choices. Counts them.
pub(crate) fn explore<'a>(
    begin: impl Fn() -> Schedule<'a>,
    with_faults: bool,
    mut check: impl FnMut(&mut Schedule<'a>, &[usize]),
) -> u64 {
    let mut nodes: Vec<Node> = Vec::new();
    let mut schedules = 0;
    loop {
        let mut schedule = begin();
        for node in &mut nodes {
            node.footprint = Some(schedule.apply(node.options[node.current]));
        }
        let is_complete = loop {
            let options = schedule.options(with_faults);
            if options.is_empty() {
                break true;
            }
            let asleep = nodes.last().map(|node| node.asleep_behind(schedule.is_ticking)).unwrap_or_default();
            let mut node = Node { options, current: 0, asleep, footprint: None };
            if !node.seek(0) {
                break false;
            }
            node.footprint = Some(schedule.apply(node.options[node.current]));
            nodes.push(node);
        };
        if is_complete {
            schedules += 1;
            let choices: Vec<_> = nodes.iter().map(|node| node.current).collect();
            schedule.finish();
            check(&mut schedule, &choices);
        }
        drop(schedule);
        // Back to the last choice that has another option.
        loop {
            let Some(node) = nodes.last_mut() else { return schedules };
            node.asleep.push((node.options[node.current], node.footprint.unwrap()));
            let next = node.current + 1;
            if node.seek(next) {
                break;
            }
            nodes.pop();
        }
    }
}

/// Runs one schedule by its choices; those that are missing take the first option.
pub(crate) fn replay(schedule: &mut Schedule<'_>, choices: &[usize], with_faults: bool) {
    for depth in 0.. {
        let options = schedule.options(with_faults);
        let Some(step) = options.get(choices.get(depth).copied().unwrap_or(0)) else { break };
        schedule.apply(*step);
    }
    schedule.finish();
}
