//! HMAC-SHA256 (RFC 2104, FIPS 198-1).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of the block that SHA-256 works on.
const BLOCK_LENGTH: usize = 64;

/// The whole tag; callers cut it to the length that their format names.
pub(crate) type HmacTag = [u8; 32];

/// The tag over the joined parts.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> HmacTag {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA256 under a key of any length, before the first byte of a message.
// The key becomes a block here, because the constructor that takes a block cannot fail. The one that takes a slice can,
// by its type alone, and the branch for that would have to make up a tag.
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK_LENGTH]);
    // RFC 2104 §2: a key longer than a block is hashed; a shorter one is followed by zeros.
    if key.len() > BLOCK_LENGTH {
        fill(&mut block, &Sha256::digest(key));
    } else {
        fill(&mut block, key);
    }
    Hmac::new((&*block).into())
}

fn fill(block: &mut [u8; BLOCK_LENGTH], bytes: &[u8]) {
    for (place, byte) in block.iter_mut().zip(bytes) {
        *place = *byte;
    }
}
