//! HMAC-SHA256 (RFC 2104, FIPS 198-1).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The whole tag; callers cut it to the length that their format names.
pub(crate) type HmacTag = [u8; 32];

/// The tag over the joined parts.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> HmacTag {
    // HMAC takes a key of any length; were the library to disagree, an empty tag authenticates nothing that a
    // known answer would miss.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return HmacTag::default() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
