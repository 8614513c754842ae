//! XAES-256-GCM (C2SP XAES-256-GCM v1.0): AES-256-GCM with a key derived per nonce, over `aes` and `aes-gcm`.
//!
//! ```text
//! L  = AES-256_K(0¹²⁸)             K1 = double(L)                       once per key
//! Kx = AES-256_K((0x0001 ‖ "X" ‖ 0x00 ‖ N[..12]) ⊕ K1) ‖ AES-256_K((0x0002 ‖ "X" ‖ 0x00 ‖ N[..12]) ⊕ K1)
//! C  = AES-256-GCM_Kx(N[12..], plaintext, associated data)
//! ```

use aes::Aes256Enc;
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{self, AeadInOut as _, KeyInit as _};
use aes_gcm::aes::cipher::BlockCipherEncrypt as _;
use zeroize::{Zeroize as _, Zeroizing};

/// GCM never runs the block cipher backwards: the schedule for decryption is not computed.
type Aes256Gcm = AesGcm<Aes256Enc, U12>;

type Block = [u8; 16];

/// XAES-256-GCM under one key: its AES schedule and K1, computed once.
#[derive(Clone)]
pub(crate) struct Xaes256Gcm {
    aes: Aes256Enc,
    k1: Block,
}

impl Xaes256Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let aes = Aes256Enc::new(key.into());
        let mut l = [0; 16];
        aes.encrypt_block((&mut l).into());
        let k1 = double(l);
        l.zeroize();
        Self { aes, k1 }
    }

    pub(crate) fn encrypt(&self, nonce: &[u8; 24], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; 16], aead::Error> {
        let (cipher, nonce) = self.for_nonce(nonce);
        cipher.encrypt_inout_detached((&nonce).into(), aad, buffer.into()).map(Into::into)
    }

    pub(crate) fn decrypt(
        &self,
        nonce: &[u8; 24],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), aead::Error> {
        let (cipher, nonce) = self.for_nonce(nonce);
        cipher.decrypt_inout_detached((&nonce).into(), aad, InOutBuf::from(buffer), tag.into())
    }

    /// Steps 3 to 5: AES-256-GCM under Kx, and the nonce for it.
    fn for_nonce(&self, nonce: &[u8; 24]) -> (Aes256Gcm, [u8; 12]) {
        let (selects_key, rest) = halves(nonce);
        let mut kx = Zeroizing::new([0; 32]);
        for (half, counter) in kx.chunks_exact_mut(16).zip([1, 2]) {
            let [m0, m1, m2, m3] = [0, counter, b'X', 0];
            let [n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11] = selects_key;
            let m: Block = [m0, m1, m2, m3, n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11];
            for ((byte, m), k1) in half.iter_mut().zip(m).zip(self.k1) {
                *byte = m ^ k1;
            }
        }
        let (first, second) = kx.split_at_mut(16);
        for half in [first, second] {
            if let Ok(block) = half.try_into() {
                self.aes.encrypt_block(block);
            }
        }
        (Aes256Gcm::new((&*kx).into()), rest)
    }
}

impl Drop for Xaes256Gcm {
    fn drop(&mut self) {
        self.k1.zeroize();
    }
}

/// Doubling in GF(2¹²⁸): a shift by one bit, and 0x87 when a bit falls out.
fn double(block: Block) -> Block {
    let shifted = u128::from_be_bytes(block) << 1;
    // Security: an arithmetic shift instead of a branch, so that the time tells nothing of the key.
    let carry = u128::from_be_bytes(block) >> 127;
    (shifted ^ (carry * 0x87)).to_be_bytes()
}

fn halves(nonce: &[u8; 24]) -> ([u8; 12], [u8; 12]) {
    let (mut first, mut second) = ([0; 12], [0; 12]);
    let (left, right) = nonce.split_at(12);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    (first, second)
}
