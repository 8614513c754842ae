//! Whatever stands in the `Cookie` headers, the session is that of the genuine cookie among them, or it is empty.
//!
//! ```text
//! offset 0      1        2         3      4
//!        ├──────┼────────┼─────────┼──────┼──────────────────────────────────────┤
//!        splice handler  header    pair   headers, separated by line feeds
//! ```
//!
//! Splice and handler are taken modulo their number of choices, so that seeds begin with digits. What is spliced in
//! stands before the pair of that number in the header of that number.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealed_session::sealer::Sealer;
use sealed_session::testing::ManualClock;
use sealed_session::{Commit, Lifetimes, RequestFacts, ResponseFacts, Session, SessionManager};
use sealed_session_fuzz::{Good, KNOWN};
use serde_json::{Map, Value, json};

/// Of our cookies, as many are tried: behaviour of the reader, and a bound on what a client can make us decrypt.
const CANDIDATES: usize = 4;
const HEADERS: usize = 8;
/// With so many cookies in the form of a marker, no session is opened.
const MARKERS: usize = 16;

fuzz_target!(|input: &[u8]| {
    let Some(([splice, handler, header, pair], rest)) = input.split_first_chunk() else { return };
    let mut headers: Vec<Vec<u8>> = rest.split(|byte| *byte == b'\n').take(HEADERS).map(<[u8]>::to_vec).collect();
    let Genuine { ours, ours_again, stranger, refused, .. } = &*GENUINE;
    let spliced: &[&String] = match splice % 6 {
        0 => &[],
        1 => &[ours],
        2 => &[ours, stranger],
        3 => &[ours, ours_again],
        4 => &[stranger],
        _ => &[refused],
    };
    let is_junk = is_junk(&headers, spliced.len());
    for (nth, text) in spliced.iter().enumerate() {
        let at = usize::from(*header) + nth * usize::from(*pair);
        insert_pair(&mut headers, at, usize::from(*pair), text);
    }
    let request = headers.iter().fold(RequestFacts::new(), |request, header| request.cookie_header(header));
    let expected = Expected::of(&headers);
    if is_junk {
        // What was spliced in decides alone.
        match splice % 6 {
            1 | 3 => assert_eq!(expected.data(), GENUINE.our_data),
            4 => assert_eq!(expected.data(), GENUINE.strangers_data),
            _ => assert!(!expected.is_opened()),
        }
    }
    pollster::block_on(run(*handler, &request, &expected));
});

/// One request, with a handler that does one thing, and the laws for what comes of it.
async fn run(handler: u8, request: &RequestFacts<'_>, expected: &Expected) {
    let pending = STORE.begin(request);
    let response = ResponseFacts::new(200);
    if handler.is_multiple_of(4) {
        let commit = pending.commit(&response).await.expect("a request that asks for nothing commits");
        assert_eq!(commit, Commit::default());
        return;
    }
    let session = pending.session().await.expect("a cookie is never an error");
    if handler % 4 == 1 {
        // Nothing was read: the response does not depend on the session.
        let commit = pending.commit(&response).await.expect("a session that was not changed commits");
        assert!(!commit.add_vary_cookie || expected.is_opened());
        written_is_read_back(&commit, expected.data());
        return;
    }
    assert_eq!(session.is_new(), !expected.is_opened());
    assert_eq!(session.all(), expected.data());
    if handler % 4 == 2 {
        let commit = pending.commit(&response).await.expect("a session that was read commits");
        assert!(commit.add_vary_cookie);
        assert_eq!(commit.cache_control.is_some(), expected.is_opened());
        assert!(expected.is_opened() || commit.set_cookies.is_empty());
        written_is_read_back(&commit, expected.data());
        return;
    }
    write(&session, &pending, expected.data()).await;
}

async fn write(session: &Session, pending: &sealed_session::PendingSession, mut data: Map<String, Value>) {
    session.put("fuzzed", &1).expect("a number can be put");
    data.insert("fuzzed".to_owned(), json!(1));
    match pending.commit(&ResponseFacts::new(200)).await {
        Ok(commit) => {
            assert_eq!(commit.set_cookies.len(), 1);
            assert!(commit.add_vary_cookie && commit.cache_control.is_some());
            written_is_read_back(&commit, data);
        }
        // The largest payload that fits has no room for another member.
        Err(error) => assert!(Value::from(data).to_string().len() > SEALER.payload_max_bytes() - 100, "{error}"),
    }
}

/// At most one cookie, whose value opens to what the session holds.
fn written_is_read_back(commit: &Commit, data: Map<String, Value>) {
    assert!(commit.set_cookies.len() <= 1);
    for line in &commit.set_cookies {
        let value = line.strip_prefix(&KNOWN.cookie_name).and_then(|rest| rest.strip_prefix('='));
        let value = value.and_then(|rest| rest.split(';').next()).expect("the cookie is ours");
        let opened = SEALER.open(value, KNOWN.now).expect("what we sealed opens");
        let mut payload = opened.payload().expect("without a store the data is in the cookie");
        payload.remove("~");
        assert_eq!(payload, data);
    }
}

/// Whether a name goes on as that of a marker, up to its value.
fn is_marker(rest: &[u8]) -> bool {
    let Some((digits, rest)) = rest.strip_prefix(b"-").and_then(|rest| rest.split_at_checked(16)) else { return false };
    let rest = rest.strip_prefix(b"-ended").unwrap_or(rest);
    digits.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)) && rest.starts_with(b"=")
}

/// What the headers come to, read as slowly and plainly as RFC 6265bis §4.2 has it.
enum Expected {
    New,
    Opened(Map<String, Value>),
}

impl Expected {
    fn of(headers: &[Vec<u8>]) -> Self {
        let name = KNOWN.cookie_name.as_bytes();
        let (mut candidates, mut markers) = (Vec::new(), 0);
        for pair in headers.iter().flat_map(|header| header.split(|byte| *byte == b';')) {
            let pair = trim(pair);
            if pair.len() > name.len() && &pair[..name.len()] == name && pair[name.len()] == b'=' {
                candidates.push(&pair[name.len() + 1..]);
            }
            markers += usize::from(pair.strip_prefix(name).is_some_and(is_marker));
        }
        if markers >= MARKERS {
            // The one that counts might be among those that are not looked at.
            return Self::New;
        }
        candidates.truncate(CANDIDATES);
        let ours: Vec<&Good> = candidates.iter().filter_map(|candidate| KNOWN.find(candidate)).collect();
        let is_stranger = candidates.contains(&GENUINE.stranger.as_bytes());
        match (ours.first(), is_stranger) {
            (None, true) => Self::Opened(GENUINE.strangers_data.clone()),
            // All known texts are of one session and one instant: the first counts. A reference finds no store here.
            (Some(first), false) => match &first.payload {
                Some(payload) => Self::Opened(without_reserved(payload)),
                None => Self::New,
            },
            (Some(_), true) | (None, false) => Self::New,
        }
    }

    fn is_opened(&self) -> bool {
        matches!(self, Self::Opened(_))
    }

    fn data(&self) -> Map<String, Value> {
        match self {
            Self::New => Map::new(),
            Self::Opened(data) => data.clone(),
        }
    }
}

/// Texts that are spliced in.
struct Genuine {
    ours: String,
    /// Another good cookie of the same session, with the same data.
    ours_again: String,
    our_data: Map<String, Value>,
    /// A good cookie of another session.
    stranger: String,
    strangers_data: Map<String, Value>,
    /// Authentic, and no session.
    refused: String,
}

static SEALER: LazyLock<Sealer> = LazyLock::new(|| KNOWN.sealer());

static STORE: LazyLock<SessionManager> = LazyLock::new(|| {
    SessionManager::builder(KNOWN.ring.clone())
        .audience(&KNOWN.audience)
        .lifetimes(Lifetimes::default())
        .clock(ManualClock::at_unix_seconds(KNOWN.now.unix_seconds()))
        .build()
        .expect("the settings of the known answers are good")
});

static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    assert!(KNOWN.good.iter().all(|good| good.issued == KNOWN.good[0].issued));
    let strangers_data = Map::from_iter([("user".to_owned(), json!("somebody else"))]);
    let is_payload = |refused: &&(String, String)| refused.1 == "payload";
    Genuine {
        ours: KNOWN.good[0].text.clone(),
        ours_again: KNOWN.good[1].text.clone(),
        our_data: KNOWN.good[0].payload.as_ref().map(without_reserved).expect("the first known answer is inline"),
        stranger: SEALER.seal(&strangers_data, KNOWN.now).expect("an object can be sealed"),
        strangers_data,
        refused: KNOWN.refused.iter().find(is_payload).expect("one is refused for its payload").0.clone(),
    }
});

/// Puts our cookie, as a pair of its own, before the pair of this number in the header of this number.
fn insert_pair(headers: &mut [Vec<u8>], header: usize, pair: usize, value: &str) {
    let header = header % headers.len();
    let Some(header) = headers.get_mut(header) else { return };
    let ours = [KNOWN.cookie_name.as_bytes(), b"=", value.as_bytes()].concat();
    let mut pairs: Vec<&[u8]> = header.split(|byte| *byte == b';').collect();
    pairs.insert(pair % (pairs.len() + 1), &ours);
    *header = pairs.join(&b';');
}

/// Whether nothing in the headers is a session, and so little of our name that a few more cookies are still tried.
fn is_junk(headers: &[Vec<u8>], more: usize) -> bool {
    let count = |needle: &[u8]| -> usize {
        let is_here = |window: &&[u8]| window[0] == needle[0] && *window == needle;
        headers.iter().map(|header| header.windows(needle.len()).filter(is_here).count()).sum()
    };
    let of_our_name = count(KNOWN.cookie_name.as_bytes());
    of_our_name + more <= CANDIDATES
        && (of_our_name == 0 || KNOWN.good.iter().all(|good| count(good.text.as_bytes()) == 0))
}

fn without_reserved(payload: &Map<String, Value>) -> Map<String, Value> {
    payload.iter().filter(|(name, _)| *name != "~").map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// RFC 9110 §5.6.3: optional white space is spaces and tabs.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
