//! What a user may rely on, as rules over what the requests were told and what the browser finds afterwards.
//!
//! The rules know nothing of how a session is kept: only which cookie a request came with, what it saw, what it did, what it
//! was told, and whether and when its response arrived.

mod ended;
mod kept;
mod whole;

use std::cell::RefCell;

use sealed_session::Placement;

use crate::aftermath::{Aftermath, Visit};
use crate::api::OK;
use crate::operation::Operation;
use crate::schedule::{Request, Schedule};
use crate::site::{COOKIE, Contents, Origin};
use crate::store::Effect;
use crate::view::View;

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
    let is_refused = request.operation.logs_in_by_pull() && has_succeeded(request) && !request.progress().took;
    request.operation.moves() && !is_refused && request.status != 409
}

fn may_have_ended(request: &Request) -> bool {
    request.operation.ends() && !found_nothing(request)
}

fn may_have_cleared(request: &Request) -> bool {
    request.operation == Operation::Clear && request.status != 409
}

/// What the rules ask for.
impl Judge<'_> {
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
            Placement::StoreOnly => {
                return self.schedule.start.origin == Origin::Migrated && !self.came_by_reference(number);
            }
            _ => {}
        }
        if !self.came_by_reference(number) || self.schedule.start.origin == Origin::Returned {
            return true;
        }
        // A load that was cut is made again: the session was read by the one that found it.
        let first_call = |number: usize, effect: Effect| {
            self.schedule.log.iter().find(|call| call.request == number && call.effect == effect).map(|call| call.step)
        };
        let returns = |request: &Request| request.operation == Operation::Shrink;
        let read = first_call(number, Effect::Found);
        returns(self.request(number))
            || self.others(number).any(|(other, request)| {
                returns(request) && first_call(other, Effect::Wrote).is_some_and(|returned| read > Some(returned))
            })
    }
}

/// The value in a line that sets the session's cookie.
fn value_of(line: &str) -> Option<&str> {
    let value = line.strip_prefix(COOKIE)?.strip_prefix('=')?.split(';').next()?;
    Some(value).filter(|value| !value.is_empty())
}
