//! Behaviour, section 5: tokens through the session's own calls.

use sealed_session::csrf::CsrfError;

use crate::support::Site;

#[test]
fn each_call_gives_another_text_and_all_of_them_verify_in_later_requests() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (mut tokens, _) =
        browser.visit(&store, |session| [session.csrf_token().unwrap(), session.csrf_token().unwrap()]);
    browser.visit(&store, |session| {
        for token in &tokens {
            assert_eq!(session.verify_csrf(Some(token)), Ok(()));
        }
    });
    tokens.sort();
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn what_is_wrong_with_a_token_is_told_and_each_is_a_403() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    let (missing, _) = browser.visit(&store, |session| session.verify_csrf(None));
    let (no_session, _) = site.browser().visit(&store, |session| session.verify_csrf(Some(&token)));
    let mut other = site.browser();
    other.put(&store, "user", 42);
    let (of_another, _) = other.visit(&store, |session| session.verify_csrf(Some(&token)));
    let (no_token, _) = browser.visit(&store, |session| session.verify_csrf(Some("")));
    let told = [missing, no_session, of_another, no_token].map(Result::unwrap_err);
    assert_eq!(told, [CsrfError::Missing, CsrfError::NoSession, CsrfError::Mismatch, CsrfError::Mismatch]);
    assert!(told.iter().all(|error| error.status_code() == 403));
}

#[test]
fn a_token_of_one_form_verifies_for_this_form_alone() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let (request, scope) = (site.browser().begin(&store), "POST /transfer");
    let session = request.session();
    let (scoped, whole) = (session.csrf_token_for(scope).unwrap(), session.csrf_token().unwrap());
    assert_eq!(session.verify_csrf_for(scope, Some(&scoped)), Ok(()));
    assert_eq!(session.verify_csrf_for("POST /delete", Some(&scoped)), Err(CsrfError::Mismatch));
    assert_eq!(session.verify_csrf(Some(&scoped)), Err(CsrfError::Mismatch));
    assert_eq!(session.verify_csrf_for(scope, Some(&whole)), Err(CsrfError::Mismatch));
}

#[test]
fn tokens_die_with_login_and_logout() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let ways: [fn(&sealed_session::Session); 3] = [
        |session| session.regenerate_and_reset_lifetime().unwrap(),
        |session| session.destroy().unwrap(),
        |session| {
            session.invalidate().unwrap();
            session.flash("farewell", "bye").unwrap();
        },
    ];
    for way in ways {
        let mut browser = site.browser();
        let (token, _) = browser.visit(&store, |session| {
            session.put("user", &42).unwrap();
            session.csrf_token().unwrap()
        });
        browser.visit(&store, way);
        assert!(browser.visit(&store, |session| session.verify_csrf(Some(&token))).0.is_err());
    }
}

#[test]
fn a_destroyed_session_makes_no_token() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    request.session().destroy().unwrap();
    assert!(request.session().csrf_token().is_err());
}
