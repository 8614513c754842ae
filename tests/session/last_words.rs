//! The life of a session: an explicit end is final, and a request that goes without a commit is told of.

use pollster::block_on;
use sealed_session::cookie::CookieAttributes;
use sealed_session::events::Event;
use sealed_session::{CommitError, LoadError, Placement, Reason, ResponseFacts, Session, SessionError, StoreFailure};

use crate::support::{COOKIE, LARGE, Site, own_lines, removes_the_cookie, text};

#[test]
fn what_is_done_to_a_session_after_its_request_was_dropped_is_an_error() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    for cart in [1, LARGE] {
        browser.put(&store, "cart", text(cart));
        let request = browser.begin(&store);
        let session = request.session();
        drop(request);
        assert!(matches!(session.put("user", &1), Err(SessionError::Abandoned)));
        assert!(matches!(session.destroy(), Err(SessionError::Abandoned)));
        assert!(matches!(session.invalidate(), Err(SessionError::Abandoned)));
        assert!(matches!(session.regenerate(), Err(SessionError::Abandoned)));
        assert!(matches!(session.flash("notice", "saved"), Err(SessionError::Abandoned)));
        // There is nothing that it leaves unsaved.
        assert!(block_on(session.save()).is_ok());
        assert!(matches!(block_on(session.reload()), Err(LoadError::RequestOver)));
        assert_eq!(browser.get(&store, "user"), None);
    }
}

#[test]
fn writes_of_a_request_that_is_dropped_are_told_and_cannot_be_saved_any_more() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let id = site.opened(&store, &browser).public_id();
    let changes: [fn(&Session); 3] = [
        |session| session.put("user", &1).unwrap(),
        |session| session.flash("notice", "saved").unwrap(),
        |session| session.remember(std::time::Duration::from_secs(60)).unwrap(),
    ];
    for change in changes {
        let request = browser.begin(&store);
        let session = request.session();
        change(&session);
        site.events.take();
        drop(request);
        assert_eq!(site.events.take(), [Event::WritesDropped { id: Some(id) }]);
        assert!(matches!(block_on(session.save()), Err(CommitError::Abandoned)));
    }
    // What was saved before is no loss.
    let request = browser.begin(&store);
    request.session().put("user", &1).unwrap();
    block_on(request.session().save()).unwrap();
    site.events.take();
    drop(request);
    assert_eq!(site.events.take(), []);
    assert_eq!(browser.get(&store, "user"), Some(1));
}

#[test]
fn a_logout_of_a_request_that_is_dropped_is_told() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let ends: [fn(&Session); 2] = [|session| session.destroy().unwrap(), |session| session.invalidate().unwrap()];
    for (cart, end) in [(1, ends[0]), (1, ends[1]), (LARGE, ends[0]), (LARGE, ends[1])] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(cart));
        let request = browser.begin(&store);
        end(&request.session());
        site.events.take();
        drop(request);
        assert!(matches!(site.events.take().as_slice(), [Event::LogoutLost { .. }]));
        assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0);
    }
    // A request that was only read leaves nothing undone.
    let mut browser = site.browser();
    browser.put(&store, "cart", 1);
    let request = browser.begin(&store);
    assert!(!request.session().is_empty());
    site.events.take();
    drop(request);
    assert_eq!(site.events.take(), []);
}

#[test]
fn a_logout_whose_commit_failed_keeps_the_cookie_and_can_be_repeated() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    request.session().destroy().unwrap();
    site.records.go_down();
    let failed = request.try_commit().unwrap_err();
    assert_eq!((failed.status_code(), failed.commit.set_cookies.len()), (503, 0));
    site.records.come_up();
    assert!(removes_the_cookie(&browser.visit(&store, |session| session.destroy().unwrap()).1));
}

#[test]
fn a_logout_removes_cookies_that_could_not_be_opened() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let ahead = site.over(site.rotated()).build().unwrap();
    let mut unknown = site.browser();
    unknown.put(&ahead, "user", 42);
    let mut junk = site.browser();
    junk.plant(COOKIE, &"A".repeat(200));
    for end in [|session: &Session| session.destroy().unwrap(), |session: &Session| session.invalidate().unwrap()] {
        for (browser, reason) in [(&unknown, Reason::UnknownKey), (&junk, Reason::Malformed)] {
            let mut browser = browser.clone();
            site.events.take();
            let (_, response) = browser.visit(&store, end);
            assert!(removes_the_cookie(&response));
            assert_eq!(browser.cookie(), None);
            let events = site.events.take();
            assert!(events.contains(&Event::UnopenedRemoved), "{reason:?}: {events:?}");
        }
    }
    // Without a cookie there is nothing to remove.
    assert!(site.browser().visit(&store, |session| session.destroy().unwrap()).1.set_cookies.is_empty());
}

#[test]
fn a_logout_removes_the_cookies_of_earlier_attributes_too() {
    let site = Site::new();
    let earlier = CookieAttributes::new().name("__Secure-shop").path("/shop");
    let store = site.with_records().also_remove(earlier).build().unwrap();
    for end in [|session: &Session| session.destroy().unwrap(), |session: &Session| session.invalidate().unwrap()] {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        let (_, response) = browser.visit(&store, end);
        let lines = own_lines(&response);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("__Secure-shop=; Path=/shop;") && lines[0].contains("Max-Age=0"));
        assert!(lines[1].starts_with("__Host-session=;"), "our own line is last");
    }
}

#[test]
fn a_session_that_cannot_be_loaded_can_be_ended() {
    for on_failure in [StoreFailure::FailClosed, StoreFailure::Ephemeral] {
        let site = Site::new();
        let store = site.with_records().on_store_failure(on_failure).build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        browser.put(&store, "cart", text(LARGE));
        let backup = site.records.snapshot();
        site.clock.advance_seconds(5);
        browser.put(&store, "step", 1);
        // A store that has lost the last write.
        site.records.restore(backup);
        let copy = browser.clone();
        if on_failure == StoreFailure::FailClosed {
            assert!(matches!(browser.begin(&store).try_session(), Err(LoadError::Stale)));
        }
        let request = browser.begin(&store);
        assert!(request.0.end().unwrap().is_empty());
        let response = request.commit();
        assert!(removes_the_cookie(&response));
        browser.receive(&response);
        assert_eq!(browser.cookie(), None);
        let mut copy = copy;
        assert!(copy.visit(&store, Session::is_empty).0, "and it is over for a copy of its cookie");
    }
}

#[test]
fn what_is_ended_without_a_load_makes_room_for_a_login() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "user", 41);
        browser.put(&store, "cart", text(cart));
        let before = site.opened(&store, &browser).public_id();
        let mut copy = browser.clone();
        site.records.take_calls();
        let request = browser.begin(&store);
        let session = request.0.end().unwrap();
        assert!(site.records.take_calls().is_empty(), "no store call until commit");
        assert!(session.is_empty());
        session.put("user", &42).unwrap();
        browser.receive(&request.commit());
        assert_eq!(browser.get(&store, "user"), Some(42));
        assert_ne!(site.opened(&store, &browser).public_id(), before);
        assert!(!browser.visit(&store, |session| session.has("cart").unwrap()).0);
        if cart == LARGE {
            assert_eq!(copy.get(&store, "user"), None);
        }
    }
}

#[test]
fn an_end_without_a_load_over_a_store_that_is_down_keeps_the_cookie_for_a_retry() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    site.records.go_down();
    let request = browser.begin(&store);
    request.0.end().unwrap();
    let failed = request.try_commit().unwrap_err();
    assert_eq!((failed.status_code(), failed.commit.set_cookies.len()), (503, 0));
    site.records.come_up();
    assert_eq!(browser.get(&store, "user"), Some(42));
    let request = browser.begin(&store);
    request.0.end().unwrap();
    browser.receive(&request.commit());
    assert_eq!(browser.cookie(), None);
}

#[test]
fn an_end_of_a_session_that_was_loaded_is_as_invalidate() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let request = browser.begin(&store);
    let session = request.session();
    assert_eq!(session.get("user").unwrap(), Some(42));
    let ended = request.0.end().unwrap();
    assert!(ended.is_empty() && session.is_empty());
    assert!(removes_the_cookie(&request.commit()));
}

#[test]
fn an_end_that_is_dropped_is_told() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    request.0.end().unwrap();
    site.events.take();
    drop(request);
    assert!(matches!(site.events.take().as_slice(), [Event::LogoutLost { .. }]));
}

#[test]
fn an_old_reference_opens_nothing_after_a_logout_under_another_audience() {
    let site = Site::new();
    let before = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    browser.put(&before, "user", 42);
    let mut copy = browser.clone();
    let now = site.with_records().audience("shop/prod").also_read(COOKIE, "shop/test").build().unwrap();
    site.clock.advance_seconds(4000);
    assert_eq!(browser.get(&now, "user"), Some(42));
    browser.visit(&now, |session| session.destroy().unwrap());
    site.clock.advance_seconds(11);
    assert_eq!(copy.get(&now, "user"), None);
}

#[test]
fn reading_again_a_session_that_another_request_ended_says_that_it_is_gone() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    let request = browser.begin(&store);
    let session = request.session();
    browser.visit(&store, |session| session.destroy().unwrap());
    let error = block_on(session.reload()).unwrap_err();
    assert!(matches!(error, LoadError::Ended));
    assert_eq!(error.status_code(), 409);
}

#[test]
fn an_ephemeral_session_that_is_read_again_is_the_real_one_and_is_kept() {
    let site = Site::new();
    let store = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    site.records.go_down();
    let request = browser.begin(&store);
    let session = request.session();
    assert!(session.is_empty());
    site.records.come_up();
    block_on(session.reload()).unwrap();
    assert_eq!(session.get("user").unwrap(), Some(42));
    session.put("user", &43).unwrap();
    block_on(session.save()).unwrap();
    browser.receive(&request.commit());
    assert_eq!(browser.get(&store, "user"), Some(43));
}

#[test]
fn a_request_that_goes_in_the_middle_of_its_commit_is_told_as_if_it_had_none() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(LARGE));
    site.records.go_slow();
    let changes: [(crate::support::Handler, &str); 2] = [
        (|session| session.put("user", &1).unwrap(), "WritesDropped"),
        (|session| session.destroy().unwrap(), "LogoutLost"),
    ];
    for (change, told) in changes {
        let request = browser.begin(&store);
        change(&request.session());
        assert!(request.0.commit_now(&ResponseFacts::new(200)).is_err());
        site.events.take();
        drop(request);
        assert_eq!(site.events.take_names(), [told]);
    }
}

#[test]
fn the_second_try_of_a_logout_that_was_carried_out_removes_the_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for cart in [1, LARGE] {
        let mut browser = site.browser();
        browser.put(&store, "cart", text(cart));
        // Its answer is lost.
        let lost = browser.begin(&store);
        lost.session().destroy().unwrap();
        lost.commit();
        let (_, response) = browser.visit(&store, |session| session.destroy().unwrap());
        assert!(removes_the_cookie(&response), "{cart}");
        assert_eq!(browser.cookie(), None);
    }
}

#[test]
fn a_logout_of_an_ephemeral_session_ends_the_real_one_or_is_an_error() {
    let site = Site::new();
    let store = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let copy = browser.clone();
    // The store is back at commit.
    site.records.go_down();
    let request = browser.begin(&store);
    request.session().destroy().unwrap();
    site.records.come_up();
    let response = request.commit();
    assert!(removes_the_cookie(&response));
    assert_eq!(copy.clone().get(&store, "user"), None);
}
