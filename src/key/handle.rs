use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::{ArcSwap, Guard};

use super::{Key, KeyReport, KeyRing, RotationSettings};
use crate::clock::Timestamp;
use crate::error::KeyError;

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
    /// `now` and the settings are those of the sealer or the store; [`SessionManager::key_reports`](crate::SessionManager::key_reports)
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
