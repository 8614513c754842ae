//! The envelope: wire format, section 2.
//!
//! ```text
//! offset 0   1    9      33          33+n
//!        ├───┼────┼──────┼───────────┼─────┤
//!        ver  kid  nonce  ciphertext  tag
//! length 1    8    24     n           16
//! ```

use super::VERSION;
use crate::error::Reason;
use crate::id::KeyId;

const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// Version and key id: the part of an envelope that its own associated data repeats.
pub(crate) const PREFIX_LENGTH: usize = 1 + KeyId::LENGTH;
/// Everything before the ciphertext.
pub(crate) const HEAD_LENGTH: usize = PREFIX_LENGTH + NONCE_LENGTH;
/// Everything but the ciphertext.
pub(crate) const OVERHEAD: usize = HEAD_LENGTH + TAG_LENGTH;

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
        if bytes.len() < OVERHEAD {
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
pub(crate) fn prefix(key_id: &KeyId) -> [u8; PREFIX_LENGTH] {
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

/// Splits a buffer of [`OVERHEAD`] bytes and the plaintext into its slots; `None` when it is shorter.
pub(crate) fn slots(buffer: &mut [u8]) -> Option<Slots<'_>> {
    let (prefix, rest) = buffer.split_first_chunk_mut()?;
    let (nonce, rest) = rest.split_first_chunk_mut()?;
    let (plaintext, tag) = rest.split_last_chunk_mut()?;
    Some(Slots { prefix, nonce, plaintext, tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_without_a_whole_tag_is_malformed() {
        for length in 0..OVERHEAD {
            assert_eq!(Envelope::parse(&mut vec![1; length]).err(), Some(Reason::Malformed));
        }
        assert!(Envelope::parse(&mut [1; OVERHEAD]).is_ok());
    }

    #[test]
    fn every_version_but_one_is_unknown() {
        for version in (0..=255).filter(|version| *version != VERSION) {
            let mut bytes = [0; OVERHEAD];
            bytes[0] = version;
            assert_eq!(Envelope::parse(&mut bytes).err(), Some(Reason::UnknownVersion));
        }
    }

    #[test]
    fn what_was_written_into_the_slots_is_what_is_parsed() {
        let mut bytes = vec![0; OVERHEAD + 3];
        let key_id = KeyId::from_bytes([9; 8]);
        let slots = slots(&mut bytes).unwrap();
        *slots.prefix = prefix(&key_id);
        *slots.nonce = [2; 24];
        slots.plaintext.copy_from_slice(b"abc");
        *slots.tag = [3; 16];
        let envelope = Envelope::parse(&mut bytes).unwrap();
        assert_eq!((envelope.key_id, envelope.nonce, envelope.tag), (key_id, [2; 24], [3; 16]));
        assert_eq!(envelope.ciphertext, b"abc");
    }
}
