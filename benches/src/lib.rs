//! What is measured, and what it is measured against.

pub mod machine;
pub mod peers;
pub mod plot;
pub mod reload;
pub mod rounds;
pub mod stopwatch;
pub mod stores;
pub mod visit;

use std::time::Duration;

use cookie::{Cookie, CookieJar};
use criterion::Criterion;
use sealed_session::sealer::Sealer;
use sealed_session::{Key, Suite, Timestamp};
use serde_json::value::RawValue;

/// The name of every cookie: one character, which leaves the most room for data.
pub const NAME: &str = "s";

/// The application of every cookie.
pub const AUDIENCE: &str = "example-app/bench";

/// Bytes of JSON. The last is the most that fits: name and value of a cookie are 4096 characters together, and 3000
/// bytes of JSON would be 4110.
pub const SIZES: [usize; 4] = [64, 256, 1024, 2989];

/// The instant at which everything happens.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

/// Short measurements, so that all of them take about two minutes.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .sample_size(50)
        .without_plots()
        .configure_from_args()
}

/// A JSON object of exactly so many bytes: numbers, texts and a list, as sessions have them.
///
/// # Panics
///
/// For fewer than 64 bytes.
pub fn json(bytes: usize) -> Box<RawValue> {
    let head = r#"{"user":42,"role":"admin","cart":[17,23,42],"note":""#;
    let filling = bytes.checked_sub(head.len() + 2).expect("there is room for the object");
    let json = format!("{head}{}\"}}", "abcdefgh".repeat(filling / 8 + 1).split_at(filling).0);
    assert_eq!(json.len(), bytes);
    RawValue::from_string(json).expect("it is JSON")
}

/// Our sealers, one of each suite, each with its name.
///
/// # Panics
///
/// When the operating system gives no random bytes.
pub fn sealers() -> [(&'static str, Sealer); 2] {
    [Suite::Xaes, Suite::XChaCha].map(|suite| (suite.name(), sealer(Key::generate_with(suite).expect("random bytes"))))
}

/// A sealer of this key.
///
/// # Panics
///
/// Never: the settings are good.
pub fn sealer(key: Key) -> Sealer {
    Sealer::builder(key).cookie_name(NAME).audience(AUDIENCE).build().expect("the settings are good")
}

/// `cookie`'s private jar with its key.
#[derive(Debug)]
pub struct Peer(cookie::Key);

impl Peer {
    /// A peer with a new key.
    #[expect(clippy::new_without_default, reason = "a key is drawn, and no two are alike")]
    pub fn new() -> Self {
        Self(cookie::Key::generate())
    }

    /// The sealed value of a text.
    pub fn seal(&self, text: &str) -> CookieJar {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.0).add(Cookie::new(NAME, text.to_owned()));
        jar
    }

    /// The sealed value in a jar.
    ///
    /// # Panics
    ///
    /// When the jar is empty.
    pub fn value(jar: &CookieJar) -> &str {
        jar.get(NAME).expect("the cookie is in the jar").value()
    }

    /// A jar as a request fills it.
    pub fn received(value: &str) -> CookieJar {
        let mut jar = CookieJar::new();
        jar.add_original(Cookie::new(NAME, value.to_owned()));
        jar
    }

    /// The text of the cookie in a jar, if it is good.
    pub fn open(&self, jar: &CookieJar) -> Option<Cookie<'static>> {
        jar.private(&self.0).get(NAME)
    }
}

/// The same text with another tag. Both sides put the tag last; the first character of the last group of four belongs
/// to it alone, and has no bits that base64 wants to be zero.
///
/// # Panics
///
/// For an empty text.
pub fn with_another_tag(text: &str) -> String {
    let data = text.trim_end_matches('=');
    let at = (data.len() - 1) / 4 * 4;
    let other = if data[at..].starts_with('A') { "B" } else { "A" };
    [&text[..at], other, &text[at + 1..]].concat()
}
