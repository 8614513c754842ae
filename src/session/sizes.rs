//! How large a session is, told before it hurts, and what must never travel in the cookie.

use super::Session;
use crate::error::SessionError;

/// How many bytes of JSON a session takes, and which top-level keys take them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeReport {
    /// Bytes of the whole session.
    pub payload_bytes: usize,
    /// Most bytes that its cookie takes.
    pub cookie_max_bytes: usize,
    /// Bytes of each top-level key with its name, the largest first. `"~"` is the crate's own: flash and old input.
    pub keys: Vec<(String, usize)>,
}

impl Session {
    /// Bytes of JSON that fit the cookie beside what is there; `0` when the session outgrows it.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let store = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = store.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("cart", &["book"])?;
    /// assert_eq!(session.remaining_bytes(), 2979 - r#"{"cart":["book"]}"#.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn remaining_bytes(&self) -> usize {
        let payload_bytes = self.read_state().payload.to_json().len();
        self.fixed().sealer.payload_max_bytes().saturating_sub(payload_bytes)
    }

    /// How large the session is, key by key.
    #[must_use]
    pub fn size_report(&self) -> SizeReport {
        let state = self.read_state();
        SizeReport {
            payload_bytes: state.payload.to_json().len(),
            cookie_max_bytes: self.fixed().sealer.payload_max_bytes(),
            keys: state.payload.member_sizes(),
        }
    }

    /// Marks a top-level key that must never travel in the cookie: while it is there, the session is in the store.
    ///
    /// The mark stays in the session, also while the key is not there. It begins no session by itself.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoStore`] where none is configured, or as [`Session::put`] when it is too late.
    pub fn server_only(&self, key: impl Into<String>) -> Result<(), SessionError> {
        if !self.fixed().has_store {
            return Err(SessionError::NoStore);
        }
        let key = key.into();
        self.write(|state| {
            let is_new = state.payload.keep_on_server([key]);
            // Kept before its key is there, but it begins no session by itself.
            let is_kept = is_new && (state.expires.is_some() || !state.payload.is_empty());
            Ok(((), is_kept))
        })
    }
}
