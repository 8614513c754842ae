//! Logouts and logins: promises 2, 3 and 10.

use sealed_session::Placement;

use super::{Judge, arrived_with_cookie, found_nothing, has_succeeded, may_have_ended, may_have_moved};
use crate::api::OK;
use crate::operation::Operation;
use crate::schedule::Request;
use crate::view::{Own, SET_UP, View};

impl Judge<'_> {
    // Promise 2.

    pub(super) fn logout_is_final(&self, number: usize) {
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
            if view.has_old() {
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
            if let Some(seen) = seen.filter(|seen| seen.has_old()) {
                self.broken(promise, format!("request {other_number} saw {seen:?}, which request {number} had ended"));
            }
        }
    }

    /// Also where it found no session behind its cookie: that may be good on another server, or in a minute.
    pub(super) fn logout_takes_the_cookie(&self, number: usize) {
        let request = self.request(number);
        if request.operation.ends() && has_succeeded(request) && request.cookie.is_some() && !request.touches_cookie() {
            self.broken(2, format!("the logout of request {number} leaves the cookie that came with it"));
        }
    }

    pub(super) fn failed_logout_keeps_the_cookie(&self, number: usize) {
        let request = self.request(number);
        if !request.operation.ends() || has_succeeded(request) {
            return;
        }
        if let Some((before, behind)) = &request.cookies_around
            && before.is_some()
            && behind.is_none()
            && !self.only_farewell_failed(number)
        {
            self.broken(2, format!("request {number} failed with {} and took the cookie", request.status));
        }
    }

    /// The session was ended, and what was to be said behind it could not be kept.
    fn only_farewell_failed(&self, number: usize) -> bool {
        let own_copy = self.after.own_copies.iter().find(|(logout, _)| *logout == number);
        let is_open =
            self.came_by_reference(number) && own_copy.is_some_and(|(_, copy)| copy.is_ok_and(|view| view.has_old()));
        self.request(number).operation == Operation::Invalidate && !is_open
    }

    /// What failed or was lost can be tried again by the user, half a minute later.
    pub(super) fn can_be_repeated(&self, number: usize) {
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

    pub(super) fn login_begins_a_session(&self, number: usize) {
        let request = self.request(number);
        let is_login = may_have_moved(request) && has_succeeded(request);
        if !is_login || self.last != Some(number) || self.was_left_later(number) {
            return;
        }
        // A browser that has ended the session before the login's response arrives refuses what was made of it: it costs a new
        // login.
        if self.concurrent_with(number).any(|(_, other)| may_have_ended(other) && arrived_with_cookie(other)) {
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
    pub(super) fn was_left_later(&self, number: usize) -> bool {
        let delivered = self.request(number).delivered;
        self.others(number)
            .any(|(_, other)| other.begun > delivered && (may_have_moved(other) || may_have_ended(other)))
    }

    pub(super) fn carries_login_of(&self, number: usize, view: &View) -> bool {
        let mark = number as u64 + 1;
        match self.request(number).operation {
            Operation::StepUp => u64::from(view.role) == mark,
            _ => u64::from(view.user) == mark,
        }
    }

    /// Whoever keeps the cookie of before a login gains nothing by it.
    pub(super) fn copies_gain_nothing(&self) {
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

    pub(super) fn one_time_values_are_taken_once(&self) {
        let takers = self.requests().filter(|(number, request)| {
            // A login leaves a record also of a session in its cookie, and the next one finds it.
            let is_seen = self.came_by_reference(*number)
                || (request.operation.moves() && self.schedule.site.placement != Placement::CookieOnly);
            request.progress().took && has_succeeded(request) && is_seen
        });
        if takers.count() > 1 {
            self.broken(3, "the one-time password was taken twice".to_owned());
        }
    }

    // Promise 10, for logins; for logouts see promise 2.

    pub(super) fn late_response_brings_nothing_back(&self, number: usize) {
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
}
