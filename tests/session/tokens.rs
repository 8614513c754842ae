//! Behaviour, section 5, and wire format, section 8: CSRF tokens.

use sealed_session::Key;
use sealed_session::csrf::CsrfError;

use crate::support::{LARGE, Site, text};

#[test]
fn each_token_is_another_text_and_all_of_them_verify() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    let (tokens, _) = browser.visit(&store, |session| [(); 3].map(|()| session.csrf_token().unwrap()));
    assert!(tokens.iter().all(|token| token.len() == 55));
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2] && tokens[0] != tokens[2]);
    // The session grows, shrinks and lives on; its tokens do too.
    for cart in [1, LARGE, 1] {
        browser.put(&store, "cart", text(cart));
        browser.visit(&store, |session| {
            assert!(tokens.iter().all(|token| session.verify_csrf(Some(token)).is_ok()));
        });
    }
}

#[test]
fn a_token_verifies_for_its_scope_alone() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    site.browser().visit(&store, |session| {
        let whole = session.csrf_token().unwrap();
        let transfer = session.csrf_token_for("POST /transfer").unwrap();
        assert_eq!(session.verify_csrf_for("POST /transfer", Some(&transfer)), Ok(()));
        assert_eq!(session.verify_csrf(Some(&whole)), Ok(()));
        for (scope, token) in [("", &transfer), ("POST /transfer", &whole), ("POST /other", &transfer)] {
            assert_eq!(session.verify_csrf_for(scope, Some(token)), Err(CsrfError::Mismatch));
        }
    });
}

#[test]
fn a_missing_token_a_missing_session_and_a_wrong_token_are_told_apart() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    browser.visit(&store, |session| {
        assert_eq!(session.verify_csrf(None), Err(CsrfError::Missing));
        for wrong in ["", "x", &token[1..], &format!("{token}="), &token.to_lowercase()] {
            assert_eq!(session.verify_csrf(Some(wrong)), Err(CsrfError::Mismatch));
        }
    });
    site.browser().visit(&store, |session| {
        assert_eq!(session.verify_csrf(Some(&token)), Err(CsrfError::NoSession));
        assert_eq!(session.verify_csrf(None), Err(CsrfError::Missing));
    });
}

#[test]
fn a_token_of_another_session_audience_or_key_is_a_mismatch() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let others = [
        site.cookie_only().build().unwrap(),
        site.cookie_only().audience("shop/staging").build().unwrap(),
        site.over(Key::generate().unwrap()).build().unwrap(),
    ];
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    for other in others {
        let (token, _) = site.browser().visit(&other, |session| session.csrf_token().unwrap());
        let (verified, _) = browser.visit(&store, |session| session.verify_csrf(Some(&token)));
        assert_eq!(verified, Err(CsrfError::Mismatch));
    }
}

#[test]
fn no_token_is_made_for_a_response_that_is_on_its_way() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    request.commit();
    assert!(session.csrf_token().is_err());
}

#[test]
fn after_destroy_the_session_has_no_id_and_no_token_of_it_verifies() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let (token, _) = browser.visit(&store, |session| session.csrf_token().unwrap());
    browser.visit(&store, |session| {
        session.destroy().unwrap();
        assert_eq!(session.verify_csrf(Some(&token)), Err(sealed_session::csrf::CsrfError::NoSession));
        assert_eq!(session.id(), None);
    });
}
