//! Names and audiences that the cookie had before: read, and sealed again under those of today.

use std::sync::Arc;

use crate::cookie::CookieAttributes;
use crate::error::ConfigError;
use crate::limits;
use crate::records::Records;
use crate::seal::Sealer;

/// A name and an audience that the cookie had before.
pub(crate) struct Earlier {
    pub(crate) sealer: Arc<Sealer>,
    /// Which of the manager's records its sessions have.
    pub(crate) place: usize,
    /// How its cookie is removed, where the name was another one.
    pub(crate) removal: Option<CookieAttributes>,
}

impl Earlier {
    /// What `also_read` asks for, over the sealer and the records of today, which those of other audiences join.
    pub(crate) fn all(
        asked: Vec<(String, String)>,
        attributes: &CookieAttributes,
        today: &Sealer,
        records: &mut Vec<Records>,
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
            let has_place = |records: &Records| records.sealer.audience() == sealer.audience();
            let place = records.iter().position(has_place).unwrap_or(records.len());
            if let Some(todays) = records.first().filter(|_| place == records.len()).cloned() {
                records.push(Records { sealer: Arc::clone(&sealer), ..todays });
            }
            Ok(Arc::new(Self { sealer, place, removal }))
        };
        asked.into_iter().map(earlier).collect()
    }

    /// The same name under another audience of today.
    pub(crate) fn with_audience(&self, audience: &str) -> Result<Self, ConfigError> {
        let sealer = Arc::new(self.sealer.bound_to(self.sealer.cookie_name().to_owned(), audience.to_owned())?);
        Ok(Self { sealer, place: 0, removal: self.removal.clone() })
    }

    /// Whether what was sealed then is bound to another audience than today.
    pub(crate) fn has_other_audience(&self, today: &Sealer) -> bool {
        self.sealer.audience() != today.audience()
    }
}
