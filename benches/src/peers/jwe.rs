use std::fmt;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Cookies, cookie, find};
use crate::visit::{Received, Visit};

/// A JWE in its compact form (RFC 7516), `dir` with `A256GCM`, written here over `aes-gcm`.
///
/// The crates that have it either need OpenSSL or no longer follow their dependencies, and each turns on `preserve_order` of
/// `serde_json`, which would change what everything else in the process does. Here it does the least that a library can:
/// it reads its header as JSON, and no times.
pub struct Jwe(Aes256Gcm);

const HEADER: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;

#[derive(Deserialize)]
struct Header<'h> {
    alg: &'h str,
    enc: &'h str,
}

impl Jwe {
    /// With a new key.
    ///
    /// # Panics
    ///
    /// When the operating system gives no random bytes.
    #[expect(clippy::new_without_default, reason = "a key is drawn, and no two are alike")]
    #[must_use]
    pub fn new() -> Self {
        Self(Aes256Gcm::new(&random::<32>().into()))
    }
}

/// So many random bytes of the operating system.
#[expect(clippy::disallowed_methods, reason = "a peer draws its own")]
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes
}

impl Cookies for Jwe {
    fn name(&self) -> &'static str {
        "JWE, by hand"
    }

    fn seal(&self, visit: &Visit) -> String {
        let mut text = serde_json::to_vec(visit).expect("it is JSON");
        let nonce: [u8; 12] = random();
        let mut token = URL_SAFE_NO_PAD.encode(HEADER);
        let tag = self.0.encrypt_inout_detached(&nonce.into(), token.as_bytes(), text.as_mut_slice().into());
        // The second part, the encrypted key, is empty.
        token.push_str("..");
        URL_SAFE_NO_PAD.encode_string(nonce, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(text, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag.expect("it is short"), &mut token);
        cookie(token).to_string()
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        let mut parts = find(request)?.split('.');
        let (header, "", nonce, text, tag, None) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next())
        else {
            return None;
        };
        let decoded = URL_SAFE_NO_PAD.decode(header).ok()?;
        let Header { alg: "dir", enc: "A256GCM" } = serde_json::from_slice(&decoded).ok()? else {
            return None;
        };
        let nonce = Nonce::try_from(URL_SAFE_NO_PAD.decode(nonce).ok()?.as_slice()).ok()?;
        let tag = Tag::try_from(URL_SAFE_NO_PAD.decode(tag).ok()?.as_slice()).ok()?;
        let mut text = URL_SAFE_NO_PAD.decode(text).ok()?;
        self.0.decrypt_inout_detached(&nonce, header.as_bytes(), text.as_mut_slice().into(), &tag).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

impl fmt::Debug for Jwe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwe").finish_non_exhaustive()
    }
}
