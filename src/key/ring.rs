use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::{ArcSwap, Guard};

use super::key::Window;
use super::{Key, KeyState, RingEntry, RotationSettings};
use crate::clock::Timestamp;
use crate::crypto::Suite;
use crate::error::{KeyError, Reason};
use crate::id::KeyId;

/// The keys of one owner, and when each of them seals and opens: wire format, section 7.
///
/// An envelope names its key, so at most one key is ever tried (trial decryption is what partitioning oracles need:
/// Len, Grubbs, Ristenpart, "Partitioning Oracle Attacks", 2021). Which key seals follows from the times alone, never from
/// the order of the entries (CVE-2025-47278 was such an order).
///
/// Whoever owns one key of a ring can forge every session of it: one ring per owner.
///
/// ```
/// use sealed_session::{Key, KeyRing, Timestamp};
///
/// let (new, old) = (Key::generate()?, Key::generate()?);
/// let ring = KeyRing::new(new.clone()).with_open_only(old)?;
/// assert_eq!(ring.sealing_key_id(Timestamp::default()), Some(new.id()));
/// assert_eq!(ring.key_ids().count(), 2);
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    /// Those that can seal, the newest first; then those that only open.
    slots: Vec<Slot>,
    not_before: Option<Timestamp>,
}

/// A key in its place in the ring.
#[derive(Clone)]
pub(crate) struct Slot {
    entry: RingEntry,
    window: Window,
    counts: Arc<KeyCounts>,
}

/// A key of a ring at an instant, as [`KeyRing::statuses`] tells it.
///
/// ```
/// use sealed_session::operator::{KeyState, RotationSettings};
/// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
///
/// let end = Timestamp::from_unix_seconds(1_795_000_000);
/// let ring = KeyRing::from_entries([RingEntry::new(Key::generate()?).seal_until(end)])?;
/// let settings = RotationSettings::default();
/// let status = ring.statuses(&settings, end).next().unwrap();
/// assert_eq!((status.state, status.seal_until), (KeyState::Sealing, Some(end)));
/// assert_eq!(status.next_change, Some(end.saturating_add_seconds(1)));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The key.
    pub key_id: KeyId,
    /// Its cipher.
    pub suite: Suite,
    /// What it does now.
    pub state: KeyState,
    /// When that changes, if the ring stays as it is.
    pub next_change: Option<Timestamp>,
    /// The first second in which it seals; `None` for since ever.
    pub seal_from: Option<Timestamp>,
    /// The last second in which it seals: its own end, or the beginning of the next key. `None` when there is no end.
    pub seal_until: Option<Timestamp>,
    /// The first second in which it opens nothing any more; `None` when there is no end.
    pub open_until: Option<Timestamp>,
    /// It never seals.
    pub open_only: bool,
}

impl KeyRing {
    /// A ring of one key, which seals and opens.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, Timestamp};
    ///
    /// let key = Key::generate()?;
    /// let ring = KeyRing::new(key.clone());
    /// assert_eq!(ring.sealing_key_id(Timestamp::default()), Some(key.id()));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(sealing: Key) -> Self {
        let entry = RingEntry::new(sealing);
        let window = Window::new(&entry, None);
        Self { slots: vec![Slot { entry, window, counts: Arc::default() }], not_before: None }
    }

    /// A ring of these entries, in whatever order.
    ///
    /// ```
    /// use sealed_session::{Key, KeyError, KeyRing, RingEntry, Timestamp};
    ///
    /// let (old, new) = (RingEntry::new(Key::generate()?), RingEntry::new(Key::generate()?));
    /// let refused = KeyRing::from_entries([old.clone(), new.clone()]);
    /// assert!(matches!(refused, Err(KeyError::EqualSealFrom { .. })));
    ///
    /// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// let ring = KeyRing::from_entries([old, new.seal_from(monday)])?;
    /// assert_eq!(ring.key_ids().count(), 2);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError`] names, by their ids, the entries that do not go together: the same key twice, two that seal from the
    /// same instant on, ends before their beginnings, no key that could ever seal.
    pub fn from_entries(entries: impl IntoIterator<Item = RingEntry>) -> Result<Self, KeyError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if entries.is_empty() {
            return Err(KeyError::EmptyRing);
        }
        if entries.iter().all(|entry| entry.marks.open_only) {
            return Err(KeyError::NoSealingKey);
        }
        // Whatever the order of the entries: every server of a fleet, and every tool, sees the same ring.
        entries.sort_by_key(|entry| (entry.marks.open_only, std::cmp::Reverse(entry.marks.seal_from), entry.key_id()));
        let mut slots = Vec::<Slot>::with_capacity(entries.len());
        for entry in entries {
            let key_id = || entry.key_id().to_string();
            if slots.iter().any(|slot| slot.entry.key_id() == entry.key_id()) {
                return Err(KeyError::DuplicateKeyId { key_id: key_id() });
            }
            let next = slots.last().filter(|next| !next.entry.marks.open_only && !entry.marks.open_only);
            if let Some(next) = next.filter(|next| next.entry.marks.seal_from == entry.marks.seal_from) {
                let seal_from = entry.marks.seal_from.map(Timestamp::to_rfc3339);
                return Err(KeyError::EqualSealFrom {
                    key_ids: Box::new([key_id(), next.entry.key_id().to_string()]),
                    seal_from,
                });
            }
            let window = Window::new(&entry, next.and_then(|next| next.entry.marks.seal_from));
            if let (Some(from), Some(until)) = (entry.marks.seal_from, entry.marks.seal_until)
                && until < from
            {
                return Err(KeyError::SealUntilBeforeSealFrom { key_id: key_id() });
            }
            if let Some(open_until) = entry.marks.open_until
                && window.seal_until().map_or(!entry.marks.open_only, |seal_until| open_until < seal_until)
            {
                return Err(KeyError::OpenUntilBeforeSealUntil { key_id: key_id() });
            }
            slots.push(Slot { entry, window, counts: Arc::default() });
        }
        Ok(Self { slots, not_before: None })
    }

    /// Adds a key that opens what it once sealed, and never seals again.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let ring = KeyRing::new(new.clone()).with_open_only(old)?;
    /// assert!(ring.with_open_only(new).is_err());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKeyId`] when the ring has a key of this id.
    pub fn with_open_only(self, key: Key) -> Result<Self, KeyError> {
        self.with_entry(RingEntry::new(key).open_only())
    }

    /// Adds an entry.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let new = Key::generate()?;
    /// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// let ring = KeyRing::new(Key::generate()?).with_entry(RingEntry::new(new.clone()).seal_from(monday))?;
    /// assert_eq!(ring.sealing_key_id(monday), Some(new.id()));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyRing::from_entries`].
    pub fn with_entry(self, entry: RingEntry) -> Result<Self, KeyError> {
        let not_before = self.not_before;
        let entries = self.slots.into_iter().map(|slot| slot.entry).chain([entry]);
        Ok(Self { not_before, ..Self::from_entries(entries)? })
    }

    /// Once this instant has come, every session that began before it is ended, under whatever key it was sealed.
    ///
    /// For after a leak: take the key out, and set an instant that lies two minutes or more behind the last server's
    /// reload. What a thief minted until then began earlier, and renewal moves no session's beginning.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, Timestamp};
    ///
    /// let instant = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// let ring = KeyRing::new(Key::generate()?).with_not_before(instant);
    /// assert_eq!(ring.not_before(), Some(instant));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn with_not_before(mut self, instant: Timestamp) -> Self {
        self.not_before = Some(instant);
        self
    }

    /// Whether a key seals at this instant: a ring that fails here is not to be put in force.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// let ring = KeyRing::from_entries([RingEntry::new(Key::generate()?).seal_from(monday)])?;
    /// assert!(ring.check(monday).is_ok());
    /// let problem = ring.check(Timestamp::default()).unwrap_err().to_string();
    /// assert!(problem.contains("2026-11-23T09:00:00Z"));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::NothingSealsNow`] names the key that will, if there is one.
    pub fn check(&self, now: Timestamp) -> Result<(), KeyError> {
        if self.sealing(now).is_some() {
            return Ok(());
        }
        let coming =
            self.sealers().filter_map(|slot| slot.entry.marks.seal_from.map(|from| (from, slot.entry.key_id())));
        let next = coming.filter(|(from, _)| *from > now).min_by_key(|(from, _)| *from);
        Err(KeyError::NothingSealsNow {
            now: now.to_rfc3339(),
            next: next.map(|(from, key_id)| Box::new((key_id.to_string(), from.to_rfc3339()))),
        })
    }

    /// The id of the key that seals at this instant.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, Timestamp};
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(KeyRing::new(key.clone()).sealing_key_id(Timestamp::default()), Some(key.id()));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn sealing_key_id(&self, now: Timestamp) -> Option<KeyId> {
        self.sealing(now).map(|slot| slot.entry.key_id())
    }

    /// The ids of all keys: those that can seal, the newest first, then those that only open.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let ring = KeyRing::new(new.clone()).with_open_only(old.clone())?;
    /// assert!(ring.key_ids().eq([new.id(), old.id()]));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.slots.iter().map(|slot| slot.entry.key_id())
    }

    /// The entries, in the order of [`KeyRing::key_ids`]: for tools that make one ring of another.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing};
    ///
    /// let ring = KeyRing::new(Key::generate()?).with_open_only(Key::generate()?)?;
    /// assert_eq!(KeyRing::from_entries(ring.entries().cloned())?, ring);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = &RingEntry> {
        self.slots.iter().map(|slot| &slot.entry)
    }

    /// The instant before which no session may have begun, once it has come.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing};
    ///
    /// assert_eq!(KeyRing::new(Key::generate()?).not_before(), None);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// What each key does at an instant, in the order of [`KeyRing::key_ids`].
    ///
    /// ```
    /// use sealed_session::operator::{KeyState, RotationSettings};
    /// use sealed_session::{Key, KeyRing, Timestamp};
    ///
    /// let ring = KeyRing::new(Key::generate()?).with_open_only(Key::generate()?)?;
    /// let states: Vec<_> = ring
    ///     .statuses(&RotationSettings::default(), Timestamp::default())
    ///     .map(|status| status.state)
    ///     .collect();
    /// assert_eq!(states, [KeyState::Sealing, KeyState::Opening]);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    pub fn statuses<'a>(
        &'a self,
        settings: &'a RotationSettings,
        now: Timestamp,
    ) -> impl Iterator<Item = KeyStatus> + 'a {
        let sealing = self.sealing_key_id(now);
        self.slots.iter().map(move |slot| {
            let Slot { entry, window, .. } = slot;
            let (state, next_change) = window.state(settings, now, sealing == Some(entry.key_id()));
            KeyStatus {
                key_id: entry.key_id(),
                suite: entry.key.suite(),
                state,
                next_change,
                seal_from: window.seal_from(),
                seal_until: window.seal_until(),
                open_until: window.open_until(settings),
                open_only: entry.marks.open_only,
            }
        })
    }

    /// The one slot of this key id.
    pub(crate) fn find(&self, id: &KeyId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.entry.key_id() == *id)
    }

    /// The slot whose key seals at this instant.
    // Security: by the times alone. The newest stand first, so the first that can seal is the one that began last.
    pub(crate) fn sealing(&self, now: Timestamp) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.window.can_seal(now))
    }

    /// Whether a newer key than this one seals at this instant, so that what it sealed is to be sealed again.
    // What a key sealed that is still pending here, on a server whose clock is ahead, stays as it is: sealing it back under
    // the older key would have the two servers undo each other's work until the clocks agree.
    pub(crate) fn is_superseded(&self, id: &KeyId, now: Timestamp) -> bool {
        let position = |wanted: &KeyId| self.slots.iter().position(|slot| slot.entry.key_id() == *wanted);
        let sealing = self.sealing_key_id(now).and_then(|sealing| position(&sealing));
        sealing.is_some_and(|sealing| position(id).is_none_or(|own| own > sealing))
    }

    /// Whether a session that began then is ended by the ring's `not_before`.
    pub(crate) fn is_ended(&self, created: Timestamp, now: Timestamp) -> bool {
        self.not_before.is_some_and(|not_before| now >= not_before && created < not_before)
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Goes on counting where another ring's keys of the same ids are.
    pub(super) fn take_counts(&mut self, from: &Self, now: Timestamp) {
        for slot in &mut self.slots {
            match from.find(&slot.entry.key_id()) {
                Some(known) => slot.counts = Arc::clone(&known.counts),
                None => slot.counts.begin(now),
            }
        }
    }

    fn sealers(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| !slot.entry.marks.open_only)
    }
}

impl Slot {
    pub(crate) const fn key(&self) -> &Key {
        &self.entry.key
    }

    pub(crate) fn counts(&self) -> &KeyCounts {
        &self.counts
    }

    /// Wire format, section 4, step 5.
    pub(crate) fn may_open(&self, settings: &RotationSettings, now: Timestamp) -> bool {
        self.window.may_open(settings, now)
    }

    /// Wire format, section 4, step 9: whether what was issued then lies in the key's window.
    pub(crate) fn covers(&self, settings: &RotationSettings, issued: Timestamp) -> bool {
        self.window.covers(settings, issued)
    }
}

impl PartialEq for KeyRing {
    /// Whether the two do the same at every instant. What they have counted does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.not_before == other.not_before
            && self.slots.iter().map(|slot| &slot.entry).eq(other.slots.iter().map(|slot| &slot.entry))
    }
}

impl Eq for KeyRing {}

impl From<Key> for KeyRing {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<_> = self.slots.iter().map(|slot| &slot.entry).collect();
        f.debug_struct("KeyRing").field("entries", &entries).field("not_before", &self.not_before).finish()
    }
}

// What a key was used for, counted while requests go on: relaxed atomics, no lock.

/// Counters of one key. They outlive the ring that they were begun in, as long as the next one has the key too.
#[derive(Debug, Default)]
pub(crate) struct KeyCounts {
    opened: AtomicU64,
    sealed: AtomicU64,
    refused: [AtomicU64; Reason::ALL.len()],
    /// Seconds since 1970; 0 for never.
    last_opened: AtomicU64,
    /// Seconds since 1970; 0 for not yet.
    counted_since: AtomicU64,
}

impl KeyCounts {
    /// Counting begins, where it has not.
    pub(super) fn begin(&self, now: Timestamp) {
        let _ = self.counted_since.compare_exchange(0, now.unix_seconds(), Relaxed, Relaxed);
    }

    pub(crate) fn sealed(&self) {
        self.sealed.fetch_add(1, Relaxed);
    }

    /// Counts what came of an envelope, or of a token, that names this key.
    pub(crate) fn opened<T>(&self, outcome: &Result<T, Reason>, now: Timestamp) {
        match outcome {
            Ok(_) => {
                self.opened.fetch_add(1, Relaxed);
                // Most requests come within the same second: a write that says nothing new would only make the other
                // processors fetch the line again.
                if self.last_opened.load(Relaxed) < now.unix_seconds() {
                    self.last_opened.fetch_max(now.unix_seconds(), Relaxed);
                }
            }
            Err(reason) => {
                let position = Reason::ALL.iter().position(|known| known == reason);
                if let Some(counter) = position.and_then(|position| self.refused.get(position)) {
                    counter.fetch_add(1, Relaxed);
                }
            }
        }
    }

    pub(super) fn opened_count(&self) -> u64 {
        self.opened.load(Relaxed)
    }

    pub(super) fn sealed_count(&self) -> u64 {
        self.sealed.load(Relaxed)
    }

    /// The reasons that were met, each with how often.
    pub(super) fn refused_counts(&self) -> Vec<(Reason, u64)> {
        let counts = self.refused.iter().map(|counter| counter.load(Relaxed));
        Reason::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn last_opened(&self) -> Option<Timestamp> {
        instant(&self.last_opened)
    }

    pub(super) fn counted_since(&self) -> Option<Timestamp> {
        instant(&self.counted_since)
    }
}

fn instant(seconds: &AtomicU64) -> Option<Timestamp> {
    Some(seconds.load(Relaxed)).filter(|seconds| *seconds > 0).map(Timestamp::from_unix_seconds)
}

/// A key of a ring: what it does, and what it was used for since this process counts.
///
/// ```
/// use sealed_session::operator::RotationSettings;
/// use sealed_session::{Key, RingHandle, Timestamp};
///
/// let ring = RingHandle::from(Key::generate()?);
/// let reports = ring.reports(&RotationSettings::default(), Timestamp::default());
/// assert_eq!((reports[0].opened, reports[0].is_safe_to_remove), (0, false));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReport {
    /// What the key does.
    pub status: KeyStatus,
    /// Cookies, records and CSRF tokens under this key that were found good.
    pub opened: u64,
    /// Cookies, records and CSRF tokens that were made under this key.
    pub sealed: u64,
    /// Cookies, records and CSRF tokens that named this key and were refused, by reason; reasons that were not met are left
    /// out.
    pub refused: Vec<(Reason, u64)>,
    /// When the key last opened something.
    pub last_opened: Option<Timestamp>,
    /// When counting began; `None` before a manager was built over the ring.
    pub counted_since: Option<Timestamp>,
    /// Nothing that is valid needs the key: it has expired, or it seals no more and opened nothing for the longest lifetime
    /// of a session. One process knows its own requests alone: ask every server of a fleet.
    pub is_safe_to_remove: bool,
}

impl KeyReport {
    pub(super) fn of_ring(ring: &KeyRing, settings: &RotationSettings, now: Timestamp) -> Vec<Self> {
        let report = |(status, counts): (KeyStatus, &KeyCounts)| {
            let (last_opened, counted_since) = (counts.last_opened(), counts.counted_since());
            let unused_since = last_opened.max(counted_since);
            let is_unused = unused_since
                .is_some_and(|since| now >= since.saturating_add_seconds(settings.longest_lifetime_seconds()));
            let is_safe_to_remove = match status.state {
                KeyState::Pending | KeyState::Sealing => false,
                KeyState::Opening => counted_since.is_some() && is_unused,
                KeyState::Expired => true,
            };
            Self {
                status,
                opened: counts.opened_count(),
                sealed: counts.sealed_count(),
                refused: counts.refused_counts(),
                last_opened,
                counted_since,
                is_safe_to_remove,
            }
        };
        let counts = ring.slots().iter().map(Slot::counts);
        ring.statuses(settings, now).zip(counts).map(report).collect()
    }
}

/// The ring that is in force. Clones are cheap and show the same ring; it is replaced while requests go on, without a lock
/// on their path.
///
/// ```
/// use sealed_session::{Key, KeyRing, RingHandle, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_795_000_000);
/// let (old, new) = (Key::generate()?, Key::generate()?);
/// let handle = RingHandle::from(old.clone());
/// let same = handle.clone();
///
/// let changed = handle.replace(KeyRing::new(new.clone()).with_open_only(old)?, now)?;
/// assert!(changed);
/// assert_eq!(same.current().sealing_key_id(now), Some(new.id()));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RingHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    current: ArcSwap<KeyRing>,
    /// Where the ring is watched: asks for a reload before its time. Its drop ends the watch.
    early_reload: Option<EarlyReload>,
    reload_problem: Mutex<Option<String>>,
}

/// Asks whoever watches the source of a ring to read it now.
#[derive(Debug)]
pub(crate) struct EarlyReload {
    /// Was asked for, and the watcher has not come round since. The watcher takes it back.
    pub(crate) asked: Arc<AtomicBool>,
    pub(crate) wake: SyncSender<()>,
}

/// A handle that does not keep the ring alive, for whoever watches its source.
#[derive(Debug)]
pub(crate) struct WeakRingHandle(Weak<Shared>);

impl RingHandle {
    pub(crate) fn watched(ring: KeyRing, early_reload: EarlyReload) -> Self {
        Self::new(ring, Some(early_reload))
    }

    fn new(ring: KeyRing, early_reload: Option<EarlyReload>) -> Self {
        let current = ArcSwap::from_pointee(ring);
        Self(Arc::new(Shared { current, early_reload, reload_problem: Mutex::default() }))
    }

    /// The ring as it is now. One operation asks once, so that it sees one ring from its start to its end.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingHandle};
    ///
    /// let ring = KeyRing::new(Key::generate()?);
    /// assert_eq!(*RingHandle::from(ring.clone()).current(), ring);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        self.0.current.load_full()
    }

    /// Puts another ring in force; `false` when it is the same as the one that is. Keys that both have go on being counted.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingHandle, Timestamp};
    ///
    /// let (old, new) = (Key::generate()?, Key::generate()?);
    /// let handle = RingHandle::from(old.clone());
    /// let ring = KeyRing::new(new).with_open_only(old)?;
    /// assert!(handle.replace(ring.clone(), Timestamp::default())?);
    /// assert!(!handle.replace(ring, Timestamp::default())?);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::NothingSealsNow`] for a ring without a key that seals at this instant. The ring that is stays in force.
    pub fn replace(&self, mut ring: KeyRing, now: Timestamp) -> Result<bool, KeyError> {
        ring.check(now)?;
        let current = self.current();
        if *current == ring {
            return Ok(false);
        }
        ring.take_counts(&current, now);
        self.0.current.store(Arc::new(ring));
        Ok(true)
    }

    /// What each key does and was used for since this process counts, and whether it can be taken out.
    ///
    /// `now` and the settings are those of the sealer or the manager; [`SessionManager::key_reports`](crate::SessionManager::key_reports)
    /// knows both.
    ///
    /// ```
    /// use sealed_session::operator::RotationSettings;
    /// use sealed_session::{Key, RingHandle, Timestamp};
    ///
    /// let handle = RingHandle::from(Key::generate()?);
    /// for report in handle.reports(&RotationSettings::default(), Timestamp::default()) {
    ///     println!("{} opened {} cookies", report.status.key_id, report.opened);
    /// }
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn reports(&self, settings: &RotationSettings, now: Timestamp) -> Vec<KeyReport> {
        KeyReport::of_ring(&self.current(), settings, now)
    }

    /// Why the last reload of a watched ring failed; `None` when it did not. The ring before it is then still in force.
    ///
    /// ```
    /// use sealed_session::{Key, RingHandle};
    ///
    /// let handle = RingHandle::from(Key::generate()?);
    /// if let Some(problem) = handle.reload_problem() {
    ///     eprintln!("the keys are those of before: {problem}");
    /// }
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn reload_problem(&self) -> Option<String> {
        self.0.reload_problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_reload_problem(&self, problem: Option<String>) {
        *self.0.reload_problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// From now on, what is not used is known not to be.
    pub(crate) fn begin_counting(&self, now: Timestamp) {
        self.load().slots().iter().for_each(|slot| slot.counts().begin(now));
    }

    /// As [`RingHandle::current`], for as long as one operation takes: cheaper, and not to be kept.
    pub(crate) fn load(&self) -> Guard<Arc<KeyRing>> {
        self.0.current.load()
    }

    /// A cookie names a key that the ring does not have: this server may be the last to hear of it.
    // Security: the client chooses what it names. One such request is passed on between two regular reloads, the others cost
    // one atomic read.
    pub(crate) fn ask_for_early_reload(&self) {
        if let Some(EarlyReload { asked, wake }) = &self.0.early_reload
            && !asked.load(Ordering::Relaxed)
            && !asked.swap(true, Ordering::Relaxed)
        {
            // Full: the watcher is about to read anyway.
            let _ = wake.try_send(());
        }
    }

    /// Whether nobody else is passed on until the watcher comes round.
    #[cfg(test)]
    pub(crate) fn has_asked(&self) -> bool {
        self.0.early_reload.as_ref().is_some_and(|early| early.asked.load(Ordering::Relaxed))
    }

    pub(crate) fn downgrade(&self) -> WeakRingHandle {
        WeakRingHandle(Arc::downgrade(&self.0))
    }
}

impl WeakRingHandle {
    pub(crate) fn upgrade(&self) -> Option<RingHandle> {
        self.0.upgrade().map(RingHandle)
    }
}

impl From<KeyRing> for RingHandle {
    fn from(ring: KeyRing) -> Self {
        Self::new(ring, None)
    }
}

impl From<Key> for RingHandle {
    fn from(key: Key) -> Self {
        Self::from(KeyRing::new(key))
    }
}
