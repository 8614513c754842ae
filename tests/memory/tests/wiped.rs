//! What is left in memory that is given back: nothing of a key, nothing of a payload in the crate's own buffers.
//!
//! Not promised, and so not here: the stack, over which Rust moves values as it likes; swap and core dumps; the sealed
//! text, which travels in the open anyway; and what the application holds, see
//! `trees_of_values_are_not_wiped`. What was on the stack can come to the heap, see [`at_most`].

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealed_session::sealer::Sealer;
use sealed_session::store::MemoryStore;
use sealed_session::testing::ManualClock;
use sealed_session::{Config, Key, KeyRing, RequestFacts, ResponseFacts, SessionManager, Suite, Timestamp};
use sealed_session_memory_tests::{secret_words_before_and_after, sightings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const SUITES: [Suite; 2] = [Suite::Xaes, Suite::XChaCha];
const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_660);

/// Stands in no other text of these tests.
const MARKER: &str = "m4rker-of-the-payload";

/// Holds counts to zero, but for copies that came by way of the stack.
///
/// A value is built on the stack and moved to the heap with the bytes that it does not use (the shorter variants of an
/// enum, the gaps between fields), and those are whatever stood there before; safe code can neither see nor wipe them.
/// Found with Rust 1.95, when optimized: key material in a key of `xchacha`, whose cipher is the smaller variant, and the
/// first round keys of `xaes` in a block of moka's; not optimized: a session's id beside a session without a record.
/// What the crate's own fields hold is held to zero by the build in which the compiler leaves no such copy.
#[track_caller]
fn at_most<const N: usize>(by_way_of_the_stack: usize, counts: [usize; N], suite: Suite) {
    assert!(counts.iter().all(|count| *count <= by_way_of_the_stack), "{suite}: {counts:?}");
}

const OPTIMIZED: bool = !cfg!(debug_assertions);

#[test]
fn the_look_notices_what_is_not_wiped() {
    let ([count], ()) = sightings([MARKER.as_bytes()], || drop(black_box(MARKER.to_owned())));
    assert_eq!(count, 1);
    let ([count], ()) = sightings([MARKER.as_bytes()], || drop(black_box(Zeroizing::new(MARKER.to_owned()))));
    assert_eq!(count, 0);
}

#[test]
fn the_look_notices_what_growing_leaves_behind() {
    let ([count], ()) = sightings([MARKER.as_bytes()], || {
        let mut grows = black_box(Zeroizing::new(String::with_capacity(MARKER.len())));
        grows.push_str(MARKER);
        grows.push_str(MARKER);
    });
    assert_eq!(count, 1);
}

#[test]
fn the_look_notices_what_survives_in_place() {
    let secret = known_answers(Suite::Xaes).secret;
    let (before, after) = secret_words_before_and_after(|| black_box(Box::new(secret)), |_| [1; 8]);
    assert_eq!((before, after), (4, 4));
    let (before, after) = secret_words_before_and_after(|| Zeroizing::new(secret.to_vec()), |_| [1; 8]);
    assert_eq!((before, after), (4, 0));
}

#[test]
fn a_dropped_key_leaves_nothing_that_it_was_made_of() {
    for suite in SUITES {
        let known = known_answers(suite);
        let (counts, ()) = sightings(known.needles(), || {
            let key = Key::from_bytes(suite, &known.secret).unwrap();
            drop(key.clone());
            drop(key);
        });
        at_most(if OPTIMIZED { 4 } else { 0 }, counts, suite);
    }
}

#[test]
fn a_dropped_key_leaves_no_word_that_looks_like_a_secret_but_its_public_id() {
    for suite in SUITES {
        let secret = known_answers(suite).secret;
        let make = || Key::from_bytes(suite, &secret).unwrap();
        let (before, after) = secret_words_before_and_after(make, |key| *key.id().as_bytes());
        // The secret, a cipher's key or schedule, two states of HMAC for records, and the key for tokens.
        assert!(before >= 20, "{suite}: {before}");
        at_most(if OPTIMIZED { 8 } else { 0 }, [after], suite);
    }
}

#[test]
fn a_key_that_is_read_leaves_nothing_of_its_text() {
    for suite in SUITES {
        let known = known_answers(suite);
        let hex = format!("hex:{}", known.secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let base64 = format!("base64:{}", STANDARD.encode(known.secret));
        let broken = known.text[..known.text.len() - 1].to_owned();
        let [secret, cookie, record, csrf, text] = known.needles();
        let needles = [secret, cookie, record, csrf, text, &hex.as_bytes()[4..36], &base64.as_bytes()[7..39]];
        let (counts, ()) = sightings(needles, || {
            for text in [&known.text, &hex, &base64, &broken] {
                drop(Key::from_text_with(text, suite));
                drop(KeyRing::from_text(text));
            }
        });
        at_most(if OPTIMIZED { 4 } else { 0 }, counts, suite);
    }
}

#[test]
fn keys_in_a_configuration_leave_nothing_of_their_text() {
    for suite in SUITES {
        let known = known_answers(suite);
        let section = |ring: &str| format!("[keys]\nsource = \"inline\"\nring = \"{ring}\"");
        let json = |ring: &str| format!(r#"{{"keys":{{"source":"inline","ring":"{ring}"}}}}"#);
        let broken = &known.text[..known.text.len() - 1];
        let files = [known.text.as_str(), broken].map(|ring| (section(ring), json(ring)));
        // In a setting that is no place for a key, it is refused.
        let misplaced = format!("audience = \"{}\"", known.text);
        let variable = ("SEALED_SESSION_KEYS__RING", &known.text);
        let (counts, ()) = sightings(known.needles(), || {
            for (toml, json) in &files {
                drop(Config::from_toml(toml).and_then(|config| config.key_origin()));
                drop(Config::from_json(json));
            }
            drop(Config::from_toml(&misplaced));
            drop(Config::default().overridden_by([variable]));
        });
        at_most(if OPTIMIZED { 4 } else { 0 }, counts, suite);
    }
}

#[test]
fn the_text_form_of_a_key_is_wiped() {
    for suite in SUITES {
        let known = known_answers(suite);
        let key = Key::from_bytes(suite, &known.secret).unwrap();
        let (counts, ()) = sightings(known.needles(), || drop(key.to_secret_text()));
        at_most(if OPTIMIZED { 4 } else { 0 }, counts, suite);
    }
}

#[test]
fn rings_sealers_and_stores_leave_nothing_of_their_keys() {
    for suite in SUITES {
        let known = known_answers(suite);
        let (counts, ()) = sightings(known.needles(), || {
            let key = || Key::from_bytes(suite, &known.secret).unwrap();
            drop(KeyRing::new(Key::generate().unwrap()).with_open_only(key()).unwrap());
            let sealer = Sealer::builder(key()).build().unwrap();
            let sealed = sealer.seal(&json!({}), NOW).unwrap();
            assert!(sealer.open(&sealed, NOW).is_ok());
            drop(sealer.clone());
            drop(sealer);
            let store = SessionManager::builder(key()).store(MemoryStore::new()).build().unwrap();
            drop(write(&store, &[], "small"));
            drop(write(&store, &[], &"large".repeat(2000)));
        });
        at_most(if OPTIMIZED { 4 } else { 0 }, counts, suite);
    }
}

#[test]
fn sealing_leaves_nothing_of_the_payload() {
    for suite in SUITES {
        let sealer = Sealer::builder(Key::generate_with(suite).unwrap()).build().unwrap();
        // With characters that JSON escapes, in the names too.
        let value = json!({ "note": format!("\n\"{MARKER}"), (MARKER): [1, { "deep": [MARKER] }] });
        let too_large = json!({ (MARKER): "x".repeat(5000) });
        let reserved = json!({ "a": MARKER, "~": MARKER });
        let no_object = json!([MARKER]);
        let ([count], ()) = sightings([MARKER.as_bytes()], || {
            assert!(sealer.seal(&value, NOW).is_ok());
            for refused in [&too_large, &reserved, &no_object] {
                assert!(sealer.seal(refused, NOW).is_err());
            }
        });
        assert_eq!(count, 0, "{suite}");
    }
}

#[test]
fn opening_leaves_nothing_of_the_payload() {
    #[derive(Deserialize)]
    struct Account {
        user: u64,
    }

    for suite in SUITES {
        let sealer = Sealer::builder(Key::generate_with(suite).unwrap()).build().unwrap();
        let sealed = sealer.seal(&json!({ "user": 42, "note": format!("\n{MARKER}"), (MARKER): [] }), NOW).unwrap();
        let later = NOW.saturating_add_seconds(1_000_000);
        let ([count], ()) = sightings([MARKER.as_bytes()], || {
            let opened = sealer.open(&sealed, NOW).unwrap();
            // A type of the application's that takes nothing of the marker.
            assert_eq!(opened.read::<Account>().unwrap().user, 42);
            drop(opened);
            assert!(sealer.open(&sealed, later).is_err());
        });
        assert_eq!(count, 0, "{suite}");
    }
}

#[test]
fn the_json_of_a_session_is_wiped_whatever_its_length() {
    let store = SessionManager::builder(Key::generate().unwrap()).store(MemoryStore::new()).build().unwrap();
    // As JSON alone has it: the tree of values holds name and value apart.
    let json = format!("\"note\":\"{MARKER}");
    // Within a small buffer, beyond it, and in a record of the store.
    for length in [0, 1500, 20_000] {
        let note = format!("{MARKER}{}", "x".repeat(length));
        let ([count], ()) = sightings([json.as_bytes()], || {
            let cookie = write(&store, &[], &note);
            // Read again, written again, and moved back into the cookie.
            let cookie = write(&store, cookie.as_bytes(), &format!("{note}y"));
            drop(write(&store, cookie.as_bytes(), MARKER));
        });
        assert_eq!(count, 0, "{length}");
    }
}

#[test]
fn the_id_of_a_session_is_wiped() {
    for suite in SUITES {
        let known = known_answers(suite);
        let clock = ManualClock::at_unix_seconds(NOW.unix_seconds());
        let store = SessionManager::builder(Key::from_bytes(suite, &known.secret).unwrap())
            .audience("example-app/prod")
            .clock(clock.clone())
            .store(MemoryStore::builder().clock(clock).build())
            .build()
            .unwrap();
        let cookie = format!("{}={}", store.cookie_name(), known.cookie);
        let ([count], ()) = sightings([&known.session_id], || {
            assert!(store.sealer().open(&known.cookie, NOW).is_ok());
            let larger = write(&store, cookie.as_bytes(), &"x".repeat(5000));
            drop(write(&store, larger.as_bytes(), "returned"));
        });
        at_most(if OPTIMIZED { 0 } else { 1 }, [count], suite);
    }
}

#[test]
fn a_value_that_was_put_is_wiped_with_its_session() {
    let store = SessionManager::builder(Key::generate().unwrap()).build().unwrap();
    let ([count], ()) = sightings([MARKER.as_bytes()], || drop(write(&store, &[], MARKER)));
    assert_eq!(count, 0);
}

// A limit, and no promise: a change below a member makes a tree of it, `serde_json` frees its strings as they are, and copies
// of values are with the application. This test says when that changes.
#[test]
fn trees_of_values_are_not_wiped() {
    let store = SessionManager::builder(Key::generate().unwrap()).build().unwrap();
    let ([count], ()) = sightings([MARKER.as_bytes()], || {
        let pending = store.begin(&RequestFacts::new());
        now_or_never(pending.session()).unwrap().put("visitor.note", MARKER).unwrap();
    });
    assert_ne!(count, 0);

    let sealed = store.sealer().seal(&json!({ "note": MARKER }), NOW).unwrap();
    let opened = store.sealer().open(&sealed, NOW).unwrap();
    let ([count], ()) = sightings([MARKER.as_bytes()], || drop(opened.payload()));
    assert_ne!(count, 0);
}

/// One request that puts a note; returns what the browser sends back.
fn write(store: &SessionManager, cookie: &[u8], note: &(impl Serialize + ?Sized)) -> String {
    let pending = store.begin(&RequestFacts::new().cookie_header(cookie));
    let session = now_or_never(pending.session()).unwrap();
    assert_eq!(session.is_new(), cookie.is_empty());
    session.put("note", note).unwrap();
    let commit = now_or_never(pending.commit(&ResponseFacts::new(200))).unwrap();
    commit.set_cookies.last().unwrap().split(';').next().unwrap().to_owned()
}

/// The outcome of a future that waits for nothing.
fn now_or_never<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("waits, and the store is in memory"),
    }
}

/// One suite's part of the known answers, wire format, section 10.
struct KnownAnswers {
    secret: [u8; 32],
    text: String,
    cookie_key: [u8; 32],
    record_key: [u8; 32],
    csrf_key: [u8; 32],
    session_id: [u8; 16],
    cookie: String,
}

impl KnownAnswers {
    /// The secret, the first half of the cipher's key (with which an AES schedule begins), the other two derived keys, and the
    /// secret's text.
    fn needles(&self) -> [&[u8]; 5] {
        let secret_text = &self.text.as_bytes()[self.text.len() - 43..];
        [&self.secret, &self.cookie_key[..16], &self.record_key[..16], &self.csrf_key[..16], &secret_text[..32]]
    }
}

fn known_answers(suite: Suite) -> KnownAnswers {
    let json: Value = serde_json::from_str(include_str!("../../vectors/sealed_session_v1.json")).unwrap();
    let of_suite =
        json["suites"].as_array().unwrap().iter().find(|of_suite| of_suite["suite"] == suite.name()).unwrap();
    KnownAnswers {
        secret: from_hex(&json["secret"]),
        text: of_suite["key_text"].as_str().unwrap().to_owned(),
        cookie_key: from_hex(&of_suite["k_cookie"]),
        record_key: from_hex(&of_suite["k_record"]),
        csrf_key: from_hex(&of_suite["k_csrf"]),
        session_id: from_hex(&json["session_id"]),
        cookie: of_suite["cookies"][0]["text"].as_str().unwrap().to_owned(),
    }
}

fn from_hex<const N: usize>(value: &Value) -> [u8; N] {
    let digits = value.as_str().unwrap();
    assert_eq!(digits.len(), 2 * N);
    std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
}
