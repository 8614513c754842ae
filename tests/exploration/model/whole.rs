//! What was there before: promises 5 to 8, and one rule of the ciphers.

use super::{
    COOKIE_NONCE, Judge, arrived_with_cookie, found_nothing, has_succeeded, may_have_cleared, may_have_ended,
    may_have_moved, value_of,
};
use crate::operation::Operation;
use crate::schedule::{Action, Request};
use crate::site::{COOKIE, Origin, Site};
use crate::store::{Effect, Seal};
use crate::view::{Own, View};

impl Judge<'_> {
    // Promise 5.

    pub(super) fn nothing_secret_in_a_cookie(&self) {
        if !self.requests().any(|(_, request)| request.operation == Operation::ServerOnly) {
            return;
        }
        let lines = self.requests().flat_map(|(_, request)| request.lines.iter().filter_map(|line| value_of(line)));
        let last = self.after.last_jar.value(COOKIE);
        if lines.chain(last).any(|value| self.holds_secret(value)) {
            self.broken(5, "a cookie holds what is for the server only".to_owned());
        }
    }

    pub(super) fn holds_secret(&self, value: &str) -> bool {
        let site: &Site = self.schedule.site;
        let payload = site.inline_payload(value).unwrap_or_default();
        self.requests().any(|(number, _)| payload.contains_key(&Own::ServerOnly.key(number)))
    }

    // Number 12, no promise but what the ciphers ask for.

    pub(super) fn no_nonce_is_used_twice(&self) {
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
    pub(super) fn old_session_is_whole(&self) {
        for (name, view) in self.views() {
            if let Some(problem) = self.is_torn(&view) {
                self.broken(self.blamed(), format!("{name}, {problem}"));
                return;
            }
        }
    }

    pub(super) fn old_session_was_whole_when_read(&self, number: usize) {
        let Some(seen) = self.request(number).progress().seen else { return };
        if let Some(problem) = self.is_torn(&seen) {
            self.broken(self.blamed(), format!("request {number} saw {seen:?}: {problem}"));
        }
    }

    /// Who comes with a reference of before a login reads the old session for ten seconds, which no schedule lasts.
    pub(super) fn old_reference_is_read_for_a_while(&self, number: usize) {
        let Some(seen) = self.request(number).progress().seen else { return };
        let came_as_begun = self.came_by_reference(number) && self.request(number).cookie == self.first_cookie();
        let may_be_gone = self.old_keys_are_few()
            || self.others(number).any(|(_, other)| may_have_ended(other) || may_have_cleared(other));
        if came_as_begun && !may_be_gone && !seen.has_old() {
            self.broken(8, format!("request {number} came with a reference of before a login, and saw nothing"));
        }
    }

    /// What is wrong with what a view shows of the old session.
    pub(super) fn is_torn(&self, view: &View) -> Option<&'static str> {
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

    pub(super) fn is_gone_for_a_reason(&self) -> bool {
        let last_moves = self.last.is_some_and(|last| {
            let request = self.request(last);
            may_have_moved(request) && has_succeeded(request) && !found_nothing(request) && !self.was_left_later(last)
        });
        self.requests().any(|(_, request)| may_have_ended(request) || may_have_cleared(request))
            || (!last_moves
                && (self.schedule.start.origin == Origin::Left
                    || self.requests().any(|(number, _)| self.may_have_left(number))))
    }

    /// A login that failed or was dropped before its second record was written has left nothing: the record where the session
    /// goes comes first.
    fn may_have_left(&self, number: usize) -> bool {
        let request = self.request(number);
        let may_fit_a_cookie = |other: &Request| matches!(other.operation, Operation::Shrink | Operation::Clear);
        let takes_two = self.schedule.start.origin == Origin::Stored
            && self.came_by_reference(number)
            && !self.old_keys_are_few()
            && !self.requests().any(|(_, other)| may_fit_a_cookie(other));
        let written = self.schedule.log.iter().filter(|call| call.request == number && call.effect == Effect::Wrote);
        may_have_moved(request) && (has_succeeded(request) || !takes_two || written.count() > 1)
    }

    /// The promise that a fault of this kind must not break.
    pub(super) fn blamed(&self) -> usize {
        match self.schedule.fault.map(|fault| fault.action) {
            None => 6,
            Some(Action::Lose) => 8,
            Some(Action::Delay) => 10,
            Some(_) => 7,
        }
    }

    /// Later visits add to what was there, and take nothing away.
    pub(super) fn later_writes_go_forward(&self) {
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
    pub(super) fn cleared_stays_away(&self) {
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
    pub(super) fn blank_cookie_goes_forward(&self) {
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
    pub(super) fn may_have_been_pulled(&self) -> bool {
        self.requests().any(|(number, request)| {
            request.operation.pulls()
                && request.progress().took
                && (!has_succeeded(request) || !arrived_with_cookie(request) || self.last != Some(number))
        })
    }

    pub(super) fn may_refuse_spills(&self) -> bool {
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
    pub(super) fn share_a_second(&self, one: usize, other: usize) -> bool {
        let seconds = |number: usize| {
            let request = self.request(number);
            self.second_of(request.begun)..=self.second_of(request.done)
        };
        let (one, other) = (seconds(one), seconds(other));
        one.start() <= other.end() && other.start() <= one.end()
    }

    /// How often the clock had moved by a step.
    pub(super) fn second_of(&self, step: Option<usize>) -> usize {
        let steps = self.schedule.steps.iter().take(step.unwrap_or(usize::MAX));
        steps.filter(|step| matches!(step.action, Action::Begin | Action::Deliver)).count()
    }
}
