use std::borrow::Cow;
use std::fmt;

/// A setting that cannot work, found when the manager is built and not at the first request.
///
/// It names the setting and the mend, and never shows what was given: a key that was pasted into the wrong place must
/// not come to a log.
///
/// ```
/// use sealed_session::cookie::CookieAttributes;
/// use sealed_session::{SessionManager, Key};
///
/// let admin = CookieAttributes::new().path("/admin");
/// let error = SessionManager::builder(Key::generate()?).cookie(admin).build().unwrap_err();
/// assert_eq!(error.setting(), "path");
/// assert!(error.to_string().contains("leave the path at its default"));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    setting: Cow<'static, str>,
    problem: String,
    variable: Option<String>,
}

impl ConfigError {
    /// A setting of a store or an adapter that cannot work: its builder method's name, and what to do about it. The
    /// problem must not show what was given.
    ///
    /// ```
    /// let error = sealed_session::ConfigError::new("table", "a table's name has 48 characters at most");
    /// assert_eq!(error.to_string(), "`table`: a table's name has 48 characters at most");
    /// ```
    pub fn new(setting: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), problem: problem.into(), variable: None }
    }

    /// The same problem, of a setting that stands inside of another: `path` within `also_remove[0]`.
    pub(crate) fn within(self, outer: &str) -> Self {
        Self { setting: format!("{outer}.{}", self.setting).into(), ..self }
    }

    /// The same problem, with the setting's name as another place spells it.
    pub(crate) fn renamed(self, rename: impl FnOnce(&str) -> Option<String>) -> Self {
        match rename(&self.setting) {
            Some(name) => Self { setting: name.into(), ..self },
            None => self,
        }
    }

    /// The setting: by the name of its builder method, or by its path where it stands in a configuration
    /// (`cookie.same_site`). Empty where none was reached: the text is no TOML or JSON,
    /// or a variable is no setting's.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// The environment variable that the setting came from, if it came from one.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }
}

#[cfg(feature = "config")]
impl ConfigError {
    /// The same problem, of a value that an environment variable gave.
    pub(crate) fn in_variable(self, variable: impl Into<String>) -> Self {
        Self { variable: Some(variable.into()), ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.setting.as_ref(), self.variable.as_deref()) {
            ("", None) => {}
            ("", Some(variable)) => write!(f, "`{variable}`: ")?,
            (setting, None) => write!(f, "`{setting}`: ")?,
            (setting, Some(variable)) => write!(f, "`{setting}` (from the variable `{variable}`): ")?,
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ConfigError {}
