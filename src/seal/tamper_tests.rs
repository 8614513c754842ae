//! Tamper with everything: every bit, every length, every field, every context.
//!
//! The sweep is written over any opener, so that a test can hand it one that ignores the tag and see it caught.

use super::*;
use crate::clock::Timestamp;
use crate::crypto::Suite;
use crate::crypto::random::failing;
use crate::error::{Reason, SealError};
use crate::id::SessionId;
use crate::key::{Key, KeyRing};
use crate::wire::{AssociatedData, Envelope, Header, Kind, Persistence, encoded_text, strip_padding};
use crate::wire::{Lineage, RecordHeader, RecordState, WriteId};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_660);
const SUITES: [Suite; 2] = [Suite::Xaes, Suite::XChaCha];

fn sealer(key: &Key) -> Sealer {
    Sealer::builder(key.clone()).audience("example-app/prod").build().unwrap()
}

fn header() -> Header {
    let (kind, persistence) = (Kind::Inline, Persistence::IdleTimeout);
    let expires = NOW.saturating_add_seconds(7200);
    Header { kind, persistence, id: SessionId::from_bytes([5; 16]), created: NOW, issued: NOW, expires }
}

fn record_header() -> RecordHeader {
    RecordHeader {
        state: RecordState::Open,
        persistence: Persistence::IdleTimeout,
        lifetime_seconds: 0,
        version: 3,
        created: NOW,
        updated: NOW,
        expires: NOW,
        lineage: Lineage::from_base(WriteId::from_bytes([9; 8]), NOW),
    }
}

fn inline(sealer: &Sealer) -> Vec<u8> {
    bytes_of(&sealer.seal_inline(CookieNonce::draw().unwrap(), &header(), br#"{"user":42}"#).unwrap())
}

fn reference(sealer: &Sealer) -> Vec<u8> {
    bytes_of(&sealer.seal_reference(CookieNonce::draw().unwrap(), &header(), 7).unwrap())
}

fn bytes_of(sealed: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(sealed).unwrap()
}

/// An envelope in, and out whether it opened or why not.
type Opener<'a> = &'a dyn Fn(&[u8]) -> Result<(), Reason>;

fn cookie_opener(sealer: &Sealer) -> impl Fn(&[u8]) -> Result<(), Reason> {
    |envelope| sealer.open_cookie(encoded_text(envelope).as_bytes(), NOW).map(|_| ())
}

fn record_opener(sealer: &Sealer) -> impl Fn(&[u8]) -> Result<(), Reason> {
    |envelope| sealer.open_record(&SessionId::from_bytes([5; 16]), NOW, 3, envelope.to_vec(), NOW).map(|_| ())
}

/// Flips each bit and cuts at each length. Returns what opened nevertheless, and what was refused for another reason
/// than the place tells.
fn sweep(envelope: &[u8], open: Opener<'_>) -> Vec<String> {
    assert_eq!(open(envelope), Ok(()), "the sweep starts from an envelope that opens");
    let mut findings = Vec::new();
    for bit in 0..envelope.len() * 8 {
        let mut changed = envelope.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0 => Reason::UnknownVersion,
            1..=8 => Reason::UnknownKey,
            _ => Reason::Unauthentic,
        };
        if open(&changed) != Err(expected) {
            findings.push(format!("bit {bit}: {:?}, expected {expected}", open(&changed)));
        }
    }
    for length in 0..envelope.len() {
        match open(&envelope[..length]) {
            Err(Reason::Unauthentic | Reason::Malformed) => {}
            other => findings.push(format!("length {length}: {other:?}")),
        }
    }
    for extra in [&[0][..], &[0x80], &[0; 16]] {
        if open(&[envelope, extra].concat()) != Err(Reason::Unauthentic) {
            findings.push(format!("{} bytes more", extra.len()));
        }
    }
    findings
}

#[test]
fn no_changed_bit_and_no_other_length_of_an_inline_cookie_opens() {
    for suite in SUITES {
        let sealer = sealer(&Key::generate_with(suite).unwrap());
        assert_eq!(sweep(&inline(&sealer), &cookie_opener(&sealer)), Vec::<String>::new());
    }
}

#[test]
fn no_changed_bit_and_no_other_length_of_a_reference_opens() {
    for suite in SUITES {
        let sealer = sealer(&Key::generate_with(suite).unwrap());
        assert_eq!(sweep(&reference(&sealer), &cookie_opener(&sealer)), Vec::<String>::new());
    }
}

#[test]
fn no_changed_bit_and_no_other_length_of_a_record_opens() {
    for suite in SUITES {
        let sealer = sealer(&Key::generate_with(suite).unwrap());
        let record = sealer.seal_record(&header().id, &record_header(), br#"{"user":42}"#).unwrap();
        assert_eq!(sweep(&record, &record_opener(&sealer)), Vec::<String>::new());
    }
}

#[test]
fn the_sweep_notices_an_opener_that_ignores_the_tag() {
    for suite in SUITES {
        let key = Key::generate_with(suite).unwrap();
        let sealer = sealer(&key);
        let tagless = |envelope: &[u8]| {
            let mut bytes = envelope.to_vec();
            let envelope = Envelope::parse(&mut bytes)?;
            let known = (envelope.key_id == key.id()).then_some(()).ok_or(Reason::UnknownKey);
            known?;
            // Both ciphers add a key stream: sealing zeros tells it, and no tag is asked for.
            let mut plaintext = vec![0; envelope.ciphertext.len()];
            let data = AssociatedData::cookie(&envelope.prefix, sealer.cookie_name(), sealer.audience()).unwrap();
            key.cookie_cipher().seal(&envelope.nonce, data.as_bytes(), &mut plaintext).unwrap();
            plaintext.iter_mut().zip(envelope.ciphertext).for_each(|(stream, byte)| *stream ^= *byte);
            let content = strip_padding(&plaintext)?;
            Header::read(content.first_chunk().ok_or(Reason::Malformed)?).map(|_| ())
        };
        let envelope = inline(&sealer);
        let findings = sweep(&envelope, &tagless);
        let accepted = findings.iter().filter(|finding| finding.contains("Ok(())")).count();
        assert!(accepted >= 128, "the 128 bits of the tag at least must be noticed, {accepted} were");
    }
}

#[test]
fn every_single_character_of_the_text_counts() {
    let sealer = sealer(&Key::generate().unwrap());
    let good = sealer.seal_inline(CookieNonce::draw().unwrap(), &header(), b"{}").unwrap();
    for position in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        assert!(sealer.open_cookie(&changed, NOW).is_err(), "character {position}");
        assert!(sealer.open_cookie(&good.as_bytes()[..position], NOW).is_err(), "cut at {position}");
    }
}

#[test]
fn another_name_or_audience_is_unauthentic() {
    for suite in SUITES {
        let key = Key::generate_with(suite).unwrap();
        let sealed = sealer(&key).seal_inline(CookieNonce::draw().unwrap(), &header(), b"{}").unwrap();
        let contexts = [
            ("session", "example-app/prod"),
            ("__Host-sessioN", "example-app/prod"),
            ("__Host-session", ""),
            ("__Host-session", "example-app/prod2"),
            ("__Host-session", "example-app/pro"),
            // The same bytes joined, split at another place.
            ("__Host-sessionexample", "-app/prod"),
        ];
        for (name, audience) in contexts {
            let other = Sealer::builder(key.clone()).cookie_name(name).audience(audience).build().unwrap();
            assert_eq!(
                other.open_cookie(sealed.as_bytes(), NOW).unwrap_err(),
                Reason::Unauthentic,
                "{name} {audience}"
            );
        }
    }
}

#[test]
fn another_key_is_unknown_and_another_secret_under_the_same_id_is_unauthentic() {
    let key = Key::generate().unwrap();
    let sealed = sealer(&key).seal_inline(CookieNonce::draw().unwrap(), &header(), b"{}").unwrap();
    let other = Key::generate().unwrap();
    assert_eq!(sealer(&other).open_cookie(sealed.as_bytes(), NOW).unwrap_err(), Reason::UnknownKey);
    let mut relabelled = bytes_of(&sealed);
    relabelled[1..9].copy_from_slice(other.id().as_bytes());
    assert_eq!(cookie_opener(&sealer(&other))(&relabelled), Err(Reason::Unauthentic));
    let both = KeyRing::new(key).with_open_only(other).unwrap();
    let both = Sealer::builder(both).audience("example-app/prod").build().unwrap();
    assert_eq!(cookie_opener(&both)(&relabelled), Err(Reason::Unauthentic));
}

#[test]
fn the_key_id_of_the_other_suite_does_not_turn_the_cipher() {
    let secret: [u8; 32] = std::array::from_fn(|i| (i * i * 3 + 1) as u8);
    let [xaes, xchacha] = SUITES.map(|suite| Key::from_bytes(suite, &secret).unwrap());
    let mut envelope = bytes_of(&sealer(&xaes).seal_inline(CookieNonce::draw().unwrap(), &header(), b"{}").unwrap());
    envelope[1..9].copy_from_slice(xchacha.id().as_bytes());
    let both = KeyRing::new(xaes).with_open_only(xchacha).unwrap();
    let both = Sealer::builder(both).audience("example-app/prod").build().unwrap();
    assert_eq!(cookie_opener(&both)(&envelope), Err(Reason::Unauthentic));
}

#[test]
fn a_record_is_no_cookie_and_a_cookie_no_record() {
    let sealer = sealer(&Key::generate().unwrap());
    let record = sealer.seal_record(&header().id, &record_header(), b"{}").unwrap();
    assert_eq!(cookie_opener(&sealer)(&record), Err(Reason::Unauthentic));
    assert_eq!(record_opener(&sealer)(&inline(&sealer)), Err(Reason::Unauthentic));
}

#[test]
fn a_record_opens_for_its_session_version_birth_and_audience_alone() {
    let key = Key::generate().unwrap();
    let sealer = sealer(&key);
    let record = sealer.seal_record(&header().id, &record_header(), b"{}").unwrap();
    let open = |sealer: &Sealer, session: u8, created: Timestamp, version: u64| {
        let session = SessionId::from_bytes([session; 16]);
        sealer.open_record(&session, created, version, record.clone(), NOW).map(|_| ()).err()
    };
    assert_eq!(open(&sealer, 5, NOW, 3), None);
    assert_eq!(open(&sealer, 6, NOW, 3), Some(Reason::Unauthentic));
    assert_eq!(open(&sealer, 5, NOW.saturating_add_seconds(1), 3), Some(Reason::Unauthentic));
    assert_eq!(open(&sealer, 5, NOW, 4), Some(Reason::Unauthentic));
    let other = Sealer::builder(key).audience("example-app/test").build().unwrap();
    assert_eq!(open(&other, 5, NOW, 3), Some(Reason::Unauthentic));
}

#[test]
fn without_random_bytes_nothing_is_sealed() {
    let sealer = sealer(&Key::generate().unwrap());
    failing::during(|| {
        assert!(CookieNonce::draw().is_err());
        assert!(matches!(sealer.seal_record(&header().id, &record_header(), b"{}"), Err(SealError::Random(_))));
        assert!(matches!(sealer.seal(&serde_json::json!({}), NOW), Err(SealError::Random(_))));
        assert!(sealer.csrf_token(&header().id, "", NOW).is_err());
    });
}

#[test]
fn two_seals_of_one_session_have_nothing_in_common_behind_the_key_id() {
    let sealer = sealer(&Key::generate().unwrap());
    let [left, right] = [inline(&sealer), inline(&sealer)];
    assert_eq!(left[..9], right[..9]);
    assert_ne!(left[9..33], right[9..33]);
    assert_ne!(left[33..], right[33..]);
}

#[test]
fn a_csrf_token_with_any_changed_character_does_not_verify() {
    let sealer = sealer(&Key::generate().unwrap());
    let session = header().id;
    let token = sealer.csrf_token(&session, "POST /transfer", NOW).unwrap();
    assert!(sealer.verify_csrf(&session, &token, "POST /transfer", NOW));
    for position in 0..token.len() {
        for replacement in ["A", "B", "_", "=", "é"] {
            let mut changed = token.clone();
            changed.replace_range(position..=position, replacement);
            assert!(changed == token || !sealer.verify_csrf(&session, &changed, "POST /transfer", NOW), "{position}");
        }
    }
    assert!(!sealer.verify_csrf(&session, &token, &"s".repeat(70_000), NOW));
}
