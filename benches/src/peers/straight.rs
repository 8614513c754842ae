use std::cell::RefCell;
use std::fmt;

use aes::Aes256Enc;
use aes::cipher::BlockCipherEncrypt as _;
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use base64_simd::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha256;

use super::jwe::random;
use super::{Cookies, find};
use crate::visit::{Received, Visit};
use crate::{AUDIENCE, NAME, NOW};

/// The wire format (suite `xaes`) and nothing around it: no driver, no session, no checks of JSON, no wiping. One draw from the
/// kernel for each seal, vectorized base64, and one buffer for all cookies. How fast the format can be.
pub struct Straight {
    aes: Aes256Enc,
    k1: u128,
    kid: [u8; 8],
    /// The same for every cookie: version and key id are, and so are name and audience.
    aad: Vec<u8>,
    buffer: RefCell<Vec<u8>>,
}

const CTX: &[u8] = b"sealed-session/v1";
const HEADER: usize = 32;
const ENVELOPE: usize = 33;
const TAG: usize = 16;
const BUCKET: usize = 32;
const LIFETIME: u64 = 7200;

impl Straight {
    /// With the 32 bytes of a key.
    ///
    /// # Panics
    ///
    /// Never: all lengths are good.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        let derived = Hkdf::<Sha256>::new(Some(CTX), secret);
        let (mut kid, mut key) = ([0; 8], [0; 32]);
        let info = |label: &[u8], length: u8| [&[1, label.len() as u8], label, &[0, length]].concat();
        derived.expand(&info(b"kid", 8), &mut kid).expect("a short output");
        derived.expand(&info(b"cookie", 32), &mut key).expect("a short output");
        let aes = Aes256Enc::new(&key.into());
        let mut l = [0; 16].into();
        aes.encrypt_block(&mut l);
        let l = u128::from_be_bytes(l.into());
        let k1 = (l << 1) ^ ((l >> 127) * 0x87);
        let lp16 = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
        let context = [CTX, b" cookie"].concat();
        let aad = [&[context.len() as u8], &*context, &[1], &kid, &lp16(NAME), &lp16(AUDIENCE)].concat();
        Self { aes, k1, kid, aad, buffer: RefCell::default() }
    }

    /// A cookie with a session id and a nonce that were drawn before.
    ///
    /// # Panics
    ///
    /// When the visit is too long for a cipher, which none is.
    #[must_use]
    pub fn seal_drawn(&self, visit: &Visit, drawn: &[u8; 40]) -> String {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        let (id, nonce) = drawn.split_at(16);
        let now = NOW.unix_seconds();
        buffer.push(1);
        buffer.extend_from_slice(&self.kid);
        buffer.extend_from_slice(nonce);
        buffer.push(0);
        buffer.extend_from_slice(id);
        for time in [now, now, now + LIFETIME] {
            buffer.extend_from_slice(&u40(time));
        }
        serde_json::to_writer(&mut *buffer, visit).expect("it is JSON");
        buffer.push(0x80);
        let padded = ENVELOPE + (buffer.len() - ENVELOPE).next_multiple_of(BUCKET);
        buffer.resize(padded, 0);
        let tag = self.gcm(nonce).encrypt_inout_detached(
            nonce[12..].try_into().expect("the rest of it"),
            &self.aad,
            (&mut buffer[ENVELOPE..]).into(),
        );
        buffer.extend_from_slice(&tag.expect("it is short"));
        let attributes = "; Max-Age=7200; Path=/; Secure; HttpOnly; SameSite=Lax";
        let mut line = String::with_capacity(NAME.len() + 1 + buffer.len().div_ceil(3) * 4 + attributes.len());
        line.push_str(NAME);
        line.push('=');
        URL_SAFE_NO_PAD.encode_append(&*buffer, &mut line);
        line.push_str(attributes);
        line
    }

    /// AES-256-GCM under the key that the first half of the nonce selects.
    fn gcm(&self, nonce: &[u8]) -> AesGcm<Aes256Enc, U12> {
        let mut kx = [0; 32];
        for (half, counter) in kx.chunks_exact_mut(16).zip([1, 2]) {
            let mut block = [0; 16];
            block[..4].copy_from_slice(&[0, counter, b'X', 0]);
            block[4..].copy_from_slice(&nonce[..12]);
            let mut block = (u128::from_be_bytes(block) ^ self.k1).to_be_bytes().into();
            self.aes.encrypt_block(&mut block);
            half.copy_from_slice(&block);
        }
        AesGcm::new(&kx.into())
    }
}

fn u40(seconds: u64) -> [u8; 5] {
    let [_, _, _, bytes @ ..] = seconds.to_be_bytes();
    bytes
}

impl Cookies for Straight {
    fn name(&self) -> &'static str {
        "straight"
    }

    fn seal(&self, visit: &Visit) -> String {
        self.seal_drawn(visit, &random())
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        URL_SAFE_NO_PAD.decode_append(find(request)?, &mut *buffer).ok()?;
        let sealed = buffer.len().checked_sub(TAG).filter(|sealed| *sealed > ENVELOPE + HEADER)?;
        let (envelope, rest) = buffer.split_at_mut(ENVELOPE);
        let (text, tag) = rest.split_at_mut(sealed - ENVELOPE);
        let nonce = &envelope[9..];
        if envelope[0] != 1 || envelope[1..9] != self.kid {
            return None;
        }
        self.gcm(nonce)
            .decrypt_inout_detached(
                nonce[12..].try_into().expect("the rest of it"),
                &self.aad,
                (&mut *text).into(),
                (&*tag).try_into().expect("the rest of it"),
            )
            .ok()?;
        let end = text.iter().rposition(|byte| *byte != 0).filter(|end| text[*end] == 0x80)?;
        let expires = text[27..32].iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        if NOW.unix_seconds() >= expires {
            return None;
        }
        serde_json::from_slice(&text[HEADER..end]).ok()
    }
}

impl fmt::Debug for Straight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Straight").finish_non_exhaustive()
    }
}
