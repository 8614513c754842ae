//! The same manager for another audience, and for sessions that another session library carries.

use std::sync::Arc;

#[cfg(feature = "actix-session")]
use super::StoreFailure;
use super::{Inner, SessionManager};
use crate::error::ConfigError;
use crate::records::Records;

impl SessionManager {
    /// The same store for another audience, such as a tenant: a cookie of one opens under no other.
    ///
    /// Keys, server store, counters and settings are shared, so this costs some allocations and no derivation of keys: it
    /// may be called for each request. Of [`also_read`](crate::SessionManagerBuilder::also_read), earlier names of the cookie
    /// stay; earlier audiences do not.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let store = SessionManager::builder(Key::generate()?).audience("shop/prod").build()?;
    /// let tenant = store.with_audience("shop/prod/tenant-7")?;
    /// assert_eq!(tenant.sealer().audience(), "shop/prod/tenant-7");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for more than 256 bytes.
    pub fn with_audience(&self, audience: impl Into<String>) -> Result<Self, ConfigError> {
        let (today, audience) = (&self.0, audience.into());
        if today.sealer.audience() == audience {
            return Ok(self.clone());
        }
        let sealer = Arc::new(today.sealer.bound_to(today.sealer.cookie_name().to_owned(), audience)?);
        // Security: an audience of before was shared by all tenants, so its sessions would open in each of them.
        let earlier = today.earlier.iter().filter(|earlier| !earlier.has_other_audience(&today.sealer));
        let earlier = earlier.map(|earlier| earlier.with_audience(sealer.audience()).map(Arc::new));
        let earlier = earlier.collect::<Result<_, _>>()?;
        let records = today.records.iter().take(1);
        let records = records.map(|records| Records { sealer: Arc::clone(&sealer), ..records.clone() }).collect();
        Ok(Self(Arc::new(Inner { sealer, records, earlier, also_verify: Arc::default(), ..(**today).clone() })))
    }

    /// The same store, whose cookie values have at most so many characters.
    #[cfg(feature = "actix-session")]
    pub(crate) fn carried(&self, longest_text: usize) -> Self {
        let today = &self.0;
        let longest_text = today.longest_text.min(longest_text);
        Self(Arc::new(Inner {
            sealer: Arc::new(today.sealer.with_longest_text(longest_text)),
            longest_text,
            // The library decides when to write, and tells of no response.
            commit_when: |_| true,
            // Security: in place of a session that cannot be loaded, the library would write a new one over its cookie.
            store_failure: StoreFailure::FailClosed,
            // The library sets one cookie, at no other path or domain of ours.
            also_remove: Vec::new(),
            ..(**today).clone()
        }))
    }
}
