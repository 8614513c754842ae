//! What an operator does to the ring, in the documented order, and how long servers may take to hear of it.

use sealed_session::{Key, Suite};

use crate::fleet::{Fleet, RollOut, witness};
use crate::spec::{Entry, GRACE, Ring, SKEW};

/// Until then every server has loaded a ring, where roll-outs are in time.
pub(crate) const ROLL_OUT: u64 = 100;

/// A version of the ring.
pub(crate) struct Published {
    pub(crate) ring: Ring,
    at: u64,
    /// When the key that it brings begins to seal.
    promotes_at: Option<u64>,
}

impl Published {
    /// One key, which seals since ever.
    pub(crate) fn first() -> Self {
        let entries = vec![Entry { key: 0, seal_from: None, seal_until: None, open_until: None }];
        Self { ring: Ring { entries, not_before: None }, at: 0, promotes_at: None }
    }
}

impl Fleet {
    fn newest(&self) -> &Ring {
        &self.published.last().unwrap().ring
    }

    pub(crate) fn publish(&mut self, ring: Ring, promotes_at: Option<u64>) {
        self.published.push(Published { ring, at: self.now, promotes_at });
    }

    /// A new key, which begins to seal when the roll-out is over on the fastest clock, or some time later.
    pub(crate) fn add_key(&mut self, suite: Suite, later: u64) {
        let last = self.newest().entries.iter().filter_map(|entry| entry.seal_from).max().unwrap_or(0);
        let seal_from = (self.now + ROLL_OUT + SKEW).max(last + 1) + later;
        let mut ring = self.newest().clone();
        ring.entries.push(Entry {
            key: self.keys.len(),
            seal_from: Some(seal_from),
            seal_until: None,
            open_until: None,
        });
        self.keys.push(Key::generate_with(suite).unwrap());
        self.begins.push(seal_from);
        self.witness = witness(&self.keys);
        self.publish(ring, Some(seal_from));
    }

    /// Keys that were superseded get their end written, so that it stays when the next one is taken out.
    pub(crate) fn write_ends(&mut self) {
        let mut ring = self.newest().clone();
        let before = ring.clone();
        for entry in &mut ring.entries {
            entry.seal_until = before.seal_until(entry).filter(|until| *until <= self.now);
        }
        if ring.entries.iter().zip(&before.entries).any(|(new, old)| new.seal_until != old.seal_until) {
            self.publish(ring, None);
        }
    }

    /// Keys with a written end that open nothing any more, on the slowest clock either, are taken out.
    pub(crate) fn remove_keys(&mut self) {
        let mut ring = self.newest().clone();
        let before = ring.clone();
        let is_done = |entry: &Entry| entry.seal_until.and(before.open_until(entry)).is_some_and(|end| end <= self.now);
        ring.entries.retain(|entry| !is_done(entry));
        if ring.entries.len() < before.entries.len() {
            self.tally.removed_keys += 1;
            self.publish(ring, None);
        }
    }

    /// After a leak: the key goes, whatever it is worth, and so does every session that began earlier than so long from now.
    /// Where it is the newest, one that nobody saw takes the place of the whole ring. Otherwise it is taken out, or gets an
    /// end of its own that is as near.
    pub(crate) fn take_out(&mut self, key: usize, not_before_in: u64, by_its_end: bool) {
        self.write_ends();
        let mut ring = self.newest().clone();
        ring.not_before = Some(self.now + not_before_in);
        if ring.entries.iter().any(|entry| entry.key > key && entry.seal_from.is_some_and(|from| from <= self.now)) {
            if by_its_end {
                let entry = ring.entries.iter_mut().find(|entry| entry.key == key);
                entry.into_iter().for_each(|entry| entry.open_until = Some(self.now + ROLL_OUT));
            } else {
                ring.entries.retain(|entry| entry.key != key);
            }
        } else {
            ring.entries = vec![Entry { key: self.keys.len(), seal_from: None, seal_until: None, open_until: None }];
            self.keys.push(Key::generate().unwrap());
            self.begins.push(self.now);
            self.witness = witness(&self.keys);
        }
        self.publish(ring, None);
        self.is_leaked = true;
    }

    /// When a server that has not loaded the newest ring has waited as long as it may.
    pub(crate) fn reload_due(&self, server: usize) -> Option<u64> {
        let server = &self.servers[server];
        let waiting = &self.published[server.version + 1..];
        let due = waiting.iter().filter_map(|published| match self.roll_out {
            RollOut::InTime => Some(published.at + ROLL_OUT),
            RollOut::Late => published.promotes_at.map(|from| from + GRACE + 1 - server.ahead),
        });
        due.min()
    }

    /// Instants around which something changes, the next ones first.
    pub(crate) fn instants(&self) -> Vec<u64> {
        let ring = self.newest();
        let begins = ring.entries.iter().filter_map(|entry| entry.seal_from);
        let ends = ring.entries.iter().filter_map(|entry| ring.open_until(entry));
        let mut instants: Vec<_> =
            begins.flat_map(|from| [from, from + GRACE]).chain(ends).chain(ring.not_before).collect();
        instants.retain(|instant| *instant > self.now);
        instants.sort_unstable();
        instants
    }
}
