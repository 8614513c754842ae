//! What is allocated: nothing for a forgery, one text for a seal.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use sealed_session::sealer::Sealer;
use sealed_session::{Key, Reason, RequestFacts, ResponseFacts, SessionManager, Suite, Timestamp};
use sealed_session_memory_tests::allocations;
use serde::Serialize;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

#[derive(Debug, Serialize)]
struct Account {
    user: u64,
    role: &'static str,
    total: f64,
    items: [Option<u64>; 3],
}

const ACCOUNT: Account = Account { user: 42, role: "admin \u{7}", total: 12.5, items: [Some(1), None, Some(u64::MAX)] };

fn sealers() -> [Sealer; 2] {
    [Suite::Xaes, Suite::XChaCha].map(sealer)
}

fn sealer(suite: Suite) -> Sealer {
    let sealer = Sealer::builder(Key::generate_with(suite).unwrap()).audience("example-app/test").build().unwrap();
    // A thread's first look at a ring takes a place among its readers, and makes it where none was left by a thread that ended.
    assert!(sealer.seal(&json!({}), NOW).is_ok());
    sealer
}

#[test]
fn the_count_is_of_this_thread_and_sees_every_allocation() {
    assert_eq!(allocations(|| ()).0, 0);
    assert_eq!(allocations(|| black_box(vec![1_u8])).0, 1);
    // Not optimized away: in optimized code a vector that nobody sees is never made.
    let (count, ()) = allocations(|| {
        let mut grows = black_box(Vec::with_capacity(1));
        grows.extend_from_slice(&black_box([1_u8; 100]));
        drop(black_box(grows));
        drop(black_box(vec![2_u8]));
    });
    assert_eq!(count, 3);
    let other_thread = std::thread::spawn(|| (0..100).map(|at| vec![at]).collect::<Vec<_>>());
    let (count, _) = allocations(|| while !other_thread.is_finished() {});
    assert_eq!(count, 0);
    assert_eq!(other_thread.join().unwrap().len(), 100);
}

#[test]
fn sealing_a_typed_value_allocates_its_text_and_nothing_else() {
    for sealer in sealers() {
        let (count, sealed) = allocations(|| sealer.seal(&ACCOUNT, NOW));
        let sealed = sealed.unwrap();
        assert_eq!(count, 1);
        assert_eq!(sealed.capacity(), sealed.len());
    }
}

#[test]
fn sealing_the_largest_value_allocates_its_text_and_nothing_else() {
    for sealer in sealers() {
        let filling = "x".repeat(sealer.payload_max_bytes() - r#"{"a":""}"#.len());
        let value = json!({ "a": filling });
        let (count, sealed) = allocations(|| sealer.seal(&value, NOW));
        assert!(sealed.is_ok());
        assert_eq!(count, 1);
    }
}

// `serde_json` keeps the arrays and objects around a value that it skips on the heap: their brackets, nothing of the data.
#[test]
fn a_value_of_more_than_two_levels_costs_one_small_allocation_more() {
    let sealer = sealer(Suite::Xaes);
    let value = json!({ "cart": { "items": [[1, 2], [3]] } });
    let (count, sealed) = allocations(|| sealer.seal(&value, NOW));
    assert!(sealed.is_ok());
    assert_eq!(count, 2);
}

#[test]
fn a_value_that_is_too_large_is_refused_with_one_small_allocation() {
    let sealer = sealer(Suite::Xaes);
    let value = json!({ "a": "x".repeat(10_000) });
    let (count, sealed) = allocations(|| sealer.seal(&value, NOW));
    assert!(sealed.is_err());
    // `serde_json` boxes its error for the full buffer.
    assert_eq!(count, 1);
}

#[test]
fn refusing_a_forgery_allocates_nothing() {
    for sealer in sealers() {
        let good = sealer.seal(&ACCOUNT, NOW).unwrap();
        let other_key = self::sealer(Suite::Xaes).seal(&ACCOUNT, NOW).unwrap();
        // Its first six bits are those of the version's high ones.
        let other_version = good.replacen('A', "B", 1);
        for (forged, reason) in [
            (with_tag_bit_flipped(&good), Reason::Unauthentic),
            (cut(&good), Reason::Unauthentic),
            (other_key, Reason::UnknownKey),
            (other_version, Reason::UnknownVersion),
            (String::new(), Reason::Malformed),
            ("A".repeat(109), Reason::Malformed),
            ("=".repeat(200), Reason::Malformed),
            (format!("{good}="), Reason::Malformed),
            ("A".repeat(4097), Reason::Malformed),
            ("A".repeat(1_000_000), Reason::Malformed),
        ] {
            let (count, outcome) = allocations(|| sealer.open(&forged, NOW).map(|_| ()));
            assert_eq!((count, outcome), (0, Err(reason)), "{forged:.40}");
        }
    }
}

#[test]
fn refusing_what_is_authentic_and_expired_allocates_nothing() {
    for sealer in sealers() {
        let good = sealer.seal(&ACCOUNT, NOW).unwrap();
        let later = NOW.saturating_add_seconds(1_000_000);
        let (count, outcome) = allocations(|| sealer.open(&good, later).map(|_| ()));
        assert_eq!((count, outcome), (0, Err(Reason::ExpiredIdle)));
    }
}

#[test]
fn opening_allocates_the_payload_once_whatever_its_size() {
    for sealer in sealers() {
        for size in [0, 100, 2900] {
            let good = sealer.seal(&json!({ "a": "x".repeat(size), "b": [size] }), NOW).unwrap();
            let (count, opened) = allocations(|| sealer.open(&good, NOW));
            assert!(opened.is_ok());
            assert_eq!(count, 1, "{size}");
        }
    }
}

#[test]
fn a_request_that_never_asks_for_its_session_allocates_one_block() {
    let store = SessionManager::builder(Key::generate().unwrap()).build().unwrap();
    let (count, commit) = allocations(|| {
        let pending = store.begin(&RequestFacts::new());
        now_or_never(pending.commit(&ResponseFacts::new(200))).unwrap()
    });
    assert_eq!(commit, sealed_session::Commit::default());
    assert_eq!(count, 1);
}

#[test]
fn a_request_that_never_asks_copies_its_candidates_and_opens_none() {
    let store = SessionManager::builder(Key::generate().unwrap()).build().unwrap();
    let cookie = format!("{}={}", store.cookie_name(), "A".repeat(300));
    let request = RequestFacts::new().cookie_header(b"theme=dark").cookie_header(cookie.as_bytes());
    let (count, commit) = allocations(|| {
        let pending = store.begin(&request);
        now_or_never(pending.commit(&ResponseFacts::new(200))).unwrap()
    });
    assert_eq!(commit, sealed_session::Commit::default());
    // The candidates, and what is shared with the extractor.
    assert_eq!(count, 2);
}

/// The outcome of a future that waits for nothing; a runtime would allocate beside it.
fn now_or_never<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("waits, and there is no store to wait for"),
    }
}

fn with_tag_bit_flipped(text: &str) -> String {
    // Four characters carry three bytes; the last group's first character is all of the tag.
    let at = (text.len() - 1) / 4 * 4;
    let flipped = if text[at..].starts_with('A') { "B" } else { "A" };
    [&text[..at], flipped, &text[at + 1..]].concat()
}

/// One group of characters less: three bytes of the tag are gone.
fn cut(text: &str) -> String {
    text[..text.len() - 4].to_owned()
}
