//! The rules by which the page is judged that the user sees after a round.

use sealed_session::{Commit, Session};
use serde_json::{Map, Value};

use super::handler::{Known, assert_whole};
use super::{Page, Story};
use crate::browser::Browser;
use crate::support::own_lines;

fn number(seen: &Map<String, Value>, key: &str) -> u64 {
    seen.get(key).and_then(Value::as_u64).unwrap_or(0)
}

impl Story {
    /// `last` is the only request since the page before, if it was the only one.
    pub(super) fn judge(&self, page: &Page, user_was_there: bool, last: Option<&Known>) {
        let user_is_there = number(&page.seen, "user") == 42;
        self.nothing_counts_twice(&page.seen);
        self.what_was_ended_is_not_back(user_is_there);
        self.one_time_values_are_taken_once(&page.seen);
        if let Some(last) = last.filter(|last| !self.kind.may_expire && last.is_delivered && !last.is_dropped) {
            self.a_success_was_kept(&page.seen, last);
            self.a_success_loses_no_session(user_is_there == user_was_there, last);
            self.a_success_lasts_as_it_was_asked(page.response.as_ref(), last);
        }
        self.a_record_loses_nothing(&page.seen);
        self.copies_of_a_record_show_no_less();
        self.copies_of_an_ended_record_stay_closed();
    }

    /// Every request reads the one record, with whatever cookie it came.
    fn has_one_record(&self) -> bool {
        self.is_in_record && !self.has(|known| known.has_moved)
    }

    fn nothing_counts_twice(&self, seen: &Map<String, Value>) {
        // One task may save what the other has counted by half.
        if !self.has_two_tasks {
            assert_whole(seen, "a visit");
        }
        for known in &self.requests {
            assert!(number(seen, &known.key) <= known.possible, "{} counted more than once", known.key);
        }
    }

    fn what_was_ended_is_not_back(&self, user_is_there: bool) {
        let has_one_record = self.has_one_record();
        let is_logged_out =
            |known: &Known| known.has_ended && known.has_come && known.is_ok && (known.is_delivered || has_one_record);
        // A browser keeps four markers. And a session that became empty has not ended: an overdue cookie of it comes back.
        let left = self.requests.iter().filter(|known| known.has_ended || known.has_moved).count();
        if !self.had_overdue || left <= 3 && !self.has(|known| known.has_cleared) {
            assert!(!(user_is_there && self.has(is_logged_out)), "a session that was ended is back");
        }
    }

    fn one_time_values_are_taken_once(&self, seen: &Map<String, Value>) {
        if self.has_two_tasks || !self.has_one_record() {
            return;
        }
        let taken = self.requests.iter().filter(|known| known.has_pulled && known.is_ok).count();
        assert!(taken == 0 || (taken == 1 && !seen.contains_key("otp")), "a one-time value is taken once");
    }

    fn a_success_was_kept(&self, seen: &Map<String, Value>, last: &Known) {
        // With the error of a commit goes out what was saved before. The cookie of a new id may not.
        let keeps = last.is_ok || (last.is_answered() && last.status != 409 && !last.has_moved);
        if last.goes_on() && keeps {
            let found = number(seen, &last.key);
            assert!(last.kept <= found, "a success keeps {}, and not {found}", last.kept);
            let most = last.kept + last.late;
            assert!(!last.is_ok || last.has_two_tasks || found <= most, "a success keeps {most}, and not {found}");
        }
    }

    fn a_success_loses_no_session(&self, is_as_before: bool, last: &Known) {
        // A login that meets a logout begins with an empty session.
        let is_expected = self.has(|known| !known.goes_on());
        assert!(!last.is_ok || is_as_before || is_expected, "a success loses no session");
    }

    /// By the cookie of the page, which renews what the request has asked for.
    fn a_success_lasts_as_it_was_asked(&self, page: Option<&Commit>, last: &Known) {
        let is_certain =
            last.is_ok && !last.has_two_tasks && !last.has_reloaded && !last.response.set_cookies.is_empty();
        let (Some(page), Some(lasts), true) = (page, last.lasts, is_certain && !self.has(|known| !known.goes_on()))
        else {
            return;
        };
        let line = own_lines(page).pop().unwrap_or_default();
        let is_right = match lasts {
            'm' => line.contains("Max-Age=864000"),
            'b' => !line.contains("Max-Age"),
            _ => line.contains("Max-Age=7200"),
        };
        assert!(is_right, "lasts by {lasts}: {}", line.rsplit_once("; ").unwrap_or_default().1);
    }

    fn a_record_loses_nothing(&self, seen: &Map<String, Value>) {
        if self.has_one_record() && !self.has(|known| !known.goes_on()) {
            self.shows_all_that_was_kept(seen, "the browser");
            assert_eq!(number(seen, "user"), 42, "the user is logged out");
        }
    }

    fn copies_of_a_record_show_no_less(&self) {
        if self.has_one_record() && !self.has(|known| !known.goes_on()) {
            self.for_each_copy(|session| self.shows_all_that_was_kept(&session.all(), "an older cookie"));
        }
    }

    fn copies_of_an_ended_record_stay_closed(&self) {
        let has_ended = |known: &Known| known.has_ended && known.has_come && known.is_ok;
        if self.has_one_record() && !self.kind.may_expire && self.has(has_ended) {
            self.for_each_copy(|session| {
                assert_ne!(session.get::<u64>("user").unwrap(), Some(42), "a copy opens after a logout");
            });
        }
    }

    fn shows_all_that_was_kept(&self, seen: &Map<String, Value>, who: &str) {
        for known in &self.requests {
            assert!(known.kept <= number(seen, &known.key), "{} was lost, as {who} sees it", known.key);
        }
    }

    /// Each older state of the browser's cookies, at each server.
    fn for_each_copy(&self, check: impl Fn(&Session)) {
        let sessions = |copy: &Browser| self.managers.iter().map(|manager| copy.begin(manager).session()).collect();
        self.copies.iter().flat_map(|copy| -> Vec<_> { sessions(copy) }).for_each(|session| check(&session));
    }
}
