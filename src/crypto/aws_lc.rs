//! Feature `aws-lc-rs`: the AEADs of AWS-LC, the same bytes by another library.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use chacha20::{R20, hchacha};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::Unauthentic;

/// AES-256-GCM under a key for one message.
pub(super) fn seal_aes_256_gcm(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; 16], Unauthentic> {
    seal(&AES_256_GCM, key, nonce, aad, buffer)
}

/// The way back. A forged buffer comes back as zeros.
pub(super) fn open_aes_256_gcm(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), Unauthentic> {
    open(&AES_256_GCM, key, nonce, aad, buffer, tag)
}

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ChaCha20-Poly1305 with a key derived per nonce.
#[derive(Clone)]
pub(crate) struct XChaCha {
    key: Zeroizing<[u8; 32]>,
}

// Its field wipes itself.
impl ZeroizeOnDrop for XChaCha {}

impl XChaCha {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { key: Zeroizing::new(*key) }
    }

    pub(super) fn encrypt(&self, nonce: &[u8; 24], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; 16], Unauthentic> {
        let (key, nonce) = self.derive(nonce);
        seal(&CHACHA20_POLY1305, &key, &nonce, aad, buffer)
    }

    pub(super) fn decrypt(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Unauthentic> {
        let (key, nonce) = self.derive(nonce);
        open(&CHACHA20_POLY1305, &key, &nonce, aad, buffer, tag)
    }

    /// Section 2.3: HChaCha20 of the first 16 bytes is the key, and the others follow four zeros.
    fn derive(&self, nonce: &[u8; 24]) -> (Zeroizing<[u8; 32]>, [u8; 12]) {
        let [first @ .., a, b, c, d, e, f, g, h] = nonce;
        let mut derived = hchacha::<R20>((&*self.key).into(), first.into());
        let key = Zeroizing::new(derived.into());
        crate::wipe::wipe(&mut derived);
        (key, [0, 0, 0, 0, *a, *b, *c, *d, *e, *f, *g, *h])
    }
}

fn seal(
    algorithm: &'static Algorithm,
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; 16], Unauthentic> {
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let tag = cipher(algorithm, key)?.seal_in_place_separate_tag(nonce, Aad::from(aad), buffer);
    tag.ok().and_then(|tag| tag.as_ref().try_into().ok()).ok_or(Unauthentic)
}

fn open(
    algorithm: &'static Algorithm,
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), Unauthentic> {
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = cipher(algorithm, key)?.open_in_place_separate_tag(nonce, Aad::from(aad), tag, buffer);
    opened.map(drop).map_err(|_| Unauthentic)
}

// AWS-LC wipes a key's context when it frees it.
fn cipher(algorithm: &'static Algorithm, key: &[u8; 32]) -> Result<LessSafeKey, Unauthentic> {
    UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| Unauthentic)
}

#[cfg(test)]
mod tests {
    use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
    use chacha20poly1305::XChaCha20Poly1305;
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::Aes256Gcm;

    proptest! {
        #[test]
        fn each_library_opens_what_the_other_seals(
            key in any::<[u8; 32]>(),
            long in any::<[u8; 24]>(),
            short in any::<[u8; 12]>(),
            aad in prop::collection::vec(any::<u8>(), 0..80),
            message in prop::collection::vec(any::<u8>(), 0..700),
        ) {
            let (theirs, ours) = (Aes256Gcm::new((&key).into()), XChaCha20Poly1305::new((&key).into()));
            let [mut gcm, mut chacha] = [message.clone(), message.clone()];
            let tag = seal_aes_256_gcm(&key, &short, &aad, &mut gcm).unwrap();
            theirs.decrypt_inout_detached((&short).into(), &aad, gcm.as_mut_slice().into(), (&tag).into()).unwrap();
            let tag = XChaCha::new(&key).encrypt(&long, &aad, &mut chacha).unwrap();
            ours.decrypt_inout_detached((&long).into(), &aad, chacha.as_mut_slice().into(), (&tag).into()).unwrap();
            prop_assert_eq!([&gcm, &chacha], [&message, &message]);

            let tag = theirs.encrypt_inout_detached((&short).into(), &aad, gcm.as_mut_slice().into()).unwrap();
            open_aes_256_gcm(&key, &short, &aad, &mut gcm, &tag.into()).unwrap();
            let tag = ours.encrypt_inout_detached((&long).into(), &aad, chacha.as_mut_slice().into()).unwrap();
            XChaCha::new(&key).decrypt(&long, &aad, &mut chacha, &tag.into()).unwrap();
            prop_assert_eq!([&gcm, &chacha], [&message, &message]);
        }
    }
}
