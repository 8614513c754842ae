//! What a user may rely on, as rules over what the requests were told and what the browser finds afterwards.
//!
//! The rules know nothing of how a session is kept: only which cookie a request came with, what it saw, what it did, what it
//! was told, and whether and when its response arrived.

use std::cell::RefCell;

use sealed_session::Placement;

use crate::aftermath::{Aftermath, Visit};
use crate::api::OK;
use crate::operation::Operation;
use crate::schedule::{Action, Request, Schedule};
use crate::site::{COOKIE, Contents, Origin, Site};
use crate::store::{Effect, Ended, Kind, Seal};
use crate::view::{Own, SET_UP, View};

/// Where the text of a cookie has its nonce: behind nine bytes, in base64url.
const COOKIE_NONCE: std::ops::Range<usize> = 12..44;

/// The number of a promise that was broken, or 0 or 12, and how.
pub(crate) type Violation = (usize, String);

pub(crate) struct Judge<'a> {
    schedule: &'a Schedule<'a>,
    after: &'a Aftermath,
    old: View,
    /// The last request whose response changed the session's cookie.
    last: Option<usize>,
    violations: RefCell<Vec<Violation>>,
}

/// All that is broken in one schedule.
pub(crate) fn judge(schedule: &Schedule<'_>, after: &Aftermath) -> Vec<Violation> {
    let arrived = schedule.requests.iter().enumerate().filter(|(_, request)| arrived_with_cookie(request));
    let last = arrived.max_by_key(|(_, request)| request.delivered).map(|(number, _)| number);
    let judge = Judge { schedule, after, old: schedule.start.view, last, violations: RefCell::default() };
    judge.requests_work_without_faults();
    judge.visits_work();
    for request in 0..schedule.requests.len() {
        judge.success_was_kept(request);
        judge.logout_is_final(request);
        judge.logout_takes_the_cookie(request);
        judge.failed_logout_keeps_the_cookie(request);
        judge.can_be_repeated(request);
        judge.login_begins_a_session(request);
        judge.late_response_brings_nothing_back(request);
        judge.old_session_was_whole_when_read(request);
        judge.old_reference_is_read_for_a_while(request);
    }
    judge.copies_gain_nothing();
    judge.one_time_values_are_taken_once();
    judge.counted_once();
    judge.nothing_secret_in_a_cookie();
    judge.no_nonce_is_used_twice();
    judge.old_session_is_whole();
    judge.later_writes_go_forward();
    judge.blank_cookie_goes_forward();
    judge.cleared_stays_away();
    judge.violations.into_inner()
}

fn arrived_with_cookie(request: &Request) -> bool {
    request.delivered.is_some() && request.touches_cookie()
}

fn has_succeeded(request: &Request) -> bool {
    request.done.is_some() && request.status == OK
}

/// Its session had gone before it was loaded: it began one of its own.
fn found_nothing(request: &Request) -> bool {
    request.progress().seen.is_some_and(|seen| !seen.exists)
}

/// A login that did log in, or may have.
fn may_have_moved(request: &Request) -> bool {
    let is_refused = request.operation == Operation::LoginByPull && has_succeeded(request) && !request.progress().took;
    request.operation.moves() && !is_refused && request.status != 409
}

fn may_have_ended(request: &Request) -> bool {
    request.operation.ends() && !found_nothing(request)
}

fn may_have_cleared(request: &Request) -> bool {
    request.operation == Operation::Clear && request.status != 409
}

impl Judge<'_> {
    // Promise 0, which is none: a crate that refuses everything would keep all others. For a login it is the third.

    fn requests_work_without_faults(&self) {
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
    fn may_conflict(&self, number: usize) -> bool {
        let request = self.request(number);
        let is_left = match self.schedule.start.origin {
            Origin::Left => request.operation.only_writes(),
            Origin::LeftInline => request.operation.spills(),
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
            both_pull || pulls_from_nothing || (request.operation.only_writes() && moves_it)
        });
        is_left || is_met || (request.operation.spills() && self.schedule.requests.len() > 2)
    }

    /// The store answers again: no later visit may fail.
    fn visits_work(&self) {
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

    fn success_was_kept(&self, number: usize) {
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
    fn shows(&self, number: usize, view: &View) -> bool {
        let request = self.request(number);
        let is_done = has_succeeded(request);
        match request.operation {
            Operation::Put => view.has(Own::Small, number),
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
    fn must_show(&self, number: usize, view: &View) -> bool {
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
        let is_gone = !view.has_old() || self.old_keys_are_few();
        let is_ended = self.others(number).any(|(_, other)| may_have_ended(other)) && is_gone;
        let is_moved = self.others(number).any(|(other_number, other)| {
            may_have_moved(other) && !(has_succeeded(other) && self.last == Some(other_number))
        }) && is_gone;
        let is_cleared = self.others(number).any(|(_, other)| may_have_cleared(other));
        !(is_lost || is_overwritten || self.is_hidden() || is_ended || is_moved || is_cleared)
    }

    /// The last response renewed a cookie without data, which had read nothing of what others wrote: under `StoreOnly` the next
    /// write finds it, see [`Judge::blank_cookie_goes_forward`].
    fn is_hidden(&self) -> bool {
        let renews_blank = |last| self.request(last).operation.only_reads() && !self.came_by_reference(last);
        self.schedule.start.origin == Origin::Blank && self.last.is_some_and(renews_blank)
    }

    // Promise 2.

    fn logout_is_final(&self, number: usize) {
        let request = self.request(number);
        if !request.operation.ends() || !has_succeeded(request) || found_nothing(request) {
            return;
        }
        if self.came_by_reference(number) && request.cookie == self.first_cookie() {
            for (name, visit) in [("now", self.after.copy_now), ("soon", self.after.copy_soon)] {
                if visit.is_ok_and(|view| view.has_old()) {
                    self.broken(2, format!("{name}, a copy of the old reference opens what request {number} ended"));
                }
            }
        }
        if !arrived_with_cookie(request) {
            return;
        }
        let is_last = self.last == Some(number);
        let promise = if is_last { 2 } else { 10 };
        for (name, view) in self.views() {
            if view.has_old() && !self.was_taken_along(number, &view) {
                self.broken(promise, format!("{name}, data are there that request {number} ended"));
                break;
            }
            let farewell = u64::from(view.farewell);
            let is_undisturbed = is_last && !self.was_left_later(number);
            if is_undisturbed && request.operation == Operation::Invalidate && farewell != number as u64 + 1 {
                self.broken(1, format!("{name}, the farewell of request {number} is not there"));
                break;
            }
            if is_last && request.operation != Operation::Invalidate && view.exists {
                self.broken(2, format!("{name}, there is a session behind the logout of request {number}"));
                break;
            }
        }
        let later: Vec<_> = self.others(number).filter(|(_, other)| other.begun > request.delivered).collect();
        for (other_number, other) in later {
            let seen = other.progress().seen;
            if let Some(seen) = seen.filter(|seen| seen.has_old() && !self.was_taken_along(number, seen)) {
                self.broken(promise, format!("request {other_number} saw {seen:?}, which request {number} had ended"));
            }
        }
    }

    /// Whether a login took the data to a session of its own before this request ended the old one. Without a store that
    /// cannot be told.
    fn was_taken_along(&self, ender: usize, view: &View) -> bool {
        let movers = self.others(ender).filter(|(_, other)| other.operation.moves()).filter(|(_, other)| {
            // Without a store any login that has begun before the logout's response arrives may be of a renewed cookie.
            let is_stateless = self.schedule.site.placement == Placement::CookieOnly;
            is_stateless || other.cookie == self.request(ender).cookie
        });
        movers.into_iter().any(|(mover, request)| {
            let left_first = || self.left_at(mover, ender).is_some_and(|left| Some(left) < self.end_of(ender));
            self.carries_login_of(mover, view)
                && has_succeeded(request)
                && (self.schedule.site.placement == Placement::CookieOnly || left_first())
        })
    }

    /// The step at which the record that this request ended was ended.
    fn end_of(&self, ender: usize) -> Option<usize> {
        let calls = self.schedule.log.iter().filter(|call| call.request == ender && call.effect == Effect::Wrote);
        // The record of a new session, if there is one, is written before.
        calls.map(|call| call.step).next_back()
    }

    /// The step at which a login left the record that this request ended; where it wrote nothing there, at which it wrote at
    /// all.
    fn left_at(&self, mover: usize, ender: usize) -> Option<usize> {
        let is_write = |call: &&Ended| call.kind != Kind::Load;
        let ended = self.schedule.log.iter().filter(is_write).find(|call| call.request == ender)?.id;
        let writes: Vec<_> = self.schedule.log.iter().filter(is_write).filter(|call| call.request == mover).collect();
        let has_tried = writes.iter().any(|call| call.id == ended);
        let mut left = writes.iter().filter(|call| call.effect == Effect::Wrote && (call.id == ended || !has_tried));
        left.next().map(|call| call.step)
    }

    /// Also where it found no session behind its cookie: that may be good on another server, or in a minute.
    fn logout_takes_the_cookie(&self, number: usize) {
        let request = self.request(number);
        if request.operation.ends() && has_succeeded(request) && request.cookie.is_some() && !request.touches_cookie() {
            self.broken(2, format!("the logout of request {number} leaves the cookie that came with it"));
        }
    }

    fn failed_logout_keeps_the_cookie(&self, number: usize) {
        let request = self.request(number);
        if !request.operation.ends() || has_succeeded(request) {
            return;
        }
        if let Some((before, behind)) = &request.cookies_around
            && before.is_some()
            && behind.is_none()
        {
            self.broken(2, format!("request {number} failed with {} and took the cookie", request.status));
        }
    }

    /// What failed or was lost can be tried again by the user, half a minute later.
    fn can_be_repeated(&self, number: usize) {
        let operation = self.request(number).operation;
        let retry = self.after.retries.iter().find(|(retried, ..)| *retried == number);
        let Some((_, status, visit)) = retry else { return };
        if *status != OK {
            // A first try that failed, and may have been carried out, has taken the one-time value.
            let is_used_up = operation.pulls();
            // A login that failed may have been carried out: then the user must log in again.
            let is_over = |(_, other): (usize, &Request)| may_have_moved(other) || may_have_ended(other);
            let is_left = operation.only_writes() && self.others(number).any(is_over);
            if !(*status == 409 && (is_used_up || is_left || (operation.spills() && self.may_refuse_spills()))) {
                self.broken(
                    if operation.ends() { 2 } else { 7 },
                    format!("request {number}, tried again, got {status}"),
                );
            }
            return;
        }
        let Ok(view) = visit else { return };
        if operation.ends() && view.has_old() {
            self.broken(2, format!("the logout of request {number}, tried again, ended nothing"));
        }
        let must_log_in = matches!(operation, Operation::Login | Operation::StepUp);
        if must_log_in && !self.carries_login_of(number, view) {
            self.broken(3, format!("the login of request {number}, tried again, logged nobody in"));
        }
        let is_shown = match operation {
            operation if operation.saves() => view.has(Own::Saved, number) && view.has(Own::AfterSave, number),
            operation if operation.only_writes() && operation != Operation::PullLast => self.shows(number, view),
            _ => true,
        };
        if !is_shown {
            self.broken(1, format!("what request {number} wrote, tried again, is not there"));
        }
    }

    // Promise 3.

    fn login_begins_a_session(&self, number: usize) {
        let request = self.request(number);
        let is_login = may_have_moved(request) && has_succeeded(request);
        if !is_login || self.last != Some(number) || self.was_left_later(number) {
            return;
        }
        let rivals = self.concurrent_with(number).filter(|(_, other)| other.operation.moves());
        let rivals: Vec<_> = rivals.map(|(rival, _)| rival).collect();
        for (name, view) in self.views() {
            if !self.carries_login_of(number, &view) {
                self.broken(3, format!("{name}, request {number} has not logged in"));
                break;
            }
            for rival in &rivals {
                if self.carries_login_of(*rival, &view) {
                    self.broken(3, format!("{name}, the login of request {number} has what {rival} put"));
                }
            }
            if view.otp && request.progress().took {
                self.broken(3, format!("{name}, what the login of request {number} pulled is there"));
            }
        }
    }

    /// Whether another request came with the session of this login, and may have ended it or moved it elsewhere: it costs a new
    /// login, no more.
    fn was_left_later(&self, number: usize) -> bool {
        let delivered = self.request(number).delivered;
        self.others(number)
            .any(|(_, other)| other.begun > delivered && (may_have_moved(other) || may_have_ended(other)))
    }

    fn carries_login_of(&self, number: usize, view: &View) -> bool {
        let mark = number as u64 + 1;
        match self.request(number).operation {
            Operation::StepUp => u64::from(view.role) == mark,
            _ => u64::from(view.user) == mark,
        }
    }

    /// Whoever keeps the cookie of before a login gains nothing by it.
    fn copies_gain_nothing(&self) {
        let views = [self.after.now, self.after.soon, self.after.later];
        if views.iter().any(|visit| visit.is_ok_and(|view| view.user == SET_UP)) {
            self.broken(3, "the old cookie shows the login of the set-up".to_owned());
        }
        for (name, visit) in [("now", self.after.copy_now), ("soon", self.after.copy_soon)] {
            if visit.is_ok_and(|view| view.user != 0 || view.role != 0 || view.farewell != 0) {
                self.broken(3, format!("{name}, a copy of the old cookies shows a new session"));
            }
        }
        let is_reference = self.first_cookie().is_some_and(|cookie| self.schedule.site.is_reference(&cookie));
        let has_left = is_reference
            && self.requests().any(|(number, request)| {
                may_have_moved(request)
                    && has_succeeded(request)
                    && self.came_by_reference(number)
                    && !found_nothing(request)
            });
        if has_left && self.after.copy_soon.is_ok_and(|view| view.has_old()) {
            self.broken(3, "soon, the old reference opens a session that a login left".to_owned());
        }
    }

    fn one_time_values_are_taken_once(&self) {
        let takers = self.requests().filter(|(number, request)| {
            request.progress().took && has_succeeded(request) && self.came_by_reference(*number)
        });
        if takers.count() > 1 {
            self.broken(3, "the one-time password was taken twice".to_owned());
        }
    }

    // Promise 4.

    fn counted_once(&self) {
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

    fn most_counted(&self, view: &View) -> u64 {
        let from = if view.has_old() || self.old_keys_are_few() { self.old.n } else { 0 };
        let may_be_kept =
            |request: &Request| request.status != 409 || request.progress().saved || request.may_have_saved;
        let counts = |request: &Request| request.operation.counts() && may_be_kept(request);
        from + self.requests().filter(|(_, request)| counts(request)).count() as u64
    }

    fn least_counted(&self, view: &View) -> u64 {
        let from = if view.has_old() { self.old.n } else { 0 };
        let counted = self.requests().filter(|(number, request)| {
            request.operation.counts()
                && (has_succeeded(request) || request.progress().saved)
                && self.must_show(*number, view)
        });
        from + counted.count() as u64
    }

    // Promise 5.

    fn nothing_secret_in_a_cookie(&self) {
        if !self.requests().any(|(_, request)| request.operation == Operation::ServerOnly) {
            return;
        }
        let lines = self.requests().flat_map(|(_, request)| request.lines.iter().filter_map(|line| value_of(line)));
        let last = self.after.last_jar.value(COOKIE);
        if lines.chain(last).any(|value| self.holds_secret(value)) {
            self.broken(5, "a cookie holds what is for the server only".to_owned());
        }
    }

    fn holds_secret(&self, value: &str) -> bool {
        let site: &Site = self.schedule.site;
        let payload = site.inline_payload(value).unwrap_or_default();
        self.requests().any(|(number, _)| payload.contains_key(&Own::ServerOnly.key(number)))
    }

    // Number 12, no promise but what the ciphers ask for.

    fn no_nonce_is_used_twice(&self) {
        let sealed = &self.schedule.sealed;
        let twice = |(index, seal): (usize, &Seal)| {
            sealed.iter().take(index).any(|before| before.nonce == seal.nonce && before.tag != seal.tag)
        };
        let cookies: Vec<_> =
            self.requests().flat_map(|(_, request)| request.lines.iter().filter_map(|line| value_of(line))).collect();
        let nonce = |value: &str| value.get(COOKIE_NONCE).map(str::to_owned);
        let twice_in_cookies = |(index, value): (usize, &&str)| {
            cookies.iter().take(index).any(|before| before != value && nonce(before) == nonce(value))
        };
        if sealed.iter().enumerate().any(twice) || cookies.iter().enumerate().any(twice_in_cookies) {
            self.broken(12, "two plaintexts are sealed under one nonce".to_owned());
        }
    }

    // Promises 6, 7 and 8.

    /// What is there of the old session is all of it, and it is there unless something explains why not.
    fn old_session_is_whole(&self) {
        for (name, view) in self.views() {
            if let Some(problem) = self.is_torn(&view) {
                self.broken(self.blamed(), format!("{name}, {problem}"));
                return;
            }
        }
    }

    fn old_session_was_whole_when_read(&self, number: usize) {
        let Some(seen) = self.request(number).progress().seen else { return };
        if let Some(problem) = self.is_torn(&seen) {
            self.broken(self.blamed(), format!("request {number} saw {seen:?}: {problem}"));
        }
    }

    /// Who comes with a reference of before a login reads the old session for ten seconds, which no schedule lasts.
    fn old_reference_is_read_for_a_while(&self, number: usize) {
        let Some(seen) = self.request(number).progress().seen else { return };
        let came_as_begun = self.came_by_reference(number) && self.request(number).cookie == self.first_cookie();
        let may_be_gone = self.old_keys_are_few()
            || self.others(number).any(|(_, other)| may_have_ended(other) || may_have_cleared(other));
        if came_as_begun && !may_be_gone && !seen.has_old() {
            self.broken(8, format!("request {number} came with a reference of before a login, and saw nothing"));
        }
    }

    /// What is wrong with what a view shows of the old session.
    fn is_torn(&self, view: &View) -> Option<&'static str> {
        let is_pulled = self.requests().any(|(_, request)| request.operation.pulls() && request.status != 409);
        let is_shrunk = self.requests().any(|(_, request)| request.operation == Operation::Shrink);
        if !view.has_old() {
            let is_due = self.old.has_old() && !(is_pulled && self.old_keys_are_few());
            return (is_due && !self.is_gone_for_a_reason()).then_some("the session is gone");
        }
        if view.base != self.old.base {
            return Some("the session is older than before");
        }
        let is_whole = view.data == self.old.data
            && (view.otp == self.old.otp || (is_pulled && !view.otp))
            && (view.big == self.old.big || (is_shrunk && !view.big));
        (!is_whole).then_some("the session is torn")
    }

    fn is_gone_for_a_reason(&self) -> bool {
        let last_moves = self.last.is_some_and(|last| {
            let request = self.request(last);
            may_have_moved(request) && has_succeeded(request) && !found_nothing(request) && !self.was_left_later(last)
        });
        self.requests().any(|(_, request)| may_have_ended(request) || may_have_cleared(request))
            || (!last_moves
                && (self.schedule.start.origin == Origin::Left
                    || self.requests().any(|(_, request)| may_have_moved(request))))
    }

    /// The promise that a fault of this kind must not break.
    fn blamed(&self) -> usize {
        match self.schedule.fault.map(|fault| fault.action) {
            None => 6,
            Some(Action::Lose) => 8,
            Some(Action::Delay) => 10,
            Some(_) => 7,
        }
    }

    /// Later visits add to what was there, and take nothing away.
    fn later_writes_go_forward(&self) {
        let after = self.after;
        // A visit that puts something large, what was there before, what is there behind.
        for (name, before, visit, behind, is_kept_by_all) in [
            ("the spill", after.soon, after.spill, after.spilled, true),
            ("the next spill", after.shrunk, after.respill, after.respilled, false),
            ("the later spill", after.now, after.later, after.later_spilled, true),
        ] {
            let (Ok(before), Ok(behind)) = (before, behind) else { continue };
            let before = if name == "the later spill" { visit.unwrap_or(before) } else { before };
            match visit {
                Ok(_) if !behind.late => self.broken(1, format!("{name} was not kept")),
                Ok(_)
                    if !behind.keeps(&View { otp: before.otp && !self.may_have_been_pulled(), ..before })
                        || behind.n <= before.n =>
                {
                    self.broken(6, format!("{name} went back from {before:?} to {behind:?}"));
                }
                Ok(_) if is_kept_by_all && behind.n > self.most_counted(&behind) + 1 => {
                    self.broken(4, format!("{name} counted to {}", behind.n));
                }
                Ok(_) => {}
                Err(409) if self.may_refuse_spills() => {}
                Err(status) => self.broken(7, format!("{name} got {status}")),
            }
            if self.is_torn(&behind) == Some("the session is older than before") {
                self.broken(6, format!("{name} brought older data back: {behind:?}"));
            }
        }
        if let Err(status) = after.shrink {
            self.broken(7, format!("the shrinking got {status}"));
        }
        if let (Ok(before), Ok(_), Ok(behind)) = (after.spilled, after.shrink, after.shrunk)
            && (behind.late || !behind.keeps(&View { late: false, ..before }) || behind.n != before.n)
        {
            self.broken(6, format!("the shrinking went from {before:?} to {behind:?}"));
        }
    }

    /// Where the last response that touched the cookie emptied the session, no later visit meets what was in it.
    fn cleared_stays_away(&self) {
        let after = self.after;
        let Some(last) = self.last.filter(|last| self.request(*last).operation == Operation::Clear) else { return };
        if !has_succeeded(self.request(last)) || found_nothing(self.request(last)) {
            return;
        }
        for (name, visit) in [
            ("now", after.now),
            ("soon", after.soon),
            ("behind the spill", after.spilled),
            ("behind the shrinking", after.shrunk),
            ("behind the next spill", after.respilled),
            ("behind the later spill", after.later_spilled),
        ] {
            if visit.is_ok_and(|view| view.has_old()) {
                self.broken(6, format!("{name}, what request {last} cleared is there again"));
                return;
            }
        }
    }

    /// Under `StoreOnly`, an old cookie without data takes up again what was written meanwhile.
    fn blank_cookie_goes_forward(&self) {
        let is_simple =
            self.requests().all(|(_, request)| request.operation.only_writes() || request.operation.only_reads());
        let (Origin::Blank, true, Ok(spilled)) = (self.schedule.start.origin, is_simple, self.after.spilled) else {
            return;
        };
        for (number, request) in self.requests() {
            if has_succeeded(request) && !self.shows(number, &spilled) {
                self.broken(6, format!("behind the spill, what request {number} wrote is not there"));
            }
        }
        let counted =
            self.requests().filter(|(_, request)| request.operation.counts() && has_succeeded(request)).count();
        if self.after.spill.is_ok() && spilled.n <= counted as u64 {
            self.broken(6, format!("behind the spill, counted to {} behind {counted} others", spilled.n));
        }
    }

    /// The browser may have a cookie of a session that a login or a logout, whose response it did not take, has ended for the
    /// store; or one that cannot be told from another of the same second.
    /// A request that took the one-time value got an error: it may have been carried out, and a spill shows that it was.
    fn may_have_been_pulled(&self) -> bool {
        self.requests().any(|(_, request)| {
            request.operation.pulls()
                && request.progress().took
                && (!has_succeeded(request) || !arrived_with_cookie(request))
        })
    }

    fn may_refuse_spills(&self) -> bool {
        let starts_left = matches!(self.schedule.start.origin, Origin::Left | Origin::LeftInline);
        let is_left = self
            .requests()
            .any(|(number, request)| (may_have_ended(request) || may_have_moved(request)) && self.last != Some(number));
        let is_tied = self.last.is_some_and(|last| {
            let mut spilled = self.requests().filter(|(_, request)| request.operation.spills());
            spilled.any(|(number, _)| !self.schedule.is_ticking || self.share_a_second(number, last))
        });
        // The pull of the last value ends the session, and with an error nobody knows.
        starts_left || is_left || is_tied || self.may_have_been_pulled()
    }

    /// Whether both requests may have sealed a cookie in one and the same second.
    fn share_a_second(&self, one: usize, other: usize) -> bool {
        let seconds = |number: usize| {
            let request = self.request(number);
            self.second_of(request.begun)..=self.second_of(request.done)
        };
        let (one, other) = (seconds(one), seconds(other));
        one.start() <= other.end() && other.start() <= one.end()
    }

    /// How often the clock had moved by a step.
    fn second_of(&self, step: Option<usize>) -> usize {
        let steps = self.schedule.steps.iter().take(step.unwrap_or(usize::MAX));
        steps.filter(|step| matches!(step.action, Action::Begin | Action::Deliver)).count()
    }

    // Promise 10, for logins; for logouts see promise 2.

    fn late_response_brings_nothing_back(&self, number: usize) {
        let request = self.request(number);
        let is_login = may_have_moved(request) && has_succeeded(request) && arrived_with_cookie(request);
        if !is_login || found_nothing(request) {
            return;
        }
        let Some(last) = self.last.filter(|last| *last != number) else { return };
        let late = self.request(last);
        if late.begun > request.delivered || late.cookie != request.cookie || late.operation.moves() {
            return;
        }
        for (name, visit) in [("soon", self.after.soon), ("later", self.after.later)] {
            if visit.is_ok_and(|view| view.has_old() && !self.carries_login_of(number, &view)) {
                self.broken(10, format!("{name}, the response of request {last} undid the login of {number}"));
                return;
            }
        }
    }

    // What the rules ask for.

    fn broken(&self, promise: usize, what: String) {
        self.violations.borrow_mut().push((promise, what));
    }

    fn request(&self, number: usize) -> &'_ Request {
        &self.schedule.requests[number]
    }

    fn requests(&self) -> impl Iterator<Item = (usize, &'_ Request)> {
        self.schedule.requests.iter().enumerate()
    }

    fn others(&self, number: usize) -> impl Iterator<Item = (usize, &'_ Request)> {
        self.requests().filter(move |(other, _)| *other != number)
    }

    /// The other requests that began before the response of this one arrived, and the other way round.
    fn concurrent_with(&self, number: usize) -> impl Iterator<Item = (usize, &'_ Request)> {
        let request = self.request(number);
        self.others(number).filter(move |(_, other)| {
            let begins_before_end =
                |one: &Request, end: &Request| end.delivered.is_none_or(|end| one.begun < Some(end));
            begins_before_end(other, request) && begins_before_end(request, other)
        })
    }

    fn views(&self) -> Vec<(&'static str, View)> {
        let visits = [("now", self.after.now), ("soon", self.after.soon), ("later", self.after.later)];
        visits.into_iter().filter_map(|(name, visit): (_, Visit)| Some((name, visit.ok()?))).collect()
    }

    fn first_cookie(&self) -> Option<String> {
        self.schedule.start.jar.value(COOKIE).map(str::to_owned)
    }

    /// Whether a view without old keys may still be the old session.
    fn old_keys_are_few(&self) -> bool {
        self.schedule.start.contents == Contents::OneKey || self.schedule.start.origin == Origin::Blank
    }

    fn came_by_reference(&self, number: usize) -> bool {
        self.request(number).cookie.as_ref().is_some_and(|cookie| self.schedule.site.is_reference(cookie))
    }

    /// Whether this request read a session that is in its cookie: that came in the cookie, or in a record from which it had
    /// returned when it was read; or that this request returned.
    fn read_inline(&self, number: usize) -> bool {
        match self.schedule.site.placement {
            Placement::CookieOnly => return true,
            Placement::StoreOnly => return false,
            _ => {}
        }
        if !self.came_by_reference(number) || self.schedule.start.origin == Origin::Returned {
            return true;
        }
        let first_call = |number: usize, is_write: bool| {
            let mut calls = self.schedule.log.iter().filter(|call| {
                call.request == number && if is_write { call.effect == Effect::Wrote } else { call.kind == Kind::Load }
            });
            calls.next().map(|call| call.step)
        };
        let returns = |request: &Request| request.operation == Operation::Shrink;
        let read = first_call(number, false);
        returns(self.request(number))
            || self.others(number).any(|(other, request)| {
                returns(request) && first_call(other, true).is_some_and(|returned| read > Some(returned))
            })
    }
}

/// The value in a line that sets the session's cookie.
fn value_of(line: &str) -> Option<&str> {
    let value = line.strip_prefix(COOKIE)?.strip_prefix('=')?.split(';').next()?;
    Some(value).filter(|value| !value.is_empty())
}
