//! What a request may still write after a conflict, after it is over, and when its changes are made again.

use pollster::block_on;
use sealed_session::{CommitError, FailedCommit, Placement, Session};

use super::{after, with_store};
use crate::support::Site;

type Change = fn(&Session);

/// Changes that do not fit a session that is gone: a value that was taken out, and one through an array's element.
const BOUND: [Change; 2] =
    [|session| assert_eq!(session.pull::<u64>("otp").unwrap(), Some(1)), |session| session.put("list.0", &9).unwrap()];

#[test]
fn a_login_that_was_a_conflict_after_a_logout_is_one_however_often_it_is_tried() {
    let ends: [Change; 4] = [
        |session| session.destroy().unwrap(),
        |session| session.invalidate().unwrap(),
        |session| session.clear().unwrap(),
        |session| ["otp", "user", "list"].map(|key| session.forget(key).unwrap()).iter().for_each(drop),
    ];
    let site = Site::new();
    for manager in with_store(&site) {
        for (end, change) in ends.into_iter().flat_map(|end| BOUND.map(|change| (end, change))) {
            for saves in [0, 1, 2] {
                let mut browser = after(&site, &manager, |session| {
                    session.put("otp", &1).unwrap();
                    session.put("list", &[1]).unwrap();
                    session.put("user", &42).unwrap();
                    session.put("cart", &"x".repeat(4000)).unwrap();
                });
                let (logout, login) = (browser.begin(&manager), browser.begin(&manager));
                let session = login.session();
                session.regenerate().unwrap();
                change(&session);
                end(&logout.session());
                logout.session().forget("cart").ok();
                browser.receive(&logout.commit());
                for _ in 0..saves {
                    assert!(matches!(block_on(session.save()), Err(CommitError::Conflict)));
                }
                for _ in 0..3 {
                    let failed = login.try_commit().unwrap_err();
                    assert!(matches!(failed, FailedCommit { error: CommitError::Conflict, .. }), "{failed}");
                    browser.receive(&failed.commit);
                }
                assert_eq!(browser.get(&manager, "user"), None);
            }
        }
    }
}

#[test]
fn another_id_and_a_first_token_are_lost_with_their_request_and_a_save_says_so() {
    let site = Site::new();
    let ways: [fn(&Session); 3] = [
        |session| session.regenerate().unwrap(),
        |session| session.regenerate_and_reset_lifetime().unwrap(),
        |session| drop(session.csrf_token().unwrap()),
    ];
    for manager in with_store(&site).into_iter().chain([site.cookie_only().build().unwrap()]) {
        for (number, way) in ways.into_iter().enumerate() {
            let is_token = number == 2;
            let browser =
                if is_token { site.browser() } else { after(&site, &manager, |s| s.put("user", &42).unwrap()) };
            let request = browser.begin(&manager);
            let session = request.session();
            way(&session);
            site.events.take();
            drop(request);
            assert_eq!(site.events.take_names(), ["WritesDropped"]);
            assert!(matches!(block_on(session.save()), Err(CommitError::Abandoned)));
        }
    }
}

#[test]
fn what_clears_a_session_clears_the_messages_that_another_request_has_kept() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    for writes_after in [false, true] {
        let mut browser = after(&site, &manager, |session| {
            session.put("k", &1).unwrap();
            session.flash("secret", "for the user before").unwrap();
        });
        let (other, clears) = (browser.begin(&manager), browser.begin(&manager));
        other.session().put("other", &1).unwrap();
        let session = clears.session();
        session.clear().unwrap();
        if writes_after {
            session.put("fresh", &1).unwrap();
        }
        let _ = other.commit();
        browser.receive(&clears.commit());
        assert_eq!(browser.cookie().is_some(), writes_after);
        browser.visit(&manager, |session| {
            assert!(session.flash_messages().is_empty());
            assert_eq!(session.all().len(), usize::from(writes_after));
        });
    }
}

#[test]
fn a_value_that_was_put_as_it_was_is_put_again_over_what_another_request_wrote() {
    let site = Site::new();
    let manager = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("theme", "light").unwrap());
    let (first, second) = (browser.begin(&manager), browser.begin(&manager));
    first.session().put("theme", "dark").unwrap();
    second.session().put("theme", "light").unwrap();
    second.session().put("by", &2).unwrap();
    let _ = first.commit();
    browser.receive(&second.commit());
    browser.visit(&manager, |session| assert_eq!(session.get("theme").unwrap(), Some("light".to_owned())));
}

#[test]
fn a_session_without_anything_to_keep_has_no_id_and_nothing_to_save() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = after(&site, &manager, |session| session.put("user", &42).unwrap());
    browser.visit(&manager, |session| {
        session.invalidate().unwrap();
        assert_eq!(session.id(), None);
    });
    site.browser().visit(&manager, |session| {
        session.put("a", &1).unwrap();
        session.forget("a").unwrap();
        assert_eq!((session.id(), session.is_dirty()), (None, false));
    });
}
