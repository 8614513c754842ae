//! What must stay on the server is in no cookie, whatever the request and others do with the session: whether it must is asked of
//! what is written.

use pollster::block_on;
use sealed_session::{Session, SessionError, SessionManager};
use serde_json::json;

use super::{after, destroys, invalidates, later, regenerates, shows_the_secret};
use crate::browser::Browser;
use crate::support::{Handler, LARGE, Site, text};

/// A browser whose session has a secret that stays on the server.
fn marked(site: &Site, manager: &SessionManager) -> Browser {
    after(site, manager, |session| {
        session.put("user", &42).unwrap();
        session.server_only("secret").unwrap();
        session.put("secret", "old").unwrap();
    })
}

fn puts_the_secret(session: &Session) {
    session.put("secret", "SECRET").unwrap();
}

fn clears(session: &Session) {
    session.clear().unwrap();
}

fn grows(session: &Session) {
    session.put("photo", &text(LARGE)).unwrap();
}

#[test]
fn a_secret_is_in_no_cookie_of_a_login_that_begins_anew() {
    for meanwhile in [destroys, invalidates, regenerates, clears] {
        for pause_seconds in [1, 20] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let mut browser = marked(&site, &manager);
            let login = browser.begin(&manager);
            puts_the_secret(&login.session());
            regenerates(&login.session());
            browser.visit(&manager, meanwhile);
            site.clock.advance_seconds(pause_seconds);
            if let Ok(response) = login.try_commit() {
                assert!(!shows_the_secret(&site, &manager, &response));
            }
        }
    }
}

#[test]
fn a_secret_is_in_no_cookie_after_its_session_was_emptied_or_ended() {
    let acts: [Handler; 4] = [
        invalidates,
        clears,
        |session| session.replace(&json!({ "user": 42 })).unwrap(),
        |session| session.forget("secret").unwrap(),
    ];
    for act in acts {
        for saves in [false, true] {
            let site = Site::new();
            let manager = site.with_records().build().unwrap();
            let (_, response) = marked(&site, &manager).visit(&manager, |session| {
                act(session);
                if saves {
                    block_on(session.save()).unwrap();
                }
                puts_the_secret(session);
            });
            assert!(!shows_the_secret(&site, &manager, &response), "saves: {saves}");
        }
    }
}

#[test]
fn a_secret_is_in_no_cookie_although_another_request_has_emptied_the_session() {
    let meanwhile: [Handler; 3] = [
        clears,
        |session| session.replace(&json!({ "user": 42 })).unwrap(),
        |session| session.forget("secret").unwrap(),
    ];
    for act in meanwhile {
        let site = Site::new();
        let manager = site.with_records().build().unwrap();
        let mut browser = marked(&site, &manager);
        let request = browser.begin(&manager);
        puts_the_secret(&request.session());
        browser.visit(&manager, |session| {
            act(session);
            grows(session);
        });
        later(&site);
        let Ok(response) = request.try_commit() else { continue };
        assert!(!shows_the_secret(&site, &manager, &response));
        browser.receive(&response);
        later(&site);
        // Nothing else keeps the session in its record.
        let (_, response) = browser.visit(&manager, |session| session.forget("photo").unwrap());
        assert!(!shows_the_secret(&site, &manager, &response));
    }
}

/// It may open a session that a server with a store has marked.
#[test]
fn a_server_without_a_store_refuses_a_secret_and_keeps_nothing_of_the_call() {
    type Write = fn(&Session) -> Result<(), SessionError>;
    let writes: [Write; 5] = [
        |session| session.put("secret", "SECRET"),
        |session| session.push("secret", "SECRET"),
        |session| session.merge(&json!({ "secret": "SECRET", "step": 1 })),
        |session| session.replace(&json!({ "secret": "SECRET", "step": 1 })),
        |session| session.put("secret.of", "SECRET"),
    ];
    for write in writes {
        let site = Site::new();
        let (manager, alone) = (site.with_records().build().unwrap(), site.cookie_only().build().unwrap());
        let mut browser = marked(&site, &manager);
        browser.visit(&manager, |session| session.forget("secret").unwrap());
        later(&site);
        let request = browser.begin(&alone);
        let session = request.session();
        assert!(matches!(write(&session), Err(SessionError::NoStore)));
        assert_eq!(session.all().keys().collect::<Vec<_>>(), ["user"]);
        // Another write is taken.
        session.put("step", &2).unwrap();
        let response = request.commit();
        assert!(!shows_the_secret(&site, &alone, &response));
        browser.receive(&response);
        assert_eq!((browser.get(&alone, "user"), browser.get(&manager, "step")), (Some(42), Some(2)));
    }
}
