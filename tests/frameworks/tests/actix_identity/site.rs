use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::Duration;

use actix_web::cookie;
use sealed_session::testing::ManualClock;
use sealed_session::{Clock as _, Key, SessionManager, SessionManagerBuilder, SystemClock};
use sealed_session_framework_tests::servers::actix_identity::{Parts, serve};
use sealed_session_framework_tests::{Answer, Client};

/// The site, on a port of its own.
pub(crate) struct Site {
    /// Of the sessions; stands still unless a test moves it.
    pub(crate) clock: ManualClock,
    address: SocketAddr,
}

/// A clock that begins where the client's jar is, and only goes forward.
pub(crate) fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(SystemClock.now().unix_seconds())
}

pub(crate) fn sessions(clock: &ManualClock) -> SessionManagerBuilder {
    SessionManager::builder(Key::generate().unwrap()).audience("example").clock(clock.clone())
}

impl Site {
    /// Starts the site, with what a test changes of its parts. It ends with the process.
    pub(crate) fn start(change: impl FnOnce(&mut Parts)) -> Self {
        let clock = clock();
        let sessions = sessions(&clock).build().unwrap();
        Self::over(sessions, clock, change)
    }

    /// The same over sessions of the test's own.
    pub(crate) fn over(sessions: SessionManager, clock: ManualClock, change: impl FnOnce(&mut Parts)) -> Self {
        let mut parts = Parts::new(sessions, cookie::Key::generate());
        change(&mut parts);
        let (sender, address) = channel();
        std::thread::spawn(move || {
            let ready = |address| sender.send(address).unwrap();
            serve(SocketAddr::from(([127, 0, 0, 1], 0)), parts, ready).unwrap();
        });
        Self { clock, address: address.recv_timeout(Duration::from_secs(30)).unwrap() }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new("localhost", self.address)
    }

    /// A client who is logged in.
    pub(crate) fn logged_in(&self, name: &str) -> Client {
        let client = self.client();
        log_in(&client, name);
        client
    }

    /// A client who has this cookie, and nothing else.
    pub(crate) fn with_cookie(&self, value: &str) -> Client {
        let client = self.client();
        client.plant(value);
        client
    }
}

pub(crate) fn log_in(client: &Client, name: &str) {
    sent(client, "/login", &[("name", name)]);
}

pub(crate) fn log_out(client: &Client) {
    sent(client, "/logout", &[]);
}

pub(crate) fn visit(client: &Client) {
    sent(client, "/visit", &[]);
}

fn sent(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = client.send(path, fields);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{path} {answer:?}");
    answer
}

/// Who is there, and the visits that the session counts.
pub(crate) fn home(client: &Client) -> (Option<String>, u32) {
    let answer = client.open("/");
    assert_eq!(answer.status, 200, "{answer:?}");
    let visits = answer.element("visits").unwrap().parse().unwrap();
    (answer.element("name").map(str::to_owned), visits)
}

pub(crate) fn somebody(name: &str, visits: u32) -> (Option<String>, u32) {
    (Some(name.to_owned()), visits)
}
