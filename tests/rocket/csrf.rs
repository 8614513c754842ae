//! Behaviour, section 5: what another site sends in a user's name never reaches a route.

use rocket::http::{Method, Status};
use sealed_session::adapter::rocket::CsrfFairing;
use sealed_session::cookie::CookieAttributes;

use crate::csrf_site::{Administration, OURS, assert_refused, guard, on_a_server, post_with, send, site};
use crate::support::{answer, text, values};

#[test]
fn what_another_site_sends_is_refused_and_never_reaches_the_handler() {
    let browser = site();
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "null"),
        ("Origin", "https://evil.example"),
        ("Content-Type", "application/json"),
    ] {
        let response = post_with(&browser, &[header]);
        assert_eq!(values(&response, "Set-Cookie"), [""; 0], "{header:?}");
        assert_refused(response, 403);
    }
    assert_refused(post_with(&browser, &[]), 403);
    assert_eq!(text(&browser, "/transfers"), "0");
}

#[test]
fn what_our_own_pages_send_passes() {
    let browser = site();
    let token = text(&browser, "/token");
    let proofs = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
        ("Origin", OURS),
        ("X-CSRF-Token", token.as_str()),
        ("X-XSRF-TOKEN", token.as_str()),
        // Verified by the handler.
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    for (number, header) in proofs.into_iter().enumerate() {
        let expected = format!("transfer {}", number + 1);
        assert_eq!(answer(post_with(&browser, &[header])), (200, expected), "{header:?}");
    }
}

#[test]
fn a_safe_method_passes_whatever_its_headers_say() {
    let browser = site();
    let forged = [("Sec-Fetch-Site", "cross-site"), ("X-CSRF-Token", "junk")];
    assert_eq!(answer(send(&browser, Method::Get, "/page", &forged)), (200, "page".to_owned()));
    assert_eq!(answer(send(&browser, Method::Head, "/page", &forged)), (200, String::new()));
}

#[test]
fn a_wrong_token_is_refused_whatever_the_browser_says() {
    let browser = site();
    let token = text(&browser, "/token");
    let of_another_session = text(&site(), "/token");
    for wrong in ["", "x", "\u{eb}", of_another_session.as_str(), &token[1..]] {
        assert_refused(post_with(&browser, &[("X-CSRF-Token", wrong), ("Sec-Fetch-Site", "same-origin")]), 403);
    }
    assert_refused(post_with(&browser, &[("X-CSRF-Token", "wrong"), ("X-XSRF-TOKEN", &token)]), 403);
    // The first of several equal fields.
    assert_refused(post_with(&browser, &[("X-CSRF-Token", "wrong"), ("X-CSRF-Token", &token)]), 403);
    assert_refused(post_with(&browser, &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none")]), 403);
    assert_eq!(text(&browser, "/transfers"), "0");
}

#[test]
fn a_token_of_one_form_is_none_of_the_whole_session() {
    let browser = site();
    let token = text(&browser, "/transfer-token");
    assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 403);
}

#[test]
fn a_token_dies_with_login_and_with_logout() {
    for end in ["/login", "/logout"] {
        let browser = site();
        let token = text(&browser, "/token");
        assert_eq!(send(&browser, Method::Post, end, &[("X-CSRF-Token", &token)]).status(), Status::Ok);
        assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 403);
    }
}

#[test]
fn a_websocket_is_opened_by_our_own_pages_alone() {
    let browser = site();
    for (method, body) in [(Method::Get, "live"), (Method::Head, "")] {
        let open = |header| send(&browser, method, "/live", &[("Upgrade", "h2c"), ("Upgrade", "WebSocket"), header]);
        assert_eq!(answer(open(("Origin", OURS))), (200, body.to_owned()));
        assert_refused(open(("Origin", "https://evil.example")), 403);
        assert_refused(open(("Sec-Fetch-Site", "cross-site")), 403);
        assert_refused(open(("X-Other", "")), 403);
    }
}

#[test]
fn a_store_that_is_down_is_an_empty_503_for_a_token() {
    let (browser, records, token) = on_a_server();
    records.go_down();
    assert_refused(post_with(&browser, &[("X-CSRF-Token", &token)]), 503);
    // What needs no token needs no store.
    assert_eq!(answer(send(&browser, Method::Put, "/item", &[("Sec-Fetch-Site", "none")])), (200, "put".to_owned()));
    records.come_up();
    assert_eq!(answer(post_with(&browser, &[("X-CSRF-Token", &token)])), (200, "transfer 2".to_owned()));
}

#[test]
fn an_origin_that_no_browser_sends_is_refused_with_the_mend() {
    assert_eq!(CsrfFairing::new().origin("https://Example.com").unwrap_err().setting(), "origin");
    let attributes = CookieAttributes::new().name("");
    assert!(CsrfFairing::default().readable_cookie(Some(attributes)).is_err());
}

#[test]
fn the_debug_form_of_a_guard_has_its_origins() {
    let shown = format!("{:?}", guard().marked::<Administration>());
    assert!(shown.contains(OURS) && shown.contains("Administration"), "{shown}");
}
