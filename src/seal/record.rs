//! Records in a server store: wire format, section 6.

use super::Sealer;
use crate::clock::Timestamp;
use crate::crypto::{Nonce, random};
use crate::error::{Reason, SealError};
use crate::id::{KeyId, SessionId};
use crate::key::{Key, KeyRing, Slot};
use crate::limits::RECORD_PADDING_BUCKET_BYTES;
use crate::wipe::WipedBytes;
use crate::wire::cookie::{
    AssociatedData, ENVELOPE_HEAD_LENGTH, ENVELOPE_OVERHEAD, Envelope, envelope_prefix, envelope_slots, fill_padding,
    padded_length, strip_padding,
};
use crate::wire::record::{self, RecordHeader};

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
        let content = payload.len().saturating_add(record::LENGTH);
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
            strip_padding(padded)?.split_first_chunk::<{ record::LENGTH }>().ok_or(Reason::Malformed)?;
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
