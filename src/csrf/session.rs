//! The tokens of a session.

use super::CsrfError;
use crate::error::{SealError, SessionError};
use crate::session::Session;

impl Session {
    /// A new token for the forms of this session, which starts when there is none.
    ///
    /// Each call returns another text; all of them verify until the session gets a new id or ends. Nothing is stored.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// let token = session.csrf_token()?;
    /// assert!(session.verify_csrf(Some(&token)).is_ok());
    /// assert!(session.verify_csrf(None).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Random`] or [`SessionError::NoSealingKey`] when no token can be made, or as [`Session::put`] when it is too late.
    pub fn csrf_token(&self) -> Result<String, SessionError> {
        self.csrf_token_for("")
    }

    /// A new token for one form, named for example `"POST /transfer"`; it verifies for this scope alone.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// let token = session.csrf_token_for("POST /transfer")?;
    /// assert!(session.verify_csrf_for("POST /transfer", Some(&token)).is_ok());
    /// assert!(session.verify_csrf(Some(&token)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::csrf_token`].
    pub fn csrf_token_for(&self, scope: &str) -> Result<String, SessionError> {
        self.write(|state| {
            // The token needs the new session's id, so the session must be kept.
            let begins = !state.must_exist && state.expires.is_none() && state.payload.is_empty();
            state.must_exist = true;
            state.made_token = true;
            let id = state.ensure_id()?;
            let fixed = self.fixed();
            let token = fixed.sealer.csrf_token(id, scope, fixed.opened_at).map_err(|error| match error {
                SealError::Random(error) => SessionError::Random(error),
                _ => SessionError::NoSealingKey,
            })?;
            Ok((token, begins))
        })
    }

    /// Verifies a token of the whole session, as a form sent it.
    ///
    /// # Errors
    ///
    /// [`CsrfError`] says what is wrong; adapters answer 403.
    pub fn verify_csrf(&self, token: Option<&str>) -> Result<(), CsrfError> {
        self.verify_csrf_for("", token)
    }

    /// Verifies a token of one form.
    ///
    /// # Errors
    ///
    /// [`CsrfError`] says what is wrong; adapters answer 403.
    pub fn verify_csrf_for(&self, scope: &str, token: Option<&str>) -> Result<(), CsrfError> {
        let token = token.ok_or(CsrfError::Missing)?;
        let id = self.read_state().id.clone().ok_or(CsrfError::NoSession)?;
        let fixed = self.fixed();
        let sealers = std::iter::once(&fixed.sealer).chain(fixed.also_verify.iter());
        let mut verified = sealers.map(|sealer| sealer.verify_csrf(&id, token, scope, fixed.opened_at));
        if verified.any(|is_good| is_good) { Ok(()) } else { Err(CsrfError::Mismatch) }
    }
}
