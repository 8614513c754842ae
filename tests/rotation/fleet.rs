//! Servers, each with a clock, a ring and a store of its own; records are shared.

use std::time::Duration;

use sealed_session::sealer::Sealer;
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{Clock as _, Key, KeyRing, Lifetimes, RingEntry, RingHandle, SessionManager, Timestamp};

use crate::operator::Published;
use crate::schedule::REQUEST_MAX_SECONDS;
use crate::spec::{ABSOLUTE, GRACE, IDLE, REMEMBER_MAX, Ring, SKEW};
use crate::visits::Tally;

pub(crate) const AUDIENCE: &str = "shop/fleet";
/// Servers of a fleet.
pub(crate) const SERVERS: usize = 3;
/// What does not fit is in the store.
pub(crate) const INLINE_LIMIT_BYTES: usize = 600;

/// How a fleet is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RollOut {
    /// As documented: every server has a new key before the first clock of the fleet lets it seal.
    InTime,
    /// Servers may hear of a new key as late as their old one may still seal: `seal_from + grace` by their own clocks.
    Late,
}

pub(crate) struct Server {
    pub(crate) clock: ManualClock,
    /// How far the clock is ahead of the slowest that a fleet may have.
    pub(crate) ahead: u64,
    ring: RingHandle,
    /// The version of the ring that it has loaded.
    pub(crate) version: usize,
    pub(crate) store: SessionManager,
}

impl Server {
    pub(crate) fn now(&self) -> u64 {
        self.clock.now().unix_seconds()
    }
}

pub(crate) struct Fleet {
    /// The slowest clock that a fleet may have; all others are ahead of it by the skew at most.
    pub(crate) now: u64,
    pub(crate) roll_out: RollOut,
    pub(crate) keys: Vec<Key>,
    /// What the operator wrote, one version after the other.
    pub(crate) published: Vec<Published>,
    pub(crate) servers: Vec<Server>,
    /// The first second of each key.
    pub(crate) begins: Vec<u64>,
    /// Opens whatever any key of this fleet ever sealed.
    pub(crate) witness: Sealer,
    pub(crate) with_records: bool,
    /// A key was taken out before its time.
    pub(crate) is_leaked: bool,
    /// How often handlers wrote.
    pub(crate) written: u64,
    pub(crate) tally: Tally,
    store_clock: ManualClock,
    store_ahead: u64,
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(crate) fn lifetimes() -> Lifetimes {
    Lifetimes::default()
        .idle_timeout(Duration::from_secs(IDLE))
        .absolute_timeout(Some(Duration::from_secs(ABSOLUTE)))
        .remember_max(Duration::from_secs(REMEMBER_MAX))
}

/// The ring of these keys, in no helpful order.
pub(crate) fn key_ring(keys: &[Key], ring: &Ring) -> KeyRing {
    let entries = ring.entries.iter().rev().map(|entry| {
        let mut made = RingEntry::new(keys[entry.key].clone());
        made = entry.seal_from.map_or(made.clone(), |from| made.seal_from(at(from)));
        made = entry.seal_until.map_or(made.clone(), |until| made.seal_until(at(until)));
        entry.open_until.map_or(made.clone(), |until| made.open_until(at(until)))
    });
    let made = KeyRing::from_entries(entries).unwrap();
    ring.not_before.map_or(made.clone(), |not_before| made.with_not_before(at(not_before)))
}

impl Fleet {
    /// A fleet of one key; the clocks are ahead by so much, the last one is that of the record store.
    pub(crate) fn new(roll_out: RollOut, with_records: bool, ahead: [u64; SERVERS + 1]) -> Self {
        let now = 1_795_000_000;
        let keys = vec![Key::generate().unwrap()];
        let published = vec![Published::first()];
        let [store_ahead, of_servers @ ..] = ahead;
        // A session is written for as long as it takes to answer the request that found it, and the store forgets it a skew
        // after its end: so much less may the clock of the store be ahead.
        let store_ahead = store_ahead.min(SKEW - REQUEST_MAX_SECONDS);
        let store_clock = ManualClock::at_unix_seconds(now + store_ahead);
        let records = FaultyStore::new(store_clock.clone());
        let server = |ahead| {
            let clock = ManualClock::at_unix_seconds(now + ahead);
            let ring = RingHandle::from(key_ring(&keys, &published[0].ring));
            let mut builder = SessionManager::builder(ring.clone())
                .audience(AUDIENCE)
                .lifetimes(lifetimes())
                .key_grace(Duration::from_secs(GRACE))
                .clock(clock.clone());
            if with_records {
                builder = builder.store(records.clone()).inline_limit_bytes(INLINE_LIMIT_BYTES);
            }
            Server { clock, ahead, ring, version: 0, store: builder.build().unwrap() }
        };
        let servers = of_servers.map(server).into_iter().collect();
        let (witness, tally) = (witness(&keys), Tally::default());
        let (begins, written) = (vec![0], 0);
        Self {
            now,
            roll_out,
            keys,
            published,
            servers,
            begins,
            witness,
            with_records,
            is_leaked: false,
            written,
            tally,
            store_clock,
            store_ahead,
        }
    }

    /// Time passes; servers that may not wait any longer load the newest ring.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let end = self.now + seconds;
        while self.now < end {
            let next_due = (0..SERVERS).filter_map(|server| self.reload_due(server)).min();
            self.now = next_due.map_or(end, |due| due.clamp(self.now + 1, end));
            self.set_clocks();
        }
    }

    /// A server's clock is set.
    pub(crate) fn set_clock(&mut self, server: usize, ahead: u64) {
        assert!(ahead <= SKEW, "two clocks of a fleet differ by the skew at most");
        self.servers[server].ahead = ahead;
        self.set_clocks();
    }

    fn set_clocks(&mut self) {
        self.store_clock.set_unix_seconds(self.now + self.store_ahead);
        for server in 0..SERVERS {
            self.servers[server].clock.set_unix_seconds(self.now + self.servers[server].ahead);
            if self.reload_due(server).is_some_and(|due| due <= self.now) {
                self.reload(server);
            }
        }
    }

    /// A server loads what the operator wrote last.
    pub(crate) fn reload(&mut self, server: usize) {
        let newest = self.published.len() - 1;
        let ring = key_ring(&self.keys, &self.published[newest].ring);
        let server = &mut self.servers[server];
        if server.version < newest {
            assert!(server.ring.replace(ring, server.clock.now()).unwrap());
            server.version = newest;
        }
    }

    /// The ring that a server has, as the model knows it.
    pub(crate) fn ring_of(&self, server: usize) -> &Ring {
        &self.published[self.servers[server].version].ring
    }
}

/// Opens whatever one of these keys sealed, however old it is.
pub(crate) fn witness(keys: &[Key]) -> Sealer {
    let open_only = |ring: KeyRing, key: &Key| ring.with_open_only(key.clone()).unwrap();
    let ring = keys[1..].iter().fold(KeyRing::new(keys[0].clone()), open_only);
    let for_ever = Duration::from_secs(1 << 32);
    let lifetimes = Lifetimes::default().idle_timeout(for_ever).absolute_timeout(None).remember_max(for_ever);
    Sealer::builder(ring).audience(AUDIENCE).lifetimes(lifetimes).build().unwrap()
}
