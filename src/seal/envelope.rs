//! Cookies: wire format, sections 2 to 4.

use zeroize::Zeroizing;

use super::{Sealer, longest_readable_text};
use crate::clock::Timestamp;
use crate::crypto::{NONCE_LENGTH, Nonce, random};
use crate::error::{RandomError, Reason, SealError};
use crate::id::{KeyId, SessionId};
use crate::key::{Key, KeyRing, Slot};
use crate::limits::{COOKIE_ENVELOPE_MAX_BYTES, RECORD_PADDING_BUCKET_BYTES};
use crate::wipe::{WipedBytes, wipe};
use crate::wire::{
    AssociatedData, ENVELOPE_HEAD_LENGTH, ENVELOPE_OVERHEAD, Envelope, HEADER_LENGTH, Header, Kind,
    RECORD_HEADER_LENGTH, RecordHeader, WriteId, check_text_length, decode_text, encode_text, envelope_prefix,
    envelope_slots, fill_padding, padded_length, strip_padding,
};

/// The nonce of one cookie that is about to be sealed.
// Security: two plaintexts under one nonce would give an attacker the key of the MAC, so sealing takes it by value and
// nothing clones it. A second attempt at a write draws another.
pub(crate) struct CookieNonce(Nonce);

impl CookieNonce {
    pub(crate) fn draw() -> Result<Self, RandomError> {
        let mut nonce = Nonce::default();
        random::fill(&mut nonce)?;
        Ok(Self(nonce))
    }

    /// A nonce and the id of a new session, in one call to the operating system: it costs more than what it fills.
    pub(crate) fn draw_with_id() -> Result<(Self, SessionId), RandomError> {
        let mut bytes = Zeroizing::new([0; NONCE_LENGTH + SessionId::LENGTH]);
        random::fill(&mut *bytes)?;
        let (mut nonce, mut id) = (Nonce::default(), [0; SessionId::LENGTH]);
        let (first, rest) = bytes.split_at(NONCE_LENGTH);
        nonce.copy_from_slice(first);
        id.copy_from_slice(rest);
        Ok((Self(nonce), SessionId::from_bytes(id)))
    }

    /// Names the write that this cookie is sealed for.
    pub(crate) fn write_id(&self) -> WriteId {
        WriteId::of_nonce(&self.0)
    }
}

/// A cookie that was opened and found good.
#[derive(Debug)]
pub(crate) struct OpenedCookie {
    pub(crate) header: Header,
    pub(crate) key_id: KeyId,
    /// Names the write that it was sealed for.
    pub(crate) write_id: WriteId,
    /// A newer key seals today: this cookie is to be sealed again.
    pub(crate) reseal_due: bool,
    pub(crate) body: Body,
}

/// Where the data of an opened cookie is.
#[derive(Debug)]
pub(crate) enum Body {
    /// Here, as JSON that was not parsed yet.
    Inline(WipedBytes),
    /// In a record of this version or a later one.
    Reference { least_version: u64 },
}

/// What a cookie holds that refers to a record: the least version that the record may have.
pub(crate) const fn reference(least_version: u64) -> [u8; 8] {
    least_version.to_be_bytes()
}

/// What an envelope holds: authentic, and not yet known to be a session.
pub(super) struct Authentic<'a> {
    pub(super) header: Header,
    /// Of a reference the bytes of its version.
    pub(super) payload: &'a [u8],
    /// Of a reference alone.
    pub(super) least_version: Option<u64>,
}

impl Sealer {
    /// Seals a session's JSON, or [`reference()`] where its header says so, and appends the value of its cookie to a text.
    #[expect(clippy::needless_pass_by_value, reason = "a nonce that was used is gone")]
    pub(crate) fn seal_cookie(
        &self,
        nonce: CookieNonce,
        header: &Header,
        content: &[u8],
        out: &mut String,
    ) -> Result<(), SealError> {
        let ring = self.ring.load();
        // By the time that is sealed into it, so that what a key seals always lies in its window.
        let slot = ring.sealing(header.issued).ok_or(SealError::NoSealingKey)?;
        self.seal_cookie_with(slot.key(), &nonce.0, header, content, out)?;
        slot.counts().sealed();
        Ok(())
    }

    /// The one way out: everything that is sealed into a cookie passes here.
    pub(super) fn seal_cookie_with(
        &self,
        key: &Key,
        nonce: &Nonce,
        header: &Header,
        payload: &[u8],
        out: &mut String,
    ) -> Result<(), SealError> {
        let too_large =
            || SealError::TooLarge { payload_bytes: payload.len(), payload_max_bytes: self.payload_max_bytes() };
        let plaintext_length = self.lengths.plaintext_bytes(payload.len()).ok_or_else(too_large)?;
        let length = plaintext_length.saturating_add(ENVELOPE_OVERHEAD);
        let sealed = with_scratch(length, |buffer| {
            let slots = envelope_slots(buffer)?;
            *slots.prefix = envelope_prefix(&key.id());
            *slots.nonce = *nonce;
            let (head, content) = slots.plaintext.split_first_chunk_mut()?;
            header.write(head);
            let (body, rest) = content.split_at_mut_checked(payload.len())?;
            body.copy_from_slice(payload);
            fill_padding(rest);
            let data = AssociatedData::cookie(slots.prefix, &self.cookie_name, &self.audience)?;
            *slots.tag = key.cookie_cipher().seal(slots.nonce, data.as_bytes(), slots.plaintext).ok()?;
            encode_text(buffer, out);
            Some(())
        });
        sealed.flatten().ok_or_else(too_large)
    }

    /// Opens a cookie's value: wire format, section 4, steps 1 to 9. The payload of an inline cookie is not parsed.
    // Security: one path. No step falls back to another decoder, key, name or purpose (CVE-2026-39324 was such a
    // fall-back), and every refusal looks the same from outside.
    pub(crate) fn open_cookie(&self, value: &[u8], now: Timestamp) -> Result<OpenedCookie, Reason> {
        let length = check_text_length(value, longest_readable_text(&self.cookie_name))?;
        let opened = with_scratch(length, |bytes| {
            decode_text(value, bytes)?;
            let envelope = Envelope::parse(bytes)?;
            let ring = self.ring.load();
            let Some(slot) = ring.find(&envelope.key_id) else {
                self.ring.ask_for_early_reload();
                return Err(Reason::UnknownKey);
            };
            let outcome = self.open_envelope(envelope, (&ring, slot), now);
            slot.counts().opened(&outcome, now);
            outcome
        });
        opened.unwrap_or(Err(Reason::Malformed))
    }

    /// Steps 5 to 9, under the one key that the envelope names.
    fn open_envelope(
        &self,
        envelope: Envelope<'_>,
        (ring, slot): (&KeyRing, &Slot),
        now: Timestamp,
    ) -> Result<OpenedCookie, Reason> {
        self.check_key(slot, now)?;
        let key_id = envelope.key_id;
        let write_id = WriteId::of_nonce(&envelope.nonce);
        let Authentic { header, payload, least_version } = self.authenticate(envelope, slot.key())?;
        self.check_times(&header, (ring, slot), now)?;
        let body = match least_version {
            Some(least_version) => Body::Reference { least_version },
            // The first allocation, and the cookie is authentic.
            None => Body::Inline(WipedBytes::from(payload)),
        };
        let reseal_due = ring.is_superseded(&key_id, now);
        Ok(OpenedCookie { header, key_id, write_id, reseal_due, body })
    }

    /// Step 5: whether the key may still open.
    pub(super) fn check_key(&self, slot: &Slot, now: Timestamp) -> Result<(), Reason> {
        if slot.may_open(&self.rotation, now) { Ok(()) } else { Err(Reason::KeyRetired) }
    }

    /// Steps 6 to 8: what the envelope holds was sealed under this key, for this name and audience. Whether it is a session
    /// now is not said.
    pub(super) fn authenticate<'a>(&self, envelope: Envelope<'a>, key: &Key) -> Result<Authentic<'a>, Reason> {
        let data =
            AssociatedData::cookie(&envelope.prefix, &self.cookie_name, &self.audience).ok_or(Reason::Unauthentic)?;
        key.cookie_cipher()
            .open(&envelope.nonce, data.as_bytes(), envelope.ciphertext, &envelope.tag)
            .map_err(|_| Reason::Unauthentic)?;
        let content = strip_padding(envelope.ciphertext)?;
        let (head, payload) = content.split_first_chunk::<{ HEADER_LENGTH }>().ok_or(Reason::Malformed)?;
        let header = Header::read(head)?;
        let least_version = match header.kind {
            Kind::Inline => None,
            Kind::Reference => Some(u64::from_be_bytes(payload.try_into().map_err(|_| Reason::Malformed)?)),
        };
        Ok(Authentic { header, payload, least_version })
    }

    /// Step 9: whether what is authentic is a session at this instant.
    pub(super) fn check_times(
        &self,
        header: &Header,
        (ring, slot): (&KeyRing, &Slot),
        now: Timestamp,
    ) -> Result<(), Reason> {
        self.lifetimes.check_times(header, now)?;
        if !slot.covers(&self.rotation, header.issued) {
            return Err(Reason::KeyRetired);
        }
        // Security: birth survives renewal and re-sealing, so nothing launders a session that a leaked key made.
        if ring.is_ended(header.created, now) {
            return Err(Reason::Revoked);
        }
        Ok(())
    }
}

#[cfg(test)]
impl Sealer {
    pub(crate) fn seal_inline(&self, nonce: CookieNonce, header: &Header, payload: &[u8]) -> Result<String, SealError> {
        let mut text = String::new();
        self.seal_cookie(nonce, &Header { kind: Kind::Inline, ..header.clone() }, payload, &mut text).map(|()| text)
    }

    pub(crate) fn seal_reference(
        &self,
        nonce: CookieNonce,
        header: &Header,
        least_version: u64,
    ) -> Result<String, SealError> {
        let header = Header { kind: Kind::Reference, ..header.clone() };
        let mut text = String::new();
        self.seal_cookie(nonce, &header, &reference(least_version), &mut text).map(|()| text)
    }
}

// Room for one envelope on the stack: opening a forged cookie allocates nothing.

/// What most cookies fit: zeros for the longest one would cost a short one more than its encryption.
const SHORT_BYTES: usize = 512;

/// Lends so many bytes, which are zeros at first and wiped at the end. `None` for more than the longest envelope has.
pub(super) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
    if length <= SHORT_BYTES {
        Scratch { bytes: [0; SHORT_BYTES], length }.lent().map(work)
    } else {
        Scratch { bytes: [0; COOKIE_ENVELOPE_MAX_BYTES], length }.lent().map(work)
    }
}

struct Scratch<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Scratch<N> {
    fn lent(&mut self) -> Option<&mut [u8]> {
        self.bytes.get_mut(..self.length)
    }
}

// Security: a plaintext was here. By `drop`, so that a panic in an application's `Serialize` leaves nothing of it either.
impl<const N: usize> Drop for Scratch<N> {
    fn drop(&mut self) {
        if let Some(lent) = self.lent() {
            wipe(lent);
        }
    }
}

// Records in a server store: wire format, section 6.

/// A record that was opened and found to belong to its session.
pub(crate) struct OpenedRecord {
    pub(crate) header: RecordHeader,
    /// The key that it was sealed under, when a newer one seals today.
    pub(crate) superseded_key: Option<KeyId>,
    pub(crate) payload: WipedBytes,
}

impl Sealer {
    /// Seals a session's data into the bytes of its record, under the key that seals now.
    pub(crate) fn seal_record(
        &self,
        session: &SessionId,
        header: &RecordHeader,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = Nonce::default();
        random::fill(&mut nonce)?;
        let ring = self.ring.load();
        let slot = ring.sealing(header.updated).ok_or(SealError::NoSealingKey)?;
        let bytes = self.seal_record_with(slot.key(), &nonce, session, header, payload)?;
        slot.counts().sealed();
        Ok(bytes)
    }

    pub(super) fn seal_record_with(
        &self,
        key: &Key,
        nonce: &Nonce,
        session: &SessionId,
        header: &RecordHeader,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let too_large = || SealError::TooLarge { payload_bytes: payload.len(), payload_max_bytes: isize::MAX as usize };
        let content = payload.len().saturating_add(RECORD_HEADER_LENGTH);
        let plaintext_length =
            padded_length(content, RECORD_PADDING_BUCKET_BYTES, isize::MAX as usize).ok_or_else(too_large)?;
        let mut buffer = vec![0; plaintext_length.saturating_add(ENVELOPE_OVERHEAD)];
        let slots = envelope_slots(&mut buffer).ok_or_else(too_large)?;
        *slots.prefix = envelope_prefix(&key.id());
        *slots.nonce = *nonce;
        let (head, content) = slots.plaintext.split_first_chunk_mut().ok_or_else(too_large)?;
        header.write(head);
        let (body, rest) = content.split_at_mut_checked(payload.len()).ok_or_else(too_large)?;
        body.copy_from_slice(payload);
        fill_padding(rest);
        let data = AssociatedData::record(slots.prefix, &session.record_id(&self.audience), &self.audience)
            .ok_or_else(too_large)?;
        *slots.tag =
            key.record_cipher(session).seal(slots.nonce, data.as_bytes(), slots.plaintext).map_err(|_| too_large())?;
        Ok(buffer)
    }

    /// Opens the bytes of a session's record.
    ///
    /// `created` is the cookie's, `stored_version` the store's. Whether the version is new enough for the reference is
    /// asked by the caller before, because a stale record is the store's failure and not the client's.
    pub(crate) fn open_record(
        &self,
        session: &SessionId,
        created: Timestamp,
        stored_version: u64,
        mut bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<OpenedRecord, Reason> {
        let envelope = Envelope::parse(&mut bytes)?;
        let key_id = envelope.key_id;
        let ring = self.ring.load();
        let Some(slot) = ring.find(&key_id) else {
            self.ring.ask_for_early_reload();
            return Err(Reason::UnknownKey);
        };
        let outcome = self.open_record_under((&ring, slot), session, created, stored_version, bytes, now);
        slot.counts().opened(&outcome, now);
        outcome
    }

    fn open_record_under(
        &self,
        (ring, slot): (&KeyRing, &Slot),
        session: &SessionId,
        created: Timestamp,
        stored_version: u64,
        mut bytes: Vec<u8>,
        now: Timestamp,
    ) -> Result<OpenedRecord, Reason> {
        if !slot.may_open(&self.rotation, now) {
            return Err(Reason::KeyRetired);
        }
        let envelope = Envelope::parse(&mut bytes)?;
        let key_id = envelope.key_id;
        let data = AssociatedData::record(&envelope.prefix, &session.record_id(&self.audience), &self.audience)
            .ok_or(Reason::Unauthentic)?;
        slot.key()
            .record_cipher(session)
            .open(&envelope.nonce, data.as_bytes(), envelope.ciphertext, &envelope.tag)
            .map_err(|_| Reason::Unauthentic)?;
        // From here on the bytes are plaintext: wiped when they go.
        let bytes = WipedBytes::from(bytes);
        let padded = bytes
            .get(ENVELOPE_HEAD_LENGTH..bytes.len().saturating_sub(ENVELOPE_OVERHEAD - ENVELOPE_HEAD_LENGTH))
            .ok_or(Reason::Malformed)?;
        let (head, payload) =
            strip_padding(padded)?.split_first_chunk::<{ RECORD_HEADER_LENGTH }>().ok_or(Reason::Malformed)?;
        let header = RecordHeader::read(head)?;
        // Security: the sealed version and birth bind the record to the store's column and to the cookie, so a writer of
        // the store can neither relabel an older record nor revive one of an earlier life of the id.
        if header.version != stored_version || header.created != created {
            return Err(Reason::Unauthentic);
        }
        if !slot.covers(&self.rotation, header.updated) {
            return Err(Reason::KeyRetired);
        }
        let superseded_key = Some(key_id).filter(|key_id| ring.is_superseded(key_id, now));
        Ok(OpenedRecord { header, superseded_key, payload: WipedBytes::from(payload) })
    }
}

#[cfg(test)]
mod scratch_tests {
    use super::*;

    #[test]
    fn as_many_bytes_are_lent_as_an_envelope_may_have() {
        for length in [0, 1, SHORT_BYTES, SHORT_BYTES + 1, COOKIE_ENVELOPE_MAX_BYTES] {
            assert_eq!(with_scratch(length, |bytes| bytes.to_vec()), Some(vec![0; length]));
        }
        assert_eq!(with_scratch(COOKIE_ENVELOPE_MAX_BYTES + 1, |_| ()), None);
    }
}
