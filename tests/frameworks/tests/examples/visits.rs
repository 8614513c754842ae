//! A visit to each example. It is a program of its own, which tells its port on standard output.

use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::process::Command;

use sealed_session::Key;
use sealed_session_framework_tests::{Answer, Client};
use sealed_session_test_programs::{Server, example};

/// An example that runs, under keys that it makes or is given.
struct Example {
    server: Server,
}

impl Example {
    fn start(name: &str, keys: Option<&str>) -> Self {
        let mut command = Command::new(example(name));
        // The framework's own variable, and that of the others.
        command.env("PORT", "0").env("ROCKET_PORT", "0").env_remove("SESSION_KEYS");
        command.envs(keys.map(|keys| ("SESSION_KEYS", keys)));
        let marker =
            if name == "rocket" { "launched from http://127.0.0.1:" } else { "Listening on http://localhost:" };
        Self { server: Server::start(&mut command, &[marker]) }
    }

    fn client(&self) -> Client {
        Client::new("localhost", SocketAddr::from(([127, 0, 0, 1], self.server.port(0))))
    }

    fn logged_in(&self, name: &str) -> Client {
        let client = self.client();
        assert_sent(&client.fill_in("/", "/login", &[("name", name)]));
        client
    }

    /// A browser that has this session.
    fn client_with(&self, cookie: &str) -> Client {
        let client = self.client();
        client.plant(cookie);
        client
    }
}

fn assert_sent(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
}

/// Who the page greets, and how often it was opened.
fn home(client: &Client) -> (String, u64) {
    let answer = client.open("/");
    assert_eq!(answer.status, 200, "{answer:?}");
    let element = |id| answer.element(id).unwrap_or_else(|| panic!("no {id} in {answer:?}"));
    (element("name").to_owned(), element("visits").parse().unwrap())
}

fn of(name: &str, visits: u64) -> (String, u64) {
    (name.to_owned(), visits)
}

fn visits_are_counted_for_each_browser(name: &str) {
    let example = Example::start(name, None);
    let client = example.client();
    assert_eq!([home(&client), home(&client)], [of("guest", 1), of("guest", 2)]);
    assert_eq!(home(&example.client()), of("guest", 1));
}

fn a_login_greets_and_a_logout_forgets(name: &str) {
    let example = Example::start(name, None);
    let client = example.logged_in("zoe");
    assert_eq!([home(&client), home(&client)], [of("zoe", 2), of("zoe", 3)]);
    assert_sent(&client.fill_in("/", "/logout", &[]));
    assert_eq!(home(&client), of("guest", 1));
}

fn a_login_makes_another_session_of_the_guests(name: &str) {
    let example = Example::start(name, None);
    let client = example.client();
    let page = client.open("/");
    let guests = [("_csrf", page.csrf_token().unwrap())];
    assert_sent(&client.send("/login", &[&[("name", "zoe")], &guests[..]].concat()));
    // Whoever planted the guest's session knows the token of its forms, and none of the user's.
    assert_eq!((client.send("/logout", &guests).status, home(&client)), (403, of("zoe", 2)));
}

fn a_form_without_the_sessions_token_is_refused(name: &str) {
    let example = Example::start(name, None);
    let others = example.client().open("/").csrf_token().unwrap().to_owned();
    let tokens: [&[(&str, &str)]; 3] = [&[], &[("_csrf", "")], &[("_csrf", &others)]];
    for token in tokens {
        let guest = example.client();
        assert_eq!(home(&guest), of("guest", 1));
        let refused = guest.send("/login", &[&[("name", "zoe")], token].concat());
        assert_eq!((refused.status, home(&guest)), (403, of("guest", 2)), "{refused:?}");

        let user = example.logged_in("zoe");
        assert_eq!((user.send("/logout", token).status, home(&user)), (403, of("zoe", 2)));
    }
}

fn a_name_is_text_in_the_page(name: &str) {
    let example = Example::start(name, None);
    let client = example.logged_in("%3Ci%3E%26amp%3B");
    assert_eq!(home(&client).0, "&lt;i>&amp;amp;");
}

fn a_restart_under_the_same_keys_logs_nobody_out(name: &str) {
    let keys = [Key::generate().unwrap(), Key::generate().unwrap()].map(|key| key.to_secret_text());
    let before = Example::start(name, Some(&keys[0]));
    let cookie = before.logged_in("zoe").cookie().unwrap();
    drop(before);
    // The key may also have got a successor.
    let successor = [keys[1].as_str(), &keys[0]].join("\n");
    for keys in [keys[0].as_str(), &successor] {
        assert_eq!(home(&Example::start(name, Some(keys)).client_with(&cookie)), of("zoe", 2));
    }
}

fn under_other_keys_everybody_is_a_guest(name: &str) {
    let cookie = Example::start(name, None).logged_in("zoe").cookie().unwrap();
    assert_eq!(home(&Example::start(name, None).client_with(&cookie)), of("guest", 1));
}

fn keys_that_are_none_are_not_replaced_by_others(name: &str) {
    // It ends before it tells its port.
    assert!(catch_unwind(|| Example::start(name, Some("no key"))).is_err());
}

fn a_page_that_is_not_there_is_a_404(name: &str) {
    let example = Example::start(name, None);
    assert_eq!(example.client().open("/nowhere").status, 404);
}

macro_rules! rules {
    ($($module:ident $example:literal)*) => {
        $(mod $module {
            rules!(@each $example,
                visits_are_counted_for_each_browser
                a_login_greets_and_a_logout_forgets
                a_login_makes_another_session_of_the_guests
                a_form_without_the_sessions_token_is_refused
                a_name_is_text_in_the_page
                a_restart_under_the_same_keys_logs_nobody_out
                under_other_keys_everybody_is_a_guest
                keys_that_are_none_are_not_replaced_by_others
                a_page_that_is_not_there_is_a_404
            );
        })*
    };
    (@each $example:literal, $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                super::$rule($example);
            }
        )*
    };
}

rules! {
    axum "axum"
    actix_web "actix-web"
    rocket "rocket"
    poem "poem"
    hyper "hyper"
    text "text"
}
