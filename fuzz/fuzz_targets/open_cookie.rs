//! Nothing opens that was not sealed.
//!
//! ```text
//! offset 0      1
//!        ├──────┼──────────────────────────────────────────────────────────────┤
//!        mode   0: a cookie's value
//!               1: which known text (1 byte), then edits to its envelope
//!               2: which known text (1 byte), then edits to its characters
//!               3: which known text (1 byte), then the instant at which it is read (5 bytes)
//! ```
//!
//! The mode is taken modulo 4, so that seeds begin with a digit.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use sealed_session::sealer::Sealer;
use sealed_session::{Reason, Timestamp};
use sealed_session_fuzz::{KNOWN, edits};

static SEALER: LazyLock<Sealer> = LazyLock::new(|| KNOWN.sealer());
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| KNOWN.texts().map(|text| text.as_bytes().to_vec()).collect());
/// Of the texts that are base64url: some of the refused ones are not.
static ENVELOPES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| TEXTS.iter().filter_map(|text| URL_SAFE_NO_PAD.decode(text).ok()).collect());

fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    match (mode % 4, rest.split_first()) {
        (0, _) => read_now(rest),
        (1, Some((which, script))) => {
            let mut envelope = pick(&ENVELOPES, *which).clone();
            edits::run(script, &mut envelope, &ENVELOPES);
            read_now(URL_SAFE_NO_PAD.encode(envelope).as_bytes());
        }
        (2, Some((which, script))) => {
            let mut characters = pick(&TEXTS, *which).clone();
            edits::run(script, &mut characters, &TEXTS);
            read_now(&characters);
        }
        (3, Some((which, instant))) => read_at(*which, instant),
        _ => {}
    }
});

/// A text opens exactly when it was sealed for us, and an unknown one gets no further than its tag.
fn read_now(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match (SEALER.open(text, KNOWN.now), KNOWN.find(text.as_bytes()), KNOWN.reason(text.as_bytes())) {
        (Ok(opened), Some(good), _) => {
            assert_eq!(opened.payload(), good.payload);
            assert_eq!(opened.expires().unix_seconds(), good.expires);
        }
        (Ok(_), None, _) => panic!("opens, and was never sealed: {text}"),
        (Err(reason), Some(_), _) => panic!("{reason}, and is good: {text}"),
        (Err(reason), None, Some(known)) => assert_eq!(reason.as_str(), known, "{text}"),
        (Err(reason), None, None) => assert!(
            matches!(reason, Reason::Malformed | Reason::UnknownVersion | Reason::UnknownKey | Reason::Unauthentic),
            "{reason} is found behind the tag, and this was never sealed: {text}"
        ),
    }
}

/// A good text opens exactly while it lasts: wire format, section 4, step 9, with the default lifetimes.
fn read_at(which: u8, instant: &[u8]) {
    const SKEW: u64 = 60;
    const IDLE: u64 = 2 * 60 * 60;
    const ABSOLUTE: u64 = 30 * 24 * 60 * 60;

    let good = pick(&KNOWN.good, which);
    let now = instant.iter().take(5).fold(0, |time, byte| time << 8 | u64::from(*byte));
    let max_idle = if good.has_own_lifetime { ABSOLUTE } else { IDLE };
    let lasts = good.issued <= now + SKEW
        && now < good.expires
        && now < good.issued + max_idle
        && now < good.created + ABSOLUTE;
    let outcome = SEALER.open(&good.text, Timestamp::from_unix_seconds(now));
    assert_eq!(outcome.is_ok(), lasts, "{} at {now}: {outcome:?}", good.text);
    if let Err(reason) = outcome {
        assert!(matches!(reason, Reason::NotYetValid | Reason::ExpiredIdle | Reason::ExpiredAbsolute), "{reason}");
    }
}

fn pick<T>(list: &[T], which: u8) -> &T {
    &list[usize::from(which) % list.len()]
}
