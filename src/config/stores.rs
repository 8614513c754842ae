use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{NO_STORE, is_store_name};
use crate::error::ConfigError;
use crate::store::RecordStore;

/// The server stores that an application has, by the names that a [`Config`](super::Config) chooses from.
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use sealed_session::store::MemoryStore;
/// use sealed_session::{Config, SessionManager, Key, Stores};
///
/// let stores = Stores::new().with("memory", MemoryStore::new());
/// let config = Config::from_toml("store = \"memory\"")?;
/// let manager = SessionManager::builder(Key::generate()?).configured(&config, &stores)?.build()?;
///
/// let config = Config::from_toml("store = \"redis\"")?;
/// let error = SessionManager::builder(Key::generate()?).configured(&config, &stores).unwrap_err();
/// assert!(error.to_string().contains("there is `memory`"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Stores(BTreeMap<String, Arc<dyn RecordStore>>);

impl Stores {
    /// No stores.
    ///
    /// ```
    /// assert_eq!(format!("{:?}", sealed_session::Stores::new()), "{}");
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a store under a name: letters, digits, `_` and `-`, and not `cookie`, which stands for sessions without a
    /// store. Of two stores with one name the later one counts.
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// use sealed_session::Stores;
    /// use sealed_session::store::MemoryStore;
    ///
    /// let stores = Stores::new().with("sessions", MemoryStore::new());
    /// assert_eq!(format!("{stores:?}"), "{\"sessions\"}");
    /// # }
    /// ```
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, store: impl RecordStore) -> Self {
        self.0.insert(name.into(), Arc::new(store));
        self
    }

    /// The store of this name; `None` for none.
    pub(crate) fn chosen(&self, name: Option<&str>) -> Result<Option<Arc<dyn RecordStore>>, ConfigError> {
        if !self.0.keys().all(|name| name != NO_STORE && is_store_name(name)) {
            let problem = "one is registered under a name that no configuration can choose; take letters, digits, `_` \
                           and `-`, and not `cookie`";
            return Err(ConfigError::new("store", problem));
        }
        let Some(name) = name else { return Ok(None) };
        if let Some(store) = self.0.get(name) {
            return Ok(Some(Arc::clone(store)));
        }
        let names: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        let registered = match names.as_slice() {
            [] => "there is none; register it with `Stores::with`, or take `cookie`".to_owned(),
            [one] => format!("there is {one}"),
            several => format!("there are {}", several.join(", ")),
        };
        Err(ConfigError::new("store", format!("no store of this name is registered: {registered}")))
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
