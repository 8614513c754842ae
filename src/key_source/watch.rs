use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::KeySource;
use crate::clock::{Clock, SystemClock};
use crate::error::KeySourceError;
use crate::events::{Event, Observer, Observers};
use crate::key::{EarlyReload, KeyRing, RingHandle, WeakRingHandle};
use crate::limits;

/// Keeps a ring as its source has it, for as long as somebody holds the ring's handle.
///
/// A thread reads the source at an interval, and earlier when a cookie names a key that the ring does not have: this server
/// may be the last to hear of a new key. What cannot be read, or is no ring that seals now, is told to the observers and by
/// [`RingHandle::reload_problem`], and the ring before it stays in force. A new ring is put in force when two readings in a
/// row agree on it, so that a file that is being written in place is not taken for a smaller ring.
///
/// ```
/// use std::time::Duration;
/// use sealed_session::{SessionManager, Key, KeyRing};
/// use sealed_session::key_source::{ClosureSource, KeyWatch};
///
/// # let key = Key::generate()?;
/// let source = ClosureSource::new("vault secret/session", move || Ok(KeyRing::new(key.clone())));
/// let ring = KeyWatch::new(source).interval(Duration::from_secs(30)).start()?;
/// let manager = SessionManager::builder(ring).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "`start` makes the handle"]
pub struct KeyWatch {
    source: Arc<dyn KeySource>,
    interval: Duration,
    clock: Arc<dyn Clock>,
    observers: Observers,
}

impl KeyWatch {
    /// A watch over this source.
    ///
    /// ```
    /// use sealed_session::key_source::{ClosureSource, KeyWatch};
    ///
    /// # use sealed_session::{Key, KeyRing};
    /// # let key = Key::generate()?;
    /// # let source = ClosureSource::new("a key of its own", move || Ok(KeyRing::new(key.clone())));
    /// let ring = KeyWatch::new(source).start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(source: impl KeySource) -> Self {
        Self {
            source: Arc::new(source),
            interval: Duration::from_secs(limits::KEY_POLL_SECONDS),
            clock: Arc::new(SystemClock),
            observers: Observers::default(),
        }
    }

    /// How often the source is read; five seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealed_session::key_source::{ClosureSource, KeyWatch};
    ///
    /// # use sealed_session::{Key, KeyRing};
    /// # let key = Key::generate()?;
    /// # let source = ClosureSource::new("a key of its own", move || Ok(KeyRing::new(key.clone())));
    /// let ring = KeyWatch::new(source).interval(Duration::from_secs(60)).start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Where the time comes from at which a ring must have a key that seals; the operating system's clock by default.
    ///
    /// ```
    /// use sealed_session::key_source::{ClosureSource, KeyWatch};
    /// use sealed_session::testing::ManualClock;
    ///
    /// # use sealed_session::{Key, KeyRing};
    /// # let key = Key::generate()?;
    /// # let source = ClosureSource::new("a key of its own", move || Ok(KeyRing::new(key.clone())));
    /// let clock = ManualClock::at_unix_seconds(1_795_000_000);
    /// let ring = KeyWatch::new(source).clock(clock).start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Is told of reloads, on the watching thread. Several are told in the order in which they were added.
    ///
    /// ```
    /// use sealed_session::events::Counters;
    /// use sealed_session::key_source::{ClosureSource, KeyWatch};
    ///
    /// # use sealed_session::{Key, KeyRing};
    /// # let key = Key::generate()?;
    /// # let source = ClosureSource::new("a key of its own", move || Ok(KeyRing::new(key.clone())));
    /// let counters = Counters::default();
    /// let ring = KeyWatch::new(source).observer(counters.clone()).start()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.add(Arc::new(observer));
        self
    }

    /// Reads the ring, and starts the thread that goes on reading it. The thread ends with the last handle.
    ///
    /// ```
    /// use sealed_session::key_source::{ClosureSource, KeySourceError, KeyWatch};
    ///
    /// let source = ClosureSource::new("vault secret/session", || Err("sealed".into()));
    /// assert!(matches!(KeyWatch::new(source).start(), Err(KeySourceError::Other { .. })));
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] when there is no ring to begin with, or none that seals now, or no thread to be had.
    pub fn start(self) -> Result<RingHandle, KeySourceError> {
        let ring = self.source.load()?;
        check(&ring, &*self.clock)?;
        if !self.source.may_change() {
            return Ok(ring.into());
        }
        let (wake, woken) = sync_channel(1);
        let asked = Arc::new(AtomicBool::new(false));
        let handle = RingHandle::watched(ring, EarlyReload { asked: Arc::clone(&asked), wake });
        let ring = handle.downgrade();
        let interval = self.interval.max(Duration::from_millis(limits::KEY_SETTLE_MILLISECONDS));
        let reloader = Reloader::new(self);
        thread::Builder::new()
            .name("session-keys".to_owned())
            .spawn(move || reloader.run(&ring, &woken, &asked, interval))
            .map_err(KeySourceError::Thread)?;
        Ok(handle)
    }
}

impl fmt::Debug for KeyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyWatch").field("interval", &self.interval).finish_non_exhaustive()
    }
}

/// Reads the source again and again.
pub(super) struct Reloader {
    watch: KeyWatch,
    /// Read once and not yet put in force.
    candidate: Option<KeyRing>,
    /// The candidate is to be read again soon, and not after the interval.
    pub(super) is_settling: bool,
}

impl Reloader {
    pub(super) const fn new(watch: KeyWatch) -> Self {
        Self { watch, candidate: None, is_settling: false }
    }

    fn run(mut self, ring: &WeakRingHandle, woken: &Receiver<()>, asked: &AtomicBool, interval: Duration) {
        loop {
            let settle = Duration::from_millis(limits::KEY_SETTLE_MILLISECONDS);
            match woken.recv_timeout(if self.is_settling { settle } else { interval }) {
                Ok(()) => {}
                // Only behind a regular reading, so that requests cannot keep the source busy.
                Err(RecvTimeoutError::Timeout) if !self.is_settling => asked.store(false, Ordering::Relaxed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let Some(ring) = ring.upgrade() else { return };
            self.poll(&ring);
        }
    }

    /// One reading.
    pub(super) fn poll(&mut self, ring: &RingHandle) {
        // An application's own source may panic. The thread goes on: without it no key would ever be taken out again, and
        // nobody told.
        let read = catch_unwind(AssertUnwindSafe(|| self.read(ring)));
        let problem = read.unwrap_or_else(|_| {
            self.forget_candidate();
            Some("the source of the keys panicked".to_owned())
        });
        // A problem that stays is told once.
        let is_new = problem != ring.reload_problem();
        ring.set_reload_problem(problem.clone());
        if let Some(problem) = problem.filter(|_| is_new) {
            self.watch.observers.tell(&Event::RingReloadFailed { problem });
        }
    }

    /// Reads the source, and tells what is wrong with it.
    fn read(&mut self, ring: &RingHandle) -> Option<String> {
        let problem = match self.watch.source.load() {
            Ok(loaded) => self.settle(ring, loaded).err(),
            Err(error) => {
                self.forget_candidate();
                Some(error)
            }
        };
        problem.map(|error| error.to_string())
    }

    /// Puts a ring in force that was read twice.
    fn settle(&mut self, ring: &RingHandle, loaded: KeyRing) -> Result<(), KeySourceError> {
        let candidate = self.candidate.take();
        self.is_settling = false;
        if *ring.load().as_ref() == loaded {
            return Ok(());
        }
        let now = self.watch.clock.now();
        // Before it is a candidate: a problem that is there with every second reading would be told again and again.
        loaded.check(now).map_err(refused)?;
        if candidate.as_ref() != Some(&loaded) {
            // A source that says something else each time is not asked more often for it.
            self.is_settling = candidate.is_none();
            self.candidate = Some(loaded);
            return Ok(());
        }
        let key_ids = loaded.key_ids().collect();
        if ring.replace(loaded, now).map_err(refused)? {
            self.watch.observers.tell(&Event::RingReplaced { key_ids });
        }
        Ok(())
    }

    fn forget_candidate(&mut self) {
        (self.candidate, self.is_settling) = (None, false);
    }
}

/// A ring in which nothing seals is as bad as none.
fn check(ring: &KeyRing, clock: &dyn Clock) -> Result<(), KeySourceError> {
    ring.check(clock.now()).map_err(refused)
}

fn refused(source: crate::error::KeyError) -> KeySourceError {
    KeySourceError::Ring { place: "the ring of keys".to_owned(), source }
}
