//! Applications, and what Rocket says in its log.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use rocket::config::{Config, LogLevel, Shutdown};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Rocket, Route};
use sealed_session::adapter::rocket::SessionFairing;
use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{Key, Placement, SessionManager};

/// What all applications of this process have logged.
static LOGGED: Logged = Logged(Mutex::new(Vec::new()));

struct Logged(Mutex<Vec<String>>);

impl Log for Logged {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

/// Whether a line of the log has all of these texts. Each test looks for a type of its own.
pub(crate) fn was_logged(texts: &[&str]) -> bool {
    LOGGED.0.lock().unwrap().iter().any(|line| texts.iter().all(|text| line.contains(text)))
}

/// An application without fairings and routes.
pub(crate) fn bare() -> Rocket<Build> {
    // The first to come: Rocket's own logger stands back.
    if log::set_logger(&LOGGED).is_ok() {
        log::set_max_level(LevelFilter::Error);
    }
    let shutdown = Shutdown { ctrlc: false, ..Shutdown::default() };
    rocket::custom(Config { log_level: LogLevel::Critical, workers: 1, shutdown, ..Config::debug_default() })
}

pub(crate) fn store() -> SessionManager {
    SessionManager::builder(Key::generate().unwrap()).build().unwrap()
}

pub(crate) fn store_named(name: &str) -> SessionManager {
    let attributes = CookieAttributes::new().name(name);
    SessionManager::builder(Key::generate().unwrap()).cookie(attributes).build().unwrap()
}

/// Sessions that are all in a server store, and the store.
pub(crate) fn on_server() -> (SessionManager, FaultyStore) {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let records = FaultyStore::new(clock.clone());
    let store = SessionManager::builder(Key::generate().unwrap()).clock(clock).store(records.clone());
    (store.placement(Placement::StoreOnly).build().unwrap(), records)
}

/// A browser before these routes, behind sessions of this store.
pub(crate) fn browser_over(store: SessionManager, routes: Vec<Route>) -> Client {
    browser(bare().attach(SessionFairing::new(store)).mount("/", routes))
}

pub(crate) fn browser(application: Rocket<Build>) -> Client {
    Client::tracked(application).unwrap()
}

pub(crate) fn text(browser: &Client, path: &str) -> String {
    let response = browser.get(path.to_owned()).dispatch();
    let status = response.status();
    let text = response.into_string().unwrap_or_default();
    assert_eq!(status.code, 200, "{path}: {text}");
    text
}

/// Status and body.
pub(crate) fn answer(response: LocalResponse<'_>) -> (u16, String) {
    (response.status().code, response.into_string().unwrap_or_default())
}

pub(crate) fn values(response: &LocalResponse<'_>, name: &str) -> Vec<String> {
    response.headers().get(name).map(str::to_owned).collect()
}
