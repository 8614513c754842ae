use pasetors::keys::{Generate as _, SymmetricKey};
use pasetors::token::UntrustedToken;
use pasetors::version4::{LocalToken, V4};

use super::{Cookies, cookie, find};
use crate::visit::{Received, Visit};

/// A PASETO, `v4.local`, around the JSON, without claims: it says nothing of times, and checks none.
#[derive(Debug)]
pub struct Paseto(SymmetricKey<V4>);

impl Paseto {
    /// With a new key.
    ///
    /// # Panics
    ///
    /// When the operating system gives no random bytes.
    #[expect(clippy::new_without_default, reason = "a key is drawn, and no two are alike")]
    #[must_use]
    pub fn new() -> Self {
        Self(SymmetricKey::generate().expect("random bytes"))
    }
}

impl Cookies for Paseto {
    fn name(&self) -> &'static str {
        "PASETO v4.local"
    }

    fn seal(&self, visit: &Visit) -> String {
        let text = serde_json::to_string(visit).expect("it is JSON");
        cookie(LocalToken::encrypt(&self.0, text.as_bytes(), None, None).expect("it is sealed")).to_string()
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        let token = UntrustedToken::try_from(find(request)?).ok()?;
        serde_json::from_str(LocalToken::decrypt(&self.0, &token, None, None).ok()?.payload()).ok()
    }
}
