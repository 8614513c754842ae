//! Session ids and what is derived from them: wire format, section 5.
//!
//! ```text
//! PRK_s        = Extract(salt = CTX ‖ " sid", ikm = session id[16])
//! record_id    = Expand(PRK_s, lp8("record-id") ‖ u16(16) ‖ lp16(audience), 16)
//! public_id    = Expand(PRK_s, lp8("public-id") ‖ u16(8)  ‖ lp16(audience), 8)
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroize as _;

use crate::crypto::{Prk, constant_time_equal, random};
use crate::error::RandomError;

const SALT: &[u8] = b"sealed-session/v1 sid";

/// The secret id of a session: 128 random bits that only its cookie carries.
///
/// Security: it leaves the seal only through the derivations of this module; `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct SessionId([u8; SessionId::LENGTH]);

impl SessionId {
    pub(crate) const LENGTH: usize = 16;

    /// A new id from the operating system's generator.
    pub(crate) fn generate() -> Result<Self, RandomError> {
        let mut bytes = [0; Self::LENGTH];
        random::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The id under which a server store keeps this session's record.
    pub(crate) fn record_id(&self, audience: &str) -> RecordId {
        RecordId(self.derive("record-id", audience))
    }

    /// The id that logs and metrics may show.
    pub(crate) fn public_id(&self, audience: &str) -> PublicId {
        PublicId(self.derive("public-id", audience))
    }

    // Security: ids are derived one way before any look-up, so neither a store's dump nor the timing of its index tells
    // a usable id (CVE-2019-16782 was that timing).
    fn derive<const N: usize>(&self, label: &'static str, audience: &str) -> [u8; N] {
        let length = u16::try_from(audience.len()).unwrap_or(u16::MAX).to_be_bytes();
        *Prk::extract(SALT, &self.0).expand_labelled(&[], label, [&length, audience.as_bytes()])
    }
}

impl Drop for SessionId {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        constant_time_equal(&self.0, &other.0)
    }
}

impl Eq for SessionId {}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// Names a record in a server store: 16 bytes, derived one way from the session's secret id.
///
/// It opens and hijacks nothing; still, it belongs in no log. Stores that keep files or text keys use [`RecordId::to_hex`].
///
/// ```
/// use sealed_session::store::RecordId;
///
/// let id = RecordId::from_bytes([0xab; 16]);
/// assert_eq!(id.to_hex(), "abababababababababababababababab");
/// assert_eq!(id.as_bytes().len(), 16);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// A record id from its 16 bytes, for tests of a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 lower-case hexadecimal digits: safe as a file name and as a key in any engine.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({})", self.to_hex())
    }
}

/// The only id of a session that logs and metrics may show: 8 bytes, derived one way from its secret id.
///
/// It changes with `regenerate`. It names neither a cookie nor a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId([u8; 8]);

impl PublicId {
    /// The 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// Bytes of an id.
    pub(crate) const LENGTH: usize = 8;

    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// From its 16 lower-case hexadecimal digits.
    pub(crate) fn from_hex(digits: &[u8; 16]) -> Option<Self> {
        let mut bytes = [0; 8];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains(['+', '-']))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes)).filter(|id| id.to_string().as_bytes() == digits)
    }
}

impl fmt::Display for PublicId {
    /// 16 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicId({self})")
    }
}

/// Names a key in every envelope that it sealed: 8 bytes, derived from the key's secret and suite; public.
///
/// ```
/// use sealed_session::{Key, Suite};
///
/// let key = Key::generate()?;
/// assert_eq!(key.id().to_string().len(), 11);
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KeyId::LENGTH]);

impl KeyId {
    /// Bytes of a key id.
    pub const LENGTH: usize = 8;

    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    /// 11 characters of base64url, as in the key's text form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
