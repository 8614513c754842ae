use std::error::Error;
use std::fmt;

use super::KeySource;
use crate::error::KeySourceError;
use crate::key::KeyRing;

/// A ring that a function fetches, such as a client of a key management service or of Vault.
///
/// ```
/// use sealed_session::{Key, KeyRing};
/// use sealed_session::key_source::{ClosureSource, KeySource};
///
/// # let key = Key::generate()?;
/// # let fetch_secret = move |_| Ok::<_, std::io::Error>(key.to_secret_text().to_string());
/// let source = ClosureSource::new("vault secret/session", move || {
///     let text = fetch_secret("secret/session")?;
///     Ok(KeyRing::from_text(&text)?)
/// });
/// assert_eq!(source.load()?.key_ids().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClosureSource {
    name: String,
    fetch: Box<Fetch>,
}

type Fetch = dyn Fn() -> Result<KeyRing, Box<dyn Error + Send + Sync>> + Send + Sync;

impl ClosureSource {
    /// A function, and how error messages name where it fetches from.
    ///
    /// It runs at start and then on a thread of its own, so it may wait. What its errors say stands in logs.
    ///
    /// ```
    /// use sealed_session::key_source::{ClosureSource, KeySource};
    ///
    /// let source = ClosureSource::new("vault secret/session", || Err("sealed".into()));
    /// assert!(source.load().unwrap_err().to_string().contains("vault secret/session"));
    /// ```
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        fetch: impl Fn() -> Result<KeyRing, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), fetch: Box::new(fetch) }
    }
}

impl KeySource for ClosureSource {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        (self.fetch)().map_err(|source| KeySourceError::Other { place: self.name.clone(), source })
    }
}

impl fmt::Debug for ClosureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosureSource").field("name", &self.name).finish_non_exhaustive()
    }
}
