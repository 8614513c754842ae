//! What an application is answered that has no session where its guard looks for one. Where the guard is a part of the
//! application that is checked at launch, it does not launch.

use super::{Application, Browser, Guard, OURS, Site, get, manager, post};

/// A framework whose sessions and guards are layers around its pages.
pub(crate) trait Layered: Site {
    /// What the answer names where a guard has to verify a token and finds no session. Nothing, if the answer is empty.
    const MISPLACED_GUARD: &'static [&'static str];
}

/// Applications whose guard finds no session.
fn misplaced(guard: Guard) -> [Application; 2] {
    let without = Application { guard: Some(guard.clone()), ..Application::default() };
    let in_the_wrong_order = Application { misplaced_guard: Some(guard), ..Application::new(manager()) };
    [without, in_the_wrong_order]
}

fn assert_says_what_is_missing<S: Layered>(application: Application) {
    let answer = S::new(application).send(post("/idle").header("X-CSRF-Token", "x"));
    assert_eq!((answer.status, answer.text.is_empty()), (500, S::MISPLACED_GUARD.is_empty()));
    assert!(S::MISPLACED_GUARD.iter().all(|name| answer.text.contains(name)), "{}", answer.text);
}

pub(crate) fn a_guard_that_finds_no_session_answers_a_token_with_500_and_decides_the_rest_as_ever<S: Layered>() {
    for application in misplaced(Guard::new()) {
        let site = S::new(application);
        site.send(post("/idle").header("Sec-Fetch-Site", "same-origin")).assert_says("done");
        site.send(post("/idle").header("Origin", OURS)).assert_says("done");
        site.send(post("/idle").header("Sec-Fetch-Site", "cross-site")).assert_refused(403);
    }
    misplaced(Guard::new()).into_iter().for_each(assert_says_what_is_missing::<S>);
}

pub(crate) fn a_marked_guard_without_its_session_answers_a_token_with_500<S: Layered>() {
    assert_says_what_is_missing::<S>(Application::guarded(manager(), Guard::new().marked()));
}

pub(crate) fn a_guard_that_finds_no_session_gives_no_readable_token<S: Layered>() {
    for application in misplaced(Guard::readable()) {
        let mut browser = Browser::<S>::at(application);
        for (path, status) in [("/idle", 200), ("/nowhere", 404)] {
            let answer = browser.send(get(path));
            assert_eq!((answer.status, answer.cookie_names()), (status, vec![]), "{path}");
        }
    }
}
