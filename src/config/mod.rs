//! The configuration: one type, read from TOML or JSON and overridden by environment variables.
//!
//! It names stores and keys, and makes neither. Every format goes through one tree and one table of settings, so that
//! each mistake has one message, which never shows what was given.

mod duration;
mod environment;
mod keys;
mod names;
mod node;
mod sections;
mod setting;
mod stores;
mod values;

#[cfg(test)]
mod documented_tests;

pub use keys::KeyOrigin;
pub use stores::Stores;

use std::ffi::OsStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use self::keys::Keys;
use self::node::Node;
use self::setting::Setting;
use crate::error::ConfigError;
use crate::settings::{Renewal, Settings};

/// `store` without a server store.
const NO_STORE: &str = "cookie";

/// Every setting of a [`SessionManager`](crate::SessionManager), as an operator writes them.
///
/// The settings, their variables and their defaults stand in [`guide::configuration`](crate::guide::configuration).
/// [`SessionManagerBuilder::configured`](crate::SessionManagerBuilder::configured) takes them. A configuration can be a part of
/// an application's own, through `serde`.
///
/// ```
/// use sealed_session::{Config, SessionManager, Key, Stores};
///
/// let config = Config::from_toml(
///     r#"
///     audience = "example-app/prod"
///
///     [cookie]
///     name = "__Host-shop"
///
///     [lifetimes]
///     idle_timeout = "20m"
///     "#,
/// )?;
/// let config = config.overridden_by([("SEALED_SESSION_COOKIE__SAME_SITE", "strict")])?;
///
/// let manager = SessionManager::builder(Key::generate()?).configured(&config, &Stores::new())?.build()?;
/// assert_eq!(manager.cookie_name(), "__Host-shop");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Those that the builder takes as they are.
    settings: Settings,
    store: String,
    rolling: Option<bool>,
    keys: Keys,
}

impl Default for Config {
    fn default() -> Self {
        Self { settings: Settings::default(), store: NO_STORE.to_owned(), rolling: None, keys: Keys::default() }
    }
}

impl Config {
    /// Reads TOML. What is not named has its default.
    ///
    /// ```
    /// use sealed_session::Config;
    ///
    /// let error = Config::from_toml("[cookie]\nsame_site = \"strickt\"").unwrap_err();
    /// assert_eq!(error.to_string(), "`cookie.same_site`: expected `strict`, `lax` or `none`");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting and the mend, or line and column where the text is no TOML.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::from_node(&Node::from_toml(text)?)
    }

    /// Reads JSON. What is not named has its default.
    ///
    /// ```
    /// use sealed_session::Config;
    ///
    /// let config = Config::from_json(r#"{ "store": "redis", "lifetimes": { "idle_timeout": "20m" } }"#)?;
    /// assert_eq!(config.store_name(), Some("redis"));
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting and the mend, or line and column where the text is no JSON.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::from_node(&Node::from_json(text)?)
    }

    /// Environment variables over this configuration: `SEALED_SESSION_` and the setting's path in upper case, with `__`
    /// for each dot; and `SESSION_DRIVER` for `store`, where `SEALED_SESSION_STORE` is not set.
    ///
    /// An empty variable takes a setting away that can be left out. Other variables may be among these; they are passed
    /// over.
    ///
    /// ```
    /// use sealed_session::Config;
    ///
    /// let config = Config::default().overridden_by([("HOME", "/root"), ("SESSION_DRIVER", "redis")])?;
    /// assert_eq!(config.store_name(), Some("redis"));
    ///
    /// let error = Config::default().overridden_by([("SEALED_SESSION_COOKIE__SAMESITE", "lax")]).unwrap_err();
    /// assert!(error.to_string().ends_with("did you mean `SEALED_SESSION_COOKIE__SAME_SITE`?"));
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the variable and the mend; also for a variable of this prefix that is no setting's, and for a
    /// value that is no UTF-8.
    pub fn overridden_by<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Result<Self, ConfigError>
    where
        N: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        environment::overlay(&mut self, variables)?;
        Ok(self)
    }

    /// The variables of this process over this configuration, as [`Config::overridden_by`].
    ///
    /// ```
    /// use sealed_session::Config;
    ///
    /// let config = Config::default().overridden_by_environment()?;
    /// # let _ = config;
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Config::overridden_by`].
    pub fn overridden_by_environment(self) -> Result<Self, ConfigError> {
        self.overridden_by(std::env::vars_os())
    }

    /// The server store, by the name under which the application registers it; `None` for sessions in their cookies alone.
    ///
    /// ```
    /// use sealed_session::Config;
    ///
    /// assert_eq!(Config::default().store_name(), None);
    /// ```
    #[must_use]
    pub fn store_name(&self) -> Option<&str> {
        Some(self.store.as_str()).filter(|name| *name != NO_STORE)
    }

    /// Where the keys are; in the variable `SESSION_KEYS` by default. A [`KeyWatch`](crate::key_source::KeyWatch) takes it.
    ///
    /// ```
    /// use sealed_session::key_source::KeyOrigin;
    /// use sealed_session::Config;
    ///
    /// let origin = KeyOrigin::Environment { variable: "SESSION_KEYS".to_owned() };
    /// assert_eq!(Config::default().key_origin()?, origin);
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the place is not told completely, or another one is told beside it.
    pub fn key_origin(&self) -> Result<KeyOrigin, ConfigError> {
        self.keys.origin()
    }

    /// How often the keys are looked at again; five seconds by default.
    ///
    /// ```
    /// use sealed_session::Config;
    ///
    /// assert_eq!(Config::default().key_poll_interval().as_secs(), 5);
    /// ```
    #[must_use]
    pub fn key_poll_interval(&self) -> Duration {
        self.keys.poll_interval
    }

    /// What the builder takes over. `rolling` is what express-session calls a renewal with every response.
    pub(crate) fn settings(&self) -> Result<Settings, ConfigError> {
        let renewal = match (self.settings.renewal, self.rolling) {
            (Some(renewal), Some(rolling)) if rolling != (renewal == Renewal::EveryResponse) => {
                let problem = "it says the contrary of `renewal`; give one of the two";
                return Err(ConfigError::new("rolling", problem));
            }
            (None, Some(true)) => Some(Renewal::EveryResponse),
            (renewal, _) => renewal,
        };
        Ok(Settings { renewal, ..self.settings.clone() })
    }

    /// Where a builder's method finds its value here.
    pub(crate) fn path_of(method: &str) -> Option<String> {
        match method {
            // The sealer has its own name for the cookie's.
            "cookie_name" => Some("cookie.name".to_owned()),
            "ring" => Some("keys".to_owned()),
            _ => Self::paths().into_iter().find(|path| method_of(path) == Some(method)),
        }
    }

    /// The path of every setting, in its order.
    fn paths() -> Vec<String> {
        let mut found = Vec::new();
        Setting::paths(&mut Self::default(), "", &mut found);
        found
    }

    fn from_node(node: &Node) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        config.read(node, "")?;
        Ok(config)
    }
}

/// The method that sets it in code: it has the setting's own name, with few exceptions.
fn method_of(path: &str) -> Option<&str> {
    match path {
        "keys.grace" => Some("key_grace"),
        "rolling" => None,
        _ if path.starts_with("keys.") => None,
        _ => path.rsplit('.').next(),
    }
}

/// Whether it can be said of a store. Security: an address with a password in it is no name, and a name may be shown.
fn is_store_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

impl<'de> Deserialize<'de> for Config {
    /// As [`Config::from_toml`], so that an application's own configuration has the same messages.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_node(&Node::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Config {
    /// All settings but those that are left out. Keys are replaced by `<redacted>`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.clone().write().serialize(serializer)
    }
}
