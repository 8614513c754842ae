//! A million sessions in the memory store: bytes for each, and what their expiry costs.
//!
//! Not a measurement of criterion's: one run takes minutes of work and gigabytes of memory, and what it measures is large.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use pollster::block_on;
use sealed_session::Clock as _;
use sealed_session::store::{Created, MemoryStore, Record, RecordId, RecordStore as _};
use sealed_session::testing::ManualClock;

/// Bytes of a sealed record: the smallest, and one that has just outgrown a cookie.
const RECORD_BYTES: [usize; 2] = [305, 2609];
/// As `SessionManager` sweeps would be called.
const BATCH: usize = 10_000;

fn main() {
    let is_trial = std::env::args().any(|argument| argument == "--test");
    let sessions = if is_trial { 10_000 } else { 1_000_000 };
    if let Some(bytes) = std::env::var("MILLION_RECORD_BYTES").ok().and_then(|bytes| bytes.parse().ok()) {
        return measure(sessions, bytes);
    }
    // Each size in a process of its own: memory that was given back to the allocator would be counted for the next.
    for bytes in RECORD_BYTES {
        let status = Command::new(std::env::current_exe().expect("this program"))
            .args(std::env::args().skip(1))
            .env("MILLION_RECORD_BYTES", bytes.to_string())
            .status();
        assert!(status.expect("it starts").success());
    }
    println!("Success: {sessions} sessions of each size");
}

fn measure(sessions: u64, bytes: usize) {
    let clock = ManualClock::at_unix_seconds(4_000_000_000);
    let store = MemoryStore::builder().capacity_bytes(u64::MAX).clock(clock.clone()).build();
    let before = resident_bytes();

    let writing = timed(|| {
        for number in 0..sessions {
            let record = Record::new(1, clock.now().saturating_add_seconds(60 + number % 2), vec![7; bytes]);
            assert_eq!(block_on(store.create(&id(number), record)).expect("room for all"), Created::Created);
        }
    });
    let held = resident_bytes().saturating_sub(before);
    let reading = timed(|| {
        for number in 0..sessions {
            assert!(block_on(store.load(&id(number))).expect("it answers").is_some());
        }
    });

    // Half of them have expired, and the sweep looks at all.
    clock.advance_seconds(60);
    let mut batches = Vec::new();
    let mut swept = 0;
    let sweeping = timed(|| {
        loop {
            let mut removed = 0;
            batches.push(timed(|| removed = block_on(store.sweep(BATCH)).expect("it answers")));
            swept += removed as u64;
            if removed < BATCH {
                break;
            }
        }
    });
    assert_eq!(swept, sessions / 2);
    batches.sort();
    assert_eq!(store.record_count(), sessions - swept);

    let each = |duration: Duration, count: u64| duration.as_secs_f64() * 1e6 / count as f64;
    println!(
        "record of {bytes} bytes: {} bytes held for each ({} accounted), create {:.2} us, load {:.2} us, \
         expired and swept {:.2} us each, a batch of {BATCH}: {:.0} ms in the middle, {:.0} ms at most",
        held / sessions,
        store.held_bytes() / (sessions - swept),
        each(writing, sessions),
        each(reading, sessions),
        each(sweeping, swept),
        milliseconds(batches[batches.len() / 2]),
        milliseconds(batches[batches.len() - 1]),
    );
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Spread over the whole range, as derived ids are.
fn id(number: u64) -> RecordId {
    let mixed = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    RecordId::from_bytes(mixed.to_be_bytes())
}

#[expect(clippy::disallowed_methods, reason = "a measurement of time")]
fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// What the operating system says that this process holds in memory.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux system");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS is always there");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
