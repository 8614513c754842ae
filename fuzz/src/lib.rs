//! What was sealed, and so all that may open: the known answers of the wire format, section 10.

pub mod edits;

use std::sync::LazyLock;

use sealed_session::sealer::Sealer;
use sealed_session::{KeyRing, Lifetimes, Timestamp};
use serde_json::{Map, Value};

/// The known answers, read once.
pub static KNOWN: LazyLock<Known> = LazyLock::new(Known::read);

/// Texts that were sealed under the keys of one ring, and what is to come of each.
#[derive(Debug)]
pub struct Known {
    /// The keys of both suites; the first one seals.
    pub ring: KeyRing,
    /// The name that the cookies are bound to.
    pub cookie_name: String,
    /// The application that the cookies are bound to.
    pub audience: String,
    /// The instant at which every text is read.
    pub now: Timestamp,
    /// Texts that open.
    pub good: Vec<Good>,
    /// Texts that do not open, each with its reason code. Many of them are authentic.
    pub refused: Vec<(String, String)>,
}

/// A text that opens, with what its plaintext says.
#[derive(Debug)]
pub struct Good {
    /// The cookie's value.
    pub text: String,
    /// The data; `None` for a reference.
    pub payload: Option<Map<String, Value>>,
    /// Bit 5 of the first byte: the session has a lifetime of its own.
    pub has_own_lifetime: bool,
    /// Birth of the session, in seconds since 1970.
    pub created: u64,
    /// When it was sealed, in seconds since 1970.
    pub issued: u64,
    /// End of the idle lifetime, in seconds since 1970.
    pub expires: u64,
}

impl Known {
    /// A sealer that opens the good texts.
    ///
    /// # Panics
    ///
    /// When the settings of the known answers are none that a sealer takes.
    pub fn sealer(&self) -> Sealer {
        Sealer::builder(self.ring.clone())
            .cookie_name(&self.cookie_name)
            .audience(&self.audience)
            .lifetimes(Lifetimes::default())
            .build()
            .expect("the settings of the known answers are good")
    }

    /// The good text that this is.
    pub fn find(&self, text: &[u8]) -> Option<&Good> {
        self.good.iter().find(|good| good.text.as_bytes() == text)
    }

    /// The reason code of the refused text that this is.
    pub fn reason(&self, text: &[u8]) -> Option<&str> {
        self.refused.iter().find(|(refused, _)| refused.as_bytes() == text).map(|(_, reason)| reason.as_str())
    }

    /// Every text, good ones first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.good.iter().map(|good| good.text.as_str()).chain(self.refused.iter().map(|(text, _)| text.as_str()))
    }

    fn read() -> Self {
        let json: Value = serde_json::from_str(include_str!("../../tests/vectors/sealed_session_v1.json"))
            .expect("the known answers are JSON");
        let suites = json["suites"].as_array().expect("the known answers are for suites");
        let keys: Vec<&str> = suites.iter().map(|suite| text(&suite["key_text"])).collect();
        Self {
            ring: keys.join("\n").parse().expect("the keys of the known answers make a ring"),
            cookie_name: text(&json["cookie_name"]).to_owned(),
            audience: text(&json["audience"]).to_owned(),
            now: Timestamp::from_unix_seconds(json["now"].as_u64().expect("the known answers name an instant")),
            good: suites.iter().flat_map(|suite| list(&suite["cookies"])).map(Good::read).collect(),
            refused: suites
                .iter()
                .flat_map(|suite| list(&suite["refused"]))
                .map(|refused| (text(&refused["text"]).to_owned(), text(&refused["reason"]).to_owned()))
                .collect(),
        }
    }
}

impl Good {
    /// Wire format, section 3.
    fn read(cookie: &Value) -> Self {
        let plaintext = from_hex(text(&cookie["plaintext"]));
        let time =
            |offset: usize| plaintext[offset..offset + 5].iter().fold(0, |time, byte| time << 8 | u64::from(*byte));
        let end = plaintext.iter().rposition(|byte| *byte == 0x80).expect("a plaintext is padded");
        Self {
            text: text(&cookie["text"]).to_owned(),
            payload: (plaintext[0] & 0x0f == 0)
                .then(|| serde_json::from_slice(&plaintext[32..end]).expect("an inline payload is a JSON object")),
            has_own_lifetime: plaintext[0] & 0x20 != 0,
            created: time(17),
            issued: time(22),
            expires: time(27),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("the known answers have a list here")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("the known answers have a text here")
}

fn from_hex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("the known answers are in hex");
    (0..digits.len()).step_by(2).map(digit).collect()
}
