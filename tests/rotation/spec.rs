//! What the format says of times and keys, in seconds: sections 3.2, 4 (step 9) and 7. Nothing of the crate is used here.

pub(crate) const SKEW: u64 = 60;
pub(crate) const GRACE: u64 = 400;
pub(crate) const IDLE: u64 = 300;
pub(crate) const ABSOLUTE: u64 = 2000;
/// As long as the absolute timeout, so that the last cookie of a key lives until the very second that the key is done.
pub(crate) const REMEMBER_MAX: u64 = ABSOLUTE;

/// An entry of the ring; keys are numbered in the order in which they begin to seal.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: usize,
    pub(crate) seal_from: Option<u64>,
    pub(crate) seal_until: Option<u64>,
    pub(crate) open_until: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ring {
    pub(crate) entries: Vec<Entry>,
    pub(crate) not_before: Option<u64>,
}

impl Ring {
    pub(crate) fn has(&self, key: usize) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// "The key with the greatest `seal_from ≤ now` (absent = since ever) whose `seal_until` has not passed."
    pub(crate) fn sealing(&self, now: u64) -> usize {
        let begun = self.entries.iter().filter(|entry| entry.seal_from.is_none_or(|from| from <= now));
        let able = begun.filter(|entry| self.seal_until(entry).is_none_or(|until| now <= until));
        able.max_by_key(|entry| entry.seal_from).unwrap().key
    }

    /// "The smaller of its own and the next key's `seal_from`."
    pub(crate) fn seal_until(&self, entry: &Entry) -> Option<u64> {
        let later = self.entries.iter().filter_map(|other| other.seal_from);
        let next = later.filter(|from| entry.seal_from.is_none_or(|own| *from > own)).min();
        [entry.seal_until, next].into_iter().flatten().min()
    }

    /// "By default `seal_until + grace +` the greater of `absolute` and `remember_max`; none for the newest."
    pub(crate) fn open_until(&self, entry: &Entry) -> Option<u64> {
        entry.open_until.or_else(|| self.seal_until(entry).map(|until| until + GRACE + ABSOLUTE.max(REMEMBER_MAX)))
    }

    /// "A key opens envelopes whose issued time lies in `[seal_from − skew, seal_until + grace]`", until it is done.
    fn opens(&self, Sealed { key, issued }: Sealed, now: u64) -> bool {
        let Some(entry) = self.entries.iter().find(|entry| entry.key == key) else { return false };
        self.open_until(entry).is_none_or(|until| now < until)
            && entry.seal_from.is_none_or(|from| issued + SKEW >= from)
            && self.seal_until(entry).is_none_or(|until| issued <= until + GRACE)
    }
}

/// The key of an envelope, and when it was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) key: usize,
    pub(crate) issued: u64,
}

/// A session as a browser holds it.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) cookie: Sealed,
    /// Where its data is in the store.
    pub(crate) record: Option<Sealed>,
    pub(crate) created: u64,
    /// Asked for with `remember`; otherwise the idle timeout.
    pub(crate) own_lifetime: Option<u64>,
    /// What a handler wrote last.
    pub(crate) user: u64,
}

impl Kept {
    pub(crate) fn lifetime(&self) -> u64 {
        self.own_lifetime.unwrap_or(IDLE)
    }

    /// The first second that it does not live in.
    pub(crate) fn end(&self) -> u64 {
        (self.cookie.issued + self.lifetime()).min(self.created + ABSOLUTE)
    }

    /// Whether its lifetimes let it be, by this clock: what every server of the fleet owes to an honest user.
    pub(crate) fn is_alive(&self, now: u64) -> bool {
        now < self.end()
    }

    /// Whether a server with this ring has its keys.
    pub(crate) fn keys_are_in(&self, ring: &Ring) -> bool {
        ring.has(self.cookie.key) && self.record.is_none_or(|record| ring.has(record.key))
    }

    /// Section 4 in full, which is what a thief's cookies are owed.
    pub(crate) fn is_accepted(&self, ring: &Ring, now: u64) -> bool {
        self.is_alive(now)
            && self.cookie.issued <= now + SKEW
            && ring.opens(self.cookie, now)
            && self.record.is_none_or(|record| ring.opens(record, now))
            && ring.not_before.is_none_or(|not_before| now < not_before || self.created >= not_before)
    }
}
