//! What was written: promises 1, 4 and 9, and that anything works at all.

use sealed_session::Placement;

use super::{
    Judge, arrived_with_cookie, found_nothing, has_succeeded, may_have_cleared, may_have_ended, may_have_moved,
};
use crate::aftermath::Aftermath;
use crate::api::OK;
use crate::operation::Operation;
use crate::schedule::{Action, Request};
use crate::site::Origin;
use crate::view::{Own, View};

impl Judge<'_> {
    // Promise 0, which is none: a crate that refuses everything would keep all others. For a login it is the third.

    pub(super) fn requests_work_without_faults(&self) {
        if self.schedule.fault.is_some() {
            return;
        }
        for (number, request) in self.requests() {
            let may_conflict = self.may_conflict(number);
            if request.status != OK && !(request.status == 409 && may_conflict) {
                let promise = if request.operation.moves() { 3 } else { 0 };
                self.broken(promise, format!("request {number} got {} without a fault", request.status));
            }
        }
    }

    /// Whether something else stands in the way of this request.
    pub(super) fn may_conflict(&self, number: usize) -> bool {
        let request = self.request(number);
        let is_left = match self.schedule.start.origin {
            Origin::Left => request.operation.only_writes() || request.operation.pulls(),
            Origin::LeftInline => request.operation.spills() || request.operation.pulls(),
            _ => false,
        };
        let mut others = self.concurrent_with(number);
        let is_met = others.any(|(_, other)| {
            let both_pull = request.operation.pulls() && other.operation.pulls();
            let moves_it = other.operation.ends()
                || other.operation.moves()
                || matches!(other.operation, Operation::Shrink | Operation::PullLast | Operation::Clear);
            // What a logout destroyed can be pulled by nobody.
            let pulls_from_nothing = request.operation.pulls() && other.operation.ends();
            // Behind another login nobody can tell whether the value was taken.
            let pulls_through_left = request.operation.pulls() && other.operation.moves();
            both_pull || pulls_from_nothing || pulls_through_left || (request.operation.only_writes() && moves_it)
        });
        is_left || is_met || (request.operation.spills() && self.schedule.requests.len() > 2)
    }

    /// The store answers again: no later visit may fail.
    pub(super) fn visits_work(&self) {
        let Aftermath { now, soon, spilled, shrunk, respilled, later_spilled, .. } = *self.after;
        for (name, visit) in [
            ("now", now),
            ("soon", soon),
            ("behind the spill", spilled),
            ("behind the shrinking", shrunk),
            ("behind the next spill", respilled),
            ("later", later_spilled),
        ] {
            if let Err(status) = visit {
                self.broken(7, format!("a later visit ({name}) got {status}"));
            }
        }
    }

    // Promises 1 and 9.

    pub(super) fn success_was_kept(&self, number: usize) {
        let request = self.request(number);
        let saved = request.progress().saved;
        if !(request.operation.only_writes() && (has_succeeded(request) || saved)) {
            return;
        }
        let promise = match (has_succeeded(request), request.is_dropped) {
            (true, _) if request.is_lost => 8,
            (true, _) | (false, true) => 1,
            (false, false) => 9,
        };
        for (name, view) in self.views() {
            if self.must_show(number, &view) && !self.shows(number, &view) {
                self.broken(promise, format!("{name}, what request {number} wrote is not there"));
                return;
            }
        }
    }

    /// Whether a view shows what a request wrote, the counter aside: all of it after a success, else what it saved.
    pub(super) fn shows(&self, number: usize, view: &View) -> bool {
        let request = self.request(number);
        let is_done = has_succeeded(request);
        match request.operation {
            Operation::Put | Operation::CommitAgain => view.has(Own::Small, number),
            Operation::Spill => view.has(Own::Large, number),
            Operation::Shrink => !view.big,
            Operation::PullLast => !(view.otp && request.progress().took),
            Operation::SaveThenPut | Operation::SaveThenSpill | Operation::SaveBeside => {
                view.has(Own::Saved, number) && (!is_done || view.has(Own::AfterSave, number))
            }
            Operation::ServerOnly => view.has(Own::ServerOnly, number),
            _ => true,
        }
    }

    /// Whether the session that a view shows must have what this request wrote.
    pub(super) fn must_show(&self, number: usize, view: &View) -> bool {
        let request = self.request(number);
        let is_arrived = request.delivered.is_some();
        if found_nothing(request) {
            // A session of its own, which is lost with its cookie.
            let is_newest = self
                .others(number)
                .all(|(_, other)| !arrived_with_cookie(other) || other.delivered < request.delivered);
            return is_arrived && is_newest && !self.was_left_later(number);
        }
        let is_inline = self.read_inline(number);
        // In the browser alone; where the browser still has the reference to a returned record, also there. What an empty
        // session under `StoreOnly` became is in the store, but its old cookie does not ask there before it is written.
        let is_blank = self.schedule.start.origin == Origin::Blank && !self.came_by_reference(number);
        let has_old_reference = self.came_by_reference(number) && self.last.is_none();
        let is_lost = !is_arrived && (is_blank || (is_inline && !has_old_reference));
        let is_overwritten = is_inline
            && self.concurrent_with(number).any(|(other_number, other)| {
                let is_later = !is_arrived || other.delivered > request.delivered;
                self.read_inline(other_number) && arrived_with_cookie(other) && is_later
            });
        let is_overwritten = is_overwritten || self.goes_with_an_overwritten_cookie(number);
        let is_gone = !view.has_old() || self.old_keys_are_few();
        let is_ended = self.others(number).any(|(_, other)| may_have_ended(other)) && is_gone;
        let is_moved = self.others(number).any(|(other_number, other)| {
            may_have_moved(other) && !(has_succeeded(other) && self.last == Some(other_number))
        }) && is_gone;
        let is_cleared = self.others(number).any(|(_, other)| may_have_cleared(other));
        !(is_lost
            || is_overwritten
            || self.is_elsewhere(number)
            || self.is_hidden()
            || is_ended
            || is_moved
            || is_cleared)
    }

    /// Of two requests that read a session in its cookie, the last response wins, and what was built on the other goes with it.
    /// The browser ended up with what was built on another request's response; or a request that came with that has spilled
    /// its session over the record of this one, whose reference it had never seen.
    fn goes_with_an_overwritten_cookie(&self, number: usize) -> bool {
        let parts_from = |other: usize| self.parted_inline(number, other);
        let replaces = |(other, request): (usize, &Request)| {
            (request.operation.spills() || request.operation.moves())
                && parts_from(other).is_some_and(|behind| behind > 1)
        };
        (self.schedule.site.placement != Placement::StoreOnly || self.schedule.start.origin == Origin::Migrated)
            && (self.last.is_some_and(|last| parts_from(last).is_some()) || self.others(number).any(replaces))
    }

    /// Of two sessions in one browser the last cookie counts: this request came with one that a login or a logout before it had
    /// begun, and the browser ended up with another.
    fn is_elsewhere(&self, number: usize) -> bool {
        let Some(last) = self.last.map(|last| self.lineage(last)) else { return false };
        let begins = |other: usize| may_have_moved(self.request(other)) || may_have_ended(self.request(other));
        self.lineage(number).into_iter().any(|other| other != number && begins(other) && !last.contains(&other))
    }

    /// Whether the cookies of two requests go back to one and the same that carried its session, each by the response of
    /// another request or its own; and how many requests the other one is behind that.
    fn parted_inline(&self, number: usize, other: usize) -> Option<usize> {
        let (mine, others) = (self.lineage(number), self.lineage(other));
        let shared = mine.iter().zip(&others).take_while(|(mine, other)| mine == other).count();
        let (first, _) = (mine.get(shared)?, others.get(shared)?);
        (!self.came_by_reference(*first)).then_some(others.len() - shared)
    }

    /// The requests whose responses led to the cookie that this one came with, the oldest first, and this one.
    fn lineage(&self, number: usize) -> Vec<usize> {
        let begun = self.request(number).begun;
        let before = self.requests().filter(|(_, other)| arrived_with_cookie(other) && other.delivered < begun);
        let parent = before.max_by_key(|(_, other)| other.delivered).map(|(parent, _)| parent);
        let mut lineage = parent.map(|parent| self.lineage(parent)).unwrap_or_default();
        lineage.push(number);
        lineage
    }

    /// The last response renewed a cookie without data, which had read nothing of what others wrote: under `StoreOnly` the next
    /// write finds it, see [`Judge::blank_cookie_goes_forward`].
    pub(super) fn is_hidden(&self) -> bool {
        let renews_blank = |last| self.request(last).operation.only_reads() && !self.came_by_reference(last);
        self.schedule.start.origin == Origin::Blank && self.last.is_some_and(renews_blank)
    }

    // Promise 4.

    pub(super) fn counted_once(&self) {
        for (name, view) in self.views() {
            let most = self.most_counted(&view);
            let least = self.least_counted(&view);
            if view.n > most {
                self.broken(4, format!("{name}, counted to {}, and {most} is the most", view.n));
                return;
            }
            if view.n < least {
                let promise = if self.schedule.fault.is_some_and(|fault| fault.action == Action::Lose) { 8 } else { 4 };
                self.broken(promise, format!("{name}, counted to {}, and {least} is the least", view.n));
                return;
            }
        }
    }

    pub(super) fn most_counted(&self, view: &View) -> u64 {
        let from = if view.has_old() || self.old_keys_are_few() { self.old.n } else { 0 };
        let may_be_kept =
            |request: &Request| request.status != 409 || request.progress().saved || request.may_have_saved;
        let counts = |request: &Request| request.operation.counts() && may_be_kept(request);
        from + self.requests().filter(|(_, request)| counts(request)).count() as u64
    }

    pub(super) fn least_counted(&self, view: &View) -> u64 {
        let from = if view.has_old() { self.old.n } else { 0 };
        let counted = self.requests().filter(|(number, request)| {
            request.operation.counts()
                && (has_succeeded(request) || request.progress().saved)
                && self.must_show(*number, view)
        });
        from + counted.count() as u64
    }
}
