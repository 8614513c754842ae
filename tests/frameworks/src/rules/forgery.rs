//! Requests that another site's page sends in a user's name.

use crate::{Answer, Client, Differences, Site};

/// Somebody who is logged in, and the token of their forms.
fn visitor(site: &Site) -> (Client, String) {
    let client = site.logged_in("zoe");
    let token = client.open("/").csrf_token().unwrap().to_owned();
    (client, token)
}

fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (403, ""), "{answer:?}");
}

pub fn a_post_of_another_sites_page_is_refused_also_with_a_good_token(site: &Site, _: Differences) {
    let (client, token) = visitor(site);
    let fields = [("bytes", "7"), ("_csrf", &token)];
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        assert_refused(&client.send_with(&[(name, value)], "/cart", &fields));
    }
    assert_eq!(client.open("/").element("cart"), Some("0"));
    assert_eq!(client.send_with(&[("Sec-Fetch-Site", "same-origin")], "/cart", &fields).status, 303);
    assert_eq!(client.open("/").element("cart"), Some("7"));
}

pub fn a_form_of_our_own_page_still_needs_its_token(site: &Site, _: Differences) {
    let (client, _) = visitor(site);
    assert_refused(&client.send_with(&[("Sec-Fetch-Site", "same-origin")], "/cart", &[("bytes", "7")]));
    assert_eq!(client.open("/").element("cart"), Some("0"));
}

pub fn a_token_in_a_header_decides_in_place_of_the_forms_field(site: &Site, _: Differences) {
    let (client, token) = visitor(site);
    let others = site.logged_in("eve").open("/").csrf_token().unwrap().to_owned();
    for (number, name) in ["X-CSRF-Token", "X-XSRF-TOKEN"].into_iter().enumerate() {
        let refused = client.send_with(&[(name, &others)], "/cart", &[("bytes", "7"), ("_csrf", &token)]);
        assert_refused(&refused);
        // Another site's page cannot send the header, so what the browser says of the page is not asked.
        let bytes = number.to_string();
        let headers = [(name, token.as_str()), ("Sec-Fetch-Site", "same-site")];
        assert_eq!(client.send_with(&headers, "/cart", &[("bytes", &bytes)]).status, 303, "{name}");
        assert_eq!(client.open("/").element("cart"), Some(bytes.as_str()));
    }
}
