//! A store over a ring that somebody replaces meanwhile, and work on several threads.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sealed_session::cookie::CookieAttributes;
use sealed_session::events::{Event, Observer};
use sealed_session::key_source::{FileSource, KeyWatch};
use sealed_session::testing::ManualClock;
use sealed_session::{Key, KeyRing, RingHandle, SessionManager};

use crate::stopwatch::{Stopwatch, Took};
use crate::{NAME, NOW};

/// How often a watched file is read: the shortest that there is.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Who replaces the ring, and when.
#[derive(Clone, Copy, Debug)]
pub enum Reload {
    /// Nobody.
    Never,
    /// Somebody with the other ring in hand, at this interval.
    Each(Duration),
    /// Somebody who does the same to a ring that no request uses: what the company of such a thread costs by itself.
    EachElsewhere(Duration),
    /// A watch over a file that changes, each time for as long as the watch takes to believe it.
    Watched,
}

/// Two rings that seal under the same key, and open with different ones besides.
#[derive(Debug)]
pub struct Rings([KeyRing; 2], [String; 2]);

impl Rings {
    /// Rings of new keys.
    ///
    /// # Panics
    ///
    /// When the operating system gives no random bytes.
    #[expect(clippy::new_without_default, reason = "keys are drawn, and no two are alike")]
    pub fn new() -> Self {
        let key = || Key::generate().expect("random bytes");
        let sealing = key();
        let texts =
            [key(), key()].map(|other| [sealing.clone(), other].map(|key| key.to_secret_text().to_string()).join("\n"));
        Self(texts.clone().map(|text| KeyRing::from_text(&text).expect("it is a ring")), texts)
    }
}

/// A store whose ring is replaced until the end.
#[derive(Debug)]
pub struct Running {
    /// The store.
    pub store: SessionManager,
    replacing: Option<Replacing>,
}

#[derive(Debug)]
struct Replacing {
    has_ended: Arc<AtomicBool>,
    times: Arc<Times>,
    interval: Duration,
    thread: JoinHandle<()>,
}

/// How often the ring was replaced.
#[derive(Debug, Default)]
struct Times(AtomicUsize);

impl Observer for Times {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::RingReplaced { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Running {
    /// A new store over the first of the rings.
    ///
    /// # Panics
    ///
    /// When there is no folder for a file, or no thread.
    #[must_use]
    pub fn start(rings: &Rings, reload: &Reload) -> Self {
        let Rings([first, _], texts) = rings;
        let (ring, replacing) = match reload {
            Reload::Never => (RingHandle::from(first.clone()), None),
            Reload::Each(interval) | Reload::EachElsewhere(interval) => {
                let (ring, rings) = (RingHandle::from(first.clone()), rings.0.clone());
                let handle = match reload {
                    Reload::Each(_) => ring.clone(),
                    _ => RingHandle::from(first.clone()),
                };
                let replace =
                    move |time: usize| handle.replace(rings[(time + 1) % 2].clone(), NOW).expect("both rings seal");
                (ring, Some(Replacing::start(*interval, Arc::default(), replace)))
            }
            Reload::Watched => {
                let path = std::env::temp_dir().join(format!("sealed-session-benches-{}.keys", std::process::id()));
                write(&path, &texts[0]);
                let times = Arc::<Times>::default();
                let watch = KeyWatch::new(FileSource::new(&path)).interval(POLL_INTERVAL).observer(Arc::clone(&times));
                let (ring, texts) = (watch.start().expect("it is a ring"), texts.clone());
                let replace = move |time: usize| {
                    write(&path, &texts[(time + 1) % 2]);
                    // The observer counts.
                    false
                };
                // Read once, and once more to be believed; half an interval more, so that neither is missed.
                (ring, Some(Replacing::start(POLL_INTERVAL * 5 / 2, times, replace)))
            }
        };
        let store = SessionManager::builder(ring)
            .audience("example-app/bench")
            .cookie(CookieAttributes::new().name(NAME))
            .clock(ManualClock::at_unix_seconds(NOW.unix_seconds()))
            .build()
            .expect("the settings are good");
        Self { store, replacing }
    }

    /// Ends the replacing, which must have happened in the time that the work took.
    ///
    /// # Panics
    ///
    /// When it did not happen.
    pub fn end(self, took: Duration) {
        let Some(Replacing { has_ended, times, interval, thread }) = self.replacing else { return };
        has_ended.store(true, Ordering::Relaxed);
        thread.thread().unpark();
        thread.join().expect("nothing was refused");
        let times = times.0.load(Ordering::Relaxed);
        // Fewer than were due on a machine that is busy elsewhere, but never none.
        assert!(times > 0 || took < interval * 8, "the ring was not replaced within {took:?}");
    }
}

impl Replacing {
    /// Calls a function with its number from 0 on; it says whether it has replaced the ring.
    fn start(interval: Duration, times: Arc<Times>, replace: impl Fn(usize) -> bool + Send + 'static) -> Self {
        let has_ended = Arc::new(AtomicBool::new(false));
        let (ended, count) = (Arc::clone(&has_ended), Arc::clone(&times));
        let thread = thread::spawn(move || {
            for number in 0.. {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                if replace(number) {
                    count.0.fetch_add(1, Ordering::Relaxed);
                }
                thread::park_timeout(interval);
            }
        });
        Self { has_ended, times, interval, thread }
    }
}

/// As an operator's command does it: another file in its place.
fn write(path: &PathBuf, ring: &str) {
    let new = path.with_extension("new");
    fs::write(&new, ring).and_then(|()| fs::rename(&new, path)).expect("there is a folder for temporary files");
}

/// What it takes so many threads to do something so many times each, all at once.
///
/// # Panics
///
/// When the work does.
pub fn time_on_threads(threads: u32, times: u64, work: impl Fn() + Sync) -> Took {
    let start = Barrier::new(threads as usize);
    let run = || {
        start.wait();
        let stopwatch = Stopwatch::start();
        (0..times).for_each(|_| work());
        let Took { elapsed, on_processor } = stopwatch.took();
        (elapsed, on_processor)
    };
    let (elapsed, on_processor): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|thread| thread.join().expect("the work is done")).unzip()
    });
    let on_processor: Option<Duration> = on_processor.into_iter().sum();
    Took { elapsed: elapsed.iter().sum::<Duration>() / threads, on_processor: on_processor.map(|sum| sum / threads) }
}
