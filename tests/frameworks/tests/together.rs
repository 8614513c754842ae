//! A cookie that was sealed behind one framework opens behind every other: servers of several frameworks may stand behind one
//! name, and an application may change its framework without logging anybody out.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use sealed_session_framework_tests::servers::{self, Serve};
use sealed_session_framework_tests::{Client, SharedParts, Site};

/// The server of each framework.
const FRAMEWORKS: &[(&str, Serve)] = &[
    ("axum", servers::axum::serve),
    ("actix-web", servers::actix_web::serve),
    ("rocket", servers::rocket::serve),
    ("poem", servers::poem::serve),
    ("hyper", servers::hyper::serve),
    ("text", servers::text::serve),
];

/// Beyond what a cookie takes.
const OVERFLOWING_BYTES: usize = 10_000;

/// Each framework's server, all over the same keys, clock and server store.
fn sites() -> Vec<(&'static str, Site)> {
    let parts = SharedParts::new();
    FRAMEWORKS.iter().map(|(name, serve)| (*name, Site::over(parts.clone(), *serve))).collect()
}

/// Every two of them that differ, in both orders.
fn pairs<'a>(sites: &'a [(&str, Site)]) -> impl Iterator<Item = (String, &'a Site, &'a Site)> {
    let of_one = move |(first, one): &'a (&'a str, Site)| {
        let others = sites.iter().filter(move |(second, _)| first != second);
        others.map(move |(second, other)| (format!("from {first} to {second}"), one, other))
    };
    sites.iter().flat_map(of_one)
}

/// The same browser at another server.
fn moved(client: &Client, site: &Site) -> Client {
    let moved = site.client();
    moved.plant(&client.cookie().unwrap());
    moved
}

fn cart(client: &Client) -> Option<usize> {
    client.open("/").element("cart").map(|bytes| bytes.parse().unwrap())
}

#[test]
fn a_session_of_one_is_read_and_written_behind_every_other() {
    for (way, one, other) in pairs(&sites()) {
        for cart_bytes in [5, OVERFLOWING_BYTES] {
            let client = one.logged_in("zoe");
            client.fill_cart(cart_bytes);
            let client = moved(&client, other);
            assert_eq!((client.name().as_deref(), cart(&client)), (Some("zoe"), Some(cart_bytes)), "{way}");

            // And back, with what the other wrote.
            client.fill_cart(cart_bytes + 1);
            let client = moved(&client, one);
            assert_eq!((client.name().as_deref(), cart(&client)), (Some("zoe"), Some(cart_bytes + 1)), "{way}");
        }
    }
}

#[test]
fn one_session_goes_around_all_of_them() {
    let sites = sites();
    let (_, first) = sites.first().unwrap();
    let mut client = first.logged_in("zoe");
    for (count, (name, site)) in (1..).zip(&sites) {
        client = moved(&client, site);
        let home = client.open("/");
        assert_eq!(home.element("visits").map(str::to_owned), Some(format!("{count}")), "{name}");
        // What the login left is shown by the first that is asked, and by no other.
        assert_eq!(home.element("message").is_some(), count == 1, "{name}");
    }
}

#[test]
fn a_csrf_token_of_one_is_taken_by_every_other() {
    for (way, one, other) in pairs(&sites()) {
        for cart_bytes in [0, OVERFLOWING_BYTES] {
            let client = one.logged_in("zoe");
            client.fill_cart(cart_bytes);
            let page = client.open("/");
            let client = moved(&client, other);
            let sent = client.send("/cart", &[("bytes", "7"), ("_csrf", page.csrf_token().unwrap())]);
            assert_eq!((sent.status, cart(&client)), (303, Some(7)), "{way}");

            let others = one.logged_in("eve").open("/");
            let sent = client.send("/cart", &[("bytes", "8"), ("_csrf", others.csrf_token().unwrap())]);
            assert_eq!((sent.status, cart(&client)), (403, Some(7)), "{way}");
        }
    }
}

#[test]
fn a_logout_behind_one_holds_behind_all() {
    let sites = sites();
    for (name, one) in &sites {
        let client = one.logged_in("zoe");
        client.fill_cart(OVERFLOWING_BYTES);
        let before = sites.iter().map(|(_, site)| moved(&client, site)).collect::<Vec<_>>();
        for copy in &before {
            assert_eq!(copy.name().as_deref(), Some("zoe"), "{name}");
        }
        assert_eq!(client.fill_in("/", "/logout", &[]).status, 303, "{name}");
        for (copy, (other, _)) in before.iter().zip(&sites) {
            assert_eq!(copy.name(), None, "from {name} to {other}");
        }
    }
}

#[test]
fn a_cookie_that_one_resealed_opens_behind_every_other() {
    let sites = sites();
    let clients = sites.iter().map(|(_, site)| site.logged_in("zoe")).collect::<Vec<_>>();
    let (_, any) = sites.first().unwrap();
    any.parts.rotate();
    for (client, (name, resealing)) in clients.iter().zip(sites.iter().cycle().skip(1)) {
        let client = moved(client, resealing);
        assert_eq!(client.open("/prices").values("set-cookie").len(), 1, "{name}");
        for (other, site) in &sites {
            let client = moved(&client, site);
            let prices = client.open("/prices");
            assert_eq!(prices.element("name"), Some("zoe"), "from {name} to {other}");
            assert_eq!(prices.values("set-cookie"), [""; 0], "from {name} to {other}");
        }
    }
}
