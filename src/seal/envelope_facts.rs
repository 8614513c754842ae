use crate::error::Reason;
use crate::id::KeyId;
use crate::limits::COOKIE_NAME_AND_VALUE_MAX_BYTES;
use crate::wire::envelope::{self, Envelope};
use crate::wire::text;

/// What everyone can read of a cookie value, without a key. None of it is authentic: whoever sent the cookie chose it.
///
/// ```
/// use sealed_session::operator::EnvelopeFacts;
/// use sealed_session::sealer::Sealer;
/// use sealed_session::{Key, Timestamp};
///
/// let key = Key::generate()?;
/// let text = Sealer::builder(key.clone()).build()?.seal(&serde_json::json!({}), Timestamp::default())?;
///
/// let facts = EnvelopeFacts::read(&text)?;
/// assert_eq!((facts.version, facts.key_id), (1, Some(key.id())));
/// assert_eq!((facts.value_characters, facts.plaintext_bytes), (text.len(), Some(64)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeFacts {
    /// Version of the wire format; this crate reads 1.
    pub version: u8,
    /// The key that it names; `None` for another version, which may have it elsewhere.
    pub key_id: Option<KeyId>,
    /// Characters of the value.
    pub value_characters: usize,
    /// Bytes that the value encodes.
    pub envelope_bytes: usize,
    /// Bytes that are encrypted, header and padding included; `None` for another version.
    pub plaintext_bytes: Option<usize>,
}

impl EnvelopeFacts {
    /// Reads the outside of a cookie's value: wire format, section 4, steps 1 to 3. Another version is no error here.
    ///
    /// # Errors
    ///
    /// [`Reason::Malformed`] for what is no envelope of any version.
    pub fn read(text: &str) -> Result<Self, Reason> {
        let envelope_bytes = text::check_length(text.as_bytes(), COOKIE_NAME_AND_VALUE_MAX_BYTES)?;
        let mut bytes = vec![0; envelope_bytes];
        text::decode(text.as_bytes(), &mut bytes)?;
        let version = bytes.first().copied().ok_or(Reason::Malformed)?;
        let (key_id, plaintext_bytes) = match Envelope::parse(&mut bytes) {
            Ok(envelope) => (Some(envelope.key_id), Some(envelope_bytes.saturating_sub(envelope::OVERHEAD))),
            Err(Reason::UnknownVersion) => (None, None),
            Err(reason) => return Err(reason),
        };
        Ok(Self { version, key_id, value_characters: text.len(), envelope_bytes, plaintext_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_of_another_version_says_its_version_and_its_length() {
        let mut bytes = [7; 100];
        bytes[0] = 2;
        let facts = EnvelopeFacts::read(&text::encoded(&bytes)).unwrap();
        assert_eq!((facts.version, facts.key_id, facts.plaintext_bytes), (2, None, None));
        assert_eq!((facts.value_characters, facts.envelope_bytes), (134, 100));
    }

    #[test]
    fn what_is_no_envelope_is_malformed() {
        for text in [String::new(), "A".repeat(109), "A".repeat(4097), "=".repeat(200), "é".repeat(100)] {
            assert_eq!(EnvelopeFacts::read(&text), Err(Reason::Malformed), "{text}");
        }
    }
}
