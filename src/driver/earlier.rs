//! Names and audiences that the cookie had before: read, and sealed again under those of today.

use std::sync::Arc;

use super::SessionManager;
use crate::cookie::{CookieAttributes, request};
use crate::error::ConfigError;
use crate::limits;
use crate::overflow::Records;
use crate::seal::Sealer;

/// A name and an audience that the cookie had before.
pub(super) struct Earlier {
    pub(super) sealer: Arc<Sealer>,
    /// Its records, where the audience was another one: record ids depend on it.
    pub(super) records: Option<Records>,
    /// How its cookie is removed, where the name was another one.
    pub(super) removal: Option<CookieAttributes>,
}

impl Earlier {
    /// What `also_read` asks for, over the sealer and the records of today.
    pub(super) fn all(
        asked: Vec<(String, String)>,
        attributes: &CookieAttributes,
        today: &Sealer,
        records: Option<&Records>,
    ) -> Result<Vec<Arc<Self>>, ConfigError> {
        // Security: each is one more decryption of what a client sends.
        if asked.len() > limits::EARLIER_CONTEXTS_MAX {
            return Err(ConfigError::new("also_read", "more than four; take out those that no cookie has any more"));
        }
        let earlier = |(name, audience): (String, String)| {
            let (same_name, same_audience) = (name == today.cookie_name(), audience == today.audience());
            if same_name && same_audience {
                return Err(ConfigError::new("also_read", "this is the name and the audience of today; take it out"));
            }
            let removal = (!same_name).then(|| attributes.renamed(&name));
            let refused = |error: ConfigError| ConfigError::new("also_read", error.to_string());
            removal.iter().try_for_each(CookieAttributes::check).map_err(refused)?;
            let sealer = Arc::new(today.bound_to(name, audience).map_err(refused)?);
            let records = records.filter(|_| !same_audience);
            let records = records.map(|records| Records { sealer: Arc::clone(&sealer), ..records.clone() });
            Ok(Arc::new(Self { sealer, records, removal }))
        };
        asked.into_iter().map(earlier).collect()
    }

    /// The same name under another audience of today.
    pub(super) fn with_audience(&self, audience: &str) -> Result<Self, ConfigError> {
        let sealer = Arc::new(self.sealer.bound_to(self.sealer.cookie_name().to_owned(), audience.to_owned())?);
        Ok(Self { sealer, records: None, removal: self.removal.clone() })
    }

    /// Whether what was sealed then is bound to another audience than today.
    pub(super) fn has_other_audience(&self, today: &Sealer) -> bool {
        self.sealer.audience() != today.audience()
    }
}

/// The values of a request that may be its session.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    /// Under the name of today.
    pub(super) today: Vec<Box<[u8]>>,
    /// Under each name and audience of before, in the order in which they are tried.
    pub(super) earlier: Vec<Vec<Box<[u8]>>>,
}

impl Candidates {
    pub(super) fn of(store: &SessionManager, headers: &[&[u8]]) -> Self {
        let named = |name: &str| request::candidates(headers.iter().copied(), name).map(Box::from).collect();
        let earlier = store.0.earlier.iter().map(|earlier| named(earlier.sealer.cookie_name()));
        Self { today: named(store.cookie_name()), earlier: earlier.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.today.is_empty() && self.earlier.iter().all(Vec::is_empty)
    }

    pub(super) fn count(&self) -> usize {
        self.today.len()
    }
}
