//! Where a rule takes place: an engine behind an address, and records on it that are the rule's alone.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::store::RecordStore;
use sealed_session::testing::ManualClock;
use sealed_session::{Key, Placement, Session, SessionManager, SessionManagerBuilder};
use sealed_session_engine_tests::{Browser, Engine, PrivateEngine, Proxy, Runner, unique_name};

/// Far from today, so that no engine takes a record for expired by a clock of its own.
pub(crate) const NOW_UNIX_SECONDS: u64 = 4_000_000_000;

/// What outgrows any cookie.
pub(crate) const FILLER_BYTES: usize = 5000;

/// A kind of store, and what the rules have to know of its engine. The records of one rule are told apart by a name: of a
/// table, a key prefix or a collection.
pub(crate) trait Kind: Sized + 'static {
    /// Requests of one session at once: so many that they meet, and not so many that the engine is busy for minutes.
    const PARALLEL_REQUESTS: usize;

    /// What a backup of the engine has of the records.
    type Backup;

    /// The engine that all tests share, or files of this rule's own where there is no server.
    fn address() -> String;

    /// Makes what the store needs before its first record.
    async fn prepare(url: &str, name: &str);

    /// The store, as an application makes it.
    async fn connect(url: &str, name: &str, clock: &ManualClock) -> Arc<dyn RecordStore>;

    async fn back_up(url: &str, name: &str) -> Self::Backup;

    /// The backup takes the place of the records.
    async fn restore(url: &str, name: &str, backup: &Self::Backup);

    /// Removes all that the rule has made. A failure here would hide that of the rule.
    async fn clean_up(url: &str, name: &str);
}

/// A kind of store whose engine is a server.
pub(crate) trait Served: Kind {
    const ENGINE: Engine;

    /// What the engine is to be started with, so that what it has acknowledged survives a kill.
    const DURABLE: &'static [&'static str] = &[];

    /// What the driver is told in the address where a rule counts messages: nothing that it says by itself.
    fn quiet(url: &str) -> String {
        url.to_owned()
    }
}

/// Dropped with everything that the rule has made in the engine.
pub(crate) struct Site<K: Kind> {
    /// Straight to the engine, past any proxy.
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) key: Key,
    pub(crate) clock: ManualClock,
    runner: Runner,
    kind: PhantomData<K>,
}

impl<K: Kind> Site<K> {
    pub(crate) fn new() -> Self {
        Self::at(K::address())
    }

    pub(crate) fn at(url: String) -> Self {
        let (name, key, runner) = (unique_name("sessions"), Key::generate().unwrap(), Runner::new());
        runner.block_on(K::prepare(&url, &name));
        let clock = ManualClock::at_unix_seconds(NOW_UNIX_SECONDS);
        Self { url, name, key, clock, runner, kind: PhantomData }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runner.block_on(work)
    }

    /// The rule's records, past any proxy.
    pub(crate) async fn records(&self) -> Arc<dyn RecordStore> {
        self.records_at(&self.url).await
    }

    pub(crate) async fn records_at(&self, url: &str) -> Arc<dyn RecordStore> {
        K::connect(url, &self.name, &self.clock).await
    }

    /// One of the servers that share a key and the records, on a connection of its own.
    pub(crate) async fn server(&self) -> SessionManager {
        self.server_at(&self.url).await.placement(Placement::StoreOnly).build().unwrap()
    }

    pub(crate) async fn server_at(&self, url: &str) -> SessionManagerBuilder {
        server(&self.key, &self.clock, self.records_at(url).await)
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.clock)
    }

    /// A browser whose session counts from 0.
    pub(crate) async fn visitor(&self, server: &SessionManager) -> Browser {
        let mut browser = self.browser();
        browser.visit(server, |session| session.put("count", &0).unwrap()).await.unwrap();
        browser
    }
}

impl<K: Served> Site<K> {
    /// A proxy before the engine, and the address that leads through it.
    pub(crate) fn proxy(&self) -> (Proxy, String) {
        let (proxy, url) = Proxy::before(&self.url);
        (proxy, K::quiet(&url))
    }

    /// An engine that is the rule's alone, and may be killed.
    pub(crate) fn private() -> (PrivateEngine, Self) {
        let engine = PrivateEngine::start(K::ENGINE, K::DURABLE);
        let site = Self::at(engine.url());
        (engine, site)
    }
}

impl<K: Kind> Drop for Site<K> {
    fn drop(&mut self) {
        let cleaned = async { tokio::time::timeout(Duration::from_secs(10), K::clean_up(&self.url, &self.name)).await };
        let _ = self.block_on(cleaned);
    }
}

/// A server of an application. Who tests what takes too long says how long; the others shall not fail on a slow machine.
pub(crate) fn server(key: &Key, clock: &ManualClock, records: Arc<dyn RecordStore>) -> SessionManagerBuilder {
    let server = SessionManager::builder(key.clone()).audience("shop/test").clock(clock.clone()).store(records);
    server.timer(TokioTimer).store_timeout(Duration::from_secs(30))
}

/// What a request of a test does to its session.
pub(crate) fn count_one_up(session: &Session) -> Option<u64> {
    let count = session.get("count").unwrap();
    if count.is_some() {
        session.increment("count", 1).unwrap();
    }
    count
}

/// Asks until the answer is yes, and panics when a minute has not brought it.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let minute = Duration::from_secs(60);
    assert!(tokio::time::timeout(minute, asked).await.is_ok(), "within a minute not: {what}");
}
