//! What a client may send.

use crate::client::COOKIE;
use crate::{Answer, Client, CookieBytes, Differences, Site};

/// The name on the home page of a client who sends these fields and nothing else.
fn name_with(site: &Site, fields: &[&[u8]]) -> Option<String> {
    let answer = site.client().open_with_cookies("/prices", fields);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.element("name").map(str::to_owned).filter(|name| name != "guest")
}

fn pair(client: &Client) -> String {
    format!("{COOKIE}={}", client.cookie().unwrap())
}

pub fn a_form_without_the_sessions_token_is_refused(site: &Site, _: Differences) {
    let client = site.logged_in("zoe");
    let others = site.logged_in("eve").open("/").csrf_token().unwrap().to_owned();
    let before = client.cookie();
    let attempts: [&[(&str, &str)]; 3] = [&[], &[("_csrf", "")], &[("_csrf", &others)]];
    for token in attempts {
        let refused = client.send("/cart", &[&[("bytes", "7")], token].concat());
        let Answer { status, text, .. } = &refused;
        assert_eq!((*status, text.as_str(), client.cookie() == before), (403, "", true), "{refused:?}");
    }
    assert_eq!(client.open("/").element("cart"), Some("0"));
    client.fill_cart(7);
    assert_eq!(client.open("/").element("cart"), Some("7"));
}

pub fn a_tampered_cookie_is_a_guests(site: &Site, _: Differences) {
    let cookie = site.logged_in("zoe").cookie().unwrap();
    for position in [0, 5, 20, cookie.len() / 2, cookie.len() - 1] {
        let other = if cookie.as_bytes()[position] == b'A' { "B" } else { "A" };
        let tampered = [&cookie[..position], other, &cookie[position + 1..]].concat();
        assert_eq!(name_with(site, &[format!("{COOKIE}={tampered}").as_bytes()]), None, "{position}");
    }
    assert_eq!(name_with(site, &[format!("{COOKIE}={cookie}").as_bytes()]).as_deref(), Some("zoe"));
}

pub fn a_planted_duplicate_does_not_hide_the_session(site: &Site, _: Differences) {
    let pair = pair(&site.logged_in("zoe"));
    for field in [format!("{COOKIE}=evil; {pair}"), format!("{pair}; {COOKIE}=evil"), format!("{COOKIE}=; {pair}")] {
        assert_eq!(name_with(site, &[field.as_bytes()]).as_deref(), Some("zoe"), "{field}");
    }
}

pub fn cookie_headers_may_be_split(site: &Site, _: Differences) {
    let pair = pair(&site.logged_in("zoe"));
    assert_eq!(name_with(site, &[b"theme=dark", pair.as_bytes()]).as_deref(), Some("zoe"));
    assert_eq!(name_with(site, &[pair.as_bytes(), b"theme=dark"]).as_deref(), Some("zoe"));
}

pub fn a_neighbours_bytes_do_not_hide_the_session(site: &Site, differences: Differences) {
    let pair = pair(&site.logged_in("zoe"));
    for neighbour in ["name=café; ", "name=%ff%zz; ", "=; ;; a; ", "\"quoted\"=\"x\"; "] {
        let field = [neighbour, &pair].concat();
        assert_eq!(name_with(site, &[field.as_bytes()]).as_deref(), Some("zoe"), "{field}");
    }
    let latin_1 = [b"name=caf\xe9; ", pair.as_bytes()].concat();
    match differences.cookie_bytes {
        CookieBytes::Any => assert_eq!(name_with(site, &[&latin_1]).as_deref(), Some("zoe")),
        CookieBytes::Utf8 => {
            let answer = site.client().open_with_cookies("/prices", &[&latin_1]);
            assert_eq!((answer.status, answer.element("name")), (200, Some("guest")), "{answer:?}");
            assert_eq!(answer.values("set-cookie"), [""; 0]);
            // In a field of its own, as HTTP/2 may send it, the neighbour hides nobody.
            assert_eq!(name_with(site, &[b"name=caf\xe9", pair.as_bytes()]).as_deref(), Some("zoe"));
            assert_eq!(name_with(site, &[pair.as_bytes()]).as_deref(), Some("zoe"));
        }
    }
}
