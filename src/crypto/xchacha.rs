//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), by `chacha20poly1305`.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use zeroize::ZeroizeOnDrop;

use super::Unauthentic;

#[derive(Clone)]
pub(crate) struct XChaCha(XChaCha20Poly1305);

// The cipher wipes itself.
impl ZeroizeOnDrop for XChaCha {}

impl XChaCha {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    pub(super) fn encrypt(&self, nonce: &[u8; 24], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; 16], Unauthentic> {
        self.0.encrypt_inout_detached(nonce.into(), aad, buffer.into()).map(Into::into).map_err(|_| Unauthentic)
    }

    pub(super) fn decrypt(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), Unauthentic> {
        self.0.decrypt_inout_detached(nonce.into(), aad, buffer.into(), tag.into()).map_err(|_| Unauthentic)
    }
}
