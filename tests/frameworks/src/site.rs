use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::Duration;

use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{Clock as _, Key, KeyRing, RingHandle, SessionManager, SessionManagerBuilder, SystemClock};

use crate::Client;
use crate::application::Sites;
use crate::servers::Serve;

/// What a server, or several of them, work on, in the hands of a test.
#[derive(Clone, Debug)]
pub struct SharedParts {
    /// Stands still unless a test moves it.
    pub clock: ManualClock,
    /// The ring of all stores.
    pub ring: RingHandle,
    /// The server store of all.
    pub records: FaultyStore,
    key: Key,
}

/// The server of one framework, on a port of its own.
#[derive(Debug)]
pub struct Site {
    /// What it works on.
    pub parts: SharedParts,
    address: SocketAddr,
}

impl SharedParts {
    /// A new key, and an empty store.
    #[must_use]
    pub fn new() -> Self {
        // The jar has the time of the day: the clock begins there, and only goes forward.
        let clock = ManualClock::at_unix_seconds(SystemClock.now().unix_seconds());
        let key = Key::generate().unwrap();
        let records = FaultyStore::new(clock.clone());
        Self { ring: RingHandle::from(KeyRing::new(key.clone())), records, clock, key }
    }

    /// Puts a new key before the first one, which only opens from now on.
    pub fn rotate(&self) {
        let ring = KeyRing::new(Key::generate().unwrap()).with_open_only(self.key.clone()).unwrap();
        self.ring.replace(ring, self.clock.now()).unwrap();
    }

    fn sites(&self) -> Sites {
        let administration = CookieAttributes::new().name("__Host-administration");
        let administration = self.store("example/administration").cookie(administration).build().unwrap();
        Sites::new(self.store("example").build().unwrap(), administration).unwrap()
    }

    fn store(&self, audience: &str) -> SessionManagerBuilder {
        let store = SessionManager::builder(self.ring.clone()).audience(audience).clock(self.clock.clone());
        store.store(self.records.clone()).record_limit_bytes(50_000)
    }
}

impl Default for SharedParts {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// Starts a server over parts of its own. It ends with the process.
    #[must_use]
    pub fn start(serve: Serve) -> Self {
        Self::over(SharedParts::new(), serve)
    }

    /// Starts a server over these parts.
    #[must_use]
    pub fn over(parts: SharedParts, serve: Serve) -> Self {
        let (sender, address) = channel();
        let sites = parts.sites();
        std::thread::spawn(move || {
            let ready = Box::new(move |address| sender.send(address).unwrap());
            serve(SocketAddr::from(([127, 0, 0, 1], 0)), sites, ready).unwrap();
        });
        let address = address.recv_timeout(Duration::from_secs(30)).unwrap();
        Self { parts, address }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client without cookies.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_of("localhost")
    }

    /// A client without cookies, who knows the server by this name.
    #[must_use]
    pub fn client_of(&self, host: &str) -> Client {
        Client::new(host, self.address)
    }

    /// A client who is logged in.
    #[must_use]
    pub fn logged_in(&self, name: &str) -> Client {
        let client = self.client();
        client.log_in(name);
        client
    }
}
