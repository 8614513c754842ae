//! A page that is not found, where that is a response.

use super::{Application, Browser, Guard, Site, get, manager};

pub(crate) fn a_page_that_is_not_found_brings_the_readable_token_too<S: Site>() {
    let answer = Browser::<S>::logged_in(Application::guarded(manager(), Guard::readable())).send(get("/nowhere"));
    assert_eq!((answer.status, answer.cookie_names()), (404, vec!["XSRF-TOKEN"]));
}
