//! Behaviour, section 2: how large a session is, what must not travel, and what is left out for want of room.

use sealed_session::events::Event;
use sealed_session::{CommitError, Placement, ResponseFacts, Session, SessionError, TooLarge};
use serde_json::{Value, json};

use crate::support::{LARGE, Site, line, text};

/// A form of 20 KB that comes back with an error.
fn post_large_form(session: &Session) {
    session.flash_input(&json!({ "subject": "Hello", "message": text(20_000) })).unwrap();
    session.flash_errors(&json!({ "email": "Give an address." })).unwrap();
    session.flash("notice", "Not sent.").unwrap();
}

#[test]
fn without_a_store_a_form_of_20_kb_loses_its_input_and_keeps_its_errors() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.visit(&store, post_large_form);
    browser.visit(&store, |session| {
        assert_eq!(session.errors("email"), ["Give an address."]);
        assert!(session.flash_messages().has("notice"));
        assert_eq!(session.old::<Value>("message").unwrap(), None);
        assert_eq!(session.old::<Value>("subject").unwrap(), None);
        assert_eq!(session.get("user").unwrap(), Some(42));
    });
}

#[test]
fn with_a_store_a_form_of_20_kb_keeps_input_and_errors() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, post_large_form);
    browser.visit(&store, |session| {
        assert_eq!(session.errors("email"), ["Give an address."]);
        assert_eq!(session.old::<String>("message").unwrap(), Some(text(20_000)));
    });
    // Used up: the session fits its cookie again.
    assert!(site.opened(&store, &browser).payload().is_some());
}

#[test]
fn input_that_was_left_out_is_told_between_the_new_id_and_the_commit() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    site.events.take();
    let request = browser.begin(&store);
    request.session().regenerate().unwrap();
    post_large_form(&request.session());
    request.commit_with(&ResponseFacts::new(422).cache_control(b"private"));
    assert_eq!(site.events.take_names(), ["Initiated", "Migrated", "OldInputDropped", "Committed"]);
}

#[test]
fn under_the_policy_fail_a_form_of_20_kb_is_a_500_and_the_old_cookie_stays() {
    let site = Site::new();
    let store = site.cookie_only().when_too_large(TooLarge::Fail).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let error = browser.visit_in_vain(&store, post_large_form);
    assert_eq!(error.status_code(), 500);
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn input_is_left_out_only_where_that_makes_the_session_fit() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("cart", &text(LARGE)).unwrap();
    session.flash_input(&json!({ "name": "Zoë" })).unwrap();
    let report = session.size_report();
    let CommitError::TooLarge { payload_bytes, largest_keys, .. } = request.try_commit().unwrap_err().error else {
        panic!("another error");
    };
    assert_eq!(payload_bytes, report.payload_bytes);
    assert_eq!(largest_keys, report.keys);
    assert!(!site.events.take_names().contains(&"OldInputDropped".to_owned()));
}

#[test]
fn old_input_that_nobody_has_read_yet_makes_room_as_well() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| session.flash_input(&json!({ "message": text(2000) })).unwrap());
    browser.visit(&store, |session| session.put("cart", &text(2000)).unwrap());
    browser.visit(&store, |session| {
        assert!(session.has("cart").unwrap());
        assert_eq!(session.old::<Value>("message").unwrap(), None);
    });
}

#[test]
fn the_remaining_bytes_are_exact() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    for surplus in [0, 1] {
        let request = site.browser().begin(&store);
        let session = request.session();
        session.put("name", "\"Zoë\"\n").unwrap();
        session.flash("notice", &[1, 2]).unwrap();
        session.put("filler", "").unwrap();
        let room = session.remaining_bytes();
        session.put("filler", &text(room)).unwrap();
        assert_eq!(session.remaining_bytes(), 0);
        session.put("filler", &text(room + surplus)).unwrap();
        assert_eq!(session.remaining_bytes(), 0);
        assert_eq!(request.try_commit().is_ok(), surplus == 0);
    }
}

#[test]
fn the_size_report_names_each_key_and_adds_up() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (report, _) = browser.visit(&store, |session| {
        session.put("cart", &text(100)).unwrap();
        session.put("user", &42).unwrap();
        session.flash("notice", "saved").unwrap();
        session.size_report()
    });
    let sealed = site.opened(&store, &browser);
    assert_eq!(report.keys[0], ("cart".to_owned(), r#""cart":"""#.len() + 100));
    assert_eq!(report.keys[1], ("~".to_owned(), r#""~":{"flash":{"notice":"saved"}}"#.len()));
    assert_eq!(report.keys[2], ("user".to_owned(), r#""user":42"#.len()));
    let braces_and_commas = 2 + report.keys.len() - 1;
    assert_eq!(report.payload_bytes, report.keys.iter().map(|(_, bytes)| bytes).sum::<usize>() + braces_and_commas);
    assert_eq!(report.cookie_max_bytes, store.sealer().payload_max_bytes());
    assert_eq!(sealed.payload().unwrap().len(), report.keys.len());
}

#[test]
fn an_empty_session_reports_its_two_braces() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (report, response) = site.browser().visit(&store, Session::size_report);
    assert_eq!((report.payload_bytes, report.keys.len()), (2, 0));
    assert!(response.set_cookies.is_empty());
}

#[test]
fn a_server_only_key_keeps_its_session_in_the_store_and_lets_it_back_when_it_goes() {
    for placement in [Placement::Spill, Placement::CookieOnly] {
        let site = Site::new();
        let store = site.with_records().placement(placement).build().unwrap();
        let mut browser = site.browser();
        browser.visit(&store, |session| {
            session.put("secret", "hunter2").unwrap();
            session.put("user", &42).unwrap();
            session.server_only("secret").unwrap();
        });
        assert!(site.opened(&store, &browser).payload().is_none(), "{placement:?}");

        // The mark survives rewriting by a request that knows nothing of it.
        browser.put(&store, "step", 1);
        browser.put(&store, "secret", "hunter3");
        assert!(site.opened(&store, &browser).payload().is_none(), "{placement:?}");

        browser.visit(&store, |session| session.forget("secret").unwrap());
        let payload = site.opened(&store, &browser).payload().unwrap();
        // The mark stays, for the next value of that key.
        let marks = json!({ "server_only": ["secret"] });
        assert_eq!(payload, *json!({ "step": 1, "user": 42, "~": marks }).as_object().unwrap());
        browser.put(&store, "secret", "hunter4");
        assert!(site.opened(&store, &browser).payload().is_none(), "{placement:?}");
    }
}

#[test]
fn a_key_may_be_marked_before_it_is_put_and_a_mark_alone_begins_no_session() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    let (_, response) = browser.visit(&store, |session| session.server_only("secret").unwrap());
    assert!(response.set_cookies.is_empty());
    browser.visit(&store, |session| {
        session.server_only("secret").unwrap();
        session.put("secret", "hunter2").unwrap();
    });
    assert!(site.opened(&store, &browser).payload().is_none());

    // In a session that is there, a mark is kept for a later request.
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.visit(&store, |session| session.server_only("secret").unwrap());
    browser.put(&store, "secret", "hunter2");
    assert!(site.opened(&store, &browser).payload().is_none());
}

#[test]
fn a_mark_holds_for_the_whole_request_also_over_invalidate_and_clear() {
    for anew in [Session::invalidate, Session::clear] {
        let site = Site::new();
        let store = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        browser.visit(&store, |session| {
            session.server_only("secret").unwrap();
            anew(session).unwrap();
            session.put("secret", "hunter2").unwrap();
        });
        assert!(site.opened(&store, &browser).payload().is_none());
    }
}

#[test]
fn marking_a_key_of_a_session_in_its_cookie_moves_it_to_the_store() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "secret", "hunter2");
    let (_, response) = browser.visit(&store, |session| session.server_only("secret").unwrap());
    assert_eq!(response.set_cookies.len(), 1);
    assert!(site.opened(&store, &browser).payload().is_none());
    assert!(site.events.take().iter().any(|event| matches!(event, Event::Spilled { .. })));
    let (_, response) = browser.visit(&store, |session| session.server_only("secret").unwrap());
    assert!(response.set_cookies.is_empty());
}

#[test]
fn without_a_store_a_server_only_key_is_an_error() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (refused, _) = site.browser().visit(&store, |session| session.server_only("secret"));
    assert!(matches!(refused, Err(SessionError::NoStore)));
}

#[test]
fn a_record_limit_beyond_the_default_holds_and_names_the_largest_keys() {
    let site = Site::new();
    let store = site.with_records().record_limit_bytes(2 << 20).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "cart", text(3 << 19));
    let error = browser.visit_in_vain(&store, |session| session.put("more", &text(1 << 20)).unwrap());
    let CommitError::TooLarge { payload_max_bytes, largest_keys, .. } = error else { panic!("another error") };
    assert_eq!(payload_max_bytes, 2 << 20);
    assert_eq!(largest_keys.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["cart", "more"]);
}

#[test]
fn a_session_that_fits_is_sent_on_a_line_within_its_limit() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let (_, response) = site.browser().visit(&store, |session| {
        session.put("filler", "").unwrap();
        session.put("filler", &text(session.remaining_bytes())).unwrap();
    });
    assert!(line(&response).len() <= 3072);
    assert!(site.records.snapshot().is_empty());
}
