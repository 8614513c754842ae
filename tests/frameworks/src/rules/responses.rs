//! What a response gets of its session, beside what the handler put there.

use crate::application::{ABOUT, PUBLIC, STREAM, THEME};

use crate::{Differences, Site};

pub fn a_page_that_asks_for_no_session_is_left_as_it_is(site: &Site, _: Differences) {
    for client in [site.client(), site.logged_in("zoe")] {
        let answer = client.open("/about");
        assert_eq!((answer.status, answer.text.as_str()), (200, ABOUT));
        assert_eq!((answer.header("cache-control"), answer.header("vary")), (Some(PUBLIC), None));
        assert_eq!(answer.values("set-cookie"), [""; 0]);
    }
}

pub fn other_cookies_of_the_handler_are_kept(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    let answer = client.open("/theme");
    let lines = answer.values("set-cookie");
    assert_eq!(lines.len(), 3, "{answer:?}");
    assert!(THEME.iter().all(|line| lines.contains(line)), "{answer:?}");
    assert_eq!(client.cookie_named("theme").as_deref(), Some("dark"));
    assert_eq!(client.name().as_deref(), Some("zoe"));
}

pub fn a_response_with_a_session_is_kept_from_shared_caches(site: &Site, _: Differences) {
    let answer = site.logged_in("zoe").open("/prices");
    assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
    assert_eq!(answer.header("vary"), Some("Cookie"));

    // A guest's page is everybody's, as long as a cookie would make another.
    let answer = site.client().open("/prices");
    assert_eq!((answer.header("cache-control"), answer.header("vary")), (Some(PUBLIC), Some("Cookie")));
}

pub fn a_streamed_body_arrives_whole_behind_a_written_session(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    let answer = client.open("/stream");
    assert_eq!((answer.status, answer.text), (200, STREAM.concat()));
    assert_eq!(answer.headers.iter().find(|(name, _)| name == "content-length"), None);
    assert_eq!(client.open("/").element("visits"), Some("11"));
}
