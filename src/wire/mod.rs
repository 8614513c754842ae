//! The bytes of wire format version 1, drawn once. Big-endian throughout; lengths in bytes.
//!
//! ```text
//! envelope    version 0x01 (1) ‖ key id (8) ‖ nonce (24) ‖ ciphertext (n) ‖ tag (16)                       cookies and records
//! text        base64url(envelope), no padding, strict
//!
//! cookie      kind and flags (1) ‖ session id (16) ‖ created (5) ‖ issued (5) ‖ expires (5) ‖ payload ‖ padding
//!             kind 0 inline: the payload is a JSON object      kind 1 reference: the payload is the least version (8)
//! record      kind, state, persistence (1) ‖ version (8) ‖ created (5) ‖ updated (5) ‖ expires (5) ‖ lifetime (5)
//!             ‖ base write (8) ‖ base issued (5) ‖ last eight writes (64) ‖ payload ‖ padding
//! padding     0x80, then zeros
//!
//! associated data
//!   cookie    lp8("sealed-session/v1 cookie") ‖ envelope[0..9] ‖ lp16(cookie name) ‖ lp16(audience)
//!   record    lp8("sealed-session/v1 record") ‖ envelope[0..9] ‖ record id (16)    ‖ lp16(audience)
//!
//! CSRF token  base64url( 0x01 (1) ‖ key id (8) ‖ salt (16) ‖ mac (16) )
//! marker      base64url( 0x01 (1) ‖ key id (8) ‖ set at (5) ‖ mac (16) )
//! ```

#![warn(clippy::arithmetic_side_effects)]

pub(crate) mod marker;

use base64::Engine as _;

use crate::clock::Timestamp;
use crate::error::Reason;
use crate::id::{KeyId, RecordId, SessionId};
use crate::limits::{AUDIENCE_MAX_BYTES, COOKIE_NAME_MAX_BYTES, COOKIE_TEXT_MIN_CHARACTERS};

/// The version byte of an envelope, and of a CSRF token.
pub(crate) const VERSION: u8 = 1;

// The envelope: wire format, section 2.
//
// offset 0   1    9      33          33+n
//        ├───┼────┼──────┼───────────┼─────┤
//        ver  kid  nonce  ciphertext  tag
// length 1    8    24     n           16

const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// Version and key id: the part of an envelope that its own associated data repeats.
pub(crate) const PREFIX_LENGTH: usize = 1 + KeyId::LENGTH;
/// Everything before the ciphertext.
pub(crate) const ENVELOPE_HEAD_LENGTH: usize = PREFIX_LENGTH + NONCE_LENGTH;
/// Everything but the ciphertext.
pub(crate) const ENVELOPE_OVERHEAD: usize = ENVELOPE_HEAD_LENGTH + TAG_LENGTH;

/// An envelope whose bytes came from outside: split into its fields, and not yet authentic.
pub(crate) struct Envelope<'a> {
    pub(crate) prefix: [u8; PREFIX_LENGTH],
    pub(crate) key_id: KeyId,
    pub(crate) nonce: [u8; NONCE_LENGTH],
    pub(crate) ciphertext: &'a mut [u8],
    pub(crate) tag: [u8; TAG_LENGTH],
}

impl<'a> Envelope<'a> {
    /// Wire format, section 4, step 3.
    pub(crate) fn parse(bytes: &'a mut [u8]) -> Result<Self, Reason> {
        if bytes.len() < ENVELOPE_OVERHEAD {
            return Err(Reason::Malformed);
        }
        let (prefix, rest) = bytes.split_first_chunk_mut::<PREFIX_LENGTH>().ok_or(Reason::Malformed)?;
        let [version, key_id @ ..] = *prefix;
        if version != VERSION {
            return Err(Reason::UnknownVersion);
        }
        let (nonce, rest) = rest.split_first_chunk_mut::<NONCE_LENGTH>().ok_or(Reason::Malformed)?;
        let (ciphertext, tag) = rest.split_last_chunk_mut::<TAG_LENGTH>().ok_or(Reason::Malformed)?;
        Ok(Self { prefix: *prefix, key_id: KeyId::from_bytes(key_id), nonce: *nonce, ciphertext, tag: *tag })
    }
}

/// The prefix of an envelope that is about to be sealed under this key.
pub(crate) fn envelope_prefix(key_id: &KeyId) -> [u8; PREFIX_LENGTH] {
    let [a, b, c, d, e, f, g, h] = *key_id.as_bytes();
    [VERSION, a, b, c, d, e, f, g, h]
}

/// The slots of an envelope in the making.
pub(crate) struct Slots<'a> {
    pub(crate) prefix: &'a mut [u8; PREFIX_LENGTH],
    pub(crate) nonce: &'a mut [u8; NONCE_LENGTH],
    pub(crate) plaintext: &'a mut [u8],
    pub(crate) tag: &'a mut [u8; TAG_LENGTH],
}

/// Splits a buffer of [`ENVELOPE_OVERHEAD`] bytes and the plaintext into its slots; `None` when it is shorter.
pub(crate) fn envelope_slots(buffer: &mut [u8]) -> Option<Slots<'_>> {
    let (prefix, rest) = buffer.split_first_chunk_mut()?;
    let (nonce, rest) = rest.split_first_chunk_mut()?;
    let (plaintext, tag) = rest.split_last_chunk_mut()?;
    Some(Slots { prefix, nonce, plaintext, tag })
}

// The header of a cookie's plaintext: wire format, section 3.
//
// offset 0           1           17       22       27        32
//        ├───────────┼───────────┼────────┼────────┼─────────┤
//        kind, flags  session id  created  issued   expires
// bits   7 6 = 0 │ 5 own lifetime │ 4 browser session │ 3…0 kind

/// Bytes of a header.
pub(crate) const HEADER_LENGTH: usize = 32;

const KIND_BITS: u8 = 0b0000_1111;
const BROWSER_SESSION: u8 = 0b0001_0000;
const OWN_LIFETIME: u8 = 0b0010_0000;

/// Where the data of a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the cookie, behind the header.
    Inline,
    /// In a record of the server store.
    Reference,
}

/// How long a session lives beyond its last sealing, and whether it outlives the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// For the configured idle timeout.
    #[default]
    IdleTimeout,
    /// For the configured idle timeout, and no longer than the browser runs: no `Max-Age`.
    BrowserSession,
    /// For a duration of its own, asked for with `remember`.
    OwnLifetime,
}

/// What stands before the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) persistence: Persistence,
    pub(crate) id: SessionId,
    /// Birth of the session: the absolute lifetime counts from here.
    pub(crate) created: Timestamp,
    /// This sealing.
    pub(crate) issued: Timestamp,
    /// End of the idle lifetime.
    pub(crate) expires: Timestamp,
}

impl Header {
    pub(crate) fn write(&self, out: &mut [u8; HEADER_LENGTH]) {
        let kind = match self.kind {
            Kind::Inline => 0,
            Kind::Reference => 1,
        };
        let flags = match self.persistence {
            Persistence::IdleTimeout => 0,
            Persistence::BrowserSession => BROWSER_SESSION,
            Persistence::OwnLifetime => OWN_LIFETIME,
        };
        let [created, issued, expires] = [self.created, self.issued, self.expires].map(|time| u40(time.unix_seconds()));
        let mut rest = out.as_mut_slice();
        for part in [&[kind | flags], self.id.as_bytes().as_slice(), &created, &issued, &expires] {
            // They fill it exactly.
            let Some((slot, after)) = rest.split_at_mut_checked(part.len()) else { return };
            slot.copy_from_slice(part);
            rest = after;
        }
    }

    /// Wire format, section 4, step 8. Unknown kinds and flags are refused, never skipped.
    pub(crate) fn read(bytes: &[u8; HEADER_LENGTH]) -> Result<Self, Reason> {
        let ([first], rest) = split::<1>(bytes)?;
        let (id, rest) = split::<{ SessionId::LENGTH }>(rest)?;
        let (created, rest) = split::<5>(rest)?;
        let (issued, rest) = split::<5>(rest)?;
        let (expires, _) = split::<5>(rest)?;
        let kind = match first & KIND_BITS {
            0 => Kind::Inline,
            1 => Kind::Reference,
            _ => return Err(Reason::Malformed),
        };
        let persistence = match first & !KIND_BITS {
            0 => Persistence::IdleTimeout,
            BROWSER_SESSION => Persistence::BrowserSession,
            OWN_LIFETIME => Persistence::OwnLifetime,
            _ => return Err(Reason::Malformed),
        };
        let [created, issued, expires] =
            [created, issued, expires].map(|time| Timestamp::from_unix_seconds(from_u40(time)));
        Ok(Self { kind, persistence, id: SessionId::from_bytes(id), created, issued, expires })
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Reason> {
    bytes.split_first_chunk().map(|(first, rest)| (*first, rest)).ok_or(Reason::Malformed)
}

// Padding (ISO/IEC 7816-4): one byte `0x80`, then zeros. Wire format, section 3.

const MARKER: u8 = 0x80;

/// Length of a plaintext of `content` bytes with its padding: the next multiple of `bucket`, or `largest` when that is
/// smaller, so that the lengths in the last bucket are equal too. `None` when content and marker are over `largest`.
pub(crate) fn padded_length(content: usize, bucket: usize, largest: usize) -> Option<usize> {
    let least = content.checked_add(1)?;
    if least > largest {
        return None;
    }
    Some(least.checked_next_multiple_of(bucket.max(1)).unwrap_or(largest).min(largest))
}

/// Writes the padding into what is left behind the content.
pub(crate) fn fill_padding(rest: &mut [u8]) {
    rest.fill(0);
    if let Some(first) = rest.first_mut() {
        *first = MARKER;
    }
}

/// The content of a padded plaintext. Read only after authentication, so its time tells an attacker nothing.
pub(crate) fn strip_padding(padded: &[u8]) -> Result<&[u8], Reason> {
    let marker = padded.iter().rposition(|byte| *byte != 0).ok_or(Reason::Malformed)?;
    match padded.split_at_checked(marker) {
        Some((content, [MARKER, ..])) => Ok(content),
        _ => Err(Reason::Malformed),
    }
}

// What a seal is bound to: purpose, version and key id, and the place where the envelope stands.
// Security: the values that Laravel, iron, h3 and others left out (2020) are what lets one cookie be replayed as another.

const COOKIE: &[u8] = b"sealed-session/v1 cookie";
const RECORD: &[u8] = b"sealed-session/v1 record";

const CAPACITY: usize = 1 + COOKIE.len() + PREFIX_LENGTH + 2 + COOKIE_NAME_MAX_BYTES + 2 + AUDIENCE_MAX_BYTES;

/// Associated data on the stack: opening a forged cookie allocates nothing.
pub(crate) struct AssociatedData {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl AssociatedData {
    /// For a cookie: wire format, section 2. `None` when the name or the audience is over its limit.
    pub(crate) fn cookie(prefix: &[u8; PREFIX_LENGTH], name: &str, audience: &str) -> Option<Self> {
        let (name_length, audience_length) = (length16(name)?, length16(audience)?);
        Self::join([
            &length8(COOKIE),
            COOKIE,
            prefix,
            &name_length,
            name.as_bytes(),
            &audience_length,
            audience.as_bytes(),
        ])
    }

    /// For a record: wire format, section 6. `None` when the audience is over its limit.
    pub(crate) fn record(prefix: &[u8; PREFIX_LENGTH], id: &RecordId, audience: &str) -> Option<Self> {
        let audience_length = length16(audience)?;
        Self::join([&length8(RECORD), RECORD, prefix, id.as_bytes(), &audience_length, audience.as_bytes()])
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn join<const N: usize>(parts: [&[u8]; N]) -> Option<Self> {
        let mut bytes = [0; CAPACITY];
        let mut rest = bytes.as_mut_slice();
        for part in parts {
            let (slot, behind) = rest.split_at_mut_checked(part.len())?;
            slot.copy_from_slice(part);
            rest = behind;
        }
        let length = CAPACITY.checked_sub(rest.len())?;
        Some(Self { bytes, length })
    }
}

fn length8(constant: &'static [u8]) -> [u8; 1] {
    let [.., length] = constant.len().to_be_bytes();
    [length]
}

fn length16(text: &str) -> Option<[u8; 2]> {
    u16::try_from(text.len()).ok().map(u16::to_be_bytes)
}

// The text of an envelope: base64url without padding, strict, one text per envelope (RFC 4648 §5, §3.5).

/// The engine that is fastest on this processor. A constant: only which processor this is has to be asked once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64URL: std::sync::LazyLock<base64::engine::Simd> =
    std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64URL: base64::engine::GeneralPurpose = base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Appends the text of these bytes.
pub(crate) fn encode_text(envelope: &[u8], out: &mut String) {
    out.reserve_exact(encoded_length(envelope.len()));
    BASE64URL.encode_string(envelope, out);
}

/// The text of these bytes.
#[cfg(test)]
pub(crate) fn encoded_text(envelope: &[u8]) -> String {
    let mut text = String::new();
    encode_text(envelope, &mut text);
    text
}

/// Characters of the text of so many bytes: four for three bytes, two or three for the rest.
pub(crate) const fn encoded_length(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// Most bytes whose text has at most so many characters.
pub(crate) const fn decoded_length(characters: usize) -> usize {
    characters.saturating_mul(3) / 4
}

/// Bytes that a text has room for, where its length is that of an envelope of at most `longest` characters: wire format,
/// section 4, step 1.
pub(crate) fn check_text_length(text: &[u8], longest: usize) -> Result<usize, Reason> {
    let is_good = (COOKIE_TEXT_MIN_CHARACTERS..=longest).contains(&text.len());
    if is_good { Ok(decoded_length(text.len())) } else { Err(Reason::Malformed) }
}

/// Decodes a text into exactly its bytes: wire format, section 4, step 2.
pub(crate) fn decode_text(text: &[u8], bytes: &mut [u8]) -> Result<(), Reason> {
    // Security: strict. White space, padding, another alphabet or bits beyond the last byte would give one envelope
    // several texts.
    let length = BASE64URL.decode_slice(text, bytes).map_err(|_| Reason::Malformed)?;
    if length == bytes.len() { Ok(()) } else { Err(Reason::Malformed) }
}

/// 40 bits, big-endian: a [`Timestamp`] on the wire.
fn u40(seconds: u64) -> [u8; 5] {
    let [_, _, _, bytes @ ..] = seconds.to_be_bytes();
    bytes
}

fn from_u40([a, b, c, d, e]: [u8; 5]) -> u64 {
    u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
}

// The header of a record's plaintext: wire format, section 6.
//
// offset 0     1        9        14       19       24        29    37           42       106
//        ├─────┼────────┼────────┼────────┼────────┼─────────┼─────┼────────────┼────────┤
//        kind   version  created  updated  expires  lifetime  base  base issued  lineage
// bits   7 6 = persistence │ 5 4 = state │ 3…0 = 2

/// Bytes of a header.
pub(crate) const RECORD_HEADER_LENGTH: usize = 42 + 8 * Lineage::RECENT;

const RECORD_KIND: u8 = 0b0000_0010;
const STATE_BITS: u8 = 0b0011_0000;
const PERSISTENCE_BITS: u8 = 0b1100_0000;

/// Names one write: the first eight bytes of the nonce of the cookie that was sealed for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WriteId([u8; 8]);

impl WriteId {
    pub(crate) fn of_nonce(nonce: &[u8; 24]) -> Self {
        Self(nonce.first_chunk().copied().unwrap_or_default())
    }

    #[cfg(test)]
    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

/// What a record is to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    /// The session is here.
    Open,
    /// The session went back into its cookie. Older references still read and write it here.
    Returned,
    /// The session goes on under another id. Until `expires` this shows what the old id showed before.
    Left,
    /// The session is over. The record holds no data and keeps a late write from reviving it.
    Ended,
}

/// Which writes led to a record. It answers two questions: whether a write happened whose answer was lost, and whether the
/// record descends from a cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// The cookie that the record was first made from, or in which the session has returned since.
    pub(crate) base: WriteId,
    pub(crate) base_issued: Timestamp,
    /// The newest first; zeros where there were fewer.
    recent: [WriteId; Lineage::RECENT],
}

impl Lineage {
    /// Writes that are remembered.
    pub(crate) const RECENT: usize = 8;

    /// Of a record that is made from this cookie.
    pub(crate) const fn from_base(base: WriteId, base_issued: Timestamp) -> Self {
        Self { base, base_issued, recent: [WriteId([0; 8]); Self::RECENT] }
    }

    /// The same with one more write.
    pub(crate) fn followed_by(mut self, write: WriteId) -> Self {
        if write != WriteId::default() && self.recent.first() != Some(&write) {
            self.recent.rotate_right(1);
            if let Some(first) = self.recent.first_mut() {
                *first = write;
            }
        }
        self
    }

    /// The same with a write that brought the session back into its cookie. That cookie is the base from now on, and the one before
    /// is remembered as a write: whoever saw the record open finds another base, wherever the session has gone since.
    pub(crate) fn returned_by(self, write: WriteId) -> Self {
        let before = if self.recent.contains(&self.base) { self } else { self.followed_by(self.base) };
        Self { base: write, ..before.followed_by(write) }
    }

    pub(crate) fn newest(&self) -> Option<WriteId> {
        self.recent.first().copied().filter(|write| *write != WriteId::default())
    }

    pub(crate) fn contains(&self, write: WriteId) -> bool {
        write != WriteId::default() && (write == self.base || self.recent.contains(&write))
    }

    /// Whether this write is among the last eight. The base is kept for ever, and says nothing about what was forgotten since.
    pub(crate) fn remembers(&self, write: WriteId) -> bool {
        write != WriteId::default() && self.recent.contains(&write)
    }

    /// Whether no write has been forgotten yet.
    pub(crate) fn is_complete(&self) -> bool {
        self.recent.last() == Some(&WriteId::default())
    }
}

/// What stands before a record's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) state: RecordState,
    pub(crate) persistence: Persistence,
    /// Under [`Persistence::OwnLifetime`], in seconds; otherwise zero.
    pub(crate) lifetime_seconds: u64,
    /// Grows with every write, over the whole life of the session.
    pub(crate) version: u64,
    /// Birth of the session, as in its cookie.
    pub(crate) created: Timestamp,
    /// This write.
    pub(crate) updated: Timestamp,
    /// Until when a record that was left can be read. In the other states the cookie's times govern.
    pub(crate) expires: Timestamp,
    pub(crate) lineage: Lineage,
}

impl RecordHeader {
    pub(crate) fn write(&self, out: &mut [u8; RECORD_HEADER_LENGTH]) {
        let state = match self.state {
            RecordState::Open => 0x00,
            RecordState::Returned => 0x10,
            RecordState::Left => 0x20,
            RecordState::Ended => 0x30,
        };
        let persistence = match self.persistence {
            Persistence::IdleTimeout => 0x00,
            Persistence::BrowserSession => 0x40,
            Persistence::OwnLifetime => 0x80,
        };
        let [created, updated, expires, base_issued] =
            [self.created, self.updated, self.expires, self.lineage.base_issued].map(|time| u40(time.unix_seconds()));
        let lifetime = u40(self.lifetime_seconds);
        let (version, kind) = (self.version.to_be_bytes(), [RECORD_KIND | state | persistence]);
        let parts = [kind.as_slice(), &version, &created, &updated, &expires, &lifetime];
        let base = [self.lineage.base.0.as_slice(), &base_issued];
        let recent = self.lineage.recent.iter().map(|write| write.0.as_slice());
        let bytes = parts.into_iter().chain(base).chain(recent).flatten();
        for (slot, byte) in out.iter_mut().zip(bytes) {
            *slot = *byte;
        }
    }

    /// Unknown kinds and flags are refused, never skipped.
    pub(crate) fn read(bytes: &[u8; RECORD_HEADER_LENGTH]) -> Result<Self, Reason> {
        let mut rest = bytes.as_slice();
        let [kind] = take(&mut rest)?;
        if kind & KIND_BITS != RECORD_KIND {
            return Err(Reason::Malformed);
        }
        let state = match kind & STATE_BITS {
            0x00 => RecordState::Open,
            0x10 => RecordState::Returned,
            0x20 => RecordState::Left,
            _ => RecordState::Ended,
        };
        let persistence = match kind & PERSISTENCE_BITS {
            0x00 => Persistence::IdleTimeout,
            0x40 => Persistence::BrowserSession,
            0x80 => Persistence::OwnLifetime,
            _ => return Err(Reason::Malformed),
        };
        let version = u64::from_be_bytes(take(&mut rest)?);
        let mut number = || Ok(from_u40(take(&mut rest)?));
        let (created, updated, expires, lifetime_seconds) = (number()?, number()?, number()?, number()?);
        let base = WriteId(take(&mut rest)?);
        let base_issued = Timestamp::from_unix_seconds(from_u40(take(&mut rest)?));
        let mut recent = [WriteId::default(); Lineage::RECENT];
        for write in &mut recent {
            *write = WriteId(take(&mut rest)?);
        }
        let [created, updated, expires] = [created, updated, expires].map(Timestamp::from_unix_seconds);
        let lineage = Lineage { base, base_issued, recent };
        Ok(Self { state, persistence, lifetime_seconds, version, created, updated, expires, lineage })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Reason> {
    let (first, others) = rest.split_first_chunk().ok_or(Reason::Malformed)?;
    *rest = others;
    Ok(*first)
}

#[cfg(test)]
mod envelope_tests {
    use super::*;

    #[test]
    fn an_envelope_without_a_whole_tag_is_malformed() {
        for length in 0..ENVELOPE_OVERHEAD {
            assert_eq!(Envelope::parse(&mut vec![1; length]).err(), Some(Reason::Malformed));
        }
        assert!(Envelope::parse(&mut [1; ENVELOPE_OVERHEAD]).is_ok());
    }

    #[test]
    fn every_version_but_one_is_unknown() {
        for version in (0..=255).filter(|version| *version != VERSION) {
            let mut bytes = [0; ENVELOPE_OVERHEAD];
            bytes[0] = version;
            assert_eq!(Envelope::parse(&mut bytes).err(), Some(Reason::UnknownVersion));
        }
    }

    #[test]
    fn what_was_written_into_the_slots_is_what_is_parsed() {
        let mut bytes = vec![0; ENVELOPE_OVERHEAD + 3];
        let key_id = KeyId::from_bytes([9; 8]);
        let slots = envelope_slots(&mut bytes).unwrap();
        *slots.prefix = envelope_prefix(&key_id);
        *slots.nonce = [2; 24];
        slots.plaintext.copy_from_slice(b"abc");
        *slots.tag = [3; 16];
        let envelope = Envelope::parse(&mut bytes).unwrap();
        assert_eq!((envelope.key_id, envelope.nonce, envelope.tag), (key_id, [2; 24], [3; 16]));
        assert_eq!(envelope.ciphertext, b"abc");
    }
}

#[cfg(test)]
mod header_tests {
    use super::*;

    fn header(kind: Kind, persistence: Persistence) -> Header {
        let at = Timestamp::from_unix_seconds;
        let (created, issued, expires) = (at(1), at(0x01_02_03_04_05), Timestamp::MAX);
        Header { kind, persistence, id: SessionId::from_bytes([7; 16]), created, issued, expires }
    }

    #[test]
    fn every_kind_and_flag_is_read_as_it_was_written() {
        for kind in [Kind::Inline, Kind::Reference] {
            for persistence in [Persistence::IdleTimeout, Persistence::BrowserSession, Persistence::OwnLifetime] {
                let mut bytes = [0xff; HEADER_LENGTH];
                header(kind, persistence).write(&mut bytes);
                assert_eq!(Header::read(&bytes), Ok(header(kind, persistence)));
            }
        }
    }

    #[test]
    fn the_fields_stand_where_the_format_puts_them() {
        let mut bytes = [0; HEADER_LENGTH];
        header(Kind::Reference, Persistence::OwnLifetime).write(&mut bytes);
        let expected = [&[0x21], [7; 16].as_slice(), &[0, 0, 0, 0, 1], &[1, 2, 3, 4, 5], &[0xff; 5]].concat();
        assert_eq!(bytes.as_slice(), expected);
    }

    #[test]
    fn every_other_first_byte_is_malformed() {
        let known = [0x00, 0x01, 0x10, 0x11, 0x20, 0x21];
        for first in 0..=255 {
            let mut bytes = [0; HEADER_LENGTH];
            bytes[0] = first;
            let expected = if known.contains(&first) { None } else { Some(Reason::Malformed) };
            assert_eq!(Header::read(&bytes).err(), expected, "{first:#04x}");
        }
    }
}

#[cfg(test)]
mod padding_tests {
    use super::*;

    #[test]
    fn lengths_go_up_to_the_next_bucket_and_a_full_bucket_costs_another() {
        for (content, padded) in [(0, 32), (31, 32), (32, 64), (63, 64)] {
            assert_eq!(padded_length(content, 32, 1000), Some(padded));
        }
    }

    #[test]
    fn a_bucket_of_one_costs_the_marker_alone() {
        assert_eq!(padded_length(10, 1, 1000), Some(11));
    }

    #[test]
    fn the_last_bucket_ends_at_the_largest_length() {
        assert_eq!(padded_length(97, 32, 100), Some(100));
        assert_eq!(padded_length(99, 32, 100), Some(100));
        assert_eq!(padded_length(100, 32, 100), None);
        assert_eq!(padded_length(usize::MAX, 32, usize::MAX), None);
    }

    #[test]
    fn what_was_filled_is_stripped() {
        for content in [b"".as_slice(), b"a", b"\x80", b"\x00", b"a\x80\x00"] {
            for room in 1..5 {
                let mut padded = content.to_vec();
                padded.resize(content.len() + room, 0xff);
                fill_padding(&mut padded[content.len()..]);
                assert_eq!(strip_padding(&padded), Ok(content));
            }
        }
    }

    #[test]
    fn a_plaintext_without_the_marker_is_malformed() {
        for padded in [b"".as_slice(), b"\x00", b"a", b"{}\x00\x00", b"\x80\x01", b"\x81\x00"] {
            assert_eq!(strip_padding(padded), Err(Reason::Malformed), "{padded:?}");
        }
    }
}

#[cfg(test)]
mod associated_data_tests {
    use super::*;

    #[test]
    fn the_parts_of_a_cookie_stand_behind_their_lengths() {
        let data = AssociatedData::cookie(&[1, 2, 3, 4, 5, 6, 7, 8, 9], "ab", "c").unwrap();
        let expected = b"\x18sealed-session/v1 cookie\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00\x02ab\x00\x01c";
        assert_eq!(data.as_bytes(), expected);
    }

    #[test]
    fn the_parts_of_a_record_stand_behind_their_lengths() {
        let data = AssociatedData::record(&[0; 9], &RecordId::from_bytes([7; 16]), "é").unwrap();
        let expected = [b"\x18sealed-session/v1 record".as_slice(), &[0; 9], &[7; 16], b"\x00\x02\xc3\xa9"].concat();
        assert_eq!(data.as_bytes(), expected);
    }

    #[test]
    fn the_longest_name_and_audience_fit_and_one_byte_more_is_refused() {
        let (name, audience) = ("n".repeat(COOKIE_NAME_MAX_BYTES), "a".repeat(AUDIENCE_MAX_BYTES));
        assert!(AssociatedData::cookie(&[0; 9], &name, &audience).is_some());
        assert!(AssociatedData::cookie(&[0; 9], &format!("{name}n"), &audience).is_none());
    }
}

#[cfg(test)]
mod text_tests {
    use super::*;
    use crate::limits::COOKIE_ENVELOPE_MAX_BYTES;

    fn decoded(text: &[u8], longest: usize) -> Result<Vec<u8>, Reason> {
        let mut bytes = vec![0; check_text_length(text, longest)?];
        decode_text(text, &mut bytes).map(|()| bytes)
    }

    #[test]
    fn lengths_agree_with_the_encoder() {
        for length in 0..200 {
            let text = encoded_text(&vec![0xff; length]);
            assert_eq!(text.len(), encoded_length(length));
            assert_eq!(decoded_length(text.len()), length);
            assert!(decoded_length(text.len() + 1) <= length + 1);
        }
    }

    #[test]
    fn a_text_is_read_as_it_was_written_up_to_the_longest() {
        for length in [82, 83, 84, 1000, COOKIE_ENVELOPE_MAX_BYTES] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7) as u8).collect();
            assert_eq!(decoded(encoded_text(&bytes).as_bytes(), 4096), Ok(bytes));
        }
    }

    #[test]
    fn lengths_outside_of_the_bounds_are_malformed() {
        assert_eq!(decoded(&[b'A'; 109], 4096), Err(Reason::Malformed));
        assert_eq!(decoded(&[b'A'; 200], 199), Err(Reason::Malformed));
        assert_eq!(decoded(&[b'A'; 4097], 4097), Err(Reason::Malformed));
        assert_eq!(decoded(b"", 4096), Err(Reason::Malformed));
    }

    #[test]
    fn every_byte_outside_of_the_alphabet_is_malformed_at_every_place() {
        let good = encoded_text(&[0xa5; 90]).into_bytes();
        for byte in (0..=255u8).filter(|byte| !(byte.is_ascii_alphanumeric() || b"-_".contains(byte))) {
            for position in [0, 1, 60, good.len() - 1] {
                let mut text = good.clone();
                text[position] = byte;
                assert_eq!(decoded(&text, 4096), Err(Reason::Malformed), "{byte:#04x} at {position}");
            }
        }
    }

    #[test]
    fn bits_beyond_the_last_byte_are_malformed() {
        // 110 characters carry 82 bytes and four bits, 111 carry 83 bytes and two bits.
        for length in [110, 111] {
            let mut text = vec![b'A'; length];
            assert!(decoded(&text, 4096).is_ok());
            text[length - 1] = b'B';
            assert_eq!(decoded(&text, 4096), Err(Reason::Malformed));
        }
    }

    #[test]
    fn a_length_that_no_bytes_encode_to_is_malformed() {
        assert_eq!(decoded(&[b'A'; 113], 4096), Err(Reason::Malformed));
    }
}

#[cfg(test)]
mod record_tests {
    use super::*;

    const STATES: [RecordState; 4] = [RecordState::Open, RecordState::Returned, RecordState::Left, RecordState::Ended];

    fn lineage(writes: u8) -> Lineage {
        let base = Lineage::from_base(WriteId([0xff; 8]), Timestamp::from_unix_seconds(9));
        (1..=writes).fold(base, |lineage, write| lineage.followed_by(WriteId([write; 8])))
    }

    fn header(state: RecordState, persistence: Persistence) -> RecordHeader {
        let [created, updated, expires] = [1, 2, 3].map(Timestamp::from_unix_seconds);
        let (version, lifetime_seconds) = (u64::MAX - 5, 0x01_02_03_04_05);
        RecordHeader { state, persistence, lifetime_seconds, version, created, updated, expires, lineage: lineage(3) }
    }

    #[test]
    fn every_state_and_persistence_is_read_as_it_was_written() {
        for state in STATES {
            for persistence in [Persistence::IdleTimeout, Persistence::BrowserSession, Persistence::OwnLifetime] {
                let mut bytes = [0xff; RECORD_HEADER_LENGTH];
                header(state, persistence).write(&mut bytes);
                assert_eq!(RecordHeader::read(&bytes), Ok(header(state, persistence)));
            }
        }
    }

    #[test]
    fn the_fields_stand_where_the_format_puts_them() {
        let mut bytes = [0; RECORD_HEADER_LENGTH];
        header(RecordState::Left, Persistence::OwnLifetime).write(&mut bytes);
        let expected = [
            [0xa2].as_slice(),
            &(u64::MAX - 5).to_be_bytes(),
            &[0, 0, 0, 0, 1],
            &[0, 0, 0, 0, 2],
            &[0, 0, 0, 0, 3],
            &[1, 2, 3, 4, 5],
            &[0xff; 8],
            &[0, 0, 0, 0, 9],
            &[3; 8],
            &[2; 8],
            &[1; 8],
            &[0; 40],
        ]
        .concat();
        assert_eq!(bytes.as_slice(), expected);
    }

    #[test]
    fn every_other_first_byte_is_malformed() {
        for first in 0..=255 {
            let mut bytes = [0; RECORD_HEADER_LENGTH];
            bytes[0] = first;
            let is_known = first & KIND_BITS == RECORD_KIND && first & PERSISTENCE_BITS != PERSISTENCE_BITS;
            assert_eq!(RecordHeader::read(&bytes).is_ok(), is_known, "{first:#04x}");
        }
    }

    #[test]
    fn a_lineage_remembers_its_base_and_the_last_eight_writes() {
        let lineage = lineage(9);
        assert!(lineage.contains(WriteId([0xff; 8])));
        assert!(!lineage.contains(WriteId([1; 8])), "evicted");
        assert!((2..=9).all(|write| lineage.contains(WriteId([write; 8]))));
        assert_eq!(lineage.newest(), Some(WriteId([9; 8])));
        assert!(!lineage.contains(WriteId::default()));
    }

    #[test]
    fn a_lineage_of_eight_writes_may_have_forgotten_one() {
        assert!(lineage(7).is_complete());
        assert!(!lineage(8).is_complete());
    }
}
