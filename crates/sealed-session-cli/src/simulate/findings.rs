//! Who would be logged out, in groups that have one cause and one mend.

use std::collections::{BTreeMap, BTreeSet};

use sealed_session::{KeyId, Timestamp};

use super::fleet::Server;
use super::plan::Plan;
use super::population::{Habit, User};
use super::refusals::{Cause, Refusal, refusals};

/// Sessions that one cause ends, or hides for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) key_id: KeyId,
    pub(super) cause: Cause,
    /// The first and the last sealing among their cookies.
    pub(super) sealed: (Timestamp, Timestamp),
    /// The same by the clocks of the servers that sealed them: the last of it.
    pub(super) last_issued: Timestamp,
    /// The first second in which a server refuses one of them, and the first in which none does any more.
    pub(super) refused: (Timestamp, Timestamp),
    pub(super) habits: BTreeSet<Habit>,
    /// Users of the rehearsal, each counted once.
    pub(super) users: usize,
}

/// A time in which a server cannot seal anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unsealed {
    pub(super) from: Timestamp,
    /// `None` where no later key begins.
    pub(super) until: Option<Timestamp>,
}

/// What a rehearsal has shown.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) users: usize,
    /// Nobody wanted these.
    pub(super) logged_out: Vec<Finding>,
    /// Sessions that the planned ring's `not-before` is there to end.
    pub(super) intended: Vec<Finding>,
    pub(super) unsealed: Option<Unsealed>,
}

/// Shows every cookie to every server.
pub(super) fn outcome(plan: &Plan, servers: &[Server], users: &[User]) -> Outcome {
    let changes = plan.opening_changes();
    let (mut logged_out, mut intended) = (Groups::default(), Groups::default());
    for (number, user) in users.iter().enumerate() {
        for held in &user.cookies {
            for refusal in servers.iter().flat_map(|server| refusals(plan, server, &changes, held)) {
                let groups = if refusal.is_intended { &mut intended } else { &mut logged_out };
                groups.add(&refusal, Some((number, user.habit)));
            }
        }
    }
    let [logged_out, intended] = [logged_out, intended].map(Groups::into_findings);
    Outcome { users: users.len(), logged_out, intended, unsealed: unsealed(plan, servers) }
}

#[derive(Default)]
pub(super) struct Groups(BTreeMap<(KeyId, Cause), (Finding, BTreeSet<usize>)>);

impl Groups {
    pub(super) fn add(&mut self, refusal: &Refusal, user: Option<(usize, Habit)>) {
        let Refusal { key_id, cause, sealed_at, issued, from, until, .. } = *refusal;
        let (finding, users) = self.0.entry((key_id, cause)).or_insert_with(|| {
            let (sealed, refused) = ((sealed_at, sealed_at), (from, until));
            let finding =
                Finding { key_id, cause, sealed, last_issued: issued, refused, habits: BTreeSet::new(), users: 0 };
            (finding, BTreeSet::new())
        });
        finding.sealed = (finding.sealed.0.min(sealed_at), finding.sealed.1.max(sealed_at));
        finding.refused = (finding.refused.0.min(from), finding.refused.1.max(until));
        finding.last_issued = finding.last_issued.max(issued);
        finding.habits.extend(user.map(|(_, habit)| habit));
        users.extend(user.map(|(number, _)| number));
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings: Vec<_> =
            self.0.into_values().map(|(finding, users)| Finding { users: users.len(), ..finding }).collect();
        findings.sort_by_key(|finding| (finding.refused, finding.key_id, finding.cause));
        findings
    }
}

/// The first time in which no key seals on some server.
fn unsealed(plan: &Plan, servers: &[Server]) -> Option<Unsealed> {
    let of_server = |server: &Server| {
        let instants: BTreeSet<_> = plan
            .sealing_changes()
            .into_iter()
            .map(|local| server.true_time(local))
            .chain([server.loads_at()])
            .collect();
        let seals = |at: &Timestamp| plan.ring(server.has_loaded(*at)).sealing_key_id(server.local(*at)).is_some();
        let later = |from: Timestamp| instants.range(from..plan.until.max(from)).copied();
        let from = [plan.start].into_iter().chain(later(plan.start)).find(|at| !seals(at))?;
        Some(Unsealed { from, until: later(from).find(seals) })
    };
    servers.iter().filter_map(of_server).min()
}
