use std::ffi::OsString;
use std::fmt;

use zeroize::Zeroizing;

use super::{KeySource, read_ring};
use crate::error::KeySourceError;
use crate::key::KeyRing;

/// A ring in an environment variable, `SESSION_KEYS` by default: keys separated by white space or commas, the first seals;
/// or any other text form of a ring.
///
/// A process's environment does not change while it runs, so neither does this ring.
///
/// ```no_run
/// use sealed_session::key_source::{EnvironmentSource, KeySource};
///
/// let ring = EnvironmentSource::default().load()?;
/// # Ok::<(), sealed_session::key_source::KeySourceError>(())
/// ```
pub struct EnvironmentSource {
    variable: String,
    look_up: Box<LookUp>,
}

type LookUp = dyn Fn(&str) -> Option<OsString> + Send + Sync;

impl EnvironmentSource {
    /// A variable of this process's environment.
    ///
    /// ```
    /// use sealed_session::key_source::{EnvironmentSource, KeySource};
    ///
    /// let source = EnvironmentSource::new("EXAMPLE_APP_KEYS");
    /// assert!(source.load().unwrap_err().to_string().contains("EXAMPLE_APP_KEYS"));
    /// ```
    #[must_use]
    pub fn new(variable: impl Into<String>) -> Self {
        Self::with_look_up(variable, |variable| std::env::var_os(variable))
    }

    /// A variable of another environment, such as that of a test.
    ///
    /// ```
    /// use sealed_session::Key;
    /// use sealed_session::key_source::{EnvironmentSource, KeySource};
    ///
    /// let key = Key::generate()?;
    /// let value = key.to_secret_text().to_string();
    /// let source = EnvironmentSource::with_look_up("APP_KEYS", move |_| Some(value.clone().into()));
    /// assert_eq!(source.load()?.key_ids().next(), Some(key.id()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_look_up(
        variable: impl Into<String>,
        look_up: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        Self { variable: variable.into(), look_up: Box::new(look_up) }
    }
}

impl Default for EnvironmentSource {
    fn default() -> Self {
        Self::new("SESSION_KEYS")
    }
}

impl KeySource for EnvironmentSource {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        let value = (self.look_up)(&self.variable).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| KeySourceError::NotSet { variable: self.variable.clone() })?;
        let place = format!("the environment variable {}", self.variable);
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        read_ring::check_length(&place, bytes.len())?;
        read_ring::ring(&place, &bytes)
    }

    fn may_change(&self) -> bool {
        false
    }
}

impl fmt::Debug for EnvironmentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentSource").field("variable", &self.variable).finish_non_exhaustive()
    }
}
